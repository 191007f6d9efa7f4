"""What an expression may give, as far as its text and the declared schema tell; never too narrow.

A kind is a set of JSON type names (with `date`, `instant`, `span` and `set` beside them for values that are
on the way), and the declared schema where the value is a declared one, untouched. This module must not
evaluate anything.
"""

from collections.abc import Mapping
from typing import Any, Final

from singer_kit.codec import JSON, Struct

__all__ = [
    "ANY",
    "KINDS",
    "Kind",
    "either",
    "kind_if_only",
    "kind_of",
    "kind_of_arithmetic",
    "kind_of_item",
    "kind_of_result",
    "kind_of_value",
    "schema_of_kind",
]

_JSON_TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")
_ALL: Final = frozenset({*_JSON_TYPES, "date", "instant", "span", "set"})
_ANNOTATIONS: Final = frozenset({"title", "description", "examples", "default", "$comment", "readOnly", "writeOnly"})


class Kind(Struct, frozen=True):
    """The types a value may have; `schema` when it is a declared value, `items` of an array when known."""

    types: frozenset[str]
    schema: dict[str, JSON] | None = None
    items: "Kind | None" = None

    def is_only(self, *names: str) -> bool:
        """Whether the value has one of these types for certain."""
        return bool(self.types) and self.types.issubset(names)


ANY: Final = Kind(_ALL)

KINDS: Final[dict[str, Kind]] = {
    "any": ANY,
    "strings": Kind(frozenset({"array"}), items=Kind(frozenset({"string"}))),
    **{name: Kind(frozenset({name})) for name in _ALL},
}
"""Kinds by the names that the tables of calls use."""


def kind_of(schema: JSON, *, may_be_absent: bool = False) -> Kind:
    """The kind of a declared value.

    Null too where the property may be absent, for then expressions read null.
    """
    if not isinstance(schema, dict):
        return ANY
    types = _declared_types(schema)
    if types is None:
        return Kind(_ALL, schema=schema)
    items = schema.get("items")
    return Kind(
        types | {"null"} if may_be_absent else types,
        schema=schema,
        items=kind_of(items) if isinstance(items, dict) and "array" in types else None,
    )


def _declared_types(schema: dict[str, JSON]) -> frozenset[str] | None:
    declared = schema.get("type")
    if isinstance(declared, str):
        return frozenset({declared}) if declared in _JSON_TYPES else None
    if isinstance(declared, list) and declared and all(name in _JSON_TYPES for name in declared):
        return frozenset(declared)
    if declared is not None:
        return None
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list) and branches:
            found = [_declared_types(branch) if isinstance(branch, dict) else None for branch in branches]
            if all(types is not None for types in found):
                return frozenset().union(*(types for types in found if types is not None))
    return None


def either(a: Kind, b: Kind) -> Kind:
    """The kind of a value that is one of the two."""
    schema = None
    for one, other in ((a, b), (b, a)):
        if one.schema is not None and (other.schema == one.schema or other.types == frozenset({"null"})):
            schema = one.schema
    items = a.items if a.items is not None and (a.items == b.items or "array" not in b.types) else None
    return Kind(a.types | b.types, schema=schema, items=items)


def schema_of_kind(kind: Kind) -> dict[str, JSON]:
    """A nullable schema that every value of this kind keeps, once it is settled as JSON."""
    if kind.schema is not None:
        return _nullable(kind.schema)
    types = set(kind.types) - {"null"}
    if types == {"date"}:
        return {"type": ["null", "string"], "format": "date"}
    if types == {"instant"}:
        return {"type": ["null", "string"], "format": "date-time"}
    if types & {"date", "instant", "span", "set"}:
        types = (types - {"date", "instant", "span", "set"}) | {"string"}
    if "number" in types:
        types.discard("integer")
    written: dict[str, JSON] = {"type": ["null", *(name for name in _JSON_TYPES if name in types)]}
    if types == {"array"} and kind.items is not None and kind.items.is_only(*_JSON_TYPES):
        written["items"] = schema_of_kind(kind.items)
    return written


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    declared = schema.get("type")
    names = [declared] if isinstance(declared, str) else declared
    if names is None and not set(schema) - _ANNOTATIONS:
        return schema
    if isinstance(names, list) and not {"enum", "const", "allOf", "anyOf", "oneOf", "not", "if"} & set(schema):
        return schema if "null" in names else {**schema, "type": ["null", *names]}
    branches = schema.get("anyOf")
    if isinstance(branches, list) and any(branch == {"type": "null"} for branch in branches):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def kind_of_value(value: JSON) -> Kind:
    """The kind of a constant."""
    for types, name in (
        (type(None), "null"),
        (bool, "boolean"),
        (int, "integer"),
        (str, "string"),
        (list, "array"),
    ):
        if isinstance(value, types):
            return KINDS[name]
    return KINDS["object" if isinstance(value, Mapping) else "number"]


def kind_of_item(kind: Kind, key: object) -> Kind:
    """The kind of `value[key]` or of its member `key`."""
    if kind.is_only("string", "null"):
        return KINDS["string"]
    if kind.is_only("array", "null") and kind.items is not None:
        return kind.items
    if kind.is_only("object", "null") and kind.schema is not None and isinstance(key, str):
        properties = kind.schema.get("properties")
        if isinstance(properties, dict) and key in properties:
            return kind_of(properties[key])
    return ANY


def kind_if_only(kind: Kind, only: str) -> Kind:
    """The kind `only` if the value can be nothing else but null."""
    return KINDS[only] if kind.is_only(only, "null") else ANY


def kind_of_result(name: str, gives: str, arguments: list[Kind]) -> Kind:
    """The kind of a function's result, from what its table says and what it is called with."""
    if gives == "number?":
        known = arguments[0].items if name == "sum" and arguments else arguments[0] if arguments else None
        if known is not None and known.is_only("integer", "boolean") and len(arguments) == 1:
            return KINDS["integer"]
        return KINDS["number"] if name != "sum" else ANY
    if name in ("sorted", "list") and len(arguments) == 1 and arguments[0].is_only("array"):
        return Kind(frozenset({"array"}), items=arguments[0].items)
    return KINDS[gives]


def kind_of_arithmetic(name: str, a: Kind, b: Kind) -> Kind:
    """The kind of a binary operator's result."""
    numbers = ("integer", "number", "boolean", "null")
    if a.is_only("integer", "boolean", "null") and b.is_only("integer", "boolean", "null"):
        return KINDS["number" if name in ("Div", "Pow") else "integer"]
    if a.is_only(*numbers) and b.is_only(*numbers):
        return KINDS["number"]
    if name == "Add" and a.is_only("string", "null") and b.is_only("string", "null"):
        return KINDS["string"]
    moment, span = a.types - {"null"}, b.is_only("span")
    if span and name in ("Add", "Sub") and moment in ({"date"}, {"instant"}):
        return KINDS[next(iter(moment))]
    return ANY
