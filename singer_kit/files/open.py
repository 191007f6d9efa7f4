"""Files opened for reading: compression by content, encodings, errors that name the file. Must not parse."""

import codecs
import io
import os
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO, cast

from singer_kit.errors import SettingsError, SourceError

_BLOCK: Final = 1 << 18
READ_ERRORS: Final = (OSError, EOFError, UnicodeError)
"""What reading an opened file may raise: the system's errors, `EOFError` for a damaged archive, the encoding's."""


def open_bytes(path: str | os.PathLike[str]) -> BinaryIO:
    """The file's bytes, decompressed when they begin as gzip, bzip2, xz or zip do, whatever the file's name.

    A zip archive must hold one file. Raises `SourceError` when the file cannot be opened.
    """
    try:
        raw = Path(path).open("rb")  # noqa: SIM115 - the caller closes it
        start = raw.peek(6)[:6]
    except OSError as error:
        raise unreadable(path, error) from error
    if start.startswith(b"\x1f\x8b"):
        return _gunzip(raw)
    if start.startswith(b"PK\x03\x04"):
        return _unzip(raw, path)
    if start.startswith(b"BZh"):
        return _bunzip(raw)
    if start.startswith(b"\xfd7zXZ\x00"):
        return _unxz(raw)
    return raw


def open_text(path: str | os.PathLike[str], encoding: str = "utf-8") -> TextIO:
    """The file's text, decompressed, line ends as they are; a byte order mark is not part of it.

    Raises `SettingsError` for an encoding that Python does not know and `SourceError` as `open_bytes` does.
    """
    name = check_encoding(encoding)
    return io.TextIOWrapper(open_bytes(path), "utf-8-sig" if name == "utf-8" else name, newline="")


def check_encoding(encoding: str) -> str:
    """The usual name of an encoding. Raises `SettingsError` when there is none."""
    try:
        found = codecs.lookup(encoding)
    except LookupError:
        found = None
    if found is None or not found._is_text_encoding:
        raise SettingsError(
            f"'{encoding}' is no encoding that is known.",
            place="setting: encoding",
            next_step="use utf-8, utf-16, latin-1, cp1252 or another of Python's names.",
        )
    return found.name


def unreadable(path: str | os.PathLike[str], error: Exception) -> SourceError:
    """The error to raise for a file that the system or its archive format did not let us read."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return SourceError(
        f"A file cannot be read: {reason}.",
        place=f"file: {os.fspath(path)}",
        next_step="see that it is whole and that this user may read it.",
    )


def undecodable(path: str | os.PathLike[str], encoding: str) -> SourceError:
    """The error to raise when decoding failed: names the line. Reads the file once more, up to there."""
    line = 1
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_bytes(path) as file:
        while block := file.read(_BLOCK):
            try:
                line += decoder.decode(block).count("\n")
            except UnicodeDecodeError as error:
                good = error.object[: error.start]
                line += codecs.decode(good, error.encoding, "ignore").count("\n")
                break
    return SourceError(
        f"A line is not {encoding} text.",
        place=f"file: {os.fspath(path)}, line {line}",
        next_step="set the encoding that the file is written in, such as latin-1 or cp1252.",
    )


def _gunzip(raw: BinaryIO) -> BinaryIO:
    import gzip  # noqa: PLC0415 - loaded for the files that need it

    return _closing(gzip.GzipFile(fileobj=raw, mode="rb"), raw)


def _bunzip(raw: BinaryIO) -> BinaryIO:
    import bz2  # noqa: PLC0415

    return _closing(bz2.BZ2File(raw), raw)


def _unxz(raw: BinaryIO) -> BinaryIO:
    import lzma  # noqa: PLC0415

    return _closing(lzma.LZMAFile(raw), raw)


def _unzip(raw: BinaryIO, path: str | os.PathLike[str]) -> BinaryIO:
    import zipfile  # noqa: PLC0415

    try:
        archive = zipfile.ZipFile(raw)
        names = [info.filename for info in archive.infolist() if not _is_beside_the_point(info.filename)]
        if len(names) == 1:
            return _closing(archive.open(names[0]), raw)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raw.close()
        raise unreadable(path, error) from error
    raw.close()
    raise SourceError(
        f"A zip archive holds {len(names)} files, not one.",
        place=f"file: {os.fspath(path)}",
        next_step="unpack it and give the folder.",
    )


def _is_beside_the_point(name: str) -> bool:
    return name.endswith("/") or name.startswith("__MACOSX/")


def _closing(stream: Any, raw: BinaryIO) -> BinaryIO:
    """A decompressed stream that closes the file below it, and raises `EOFError` for a damaged archive."""
    return cast("BinaryIO", io.BufferedReader(_Unpacked(stream, raw), 1 << 16))


class _Unpacked(io.RawIOBase):
    """What a decompressor gives, its own errors turned into `EOFError`."""

    def __init__(self, stream: Any, below: BinaryIO) -> None:
        self._stream = stream
        self._below = below

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data: bytes = self._stream.read(len(buffer))
        except (OSError, EOFError):
            raise
        except Exception as error:  # zlib.error, lzma.LZMAError, zipfile.BadZipFile have no parent in common
            raise EOFError(f"the archive is damaged ({error})") from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._below.close()
        super().close()
