"""Batches as Arrow tables."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from singer_kit.batch.arrow import ArrowReader, MisfitError
from singer_kit.batch.batch import Batch
from singer_kit.batch.metadata import Stamp
from singer_kit.batch.rows import Rows
from singer_kit.schema import columns as kinds
from singer_kit.schema.columns import Column, decimal


def batch_of(definition, *texts, stamp=None):
    """A batch of one property `a`, its values given as JSON text; None leaves it out."""
    schema = {"type": "object", "properties": {"a": definition}}
    lines = b"".join(
        b'{"type":"RECORD","stream":"s","record":%b,"time_extracted":"2026-01-01T00:00:00Z"}\n'
        % (b"{}" if text is None else b'{"a":%b}' % text.encode())
        for text in texts
    )
    return Batch("s", schema, (), [Rows("s", lines, len(texts), 1, len(texts), enveloped=True)], stamp=stamp)


def arrow(definition, *texts):
    column = batch_of(definition, *texts).arrow().column("a")
    return column.type, column.to_pylist()


INT = {"type": ["null", "integer"]}
NUM = {"type": ["null", "number"]}
AT = {"type": "string", "format": "date-time"}


@pytest.mark.parametrize(
    ("definition", "texts", "kind", "values"),
    [
        (INT, ["1", "null", None, "-9223372036854775808"], pa.int64(), [1, None, None, -(2**63)]),
        (INT, ["1.0", "2", "1E2"], pa.int64(), [1, 2, 100]),
        (INT, ["9223372036854775808"], pa.decimal128(38, 0), [Decimal(2**63)]),
        (INT, ["1" + "0" * 40, "null"], pa.string(), ["1" + "0" * 40, None]),
        (NUM, ["1.10", "null", "1e2", None], pa.decimal128(38, 10), [Decimal("1.1"), None, Decimal(100), None]),
        (NUM, ["12345678901234567.89"], pa.decimal128(38, 10), [Decimal("12345678901234567.89")]),
        (NUM, ["0.123456789012", "1"], pa.decimal128(38, 15), [Decimal("0.123456789012"), Decimal(1)]),
        (NUM, ["1e40", "1.50", "null"], pa.string(), ["1" + "0" * 40, "1.5", None]),
        (NUM, ["1.00000000000000000000", "0e99", "-0"], pa.decimal128(38, 10), [Decimal(1), Decimal(0), Decimal(0)]),
        (
            {"type": "string", "format": "singer.decimal", "precision": 5, "scale": 2},
            ['"123.45"', '"1"'],
            pa.decimal128(5, 2),
            [Decimal("123.45"), Decimal(1)],
        ),
        (
            {"type": "string", "format": "singer.decimal", "precision": 5, "scale": 2},
            ['"123.456"', '"1"'],
            pa.decimal128(38, 10),
            [Decimal("123.456"), Decimal(1)],
        ),
        ({"type": "string", "format": "singer.decimal"}, ['"NaN"', '"1"'], pa.string(), ["NaN", "1"]),
        ({"type": "boolean"}, ["true", "false", "null"], pa.bool_(), [True, False, None]),
        ({"type": "string"}, ['"a\\u0000\\n\\"é"', '""', '"NULL"'], pa.string(), ['a\0\n"é', "", "NULL"]),
        ({"type": "string", "format": "date"}, ['"2026-01-31"'], pa.date32(), [date(2026, 1, 31)]),
        ({"type": "string", "format": "date"}, ['"0000-00-00"'], pa.string(), ["0000-00-00"]),
        (AT, ['"2026-01-01T00:00:00-05:00"'], pa.timestamp("us", "UTC"), [datetime(2026, 1, 1, 5, tzinfo=UTC)]),
        (
            AT,
            ['"2026-01-01t00:00:00.1230000000z"'],
            pa.timestamp("us", "UTC"),
            [datetime(2026, 1, 1, 0, 0, 0, 123000, UTC)],
        ),
        (AT, ['"2026-01-01T00:00:00.1234567Z"'], pa.string(), ["2026-01-01T00:00:00.1234567Z"]),
        (AT, ['"2016-12-31T23:59:60Z"'], pa.string(), ["2016-12-31T23:59:60Z"]),
        (AT, ['"12021-01-01T00:00:00Z"'], pa.string(), ["12021-01-01T00:00:00Z"]),
        (
            {"type": "string", "format": "time"},
            ['"12:00:00.5"', "null"],
            pa.time64("us"),
            [time(12, 0, 0, 500000), None],
        ),
        ({"type": "string", "format": "time"}, ['"12:00:00Z"'], pa.string(), ["12:00:00Z"]),
        ({"type": "object"}, ['{"b": 1.10, "a":"x"}', "null"], pa.string(), ['{"b": 1.10, "a":"x"}', None]),
        ({}, ['"s"', "1.0", "[1]", "null"], pa.string(), ['"s"', "1.0", "[1]", None]),
        ({"type": ["integer", "string", "null"]}, ["1", '"x\\"y"', "null"], pa.string(), ["1", 'x"y', None]),
        ({"type": ["boolean", "string"]}, ["true", '"true"'], pa.string(), ["true", "true"]),
    ],
)
def test_every_value_arrives_exactly(definition, texts, kind, values):
    """The first type that holds all of the batch's values; absent is null."""
    assert arrow(definition, *texts) == (kind, values)


def test_values_that_break_their_schema_are_kept_as_text():
    """Rows that nobody validated lose nothing either."""
    assert arrow(INT, "1", '"x"', "true", '{"b":1}') == (pa.string(), ["1", "x", "true", '{"b":1}'])
    assert arrow({"type": "boolean"}, "true", "null", "3") == (pa.string(), ["true", None, "3"])
    assert arrow({"type": "boolean"}, "null") == (pa.bool_(), [None])
    assert arrow(NUM, "1", "true") == (pa.string(), ["1", "true"])


def test_metadata_columns_are_there_with_a_stamp():
    """Instants and integers, one value a row."""
    stamp = Stamp("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", 7)
    rows = batch_of(INT, "1", "2", stamp=stamp).arrow().to_pylist()
    assert rows[1] == {
        "a": 2,
        "_sdc_extracted_at": datetime(2026, 1, 1, tzinfo=UTC),
        "_sdc_received_at": datetime(2026, 1, 2, tzinfo=UTC),
        "_sdc_batched_at": datetime(2026, 1, 3, tzinfo=UTC),
        "_sdc_deleted_at": None,
        "_sdc_sequence": 8,
        "_sdc_table_version": None,
    }


def test_a_misfit_names_every_column_that_is_too_narrow_at_once():
    """So that a batch is read again once, not once a column."""
    schema = {"properties": {"a": INT, "b": INT, "c": INT}}
    batch = Batch.from_rows("s", schema, (), [{"a": 2**64, "b": 2**200, "c": 1}, {"a": 1, "b": 1, "c": 2}])
    reader = ArrowReader([Column(name, kinds.BIGINT, "integer") for name in "abc"])
    with pytest.raises(MisfitError) as raised:
        reader.read(batch)
    assert set(raised.value.needed) == {"a", "b"}


def test_doubles_take_only_integers_that_they_hold():
    """A number may be rounded because somebody asked; an integer is not."""
    reader = ArrowReader([Column("a", kinds.DOUBLE, "integer")])
    assert reader.read(batch_of(INT, "3", "null")).column("c0").to_pylist() == [3.0, None]
    with pytest.raises(MisfitError):
        reader.read(batch_of(INT, str(2**53 + 1)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "i": st.none() | st.integers(-(10**40), 10**40),
                "n": st.none()
                | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30),
                "s": st.none() | st.text(max_size=8),
                "b": st.none() | st.booleans(),
                "o": st.none() | st.dictionaries(st.text(max_size=4), json_values, max_size=3),
                "x": json_values,
            },
        ),
        min_size=1,
        max_size=20,
    )
)
def test_rows_and_arrow_say_the_same(rows):
    """Equal values of the declared properties: integers and decimals by value, structures as JSON."""
    schema = {
        "properties": {
            "i": {"type": ["null", "integer"]},
            "n": {"type": ["null", "number"]},
            "s": {"type": ["null", "string"]},
            "b": {"type": ["null", "boolean"]},
            "o": {"type": ["null", "object"]},
            "x": {},
        }
    }
    batch = Batch.from_rows("s", schema, (), rows)
    for row, cells in zip(batch.rows(), batch.arrow().to_pylist(), strict=True):
        assert cells["s"] == row.get("s")
        assert cells["b"] == row.get("b")
        for name in ("i", "n"):
            assert (None if cells[name] is None else Decimal(cells[name])) == row.get(name)
        for name in ("o", "x"):
            assert (None if cells[name] is None else json.loads(cells[name])) == row.get(name)


def test_a_large_batch_of_many_parts_keeps_its_order():
    """Slices meet where they were cut, also around a part that needs the careful way."""
    texts = [str(n) if n != 5000 else "5000.0" for n in range(10_000)]
    parts = [part for start in range(0, 10_000, 700) for part in batch_of(INT, *texts[start : start + 700]).parts]
    batch = Batch("s", {"properties": {"a": INT}}, (), parts)
    assert batch.arrow().column("a").to_pylist() == list(range(10_000))


def test_an_empty_batch_has_its_columns():
    """No rows, all columns."""
    assert Batch("s", {"properties": {"a": INT}}, (), []).arrow().schema == pa.schema([("a", pa.int64())])


def test_decimals_never_round_to_their_column():
    """A column of two places refuses three."""
    reader = ArrowReader([Column("a", decimal(12, 2), "number")])
    with pytest.raises(MisfitError):
        reader.read(batch_of(NUM, "1.005"))


@given(
    number=st.decimals(allow_nan=False, allow_infinity=False) | st.integers(-(10**38), 10**38).map(Decimal),
    exponent=st.integers(-12, 12),
    scale=st.integers(0, 38),
    arrives=st.sampled_from(["number", "string", "integer"]),
)
@example(Decimal(12345678901234567890123456789012345678), 0, 10, "number")
@example(Decimal(12345678901234567890123456789012345678), 0, 10, "integer")
@example(Decimal("2.368659094135101163255241765186E-19"), 0, 10, "number")
def test_no_number_wraps_around(number, exponent, scale, arrives):
    """A decimal column holds a number of whatever size exactly, or says that it cannot."""
    if arrives == "integer":
        number, exponent = Decimal(int(number)) if number.adjusted() < 60 else Decimal(7), 0
    text = f"{number}" if "E" in str(number) or not exponent else f"{number}e{exponent}"
    line = f'{{"x": "{text}"}}\n' if arrives == "string" else f'{{"x": {text}}}\n'
    definition = {
        "string": {"type": "string", "format": "singer.decimal"},
        "number": {"type": "number"},
        "integer": {"type": "integer"},
    }[arrives]
    batch = Batch("s", {"properties": {"x": definition}}, (), [Rows("s", line.encode(), 1, 1, 1)])
    try:
        (read,) = ArrowReader([Column("x", decimal(38, scale), arrives)]).read(batch).column(0).to_pylist()
    except MisfitError:
        return
    assert read == Decimal(text)
