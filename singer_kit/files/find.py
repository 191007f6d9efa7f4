"""Files by path, glob or folder, in an order that does not change. Must not open them."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from glob import glob, has_magic
from pathlib import Path
from stat import S_ISREG
from typing import Final

from singer_kit.codec import Struct

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
COMPRESSED_SUFFIXES: Final = (".gz", ".zip", ".bz2", ".xz")
"""What may follow a file's own suffix; `open_bytes` reads them all."""


class FoundFile(Struct, frozen=True):
    """A file as it was when it was looked at. `path` is as it was asked for: relative stays relative."""

    path: str
    size: int
    modified_ns: int

    @property
    def modified(self) -> datetime:
        """When it was modified, in whole microseconds, UTC."""
        return _EPOCH + timedelta(microseconds=self.modified_ns // 1000)


def find_files(path: str | os.PathLike[str], suffixes: Sequence[str] = ()) -> list[FoundFile]:
    """The files that `path` means, sorted by path; none when there are none.

    A path is a file; a pattern with `*`, `?`, `[...]` or `**` (any depth); or a folder, of which all files that end
    in one of `suffixes` are taken (compressed ones too), not those in folders below and no hidden ones. `~` is the
    user's home.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        names = [str(each) for each in place.iterdir() if not each.name.startswith(".") and _ends(each.name, suffixes)]
    elif not place.exists() and has_magic(str(place)):
        names = glob(str(place), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    else:
        names = [str(place)]
    found = [look_at(name) for name in sorted(set(names))]
    return [file for file in found if file is not None]


def look_at(path: str) -> FoundFile | None:
    """The file as it is now; None when there is no regular file at `path`."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return FoundFile(path, status.st_size, status.st_mtime_ns) if S_ISREG(status.st_mode) else None


def _ends(name: str, suffixes: Sequence[str]) -> bool:
    if not suffixes:
        return True
    lower = name.lower()
    for compressed in COMPRESSED_SUFFIXES:
        lower = lower.removesuffix(compressed)
    return lower.endswith(tuple(suffixes))
