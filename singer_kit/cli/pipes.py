"""A connector's two ends: what it reads, and the wire it writes, kept clean of anything else.

It moves bytes; it must not know messages.
"""

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from singer_kit.cli.stop import Stop
from singer_kit.errors import DestinationError, ReaderGoneError, UsageError

__all__ = ["IO", "standard_io"]

CHUNK_BYTES = 1 << 16


class IO:
    """Input and output of one run.

    `source` is any binary stream, None when there is none; `output` a descriptor or a binary stream, None
    when the reader never was there. `stop` ends a wait for input early.
    """

    def __init__(
        self,
        source: BinaryIO | None = None,
        output: BinaryIO | int | None = None,
        *,
        stop: Stop | None = None,
    ) -> None:
        self.input = source
        self._output = output
        self._stop = stop
        self._descriptor = _descriptor(source)

    def read(self, size: int = CHUNK_BYTES, *, timeout: float | None = None) -> bytes | None:
        """Up to `size` bytes as soon as some are there; b"" at the end of the input, None when none came.

        None means that `timeout` seconds passed or that the run was asked to end. Without a descriptor (a
        stream in memory) it reads at once. Raises `UsageError` when there is no input or it cannot be read.
        """
        if self._stop is not None and self._stop.requested:
            return None
        if self.input is None:
            raise UsageError("There is no input: the standard input is closed.", next_step="pipe messages into it.")
        if self._descriptor is None:
            return self.input.read(size)
        if not self._wait(timeout):
            return None
        try:
            return os.read(self._descriptor, size)
        except OSError as error:
            raise UsageError(f"The input cannot be read: {error.strerror or type(error).__name__}.") from error

    def chunks(self, size: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The input in pieces of up to `size` bytes, until it ends or the run is asked to end."""
        while chunk := self.read(size):
            yield chunk

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """All of `data` is with the system on return; nothing is buffered here.

        Raises `ReaderGoneError` when whoever read our output has closed it, and `DestinationError` when the system
        does not take it (a full disk).
        """
        try:
            if isinstance(self._output, int):
                self._write_all(self._output, memoryview(data))
            elif self._output is not None:
                self._output.write(data)
                self._output.flush()
            else:
                raise ReaderGoneError("There is no output to write to.")
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ReaderGoneError("Whoever read our output has closed it.") from error
        except OSError as error:
            raise DestinationError(
                f"The output cannot be written: {error.strerror or type(error).__name__}.",
                place="output: standard output",
                next_step="see where it leads to: a full disk, most likely.",
            ) from error

    def flush(self) -> None:
        """Nothing is left unwritten on return."""

    def _write_all(self, descriptor: int, left: memoryview) -> None:
        while left:
            try:
                left = left[os.write(descriptor, left) :]
            except BlockingIOError:  # somebody made the pipe non-blocking
                select.select([], [descriptor], [])

    def _wait(self, timeout: float | None) -> bool:
        """True when input is there; False when the time is up or the run was asked to end."""
        descriptor = self._descriptor
        poll = select.poll()
        poll.register(descriptor or 0, select.POLLIN)
        if self._stop is not None:
            poll.register(self._stop.fileno(), select.POLLIN)
        ready = poll.poll(None if timeout is None else max(0.0, timeout * 1000))
        return any(each == descriptor for each, _ in ready) and not (self._stop and self._stop.requested)


def _descriptor(stream: BinaryIO | None) -> int | None:
    try:
        return stream.fileno() if stream is not None else None
    except (OSError, ValueError, AttributeError):
        return None


@contextlib.contextmanager
def standard_io(stop: Stop, *, stray: TextIO) -> Iterator[IO]:
    """The process's own ends. Inside, whatever prints goes to `stray`, never into the wire.

    Descriptor 1 is moved aside and points to the standard error, so that libraries and child processes cannot
    write into the wire either. When somebody has replaced `sys.stdout` (a test's capture), the wire is what
    they put there.
    """
    printed: TextIO | None = sys.stdout
    owns_descriptor = printed is sys.__stdout__ and _is_standard_output(printed)
    wire: BinaryIO | int | None = None
    if printed is not None and owns_descriptor:
        printed.flush()
        if not _is_open(2):  # else the copy of descriptor 1 would be given its number
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        wire = os.dup(1)
        os.dup2(2, 1)
    elif printed is not None:
        wire = getattr(printed, "buffer", None) or _Encoded(printed)  # type: ignore[assignment]
    sys.stdout = stray
    try:
        yield IO(getattr(sys.stdin, "buffer", None), wire, stop=stop)
    finally:
        sys.stdout = printed
        if owns_descriptor and isinstance(wire, int):
            os.dup2(wire, 1)
            os.close(wire)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _is_standard_output(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.fileno() == 1
    except (OSError, ValueError):
        return False


class _Encoded:
    """Bytes written here arrive as text in a stream that takes nothing else."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.flush = text.flush

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._text.write(bytes(data).decode("utf-8"))
