"""An inferred schema is kept by every record it was inferred from, in whatever order they came."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit import codec
from singer_kit.errors import SchemaError
from singer_kit.schema.infer import Inference, infer_schema
from singer_kit.schema.reference import Reference, check_schema

TEXTS = st.one_of(
    st.text(max_size=3),
    st.sampled_from(
        [
            "2024-01-31",
            "2024-02-30",
            "0000-01-01",
            "2024-02-29",
            "2024-01-31T10:00:00Z",
            "2024-01-31T10:00:00.123456789+05:30",
            "2024-01-31T10:00:00",
            "2024-01-31 10:00:00Z",
            "2024-01-31T24:00:00Z",
            "2024-01-31T10:00:60Z",
            "2024-01-31t10:00:00z",
            "2024-02-30T10:00:00Z",
            "2024-01-31\n",
            "٢٠٢٤-٠١-٣١",
            "20240131",
        ]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**80), 2**80),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
NAMES = st.sampled_from(["a", "b", "c", "", "é"])
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3), max_leaves=6
)
RECORDS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=6)


@settings(max_examples=150, deadline=None)
@given(RECORDS, st.booleans())
def test_every_record_keeps_the_schema(records: list[dict[str, Any]], strict: bool) -> None:
    """The law of validation accepts all that was seen."""
    schema = infer_schema(records, strict=strict)
    check_schema(schema)
    law = Reference(schema)
    for record in records:
        assert law.problems(record) == []


@settings(max_examples=150, deadline=None)
@given(st.data(), RECORDS, st.booleans())
def test_order_and_division_do_not_matter(data: st.DataObject, records: list[dict[str, Any]], strict: bool) -> None:
    """Shuffled records, and parts merged in any order, give the same schema."""
    schema = infer_schema(records, strict=strict)
    shuffled = data.draw(st.permutations(records))
    assert infer_schema(shuffled, strict=strict) == schema
    cut = data.draw(st.integers(0, len(records)))
    left, right = Inference(), Inference()
    for part, inference in ((shuffled[:cut], left), (shuffled[cut:], right)):
        for record in part:
            inference.add(record)
    before = left.schema(strict=strict)
    assert right.merge(left).schema(strict=strict) == schema
    assert left.schema(strict=strict) == before
    assert right.count == len(records)


def test_what_is_inferred() -> None:
    """Whole numbers stay whole at any size, digits stay, dates and instants are told apart."""
    lines = [
        b'{"id":1,"big":18446744073709551616,"price":12.30,"mixed":1,"day":"2024-01-31","at":"2024-01-31T10:00:00Z"}',
        b'{"id":2,"big":1,"price":7,"mixed":"x","day":"2024-02-01","at":"2024-01-31T10:00:00.5+02:00"}',
        b'{"id":3,"big":-1,"price":null,"mixed":true,"day":"2024-02-02","naive":"2024-01-31T10:00:00"}',
        b'{"id":4,"tags":["a","b"],"empty":[],"none":null,"user":{"name":"x"}}',
        b'{"id":5,"tags":[null],"empty":[],"none":null,"user":{"name":"y","age":1}}',
    ]
    schema = infer_schema(map(codec.decode, lines), ["id"])
    assert schema == {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "big": {"type": ["integer", "null"]},
            "price": {"type": ["number", "null"]},
            "mixed": {"type": ["boolean", "integer", "string", "null"]},
            "day": {"type": ["string", "null"], "format": "date"},
            "at": {"type": ["string", "null"], "format": "date-time"},
            "naive": {"type": ["string", "null"]},
            "tags": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
            "empty": {"type": ["array", "null"]},
            "none": {"type": ["string", "number", "integer", "boolean", "object", "array", "null"]},
            "user": {
                "type": ["object", "null"],
                "properties": {"name": {"type": ["string", "null"]}, "age": {"type": ["integer", "null"]}},
            },
        },
        "required": ["id"],
    }
    assert list(schema["properties"])[:3] == ["id", "big", "price"]


def test_strict_says_what_was_seen() -> None:
    """With `strict`, null is allowed where it was seen and required is what was always there."""
    records: list[dict[str, Any]] = [{"a": 1, "b": None, "c": 1}, {"a": Decimal("1.5"), "b": "x"}]
    assert infer_schema(records, strict=True) == {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": ["string", "null"]}, "c": {"type": ["integer", "null"]}},
        "required": ["a", "b"],
    }


def test_a_key_must_always_have_a_value() -> None:
    """A key that is missing or null in some record is an error, not a wrong schema."""
    for records in ([{"id": 1}, {}], [{"id": 1}, {"id": None}], []):
        with pytest.raises(SchemaError, match="'id' cannot be a key"):
            infer_schema(records, ["id"])


def test_what_is_no_json_is_refused() -> None:
    """A record that is no object, and a value that JSON does not have, are errors without the value."""
    with pytest.raises(SchemaError, match="is a list"):
        infer_schema([[1]])  # type: ignore[list-item]
    with pytest.raises(SchemaError, match="holds a complex"):
        infer_schema([{"a": 1j}])
