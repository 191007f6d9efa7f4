"""The two ends of a connector, and the flag that ends a wait."""

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from singer_kit.cli.pipes import IO
from singer_kit.cli.stop import Stop, stop_on_signals
from singer_kit.errors import InterruptedRunError, ReaderGoneError, UsageError


class Folder(io.RawIOBase):
    """A standard input that is a folder, which Python would refuse to open by itself."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        try:
            os.close(end)
        except OSError:
            continue


def test_memory_will_do() -> None:
    """Streams without a descriptor are read and written directly."""
    output = io.BytesIO()
    ends = IO(io.BytesIO(b"abcdef"), output)
    assert list(ends.chunks(4)) == [b"abcd", b"ef"]
    ends.write(b"xyz")
    ends.flush()
    assert output.getvalue() == b"xyz"


def test_an_input_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    """A closed standard input, or a folder, holds no messages: the run must not end well."""
    with pytest.raises(UsageError):
        IO().read()
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(UsageError, match="directory"):
            IO(Folder(descriptor)).read()
    finally:
        os.close(descriptor)


def test_a_wait_has_an_end(pipe: tuple[int, int]) -> None:
    """None when nothing came in time, bytes as soon as some came, b"" at the end."""
    with os.fdopen(pipe[0], "rb") as reading:
        ends = IO(reading, stop=Stop())
        assert ends.read(timeout=0.01) is None
        os.write(pipe[1], b"abc")
        assert ends.read(timeout=10) == b"abc"
        os.close(pipe[1])
        assert ends.read() == b""


def test_a_stop_ends_a_wait_for_input(pipe: tuple[int, int]) -> None:
    """From another thread as from a signal, and for good."""
    stop = Stop()
    with os.fdopen(pipe[0], "rb") as reading:
        ends = IO(reading, stop=stop)
        timer = threading.Timer(0.05, stop.request)
        timer.start()
        assert ends.read(timeout=20) is None
        os.write(pipe[1], b"abc")
        assert list(ends.chunks()) == []
        timer.join()


def test_a_reader_that_has_gone(pipe: tuple[int, int]) -> None:
    """Writing raises `ReaderGoneError`, not `BrokenPipeError`, which could be anybody's."""
    os.close(pipe[0])
    with pytest.raises(ReaderGoneError):
        IO(None, pipe[1]).write(b"x")
    with pytest.raises(ReaderGoneError):
        IO().write(b"x")


def test_a_pipe_that_does_not_block_is_waited_for(pipe: tuple[int, int]) -> None:
    """All bytes arrive even when somebody made the pipe non-blocking."""
    os.set_blocking(pipe[1], False)
    received = bytearray()

    def drain() -> None:
        while chunk := os.read(pipe[0], 1 << 16):
            received.extend(chunk)

    reader = threading.Thread(target=drain)
    reader.start()
    IO(None, pipe[1]).write(b"x" * 500_000)
    os.close(pipe[1])
    reader.join()
    assert len(received) == 500_000


def test_stop_is_a_flag() -> None:
    """Not set at first; set for good, with the signal that asked; `check` raises what the exit code needs."""
    stop = Stop()
    assert not stop.requested
    assert not stop.wait(0)
    stop.check()
    stop.request(signal.SIGINT)
    assert stop.requested
    assert stop.wait(60)
    with pytest.raises(InterruptedRunError) as caught:
        stop.check()
    assert caught.value.exit_code == 130
    stop.close()
    assert stop.requested


def test_a_stop_before_the_first_wait_is_seen() -> None:
    """`fileno` is readable at once when the request came before anybody asked for it."""
    stop = Stop()
    stop.request()
    assert os.read(stop.fileno(), 1) == b"!"


def test_a_signal_wakes_a_sleeper() -> None:
    """`wait` returns as soon as the signal is there."""
    stop = Stop()
    with stop_on_signals(stop):
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        begun = time.monotonic()
        assert stop.wait(30)
        assert time.monotonic() - begun < 10
    assert stop.signum == signal.SIGTERM


def test_other_threads_leave_signals_alone() -> None:
    """Outside the main thread nothing is installed and nothing fails."""
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def inside() -> None:
        with stop_on_signals(Stop()):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [before]
