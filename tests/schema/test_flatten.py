"""Flattening: objects become columns, the rest JSON text, nothing is lost and no digit changes."""

import copy
import json
from decimal import Decimal

import hypothesis.strategies as st
import jsonschema
import pytest
from hypothesis import given, settings

from singer_kit.errors import SchemaError
from singer_kit.schema.flatten import flatten_schema

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "customer": {
            "type": ["null", "object"],
            "properties": {
                "name": {"type": "string"},
                "since": {"type": "string", "format": "date"},
                "address": {
                    "type": "object",
                    "properties": {"city": {"type": ["null", "string"]}, "geo": {"type": "object"}},
                    "required": ["city"],
                },
            },
            "required": ["name"],
        },
        "size": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
        "tags": {"type": ["null", "array"], "items": {"type": "string"}},
        "free": {"type": "object"},
        "any": {},
        "maybe": {"anyOf": [{"type": "object", "properties": {"a": {"type": "integer"}}}, {"type": "null"}]},
        "mixed": {"anyOf": [{"type": "integer"}, {"type": "array"}]},
        "when": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    },
    "required": ["id", "customer", "size"],
}
ROW = {
    "id": 1,
    "customer": {"name": "Ada", "since": "1843-01-01", "address": {"city": "London", "geo": {"lat": Decimal("51.50")}}},
    "size": {"x": Decimal("1.10")},
    "tags": ["a", 'q"'],
    "free": {"k": [1, Decimal("2.50")]},
    "any": 5,
    "maybe": {"a": 1},
    "mixed": [1],
    "when": "2024-01-01T00:00:00Z",
}


def test_one_level():
    """With depth 1 the first level becomes columns, deeper objects and arrays become JSON text."""
    schema, flatten = flatten_schema(SCHEMA, 1)
    assert schema["properties"] == {
        "id": {"type": "integer"},
        "customer__name": {"type": ["null", "string"]},
        "customer__since": {"type": ["null", "string"], "format": "date"},
        "customer__address": {"type": ["null", "string"]},
        "size__x": {"type": "number"},
        "tags": {"type": ["null", "string"]},
        "free": {"type": "string"},
        "any": {"type": ["null", "string"]},
        "maybe__a": {"type": ["null", "integer"]},
        "mixed": {"type": "string"},
        "when": SCHEMA["properties"]["when"],
    }
    assert schema["required"] == ["id", "size__x"]
    assert flatten([ROW]) == [
        {
            "id": 1,
            "customer__name": "Ada",
            "customer__since": "1843-01-01",
            "customer__address": '{"city":"London","geo":{"lat":51.50}}',
            "size__x": Decimal("1.10"),
            "tags": '["a","q\\""]',
            "free": '{"k":[1,2.50]}',
            "any": "5",
            "maybe__a": 1,
            "mixed": "[1]",
            "when": "2024-01-01T00:00:00Z",
        }
    ]


def test_two_levels_and_separator():
    """The depth counts levels; the separator joins the names."""
    schema, flatten = flatten_schema(SCHEMA, 2, ".")
    assert "customer.address.city" in schema["properties"]
    (row,) = flatten([ROW])
    assert row["customer.address.city"] == "London"
    assert row["customer.address.geo"] == '{"lat":51.50}'
    assert str(row["size.x"]) == "1.10"


def test_null_and_absent_parents():
    """A null object makes its columns null, an absent one leaves them absent."""
    _, flatten = flatten_schema(SCHEMA, 2)
    rows = flatten([{"id": 1, "customer": None, "size": {"x": 1}}, {"id": 2, "maybe": None}])
    assert rows[0] == {
        "id": 1,
        "customer__name": None,
        "customer__since": None,
        "customer__address__city": None,
        "customer__address__geo": None,
        "size__x": 1,
    }
    assert rows[1] == {"id": 2, "maybe__a": None}


def test_rows_and_schema_are_not_changed():
    """What was given is as it was."""
    before = copy.deepcopy((SCHEMA, ROW))
    _, flatten = flatten_schema(SCHEMA, 3)
    flatten([ROW])
    assert before == (SCHEMA, ROW)


def test_a_flat_schema_is_given_back():
    """Without objects and arrays the schema and the rows are the very same."""
    flat = {"type": "object", "properties": {"id": {"type": "integer"}, "n": {"type": ["null", "string"]}}}
    schema, flatten = flatten_schema(flat, 3)
    rows = [{"id": 1}]
    assert schema is flat
    assert flatten(rows) is rows


def test_long_names_are_cut_deterministically():
    """A name beyond the limit is cut and ends in a hash of the whole name."""
    schema = {"type": "object", "properties": {"a" * 40: {"type": "object", "properties": {"b": {}, "c": {}}}}}
    names = list(flatten_schema(schema, 1, max_key_length=30)[0]["properties"])
    assert [len(name) for name in names] == [30, 30]
    assert len(set(names)) == 2
    assert names == list(flatten_schema(schema, 1, max_key_length=30)[0]["properties"])


def test_two_properties_in_one_column_are_refused():
    """`a__b` beside `a: {b}` is an error that names both."""
    schema = {
        "type": "object",
        "properties": {"a__b": {"type": "string"}, "a": {"type": "object", "properties": {"b": {"type": "string"}}}},
    }
    with pytest.raises(SchemaError, match="a__b"):
        flatten_schema(schema, 1, stream="s")


def test_a_row_that_is_not_as_declared_is_refused():
    """A text where an object is declared stops; its type is named, not its value."""
    _, flatten = flatten_schema(SCHEMA, 1, stream="s")
    with pytest.raises(SchemaError) as caught:
        flatten([{"id": 1, "customer": "secret"}])
    assert "secret" not in str(caught.value)
    assert "customer" in str(caught.value)
    with pytest.raises(SchemaError):
        flatten([{"id": 1, "free": {"x": float("nan")}}])


def test_undeclared_members_are_flattened_but_never_over_a_declared_one():
    """A member that is not declared gets its flat name, unless a declared property has it."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "object", "properties": {"b": {"type": "integer"}}}, "a__x": {"type": "integer"}},
    }
    _, flatten = flatten_schema(schema, 1)
    assert flatten([{"a": {"b": 1, "c": 2, "x": 3}, "a__x": 4}]) == [{"a__b": 1, "a__c": 2, "a__x": 4}]


scalars = {
    "integer": st.integers(),
    "number": st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000),
    "string": st.text(max_size=5),
    "boolean": st.booleans(),
}


@st.composite
def schema_and_value(draw, depth=0):
    """A schema and a value that it accepts."""
    kind = draw(st.sampled_from([*scalars, "array", *(["object"] * 3 if depth < 3 else [])]))
    null = draw(st.booleans())
    if kind == "object":
        names = draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True, max_size=3))
        parts = {name: draw(schema_and_value(depth + 1)) for name in names}
        absent = draw(st.sets(st.sampled_from(names))) if names else set()
        schema = {
            "type": ["null", "object"] if null else "object",
            "properties": {name: part[0] for name, part in parts.items()},
            "required": [name for name in names if name not in absent],
        }
        value = {name: part[1] for name, part in parts.items() if name not in absent}
    elif kind == "array":
        schema = {"type": ["null", "array"] if null else "array", "items": {}}
        value = draw(st.lists(st.integers() | st.text(max_size=3), max_size=3))
    else:
        schema = {"type": ["null", kind] if null else kind}
        value = draw(scalars[kind])
    return schema, None if null and draw(st.booleans()) else value


@given(st.lists(schema_and_value(), min_size=1, max_size=3), st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_flat_rows_keep_the_flat_schema_and_lose_nothing(parts, depth):
    """Whatever the schema, a valid row becomes a valid flat row, and its leaves are all there."""
    schema = {
        "type": "object",
        "properties": {f"p{i}": part[0] for i, part in enumerate(parts)},
        "required": [f"p{i}" for i in range(len(parts))],
    }
    row = {f"p{i}": part[1] for i, part in enumerate(parts)}
    flat_schema, flatten = flatten_schema(schema, depth)
    (flat,) = flatten([row])
    assert set(flat) <= set(flat_schema["properties"])
    assert not any(isinstance(value, (dict, list)) for value in flat.values())
    jsonschema.validate({name: float(v) if isinstance(v, Decimal) else v for name, v in flat.items()}, flat_schema)
    assert sorted(map(repr, _leaves(row))) == sorted(map(repr, _leaves_of_flat(flat, flat_schema, schema)))


def _leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [] if value is None else [value]


def _leaves_of_flat(flat, flat_schema, schema):
    texts = _text_columns(schema, flat_schema)
    return [
        leaf
        for name, value in flat.items()
        for leaf in _leaves(json.loads(value, parse_float=Decimal) if name in texts and value is not None else value)
    ]


def _text_columns(schema, flat_schema):
    def kinds(node, path):
        for name, declared in node["properties"].items():
            types = declared["type"] if isinstance(declared["type"], list) else [declared["type"]]
            column = "__".join([*path, name])
            if column in flat_schema["properties"] and ("object" in types or "array" in types):
                found.add(column)
            if "object" in types:
                kinds(declared, [*path, name])

    found = set()
    kinds(schema, [])
    return found
