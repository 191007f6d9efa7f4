"""`Sink`: where one stream lands. It must not know messages, states or other streams."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from singer_kit.batch.batch import Batch
    from singer_kit.target.target import Target

__all__ = ["Sink"]


class Sink:
    """Where the rows of one stream and one schema land. Subclass it and write `write` and `commit`.

    Call order: `open`, then any number of [`write` once or more, `commit`], with `activate_version` after a
    commit, then `close`. When schema or key of the stream change, this sink writes, commits and closes before
    the next one opens. Never called from two threads at once. In a transactional target `commit` is never
    called: the target's is.

    `config` (read-only settings), `stream`, `schema` (with metadata columns, if they are asked for),
    `key_properties`, `load_method` and `safe_name` (fit for a file or folder) are there before `open`.
    """

    load_methods: ClassVar[Sequence[str]] = ("append",)
    """Out of `append`, `upsert`, `overwrite`; the first is the default, a request for another is refused."""

    def __init__(self, target: "Target", stream: str, schema: dict[str, Any], key_properties: Sequence[str]) -> None:
        self.target = target
        self.stream = stream
        self.schema = schema
        self.key_properties = tuple(key_properties)
        self.config: Mapping[str, Any] = target.config
        self.load_method = target.load_method(type(self))
        self.safe_name = target.safe_name(stream)
        self.logger = logging.getLogger(target.name)

    def open(self) -> None:
        """The destination of this stream is there and takes rows, even if none come."""

    def write(self, batch: "Batch") -> None:
        """Takes the rows of `batch`, in order; may buffer them. `batch` is not to be kept."""
        raise NotImplementedError(f"{type(self).__name__} has no write(batch)")

    def commit(self) -> None:
        """On return all that was written is durable.

        Called after one or more `write`s and before any STATE that covers them is released; if it raises, no
        such STATE is released and the run ends with exit code 4.
        """

    def close(self) -> None:
        """Lets go of what `open` took. Called once if `open` returned, also after an error."""

    def activate_version(self, version: int) -> None:
        """Rows of another version than `version` are no longer in the source: remove or mark them.

        Called after everything of this stream was committed, in a transactional target written. A sink that
        does not override this has the message passed over, with one warning.
        """
