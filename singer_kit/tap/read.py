"""The loop: streams, partitions, pages, messages, and a STATE whenever one is safe and due.

A bookmark moves only after the rows it covers were written, and those of their children. This module must not look
at rows one by one, but to ask for their children.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_kit.cli.stop import Stop
from singer_kit.codec import JSON
from singer_kit.errors import (
    InterruptedRunError,
    ReaderGoneError,
    SingerKitError,
    SourceError,
    StateError,
    UsageError,
)
from singer_kit.failpoint import failpoint
from singer_kit.late import late
from singer_kit.schema.shape import Refusal
from singer_kit.spec.instants import format_instant
from singer_kit.spec.partition import Partition
from singer_kit.spec.state import Bookmarks
from singer_kit.tap.cursor import Cursor
from singer_kit.tap.discovery import StreamPlan
from singer_kit.tap.outlet import Outlet
from singer_kit.tap.pace import Pace
from singer_kit.tap.pages import Pages
from singer_kit.tap.run import StreamRun
from singer_kit.tap.schedule import Branch, schedule
from singer_kit.telemetry import current_stream
from singer_kit.wire.encode import MessageWriter, Output

if TYPE_CHECKING:
    from singer_kit.tap.refusals import DeadLetters

letters = late("singer_kit.tap.refusals")

__all__ = ["Reading"]

logger = logging.getLogger("singer_kit.tap")

_STATE_ENVELOPE_BYTES = 30


class Reading:
    """One run over the streams of a tap. `read` is called once.

    `limit` ends each stream after so many records, for a test of the connection.
    """

    def __init__(
        self,
        plans: list[StreamPlan],
        config: Mapping[str, Any],
        state: dict[str, Any] | None,
        output: Output,
        *,
        stop: Stop,
        limit: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.bookmarks = Bookmarks(state)
        self._branches = schedule(plans, first=(state or {}).get("currently_syncing"))
        self._config = config
        self._writer = MessageWriter(output)
        self._stop = stop
        self._limit = limit
        self._clock = clock
        self._now = now
        self._pace = Pace(clock())
        self._started = now()
        self._version = self._run_version()
        self._letters = self._dead_letters()
        self._runs: dict[str, StreamRun] = {}
        self._failures: list[tuple[str, Exception]] = []
        self._fatal: Exception | None = None

    def _run_version(self) -> int | None:
        return int(self._started.timestamp() * 1000) if self._config.get("emit_activate_version_messages") else None

    def _dead_letters(self) -> "DeadLetters | None":
        if self._config.get("on_bad_record") != "dead-letter":
            return None
        path = self._config.get("dead_letter_path") or "dead-letter.jsonl"
        made: DeadLetters = letters.DeadLetters(Path(path), int(self._config.get("dead_letter_limit", 1000)))
        return made

    def read(self) -> dict[str, Any]:
        """The final state, written last; when a run ends early its last safe state is written all the same."""
        try:
            for branch in self._branches:
                self._read_branch(branch)
            self.bookmarks.start(None)
        except ReaderGoneError:
            raise
        except BaseException:
            with contextlib.suppress(SingerKitError, OSError):
                self._write_state()
            raise
        finally:
            if self._letters is not None:
                self._letters.close()
        state = self._write_state()
        if self._failures:
            raise self._failed()
        return state

    def _read_branch(self, branch: Branch) -> None:
        self._say_what_is_read(branch.plan.tap_stream_id)
        self._runs = {each.plan.tap_stream_id: self._made_run(each) for each in branch.walk()}
        for each in branch.walk():
            self._runs[each.plan.tap_stream_id].outlet.open()
        try:
            self._read_stream(branch, None)
            for run in self._runs.values():
                run.end()
                run.outlet.flush()
            self._activate(branch, is_whole=True)
        finally:
            for run in self._runs.values():
                run.counter.close()
        self._write_state_if_due()
        self._runs = {}

    def _say_what_is_read(self, stream: str) -> None:
        """The next STATE names the stream; that alone is no reason to write one."""
        changed = self.bookmarks.changed
        self.bookmarks.start(stream)
        self.bookmarks.changed = changed

    def _made_run(self, branch: Branch) -> StreamRun:
        plan = branch.plan
        is_full = plan.replication_key is None and plan.stream.replication_method != "LOG_BASED"
        return StreamRun(
            plan,
            Outlet(plan, self._config, self._writer, version=self._version if is_full else None),
            self._config,
            self.bookmarks,
            now=self._started,
            clock=self._clock,
            ignores_bookmark=any(
                below.plan.stream.ignore_parent_replication_key and below.plan.is_selected
                for child in branch.children
                for below in child.walk()
            ),
        )

    def _read_stream(self, branch: Branch, context: Mapping[str, JSON] | None) -> bool:
        """Reads every partition of a stream within a parent's context; True when nothing was missed."""
        run = self._runs[branch.plan.tap_stream_id]
        token = current_stream.set(branch.plan.tap_stream_id)
        failures = len(self._failures)
        try:
            for part in self._partitions(run, context):
                if self._limit is not None and run.records >= self._limit:
                    break
                try:
                    self._read_partition(branch, run, part)
                except Exception as error:
                    if not self._goes_on(run, error):
                        raise
        finally:
            current_stream.reset(token)
        is_whole = len(self._failures) == failures
        run.is_whole = run.is_whole and is_whole
        return is_whole

    def _partitions(self, run: StreamRun, context: Mapping[str, JSON] | None) -> Iterator[Partition]:
        try:
            yield from run.partitions(context)
        except Exception as error:
            if not self._goes_on(run, error):
                raise

    def _goes_on(self, run: StreamRun, error: Exception) -> bool:
        """Takes note of a failure; True when the stream's policy is to go on with the next partition."""
        run.is_whole = False
        stream = run.plan.tap_stream_id
        if isinstance(error, (UsageError, StateError, InterruptedRunError, ReaderGoneError)) or error is self._fatal:
            return False
        if self._policy(run) != "continue":
            self._fatal = error
            if not isinstance(error, SingerKitError):
                error.add_note(f"while reading stream {stream!r}")
            return False
        self._failures.append((stream, error))
        logger.error(
            "stream %r failed, and the run goes on: %s",
            stream,
            error if isinstance(error, SingerKitError) else type(error).__name__,
        )
        return True

    def _policy(self, run: StreamRun) -> str:
        said = self._config.get("on_failure")
        if isinstance(said, Mapping):
            said = said.get(run.plan.tap_stream_id, said.get("*"))
        return str(said or run.plan.stream.on_failure)

    def _read_partition(self, branch: Branch, run: StreamRun, part: Partition) -> None:
        part, at, cursor = run.begin(part)
        pages = Pages(clock=self._clock, look=self._stop.check)
        is_whole = True
        for page in pages.of(run.plan.stream.get_records(part)):
            rows = run.prepared(page, part)
            if self._limit is not None:
                rows = rows[: self._limit - run.records]
            if rows:
                is_whole = self._read_page(branch, run, (part, at, cursor), rows, pages, may_move=is_whole) and is_whole
            if self._limit is not None and run.records >= self._limit:
                break
        if cursor is not None and is_whole and not run.is_shared(at):
            run.save(at, cursor)
        self._write_state_if_due()

    def _read_page(
        self,
        branch: Branch,
        run: StreamRun,
        where: tuple[Partition, Partition, Cursor | None],
        rows: list[Any],
        pages: Pages,
        *,
        may_move: bool,
    ) -> bool:
        """Writes one page and reads its children; True when nothing was missed."""
        part, at, cursor = where
        first = run.records + 1
        refusals = run.outlet.shape(rows, first) if run.plan.is_selected or cursor is not None else ()
        stopping: Refusal | None = None
        if refusals:
            rows, stopping = self._without(run, rows, refusals, first)
        if cursor is not None:
            cursor.check(rows, first)
        pages.sized(len(rows), run.outlet.put(format_instant(self._now())))
        failpoint("page_written")
        run.records += len(rows) + (len(refusals) if stopping is None else 0)
        run.counter.add(len(rows) if run.plan.is_selected else 0)
        is_whole = not branch.children or self._read_children(branch, run, rows, part)
        if cursor is not None and is_whole and may_move and cursor.advance() and cursor.is_sorted:
            run.save(at, cursor)
        if stopping is not None:
            raise stopping.error
        self._write_state_if_due()
        return is_whole

    def _without(
        self, run: StreamRun, rows: list[Any], refusals: tuple[Refusal, ...], first: int
    ) -> tuple[list[Any], Refusal | None]:
        """The good rows, held by the outlet; and the refusal that ends the run after them, if the policy says so."""
        if self._letters is None:
            rows = rows[: refusals[0].place]
            run.outlet.shape(rows, first)
            return rows, refusals[0]
        run.has_refused = True
        bad = set()
        for refusal in refusals:
            bad.add(refusal.place)
            self._letters.refuse(run.plan.tap_stream_id, first + refusal.place, rows[refusal.place], refusal)
        return [row for place, row in enumerate(rows) if place not in bad], None

    def _read_children(self, branch: Branch, run: StreamRun, rows: list[Any], part: Partition) -> bool:
        is_whole = True
        for row in rows:
            for context in run.contexts(row, part):
                for child in branch.children:
                    is_whole = self._read_stream(child, context) and is_whole
        return is_whole

    def _activate(self, branch: Branch, *, is_whole: bool) -> None:
        """Says which streams of a branch were read whole, so that what they no longer hold may go."""
        run = self._runs[branch.plan.tap_stream_id]
        is_whole = is_whole and run.is_whole and self._limit is None
        if is_whole and run.plan.is_selected and not run.has_refused:
            run.outlet.activate()
        for child in branch.children:
            self._activate(child, is_whole=is_whole and run.reads_everything)

    def _write_state_if_due(self) -> None:
        if self.bookmarks.changed and self._pace.is_due(
            self._clock(),
            state_bytes=self._writer.state_bytes,
            record_bytes=self._writer.record_bytes,
            next_bytes=self.bookmarks.size_hint + _STATE_ENVELOPE_BYTES,
        ):
            self._write_state()

    def _write_state(self) -> dict[str, Any]:
        """Everything read so far is written, then the state that covers it."""
        for run in self._runs.values():
            run.outlet.flush()
        if self._letters is not None:
            self._letters.sync()
        state = {"bookmarks": {}, **self.bookmarks.to_state()}
        self._writer.state(state)
        self.bookmarks.changed = False
        self._pace.wrote(self._clock())
        failpoint("state_written")
        return state

    def _failed(self) -> SourceError:
        names = list(dict.fromkeys(name for name, _ in self._failures))
        first = self._failures[0][1]
        error = SourceError(
            f"{len(names)} {'stream' if len(names) == 1 else 'streams'} failed: {', '.join(names)}.",
            place=first.sentence if isinstance(first, SingerKitError) else type(first).__name__,
            next_step="see the errors above; what they lack is read by the next run.",
        )
        if isinstance(first, SingerKitError):
            error.exit_code = first.exit_code
        return error
