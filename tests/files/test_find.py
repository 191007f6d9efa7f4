"""Paths, patterns and folders find the same files in the same order every time."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from singer_kit.files import FoundFile, find_files, has_changed, wait_until_settled


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "c.CSV.gz", ".hidden.csv", "note.txt", "deep/d.csv", "x[1].csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("id\n")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("a.csv", ["a.csv"]),
        ("*.csv", ["a.csv", "b.csv", "x[1].csv"]),
        ("**/*.csv", ["a.csv", "b.csv", "deep/d.csv", "x[1].csv"]),
        ("[ab].csv", ["a.csv", "b.csv"]),
        ("x[1].csv", ["x[1].csv"]),
        ("", ["a.csv", "b.csv", "c.CSV.gz", "x[1].csv"]),
        ("none.csv", []),
        ("none*.csv", []),
        ("deep", ["deep/d.csv"]),
    ],
)
def test_what_a_path_means(folder: Path, path: str, names: list[str]) -> None:
    """A file, a pattern or a folder; the outcome is sorted, and a literal name goes before a pattern."""
    found = find_files(folder / path, suffixes=[".csv"])
    assert [os.path.relpath(file.path, folder) for file in found] == names


def test_a_relative_path_stays_relative(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of a file does not change with the place of its folder."""
    monkeypatch.chdir(folder)
    assert [file.path for file in find_files("deep/*.csv")] == ["deep/d.csv"]
    monkeypatch.setenv("HOME", str(folder))
    assert [file.path for file in find_files("~/a.csv")] == [str(folder / "a.csv")]


def test_what_is_known_of_a_file(folder: Path) -> None:
    """Its size, and its time of modification in whole microseconds."""
    os.utime(folder / "a.csv", ns=(0, 1_706_695_200_123_456_789))
    (file,) = find_files(folder / "a.csv")
    assert file.size == 3
    assert file.modified == datetime(2024, 1, 31, 10, 0, 0, 123456, tzinfo=UTC)


def test_a_change_is_noticed(folder: Path) -> None:
    """Another size, another time of modification, or the file's end."""
    (file,) = find_files(folder / "a.csv")
    assert not has_changed(file)
    os.utime(folder / "a.csv", ns=(0, file.modified_ns + 1000))
    assert has_changed(file)
    (file,) = find_files(folder / "a.csv")
    (folder / "a.csv").unlink()
    assert has_changed(file)


def test_a_fresh_file_is_waited_for(folder: Path) -> None:
    """Once a file has settled, a further change carries another time of modification."""
    path = folder / "a.csv"
    for _ in range(5):
        path.write_text("id\n1\n")
        (found,) = find_files(path)
        settled = wait_until_settled(found)
        path.write_text("id\n2\n")
        assert has_changed(settled)


def test_an_old_or_future_file_is_not_waited_for(folder: Path) -> None:
    """Waiting would gain nothing."""
    before = time.monotonic()
    for seconds in (-3600, +3600):
        file = FoundFile(str(folder / "a.csv"), 3, time.time_ns() + seconds * 1_000_000_000)
        assert wait_until_settled(file) is file
    assert time.monotonic() - before < 1
