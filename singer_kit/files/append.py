"""Files that grow by whole lines and survive a crash. Must not know what the lines hold."""

import logging
import os
import stat
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from singer_kit.errors import DestinationError

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger("singer_kit.files")

BUFFER_BYTES = 1 << 20
"""How much is gathered before the operating system gets it."""


def open_append(path: str | os.PathLike[str]) -> "AppendFile":
    """The file at `path`, open at the end of its last whole line.

    Makes the file and its folders where they are missing. A last line without its newline is what a killed
    writer left: it is cut off, with a warning. Raises `DestinationError` when the file cannot be written or
    another process is writing it.
    """
    return AppendFile(Path(path))


class AppendFile:
    """Call `write` any number of times, then `sync`; what is written is durable once `sync` has returned.

    When a write or a sync fails, the file is cut back to what the last `sync` made durable, so that the next
    run finds whole lines only, and `DestinationError` is raised. `close` hands over what is still gathered.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts: list[bytes] = []
        self._gathered = 0
        self._fd = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
            self._is_regular = stat.S_ISREG(os.fstat(self._fd).st_mode)
            self._lock()
            self._size = self._durable = self._cut_torn_line() if self._is_regular else 0
            if is_new:
                _sync_folder(path.parent)
        except OSError as error:
            self._abandon()
            raise _failed("opened", path, error) from error
        except DestinationError:
            self._abandon()
            raise

    def _lock(self) -> None:
        if sys.platform == "win32" or not self._is_regular:
            return
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DestinationError(
                "A file is already being written, by another process or another stream of this one.",
                place=f"file: {self.path}",
                next_step="let the other end, or give each its own file.",
            ) from None
        except OSError:
            logger.debug("%s: this file system has no locks.", self.path)

    def _cut_torn_line(self) -> int:
        """The size of the file's whole lines; anything after them is gone, durably."""
        size = os.fstat(self._fd).st_size
        end = size
        while end:
            start = max(0, end - 65536)
            newline = os.pread(self._fd, end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            logger.warning(
                "%s: cut %s bytes after the last newline: a line that an earlier run did not finish.",
                self.path,
                size - end,
            )
            os.ftruncate(self._fd, end)
            os.fsync(self._fd)
        return end

    def write(self, data: bytes) -> None:
        """Takes whole lines, each with its newline. May gather them in memory."""
        self._parts.append(data)
        self._gathered += len(data)
        if self._gathered >= BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """The operating system has all that was written; a crash of the machine may still lose it."""
        parts, self._parts, self._gathered = self._parts, [], 0
        self._write_all(parts[0] if len(parts) == 1 else b"".join(parts))

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                written = os.write(self._fd, rest)
                self._size += written
                rest = rest[written:]
        except OSError as error:
            self._cut_back()
            raise _failed("written", self.path, error) from error

    def sync(self) -> None:
        """All that was written is durable."""
        self.flush()
        if self._size == self._durable:
            return
        if self._is_regular:
            try:
                os.fsync(self._fd)
            except OSError as error:
                self._cut_back()
                raise _failed("made durable", self.path, error) from error
        self._durable = self._size

    def _cut_back(self) -> None:
        self._parts, self._gathered = [], 0
        if self._is_regular:
            try:
                os.ftruncate(self._fd, self._durable)
                self._size = self._durable
            except OSError as error:
                logger.warning("%s: could not be cut back to its last whole line: %s.", self.path, error.strerror)

    def _abandon(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def size(self) -> int:
        """The file's size in bytes, what is still gathered included."""
        return self._size + self._gathered

    def close(self) -> None:
        """Closes the file; twice does no harm. What was not synced may be lost by a crash of the machine."""
        if self._fd < 0:
            return
        try:
            self.flush()
        finally:
            self._abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _sync_folder(folder: Path) -> None:
    """The names in `folder` are durable, where the system can promise that."""
    try:
        fd = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        logger.debug("%s: this file system does not sync folders.", folder)
    finally:
        os.close(fd)


def _failed(verb: str, path: Path, error: OSError) -> DestinationError:
    return DestinationError(
        f"A file could not be {verb}: {error.strerror or error}.",
        place=f"file: {path}",
        next_step="make room for it and see that this user may write there.",
    )
