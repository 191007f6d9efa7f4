"""A file that is appended to holds whole lines only, whatever happened before."""

import subprocess
import sys
from pathlib import Path

import pytest

from singer_kit.errors import DestinationError
from singer_kit.files import open_append


def test_folders_and_file_are_made(tmp_path: Path) -> None:
    """Missing folders are made, and what was written is there after `sync`, before `close`."""
    path = tmp_path / "a" / "b" / "orders.jsonl"
    with open_append(path) as file:
        file.write(b'{"id":1}\n')
        file.write(b'{"id":2}\n')
        assert file.size == 18
        file.sync()
        assert path.read_bytes() == b'{"id":1}\n{"id":2}\n'
        file.write(b'{"id":3}\n')
    assert path.read_bytes().count(b"\n") == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b""),
        (b"a\n", b"a\n"),
        (b"a\nb", b"a\n"),
        (b"torn", b""),
        (b"a\n" + b"x" * 200_000, b"a\n"),
        (b"x" * 65536 + b"\n" + b"y" * 65536, b"x" * 65536 + b"\n"),
        (b"y" * 131072, b""),
    ],
    ids=["empty", "whole", "torn", "only torn", "long torn", "at the block's edge", "two blocks torn"],
)
def test_a_torn_last_line_is_cut(tmp_path: Path, before: bytes, after: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A last line without a newline is gone once the file is open, and the log says how much was cut."""
    path = tmp_path / "orders.jsonl"
    path.write_bytes(before)
    file = open_append(path)
    assert path.read_bytes() == after
    assert (f"cut {len(before) - len(after)} bytes" in caplog.text) == (before != after)
    file.write(b"new\n")
    file.close()
    file.close()
    assert path.read_bytes() == after + b"new\n"


def test_much_data_is_written_in_order(tmp_path: Path) -> None:
    """Small and large writes keep their order across the buffer's edge."""
    path = tmp_path / "orders.jsonl"
    parts = [bytes([65 + n % 26]) * (n * 977 % 400_000) + b"\n" for n in range(30)]
    with open_append(path) as file:
        for part in parts:
            file.write(part)
    assert path.read_bytes() == b"".join(parts)


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    """A second writer is refused: it would cut what looks like a torn line and is only unfinished."""
    path = tmp_path / "orders.jsonl"
    with open_append(path), pytest.raises(DestinationError, match="already being written") as caught:
        open_append(path)
    assert str(path) in str(caught.value)
    open_append(path).close()


def test_a_place_that_cannot_be_written_is_a_destination_error(tmp_path: Path) -> None:
    """A folder that is a file and a file that is a folder are named."""
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "orders.jsonl", tmp_path):
        with pytest.raises(DestinationError) as caught:
            open_append(path)
        assert caught.value.exit_code == 4
        assert str(path) in str(caught.value)


FULL = """
import resource, signal, sys
from pathlib import Path
from singer_kit.errors import DestinationError
from singer_kit.files import open_append
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
file = open_append(sys.argv[1])
file.write(b"a" * 99 + b"\\n")
file.sync()
file.write(b"b" * 2000 + b"\\n")
try:
    file.sync()
except DestinationError as error:
    print(error)
    file.close()
"""


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """When there is no room, the error says so and the file ends where the last `sync` left it."""
    path = tmp_path / "orders.jsonl"
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert path.read_bytes() == b"a" * 99 + b"\n"


def test_a_device_can_be_appended_to() -> None:
    """What is no regular file has no torn line; its errors are the destination's."""
    if not Path("/dev/full").exists():
        return
    file = open_append("/dev/full")
    file.write(b"a\n")
    with pytest.raises(DestinationError, match="No space left"):
        file.sync()
    file.close()
