"""singer-kit diff: equal is equal whatever the order and spelling; what differs is named; memory stays bounded."""

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.codec import encode
from singer_kit.commands.canonical_rows import canonical, canonical_schema, digest
from singer_kit.commands.main import main

Diff = Callable[..., dict[str, Any]]


def lines(path: Path, *values: Any) -> str:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return str(path)


def schema(stream: str = "orders", keys: tuple[str, ...] = ("id",), **properties: Any) -> dict[str, Any]:
    declared = {"type": "object", "properties": {"id": {"type": "integer"}, **properties}}
    return {"type": "SCHEMA", "stream": stream, "schema": declared, "key_properties": list(keys)}


def record(stream: str = "orders", **row: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": stream, "record": row}


@pytest.fixture
def diff(capsys: pytest.CaptureFixture[str]) -> Diff:
    def call(*arguments: str) -> dict[str, Any]:
        code = main(["diff", "--json", *arguments])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert code == (0 if found["same"] else 1)
        return found

    return call


def test_order_and_spelling_do_not_matter(tmp_path: Path, diff: Diff) -> None:
    """Rows, members, messages in another order; 1 and 1.0; two spellings of one instant; metadata columns."""
    one = lines(
        tmp_path / "a",
        schema(keys=("id",), total={"type": ["null", "number"]}),
        record(id=1, total=1.0, at="2026-01-01T01:00:00+01:00", _sdc_sequence=1),
        {"type": "STATE", "value": {"x": 1}},
        record(id=2, nested={"a": [1, {"b": None}], "c": "x"}),
    )
    two = lines(
        tmp_path / "b",
        schema(keys=("id",), total={"type": ["number", "null"]}),
        record(nested={"c": "x", "a": [1.0, {"b": None}]}, id=2),
        record(at="2026-01-01T00:00:00.000Z", id=1, total=1),
    )
    assert diff(one, two)["same"]
    assert not diff(one, two, "--state")["same"]


def test_rows_are_told_apart_by_key(tmp_path: Path, diff: Diff) -> None:
    """Added, removed and changed rows, with the members that changed; null is not missing."""
    one = lines(tmp_path / "a", schema(), record(id=1, n=1), record(id=2, n=2, m=3), record(id=3, n=None))
    two = lines(tmp_path / "b", schema(), record(id=4), record(id=3), record(id=2, n=20, m=3))
    stream = diff(one, two)["streams"]["orders"]
    assert (stream["added"], stream["removed"], stream["changed"]) == (1, 1, 2)
    assert stream["rows"] == {"before": 3, "after": 3}
    assert stream["examples"] == [
        {"kind": "removed", "key": {"id": 1}, "row": {"id": 1, "n": 1}},
        {"kind": "changed", "key": {"id": 2}, "fields": {"n": {"before": 2, "after": 20}}},
        {"kind": "changed", "key": {"id": 3}, "fields": {"n": {"before": None}}},
        {"kind": "added", "key": {"id": 4}, "row": {"id": 4}},
    ]


def test_rows_are_a_multiset(tmp_path: Path, diff: Diff) -> None:
    """A row that one side has twice is one more; with --last-wins only the last of a key counts."""
    one = lines(tmp_path / "a", schema(), record(id=1, n=1), record(id=1, n=2))
    two = lines(tmp_path / "b", schema(), record(id=1, n=2))
    assert diff(one, two)["streams"]["orders"]["removed"] == 1
    assert diff(one, two, "--last-wins")["same"]
    three = lines(tmp_path / "c", schema(), record(id=1, n=2), record(id=1, n=1))
    assert diff(one, three)["same"]
    assert not diff(one, three, "--last-wins")["same"]


def test_without_a_key_whole_rows_are_compared(tmp_path: Path, diff: Diff) -> None:
    """Plain JSON lines have no key unless one is given."""
    one, two = lines(tmp_path / "a", {"id": 1, "n": 1}), lines(tmp_path / "b", {"id": 1, "n": 2})
    found = diff(one, two)["streams"][""]
    assert (found["added"], found["removed"], found["changed"]) == (1, 1, 0)
    assert diff(one, two, "--key", "id")["streams"][""]["changed"] == 1
    assert diff(one, two, "--ignore", "n")["same"]


def test_plain_rows_against_a_captured_stream(tmp_path: Path, diff: Diff) -> None:
    """With --stream they are that stream's rows, matched by the key that the other side's SCHEMA names."""
    plain = lines(tmp_path / "a", {"id": 1, "n": 1}, {"id": 2})
    singer = lines(tmp_path / "b", schema(), record("others", id=9), record(id=2), record(id=1, n=5))
    found = diff(plain, singer, "--stream", "orders", "--ignore-schema")["streams"]
    assert list(found) == ["orders"]
    assert (found["orders"]["changed"], found["orders"]["added"], found["orders"]["removed"]) == (1, 0, 0)


def test_schemas_are_compared(tmp_path: Path, diff: Diff) -> None:
    """Properties that came, went or changed, and the key; the order of types and names does not matter."""
    one = lines(tmp_path / "a", schema(keys=("id",), old={"type": "string"}, both={"type": "string"}))
    two = lines(tmp_path / "b", schema(keys=("both",), new={"type": "string"}, both={"type": "integer"}))
    told = "\n".join(diff(one, two)["streams"]["orders"]["schema"])
    for words in ("'old' removed", "'new' added", "'both' changed", "key_properties: id -> both"):
        assert words in told
    assert diff(one, two, "--ignore-schema")["same"]


def test_a_stream_that_only_one_side_has(tmp_path: Path, diff: Diff) -> None:
    """All its rows are added or removed."""
    one = lines(tmp_path / "a", schema(), record(id=1))
    two = lines(tmp_path / "b", schema(), record(id=1), schema("items"), record("items", id=1))
    items = diff(one, two)["streams"]["items"]
    assert (items["added"], items["schema"]) == (1, ["only one side has a SCHEMA"])


def test_compressed_files_and_blank_lines(tmp_path: Path, diff: Diff) -> None:
    """What is compressed is read as what it holds."""
    one = lines(tmp_path / "a.jsonl", {"id": 1}, {"id": 2})
    two = tmp_path / "b.jsonl.gz"
    two.write_bytes(gzip.compress(b'{"id":2}\n\n{"id":1}'))
    assert diff(one, str(two))["same"]


def test_people_get_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts per stream, then the rows, then one word."""
    one = lines(tmp_path / "a", schema(), record(id=1, n="x" * 100), *(record(id=n) for n in range(2, 50)))
    two = lines(tmp_path / "b", schema(), record(id=1, n="y"))
    assert main(["diff", one, two, "--limit", "2"]) == 1
    out = capsys.readouterr().out
    assert "orders         49          1        0       48        1  same" in out
    assert "  ~ id=1\n" in out
    assert '-> "y"' in out
    assert "  - id=2\n" in out
    assert "  and 47 more rows" in out
    assert out.endswith("different\n")


@pytest.mark.parametrize("arguments", [["a"], ["none", "a"], ["a", "a", "--nope"]])
def test_usage_is_exit_code_2(tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file or argument, an unknown flag; nothing on stdout."""
    lines(tmp_path / "a", {"id": 1})
    assert main(["diff", *(str(tmp_path / each) if each[0] != "-" else each for each in arguments)]) == 2
    assert capsys.readouterr().out == ""


NUMBERS = (
    st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.floats(allow_nan=False, allow_infinity=False)
)


def exact(number: float | Decimal) -> Decimal:
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


@given(NUMBERS, NUMBERS, st.integers(0, 5))
def test_numbers_are_equal_by_decimal_value(one: Any, two: Any, zeros: int) -> None:
    """Two numbers have one form exactly when their decimal values are equal; trailing zeros do not matter."""
    assert (canonical(one) == canonical(two)) == (exact(one) == exact(two))
    sign, digits, exponent = exact(one).as_tuple()
    assert isinstance(exponent, int)
    assert canonical(Decimal((sign, (*digits, *(0,) * zeros), exponent - zeros))) == canonical(one)


@given(st.dictionaries(st.text(min_size=1), st.none() | st.booleans() | st.text() | st.lists(st.integers())))
def test_digests_see_every_member(row: dict[str, Any]) -> None:
    """A row equals its copy in another order and differs when a visible member goes."""
    assert digest(dict(reversed(row.items()))) == digest(row)
    for name in row:
        less = {other: value for other, value in row.items() if other != name}
        assert (digest(less) == digest(row)) is name.startswith("_")


def test_text_is_not_an_instant_without_an_offset() -> None:
    """What names no instant is compared as text."""
    assert canonical("2026-01-01T00:00:00") == "2026-01-01T00:00:00"
    assert canonical("2026-01-01T00:00:00.1Z") == canonical("2026-01-01T00:00:00.100000Z")
    assert canonical(True) is True
    assert canonical_schema({"type": ["string"]}) == canonical_schema({"type": "string"})


def test_many_rows(tmp_path: Path, diff: Diff) -> None:
    """Forty thousand rows in reverse order are the same rows."""
    rows = [encode({"id": number, "name": f"row {number}", "at": "2026-01-01T00:00:00Z"}) for number in range(40_000)]
    (tmp_path / "a").write_bytes(b"\n".join(rows))
    (tmp_path / "b").write_bytes(b"\n".join(reversed(rows)))
    assert diff(str(tmp_path / "a"), str(tmp_path / "b"), "--key", "id")["same"]
