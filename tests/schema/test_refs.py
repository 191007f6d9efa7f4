"""References are inlined without a change of meaning."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.errors import SchemaError
from singer_kit.schema.drafts import beyond_draft_7, to_draft_7
from singer_kit.schema.refs import has_refs, resolve_refs
from singer_kit.schema.sources import schema_from_file, schemas_from_directory


@pytest.mark.parametrize(
    ("ref", "names"),
    [
        ("#/definitions/name", {"definitions": {"name": {"type": "string"}}}),
        ("#/$defs/name", {"$defs": {"name": {"type": "string"}}}),
        ("#/$defs/a~1b~0c%20d", {"$defs": {"a/b~c d": {"type": "string"}}}),
        ("#/components/schemas/0", {"components": {"schemas": [{"type": "string"}]}}),
        ("#/properties/other", {"properties": {"other": {"type": "string"}}}),
        ("#name", {"$defs": {"x": {"$anchor": "name", "type": "string"}}}),
        ("#name", {"definitions": {"x": {"$id": "#name", "type": "string"}}}),
        ("#name", {"definitions": {"x": {"id": "#name", "type": "string"}}}),
        (
            "https://example.com/name.json",
            {"$defs": {"x": {"$id": "https://example.com/name.json", "type": "string"}}},
        ),
        ("name.json#/$defs/y", {"$defs": {"x": {"$id": "name.json", "$defs": {"y": {"type": "string"}}}}}),
    ],
)
def test_every_way_to_refer_within_a_document(ref: str, names: dict[str, Any]) -> None:
    """Pointers, anchors and ids all lead to the schema that they name."""
    schema = {"type": "object", **names, "properties": {**names.get("properties", {}), "a": {"$ref": ref}}}
    before = json.dumps(schema)
    resolved = resolve_refs(schema)
    assert resolved["properties"]["a"]["type"] == "string"
    assert "$defs" not in resolved
    assert "definitions" not in resolved
    assert not has_refs(resolved)
    assert json.dumps(schema) == before


def test_what_is_no_schema_is_left_alone() -> None:
    """A property named $ref and a $ref inside a constant are data."""
    schema = {
        "type": "object",
        "properties": {"$ref": {"type": "string"}, "definitions": {"type": "integer"}},
        "default": {"$ref": "x"},
        "enum": [{"$ref": "#/nowhere"}],
        "dependencies": {"$ref": ["definitions"]},
    }
    assert resolve_refs(schema) == schema
    assert not has_refs(schema)


def test_keywords_beside_a_reference() -> None:
    """They apply too; where they would mix with what is referred to, both stand in an allOf."""
    defs = {"$defs": {"n": {"type": "number", "minimum": 0, "title": "N"}, "o": {"properties": {"a": {}}}}}
    schema = resolve_refs(
        {
            **defs,
            "properties": {
                "described": {"$ref": "#/$defs/n", "description": "d", "title": "M"},
                "bounded": {"$ref": "#/$defs/n", "maximum": 9},
                "twice": {"$ref": "#/$defs/n", "minimum": 5},
                "closed": {"$ref": "#/$defs/o", "additionalProperties": False, "description": "d"},
            },
        }
    )
    number = {"type": "number", "minimum": 0, "title": "N"}
    assert schema["properties"] == {
        "described": {**number, "description": "d", "title": "M"},
        "bounded": {**number, "maximum": 9},
        "twice": {"allOf": [number, {"minimum": 5}], "title": "N"},
        "closed": {"allOf": [{"properties": {"a": {}}}, {"additionalProperties": False}], "description": "d"},
    }


def test_keywords_beside_a_reference_of_an_older_draft_do_not_apply() -> None:
    """When $schema says a draft up to 7, only annotations beside a $ref are read."""
    schema = resolve_refs(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"n": {"type": "number"}},
            "properties": {"a": {"$ref": "#/definitions/n", "minimum": 5, "description": "d"}},
        }
    )
    assert schema["properties"]["a"] == {"type": "number", "description": "d"}


def test_files_refer_to_each_other(tmp_path: Path) -> None:
    """A reference to a file is read relative to the file it stands in."""
    (tmp_path / "deep").mkdir()
    write = lambda name, value: (tmp_path / name).write_text(json.dumps(value))  # noqa: E731
    write("order.json", {"type": "object", "properties": {"user": {"$ref": "deep/user.json#/$defs/user"}}})
    write(
        "deep/user.json",
        {
            "$defs": {
                "user": {"properties": {"name": {"$ref": "name.json"}, "id": {"$ref": "#/$defs/id"}}},
                "id": {"type": "integer"},
            }
        },
    )
    write("deep/name.json", {"type": "string"})
    user = {"properties": {"name": {"type": "string"}, "id": {"type": "integer"}}}
    assert schema_from_file(tmp_path / "order.json") == {"type": "object", "properties": {"user": user}}
    assert schema_from_file(tmp_path / "deep/user.json", "/$defs/user") == user


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"properties": {"a": {"$ref": "#/definitions/none"}}}, "not there"),
        ({"$ref": "#none"}, "not there"),
        ({"properties": {"a": {"$ref": "#"}}}, "refers to itself"),
        (
            {
                "$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"not": {"$ref": "#/$defs/a"}}},
                "$ref": "#/$defs/a",
            },
            "refers to itself",
        ),
        ({"$ref": "#"}, "refers to itself"),
        ({"$ref": "https://example.com/x.json"}, "nothing is fetched"),
        ({"$ref": "other.json"}, "did not come from one"),
        ({"$ref": 3}, "not a string"),
        ({"$dynamicRef": "#a"}, "cannot be inlined"),
    ],
)
def test_a_reference_that_cannot_be_inlined_is_an_error(schema: dict[str, Any], sentence: str) -> None:
    """Dead ends, circles and other machines each have their own sentence."""
    with pytest.raises(SchemaError, match=sentence):
        resolve_refs(schema)


def test_a_circle_is_named() -> None:
    """The error shows the way round."""
    schema = {
        "$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"items": {"$ref": "#/$defs/a"}}},
        "$ref": "#/$defs/a",
    }
    with pytest.raises(SchemaError) as caught:
        resolve_refs(schema)
    assert "#/$defs/a -> #/$defs/b -> #/$defs/a" in str(caught.value)


def test_definitions_that_explode_are_refused() -> None:
    """Thirty definitions that each use the next twice are an error, soon."""
    defs = {f"d{n}": {"items": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(30)}
    with pytest.raises(SchemaError, match="100000"):
        resolve_refs({"$defs": {**defs, "d30": {}}, "$ref": "#/$defs/d0"})


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    """The error tells which file cannot be read."""
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "torn.json").write_text("{")
    (tmp_path / "a.json").write_text('{"$ref": "gone.json"}')
    for name, culprit in (
        ("none", "none"),
        ("list.json", "list.json"),
        ("torn.json", "torn.json"),
        ("a.json", "gone.json"),
    ):
        with pytest.raises(SchemaError) as caught:
            schema_from_file(tmp_path / name).to_dict()
        assert culprit in str(caught.value)


def test_a_directory_is_read_when_it_is_asked(tmp_path: Path) -> None:
    """Naming a folder reads nothing; its schemas go by their file names."""
    schemas = schemas_from_directory(tmp_path / "schemas")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "users.json").write_text('{"type": "object", "properties": {}}')
    (tmp_path / "schemas" / "broken.json").write_text("{")
    assert list(schemas) == ["broken", "users"]
    assert "users" in schemas
    assert schemas["users"]["type"] == "object"
    with pytest.raises(SchemaError, match="'user'") as caught:
        schemas["user"]
    assert "users" in caught.value.next_step
    with pytest.raises(SchemaError, match="not there"):
        len(schemas_from_directory(tmp_path / "none"))


NUMBERS = st.integers(-3, 3)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.text("ab", max_size=2))
RECORDS = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abc"), below),
    max_leaves=5,
)
BOUNDS = st.fixed_dictionaries(
    {},
    optional={
        "minimum": NUMBERS,
        "maximum": NUMBERS,
        "exclusiveMinimum": st.booleans(),
        "exclusiveMaximum": st.booleans(),
    },
).map(lambda s: {k: v for k, v in s.items() if not k.startswith("exclusive") or k.replace("exclusiveM", "m") in s})
LATER = st.recursive(
    st.sampled_from([{}, True, False, {"type": "integer"}, {"type": "string"}]),
    lambda below: st.fixed_dictionaries(
        {},
        optional={
            "prefixItems": st.lists(below, min_size=1, max_size=2),
            "items": below,
            "dependentRequired": st.fixed_dictionaries({}, optional={"a": st.just(["b"]), "b": st.just(["c"])}),
            "dependentSchemas": st.fixed_dictionaries({}, optional={"a": below, "c": below}),
            "properties": st.fixed_dictionaries({}, optional={"a": below}),
        },
    ),
    max_leaves=6,
)


@given(BOUNDS, RECORDS)
def test_draft_4_bounds_keep_their_meaning(bounds: dict[str, Any], record: Any) -> None:
    """A schema of Draft 4 accepts in Draft 7's words what it accepted before."""
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "items": bounds,
        "properties": {"a": bounds},
    }
    before = jsonschema.Draft4Validator(schema).is_valid(record)
    assert jsonschema.Draft7Validator(to_draft_7(schema)).is_valid(record) == before


@given(LATER.filter(lambda schema: isinstance(schema, dict)), RECORDS)
def test_the_later_drafts_keep_their_meaning(later: dict[str, Any], record: Any) -> None:
    """A schema of 2020-12 accepts in Draft 7's words what it accepted before."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **later}
    before = jsonschema.Draft202012Validator(schema).is_valid(record)
    assert jsonschema.Draft7Validator(to_draft_7(schema)).is_valid(record) == before


def test_what_draft_7_cannot_say_is_kept() -> None:
    """A schema with a keyword of a later draft stays as it is, and the keyword can be named."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "items": {"unevaluatedProperties": False},
    }
    assert to_draft_7(schema) == schema
    assert beyond_draft_7(schema) == {"unevaluatedProperties"}
