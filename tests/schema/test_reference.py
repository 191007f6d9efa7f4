"""The reference: which draft judges, what differs from plain jsonschema, and how a refusal is worded."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.codec import decode, encode
from singer_kit.errors import SchemaError
from singer_kit.schema.dialect import KEYWORDS, draft_of
from singer_kit.schema.reference import Problem, Reference, check_schema, problems

STOCK: dict[str, Any] = {
    "4": jsonschema.Draft4Validator,
    "6": jsonschema.Draft6Validator,
    "7": jsonschema.Draft7Validator,
    "2019-09": jsonschema.Draft201909Validator,
    "2020-12": jsonschema.Draft202012Validator,
}


@pytest.mark.parametrize("draft", sorted(KEYWORDS))
def test_the_keywords_of_a_draft_are_those_jsonschema_judges_by(draft: Any) -> None:
    """So that the fast tiers leave out just what the reference leaves out."""
    assert KEYWORDS[draft] == STOCK[draft].VALIDATORS.keys()


@pytest.mark.parametrize(
    ("schema", "draft"),
    [
        ({}, "7"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "4"),
        ({"$schema": "http://json-schema.org/draft-06/schema"}, "6"),
        ({"$schema": "https://json-schema.org/draft-07/schema#"}, "7"),
        ({"$schema": "https://json-schema.org/draft/2019-09/schema"}, "2019-09"),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema#"}, "2020-12"),
        ({"$schema": "http://json-schema.org/schema#"}, "7"),
        ({"$schema": "urn:of-ours"}, "7"),
        ({"properties": {"a": {"minimum": 0, "exclusiveMinimum": True}}}, "4"),
        ({"properties": {"exclusiveMinimum": {"type": "boolean"}}}, "7"),
        ({"properties": {"a": {"prefixItems": [{}]}}}, "2020-12"),
        ({"properties": {"prefixItems": {"type": "array"}}}, "7"),
        ({"properties": {"a": {"items": [{}], "unevaluatedItems": False}}}, "2019-09"),
        ({"properties": {"a": {"$ref": "#/definitions/b", "minLength": 1}}}, "2020-12"),
        ({"properties": {"a": {"$ref": "#/definitions/b", "title": "A"}}}, "7"),
        ({"properties": {"a": {"$ref": "#/definitions/b", "minLength": 1}}, "dependencies": {"a": ["b"]}}, "7"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "prefixItems": [{}]}, "7"),
    ],
)
def test_a_schema_is_judged_by_its_own_draft(schema: dict[str, Any], draft: str) -> None:
    """`$schema` decides; without it Draft 7, unless the schema says what Draft 7 cannot mean."""
    assert draft_of(schema) == draft


def test_draft_3_is_refused() -> None:
    """Its `required` and `extends` would be passed over in silence."""
    with pytest.raises(SchemaError, match="Draft 3"):
        draft_of({"$schema": "http://json-schema.org/draft-03/schema#"})


ANY_DRAFT = sorted(STOCK)
NAMED = {draft: validator.META_SCHEMA.get("$id", validator.META_SCHEMA.get("id")) for draft, validator in STOCK.items()}


@pytest.mark.parametrize("draft", ANY_DRAFT)
@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "number"}, [1, Decimal("0.1"), 2**70, 0.5], [True, "1", None, float("nan"), float("inf")]),
        ({"type": "integer"}, [1, 1.0, Decimal("1.0"), Decimal("1E+2"), 2**70], [1.5, Decimal("0.1"), True, "1"]),
        (
            {"multipleOf": 0.01},
            [Decimal("70.07"), 70.07, Decimal("19.99"), 19.99, 3, 0, Decimal("-0.0"), Decimal("1E+999999999")],
            [Decimal("70.071"), 0.001, Decimal("1E-999999999")],
        ),
        ({"multipleOf": Decimal("0.3")}, [Decimal("0.9"), 3, Decimal("0.30")], [1, Decimal("0.30000000000000001")]),
        ({"multipleOf": 7}, [14, Decimal("21.0"), 7**40], [7**40 + 1, Decimal("0.7")]),
        ({"minimum": 0.1}, [Decimal("0.1"), 0.1, 1], [Decimal("0.09999999999999999999"), 0]),
        ({"maximum": 0.3}, [Decimal("0.3"), 0.3], [Decimal("0.30000000000000001")]),
        (
            {"enum": [0.1, 1]},
            [Decimal("0.1"), Decimal("0.10"), 0.1, 1, Decimal("1.0")],
            [True, Decimal("0.1000000000000000001")],
        ),
        ({"uniqueItems": True}, [[1, True], [0, False]], [[1, Decimal("1.0")], [0.1, Decimal("0.1")]]),
        ({"format": "uuid"}, ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", 1], ["x"]),
        ({"format": "date"}, ["2026-01-01", 1], ["2026-02-30"]),
        ({"format": "singer.decimal", "precision": 3, "scale": 1}, ["12345.678", "1e9", 5], ["NaN", "", "1 "]),
        ({"format": "x-singer.decimal"}, ["1.10"], ["x"]),
    ],
)
def test_numbers_and_formats_mean_the_same_in_every_draft(
    draft: str, schema: Any, good: list[Any], bad: list[Any]
) -> None:
    """Exact numbers, whole numbers with a point, and every format, whichever draft is named."""
    reference = Reference({"$schema": NAMED[draft], **schema})
    for value in good:
        assert reference.accepts(value), value
    for value in bad:
        assert not reference.accepts(value), value


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_it_is_jsonschema_for_whole_numbers(seed: int, schema_with_records: Callable[[int], Any]) -> None:
    """Where our changes cannot matter the stock validators give the same verdict."""
    schema, records = schema_with_records(seed)
    if any(word in repr(schema) for word in ("multipleOf", "Decimal", "decimal", "0.", "1.5", "additionalItems")):
        schema = {"$schema": schema.get("$schema", NAMED["7"]), "properties": {"a": {"enum": [1, "a"]}}}
    stock = STOCK[draft_of(schema)](schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    reference = Reference(schema, check=False)
    for record in records:
        plain = decode(encode(record))
        if "Decimal" not in repr(plain):
            assert reference.accepts(plain) is stock.is_valid(plain)


def at_x(keyword: str, message: str) -> Problem:
    return Problem("x", "properties.x", keyword, message)


WORDS: list[tuple[dict[str, Any], Any, Problem]] = [
    ({"type": "string"}, 5, at_x("type", "is an integer but the schema says string")),
    (
        {"type": ["null", "number", "boolean"]},
        "secret",
        at_x("type", "is a string but the schema says null, number or boolean"),
    ),
    ({"type": "object"}, None, at_x("type", "is null but the schema says object")),
    (
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
        "secret",
        at_x("anyOf", "is a string but the schema says null or integer"),
    ),
    (
        {"oneOf": [{"type": "null"}, {"type": "string", "maxLength": 1}]},
        "secret",
        None,
    ),
    (
        {"oneOf": [{}, {}]},
        1,
        at_x("oneOf", "fits more than one alternative of oneOf, and must fit exactly one"),
    ),
    (
        {"properties": {"y": {"type": "string"}}},
        {"y": 1.5},
        Problem("x.y", "properties.x.properties.y", "type", "is a number but the schema says string"),
    ),
    (
        {"items": {"type": "string"}},
        ["a", []],
        Problem("x.1", "properties.x.items", "type", "is an array but the schema says string"),
    ),
    ({"required": ["y"]}, {}, Problem("x.y", "properties.x", "required", "is required and missing")),
    (
        {"properties": {"y": {}}, "additionalProperties": False},
        {"y": 1, "z": "secret"},
        Problem("x.z", "properties.x", "additionalProperties", "is not declared, and the schema allows nothing else"),
    ),
    ({"format": "date-time"}, "secret", at_x("format", "is a string but no date-time")),
    (
        {"enum": ["a", "b"]},
        "secret",
        at_x("enum", "is none of the 2 values that the schema lists"),
    ),
    ({"const": "a"}, "secret", at_x("const", "is not the one value that the schema allows")),
    ({"pattern": "^[0-9]+$"}, "secret", at_x("pattern", "does not match the pattern ^[0-9]+$")),
    ({"minimum": 3}, 2, at_x("minimum", "is less than the minimum 3")),
    ({"maximum": 0.5}, 2, at_x("maximum", "is greater than the maximum 0.5")),
    ({"exclusiveMinimum": 3}, 3, at_x("exclusiveMinimum", "is not greater than 3")),
    ({"exclusiveMaximum": 3}, 3, at_x("exclusiveMaximum", "is not less than 3")),
    ({"minimum": 3, "exclusiveMinimum": True}, 3, at_x("minimum", "is not greater than 3")),
    ({"maximum": 3, "exclusiveMaximum": True}, 3, at_x("maximum", "is not less than 3")),
    ({"multipleOf": 0.01}, 0.001, at_x("multipleOf", "is not a multiple of 0.01")),
    ({"minLength": 1}, "", at_x("minLength", "is shorter than 1 character")),
    ({"maxLength": 2}, "secret", at_x("maxLength", "is longer than 2 characters")),
    ({"minItems": 1}, [], at_x("minItems", "has less than 1 item")),
    ({"maxItems": 1}, [1, 2], at_x("maxItems", "has more than 1 item")),
    (
        {"uniqueItems": True},
        ["secret", "secret"],
        at_x("uniqueItems", "has the same item twice"),
    ),
    ({"contains": {"type": "null"}}, [1], None),
    ({"contains": {}, "minContains": 2}, [1], None),
    ({"contains": {}, "maxContains": 1}, [1, 2], None),
    ({"prefixItems": [{}], "items": False}, [1, 2], None),
    ({"items": [{}], "additionalItems": False}, [1, 2], None),
    ({"minProperties": 1}, {}, at_x("minProperties", "has less than 1 property")),
    ({"maxProperties": 1}, {"a": 1, "b": 2}, at_x("maxProperties", "has more than 1 property")),
    ({"not": {"maxLength": 9}}, "secret", at_x("not", "is what the schema forbids by not")),
    ({"dependencies": {"a": ["b"]}}, {"a": "secret"}, None),
    ({"dependentRequired": {"a": ["b"]}}, {"a": "secret"}, None),
    ({"properties": {"y": {}}, "unevaluatedProperties": False}, {"z": "secret"}, None),
    ({"prefixItems": [{}], "unevaluatedItems": False}, [1, "secret"], None),
    ({"propertyNames": {"maxLength": 1}}, {"abc": 1}, None),
    ({"if": {"type": "string"}, "then": {"maxLength": 1}}, "secret", None),
]


@pytest.mark.parametrize(("schema", "value", "problem"), WORDS, ids=[next(iter(reversed(row[0]))) for row in WORDS])
def test_a_problem_names_place_and_type_and_never_the_value(
    schema: dict[str, Any], value: Any, problem: Problem | None
) -> None:
    """Path, schema path and keyword lead to the fault; the words tell no secret."""
    (found,) = problems({"type": "object", "properties": {"x": schema}}, {"x": value})
    assert "secret" not in found.message
    assert found.message.split()[0] in ("is", "has", "does", "fits", "lacks"), found.message
    if problem is not None:
        assert found == problem
    assert found.schema_path.startswith("properties.x")
    assert str(found).startswith("'x")


def test_a_false_schema_is_a_problem_too() -> None:
    """`false` has no keyword, so it is called false."""
    assert problems({"properties": {"x": False}}, {"x": 1}) == [
        Problem("x", "properties.x", "false", "is present, and the schema says false")
    ]
    assert str(problems({"required": ["a"]}, {})[0]) == "'a' is required and missing"
    assert str(problems({"minProperties": 1}, {})[0]) == "the record has less than 1 property"


def test_as_many_problems_as_asked_for() -> None:
    """`limit` bounds them; each is of its own place."""
    schema = {"properties": {name: {"type": "string"} for name in "abc"}, "required": ["d", "e"]}
    record = {"a": 1, "b": 2, "c": 3}
    assert [problem.path for problem in problems(schema, record, 9)] == ["a", "b", "c", "d", "e"]
    assert len(problems(schema, record, 2)) == 2
    assert len(problems(schema, record)) == 1


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"properties": {"a": {"type": "strin"}}}, "properties.a.type"),
        ({"properties": {"a": {"pattern": "("}}}, "properties.a.pattern"),
        ({"required": True}, "required"),
        ({"minimum": "1"}, "minimum"),
    ],
)
def test_an_invalid_schema_is_told_with_its_place(schema: dict[str, Any], place: str) -> None:
    """Before any record is judged."""
    with pytest.raises(SchemaError, match="no valid JSON Schema") as caught:
        check_schema(schema)
    assert caught.value.place == f"schema: {place}"
    with pytest.raises(SchemaError):
        Reference(schema)


def test_references_are_never_fetched() -> None:
    """A remote reference, or one that leads nowhere, is a schema error and no request."""
    for reference in ("http://127.0.0.1:9/x.json", "#/definitions/none", "other.json"):
        with pytest.raises(SchemaError, match="leads nowhere"):
            problems({"properties": {"a": {"$ref": reference}}}, {"a": 1})


def test_a_circular_reference_may_pass_through_a_property() -> None:
    """A tree is judged; a schema that is only itself is a schema error, not a crash."""
    tree = {"properties": {"child": {"$ref": "#"}, "n": {"type": "integer"}}}
    assert problems(tree, {"child": {"child": {"n": "x"}}})[0].path == "child.child.n"
    with pytest.raises(SchemaError, match="without end"):
        problems({"$ref": "#"}, {})


def test_a_nested_dialect_changes_nothing() -> None:
    """The root's draft judges all of it, exact numbers included."""
    inner = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"}
    assert not problems({"properties": {"a": inner, "b": {"$ref": "#/properties/a"}}}, {"a": Decimal("1.0"), "b": 2.0})


def test_additional_items_beside_items_true_is_no_fault() -> None:
    """jsonschema itself raises TypeError here."""
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "items": True, "additionalItems": False}
    assert not problems(schema, [1])


@pytest.mark.parametrize(("items", "good"), [(True, True), (False, False)])
def test_unevaluated_items_beside_boolean_items_is_no_fault(items: bool, good: bool) -> None:
    """jsonschema itself raises TypeError here, too."""
    schema = {"$schema": NAMED["2019-09"], "items": items, "unevaluatedItems": False}
    assert Reference(schema).accepts([1]) is good
    assert Reference(schema).accepts([])
