"""BATCH files are written whole, read back line by line, and refused where they cannot be read."""

import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from singer_kit.errors import DestinationError, ProtocolError
from singer_kit.spec.messages import BatchEncoding
from singer_kit.wire.files import read_batch_file, write_batch_file

PLAIN = BatchEncoding("jsonl")
GZIP = BatchEncoding("jsonl", "gzip")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.integers(0, 200_000), max_size=8), st.sampled_from([PLAIN, BatchEncoding("JSONL", "none"), GZIP]))
def test_what_was_written_is_read(tmp_path: Path, sizes: list[int], encoding: BatchEncoding) -> None:
    """Lines of any length come back in order, in chunks of whole lines."""
    lines = [b'"' + b"x" * size + b'"\n' for size in sizes]
    url = write_batch_file(tmp_path / "folder" / "a file.jsonl", lines, encoding)
    chunks = list(read_batch_file(url, encoding))
    assert b"".join(chunks) == b"".join(lines)
    assert all(chunk.endswith(b"\n") for chunk in chunks)
    assert list(tmp_path.joinpath("folder").iterdir()) == [tmp_path / "folder" / "a file.jsonl"]


def test_gzip_files_of_several_members_are_read(tmp_path: Path) -> None:
    """As tools that append to them make; a last line needs no newline."""
    path = tmp_path / "m.gz"
    path.write_bytes(gzip.compress(b"1\n") + gzip.compress(b"2\n3"))
    assert b"".join(read_batch_file(path.as_uri(), GZIP)) == b"1\n2\n3"


def test_a_gzip_file_that_is_said_to_be_plain_is_read(tmp_path: Path) -> None:
    """As taps of the Meltano SDK write them whatever compression they announce."""
    path = tmp_path / "m.json.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n{"a":2}'))
    assert b"".join(read_batch_file(path.as_uri(), PLAIN)) == b'{"a":1}\n{"a":2}'


def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    """Sixteen megabytes, in a small part of that."""
    line = b'{"text":"' + b"x" * 1000 + b'"}\n'
    url = write_batch_file(tmp_path / "large.gz", [line] * 16_000, GZIP)
    tracemalloc.start()
    try:
        assert sum(len(chunk) for chunk in read_batch_file(url, GZIP)) == 16_000 * len(line)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("missing", None, PLAIN),
        ("truncated", gzip.compress(b"1\n" * 1000, mtime=0)[:-9], GZIP),
        ("empty", b"", GZIP),
        ("not gzip", b"1\n", GZIP),
        ("parquet", b"PAR1", BatchEncoding("parquet")),
        ("zstd", b"", BatchEncoding("jsonl", "zstd")),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None, encoding: BatchEncoding
) -> None:
    """Missing, torn, of another encoding than announced, or of one not understood."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ProtocolError, match=path.as_uri()):
        list(read_batch_file(path.as_uri(), encoding))


@pytest.mark.parametrize("url", ["s3://bucket/x.jsonl", "file://elsewhere/x.jsonl", "x.jsonl", ""])
def test_only_local_files_are_read(url: str) -> None:
    """Anything but `file:///...` is refused."""
    with pytest.raises(ProtocolError, match="not on this machine"):
        list(read_batch_file(url, PLAIN))


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """Neither the file nor its beginning."""
    (tmp_path / "file").touch()
    with pytest.raises(DestinationError):
        write_batch_file(tmp_path / "file" / "x.jsonl", [b"1\n"], PLAIN)
    (tmp_path / "x.jsonl").mkdir()
    with pytest.raises(DestinationError):
        write_batch_file(tmp_path / "x.jsonl", [b"1\n"], PLAIN)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "x.jsonl"]
