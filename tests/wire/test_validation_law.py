"""What comes out of the wire is what the reference lets pass, however the lines are written and cut."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.codec import decode, encode
from singer_kit.errors import RecordError
from singer_kit.schema.names import Names, names_of
from singer_kit.schema.reference import Reference
from singer_kit.spec.messages import SchemaMessage
from singer_kit.wire.decode import BadRecord, Reading, Rows, events

MakeCase: TypeAlias = Callable[[int], tuple[dict[str, Any], list[dict[str, Any]]]]


def spelt(value: Any, random: Random) -> str:
    """JSON of `value` as some odd writer may write it: blanks, escapes, names twice, numbers with more zeros."""
    blank = random.choice(["", "", "", " ", "\t"])
    if isinstance(value, dict):
        members = [(name, inner) for name, inner in value.items()]
        if members and random.random() < 0.1:
            members.insert(0, (members[-1][0], random.choice([None, 1, "twice", [], {}])))
        inside = ",".join(f"{spelt(name, random)}:{blank}{spelt(inner, random)}" for name, inner in members)
        return "{" + blank + inside + blank + "}"
    if isinstance(value, list):
        return "[" + blank + f",{blank}".join(spelt(inner, random) for inner in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=random.random() < 0.5)
    if isinstance(value, Decimal):
        text = str(value)
        return text + "0" if "." in text and "E" not in text and random.random() < 0.3 else text
    if isinstance(value, int) and not isinstance(value, bool) and random.random() < 0.1:
        return f"{value}.0"
    return json.dumps(value)


def record_lines(records: list[dict[str, Any]], random: Random) -> list[bytes]:
    lines = []
    for record in records:
        members = ['"type":"RECORD"', '"stream":"s"', f'"record":{spelt(record, random)}']
        if random.random() < 0.3:
            members.append('"time_extracted":"2026-01-01T00:00:00Z"')
        random.shuffle(members)
        lines.append(("{" + ", ".join(members) + "}").encode())
    return lines


def cut(data: bytes, random: Random) -> Iterator[bytes]:
    """`data` in a few pieces."""
    places = sorted({0, len(data), *(random.randrange(len(data)) for _ in range(random.choice([0, 1, 4])))})
    for start, end in pairwise(places):
        yield data[start:end]


def pruned(value: Any, names: Names) -> Any:
    """`value` without undeclared names, written without the house."""
    told = set(names.undeclared(value))
    return value if not told else _without(value, told, "")


def _without(value: Any, told: set[str], prefix: str) -> Any:
    if isinstance(value, dict):
        kept = {}
        for name, inner in value.items():
            escaped = name.replace("\\", "\\\\").replace(".", "\\.")
            dotted = f"{prefix}.{escaped}" if prefix else escaped
            if dotted not in told:
                kept[name] = _without(inner, told, dotted)
        return kept
    if isinstance(value, list):
        return [_without(item, told, prefix) for item in value]
    return value


@pytest.mark.parametrize("keeps", [False, True])
def test_rows_raw_lines_and_the_reference_agree(keeps: bool, schema_with_records: MakeCase) -> None:
    """Good records come out equal and in order, bad ones are refused by line number, undeclared names are left out."""
    seen: Counter[str] = Counter()

    @settings(max_examples=350, deadline=None, print_blob=True)
    @given(seed=st.integers(0, 2**48))
    def judge(seed: int) -> None:
        random = Random(seed)
        schema, records = schema_with_records(seed)
        keys = [next(iter(schema["properties"]))] if seed % 4 == 0 else []
        records = [
            records[number % len(records)] for number in range(random.choice([1, len(records), 3 * len(records)]))
        ]
        lines = record_lines(records, random)
        message = {"type": "SCHEMA", "stream": "s", "schema": schema, "key_properties": keys}
        refused: list[BadRecord] = []
        reading = Reading(refuse=refused.append, keeps_undeclared=keeps)
        first, *rest = events(cut(b"\n".join([encode(message), *lines, b""]), random), reading)
        assert isinstance(first, SchemaMessage)
        rows = [event for event in rest if isinstance(event, Rows)]
        reference, names = Reference(first.schema, check=False), names_of(first.schema)
        expected, bad_lines = [], []
        for number, line in enumerate(lines, 2):
            record = decode(line)["record"]
            if reference.accepts(record) and all(record.get(key) is not None for key in keys):
                expected.append(record if keeps else pruned(record, names))
            else:
                bad_lines.append(number)
        assert sorted(bad.line_number for bad in refused) == bad_lines
        found = [decode(line) for event in rows for line in event.jsonl().splitlines()]
        assert found == expected
        assert found == [record for event in rows for record in event.records(Any)]
        assert sum(event.count for event in rows) == len(expected)
        seen["good"] += len(expected)
        seen["bad"] += len(bad_lines)
        seen["pruned"] += not keeps and any(any(names.undeclared(decode(line)["record"])) for line in lines)

    judge()
    print(f"\n{dict(seen)}")
    assert seen["good"] > 200
    assert seen["bad"] > 200


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_without_a_refuser_the_first_bad_record_ends_the_run(seed: int, schema_with_records: MakeCase) -> None:
    """All good records before it have come out by then, and none after it."""
    random = Random(seed)
    schema, records = schema_with_records(seed)
    lines = record_lines(records * 2, random)
    message = {"type": "SCHEMA", "stream": "s", "schema": schema, "key_properties": []}
    reading = events(cut(b"\n".join([encode(message), *lines, b""]), random))
    first = next(reading)
    assert isinstance(first, SchemaMessage)
    reference = Reference(first.schema, check=False)
    verdicts = [reference.accepts(decode(line)["record"]) for line in lines]
    good = verdicts.index(False) if False in verdicts else len(verdicts)
    count, said = 0, ""
    try:
        for event in reading:
            count += event.count if isinstance(event, Rows) else 0
    except RecordError as error:
        said = error.sentence
    assert count == good
    assert f"line {good + 2}:" in said if good < len(lines) else not said


RECORD = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "x": {"type": ["null", "string"], "format": "date-time"}},
}


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ('{"id":1}', True),
        ('{"id":1.0}', True),
        ('{"id":1e2}', True),
        ('{"id":1e999999999}', True),
        ('{"id":1.5}', False),
        ('{"id":1.00000000000000000000000001}', False),
        ('{"id":true}', False),
        ('{"id":null}', False),
        ('{"id":"x","id":1}', True),
        ('{"id":1,"id":"x"}', False),
        ('{"id":1,"x":"2026-01-01T00:00:00Z"}', True),
        ('{"id":1,"x":"2026-01-01t00:00:00z"}', True),
        ('{"id":1,"x":"2026-01-01T00:00:00\\u005a"}', True),
        ('{"id":1,"x":"2026-01-01T00:00:00Z\\n"}', True),
        ('{"id":1,"x":"2026-01-01 00:00:00Z"}', False),
        ('{"id":1,"x":"2026-01-01T00:00:00"}', False),
        ('{"id":1,"x":"2026-01-01T00:00:00Z\\n2026-01-01T00:00:00Z"}', False),
        ("[1]", False),
        ("null", False),
        ('"{}"', False),
    ],
)
def test_one_odd_record_among_good_ones_is_judged_alone(text: str, good: bool) -> None:
    """The others pass whatever it is."""
    message = encode({"type": "SCHEMA", "stream": "s", "schema": RECORD, "key_properties": ["id"]})
    fine = b'{"type":"RECORD","stream":"s","record":{"id":7,"x":"2026-01-01T00:00:00Z"}}'
    odd = b'{"type":"RECORD","stream":"s","record":' + text.encode() + b"}"
    refused: list[BadRecord] = []
    data = b"\n".join([message, *[fine] * 5, odd, *[fine] * 5, b""])
    rows = [event for event in events([data], Reading(refuse=refused.append)) if isinstance(event, Rows)]
    assert [bad.line_number for bad in refused] == ([] if good else [7])
    assert sum(event.count for event in rows) == 10 + good


@pytest.mark.parametrize("declared", ["open", "typed", "whole"])
def test_text_that_is_no_utf_8_is_refused_wherever_it_stands(declared: str) -> None:
    """Even in a member that the schema does not know, of an object that allows others."""
    inner = {"open": True, "typed": {"type": "string"}, "whole": {}}[declared]
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}, "additionalProperties": inner}
    message = encode({"type": "SCHEMA", "stream": "s", "schema": schema, "key_properties": ["id"]})
    fine = '{"type":"RECORD","stream":"s","record":{"id":7,"é":"ü"}}'.encode()
    odd = b'{"type":"RECORD","stream":"s","record":{"id":7,"x":"M\xfcller"}}'
    refused: list[BadRecord] = []
    data = b"\n".join([message, fine, odd, fine, b""])
    rows = [event for event in events([data], Reading(refuse=refused.append)) if isinstance(event, Rows)]
    assert [bad.line_number for bad in refused] == [3]
    assert [record for event in rows for record in event.records(Any)] == [{"id": 7, "é": "ü"}] * 2
