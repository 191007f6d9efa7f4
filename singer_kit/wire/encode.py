"""Messages to the wire: strict lines, collected so that a page of records costs one write.

It writes what it is given in the order it is given; when a STATE is due is decided elsewhere.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from singer_kit.codec import JSON
from singer_kit.spec.messages import (
    ActivateVersionMessage,
    BatchEncoding,
    BatchMessage,
    Message,
    SchemaMessage,
    StateMessage,
    encode_message,
)

__all__ = ["MessageWriter", "Output"]

_ENOUGH_BYTES: Final = 1 << 16


class Output(Protocol):
    """Where bytes go. `write` takes all of them or raises."""

    def write(self, data: bytes, /) -> Any:
        """All of `data` is taken on return."""

    def flush(self) -> Any:
        """All that was taken is with the reader's system on return."""


class MessageWriter:
    """Writes messages to `output`. Lines leave whole, in order, at the latest with the next STATE or `flush`.

    `record_bytes` and `state_bytes` count what was written of each kind.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self.record_bytes = 0
        self.record_count = 0
        self.state_bytes = 0

    def schema(
        self,
        stream: str,
        schema: dict[str, Any],
        key_properties: Sequence[str],
        bookmark_properties: Sequence[str] = (),
    ) -> None:
        """The schema that governs the records of `stream` from here on. Raises `ProtocolError` if unfit."""
        self._message(SchemaMessage(stream, schema, tuple(key_properties), tuple(bookmark_properties)))

    def records(self, lines: bytes, count: int) -> None:
        """RECORD messages as lines, made by the stream's encoder; nothing of them is looked at here."""
        self.record_bytes += len(lines)
        self.record_count += count
        self._put(lines)

    def state(self, value: JSON) -> None:
        """A STATE, and everything before it, is with the reader's system on return."""
        line = encode_message(StateMessage(value))
        self.state_bytes += len(line)
        self._put(line)
        self.flush()

    def activate_version(self, stream: str, version: int) -> None:
        """Rows of `stream` with an older version are gone from the source."""
        self._message(ActivateVersionMessage(stream, version))

    def batch(
        self,
        stream: str,
        encoding: BatchEncoding,
        manifest: Sequence[str],
        *,
        count: int,
        nbytes: int,
        version: int | None = None,
    ) -> None:
        """Files of records; their rows and bytes count as records written."""
        self.record_bytes += nbytes
        self.record_count += count
        self._message(BatchMessage(stream, encoding, tuple(manifest), version))

    def flush(self) -> None:
        """Nothing waits here on return."""
        self._send()
        self._output.flush()

    def _message(self, message: Message) -> None:
        self._put(encode_message(message))

    def _put(self, lines: bytes) -> None:
        if not lines:
            return
        self._waiting.append(lines)
        self._waiting_bytes += len(lines)
        if self._waiting_bytes >= _ENOUGH_BYTES:
            self._send()

    def _send(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if waiting:
            self._output.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))
