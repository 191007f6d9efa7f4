"""Which names a schema declares."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.schema.names import declared_check, join_name, names_of, split_name


@given(st.lists(st.text(alphabet="ab.\\é ", min_size=0, max_size=4), min_size=1, max_size=4))
def test_a_dotted_name_can_be_taken_apart(steps: list[str]) -> None:
    """Whatever dots and backslashes the names hold."""
    dotted = ""
    for number, step in enumerate(steps):
        dotted = join_name(dotted, step) if number else join_name("", step)
    if steps[0]:
        assert split_name(dotted) == steps


STRING = {"type": "string"}
RECORD = {"a": 1, "b": {"c": 1, "d": 2}, "l": [{"c": 1, "d": 2}], "n": None}


@pytest.mark.parametrize(
    ("schema", "undeclared"),
    [
        ({}, set()),
        ({"type": "object"}, set()),
        ({"properties": {"a": {}}}, {"b", "l", "n"}),
        ({"properties": {"a": {}}, "additionalProperties": True}, set()),
        ({"properties": {"a": {}}, "additionalProperties": {}}, set()),
        ({"properties": {"a": {}}, "additionalProperties": False}, set()),
        ({"properties": {"a": {}}, "patternProperties": {"^b": {}}}, set()),
        ({"properties": {"a": {}, "b": {"type": "object", "properties": {"c": {}}}, "l": {}, "n": {}}}, {"b.d"}),
        ({"properties": {"a": {}, "b": {"properties": {"c": {}}}, "l": {}, "n": {}}}, set()),
        (
            {
                "properties": {
                    "a": {},
                    "b": {},
                    "l": {"type": "array", "items": {"type": "object", "properties": {"c": {}}}},
                    "n": {},
                }
            },
            {"l.d"},
        ),
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}], "properties": {"l": {}}}, {"n"}),
        ({"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}, "l": {}}}]}, {"n"}),
        (
            {"if": {"properties": {"a": {}}}, "then": {"properties": {"b": {}}}, "else": {"properties": {"n": {}}}},
            {"l"},
        ),
        ({"dependencies": {"a": {"properties": {"b": {}, "a": {}, "n": {}}}}}, {"l"}),
        ({"not": {"properties": {"x": {}}}, "properties": {"a": {}, "b": {}, "l": {}}}, {"n"}),
        (
            {
                "properties": {"a": {}, "b": {"$ref": "#/definitions/b"}, "l": {}, "n": {}},
                "definitions": {"b": {"type": ["null", "object"], "properties": {"c": {}}}},
            },
            {"b.d"},
        ),
        ({"properties": {"a": {}, "b": {"$ref": "#"}, "l": {}, "n": {}}}, set()),
        ({"properties": {"a": {}, "b": {"$ref": "#/nowhere"}, "l": {}, "n": {}}}, set()),
        (
            {
                "properties": {
                    "a": {},
                    "b": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"c": {"type": "integer"}}}]},
                    "l": {},
                    "n": {},
                }
            },
            {"b.d"},
        ),
    ],
)
def test_undeclared_is_what_an_object_with_properties_says_nothing_of(schema: Any, undeclared: set[str]) -> None:
    """At every depth, alternatives and references included; an object that may hold others is taken whole."""
    names = names_of(schema)
    assert set(names.undeclared(RECORD)) == undeclared
    check = declared_check(names)
    assert (check is None or check(RECORD)) is (not undeclared)


@pytest.mark.parametrize(
    "schema",
    [
        {
            "properties": {"b": {"type": ["object", "string"], "properties": {"c": {}}}},
            "then": {"properties": {"b": STRING}},
        },
        {"properties": {"b": {}}, "anyOf": [{"properties": {"b": STRING}}, {"properties": {"b": {"type": "object"}}}]},
        {"properties": {"b": {}}, "dependencies": {"a": {"properties": {"b": STRING}}}},
        {"properties": {"b": {"$ref": "#/definitions/b", "type": "string"}}, "definitions": {"b": {}}},
    ],
)
def test_a_condition_excludes_no_kind_of_value(schema: Any) -> None:
    """An object may stand where only some alternative, or an ignored neighbour, says string."""
    assert "object" in names_of(schema).fields["b"].kinds


@pytest.mark.parametrize("keyword", ["contains", "unevaluatedItems", "prefixItems"])
def test_items_may_be_anything_unless_all_are_declared(keyword: str) -> None:
    """What some items must be says nothing of the others."""
    inner = {"type": "object", "properties": {"c": {}}}
    schema = {"properties": {"l": {"type": "array", keyword: [inner] if keyword == "prefixItems" else inner}}}
    assert names_of(schema).fields["l"].is_whole


def test_declaring_reaches_into_arrays_and_leaves_whole_objects_whole() -> None:
    """A name of an item is written as the array's."""
    schema = {
        "properties": {
            "l": {"type": "array", "items": {"type": "object", "properties": {"c": STRING}}},
            "whole": {"type": "object"},
        }
    }
    names = names_of(schema)
    names.declare(["l.d", "whole.x", "top", "no.where"])
    record = {"l": [{"c": "", "d": {"deep": 1}}], "whole": {"y": 1}, "top": {"z": 1}}
    assert set(names.undeclared(record)) == set()
    assert set(names.undeclared({"l": [{"e": 1}], "other": 1})) == {"l.e", "other"}
