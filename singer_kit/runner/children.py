"""The processes of one run: each in a session of its own, so that it can be ended with all it started.

It starts and ends processes; it must not know what they say.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, Self, cast

from singer_kit.errors import UsageError

__all__ = ["Child", "Family"]

_PR_SET_PDEATHSIG = 1


class Child:
    """A running connector. Its standard error, and its standard output if it is ours to read, are pipes."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.was_signalled = False
        """True once this run asked it to end: whatever its exit code, it did not end by itself."""
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stderr(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stderr)

    @property
    def stdout(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdout)

    def exit_code(self) -> int | None:
        """Its exit code, minus the signal's number if one ended it; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> int | None:
        """Its exit code as soon as it ends, None when it still runs after `seconds`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll()

    def signal(self, signum: int) -> None:
        """It and all that it started get `signum`, also when it has ended itself."""
        if self._process.poll() is None:
            self.was_signalled = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signum)


class Family:
    """All processes of one run. Inside `with`, none outlives it: on leaving, whoever still runs is killed."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        environ: Mapping[str, str] | None = None,
        inherits: tuple[int, ...] = (),
        outlives_us: bool = False,
    ) -> Child:
        """The process runs on return. `inherits` are descriptors that it keeps open for as long as it lives.

        If this process is killed, the child is too, unless it `outlives_us`. Raises `UsageError` when the
        program cannot be started.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 - running other people's programs is what a runner does
                list(argv),
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                env=dict(environ) if environ is not None else None,
                start_new_session=True,
                pass_fds=inherits,
                preexec_fn=None if outlives_us else _dies_with_parent(),  # noqa: PLW1509 - we have no threads
            )
        except OSError as error:
            raise UsageError(
                f"{name} cannot be started: {error.strerror or error}.",
                place=f"program: {argv[0]}",
                next_step="see that the program, and the interpreter its first line names, are there and executable.",
            ) from error
        child = Child(name, process)
        self._children.append(child)
        return child

    def kill(self) -> None:
        """Whoever still runs is killed, with all that they started."""
        for child in self._children:
            if child.exit_code() is None:
                child.signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.kill()
        for child in self._children:
            child.wait(5)
            for stream in (child.stderr, child.stdout):
                if stream is not None:  # it is None when the output is not ours to read
                    stream.close()


def _dies_with_parent() -> Callable[[], None] | None:
    """What a child calls before it becomes the program: the kernel kills it when this process is killed."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(128 + signal.SIGKILL)

    return bind
