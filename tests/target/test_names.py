"""Stream names, which anybody may choose, name files that stay in their folder."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.target.names import safe_name
from singer_kit.target.target import Target


class Plain(Target):
    """A target that does nothing."""

    name = "target-plain"


@given(st.text() | st.sampled_from(["", ".", "..", "/", "../../x", "a/b", "C:\\x", "\0", "x" * 500, "é" * 300]))
def test_a_safe_name_stays_in_its_folder(stream: str) -> None:
    """One path component, short enough for any file system, the same each time, and no place like `..`."""
    name = safe_name(stream)
    assert name == safe_name(stream)
    assert Path("folder", name).parent == Path("folder")
    assert name not in {"", ".", ".."}
    assert len(f"{name}-20260131T235959.jsonl".encode()) < 255
    assert not set(name) & set('/\\\0:*?"<>| ')


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        ("orders", "orders"),
        ("public-orders.v1_x", "public-orders.v1_x"),
        ("../../x", ".._.._x"),
        ("a b", "a_b"),
        ("заказы", "заказы"),
    ],
)
def test_readable_names_stay(stream: str, name: str) -> None:
    """Only what is not a letter, a digit, `_`, `.` or `-` changes, to `_`."""
    assert safe_name(stream) == name


def test_two_streams_never_share_a_name(caplog: pytest.LogCaptureFixture) -> None:
    """The second of two that would is marked with a checksum of its own name, and the log says so."""
    target = Plain({})
    assert target.safe_name("a b") == target.safe_name("a b") == "a_b"
    assert target.safe_name("a/b").startswith("a_b-")
    assert target.safe_name("a/b") == Plain({}).safe_name("a/b") + target.safe_name("a/b")[3:]
    assert len(caplog.records) >= 1


def test_long_names_are_told_apart() -> None:
    """Names that differ only past the cut stay different."""
    assert safe_name("x" * 300 + "1") != safe_name("x" * 300 + "2")
