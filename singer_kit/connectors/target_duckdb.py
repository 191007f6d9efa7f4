"""target-duckdb: the streams of a tap as typed tables of a DuckDB file, each row exactly once."""

from collections.abc import Mapping
from typing import Any

from singer_kit import Batch, SavedState, Sink, Target
from singer_kit import typing as th
from singer_kit.codec import JSON, decode, encode
from singer_kit.connectors.target_duckdb_store import DuckDBStore
from singer_kit.connectors.target_duckdb_table import DuckDBTable
from singer_kit.errors import SettingsError
from singer_kit.schema.columns import columns_of, number_type

__all__ = ["DuckDBSink", "TargetDuckDB", "main"]

_DELETED_AT = "_sdc_deleted_at"
_VERSION = "_sdc_table_version"


class DuckDBSink(Sink):
    """One stream's table. With a key its rows are upserted, the last one of a key stands; without, appended."""

    load_methods = ("upsert", "append")
    target: "TargetDuckDB"

    def open(self) -> None:
        """The table exists and has a column for every property; what the schema changed is changed in it."""
        columns = columns_of(self.schema, number=number_type(as_double=self.config["number_type"] == "double"))
        self.table = DuckDBTable(self.target.store, self.stream, columns, self.key_properties)
        self._is_upsert = bool(self.key_properties) and self.load_method == "upsert"
        self._is_deleting = bool(self.config["hard_delete"]) and self.table.column(_DELETED_AT) is not None

    def write(self, batch: Batch) -> None:
        """The rows are in the table; nothing is buffered."""
        if self._is_upsert:
            self.table.upsert(batch)
        else:
            self.table.append(batch)
        if self._is_deleting and _DELETED_AT in batch.schema.get("properties", {}):
            self.table.delete_where(f"{self.table.column(_DELETED_AT)} IS NOT NULL")

    def activate_version(self, version: int) -> None:
        """Rows of an earlier version, or of none, are marked in `_sdc_deleted_at`, or gone with `hard_delete`.

        Rows of a later version are left alone, so that a message that comes early harms nothing.
        """
        version_column, deleted_at = self.table.column(_VERSION), self.table.column(_DELETED_AT)
        if version_column is None or deleted_at is None:
            self.logger.warning(
                "stream %r: versions are not followed, because add_record_metadata is off.", self.stream
            )
            return
        is_earlier = f"({version_column} IS NULL OR {version_column} < ?)"
        if self.config["hard_delete"]:
            self.table.delete_where(is_earlier, [version])
        else:
            self.table.mark_deleted(deleted_at, f"{is_earlier} AND {deleted_at} IS NULL", [version])


class TargetDuckDB(Target):
    """Loads streams into typed tables of a DuckDB file: upserts by key, schema evolution, exactly once."""

    name = "target-duckdb"
    transactional = True
    sink_class = DuckDBSink
    config_jsonschema = th.PropertiesList(
        th.Property(
            "path", th.StringType, description="The DuckDB file; made if it is not there. `:memory:` keeps nothing."
        ),
        th.Property("filepath", th.StringType, description="Another name for `path`."),
        th.Property("default_target_schema", th.StringType, default="main", description="The schema of all tables."),
        th.Property(
            "hard_delete",
            th.BooleanType,
            default=False,
            description="Delete the rows that the source deleted instead of marking them in `_sdc_deleted_at`.",
        ),
        th.Property(
            "number_type",
            th.StringType(allowed_values=["exact", "double"]),
            default="exact",
            description="JSON numbers as DECIMAL, or text where it is too small, or as DOUBLE, which rounds.",
        ),
        th.Property(
            "add_record_metadata",
            th.BooleanType,
            default=True,
            description="Add the `_sdc_*` columns: when a row was extracted, received, written, and so on.",
        ),
        th.Property("add_metadata_columns", th.BooleanType, description="Another name for `add_record_metadata`."),
        th.Property(
            "memory_limit",
            th.StringType,
            description="How much memory DuckDB may use, such as `1GB`; what its tables need when not given.",
        ),
        th.Property(
            "transaction_size_bytes",
            th.IntegerType(minimum=0),
            default=48 * 1024 * 1024,
            description="A transaction ends at the first STATE after so much input, or when batch_wait_limit_seconds "
            "are over. DuckDB writes whole row groups of 122,880 rows best.",
        ),
        th.Property("threads", th.IntegerType(minimum=1), default=1, description="How many threads DuckDB may use."),
    )

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(_without_aliases(config))
        if not self.config.get("path"):
            raise SettingsError(
                f"{self.name} needs a path.", place="setting: path", next_step="give the path of a DuckDB file."
            )
        self.transaction_bytes = self.config["transaction_size_bytes"]

    def open(self) -> None:
        """The file is open, and nobody else writes it."""
        self.store = DuckDBStore(
            self.config["path"],
            self.config["default_target_schema"],
            memory_limit=self.config.get("memory_limit"),
            threads=self.config["threads"],
        )

    def begin(self) -> None:
        """A transaction is open."""
        self.store.begin()

    def save_state(self, state: JSON, run: int) -> None:
        """The state stands beside the data, in their transaction; `StateError` if a later run has saved one."""
        if self.pipeline is not None:
            self.store.save_state(self.pipeline, run, encode(state).decode())

    def commit(self) -> None:
        """Rows and state are on disk, both or neither."""
        self.store.commit()

    def rollback(self) -> None:
        """Nothing since `begin` is left."""
        self.store.rollback()

    def saved_state(self) -> SavedState | None:
        """The state that the last run of this pipeline committed."""
        saved = None if self.pipeline is None else self.store.saved_state(self.pipeline)
        return None if saved is None else SavedState(saved[0], decode(saved[1]))

    def close(self) -> None:
        """The file is free for others."""
        if hasattr(self, "store"):
            self.store.close()


def _without_aliases(config: Mapping[str, Any]) -> Mapping[str, Any]:
    aliases = {"filepath": "path", "add_metadata_columns": "add_record_metadata"}
    given = {name: config[alias] for alias, name in aliases.items() if config.get(alias) is not None}
    return {**config, **given} if given else config


main = TargetDuckDB.cli
