"""One stream on its way from the wire to its sinks: rows gathered to a batch, mapped where the settings ask
for it.

This module must not know states or other streams, and decides nothing about when to write.
"""

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from singer_kit.batch.batch import Batch
from singer_kit.batch.metadata import Stamp, with_metadata
from singer_kit.batch.rows import Rows
from singer_kit.batch.transform import StreamMap, compile_maps
from singer_kit.codec import encode_lines
from singer_kit.errors import DestinationError
from singer_kit.failpoint import failpoint
from singer_kit.spec.messages import SchemaMessage
from singer_kit.target.sink import Sink
from singer_kit.telemetry import Counter

if TYPE_CHECKING:
    from singer_kit.target.target import Target

__all__ = ["Channel"]


class Channel:
    """What was said of one stream and not written yet, and the sinks that it goes to.

    Usually one sink; none when a map removes the stream, several when maps copy it. Call order: `open`, then
    `add` and `write`, with `commit` after a `write` in an independent target, then `close`.
    """

    def __init__(self, target: "Target", message: SchemaMessage) -> None:
        self.stream = message.stream
        self.rows = 0
        self.nbytes = 0
        self.since: float | None = None
        """When the first row that is not written came, by the monotonic clock."""
        self.version: int | None = None
        self._message = message
        self._target = target
        self._has_metadata = bool(target.config["add_record_metadata"])
        self._received_at = datetime.now(UTC)
        self._parts: list[Rows] = []
        self._next_sequence = 0
        maps = compile_maps(message.stream, message.schema, message.key_properties, target.config)
        self._outlets = [(each, self._sink(each)) for each in maps]
        self._opened: list[Sink] = []
        self._counter = Counter(stream=message.stream)

    def _sink(self, stream_map: StreamMap) -> Sink:
        schema = with_metadata(stream_map.schema) if self._has_metadata else stream_map.schema
        sink_class = self._target.get_sink_class(stream_map.stream)
        return sink_class(self._target, stream_map.stream, schema, stream_map.key_properties)

    def open(self) -> None:
        """The sinks take rows."""
        for _, sink in self._outlets:
            with self._blaming_destination():
                sink.open()
            self._opened.append(sink)

    def add(self, rows: Rows) -> None:
        """`rows` wait to be written."""
        if not self._parts:
            self.since = time.monotonic()
            self._received_at = datetime.now(UTC)
            self.version = rows.version
        self._parts.append(rows)
        self.rows += rows.count
        self.nbytes += len(rows.lines)

    def write(self) -> None:
        """Every sink has all the rows; nothing waits any more."""
        parts, self._parts = self._parts, []
        count, self.rows, self.nbytes = self.rows, 0, 0
        self.since = None
        if not parts:
            return
        failpoint("before_write")
        for stream_map, sink in self._outlets:
            batch = self._batch(stream_map, parts)
            if batch.count:
                with self._blaming_destination():
                    sink.write(batch)
        self._counter.add(count)
        failpoint("after_write")

    def _batch(self, stream_map: StreamMap, parts: list[Rows]) -> Batch:
        if not stream_map.is_identity:
            parts = [_mapped(stream_map, part) for part in parts]
        stamp = None
        if self._has_metadata:
            now = datetime.now(UTC)
            self._next_sequence = max(self._next_sequence, int(now.timestamp() * 1e6))
            stamp = Stamp.at(self._received_at, now, self._next_sequence)
            self._next_sequence += sum(part.count for part in parts)
        return Batch(
            stream_map.stream,
            stream_map.schema,
            stream_map.key_properties,
            parts,
            received_at=self._received_at,
            stamp=stamp,
        )

    def commit(self) -> None:
        """All that was written is durable."""
        for _, sink in self._outlets:
            with self._blaming_destination():
                sink.commit()

    def activate_version(self, version: int) -> bool:
        """Every sink that takes versions has been told; False when one does not."""
        is_taken = True
        for _, sink in self._outlets:
            if type(sink).activate_version is Sink.activate_version:
                is_taken = False
            else:
                with self._blaming_destination():
                    sink.activate_version(version)
        return is_taken

    def close(self) -> None:
        """The sinks that were opened have let go, all of them even when one fails."""
        opened, self._opened = self._opened, []
        with self._blaming_destination(), contextlib.ExitStack() as stack:
            stack.callback(self._counter.close)
            for sink in opened:
                stack.callback(sink.close)

    @contextlib.contextmanager
    def _blaming_destination(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DestinationError(
                f"stream {self.stream!r} could not be written: {error.strerror or error}.",
                place=f"file: {error.filename}" if error.filename else "",
                next_step="see that the destination is there, has room and takes this user's data.",
            ) from error


def _mapped(stream_map: StreamMap, part: Rows) -> Rows:
    """What the map makes of `part`, as lines again, so that a batch of dicts is never held."""
    rows = stream_map.apply(part.records(dict[str, Any]))
    times: str | list[str | None] | None = part.times() if part.enveloped else part.extracted_at
    if isinstance(times, list) and len(rows) != part.count:
        # A filter does not say which rows it left out; the page's last time is at most a page too late.
        times = next((time for time in reversed(times) if time is not None), None)
    return Rows(
        stream_map.stream,
        encode_lines(rows),
        len(rows),
        part.first_line,
        part.last_line,
        version=part.version,
        extracted_at=times,
    )
