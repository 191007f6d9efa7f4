"""Typed classes and every other declaration give the schema that a record of theirs meets."""

import dataclasses
import enum
import ipaddress
import re
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NewType, NotRequired, Optional, Required, TypeVar, Union

import jsonschema
import msgspec
import pydantic
import pytest
from typing_extensions import Doc, ReadOnly, TypeAliasType, TypedDict

from singer_kit import typing as th
from singer_kit.errors import SchemaError
from singer_kit.schema.from_types import schema_of


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class User(TypedDict):
    login: str
    name: NotRequired[str]


class Issue(TypedDict, total=False):
    id: Required[Annotated[int, th.Field(description="The key.", minimum=1)]]
    title: str
    updated_at: Annotated[datetime, th.Field(nullable=False)]
    labels: list[str]
    user: User
    state: Annotated[NotRequired[Literal["open", "closed"]], th.Field(title="State")]
    extra: ReadOnly[dict[str, Any]]
    plus_one: Annotated[int, th.Field(name="+1")]


def test_a_typed_dict() -> None:
    """Required members are required; the others are nullable unless the field says otherwise."""
    schema = schema_of(Issue)
    assert schema == {
        "type": "object",
        "properties": {
            "id": {"type": ["integer"], "description": "The key.", "minimum": 1},
            "title": {"type": ["string", "null"]},
            "updated_at": {"type": ["string"], "format": "date-time"},
            "labels": {"type": ["array", "null"], "items": {"type": ["string"]}},
            "user": {
                "type": ["object", "null"],
                "properties": {"login": {"type": ["string"]}, "name": {"type": ["string", "null"]}},
                "required": ["login"],
            },
            "state": {"type": ["string", "null"], "enum": ["open", "closed", None], "title": "State"},
            "extra": {"type": ["object", "null"]},
            "+1": {"type": ["integer", "null"]},
        },
        "required": ["id"],
    }
    jsonschema.Draft7Validator.check_schema(schema)


@dataclasses.dataclass
class Settings:
    token: Annotated[str, th.Field(secret=True)]
    start_date: datetime | None
    base_url: str = "https://example.com"
    retries: int = 3
    colour: Colour = Colour.RED
    repositories: list[str] = dataclasses.field(default_factory=list)
    made: list[str] = dataclasses.field(default_factory=lambda: ["x"])
    nothing: dataclasses.InitVar[int] = 3


def test_a_dataclass() -> None:
    """Members with a default are not required, and their default is in the schema."""
    assert schema_of(Settings) == {
        "type": "object",
        "properties": {
            "token": {"type": ["string"], "secret": True, "writeOnly": True},
            "start_date": {"type": ["string", "null"], "format": "date-time"},
            "base_url": {"type": ["string", "null"], "default": "https://example.com"},
            "retries": {"type": ["integer", "null"], "default": 3},
            "colour": {"type": ["string", "null"], "enum": ["red", "blue", None], "default": "red"},
            "repositories": {"type": ["array", "null"], "items": {"type": ["string"]}, "default": []},
            "made": {"type": ["array", "null"], "items": {"type": ["string"]}},
        },
        "required": ["token", "start_date"],
    }


class Event(msgspec.Struct, rename="camel", tag="event", tag_field="kind", kw_only=True):
    event_id: int
    amount: Annotated[Decimal, msgspec.Meta(ge=0, description="How much.")] = Decimal("0.1")
    tags: Annotated[list[str], msgspec.Meta(min_length=1, max_length=9)] = msgspec.field(default_factory=list)
    note: str | msgspec.UnsetType | None = msgspec.UNSET
    key: str


def test_a_struct() -> None:
    """A Struct's renamed members, tag, constraints and defaults are those of its JSON."""
    schema = schema_of(Event)
    assert schema == {
        "type": "object",
        "properties": {
            "kind": {"const": "event"},
            "eventId": {"type": ["integer"]},
            "amount": {"type": ["number", "null"], "minimum": 0, "description": "How much."},
            "tags": {
                "type": ["array", "null"],
                "items": {"type": ["string"]},
                "minItems": 1,
                "maxItems": 9,
                "default": [],
            },
            "note": {"type": ["string", "null"]},
            "key": {"type": ["string"]},
        },
        "required": ["kind", "eventId", "key"],
    }
    event = msgspec.to_builtins(Event(event_id=1, key="a", tags=["x"]))
    event["amount"] = 0.1
    jsonschema.validate(event, schema)


class Address(pydantic.BaseModel):
    city: str


class Person(pydantic.BaseModel):
    id: int
    name: str | None = None
    born: date | None = None
    balance: Decimal
    home: Address | None = None
    password: pydantic.SecretStr | None = None
    age: Annotated[int, pydantic.Field(ge=0, description="Years.")] = 0
    mail: str = pydantic.Field(default="x", alias="eMail")
    choice: int | str | None = None


def test_a_pydantic_model() -> None:
    """A model's schema is inlined, its nullable members have plain types, its secrets are marked."""
    schema = schema_of(Person)
    about = {name: each.pop("title", None) for name, each in schema["properties"].items()}
    assert about["id"] == "Id"
    assert (
        schema["properties"]
        == {
            "id": {"type": "integer"},
            "name": {"type": ["string", "null"]},
            "born": {"type": ["string", "null"], "format": "date"},
            "balance": {"type": "number"},
            "home": {
                "type": ["object", "null"],
                "title": "Address",
                "properties": {"city": {"type": "string", "title": "City"}},
                "required": ["city"],
            },
            "password": {"type": ["string", "null"], "format": "password", "writeOnly": True, "secret": True},
            "age": {"type": ["integer", "null"], "minimum": 0, "description": "Years.", "default": 0},
            "eMail": {"type": ["string", "null"], "default": "x"},
            "choice": {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]},
        }
        or about["home"] == "Address"
    )
    assert schema["required"] == ["id", "balance"]
    jsonschema.validate({"id": 1, "balance": 1.5, "home": {"city": "x"}, "name": None, "age": None}, schema)


class Tree(pydantic.BaseModel):
    children: list["Tree"] = []


class Node(TypedDict):
    below: list["Node"]


@pytest.mark.parametrize("cls", [Tree, Node], ids=["pydantic", "TypedDict"])
def test_a_class_that_holds_itself_is_refused(cls: type) -> None:
    """A schema without an end is an error that says what to do."""
    with pytest.raises(SchemaError, match="itself") as caught:
        schema_of(cls)
    assert caught.value.next_step


Id = NewType("Id", int)
T = TypeVar("T", bound=str)
Names = TypeAliasType("Names", list[str])


class Page(TypedDict, Generic[T]):
    items: list[T]


STRING = {"type": ["string"]}
INTEGER = {"type": ["integer"]}


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (str, STRING),
        (bool, {"type": ["boolean"]}),
        (float, {"type": ["number"]}),
        (Decimal, {"type": ["number"]}),
        (None, {"type": ["null"]}),
        (bytes, {"type": ["string"], "contentEncoding": "base64"}),
        (datetime, {"type": ["string"], "format": "date-time"}),
        (date, {"type": ["string"], "format": "date"}),
        (time, {"type": ["string"], "format": "time"}),
        (timedelta, {"type": ["string"], "format": "duration"}),
        (uuid.UUID, {"type": ["string"], "format": "uuid"}),
        (ipaddress.IPv4Address, {"type": ["string"], "format": "ipv4"}),
        (re.Pattern, {"type": ["string"], "format": "regex"}),
        (Path, STRING),
        (Id, INTEGER),
        (T, STRING),
        (Names, {"type": "array", "items": STRING}),
        (
            Page,
            {
                "type": "object",
                "properties": {"items": {"type": "array", "items": STRING}},
                "required": ["items"],
            },
        ),
        (list, {"type": "array"}),
        (dict, {"type": "object"}),
        (Sequence[int], {"type": "array", "items": INTEGER}),
        (set[int], {"type": "array", "items": INTEGER, "uniqueItems": True}),
        (tuple[int, ...], {"type": "array", "items": INTEGER}),
        (tuple[int, int], {"type": "array", "items": INTEGER, "minItems": 2, "maxItems": 2}),
        (Mapping[str, int], {"type": "object", "additionalProperties": INTEGER}),
        (dict[str, Any], {"type": "object"}),
        (Optional[int], {"type": ["integer", "null"]}),  # noqa: UP045
        (Union[int, str, None], {"type": ["integer", "string", "null"]}),  # noqa: UP007
        (int | date, {"anyOf": [INTEGER, {"type": ["string"], "format": "date"}]}),
        (Literal["a", 1, None], {"type": ["string", "integer", "null"], "enum": ["a", 1, None]}),  # noqa: PYI061
        (Literal[Colour.RED], {"type": ["string"], "enum": ["red"]}),
        (Level, {"type": ["integer"], "enum": [1, 2]}),
        (
            Annotated[str, Doc("A name."), th.Field(max_length=3)],
            {**STRING, "description": "A name.", "maxLength": 3},
        ),
        (Annotated[str, th.DateType()], {"type": ["string"], "format": "date"}),
    ],
    ids=str,
)
def test_annotations(annotation: Any, schema: dict[str, Any]) -> None:
    """Every annotation that JSON can say has a schema."""
    assert schema_of(annotation) == schema


def test_what_json_does_not_have_is_refused() -> None:
    """A type without a JSON form is an error with a next step."""
    with pytest.raises(SchemaError, match="has no JSON Schema") as caught:
        schema_of(complex)
    assert "th.Field" in caught.value.next_step


def test_builders_dicts_and_whatever_has_to_dict() -> None:
    """What is a schema already is copied, its references inlined, its draft brought to 7."""
    given = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "properties": {"n": {"$ref": "#/definitions/n"}, "list": {"enum": [1]}},
        "definitions": {"n": {"type": "number", "maximum": 3, "exclusiveMaximum": True}},
    }
    schema = schema_of(given)
    assert schema == {
        "type": "object",
        "properties": {"n": {"type": "number", "exclusiveMaximum": 3}, "list": {"enum": [1]}},
    }
    schema["properties"]["list"]["enum"].append(2)
    assert given["properties"]["list"]["enum"] == [1]  # type: ignore[index]
    listed = th.PropertiesList(th.Property("a", th.StringType))
    assert schema_of(listed) == listed.to_dict()
    assert schema_of(th.StringType) == STRING

    class Written:
        def to_dict(self) -> dict[str, Any]:
            return dict(STRING)

    assert schema_of(Written()) == STRING


def test_an_annotation_that_cannot_be_resolved_names_its_class() -> None:
    """A forward reference to nowhere is an error of the author's."""
    broken = TypedDict("broken", {"x": "Nowhere"})  # type: ignore[name-defined, misc] # noqa: F821, UP013
    with pytest.raises(SchemaError, match="Nowhere"):
        schema_of(broken)


def test_nothing_heavy_is_imported() -> None:
    """Reading types loads neither dataclasses nor pydantic."""
    code = "import sys, singer_kit.schema.from_types; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"jsonschema", "dataclasses", "pydantic"}
