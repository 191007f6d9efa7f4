"""A bad record is one record: whatever surrounds it, it alone is refused, and named by its line."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from singer_kit.batch.rows import Rows
from singer_kit.codec import encode
from singer_kit.errors import RecordError
from singer_kit.wire.decode import BadRecord, Reading, events

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "on": {"type": ["null", "string"], "format": "date"},
        "size": {"type": ["null", "number"], "minimum": 0},
        "inner": {"type": ["null", "object"], "properties": {"tags": {"type": "array", "items": {"type": "string"}}}},
    },
}
HEAD = [
    encode({"type": "SCHEMA", "stream": stream, "schema": SCHEMA, "key_properties": ["id"]}) + b"\n" for stream in "ab"
]

good = st.sampled_from(
    [
        {},
        {"on": "2026-02-28", "size": 1.5},
        {"size": 0, "inner": {"tags": []}},
        {"inner": {"tags": ["x"], "undeclared": 1}},
        {"undeclared": None},
        {"size": None, "on": None, "inner": None},
    ]
)
bad = st.sampled_from(
    [
        {"id": None},
        {"id": "1"},
        {"on": "2026-02-30"},
        {"size": -1},
        {"size": "1"},
        {"inner": {"tags": [1]}},
        {"inner": []},
    ]
)
lines = st.lists(
    st.tuples(st.sampled_from("ab"), st.one_of(good, good, good, bad), st.booleans(), st.sampled_from([None, 1])),
    max_size=30,
)


def is_bad(fields: dict[str, Any]) -> bool:
    """Whether `fields` are among the bad ones."""
    return fields in ({"id": None}, {"id": "1"}, {"on": "2026-02-30"}, {"size": -1}, {"size": "1"}) or (
        fields in ({"inner": {"tags": [1]}}, {"inner": []})
    )


def written(sent: list[tuple[str, dict[str, Any], bool, int | None]]) -> bytes:
    """`sent` as messages; those with a mark are followed by a STATE."""
    out = list(HEAD)
    for number, (stream, fields, is_marked, version) in enumerate(sent):
        message = {"type": "RECORD", "stream": stream, "record": {"id": number, **fields}, "version": version}
        out.append(encode(message) + b"\n")
        if is_marked:
            out.append(b'{"type":"STATE","value":1}\n')
    return b"".join(out)


def ids(found: list[Any], stream: str) -> list[int]:
    """The ids of the rows of `stream`, in order."""
    return [
        row["id"]
        for event in found
        if isinstance(event, Rows) and event.stream == stream
        for row in event.records(dict)
    ]


@given(lines, st.integers(1, 500))
def test_only_bad_records_are_refused(sent: list[Any], cut: int) -> None:
    """Every good one comes, in order, without undeclared names; every bad one is refused, with its own line."""
    data = written(sent)
    refused: list[BadRecord] = []
    pieces = [data[start : start + cut] for start in range(0, len(data), cut)]
    found = list(events(pieces, Reading(refuse=refused.append)))
    for stream in "ab":
        kept = [n for n, (owner, fields, _, _) in enumerate(sent) if owner == stream and not is_bad(fields)]
        assert ids(found, stream) == kept
    text = data.splitlines()
    expected = [n for n, (_, fields, _, _) in enumerate(sent) if is_bad(fields)]
    assert len(refused) == len(expected)
    for letter in refused:
        assert letter.line in text[letter.line_number - 1]
        assert f'"stream":"{letter.stream}"'.encode() in text[letter.line_number - 1]
    assert not any(b"undeclared" in event.jsonl() for event in found if isinstance(event, Rows))


@given(lines)
def test_without_a_taker_the_first_one_ends_the_reading(sent: list[Any]) -> None:
    """All that stands before it comes, nothing after it."""
    found: list[Any] = []
    error: RecordError | None = None
    try:
        for event in events([written(sent)]):
            found.append(event)
    except RecordError as caught:
        error = caught
    first = next((n for n, (_, fields, _, _) in enumerate(sent) if is_bad(fields)), len(sent))
    for stream in "ab":
        assert ids(found, stream) == [n for n, (owner, *_) in enumerate(sent[:first]) if owner == stream]
    assert (error is None) == (first == len(sent))
