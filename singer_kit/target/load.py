"""The loop messages -> batches -> commit -> state. It must not know any destination.

A STATE leaves when all that came before it is durable, of every stream; nothing else is ever printed.
"""

import contextlib
import gc
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from singer_kit.batch.limits import BatchLimits
from singer_kit.batch.rows import Rows
from singer_kit.cli.pipes import IO
from singer_kit.cli.stop import Stop
from singer_kit.codec import JSON, encode
from singer_kit.errors import SingerKitError
from singer_kit.failpoint import failpoint
from singer_kit.memory import keep_freed_memory
from singer_kit.spec.ledger import NOTHING, Ledger
from singer_kit.spec.messages import ActivateVersionMessage, SchemaMessage, StateMessage
from singer_kit.target.channel import Channel
from singer_kit.target.policy import DeadLetters
from singer_kit.wire.decode import Event, MessageReader, Reading

if sys.platform == "linux":
    import fcntl

if TYPE_CHECKING:
    from singer_kit.target.target import Target

__all__ = ["load"]

_READ_BYTES: Final = 1 << 16
"""One decoding pass; larger pieces would be cut, and so copied, again."""
_PIPE_BYTES: Final = 1 << 20
_BATCHES_PER_FULL_COLLECTION: Final = 100
_BUDGET_IN_BATCHES: Final = 4
"""How many full batches all streams together may hold."""


def load(target: "Target", io: IO, stop: Stop) -> None:
    """Every message of the input is written, committed, and its states are printed, on return.

    After a bad message or a signal everything before it is written, committed and its last STATE printed;
    then the error is raised, `InterruptedRunError` for a signal. Raises `SettingsError` before the first row
    for a load method that the target does not have, `DestinationError` when the destination fails: then no
    STATE beyond what is durable has been printed.
    """
    keep_freed_memory()
    target.load_method(target.sink_class)
    kind = _TransactionalLoad if target.transactional else _IndependentLoad
    with _collector_between_batches(), contextlib.ExitStack() as stack:
        stack.callback(target.close)
        target.open()
        running = stack.enter_context(kind(target, io))
        running.read(stop)


def _widen(io: IO) -> None:
    """A pipe that feeds the target holds as much as the system allows, so that it seldom waits."""
    if sys.platform == "linux" and io.input is not None:
        with contextlib.suppress(OSError, ValueError):
            fcntl.fcntl(io.input.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


@contextlib.contextmanager
def _collector_between_batches() -> Iterator[None]:
    """Inside, reference cycles are looked for after batches only: docs/decisions/012-garbage-collector.md."""
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


class _Load:
    """What both kinds of loading share: who reads, what waits, when it is due. Leaving it closes every sink."""

    def __init__(self, target: "Target", io: IO) -> None:
        config = target.config
        self.target = target
        self.channels: dict[str, Channel] = {}
        self.ledger = Ledger()
        self.is_at_state = False
        """True when nothing came after the last STATE."""
        self._io = io
        self.limits = BatchLimits(
            rows=config["batch_size_rows"],
            nbytes=config["batch_size_bytes"],
            seconds=float(config["batch_wait_limit_seconds"]),
        )
        self._batches = 0
        self._waiting_bytes = 0
        self._look_at = time.monotonic() + self.limits.seconds
        self._last_state = b""
        self._unversioned: set[str] = set()
        self._dead_letters: DeadLetters | None = None
        if config["on_bad_record"] == "dead-letter":
            self._dead_letters = DeadLetters(Path(config["dead_letter_path"]), config["dead_letter_limit"])
        self._reader = MessageReader(
            Reading(
                is_strict=config["strict"],
                is_validating=config["validate_records"],
                nan_is_null=config["nan"] == "null",
                keeps_undeclared=config["undeclared_properties"] == "keep",
                refuse=self._dead_letters.refuse if self._dead_letters is not None else None,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None:
            self.abandon()
        with contextlib.ExitStack() as stack:
            if self._dead_letters is not None:
                stack.callback(self._dead_letters.close)
            for channel in self.channels.values():
                stack.callback(channel.close)

    def read(self, stop: Stop) -> None:
        """Takes the whole input, or what of it came before a bad message or a signal."""
        _widen(self._io)
        error: SingerKitError | None = None
        while error is None and not stop.requested:
            now = time.monotonic()
            if now >= self._look_at:
                self._look_at = self.look(now) + self.limits.seconds
            data = self._io.read(_READ_BYTES, timeout=max(0.0, self._look_at - now))
            if data == b"":
                error = self._take(self._reader.finish())
                break
            if data is not None:
                error = self._take(self._reader.feed(data))
        self.settle_all()
        if error is not None:
            raise error
        stop.check()

    def _take(self, events: Iterator[Event]) -> SingerKitError | None:
        """The error of the reader, None when all is well. What a sink raises goes through."""
        while True:
            try:
                event = next(events)
            except StopIteration:
                return None
            except SingerKitError as error:
                return error
            self.is_at_state = isinstance(event, StateMessage)
            if isinstance(event, Rows):
                self._add(event)
            elif isinstance(event, StateMessage):
                self.ledger.saw(event.value)
                self.saw(event.value)
            elif isinstance(event, SchemaMessage):
                self._open(event)
            else:
                self._activate(event)

    def _add(self, rows: Rows) -> None:
        channel = self.channels[rows.stream]
        if channel.rows and channel.version != rows.version:
            self.settle_one(channel)
        channel.add(rows)
        self.ledger.wrote(rows.stream)
        self._waiting_bytes += len(rows.lines)
        limits = self.limits
        if limits.are_reached(rows=channel.rows, nbytes=channel.nbytes):
            self.settle_one(channel)
        elif self._waiting_bytes >= _BUDGET_IN_BATCHES * limits.nbytes:
            self.settle_one(max(self.channels.values(), key=lambda each: each.nbytes))

    def settle_one(self, channel: Channel) -> None:
        """The rows of `channel` that wait are written; whatever follows from it is done."""
        if channel.rows:
            self._waiting_bytes -= channel.nbytes
            self.settle(channel)
            self._batches += 1
            gc.collect(2 if self._batches % _BATCHES_PER_FULL_COLLECTION == 0 else 1)

    def settle_all(self) -> None:
        """All that came is durable, and its STATE printed."""
        for channel in self.channels.values():
            self.settle_one(channel)
        self.finish()

    def _open(self, message: SchemaMessage) -> None:
        known = self.channels.get(message.stream)
        if known is not None:
            self.settle_one(known)
            del self.channels[message.stream]
            known.close()
        channel = Channel(self.target, message)
        self.channels[message.stream] = channel
        self.prepare()
        channel.open()

    def _activate(self, message: ActivateVersionMessage) -> None:
        channel = self.channels[message.stream]
        self.settle_one(channel)
        if not self.activate(channel, message.version) and message.stream not in self._unversioned:
            self._unversioned.add(message.stream)
            self.target.logger.warning(
                "Stream %r: ACTIVATE_VERSION is passed over: %s does not keep versions.",
                message.stream,
                self.target.name,
            )

    def release(self) -> None:
        """The newest STATE that is safe is printed, unless it says what the last one said."""
        state = self.ledger.release()
        if state is NOTHING:
            return
        self.sync_dead_letters()
        line = encode(state) + b"\n"
        if line != self._last_state:
            failpoint("before_state")
            self._io.write(line)
            self._io.flush()
            failpoint("after_state")
            self._last_state = line

    def sync_dead_letters(self) -> None:
        """The bad records that were refused so far are durable in their file."""
        if self._dead_letters is not None:
            self._dead_letters.sync()

    def prepare(self) -> None:
        """A sink may open."""

    def saw(self, state: JSON) -> None:
        """`state` came; the ledger knows."""
        raise NotImplementedError

    def settle(self, channel: Channel) -> None:
        """The rows of `channel`, some at least, are written."""
        raise NotImplementedError

    def look(self, now: float) -> float:
        """What waits too long is settled; gives the time from when on the rest waits."""
        raise NotImplementedError

    def finish(self) -> None:
        """All that was settled is durable, and its STATE printed."""
        raise NotImplementedError

    def activate(self, channel: Channel, version: int) -> bool:
        """The sinks know `version`; False when one does not take it. All rows of `channel` are settled."""
        raise NotImplementedError

    def abandon(self) -> None:
        """The run has failed."""


class _IndependentLoad(_Load):
    """Each batch is committed by itself."""

    def saw(self, state: JSON) -> None:  # noqa: ARG002 - the ledger has it
        self.release()

    def settle(self, channel: Channel) -> None:
        channel.write()
        self._commit(channel)
        self.ledger.committed(channel.stream)
        self.release()

    def look(self, now: float) -> float:
        for channel in self.channels.values():
            if channel.since is not None and now - channel.since >= self.limits.seconds:
                self.settle_one(channel)
        return min((each.since for each in self.channels.values() if each.since is not None), default=now)

    def finish(self) -> None:
        self.release()

    def activate(self, channel: Channel, version: int) -> bool:
        is_taken = channel.activate_version(version)
        self._commit(channel)
        return is_taken

    def _commit(self, channel: Channel) -> None:
        failpoint("before_commit")
        channel.commit()
        failpoint("after_commit")


class _TransactionalLoad(_Load):
    """Full batches are written to an open transaction, which ends at a STATE: so exactly what it covers is
    durable.

    Only at the end of the input is something committed that came after the last STATE.
    """

    def __init__(self, target: "Target", io: IO) -> None:
        super().__init__(target, io)
        self._run = int(os.environ.get("SINGER_KIT_RUN") or 0)
        self._is_open = False
        self._is_due = False
        self._written_bytes = 0
        self._state: JSON = NOTHING

    def prepare(self) -> None:
        if not self._is_open:
            self.target.begin()
            self._is_open = True

    def saw(self, state: JSON) -> None:
        self._state = state
        if self._is_due:
            self.settle_all()

    def settle(self, channel: Channel) -> None:
        self.prepare()
        self._written_bytes += channel.nbytes
        channel.write()
        if self._written_bytes >= self.target.transaction_bytes:
            self._is_due = True

    def look(self, now: float) -> float:
        self._is_due = True
        if self.is_at_state:
            self.settle_all()
        return now

    def finish(self) -> None:
        if self._state is not NOTHING and self.target.pipeline is not None:
            self.prepare()
            self.sync_dead_letters()  # what the saved state covers is not read again
            self.target.save_state(self._state, self._run)
        if self._is_open:
            failpoint("before_commit")
            self.target.commit()
            self._is_open = False
            failpoint("after_commit")
        self._state = NOTHING
        self._is_due = False
        self._written_bytes = 0
        for stream in self.ledger.uncommitted:
            self.ledger.committed(stream)
        self.release()

    def activate(self, channel: Channel, version: int) -> bool:
        self.prepare()
        return channel.activate_version(version)

    def abandon(self) -> None:
        if self._is_open:
            self._is_open = False
            self.target.rollback()
