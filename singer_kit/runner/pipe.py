"""`Popen(tap) == OS pipe == Popen(target)`: the two run, their words are heard, the target's states are handed on.

Nothing here reads the data. It must not know where states are kept or what a run is called.
"""

import contextlib
import fcntl
import os
import select
import selectors
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from singer_kit.cli.stop import Stop
from singer_kit.codec import DecodeError, Struct, decode, encode
from singer_kit.runner.children import Child, Family
from singer_kit.runner.progress import Progress, Show
from singer_kit.runner.resolve import Command
from singer_kit.runner.told import Lines, Told

__all__ = ["Outcome", "Pipe"]

PIPE_BYTES: Final = 1 << 20
"""What Linux lets anybody ask for; more room means fewer switches between the two processes."""

_CHUNK: Final = 1 << 16
_TICK_SECONDS: Final = 0.1
_TAP_GRACE_SECONDS: Final = 10.0
_TARGET_GRACE_SECONDS: Final = 25.0
_ORPHAN_GRACE_SECONDS: Final = 2.0
_IDLE_TAP_SECONDS: Final = 60.0


class Outcome(Struct, frozen=True):
    """How tap and target ended. `target_left` is true when the target ended before the tap's end of file."""

    tap_code: int
    target_code: int
    target_left: bool
    tap_was_ended: bool
    """The tap ended only because this run made it, for a reason other than the target's end or a signal."""
    signum: int | None
    seconds: float
    tap: Told
    target: Told
    states: int


class Pipe:
    """One run of two processes. Call `run` once.

    Safe when the tap dies (the target sees the end of the input and keeps what came), when the target dies (the
    tap is ended at once), when the run is asked to end (the tap first, then the target has its grace).
    """

    def __init__(
        self,
        family: Family,
        stop: Stop,
        progress: Progress,
        on_state: Callable[[bytes], None],
        redact: Callable[[str], str] = str,
    ) -> None:
        """`on_state` is called with each new state, one JSON object; a raise ends the run."""
        self._family = family
        self._stop = stop
        self._progress = progress
        self._on_state = on_state
        self._redact = redact
        self._told = {"tap": Told(), "target": Told()}
        self._lines = {"tap": Lines(), "target": Lines(), "state": Lines(longest=None)}
        self._selector = selectors.DefaultSelector()
        self._began = self._now = time.monotonic()
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._tap_code: int | None = None
        self._target_code: int | None = None
        self._target_left = False
        self._tap_was_ended = False
        self._states = 0
        self._saved_at: float | None = None
        self._bytes = 0
        self._data = -1
        self._gives_up_at: float | None = None
        self._tap: Child
        self._target: Child

    def run(
        self, tap: Command, target: Command, *, environ: Mapping[str, str], inherits: tuple[int, ...] = ()
    ) -> Outcome:
        """Both processes have ended on return, and every state that the target printed was handed on.

        `inherits` are descriptors that the target keeps open: a lock then lasts as long as it may still write.
        """
        self._data, write_end = os.pipe()
        with contextlib.ExitStack() as stack:
            stack.callback(self._selector.close)
            stack.callback(self._close_data)
            try:
                _enlarge(write_end)
                self._target = self._family.start(
                    "target", target.argv, stdin=self._data, environ=environ, inherits=inherits, outlives_us=True
                )
                self._tap = self._family.start("tap", tap.argv, stdout=write_end, environ=environ)
            finally:
                os.close(write_end)
            self._watch()
            while not self._is_over():
                self._step()
        return Outcome(
            tap_code=self._tap_code or 0,
            target_code=self._target_code or 0,
            target_left=self._target_left,
            tap_was_ended=self._tap_was_ended,
            signum=self._stop.signum,
            seconds=time.monotonic() - self._began,
            tap=self._told["tap"],
            target=self._told["target"],
            states=self._states,
        )

    def _watch(self) -> None:
        for stream, name in (
            (self._tap.stderr, "tap"),
            (self._target.stderr, "target"),
            (self._target.stdout, "state"),
        ):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, name)
        self._selector.register(self._stop.fileno(), selectors.EVENT_READ, "stop")

    def _step(self) -> None:
        for key, _ in self._selector.select(_TICK_SECONDS):
            if key.data == "stop":
                self._selector.unregister(key.fileobj)
                self._end_early()
            else:
                self._read(key.fd, key.data)
        self._now = time.monotonic()
        self._look_at_target()
        self._look_at_tap()
        due = [action for when, action in self._due if when <= self._now]
        self._due = [(when, action) for when, action in self._due if when > self._now]
        for action in due:
            action()
        self._progress.show(
            Show(
                seconds=self._now - self._began,
                rows=self._told["tap"].rows,
                loaded=self._told["target"].rows,
                bytes_written=self._written(),
                saved=self._states,
                since_saved=None if self._saved_at is None else self._now - self._saved_at,
            )
        )

    def _is_over(self) -> bool:
        """Both have ended and nothing they said is unread, or some child of theirs keeps the pipes open."""
        if self._tap_code is None or self._target_code is None:
            return False
        open_ends = [key for key in self._selector.get_map().values() if key.data != "stop"]
        if not open_ends:
            return True
        if self._gives_up_at is None:
            self._gives_up_at = self._now + _ORPHAN_GRACE_SECONDS
        elif self._now >= self._gives_up_at:
            self._give_up_listening()
        return False

    def _give_up_listening(self) -> None:
        for key in list(self._selector.get_map().values()):
            if key.data != "stop":
                self._finish(key.fd, key.data)

    def _read(self, descriptor: int, name: str) -> None:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        if data:
            self._take(name, self._lines[name].feed(data))
        else:
            self._finish(descriptor, name)

    def _finish(self, descriptor: int, name: str) -> None:
        self._selector.unregister(descriptor)
        self._take(name, self._lines[name].rest())

    def _take(self, name: str, lines: list[bytes]) -> None:
        if name == "state":
            self._take_states(lines)
            return
        for line in lines:
            text = self._redact(line.decode("utf-8", "backslashreplace").rstrip("\r"))
            is_metric = self._told[name].hear(text)
            self._progress.line(name, text, is_metric=is_metric)

    def _take_states(self, lines: list[bytes]) -> None:
        """The last state among the lines is handed on: the ones before it, it covers."""
        newest: bytes | None = None
        for line in lines:
            state = _state_in(line)
            if state is not None:
                newest = state
            elif line.strip() not in (b"", b"null", b"{}"):
                text = self._redact(line[:200].decode("utf-8", "backslashreplace"))
                self._progress.line("target", f"(on its standard output, and no state) {text}")
        if newest is not None:
            self._on_state(newest)
            self._states += 1
            self._saved_at = time.monotonic()

    def _look_at_target(self) -> None:
        if self._target_code is not None or self._target.exit_code() is None:
            return
        self._target_code = self._target.exit_code()
        self._target_left = not _is_at_end(self._data)
        self._close_data()  # only now does a tap that writes on learn that nobody reads
        if self._tap_code is not None:
            return
        if self._target_left:
            self._tap.signal(signal.SIGTERM)
            self._after(_ORPHAN_GRACE_SECONDS, lambda: self._kill(self._tap))
        else:
            self._after(_IDLE_TAP_SECONDS, self._end_idle_tap)

    def _look_at_tap(self) -> None:
        if self._tap_code is not None or self._tap.exit_code() is None:
            return
        self._tap_code = self._tap.exit_code()
        self._after(_ORPHAN_GRACE_SECONDS, self._end_leftovers)

    def _end_leftovers(self) -> None:
        """A process that the tap left behind must not keep the pipe open: the target would wait forever."""
        if self._target_code is None and not _is_closed(self._data):
            self._progress.line("run", "the tap has ended but something it started has not: it is ended now")
            self._tap.signal(signal.SIGKILL)

    def _end_idle_tap(self) -> None:
        if self._tap_code is None:
            self._progress.line("run", "the tap closed its output long ago but does not end: it is ended now")
            self._tap_was_ended = True
            self._tap.signal(signal.SIGTERM)
            self._after(_ORPHAN_GRACE_SECONDS, lambda: self._kill(self._tap))

    def _end_early(self) -> None:
        """Asked to end: the tap writes its last state and goes, the target keeps what came, each in its time."""
        self._progress.line("run", "asked to end: the tap is told, the target keeps what came")
        if self._tap_code is None:
            self._tap.signal(signal.SIGTERM)
        self._after(_TAP_GRACE_SECONDS, lambda: self._kill(self._tap))
        self._after(_TARGET_GRACE_SECONDS, lambda: self._kill(self._target))

    def _kill(self, child: Child) -> None:
        if child.exit_code() is None:
            self._progress.line("run", f"the {child.name} did not end in time: it is killed")
            child.signal(signal.SIGKILL)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._due.append((self._now + seconds, action))

    def _close_data(self) -> None:
        if self._data >= 0:
            os.close(self._data)
            self._data = -1

    def _written(self) -> int:
        """The bytes that the tap has written, as Linux counts them; what is told elsewhere is 0."""
        path = f"/proc/{self._tap.pid}/io"
        with contextlib.suppress(OSError, ValueError, IndexError), open(path, "rb") as file:  # noqa: PTH123 - often
            self._bytes = max(self._bytes, int(file.read().split(b"wchar: ")[1].split()[0]))
        return self._bytes


def _state_in(line: bytes) -> bytes | None:
    """The line if it is a state, that is a JSON object that is not empty; some targets wrap it in its message."""
    line = line.strip()
    if not line.startswith(b"{"):
        return None
    try:
        value = decode(line)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if value.get("type") == "STATE" and isinstance(value.get("value"), dict):
        value = value["value"]
        line = encode(value)
    return line if value else None


def _enlarge(descriptor: int) -> None:
    """The pipe has room for `PIPE_BYTES`, where the system has that and allows it."""
    command = getattr(fcntl, "F_SETPIPE_SZ", None)
    if command is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, command, PIPE_BYTES)


def _is_closed(read_end: int) -> bool:
    """True when nobody can write into the pipe any more."""
    return bool(_poll(read_end) & select.POLLHUP)


def _is_at_end(read_end: int) -> bool:
    """True when nobody can write into the pipe any more and all that was written has been read."""
    events = _poll(read_end)
    return bool(events & select.POLLHUP) and not events & select.POLLIN


def _poll(read_end: int) -> int:
    poll = select.poll()
    poll.register(read_end, select.POLLIN)
    return next((events for _, events in poll.poll(0)), 0)
