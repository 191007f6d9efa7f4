"""What a schema allows, sorted by JSON type: the form from which record types and column checks are made.

A node maps each JSON type that it allows to what it asks of values of that type. Made from a canonical schema by
intersecting its keywords; what the form cannot say is `Opaque`.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from singer_kit.codec import Struct, field
from singer_kit.schema.canonical import Opaque
from singer_kit.schema.reference import FORMATS

__all__ = ["ANYTHING", "Array", "Boolean", "Node", "Null", "Number", "Object", "Text", "node_of", "without_null"]


class Null(Struct, frozen=True):
    """Null; there is nothing to ask of it."""


class Boolean(Struct, frozen=True):
    """True, false, or one of them."""

    allowed: frozenset[bool] = frozenset({True, False})


class Text(Struct, frozen=True):
    """A string."""

    allowed: frozenset[str] | None = None
    formats: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    shortest: int = 0
    longest: int | None = None


class Number(Struct, frozen=True):
    """A number; `is_whole`: one without a fraction. Bounds are (limit, keyword of the schema)."""

    is_whole: bool = False
    allowed: frozenset[int | Decimal] | None = None
    bounds: frozenset[tuple[str, int | Decimal]] = frozenset()
    multiples: frozenset[int | Decimal] = frozenset()

    @property
    def is_constrained(self) -> bool:
        return self.allowed is not None or bool(self.bounds) or bool(self.multiples)


class Array(Struct, frozen=True):
    """An array; `items` is None when they may be anything."""

    items: "Node | None" = None
    fewest: int = 0
    most: int | None = None
    is_unique: bool = False


class Object(Struct, frozen=True):
    """An object; `others` is what a name beyond `properties` may hold: True for anything, False for nothing."""

    properties: "dict[str, Node]" = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    others: "Node | bool" = True
    fewest: int = 0
    most: int | None = None


Kind: TypeAlias = Null | Boolean | Text | Number | Array | Object
Node: TypeAlias = dict[str, Kind]

ANYTHING: Final[Node] = {
    "null": Null(),
    "boolean": Boolean(),
    "number": Number(),
    "string": Text(),
    "array": Array(),
    "object": Object(),
}
_UNTYPED: Final = frozenset(
    (  # noqa: SIM905 - a column of quotes reads worse
        "not if then else contains minContains maxContains prefixItems patternProperties propertyNames "
        "dependentRequired dependentSchemas"
    ).split()
)
_OF_TEXT: Final = frozenset({"minLength", "maxLength", "pattern", "format"})
_OF_NUMBERS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_OF_ARRAYS: Final = frozenset({"items", "minItems", "maxItems", "uniqueItems"})
_OF_OBJECTS: Final = frozenset({"properties", "required", "additionalProperties", "minProperties", "maxProperties"})


def without_null(node: Node) -> Node:
    """`node` less null."""
    return {kind: spec for kind, spec in node.items() if kind != "null"}


def node_of(schema: dict[str, Any]) -> Node:
    """What a canonical schema allows. Raises `Opaque` for what cannot be sorted by type."""
    if not _UNTYPED.isdisjoint(schema):
        raise Opaque("it uses keywords that need whole values")
    node = _by_type(schema["type"]) if "type" in schema else ANYTHING
    node = {kind: _own(spec, schema) for kind, spec in node.items()}
    if "enum" in schema:
        node = _both(node, _literal(schema["enum"]))
    for one in schema.get("allOf", ()):
        node = _both(node, node_of(one))
    if "anyOf" in schema:
        node = _both(node, _either([node_of(one) for one in schema["anyOf"]]))
    if "oneOf" in schema:
        node = _both(node, _one_of([node_of(one) for one in schema["oneOf"]]))
    return node


def _by_type(types: list[str]) -> Node:
    node = {one: ANYTHING[one] for one in types if one != "integer"}
    if "integer" in types and "number" not in types:
        node["number"] = Number(is_whole=True)
    return node


def _own(spec: Kind, schema: dict[str, Any]) -> Kind:
    """`spec` with the keywords of `schema` that speak of this type."""
    if isinstance(spec, Text) and not _OF_TEXT.isdisjoint(schema):
        return Text(
            formats=FORMATS & {schema.get("format", "")},
            patterns=frozenset({schema["pattern"]} if "pattern" in schema else ()),
            shortest=schema.get("minLength", 0),
            longest=schema.get("maxLength"),
        )
    if isinstance(spec, Number) and not _OF_NUMBERS.isdisjoint(schema):
        return Number(
            is_whole=spec.is_whole,
            bounds=frozenset(
                (keyword, schema[keyword]) for keyword in _OF_NUMBERS - {"multipleOf"} if keyword in schema
            ),
            multiples=frozenset({schema["multipleOf"]} if "multipleOf" in schema else ()),
        )
    if isinstance(spec, Array) and not _OF_ARRAYS.isdisjoint(schema):
        return Array(
            items=node_of(schema["items"]) if schema.get("items") else None,
            fewest=schema.get("minItems", 0),
            most=schema.get("maxItems"),
            is_unique=schema.get("uniqueItems", False),
        )
    if isinstance(spec, Object) and not _OF_OBJECTS.isdisjoint(schema):
        return Object(
            properties={name: node_of(one) for name, one in schema.get("properties", {}).items()},
            required=frozenset(schema.get("required", ())),
            others=_others(schema),
            fewest=schema.get("minProperties", 0),
            most=schema.get("maxProperties"),
        )
    return spec


def _others(schema: dict[str, Any]) -> Node | bool:
    others = schema.get("additionalProperties", {})
    if others == {}:
        return True
    if others == {"not": {}}:
        return False
    return node_of(others)


def _literal(values: list[Any]) -> Node:
    """Exactly these values."""
    node: Node = {}
    booleans = frozenset(value for value in values if isinstance(value, bool))
    texts = frozenset(value for value in values if isinstance(value, str))
    numbers = frozenset(value for value in values if isinstance(value, (int, Decimal)) and not isinstance(value, bool))
    if any(isinstance(value, (list, dict)) for value in values):
        raise Opaque("it lists arrays or objects")
    if None in values:
        node["null"] = Null()
    if booleans:
        node["boolean"] = Boolean(booleans)
    if texts:
        node["string"] = Text(allowed=texts)
    if numbers:
        node["number"] = Number(allowed=numbers)
    return node


def _both(one: Node, two: Node) -> Node:
    return {kind: _meet(one[kind], two[kind]) for kind in one if kind in two}


def _meet(one: Kind, two: Kind) -> Kind:
    """What both ask."""
    if one == two:
        return one
    if isinstance(one, Boolean) and isinstance(two, Boolean):
        return Boolean(one.allowed & two.allowed)
    if isinstance(one, Text) and isinstance(two, Text):
        return Text(
            allowed=_common(one.allowed, two.allowed),
            formats=one.formats | two.formats,
            patterns=one.patterns | two.patterns,
            shortest=max(one.shortest, two.shortest),
            longest=_least(one.longest, two.longest),
        )
    if isinstance(one, Number) and isinstance(two, Number):
        return Number(
            is_whole=one.is_whole or two.is_whole,
            allowed=_common(one.allowed, two.allowed),
            bounds=one.bounds | two.bounds,
            multiples=one.multiples | two.multiples,
        )
    if isinstance(one, Array) and isinstance(two, Array):
        items = one.items if two.items is None else two.items if one.items is None else _both(one.items, two.items)
        return Array(
            items=items,
            fewest=max(one.fewest, two.fewest),
            most=_least(one.most, two.most),
            is_unique=one.is_unique or two.is_unique,
        )
    if isinstance(one, Object) and isinstance(two, Object):
        return _meet_objects(one, two)
    raise Opaque("it cannot be sorted by type")


def _meet_objects(one: Object, two: Object) -> Object:
    if (one.others is not True and (two.properties or two.others is not True)) or (
        two.others is not True and (one.properties or one.others is not True)
    ):
        raise Opaque("its parts disagree on what other names may hold")
    properties = {**one.properties, **two.properties}
    for name in one.properties.keys() & two.properties.keys():
        properties[name] = _both(one.properties[name], two.properties[name])
    return Object(
        properties=properties,
        required=one.required | two.required,
        others=one.others if two.others is True else two.others,
        fewest=max(one.fewest, two.fewest),
        most=_least(one.most, two.most),
    )


def _either(nodes: list[Node]) -> Node:
    """What at least one of the nodes allows."""
    found: Node = {}
    for node in nodes:
        for kind, spec in node.items():
            found[kind] = _join(found[kind], spec) if kind in found else spec
    return found


def _join(one: Kind, two: Kind) -> Kind:
    if one == two:
        return one
    if isinstance(one, Boolean) and isinstance(two, Boolean):
        return Boolean(one.allowed | two.allowed)
    if Text() in (one, two):
        return Text()
    if isinstance(one, Number) and isinstance(two, Number):
        if Number() in (one, two):
            return Number()
        whole = Number(is_whole=True)
        if whole in (one, two) and one.is_whole and two.is_whole:
            return whole
        if one == Number(allowed=one.allowed) and two == Number(allowed=two.allowed):
            return Number(allowed=_all_of(one.allowed, two.allowed))
    if isinstance(one, Text) and isinstance(two, Text):  # noqa: SIM102 - reads as the line above does
        if one == Text(allowed=one.allowed) and two == Text(allowed=two.allowed):
            return Text(allowed=_all_of(one.allowed, two.allowed))
    raise Opaque("its alternatives ask different things of one type")


def _one_of(nodes: Iterable[Node]) -> Node:
    """What exactly one of the nodes allows, when no two of them allow the same type."""
    found: Node = {}
    for node in nodes:
        if not found.keys().isdisjoint(node):
            raise Opaque("two alternatives of oneOf allow the same type")
        found |= node
    return found


def _common(one: frozenset[Any] | None, two: frozenset[Any] | None) -> frozenset[Any] | None:
    return two if one is None else one if two is None else one & two


def _all_of(one: frozenset[Any] | None, two: frozenset[Any] | None) -> frozenset[Any] | None:
    return None if one is None or two is None else one | two


def _least(one: int | None, two: int | None) -> int | None:
    return two if one is None else one if two is None else min(one, two)
