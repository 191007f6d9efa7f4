"""`th` builds the schema that it says."""

import subprocess
import sys

import jsonschema
import pytest

from singer_kit import typing as th
from singer_kit.errors import SchemaError
from singer_kit.schema.nullable import accepts_null, nullable

FORMATS = {
    th.DateTimeType: "date-time",
    th.DateType: "date",
    th.TimeType: "time",
    th.DurationType: "duration",
    th.EmailType: "email",
    th.IDNEmailType: "idn-email",
    th.HostnameType: "hostname",
    th.IDNHostnameType: "idn-hostname",
    th.IPv4Type: "ipv4",
    th.IPv6Type: "ipv6",
    th.UUIDType: "uuid",
    th.URIType: "uri",
    th.URIReferenceType: "uri-reference",
    th.IRIType: "iri",
    th.IRIReferenceType: "iri-reference",
    th.URITemplateType: "uri-template",
    th.JSONPointerType: "json-pointer",
    th.RelativeJSONPointerType: "relative-json-pointer",
    th.RegexType: "regex",
    th.SingerDecimalType: "singer.decimal",
}


def test_a_list_of_properties_is_an_object_schema() -> None:
    """Required properties are listed and not null; the others are nullable."""
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True, description="The key."),
        th.Property("title", th.StringType(max_length=3)),
        th.Property("updated_at", th.DateTimeType, nullable=False),
        th.Property("ok", th.BooleanType(), required=True, nullable=True),
        th.Property("labels", th.ArrayType(th.StringType, min_size=1, max_size=9, unique=True)),
        th.Property("user", th.ObjectType(th.Property("login", th.StringType, required=True))),
    ).to_dict()
    assert schema == {
        "type": "object",
        "properties": {
            "id": {"type": ["integer"], "description": "The key."},
            "title": {"type": ["string", "null"], "maxLength": 3},
            "updated_at": {"type": ["string"], "format": "date-time"},
            "ok": {"type": ["boolean", "null"]},
            "labels": {
                "type": ["array", "null"],
                "items": {"type": ["string"]},
                "minItems": 1,
                "maxItems": 9,
                "uniqueItems": True,
            },
            "user": {
                "type": ["object", "null"],
                "properties": {"login": {"type": ["string"]}},
                "required": ["login"],
            },
        },
        "required": ["id", "ok"],
    }
    jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize(("kind", "name"), FORMATS.items(), ids=FORMATS.values())
def test_formats(kind: type[th.StringType], name: str) -> None:
    """Each string format is a type of its own, usable with and without a call."""
    assert kind.type_dict == kind().type_dict == kind().to_dict() == {"type": ["string"], "format": name}
    assert kind(pattern="^a").to_dict()["pattern"] == "^a"


def test_numbers() -> None:
    """Bounds are written with the standard's words."""
    assert th.NumberType(minimum=0, exclusive_maximum=1.5, multiple_of=0.5).to_dict() == {
        "type": ["number"],
        "minimum": 0,
        "exclusiveMaximum": 1.5,
        "multipleOf": 0.5,
    }
    assert th.IntegerType(maximum=9, exclusive_minimum=1).to_dict() == {
        "type": ["integer"],
        "maximum": 9,
        "exclusiveMinimum": 1,
    }
    assert th.DecimalType.type_dict == {"type": ["number"]}
    assert th.SingerDecimalType(precision=12, scale=2).to_dict() == {
        "type": ["string"],
        "format": "singer.decimal",
        "precision": 12,
        "scale": 2,
    }


def test_annotations_of_a_property() -> None:
    """What a property says about itself stands beside its type; a secret is also writeOnly."""
    token = th.Property(
        "token", th.StringType, True, None, "A token.", True, title="Token", deprecated=True, kind="password"
    )
    assert token.to_dict() == {
        "token": {
            "type": ["string"],
            "title": "Token",
            "description": "A token.",
            "deprecated": True,
            "secret": True,
            "writeOnly": True,
            "kind": "password",
        }
    }
    assert th.Property("n", th.IntegerType, default=0).schema == {"type": ["integer", "null"], "default": 0}
    assert th.Property("f", th.BooleanType, default=False).schema["default"] is False
    assert token.type_dict == {"type": ["string"]}


def test_allowed_values_of_a_nullable_property_include_null() -> None:
    """A property that may be null may be null although its values are listed."""
    assert th.Property("mode", th.StringType, allowed_values=["a", "b"], examples=["a"]).schema == {
        "type": ["string", "null"],
        "enum": ["a", "b", None],
        "examples": ["a"],
    }
    assert th.Property("mode", th.StringType, required=True, allowed_values=["a"]).schema["enum"] == ["a"]
    assert th.StringType(allowed_values=["a"], nullable=True).to_dict()["enum"] == ["a", None]


def test_objects() -> None:
    """Further members, patterns of names and needs can be declared; without properties anything goes."""
    assert th.ObjectType.type_dict == {"type": "object"}
    assert th.ObjectType(additional_properties=False).to_dict() == {
        "type": "object",
        "additionalProperties": False,
    }
    schema = th.ObjectType(
        th.Property("user", th.StringType, requires_properties=["password"]),
        th.Property("password", th.StringType, secret=True),
        additional_properties=th.IntegerType,
        pattern_properties={"^x_": th.StringType},
    ).to_dict()
    assert schema["additionalProperties"] == {"type": ["integer"]}
    assert schema["patternProperties"] == {"^x_": {"type": ["string"]}}
    validator = jsonschema.Draft7Validator(schema)
    assert not validator.is_valid({"user": "me"})
    assert validator.is_valid({"user": "me", "password": "x"})


def test_choices_constants_and_custom_types() -> None:
    """Choices hold the schemas of their types; a custom type is the dict it was given, copied."""
    assert th.AnyOf(th.StringType, th.IntegerType()).to_dict() == {
        "anyOf": [{"type": ["string"]}, {"type": ["integer"]}]
    }
    assert th.AllOf(th.StringType, {"minLength": 1}).to_dict() == {"allOf": [{"type": ["string"]}, {"minLength": 1}]}
    assert th.Constant("a").to_dict() == {"const": "a"}
    assert th.NullType.type_dict == {"type": ["null"]}
    given = {"type": "string", "enum": ["a"]}
    custom = th.CustomType(given)
    custom.to_dict()["enum"].append("b")
    assert custom.to_dict() == given == {"type": "string", "enum": ["a"]}


def test_a_discriminated_union_is_told_apart_by_its_key() -> None:
    """Exactly the option that the key names is checked."""
    union = th.DiscriminatedUnion(
        "kind",
        basic=th.ObjectType(th.Property("user", th.StringType, required=True), additional_properties=False),
        token=th.ObjectType(th.Property("token", th.StringType, required=True), additional_properties=False),
    )
    validator = jsonschema.Draft7Validator(union.to_dict())
    assert validator.is_valid({"kind": "basic", "user": "me"})
    assert validator.is_valid({"kind": "token", "token": "x"})
    assert not validator.is_valid({"kind": "token", "user": "me"})
    assert not validator.is_valid({"user": "me"})


@pytest.mark.parametrize(
    "wrapped",
    [
        th.AnyOf(th.StringType, th.IntegerType),
        th.OneOf(th.StringType, th.IntegerType),
        th.AllOf(th.StringType, {"minLength": 1}),
        th.Constant("a"),
        th.AnyType,
        th.NullType,
        {"enum": ["a"]},
        {"not": {"type": "null"}},
        {"type": ["string"], "anyOf": [{"minLength": 1}, {"const": "a"}]},
        {"type": ["string"], "anyOf": [{"type": "string"}, {"const": "a"}]},
        {"oneOf": [{"type": ["string", "null"]}, {"type": ["integer", "null"]}]},
        {"if": {"type": "null"}, "then": False},
        {},
    ],
    ids=str,
)
def test_every_type_can_be_nullable(wrapped: object) -> None:
    """An optional property of any type accepts null, and the strings it accepted before."""
    schema = th.Property("x", wrapped, description="d").schema  # type: ignore[arg-type]
    validator = jsonschema.Draft7Validator(schema)
    assert accepts_null(schema)
    assert validator.is_valid(None)
    before = jsonschema.Draft7Validator(th.Property("x", wrapped, True).schema)  # type: ignore[arg-type]
    for value in ("a", "", 1, [], {}, True):
        assert validator.is_valid(value) == before.is_valid(value)
    assert schema["description"] == "d"
    assert nullable(schema) == schema


def test_lists_grow_and_iterate() -> None:
    """A list takes further properties, one or many; a name declared twice is an error."""
    common = th.PropertiesList(th.Property("id", th.IntegerType, required=True))
    common.append(th.Property("a", th.StringType))
    common.extend(th.PropertiesList(th.Property("b", th.StringType)))
    assert [each.name for each in common] == [name for name, _ in common.items()] == ["id", "a", "b"]
    assert len(common) == 3
    assert "a" in common
    assert list(th.PropertiesList(*common).to_dict()["properties"]) == ["id", "a", "b"]
    with pytest.raises(SchemaError, match="'a' is declared twice"):
        common.append(th.Property("a", th.IntegerType))


def test_each_dict_is_new() -> None:
    """Changing what `to_dict` gave changes nothing else."""
    listed = th.PropertiesList(th.Property("a", th.ArrayType(th.StringType), default=["x"]))
    listed.to_dict()["properties"]["a"]["default"].append("y")
    assert listed.to_dict()["properties"]["a"]["default"] == ["x"]


def test_what_is_no_type_is_refused() -> None:
    """A Python type in a type's place is an error that says what to pass."""
    with pytest.raises(SchemaError, match=r"th\.StringType"):
        th.ArrayType(3).to_dict()  # type: ignore[arg-type]


def test_building_schemas_is_cheap_to_import() -> None:
    """Importing `th` loads no heavy module."""
    code = "import sys, singer_kit.typing; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"jsonschema", "dataclasses", "inspect", "msgspec", "pendulum", "requests", "decimal"}
