"""Rows of one stream and one schema, held as raw lines or dicts; each view is made at most once.

This module must not judge records: what is in a batch has been validated, and holds declared properties only.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from singer_kit.batch.metadata import Stamp, metadata_columns
from singer_kit.batch.rows import Rows
from singer_kit.codec import define_struct, encode_lines

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Batch"]

_ROW = dict[str, Any]


@cache
def _key_type(names: tuple[str, ...]) -> Any:
    if any(char in '"\\' or char < " " for name in names for char in name):
        return _ROW  # what a struct's field cannot be called
    return define_struct(
        "Key",
        [(f"key_{place}", Any, None) for place in range(len(names))],
        rename={f"key_{place}": name for place, name in enumerate(names)},
        gc=False,
    )


class Batch:
    """What a sink writes at once: `count` rows of `stream`, valid by `schema`, in the order they came in.

    `rows()`, `jsonl()`, `arrow()` and `records(type)` are the same values in four shapes. `nbytes` counts the
    lines as they came, envelopes included. `first_line` and `last_line` are places in the input, else 0.
    """

    __slots__ = (
        "_arrow",
        "_jsonl",
        "_keys",
        "_metadata",
        "_rows",
        "count",
        "first_line",
        "key_properties",
        "last_line",
        "parts",
        "received_at",
        "schema",
        "stamp",
        "stream",
    )

    def __init__(
        self,
        stream: str,
        schema: dict[str, Any],
        key_properties: Sequence[str],
        parts: Iterable[Rows],
        *,
        received_at: datetime | None = None,
        stamp: Stamp | None = None,
    ) -> None:
        """A batch of `parts`; a `stamp` adds the metadata columns that `schema` does not declare."""
        self.stream = stream
        self.schema = schema
        self.key_properties = tuple(key_properties)
        self.parts = tuple(parts)
        self.count = sum(part.count for part in self.parts)
        self.first_line = self.parts[0].first_line if self.parts else 0
        self.last_line = self.parts[-1].last_line if self.parts else 0
        self.received_at = received_at or datetime.now(UTC)
        self.stamp = stamp
        self._rows: list[_ROW] | None = None
        self._jsonl: bytes | None = None
        self._keys: list[tuple[Any, ...]] | None = None
        self._metadata: dict[str, Any] | None = None
        self._arrow: Any = None

    @classmethod
    def from_rows(
        cls,
        stream: str,
        schema: dict[str, Any],
        key_properties: Sequence[str],
        rows: Iterable[_ROW],
        *,
        received_at: datetime | None = None,
        stamp: Stamp | None = None,
    ) -> "Batch":
        """A batch of rows that are dicts already, such as a tap in the same process or a stream map makes.

        Values are JSON's (numbers exact); instants and dates may be Python's, and leave as RFC 3339.
        """
        lines = encode_lines(rows)
        count = lines.count(b"\n")
        return cls(
            stream,
            schema,
            key_properties,
            [Rows(stream, lines, count, 0, 0)] if count else (),
            received_at=received_at,
            stamp=stamp,
        )

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"<Batch of {self.count} rows of {self.stream!r}, {self.nbytes} bytes>"

    @property
    def nbytes(self) -> int:
        """The size of the lines that it holds."""
        return sum(len(part.lines) for part in self.parts)

    def rows(self) -> list[_ROW]:
        """A dict a row: declared properties only, `Decimal` where a number has a point, text as it came.

        The list is the batch's own; a sink may change the rows, and then sees what it changed.
        """
        if self._rows is None:
            self._rows = self.records(_ROW)
            for name, column in self.metadata().items():
                if isinstance(column, list):
                    for row, value in zip(self._rows, column, strict=True):
                        row[name] = value
                else:
                    for row in self._rows:
                        row[name] = column
        return self._rows

    def jsonl(self) -> bytes:
        """One JSON object a line; the record's own bytes wherever nothing had to change."""
        if self._jsonl is None:
            lines = b"".join([part.jsonl() for part in self.parts])
            columns = self.metadata()
            self._jsonl = _spliced(lines, columns, self.count) if columns else lines
        return self._jsonl

    def arrow(self) -> "pa.Table":
        """The rows as an Arrow table, typed by the schema. Needs pyarrow (the extra `duckdb`)."""
        if self._arrow is None:
            from singer_kit.batch.arrow import table  # noqa: PLC0415 - pyarrow's door, heavy

            self._arrow = table(self)
        return self._arrow

    def keys(self) -> list[tuple[Any, ...]]:
        """The values of the key properties, a tuple a row; empty tuples for a stream without a key."""
        if self._keys is None:
            names = self.key_properties
            key_type = _key_type(names)
            if not names:
                self._keys = [()] * self.count
            elif key_type is _ROW:
                self._keys = [tuple([row.get(name) for name in names]) for row in self.records(_ROW)]
            else:
                fields = key_type.__struct_fields__
                self._keys = [tuple([getattr(key, field) for field in fields]) for key in self.records(key_type)]
        return self._keys

    def records(self, record_type: Any, *, exact: bool = True) -> list[Any]:
        """Every record decoded as `record_type`, without metadata columns; decodes again on each call.

        With `exact=False` numbers that `record_type` leaves open become floats.
        """
        if len(self.parts) == 1:
            return self.parts[0].records(record_type, exact=exact)
        records: list[Any] = []
        for part in self.parts:
            records += part.records(record_type, exact=exact)
        return records

    def versions(self) -> list[int | None]:
        """The `version` of each row's message."""
        versions: list[int | None] = []
        for part in self.parts:
            versions += [part.version] * part.count
        return versions

    def extracted_at(self) -> list[str | None]:
        """The `time_extracted` of each row's message."""
        return [time for part in self.parts for time in part.times()]

    def metadata(self) -> dict[str, Any]:
        """The `_sdc_*` columns of these rows: a scalar for all, or a list with a value a row."""
        if self._metadata is None:
            self._metadata = {}
            if self.stamp is not None:
                self._metadata = metadata_columns(
                    self.schema, self.stamp, extracted_at=self.extracted_at(), versions=self.versions()
                )
        return self._metadata


def _spliced(lines: bytes, columns: dict[str, Any], count: int) -> bytes:
    lists = {name: column if isinstance(column, list) else [column] * count for name, column in columns.items()}
    tails = encode_lines([dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)])
    return b"".join(
        [
            b"%b,%b" % (line[:-1], tail[1:]) if line != b"{}" else tail
            for line, tail in zip(lines.split(b"\n")[:-1], tails.splitlines(keepends=True), strict=True)
        ]
    )
