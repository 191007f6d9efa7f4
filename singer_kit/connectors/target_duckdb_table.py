"""A stream's table in DuckDB: found or made, widened as its schema and its values ask, and loaded batch by batch."""

import logging
import re
from collections.abc import Sequence
from typing import Any, Final

from singer_kit.batch.batch import Batch
from singer_kit.batch.metadata import missing_properties
from singer_kit.codec import DecodeError, decode, encode
from singer_kit.connectors.target_duckdb_store import STATE_TABLE, DuckDBStore
from singer_kit.errors import DestinationError
from singer_kit.schema import columns as kinds
from singer_kit.schema.columns import Column, ColumnType
from singer_kit.schema.evolve import DigitsNeeded, accommodating, widened
from singer_kit.sql.ddl import add_column, change_type, comment_on_table, create_table, qualified
from singer_kit.sql.dialect import DUCKDB
from singer_kit.sql.names import column_names, fitted, told_apart
from singer_kit.sql.upsert import delete_matching, insert_from, last_of_each_key

__all__ = ["DuckDBTable"]

logger = logging.getLogger("singer_kit.target.duckdb")

_INCOMING: Final = "_singer_kit_incoming"
_ORDER: Final = "row_order"
_GROUP_ROWS: Final = 122_880
"""DuckDB compresses and writes so many rows at a time."""
_DECIMAL: Final = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_KINDS: Final[dict[str, ColumnType]] = {
    **{spelled: ColumnType(kind) for kind, spelled in DUCKDB.types.items()},  # type: ignore[arg-type] # its keys are kinds
    "TINYINT": kinds.BIGINT,
    "SMALLINT": kinds.BIGINT,
    "INTEGER": kinds.BIGINT,
    "UTINYINT": kinds.BIGINT,
    "USMALLINT": kinds.BIGINT,
    "UINTEGER": kinds.BIGINT,
    "UBIGINT": kinds.HUGEINT,
    "FLOAT": kinds.DOUBLE,
}
"""The narrowest column of ours that holds all of a DuckDB type; any other type is text to us."""


class DuckDBTable:
    """The table of one stream. All of it happens in the transaction that the store has open.

    Its comment tells whose it is and by what key, so that the next run finds it and notices another key. Columns are
    looked up once, when it is made. Names that DuckDB takes for one are told apart by a hash.
    """

    def __init__(self, store: DuckDBStore, stream: str, columns: Sequence[Column], keys: Sequence[str]) -> None:
        """The table exists, with a column for each of `columns` that holds what its schema allows.

        Raises `DestinationError` when its rows were written under another key than `keys`.
        """
        self.store = store
        self.stream = stream
        self._keys = tuple(keys)
        name, comment = self._found()
        self.name = qualified(store.schema, name, DUCKDB)
        existing = self._reflected(name)
        self._width = max(len(existing), len(columns))
        store.expect(columns=self._width)
        self._names = column_names([column.name for column in columns], existing, DUCKDB)
        if existing:
            self._check_key(comment)
            self._columns = [self._evolved(column, existing) for column in columns]
            self._rows_before = self.store.run(f"SELECT count(*) FROM {self.name}")[0][0]  # noqa: S608
        else:
            self._columns = list(columns)
            self._create()
            self._rows_before = 0
        if not comment:
            self._note_key()
        self._is_empty = self._rows_before == 0
        self._rows_read = self._long_bytes_read = 0
        self._reader: Any = None

    def column(self, name: str) -> str | None:
        """The quoted column of a property, or None when there is no such property."""
        placed = self._names.get(name)
        return None if placed is None else DUCKDB.quoted(placed)

    def column_type(self, name: str) -> ColumnType | None:
        """The type of a property's column."""
        return next((column.type for column in self._columns if column.name == name), None)

    def append(self, batch: Batch) -> None:
        """The rows of `batch` are in the table."""
        self.store.show(_INCOMING, self._read(batch))
        try:
            self._insert(_INCOMING)
        finally:
            self.store.hide(_INCOMING)

    def upsert(self, batch: Batch) -> None:
        """The rows of `batch` are in the table, in place of those with their key; the last of a key stands."""
        incoming = self._read(batch)
        keys = self._key_expressions()  # reading may have widened the key's own column
        expressions = [expression for _, expression in keys]
        self.store.show(_INCOMING, incoming)
        try:
            source = _INCOMING
            if self._repeats_a_key(expressions):
                self.store.show(_INCOMING, _in_order(incoming))
                source = last_of_each_key(_INCOMING, expressions, _ORDER, DUCKDB)
            if not self._is_empty:
                self.store.run(delete_matching(self.name, keys, source, DUCKDB))
            self._insert(source)
        finally:
            self.store.hide(_INCOMING)

    def delete_where(self, condition: str, parameters: Sequence[Any] = ()) -> None:
        """The rows for which `condition` holds are gone."""
        self.store.run(f"DELETE FROM {self.name} WHERE {condition}", parameters)  # noqa: S608

    def mark_deleted(self, column: str, condition: str, parameters: Sequence[Any] = ()) -> None:
        """`column` says now in the rows for which `condition` holds."""
        self.store.run(f"UPDATE {self.name} SET {column} = now() WHERE {condition}", parameters)  # noqa: S608

    def _insert(self, source: str) -> None:
        columns = [(self._names[column.name], _expression(place, column)) for place, column in enumerate(self._columns)]
        self.store.run(insert_from(self.name, columns, source, DUCKDB))
        self._is_empty = False

    def _key_expressions(self) -> list[tuple[str, str]]:
        places = {column.name: place for place, column in enumerate(self._columns)}
        return [(self._names[key], _expression(places[key], self._columns[places[key]])) for key in self._keys]

    def _repeats_a_key(self, expressions: Sequence[str]) -> bool:
        key = expressions[0] if len(expressions) == 1 else f"({', '.join(expressions)})"
        (repeats,) = self.store.run(f"SELECT count(DISTINCT {key}) < count(*) FROM {_INCOMING}")[0]  # noqa: S608
        return bool(repeats)

    def _read(self, batch: Batch) -> Any:
        """The batch as an Arrow table; columns too narrow for it are widened first."""
        from singer_kit.batch.arrow import (  # noqa: PLC0415 - pyarrow's door, heavy
            ArrowReader,
            MisfitError,
            bytes_in_long_texts,
            take_memory_from_system,
        )

        while True:
            if self._reader is None:
                take_memory_from_system()
                self._reader = ArrowReader(
                    self._columns, () if batch.stamp is None else missing_properties(batch.schema)
                )
            try:
                incoming = self._reader.read(batch)
            except MisfitError as misfit:
                self._reader = None
                self._columns = [
                    self._made_room(column, misfit.needed[column.name]) if column.name in misfit.needed else column
                    for column in self._columns
                ]
            else:
                self._announce(incoming.num_rows, bytes_in_long_texts(incoming))
                return incoming

    def _announce(self, rows: int, long_bytes: int) -> None:
        """The store knows how much long text there is in a row group of this table."""
        self._rows_read += rows
        self._long_bytes_read += long_bytes
        rows_in_group = min(_GROUP_ROWS, self._rows_read + self._rows_before)
        self.store.expect(columns=self._width, long_bytes=self._long_bytes_read * rows_in_group // self._rows_read)

    def _made_room(self, column: Column, needed: DigitsNeeded | None) -> Column:
        stored = self._stored_integer_digits(column) if column.type.kind == "decimal" else 0
        return self._changed(column, column.type, widened(column.type, needed, stored, DUCKDB.limits))

    def _stored_integer_digits(self, column: Column) -> int:
        name = DUCKDB.quoted(self._names[column.name])
        (most,) = self.store.run(f"SELECT max(abs(trunc({name}))) FROM {self.name}")[0]  # noqa: S608
        return len(str(int(most))) if most else 0

    def _changed(self, column: Column, old: ColumnType, new: ColumnType) -> Column:
        name = self._names[column.name]
        with self.store.all_memory():
            self.store.run(change_type(self.name, name, old, new, DUCKDB))
        logger.info("table %s: column %s widened from %s to %s", self.name, name, old, new)
        return Column(column.name, new, column.arrives)

    def _evolved(self, column: Column, existing: dict[str, tuple[str, ColumnType]]) -> Column:
        name = self._names[column.name]
        if name not in existing:
            self.store.run(add_column(self.name, name, column.type, DUCKDB))
            logger.info("table %s: column %s added, %s", self.name, name, column.type)
            return column
        spelled, held = existing[name]
        target = accommodating(held, column.type, DUCKDB.limits)
        if DUCKDB.type_name(target) != spelled:
            return self._changed(column, held, target)
        return Column(column.name, target, column.arrives)

    def _create(self) -> None:
        if not self._columns:
            raise DestinationError(
                f"stream {self.stream!r}: its schema has no properties, so its table would have no columns.",
                next_step="set add_record_metadata to true, or leave the stream out.",
            )
        self.store.run(
            create_table(self.name, [(self._names[column.name], column.type) for column in self._columns], DUCKDB)
        )
        logger.info("table %s: created with %d columns", self.name, len(self._columns))

    def _found(self) -> tuple[str, dict[str, Any]]:
        """The name of the stream's table, which may not exist yet, and what its comment says."""
        tables = dict(
            self.store.run(
                "SELECT table_name, comment FROM duckdb_tables() "
                "WHERE database_name = current_database() AND schema_name = ?",
                [self.store.schema],
            )
        )
        comments = {name: _comment(text) for name, text in tables.items()}
        for name, comment in comments.items():
            if comment.get("singer_stream") == self.stream:
                return name, comment
        name = fitted(self.stream, DUCKDB)
        folded = {table.lower() for table in tables} | {STATE_TABLE}
        if name.lower() not in folded or (name in tables and not comments[name] and name != STATE_TABLE):
            return name, {}
        return told_apart(name, self.stream, DUCKDB), {}

    def _reflected(self, table: str) -> dict[str, tuple[str, ColumnType]]:
        rows = self.store.run(
            "SELECT column_name, data_type FROM duckdb_columns() "
            "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index",
            [self.store.schema, table],
        )
        return {name: (spelled, _column_type(spelled)) for name, spelled in rows}

    def _check_key(self, comment: dict[str, Any]) -> None:
        held = comment.get("key_properties")
        if held is not None and tuple(held) != self._keys:
            raise DestinationError(
                f"stream {self.stream!r}: its key is {_listed(self._keys)}, but its table was written with "
                f"{_listed(held)}.",
                place=f"table: {self.name} in {self.store.path}",
                next_step="load it into another default_target_schema, or rename or drop the table first.",
            )

    def _note_key(self) -> None:
        comment = encode({"singer_stream": self.stream, "key_properties": list(self._keys)}).decode()
        self.store.run(comment_on_table(self.name, comment, DUCKDB))


def _expression(place: int, column: Column) -> str:
    # What travels in Arrow as text is cast here, so that keys are compared as what they are.
    if column.type.kind in {"hugeint", "uuid"}:
        return f"CAST(c{place} AS {DUCKDB.type_name(column.type)})"
    return f"c{place}"


def _in_order(incoming: Any) -> Any:
    from singer_kit.batch.arrow import with_row_order  # noqa: PLC0415 - pyarrow's door, heavy

    return with_row_order(incoming, _ORDER)


def _column_type(spelled: str) -> ColumnType:
    decimal = _DECIMAL.fullmatch(spelled)
    if decimal:
        return kinds.decimal(int(decimal[1]), int(decimal[2]))
    return _KINDS.get(spelled, kinds.TEXT)


def _comment(text: str | None) -> dict[str, Any]:
    try:
        comment = decode(text or "")
    except DecodeError:
        return {}
    return comment if isinstance(comment, dict) and "singer_stream" in comment else {}


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(map(repr, keys)) or "none"
