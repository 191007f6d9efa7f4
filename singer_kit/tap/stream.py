"""`Stream`: what an author says about one stream, and how its rows are got.

It must not keep anything of a run: bookmarks come in with the partition, and nothing is written to a stream after
`__init__`.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from singer_kit.codec import JSON
from singer_kit.errors import SingerKitError, SourceRecordError
from singer_kit.spec.partition import Partition
from singer_kit.tap.cursor import bookmark_text

if TYPE_CHECKING:
    from singer_kit.tap.tap import Tap

__all__ = ["Stream"]


class Stream:
    """A stream of a tap. Subclass it, name it, declare its schema and write `get_records`.

    Every attribute may be a property. Call order for each partition: `get_records`, for each row `post_process` when
    it is overridden, for each row and child stream `get_child_context`; `close` once, at the end of the run.
    """

    name: str = ""
    schema: Any = None
    """`th.PropertiesList`, a typed class, a JSON Schema, or the path of a schema file."""
    primary_keys: Sequence[str] = ()
    replication_key: str | None = None
    """The property that grows with every change; with it the stream is read incrementally."""
    is_sorted: bool = False
    """True when rows come in the order of the replication key: a run that ends early goes on where it was."""
    partitions: Any = None
    """The parts to read one by one, as dicts; a list, a property, or a method. None for the stream as a whole."""
    parent_stream_type: "type[Stream] | None" = None
    """The stream for each row of which this one is read once."""
    child_keys: Sequence[str] | Mapping[str, str] = ()
    """The properties of a row that its child streams get as their partition; a mapping renames them."""
    bookmark_is_a_mark: bool = False
    """True when the replication key tells versions apart and their order says nothing, as a file's time does: the
    bookmark is then what this run read, be it earlier than the one before it or in the future."""
    ignore_parent_replication_key: bool = False
    """True to read the parent from its beginning in every run, whatever its bookmark."""
    state_partitioning_keys: Sequence[str] | None = None
    """The partition's names under which a bookmark is kept: all of them when None, one for the stream when empty."""
    selected_by_default: bool = True
    lookback: str | int | None = None
    """How far before its bookmark a read begins: a duration such as `P1D`, a number for numeric keys."""
    on_failure: Literal["abort", "continue"] = "abort"
    """Whether the run ends when a partition fails, or goes on with the next and fails at its end."""

    def __init__(self, tap: "Tap", *, name: str | None = None, schema: Any = None) -> None:
        """`name` and `schema` stand for the class's own; several streams may so share a class."""
        self.tap = tap
        self.config = tap.config
        if name is not None:
            self.name = name
        if schema is not None:
            self.schema = schema
        self.logger = logging.getLogger(f"{tap.name}.{self.name}" if self.name else tap.name)

    @property
    def replication_method(self) -> str:
        """INCREMENTAL with a replication key, else FULL_TABLE."""
        return "INCREMENTAL" if self.replication_key else "FULL_TABLE"

    def get_records(self, part: Partition) -> Iterable[Any]:  # noqa: ARG002 - for those who write it
        """The rows of one partition: dicts, lists of dicts, or Arrow record batches, in any mixture.

        `part` holds the partition's values; `part.bookmark` is where to begin (None: at the beginning), `part.end`
        where to stop. Rows at the bookmark itself are read again: a row may have come at the same instant.
        """
        raise SingerKitError(
            f"stream {self.name!r}: {type(self).__name__} has no get_records.",
            next_step="write get_records(self, part), which yields dicts or lists of them, or subclass RESTStream.",
        )

    def post_process(self, row: dict[str, Any], part: Partition) -> dict[str, Any] | None:  # noqa: ARG002
        """The row as it shall go out, or None to leave it out. Called for each row when overridden."""
        return row

    def get_child_context(self, record: dict[str, Any], part: Partition) -> Any:  # noqa: ARG002
        """The partition of this record's children, None when it has none; several as a list.

        By default the properties that `child_keys` names, else those of the primary key.
        """
        keys = self.child_keys or self.primary_keys
        renamed = keys if isinstance(keys, Mapping) else {key: key for key in keys}
        try:
            return {name: record[key] for key, name in renamed.items()}
        except KeyError as error:
            raise SourceRecordError(
                f"stream {self.name!r}: a record lacks {error.args[0]!r}, which its child streams need.",
                next_step="correct child_keys, or override get_child_context.",
            ) from None

    def close(self) -> None:
        """Lets go of connections. Called once, also after an error."""

    # Words of the Meltano SDK, so that code which uses them goes on working.

    def get_starting_replication_key_value(self, part: Partition) -> JSON:
        """`part.bookmark` as state holds it: instants as RFC 3339 text."""
        return bookmark_text(part.bookmark)

    def get_starting_timestamp(self, part: Partition) -> datetime | None:
        """`part.bookmark` when it is an instant, else None."""
        return part.bookmark if isinstance(part.bookmark, datetime) else None
