"""A file's text is the same however it is packed and whatever it is named."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from singer_kit.errors import SettingsError, SourceError
from singer_kit.files import CSVFile, open_bytes, open_text, read_jsonl

TEXT = "id,näme\r\n1,ä\n" * 40_000


def zipped(data: bytes, *names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("folder/", "folder/a.csv", "__MACOSX/a.csv"):
            archive.writestr(name, b"" if name.endswith("/") else data)
    return buffer.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
    "two gzip members": lambda data: gzip.compress(data[:1000]) + gzip.compress(data[1000:]),
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_packed_files_are_unpacked(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """The content decides, not the name; line ends stay as they are."""
    (tmp_path / "data").write_bytes(pack(TEXT.encode()))
    with open_text(tmp_path / "data") as file:
        assert file.read() == TEXT
    with open_bytes(tmp_path / "data") as binary:
        assert binary.read() == TEXT.encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "UTF8", "utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    """Text is read in the encoding that is named; a byte order mark is no part of it."""
    (tmp_path / "data").write_bytes(TEXT.encode(encoding))
    with open_text(tmp_path / "data", encoding) as file:
        assert file.read() == TEXT
    (tmp_path / "data").write_bytes(TEXT.encode("utf-8-sig"))
    with open_text(tmp_path / "data") as file:
        assert file.read(2) == "id"


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13"])
def test_an_unknown_encoding_is_a_settings_error(tmp_path: Path, encoding: str) -> None:
    """So is one that turns bytes into bytes."""
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(SettingsError, match=encoding):
        open_text(tmp_path / "data", encoding)


@pytest.mark.parametrize(
    ("data", "encoding", "line"),
    [
        (b"id\n" + b"1\n" * 100_000 + b"\xff\n", "utf-8", 100_002),
        (b"\xef\xbb\xbfid\n1\n\xe4\n", "utf-8", 3),
        ("id\n1\n".encode("utf-16") + b"\x00\xd8\x00\xd8", "utf-16", 3),
        (b"\xff", "ascii", 1),
    ],
)
def test_text_in_another_encoding_names_its_line(tmp_path: Path, data: bytes, encoding: str, line: int) -> None:
    """The rows before it are read, and the error names the line and the setting."""
    path = tmp_path / "data.csv"
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught, CSVFile(str(path), encoding=encoding) as file:
        list(file.pages())
    assert f"line {line}" in str(caught.value)
    assert "encoding" in caught.value.next_step


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zip"])
def test_a_damaged_archive_is_a_source_error(tmp_path: Path, name: str) -> None:
    """Cut in the middle or changed within, it is named, and nothing hangs."""
    whole = PACKERS[name](TEXT.encode())
    for number, damaged in enumerate([whole[: len(whole) // 2], whole[:40] + b"\x55" * 20 + whole[60:]]):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(damaged)
        with pytest.raises(SourceError) as caught, CSVFile(str(path)) as file:
            list(file.pages())
        assert str(path) in str(caught.value)
        with pytest.raises(SourceError):
            list(read_jsonl(str(path), lambda _: None))


def test_a_zip_archive_holds_one_file(tmp_path: Path) -> None:
    """With several or none there is no telling which is meant."""
    for names in (("a.csv", "b.csv"), ("a/",)):
        (tmp_path / "data.zip").write_bytes(zipped(b"id\n", *names))
        with pytest.raises(SourceError, match="not one"):
            open_bytes(tmp_path / "data.zip")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error is the source's and carries the path."""
    with pytest.raises(SourceError, match="No such file") as caught:
        open_bytes(tmp_path / "none.csv")
    assert "none.csv" in str(caught.value)
