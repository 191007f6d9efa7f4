"""A batch shows the same rows in every shape."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.batch.batch import Batch
from singer_kit.batch.metadata import METADATA_PROPERTIES, Stamp, with_metadata
from singer_kit.batch.rows import Rows
from singer_kit.codec import Raw, Struct, decode, encode, encode_lines

SCHEMA = {"properties": {"id": {"type": "integer"}, "text": {"type": ["null", "string"]}, "amount": {}}}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
records = st.lists(st.fixed_dictionaries({"id": st.integers(), "text": st.text() | st.none(), "amount": values}))


def enveloped(rows: list[dict[str, Any]], **members: Any) -> Rows:
    """RECORD messages of `rows`."""
    lines = encode_lines([{"type": "RECORD", "stream": "s", "record": row, **members} for row in rows])
    return Rows("s", lines, len(rows), 1, len(rows), enveloped=True, version=members.get("version"))


def bare(rows: list[dict[str, Any]]) -> Rows:
    """The records of `rows`, without their messages."""
    return Rows("s", encode_lines(rows), len(rows), 1, len(rows))


@given(records, records)
def test_every_view_shows_the_same_rows(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    """rows() is jsonl() decoded is records(dict), for lines with and without envelopes and for dicts."""
    expected = [decode(encode(row)) for row in first + second]
    batches = [
        Batch("s", SCHEMA, ["id"], [enveloped(first), bare(second)]),
        Batch.from_rows("s", SCHEMA, ["id"], first + second),
    ]
    for batch in batches:
        assert len(batch) == batch.count == len(expected)
        assert batch.rows() == expected
        assert [decode(line) for line in batch.jsonl().splitlines()] == expected
        assert batch.records(dict[str, Any]) == expected
        assert batch.keys() == [(row["id"],) for row in expected]


def test_bytes_are_copied_as_they_came() -> None:
    """Digits, escapes, spaces inside a record and the order of its names survive."""
    record = b'{"text":"\\u00fc\\n", "amount": 1.10, "id":12345678901234567890123}'
    lines = b'{"type":"RECORD","stream":"s","record": ' + record + b' , "time_extracted":"2026-01-01T00:00:00Z"}\r\n'
    batch = Batch("s", SCHEMA, ["id"], [Rows("s", lines, 1, 7, 7, enveloped=True)])
    assert batch.jsonl() == record + b"\n"
    assert batch.rows() == [{"text": "ü\n", "amount": Decimal("1.10"), "id": 12345678901234567890123}]
    assert str(batch.rows()[0]["amount"]) == "1.10"
    assert batch.extracted_at() == ["2026-01-01T00:00:00Z"]
    assert (batch.first_line, batch.last_line) == (7, 7)


def test_records_come_as_any_type() -> None:
    """A column view decodes only what it names."""

    class Only(Struct):
        amount: Raw

    batch = Batch("s", SCHEMA, [], [enveloped([{"id": 1, "text": "x", "amount": {"a": [1, 2]}}])])
    assert [bytes(only.amount) for only in batch.records(Only)] == [b'{"a":[1,2]}']
    assert batch.keys() == [()]


def test_composite_and_odd_keys_stay_apart() -> None:
    """Keys are tuples, so a comma or a quote in a value or a name joins nothing."""
    schema = {"properties": {"a,b": {}, 'c"': {}}}
    rows = [{"a,b": "x,y", 'c"': "z"}, {"a,b": "x", 'c"': "y,z"}]
    assert Batch.from_rows("s", schema, ["a,b", 'c"'], rows).keys() == [("x,y", "z"), ("x", "y,z")]


def test_an_empty_batch_is_empty_in_every_view() -> None:
    """No rows are no bytes, no dicts, no keys."""
    for batch in (Batch("s", SCHEMA, ["id"], []), Batch.from_rows("s", SCHEMA, ["id"], [])):
        assert (len(batch), batch.rows(), batch.jsonl(), batch.keys(), batch.nbytes) == (0, [], b"", [], 0)


def test_a_carriage_return_inside_a_record_is_white_space() -> None:
    """It does not end the line: metadata columns are added where the record ends."""
    parts = [Rows("s", b'{"id":1,\r"t":"\xc2\x85 \xe2\x80\xa8"}\n', 1, 1, 1)]
    batch = Batch("s", SCHEMA, [], parts, stamp=Stamp.at(NOON, NOON, 100))
    assert json.loads(batch.jsonl())["_sdc_sequence"] == 100


def test_metadata_columns_are_in_rows_and_jsonl_alike() -> None:
    """With a stamp, every row has each `_sdc_*` column, and without one none."""
    stamp = Stamp.at(NOON, NOON, 100)
    parts = [
        enveloped([{"id": 1}, {}], version=7, time_extracted="2026-01-01T11:59:59Z"),
        Rows("s", b'{"id":3}', 1, 3, 3, extracted_at="2026-01-01T11:00:00Z"),
    ]
    batch = Batch("s", SCHEMA, [], parts, stamp=stamp)
    assert set(batch.metadata()) == set(METADATA_PROPERTIES)
    assert [json.loads(line) for line in batch.jsonl().splitlines()] == batch.rows()
    assert [row["_sdc_sequence"] for row in batch.rows()] == [100, 101, 102]
    assert [row["_sdc_table_version"] for row in batch.rows()] == [7, 7, None]
    assert batch.rows()[0]["_sdc_received_at"] == "2026-01-01T12:00:00Z"
    assert [row["_sdc_extracted_at"] for row in batch.rows()][1:] == [
        "2026-01-01T11:59:59Z",
        "2026-01-01T11:00:00Z",
    ]
    assert Batch("s", SCHEMA, [], parts).metadata() == {}
    assert Batch("s", SCHEMA, [], [enveloped([{"id": 1}], time_extracted=7)]).extracted_at() == [None]


@pytest.mark.parametrize("text", ["garbage", "2026-01-01T11:59:59", "2026-13-01T00:00:00Z", ""])
def test_an_extraction_time_that_is_no_instant_is_null(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """In every view, with one warning; the other rows keep theirs, so that the column stays one of instants."""
    good = "2026-01-01T11:59:59Z"
    times: list[str | None] = [good, text, None]
    parts = [Rows("s", b'{"id":1}\n{"id":2}\n{"id":3}', 3, 1, 3, extracted_at=times)]
    batch = Batch("s", SCHEMA, [], parts, stamp=Stamp.at(NOON, NOON, 100))
    assert [row["_sdc_extracted_at"] for row in batch.rows()] == [good, None, None]
    assert [json.loads(line)["_sdc_extracted_at"] for line in batch.jsonl().splitlines()] == [good, None, None]
    assert [record.getMessage() for record in caplog.records] == [
        "1 records were extracted at what is no RFC 3339 instant; their _sdc_extracted_at is null."
    ]


def test_a_metadata_column_that_the_stream_declares_is_the_streams() -> None:
    """`_sdc_deleted_at` of a record is kept when its schema declares it, and is then no metadata column."""
    schema = {"properties": {"id": {}, "_sdc_deleted_at": {"type": ["null", "string"]}}}
    rows = [{"id": 1, "_sdc_deleted_at": "2026-01-01T00:00:00Z"}]
    batch = Batch("s", schema, [], [bare(rows)], stamp=Stamp.at(NOON, NOON, 1))
    assert batch.rows()[0]["_sdc_deleted_at"] == "2026-01-01T00:00:00Z"
    assert batch.jsonl().count(b"_sdc_deleted_at") == 1
    assert with_metadata(schema)["properties"]["_sdc_deleted_at"] == {"type": ["null", "string"]}
    assert set(with_metadata(schema)["properties"]) == {"id", *METADATA_PROPERTIES}
