"""Validators: which tier takes a schema, what each keyword lets pass on every tier, keys, and undeclared names."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.codec import DecodeError, Decoder, decode, encode
from singer_kit.errors import SchemaError
from singer_kit.schema.reference import Problem, Reference
from singer_kit.schema.validate import Engine, Validator, compile_validator

ORDERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "status": {"type": ["null", "string"]},
        "unit_price": {"type": ["null", "number"]},
        "total_amount": {"type": ["null", "string"], "format": "x-singer.decimal", "precision": 12, "scale": 2},
        "is_gift": {"type": ["null", "boolean"]},
        "order_date": {"type": ["null", "string"], "format": "date"},
        "updated_at": {"type": ["null", "string"], "format": "date-time"},
        "customer": {
            "type": ["null", "object"],
            "properties": {"id": {"type": "integer"}, "email": {"type": "string"}},
        },
        "tags": {"type": ["null", "array"], "items": {"type": ["null", "string"]}},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    },
    "required": ["id"],
}
ORDER: dict[str, Any] = {
    "id": 1,
    "status": "paid",
    "unit_price": Decimal("12.51"),
    "total_amount": "100.08",
    "is_gift": False,
    "order_date": "2026-01-01",
    "updated_at": "2026-01-01T00:00:00.288390+00:00",
    "customer": {"id": 88697, "email": "c@example.com"},
    "tags": ["a", None],
    "lines": [{"sku": "x"}, {}],
}


def passes_quickly(validator: Validator, *records: dict[str, Any]) -> bool:
    lines = b"".join(encode(record) + b"\n" for record in records)
    try:
        return validator.accepts(Decoder(validator.record_type, exact=validator.exact).decode_lines(lines))
    except DecodeError:
        return False


def of(schema: Any) -> dict[str, Any]:
    """A record schema whose property x has `schema`."""
    return {"type": "object", "properties": {"x": schema}}


def test_an_order_is_judged_by_its_type() -> None:
    """Dates, instants, decimals, nested objects and arrays need no walk of the schema."""
    validator = compile_validator(ORDERS, ["id"])
    assert validator.tier == "typed"
    assert not validator.exact
    assert passes_quickly(validator, ORDER, {"id": 2}, {"id": 3, "customer": None, "tags": None})
    assert validator.problems(ORDER) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": "1"}, "id"),
        ({"id": None}, "id"),
        ({"status": 5}, "status"),
        ({"unit_price": "1"}, "unit_price"),
        ({"total_amount": "NaN"}, "total_amount"),
        ({"total_amount": Decimal(1)}, "total_amount"),
        ({"is_gift": 0}, "is_gift"),
        ({"order_date": "2026-02-30"}, "order_date"),
        ({"updated_at": "2026-01-01 00:00:00Z"}, "updated_at"),
        ({"updated_at": "2026-01-01T00:00:00"}, "updated_at"),
        ({"customer": []}, "customer"),
        ({"customer": {"id": None}}, "customer.id"),
        ({"tags": [1]}, "tags.0"),
        ({"lines": [{"sku": "a"}, {"sku": 1}]}, "lines.1.sku"),
    ],
)
@pytest.mark.parametrize("engine", ["auto", "rust", "reference"])
def test_one_wrong_value_is_found_and_named(engine: Engine, change: dict[str, Any], path: str) -> None:
    """Among good records too, and on every tier."""
    validator = compile_validator(ORDERS, ["id"], engine=engine)
    bad = {**ORDER, **change}
    assert not passes_quickly(validator, ORDER, bad, ORDER)
    (problem,) = validator.problems(decode(encode(bad)))
    assert problem.path == path


def test_a_problem_is_worded_as_the_contract_says() -> None:
    """Path without the stream, schema path without the keyword, types and no values."""
    validator = compile_validator(ORDERS)
    assert validator.problems({**ORDER, "customer": {"id": "secret"}}) == [
        Problem("customer.id", "properties.customer.properties.id", "type", "is a string but the schema says integer")
    ]


@pytest.mark.parametrize("engine", ["auto", "rust", "reference"])
def test_keys_must_be_there_and_not_null(engine: Engine) -> None:
    """Even where the schema lets them be null or says nothing of them."""
    validator = compile_validator(
        {"type": "object", "properties": {"a": {"type": ["null", "string"]}, "b": {}}}, ["a", "b"], engine=engine
    )
    assert passes_quickly(validator, {"a": "", "b": 0}, {"a": "x", "b": False})
    for record, problem in [
        ({"a": None, "b": 1}, Problem("a", "properties.a", "key", "is a key and must not be null")),
        ({"a": "x"}, Problem("b", "properties.b", "key", "is a key and is missing")),
    ]:
        assert not passes_quickly(validator, record)
        assert validator.problems(record) == [problem]
    assert [found.path for found in validator.problems({}, limit=5)] == ["a", "b"]


def test_a_key_that_its_schema_does_not_declare_counts_as_declared() -> None:
    """It is required and may hold anything but null."""
    validator = compile_validator({"type": "object", "properties": {"a": {}}}, ["k"])
    assert validator.tier == "typed"
    assert passes_quickly(validator, {"k": [1], "a": None})
    assert validator.undeclared({"k": 1}) == set()
    assert validator.problems({"a": 1})[0].keyword == "key"


def test_a_record_is_an_object() -> None:
    """Anything else is one problem; a schema that allows no object is an error."""
    validator = compile_validator({"type": ["null", "object"], "properties": {"a": {}}})
    assert validator.problems([1]) == [Problem("", "", "type", "is an array but a record is an object")]
    for schema in ({"type": "string"}, {"allOf": [{"type": "object"}, {"type": "array"}]}):
        with pytest.raises(SchemaError, match="allows no object"):
            compile_validator(schema)


STRING = {"type": "string"}
TIERS: list[tuple[str, Any, str]] = [
    ("anything", {}, "typed"),
    ("a type list", {"type": ["string", "integer", "array", "object", "boolean", "null"]}, "typed"),
    ("null or a type", {"anyOf": [{"type": "null"}, {"type": "string", "format": "date-time"}]}, "typed"),
    ("one of disjoint types", {"oneOf": [{"type": "null"}, {"type": "object", "properties": {"a": {}}}]}, "typed"),
    (
        "a format or any string",
        {"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]},
        "typed",
    ),
    ("all of", {"allOf": [{"type": "string"}, {"minLength": 1}, {"pattern": r"\w"}]}, "typed"),
    ("an enum", {"enum": ["a", 1, None, True]}, "typed"),
    ("a const", {"const": Decimal("1.5")}, "typed"),
    ("a bounded number", {"type": ["null", "number"], "minimum": 0}, "typed"),
    ("a multiple", {"type": "number", "multipleOf": 0.01}, "typed"),
    (
        "an array of arrays",
        {"type": "array", "items": {"type": "array", "items": {"type": "integer", "minimum": 0}}},
        "typed",
    ),
    ("unique scalars", {"type": "array", "items": {"type": "string"}, "uniqueItems": True}, "typed"),
    ("a map", {"type": "object", "additionalProperties": {"type": "string", "format": "uuid"}}, "typed"),
    ("a closed object", {"type": "object", "properties": {"a": {}}, "additionalProperties": False}, "typed"),
    (
        "an open object",
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
        "typed",
    ),
    ("any pattern", {"type": "string", "pattern": r"(?<!\d)\bx\Z"}, "typed"),
    ("a property with a quote", {"type": "object", "properties": {'a"b': {"type": "string"}}}, "rust"),
    ("declared and other names", {"properties": {"a": {}}, "additionalProperties": {"type": "string"}}, "rust"),
    ("names by pattern", {"patternProperties": {"^x": {"type": "string"}}}, "rust"),
    ("a condition", {"if": {"type": "string"}, "then": {"minLength": 1}}, "rust"),
    ("contains", {"contains": {"type": "null"}}, "rust"),
    ("not", {"not": {"type": "string"}}, "rust"),
    (
        "alternatives of one type",
        {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "uuid"}]},
        "rust",
    ),
    ("unique structures", {"uniqueItems": True}, "rust"),
    ("a listed object", {"enum": [{"a": 1}]}, "rust"),
    ("a pattern denied", {"not": {"pattern": r"\d"}}, "reference"),
    ("a negated class denied", {"not": {"pattern": r"^a$"}}, "reference"),
    ("a pattern that Rust reads wider", {"not": {}, "pattern": r"\D"}, "reference"),
    ("names by a wide pattern", {"patternProperties": {r"\w": {}}}, "reference"),
    ("not unique", {"not": {"uniqueItems": True}}, "reference"),
]


@pytest.mark.parametrize(("schema", "tier"), [row[1:] for row in TIERS], ids=[row[0] for row in TIERS])
def test_a_schema_takes_the_quickest_tier_that_is_safe(schema: Any, tier: str) -> None:
    """Nearly all that connectors write is typed; the reference is left the rest."""
    assert compile_validator(of(schema)).tier == tier


def test_an_unevaluated_keyword_and_a_circle_are_left_to_the_reference() -> None:
    """The fast engines differ there."""
    assert compile_validator(of({"unevaluatedProperties": False})).tier == "reference"
    assert compile_validator({"type": "object", "properties": {"x": {"$ref": "#"}}}).tier == "reference"
    schema = {
        "type": "object",
        "properties": {"x": {"$ref": "#/definitions/a~1b"}},
        "definitions": {"a/b": {"type": "string"}},
    }
    assert compile_validator(schema).tier == "typed"
    schema["properties"]["x"]["$ref"] = "#/definitions/a~1%62"
    assert compile_validator(schema).tier == "typed"
    assert compile_validator(schema).problems({"x": 1})
    schema["properties"]["x"]["$ref"] = "#/definitions/none"
    assert compile_validator(schema).tier == "reference"


def test_a_long_pattern_is_sorted_at_once() -> None:
    """However many classes it has, and whatever ends it."""
    schema = of({"not": {"const": 1}, "pattern": "[a-z]{1,2}" * 200 + r"\s"})
    assert compile_validator(schema).tier == "reference"
    assert compile_validator(of({"not": {"const": 1}, "pattern": "^[a-z]{1,2}x?(?:b|c)$"})).tier == "rust"


def test_an_invalid_schema_is_refused_when_compiled() -> None:
    """Not at the first record that meets it."""
    for schema in (
        {"type": "object", "properties": {"a": {"type": "strin"}}},
        of({"pattern": "("}),
        of({"minimum": "1"}),
    ):
        with pytest.raises(SchemaError):
            compile_validator(schema)


DISAGREEMENTS: list[tuple[str, Any, Any, bool]] = [
    ("a fraction of a cent", {"multipleOf": 0.01}, Decimal("19.99"), True),
    ("a multiple beyond floats", {"multipleOf": 1}, Decimal("12345678901234567890.12"), False),
    ("a Decimal as an integer", {"type": "integer"}, Decimal("3.0"), True),
    ("a Decimal as a number", {"type": "number"}, Decimal("3.5"), True),
    ("a number beyond doubles", {"type": "number", "minimum": 5}, Decimal("1E+400"), True),
    ("less than any double", {"maximum": Decimal("0.0")}, Decimal("1E-400"), False),
    ("a hair above a whole bound", {"maximum": Decimal("1.0")}, Decimal("1.00000000000000000000001"), False),
    ("above a bound beyond doubles", {"maximum": 10**25 - 2}, Decimal("9999999999999999999999998.1"), False),
    ("equal beyond doubles", {"exclusiveMinimum": 2**63 - 1}, Decimal("9223372036854775807.0"), False),
    ("a big integer", {"type": "integer", "maximum": 2**70}, 2**70 + 1, False),
    ("a line break after the end", {"pattern": "^a$"}, "a\n", True),
    ("foreign digits", {"pattern": r"^\d$"}, "٣", True),
    ("foreign letters", {"pattern": r"^\w$"}, "é", True),
    ("foreign digits denied", {"not": {"pattern": r"^\d$"}}, "٣", False),
    ("not a digit", {"pattern": r"^\D$"}, "٣", False),
    ("the byte order mark as blank", {"pattern": r"^\s$"}, "\ufeff", False),
    ("a line separator by dot", {"pattern": "^.$"}, "\u2028", True),
    ("true and 1", {"enum": [1]}, True, False),
    ("1.0 and 1", {"enum": [1]}, Decimal("1.0"), True),
    ("false and 0 in one array", {"uniqueItems": True}, [0, False], True),
    ("1 and 1.0 in one array", {"uniqueItems": True}, [1, Decimal("1.0")], False),
    ("a date-time without offset", {"format": "date-time"}, "2026-01-01T00:00:00", False),
    ("a uuid in braces", {"format": "uuid"}, "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", False),
    ("media types", {"contentMediaType": "application/json"}, "{", True),
    ("a near tie", {"type": "number", "exclusiveMinimum": 0.1}, Decimal("0.1"), False),
    ("a nearer tie", {"type": "number", "exclusiveMinimum": 0.1}, Decimal("0.10000000000000000001"), True),
    ("a hair below", {"type": "number", "minimum": 0.1}, Decimal("0.09999999999999999999"), False),
]


@pytest.mark.parametrize("wrap", [lambda schema: schema, lambda schema: {"allOf": [schema, {"not": {"const": "no"}}]}])
@pytest.mark.parametrize("engine", ["auto", "rust", "reference"])
@pytest.mark.parametrize(
    ("schema", "value", "good"), [row[1:] for row in DISAGREEMENTS], ids=[row[0] for row in DISAGREEMENTS]
)
def test_where_engines_disagree_ours_do_not(
    engine: Engine, wrap: Callable[[Any], Any], schema: Any, value: Any, good: bool
) -> None:
    """The probes on which jsonschema, jsonschema-rs and fastjsonschema gave different verdicts."""
    validator = compile_validator(of(wrap(schema)), engine=engine)
    record = decode(encode({"x": value}))
    assert (not validator.problems(record)) is good
    assert good or not passes_quickly(validator, record)


@pytest.mark.parametrize("engine", ["auto", "rust", "reference"])
def test_values_that_no_json_holds_get_one_verdict(engine: Engine) -> None:
    """A program may hand them over: a lone surrogate is a string, a tuple an array, an instant neither."""
    schema = {"properties": {"s": {"type": "string", "minLength": 1}, "a": {"type": "array", "maxItems": 1}}}
    validator = compile_validator(schema, engine=engine)
    assert validator.problems({"s": "\ud800", "a": (1,)}) == []
    assert validator.problems({"a": (1, 2)})[0].keyword == "maxItems"
    assert validator.problems({"s": datetime(2026, 1, 1, tzinfo=UTC)})[0].message.startswith("is a Python datetime")
    assert validator.problems({"s": "x", 5: "y"}) == []


def test_undeclared_names_are_told_at_every_depth() -> None:
    """They are no problem; they only make the quick way fail until they are tolerated."""
    validator = compile_validator(ORDERS, ["id"])
    record = {**ORDER, "new": 1, "customer": {"id": 1, "a.b": 2}, "lines": [{}, {"qty": 1, "sku": "a"}]}
    assert validator.undeclared(record) == {"new", r"customer.a\.b", "lines.qty"}
    assert not passes_quickly(validator, record)
    assert validator.problems(record) == []
    told = validator.tolerate(validator.undeclared(record))
    assert told.tier == "typed"
    assert passes_quickly(told, record, ORDER)
    assert told.undeclared(record) == set()
    assert told.undeclared({**record, "newer": 1}) == {"newer"}
    assert not passes_quickly(told, {**record, "newer": 1})
    assert not passes_quickly(validator, record)


@pytest.mark.parametrize("engine", ["auto", "rust", "reference"])
def test_undeclared_names_are_told_on_every_tier(engine: Engine) -> None:
    """`accepts` says no to them where the type cannot."""
    validator = compile_validator(ORDERS, ["id"], engine=engine)
    assert passes_quickly(validator, ORDER)
    assert not passes_quickly(validator, {**ORDER, "new": 1})
    assert passes_quickly(validator.tolerate({"new"}), {**ORDER, "new": 1})


def test_past_a_hundred_tolerated_names_all_are() -> None:
    """A record whose names are data costs no compilation a record."""
    validator = compile_validator(ORDERS).tolerate(f"n{number}" for number in range(101))
    assert passes_quickly(validator, {**ORDER, "never seen": 1})


def test_what_is_forbidden_cannot_be_tolerated() -> None:
    """`additionalProperties: false` stays a matter of the law."""
    schema = of({"type": "object", "properties": {"a": {}}, "additionalProperties": False})
    validator = compile_validator(schema).tolerate({"x.b"})
    assert validator.undeclared({"x": {"b": 1}}) == set()
    assert not passes_quickly(validator, {"x": {"b": 1}})
    assert validator.problems({"x": {"b": 1}})


def test_an_object_that_allows_other_names_is_taken_whole() -> None:
    """Nothing inside it is undeclared."""
    inner = {"type": "object", "properties": {"b": {"type": "string"}}}
    validator = compile_validator(of({"type": "object", "properties": {"a": inner}, "additionalProperties": True}))
    record = {"x": {"a": {"b": "s", "c": 1}, "z": 1}}
    assert validator.undeclared(record) == set()
    assert passes_quickly(validator, record)
    assert validator.prune(record) is record


def test_a_loosened_validator_takes_whole_numbers_with_a_fraction() -> None:
    """At speed, and no others; its verdicts are the same."""
    strict = compile_validator(ORDERS, ["id"]).tolerate({"new"})
    loose = strict.loosened()
    assert loose.tier == "typed"
    assert loose.exact
    assert loose.loosened() is loose
    good: dict[str, Any] = {**ORDER, "id": Decimal("1.0"), "new": 1, "customer": {"id": Decimal("7.00")}}
    assert not passes_quickly(strict, good)
    assert passes_quickly(loose, good, ORDER)
    for bad in (Decimal("1.5"), Decimal("1.00000000000000000000000001"), "1", True, None):
        assert not passes_quickly(loose, {**ORDER, "id": bad})
    bounded = compile_validator(of({"type": ["null", "integer"], "minimum": 2, "multipleOf": 2})).loosened()
    assert passes_quickly(bounded, {"x": Decimal("2.0")}, {"x": 4}, {"x": None}, {})
    assert not passes_quickly(bounded, {"x": Decimal("0.0")})
    assert not passes_quickly(bounded, {"x": Decimal("3.0")})
    assert compile_validator(ORDERS, engine="rust").loosened().tier == "rust"


def test_a_type_says_when_it_passes_over_members() -> None:
    """Because msgspec does not look at the text of what it passes over."""
    assert not compile_validator(ORDERS).is_lax
    assert not compile_validator({"type": "object"}).is_lax
    assert not compile_validator(of({"type": "object", "properties": {"a": {}}, "additionalProperties": False})).is_lax
    for schema in (
        {"properties": {"a": {}}, "additionalProperties": True},
        of({"type": "object", "properties": {"a": {}}, "additionalProperties": True}),
        of({"properties": {"a": {}}}),
    ):
        assert compile_validator(schema).is_lax
    assert compile_validator(ORDERS).tolerate(map(str, range(101))).is_lax


def test_pruning_copies_the_bytes_of_what_is_declared() -> None:
    """Digits, escapes and order inside a value stay; undeclared names go."""
    validator = compile_validator(ORDERS)
    line = rb'{"new":1,"unit_price":1.10,"status":"\u00e9\/","tags":[ "a" ],"customer":{"x":0,"id":7},"id":1}'
    pruned = encode(Decoder(validator.prune_type).decode(line))
    assert pruned == rb'{"id":1,"status":"\u00e9\/","unit_price":1.10,"customer":{"id":7},"tags":[ "a" ]}'
    assert decode(pruned) == validator.prune(decode(line))
    assert "new" in decode(line)


def test_names_no_attribute_can_have_are_pruned_as_dicts() -> None:
    """`prune_type` is None then, and `prune` does the work."""
    validator = compile_validator({"type": "object", "properties": {'a"b': {}}})
    assert validator.prune_type is None
    assert validator.prune({'a"b': 1, "c": 2}) == {'a"b': 1}


@settings(max_examples=250, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_pruning_by_type_and_by_hand_agree(seed: int, schema_with_records: Callable[[int], Any]) -> None:
    """For every good record: the same values, none of them undeclared; and tolerating tells no lie."""
    schema, records = schema_with_records(seed)
    validator = compile_validator(schema)
    reference = Reference(schema, check=False)
    for record in records:
        plain = decode(encode(record))
        if not reference.accepts(plain):
            continue
        pruned = validator.prune(plain)
        assert not validator.undeclared(pruned)
        assert decode(encode(Decoder(validator.prune_type).decode(encode(record)))) == pruned
        if names := validator.undeclared(plain):
            assert pruned != plain
            told = validator.tolerate(names)
            assert not told.undeclared(plain)
            for other in records:
                assert not passes_quickly(told, other) or reference.accepts(decode(encode(other)))


def test_compiling_a_typed_schema_loads_no_other_engine() -> None:
    """A target that only sees plain schemas never pays for jsonschema."""
    program = (
        "import sys; from singer_kit.schema.validate import compile_validator as c;"
        "v = c({'properties': {'a': {'type': 'string', 'format': 'date-time'}}}, ['a']);"
        "v.accepts([v.record_type(a='2026-01-01T00:00:00Z')]);"
        "print(v.tier, [m for m in ('jsonschema', 'jsonschema_rs', 'referencing') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "typed []"


def test_nothing_to_judge_is_good() -> None:
    """No records, no complaint; and the schema given stays as it was."""
    before = encode(ORDERS)
    for engine in ("auto", "rust", "reference"):
        assert compile_validator(ORDERS, ["id"], engine=engine).accepts([])
    assert encode(ORDERS) == before
