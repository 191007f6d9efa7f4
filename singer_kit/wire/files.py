"""BATCH files of JSON lines, plain or gzipped: written whole, read in bounded memory.

This module must not know messages' order or judge records.
"""

import contextlib
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from singer_kit.errors import DestinationError, ProtocolError
from singer_kit.spec.messages import BatchEncoding
from singer_kit.wire.lines import Lines

__all__ = ["read_batch_file", "write_batch_file"]

_READ_BYTES: Final = 1 << 18
_GZIP: Final = 16 + zlib.MAX_WBITS
_GZIP_MAGIC: Final = b"\x1f\x8b"


def write_batch_file(path: str | os.PathLike[str], pieces: Iterable[bytes], encoding: BatchEncoding) -> str:
    """Writes `pieces`, whole JSON lines, as one file at `path`, durable on return; gives its `file://` URL.

    Nothing stands at `path` until the file is whole. Raises `DestinationError` when it cannot be written.
    """
    final = Path(path).absolute()
    partial = final.with_name(final.name + ".part")
    is_gzipped = _is_gzipped(encoding, str(final))
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP) if is_gzipped else None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            for piece in pieces:
                file.write(packer.compress(piece) if packer else piece)
            if packer:
                file.write(packer.flush())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(final)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise DestinationError(
            f"A BATCH file could not be written: {error.strerror or error}.",
            place=f"file: {final}",
            next_step="make room for it and see that this user may write there.",
        ) from error
    return final.as_uri()


def read_batch_file(url: str, encoding: BatchEncoding) -> Iterator[bytes]:
    """The lines of the BATCH file at `url` in chunks of whole lines; the last one may lack its newline.

    Never holds more than a chunk and the longest line. A gzipped file is read as one whatever `encoding` says:
    taps of the Meltano SDK gzip their files even when they say `none`. Raises `ProtocolError` for an encoding or a
    place it cannot read, a file that is not there, and a plain one that is said to be gzipped.
    """
    is_gzipped = _is_gzipped(encoding, url)
    lines = Lines()
    try:
        with _local_path(url).open("rb") as file:
            is_gzipped = is_gzipped or file.peek(2).startswith(_GZIP_MAGIC)
            pieces = iter(lambda: file.read(_READ_BYTES), b"")
            for piece in _unpacked(pieces) if is_gzipped else pieces:
                yield from lines.feed(piece)
    except (OSError, zlib.error, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProtocolError(
            f"A BATCH file cannot be read: {reason}.",
            place=f"file: {url}",
            next_step="have the tap keep its files until the target has ended and name their encoding.",
        ) from error
    rest = lines.rest()
    if rest:
        yield rest


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = None
    for piece in pieces:
        packed = piece
        while packed:
            if unpacker is None or unpacker.eof:  # a gzip file may have several members, one after the other
                unpacker = zlib.decompressobj(_GZIP)
            yield unpacker.decompress(packed, _READ_BYTES)
            packed = unpacker.unconsumed_tail or unpacker.unused_data
    if unpacker is None:
        raise EOFError("it is empty, which no gzip file is")
    if not unpacker.eof:
        raise EOFError("it ends in the middle")


def _is_gzipped(encoding: BatchEncoding, place: str) -> bool:
    compression = (encoding.compression or "none").lower()
    if encoding.format.lower() == "jsonl" and compression in {"none", "gzip"}:
        return compression == "gzip"
    raise ProtocolError(
        f"BATCH files in {encoding.format[:40]!r} with compression {compression[:40]!r} cannot be read.",
        place=f"file: {place}",
        next_step="have the tap write jsonl, gzipped or plain.",
    )


def _local_path(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return Path(unquote(parts.path))
    raise ProtocolError(
        "A BATCH file is not on this machine.",
        place=f"file: {url}",
        next_step="have the tap write its files to a local folder and name them by file:// URLs.",
    )
