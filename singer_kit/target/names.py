"""File names from stream names, which are not to be trusted. This module must not touch the file system."""

import re
import zlib
from typing import Final

__all__ = ["safe_name", "with_mark"]

_UNSAFE: Final = re.compile(r"[^\w.-]")
_LONGEST_BYTES: Final = 180
"""File systems take 255; a suffix and a mark must have room."""


def safe_name(stream: str) -> str:
    """A name for a file or folder that stays in its folder: all but letters, digits, `_`, `.`, `-` becomes
    `_`.

    The same for the same stream always. A name too long is cut and marked with a checksum of the whole.
    """
    name = _UNSAFE.sub("_", stream)
    if not name.strip("."):
        name = "_" * max(1, len(name))  # "." and ".." are places
    if len(name.encode()) > _LONGEST_BYTES:
        name = with_mark(name.encode()[:_LONGEST_BYTES].decode(errors="ignore"), stream)
    return name


def with_mark(name: str, stream: str) -> str:
    """`name` and a checksum of `stream`, for when another stream has taken `name`."""
    return f"{name}-{zlib.crc32(stream.encode('utf-8', 'surrogatepass')):08x}"
