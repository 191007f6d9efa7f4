"""Whether a run was asked to end: a flag that signals set and loops look at between pages and batches.

It ends nothing by itself and knows no connector.
"""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from types import FrameType

from singer_kit.errors import InterruptedRunError

__all__ = ["Stop", "stop_on_signals"]


class Stop:
    """A flag for the whole run. `signum` is the signal that asked, None as long as nobody did."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self._pipe: tuple[int, int] | None = None

    @property
    def requested(self) -> bool:
        """True once the run was asked to end."""
        return self.signum is not None

    def request(self, signum: int = signal.SIGTERM) -> None:
        """Asks the run to end, as `signum` would. Safe in a signal handler and from any thread."""
        self.signum = signum
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                os.write(self._pipe[1], b"!")

    def check(self) -> None:
        """Returns when the run may go on; raises `InterruptedRunError` otherwise."""
        if self.signum is not None:
            raise InterruptedRunError(self.signum)

    def wait(self, seconds: float) -> bool:
        """Sleeps `seconds`, less when the run is asked to end meanwhile; True if it was asked to."""
        descriptor = self.fileno()
        if self.signum is None and seconds > 0:
            select.select([descriptor], [], [], seconds)
        return self.signum is not None

    def fileno(self) -> int:
        """A descriptor that turns readable, and stays so, once the run was asked to end."""
        if self._pipe is None:
            # A pipe, for a threading.Event that a handler sets may deadlock with its own wait.
            self._pipe = os.pipe()
            for end in self._pipe:
                os.set_blocking(end, False)
            if self.signum is not None:
                os.write(self._pipe[1], b"!")
        return self._pipe[0]

    def close(self) -> None:
        """Gives the descriptors back; the flag keeps its value."""
        ends, self._pipe = self._pipe, None
        for end in ends or ():
            os.close(end)

    def __del__(self) -> None:
        self.close()


@contextlib.contextmanager
def stop_on_signals(stop: Stop) -> Iterator[None]:
    """Inside, the first SIGTERM or SIGINT sets `stop`, a second one ends the process with 128 + its number.

    Outside the main thread signals stay with whoever runs it: nothing is changed there.
    """

    def ask(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape that `signal` calls
        if stop.requested:
            os._exit(128 + signum)
        stop.request(signum)

    previous = {}
    try:
        for signum in (signal.SIGTERM, signal.SIGINT):
            previous[signum] = signal.signal(signum, ask)
    except ValueError:  # not the main thread
        previous.clear()
    try:
        yield
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler if handler is not None else signal.SIG_DFL)
