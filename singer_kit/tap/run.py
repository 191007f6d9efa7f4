"""What one stream gathers while it is read: its number of records, its cursors, whether all of it came.

It must not read or write; the loop is in `read`.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from singer_kit.codec import JSON
from singer_kit.errors import SourceRecordError
from singer_kit.schema.shape_plain import PlainError, plain
from singer_kit.spec.partition import Partition
from singer_kit.spec.state import Bookmarks
from singer_kit.tap.bounds import Bounds, kind_of
from singer_kit.tap.cursor import Cursor
from singer_kit.tap.discovery import StreamPlan
from singer_kit.tap.outlet import Outlet
from singer_kit.tap.stream import Stream
from singer_kit.telemetry import Counter

__all__ = ["StreamRun"]


class StreamRun:
    """One stream in one run."""

    def __init__(
        self,
        plan: StreamPlan,
        outlet: Outlet,
        config: Mapping[str, Any],
        bookmarks: Bookmarks,
        *,
        now: datetime,
        clock: Callable[[], float],
        ignores_bookmark: bool,
    ) -> None:
        self.plan = plan
        self.outlet = outlet
        self.counter = Counter(stream=plan.name, clock=clock)
        self.records = 0
        self.is_whole = True
        self.has_refused = False
        self._bookmarks = bookmarks
        self._ignores_bookmark = ignores_bookmark
        self._told_of_key = False
        self._shared: dict[bytes, tuple[Partition, Cursor]] = {}
        self._posts = type(plan.stream).post_process is not Stream.post_process
        self._properties = plan.schema["properties"]
        self._bounds: Bounds | None = None
        if plan.replication_key is not None:
            kind = kind_of(plan.schema, plan.replication_key)
            self._bounds = Bounds(plan.tap_stream_id, kind, config, lookback=plan.stream.lookback, now=now)

    @property
    def reads_everything(self) -> bool:
        """True when no bookmark and no start date holds rows back, so that its children are complete too."""
        return self._bounds is None or (self._ignores_bookmark and self._bounds.start(None) is None)

    def partitions(self, context: Mapping[str, JSON] | None) -> Iterator[Partition]:
        """The partitions to read, in the stream's order, each once; within a parent's `context` if there is one."""
        stream = self.plan.stream
        own = stream.partitions() if callable(stream.partitions) else stream.partitions
        seen: set[Partition] = set()
        for values in [None] if own is None else own:
            part = self._partition({**(context or {}), **(values or {})})
            if part not in seen:
                seen.add(part)
                yield part

    def contexts(self, record: dict[str, Any], part: Partition) -> Iterator[Mapping[str, JSON]]:
        """The partitions that a record gives to its child streams."""
        given = self.plan.stream.get_child_context(record, part)
        if given is None:
            return
        yield from [given] if isinstance(given, Mapping) else given

    def _partition(self, values: Mapping[str, Any]) -> Partition:
        try:
            return Partition(plain({}, values))
        except (PlainError, TypeError, ValueError) as error:
            raise SourceRecordError(
                f"stream {self.plan.tap_stream_id!r}: a partition holds what JSON cannot say: it {error}.",
                next_step="give partitions text, numbers, dates or aware datetimes.",
            ) from error

    def begin(self, part: Partition) -> tuple[Partition, Partition, Cursor | None]:
        """`part` with its bookmark and end, the partition that state knows it by, and the cursor that follows it."""
        if self._bounds is None:
            return part, part, None
        stream = self.plan.stream
        keys = stream.state_partitioning_keys
        at = part if keys is None else Partition({name: part[name] for name in keys if name in part})
        is_shared = at != part
        saved = self._saved(at)
        begun = part.with_bookmark(self._bounds.start(None if self._ignores_bookmark else saved), self._bounds.end)
        if is_shared and at.key() in self._shared:
            return begun, at, self._shared[at.key()][1]
        assert self.plan.replication_key is not None  # noqa: S101 - bounds are made for it
        cursor = Cursor(
            self.plan.tap_stream_id,
            self.plan.replication_key,
            is_sorted=stream.is_sorted and not is_shared,
            start=None if stream.bookmark_is_a_mark else self._bounds.comparable(saved),
            ceiling=None if stream.bookmark_is_a_mark else self._bounds.ceiling,
        )
        if is_shared:
            self._shared[at.key()] = (at, cursor)
        return begun, at, cursor

    def _saved(self, at: Partition) -> JSON:
        found = self._bookmarks.get(self.plan.tap_stream_id, at)
        key = self.plan.replication_key
        if found is None or key is None:
            return None
        if found.key in (None, key) and found.value is not None:
            return found.value
        if found.key is None or found.value is None:
            return found.extra.get(key)  # as taps without an SDK write it: {"updated_at": "..."}
        if not self._told_of_key:
            self._told_of_key = True
            self.plan.stream.logger.warning(
                "stream %r: its bookmark is one of %r, not of %r; it is read from the beginning",
                self.plan.tap_stream_id,
                found.key,
                key,
            )
        return None

    def save(self, at: Partition, cursor: Cursor) -> None:
        """The bookmark of `at` is where its cursor is."""
        if cursor.value is not None:
            self._bookmarks.put(self.plan.tap_stream_id, at, self.plan.replication_key, cursor.value)

    def is_shared(self, at: Partition) -> bool:
        """True when several partitions are known by `at`, so that it can be saved only after the last of them."""
        return at.key() in self._shared

    def end(self) -> None:
        """The bookmarks that several partitions share are saved, if all of them were read."""
        for at, cursor in self._shared.values():
            if self.is_whole:
                self.save(at, cursor)
        self._shared.clear()

    def prepared(self, page: list[Any], part: Partition) -> list[Any]:
        """The rows of a page as they shall go out: with the partition's values, and through `post_process`."""
        fill = {name: part[name] for name in part if name in self._properties}
        if fill:
            page = [{**fill, **row} if isinstance(row, Mapping) else row for row in page]
        if not self._posts:
            return page
        post = self.plan.stream.post_process
        return [made for row in page if (made := post(row, part)) is not None]
