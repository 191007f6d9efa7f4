"""The one door to DuckDB: a connection, its transaction, its errors, and the states kept beside the data."""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from singer_kit.errors import DestinationError, DestinationUnavailableError, StateError
from singer_kit.failpoint import failpoint
from singer_kit.sql.ddl import create_schema, qualified
from singer_kit.sql.dialect import DUCKDB

__all__ = ["STATE_TABLE", "DuckDBStore"]

logger = logging.getLogger("singer_kit.target.duckdb")

STATE_TABLE: Final = "_singer_kit_state"
_IN_MEMORY: Final = ":memory:"
_LEAST_MEGABYTES: Final = 20
_PATIENCE_SECONDS: Final = 3.0
"""How long another process may hold the file: one that was killed needs a moment to let go."""


class DuckDBStore:
    """One connection to one database file.

    `begin` starts the transaction that everything up to `commit` or `rollback` belongs to. Any failure of DuckDB is a
    `DestinationError`, or a `DestinationUnavailableError` when another process holds the file.
    """

    def __init__(self, path: str, schema: str, *, memory_limit: str | None = None, threads: int = 1) -> None:
        """Connects. Without a `memory_limit`, `expect` sets it."""
        self.path = path
        self.schema = schema
        self._states = qualified(schema, STATE_TABLE, DUCKDB)
        self._duckdb = _duckdb()
        options: dict[str, Any] = {"threads": threads, "autoinstall_known_extensions": False}
        if memory_limit is not None:
            options["memory_limit"] = memory_limit
        self._connection = self._connected(options)
        self._has_given_limit = memory_limit is not None
        self._megabytes = 0
        # A bar would be drawn on the standard output, which is for states.
        self.run("SET enable_progress_bar = false")

    def expect(self, *, columns: int, long_bytes: int = 0) -> None:
        """DuckDB has the memory to write a table of `columns` whose row groups hold `long_bytes` of long texts.

        Nothing happens when the settings limit it. DuckDB fills with old pages whatever it may have, so without a
        limit a run would grow with its data. What it needs was measured: buffers for each column of the table that it
        is writing, 0.3 to 0.7 MB where there are 400, and up to 1.6 times the long texts of a row group, which stay in
        memory whole. Tables are written one after the other.
        """
        megabytes = max(self._megabytes, _LEAST_MEGABYTES + columns + (2 * long_bytes >> 20))
        if megabytes > self._megabytes and not self._has_given_limit:
            self._megabytes = megabytes
            self._limit_memory()

    def _limit_memory(self) -> None:
        self.run(f"SET memory_limit = '{self._megabytes}MB'")

    @contextlib.contextmanager
    def all_memory(self) -> Iterator[None]:
        """Inside, DuckDB may use what it takes by default: a whole column is being rewritten."""
        if self._has_given_limit:
            yield
            return
        self.run("RESET memory_limit")
        yield
        self._limit_memory()

    def begin(self) -> None:
        """A transaction is open, and the schema exists in it."""
        self.run("BEGIN TRANSACTION")
        self.run(create_schema(self.schema, DUCKDB))

    def commit(self) -> None:
        """All that was written since `begin` is on disk."""
        self.run("COMMIT")

    def rollback(self) -> None:
        """Nothing that was written since `begin` is left; without a transaction, nothing happens."""
        try:
            self._connection.rollback()
        except self._duckdb.Error as error:
            logger.debug("no transaction to roll back: %s", error)

    def close(self) -> None:
        """The file is free for others."""
        try:
            self._connection.close()
        except self._duckdb.Error as error:
            raise self._explained(error) from error

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that `sql` gives, all at once."""
        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(sql, list(parameters)).fetchall()
        except self._duckdb.Error as error:
            raise self._explained(error) from error
        return rows

    def show(self, name: str, table: Any) -> None:
        """An Arrow table can be read in SQL under `name`, until `hide`."""
        self._connection.register(name, table)

    def hide(self, name: str) -> None:
        """The memory of what `show` showed is free again."""
        with contextlib.suppress(self._duckdb.Error):  # after a failure, DuckDB refuses this too
            self._connection.unregister(name)

    def save_state(self, pipeline: str, run: int, state: str) -> None:
        """`state` (JSON text) is kept for `pipeline` in the open transaction.

        Raises `StateError` when a later run of the pipeline has saved one: whoever comes late must not take it back.
        """
        self.run(
            f"CREATE TABLE IF NOT EXISTS {self._states} "
            "(pipeline VARCHAR, run BIGINT, state VARCHAR, saved_at TIMESTAMP WITH TIME ZONE)"
        )
        held = self.run(f"SELECT max(run) FROM {self._states} WHERE pipeline = ?", [pipeline])  # noqa: S608
        if held and held[0][0] is not None and held[0][0] > run:
            raise StateError(
                f"Run {run} of pipeline {pipeline!r} is older than run {held[0][0]}, which has saved its state.",
                place=f"table: {STATE_TABLE} in {self.path}",
                next_step="let the later run finish; nothing of this batch was kept.",
            )
        failpoint("before_save_state")
        self.run(f"DELETE FROM {self._states} WHERE pipeline = ?", [pipeline])  # noqa: S608
        self.run(f"INSERT INTO {self._states} VALUES (?, ?, ?, now())", [pipeline, run, state])  # noqa: S608
        failpoint("after_save_state")

    def saved_state(self, pipeline: str) -> tuple[int, str] | None:
        """The run that saved last and its state's JSON text."""
        found = self.run(
            "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() "
            "AND schema_name = ? AND table_name = ?",
            [self.schema, STATE_TABLE],
        )
        if not found[0][0]:
            return None
        rows = self.run(
            f"SELECT run, state FROM {self._states} WHERE pipeline = ? ORDER BY run DESC LIMIT 1",  # noqa: S608
            [pipeline],
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def _connected(self, options: dict[str, Any]) -> Any:
        if self.path != _IN_MEMORY and not self.path.startswith("md:"):
            try:
                Path(self.path).expanduser().parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DestinationError(
                    f"The folder of the database cannot be made: {error.strerror or error}.",
                    place=f"path: {self.path}",
                    next_step="give a path that can be written.",
                ) from error
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self._duckdb.connect(self.path, config=options)
            except self._duckdb.Error as error:
                if "lock" not in str(error).lower() or time.monotonic() >= until:
                    raise self._cannot_open(error) from error
                time.sleep(0.05)

    def _cannot_open(self, error: Exception) -> DestinationError:
        if "lock" in str(error).lower():
            return DestinationUnavailableError(
                "The database file is in use by another process.",
                place=f"path: {self.path}",
                next_step="close the program that has it open; DuckDB lets one process write at a time.",
            )
        return DestinationError(
            f"The database cannot be opened: {_first_line(error)}",
            place=f"path: {self.path}",
            next_step="give the path of a DuckDB file, or of a new file in a folder that can be written.",
        )

    def _explained(self, error: Exception) -> DestinationError:
        if isinstance(error, self._duckdb.OutOfMemoryException):
            return DestinationError(
                f"DuckDB needs more memory than it may use: {_first_line(error)}",
                place=f"path: {self.path}",
                next_step="raise the setting memory_limit, or lower batch_size_rows.",
            )
        return DestinationError(f"DuckDB refused: {_first_line(error)}", place=f"path: {self.path}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _duckdb() -> Any:
    try:
        import duckdb  # noqa: PLC0415 - this is its door, and it is heavy
    except ImportError as error:
        raise DestinationError(
            "The packages duckdb and pyarrow are not installed.",
            next_step="pip install 'singer-kit[duckdb]'",
        ) from error
    return duckdb
