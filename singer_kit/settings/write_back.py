"""Changed settings back into the config file they came from, atomically.

It changes only the members it is told to; everything else in the file keeps its value and order.
"""

import contextlib
import os
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from singer_kit import codec

__all__ = ["write_back"]


def write_back(files: Sequence[Path], changes: Mapping[str, Any]) -> list[str]:
    """The names in `changes` that no file keeps; the others stand in the last file that held them.

    A file is replaced whole: written beside, synced, renamed, with its mode kept; links are followed. Raises
    `OSError` when that cannot be done, the file is then as it was.
    """
    left = dict(changes)
    for path in reversed(files):
        if not left or not stat.S_ISREG(path.stat().st_mode):
            continue  # a pipe (`--config <(...)`) can be read once and not written
        text = path.read_bytes()
        values = codec.decode(text.removeprefix(b"\xef\xbb\xbf"))
        here = {name: left.pop(name) for name in changes if name in left and name in values}
        if here:
            merged = {name: _merged(value, here[name]) if name in here else value for name, value in values.items()}
            indented = b"\n" in text.strip()
            data = codec.pretty(merged).encode() + b"\n" if indented else codec.encode_exactly(merged) + b"\n"
            _replace(path.resolve(), data)
    return list(left)


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, Mapping):
        return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
    return new


def _replace(path: Path, data: bytes) -> None:
    before = path.stat()
    # Not tempfile: importing it costs 3 ms at every start, for a thing that few runs do.
    beside = path.with_name(f".{path.name}.{os.getpid()}.{time.time_ns()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
