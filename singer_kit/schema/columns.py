"""SQL columns for a JSON Schema: for every property the narrowest column that holds each of its values exactly.

`ColumnType` is what every dialect can spell in its own way; `evolve.py` widens it. This module must not know a dialect,
a batch or a database.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal

from singer_kit.codec import Struct
from singer_kit.errors import SchemaError
from singer_kit.schema.refs import has_refs, resolve_refs

__all__ = ["Arrival", "Column", "ColumnType", "columns_of", "decimal", "number_type"]

Kind = Literal["boolean", "bigint", "hugeint", "decimal", "double", "date", "time", "instant", "uuid", "json", "text"]
Arrival = Literal["integer", "number", "boolean", "string", "any"]
"""The one JSON type that a property's values have, or `any`: several, an array, an object. Null does not count."""


class ColumnType(Struct, frozen=True):
    """What a column holds. `precision` (all digits) and `scale` (those after the point) are a decimal's.

    `bigint` is 64 bits, `hugeint` 128; `instant` is an aware date-time to the microsecond; `time` has no offset;
    `json` holds JSON text, a string in it with its quotes; `text` holds anything: a JSON string as what it says, any
    other JSON value as its JSON text.
    """

    kind: Kind
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})" if self.kind == "decimal" else self.kind


class Column(Struct, frozen=True):
    """A property as a column: its name in the records, its type, and how its values arrive."""

    name: str
    type: ColumnType
    arrives: Arrival = "any"


BOOLEAN: Final = ColumnType("boolean")
BIGINT: Final = ColumnType("bigint")
HUGEINT: Final = ColumnType("hugeint")
DOUBLE: Final = ColumnType("double")
DATE: Final = ColumnType("date")
TIME: Final = ColumnType("time")
INSTANT: Final = ColumnType("instant")
UUID: Final = ColumnType("uuid")
JSON: Final = ColumnType("json")
TEXT: Final = ColumnType("text")

_FORMATS: Final = {"date-time": INSTANT, "date": DATE, "time": TIME, "uuid": UUID}
_DECIMAL_FORMATS: Final = frozenset({"singer.decimal", "x-singer.decimal"})
_COMBINATORS: Final = ("anyOf", "oneOf", "allOf")
_DECIMAL_DIGITS: Final = 38


def decimal(precision: int, scale: int) -> ColumnType:
    """A decimal of `precision` digits, `scale` of them after the point."""
    return ColumnType("decimal", precision, scale)


NUMBER: Final = decimal(_DECIMAL_DIGITS, 10)
"""A `number` before anything is known of its digits: 28 before the point and 10 after it."""


def number_type(*, as_double: bool) -> ColumnType:
    """The column of a JSON number: exact, or binary floating point where somebody asked for that."""
    return DOUBLE if as_double else NUMBER


def columns_of(schema: Mapping[str, Any], *, number: ColumnType = NUMBER) -> tuple[Column, ...]:
    """A column for each property of `schema`, in its order; none is ever left out.

    One scalar type gives its own column; several scalars, or several formats of a string, give text; an object, an
    array, or a property that may be anything gives JSON. `singer.decimal` with `precision` and `scale` gives that
    decimal. A property whose `$ref` leads back to itself may be anything.
    """
    properties = schema.get("properties") or {}
    return tuple(_column(name, _resolved(schema, name, each), number) for name, each in properties.items())


def _resolved(schema: Mapping[str, Any], name: str, definition: Any) -> Any:
    if not has_refs(definition):
        return definition
    pointer = "/properties/" + name.replace("~", "~0").replace("/", "~1")
    try:
        return resolve_refs(dict(schema), pointer=pointer)
    except SchemaError:
        return {}


def _column(name: str, definition: Any, number: ColumnType) -> Column:
    natures = _natures(definition, number)
    types = {column_type for _, column_type in natures}
    arrivals = {arrival for arrival, _ in natures}
    if arrivals == {"integer", "number"}:
        arrivals = {"number"}
        types.discard(BIGINT)
    if not types or JSON in types:
        return Column(name, JSON)
    arrives = arrivals.pop() if len(arrivals) == 1 else "any"
    return Column(name, types.pop() if len(types) == 1 else TEXT, arrives)


_Nature = tuple[Arrival, ColumnType]
_ANYTHING: Final[frozenset[_Nature]] = frozenset({("any", JSON)})
_NOTHING: Final[frozenset[_Nature]] = frozenset()


def _natures(definition: Any, number: ColumnType) -> frozenset[_Nature]:
    """Every way in which a value that the schema allows can arrive; null has none."""
    if not isinstance(definition, Mapping):
        return _ANYTHING
    names = definition.get("type")
    if names is not None:
        listed = [names] if isinstance(names, str) else list(names)
        return frozenset().union(*(_nature_of(name, definition, number) for name in listed))
    if "const" in definition:
        return _natures_of_values([definition["const"]], number)
    if isinstance(definition.get("enum"), list):
        return _natures_of_values(definition["enum"], number)
    for combinator in _COMBINATORS:
        members = definition.get(combinator)
        if isinstance(members, list) and members:
            each = [_natures(member, number) for member in members]
            return _narrowed(each) if combinator == "allOf" else frozenset().union(*each)
    return _ANYTHING


def _narrowed(each: list[frozenset[_Nature]]) -> frozenset[_Nature]:
    """What all members of an `allOf` allow; a member that says nothing about types narrows nothing."""
    telling = [natures for natures in each if natures != _ANYTHING]
    if not telling:
        return _ANYTHING
    first, *others = telling
    return first if all(natures == first for natures in others) else _ANYTHING


def _nature_of(name: str, definition: Mapping[str, Any], number: ColumnType) -> frozenset[_Nature]:
    has_decimal_format = definition.get("format") in _DECIMAL_FORMATS
    match name:
        case "null":
            return _NOTHING
        case "boolean":
            return frozenset({("boolean", BOOLEAN)})
        case "integer":
            return frozenset({("integer", BIGINT)})
        case "number":
            return frozenset({("number", _declared_decimal(definition) if has_decimal_format else number)})
        case "string" if has_decimal_format:
            return frozenset({("string", _declared_decimal(definition))})
        case "string":
            return frozenset({("string", _FORMATS.get(str(definition.get("format")), TEXT))})
        case _:
            return _ANYTHING


def _declared_decimal(definition: Mapping[str, Any]) -> ColumnType:
    precision, scale = definition.get("precision"), definition.get("scale", 0)
    if type(precision) is int and type(scale) is int and 0 < precision <= _DECIMAL_DIGITS and 0 <= scale <= precision:
        return decimal(precision, scale)
    return NUMBER


def _natures_of_values(values: Iterable[Any], number: ColumnType) -> frozenset[_Nature]:
    natures: set[_Nature] = set()
    for value in values:
        match value:
            case None:
                pass
            case bool():
                natures.add(("boolean", BOOLEAN))
            case int():
                natures.add(("integer", BIGINT))
            case float() | Decimal():
                natures.add(("number", number))
            case str():
                natures.add(("string", TEXT))
            case _:
                return _ANYTHING
    return frozenset(natures)
