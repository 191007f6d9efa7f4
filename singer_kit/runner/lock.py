"""One run of a pipeline at a time: a lock that the system takes back when its holders die.

It must not know what is locked.
"""

import fcntl
import logging
import os
import time
from pathlib import Path
from typing import Final, Self

from singer_kit.errors import StateError, StateLockedError

__all__ = ["Lock"]

logger = logging.getLogger("singer_kit.runner")

LEFTOVER_SECONDS: Final = 30.0
"""How long a run waits for what an earlier, killed run left behind to end."""


class Lock:
    """Held from `__enter__` to `__exit__`, and by every process that inherits `descriptor`, even a killed run's."""

    def __init__(self, path: Path, pipeline: str, *, patience_seconds: float = LEFTOVER_SECONDS) -> None:
        self._path = path
        self._pipeline = pipeline
        self._patience = patience_seconds
        self.descriptor = -1

    def __enter__(self) -> Self:
        """Raises `StateLockedError` at once when another run is alive, later when only its children are."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StateError(
                f"The state cannot be locked: {error.strerror or error}.",
                place=f"file: {self._path}",
                next_step="set SINGER_KIT_HOME to a folder that can be written.",
            ) from error
        try:
            self._acquire()
        except BaseException:
            os.close(self.descriptor)
            raise
        os.truncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        os.close(self.descriptor)

    def _acquire(self) -> None:
        until = time.monotonic() + self._patience
        told = False
        while not self._is_free():
            holder = self._holder()
            is_alive = holder is not None and _is_running(holder)
            if is_alive or time.monotonic() > until:
                raise StateLockedError(
                    f"Pipeline {self._pipeline!r} is being run by process {holder}."
                    if is_alive
                    else f"What an earlier run of pipeline {self._pipeline!r} started is still at work.",
                    place=f"lock: {self._path}",
                    next_step="wait until it ends, or end it.",
                )
            if not told:
                logger.warning("Waiting for what an earlier run of pipeline %r left running.", self._pipeline)
                told = True
            time.sleep(0.05)

    def _is_free(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            logger.warning("%s: this file system has no locks; two runs at once would not be noticed.", self._path)
        return True

    def _holder(self) -> int | None:
        text = os.pread(self.descriptor, 32, 0).strip()
        return int(text) if text.isdigit() else None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
