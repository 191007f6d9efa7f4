"""How a leaf of a schema may be typed: one alternative for each family of Python types that rows bring.

The typed alternatives need no look at single values; whatever none of them takes is made plain value by value.
This module must not hold state.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from singer_kit.codec import Meta, dict_of, list_of
from singer_kit.schema.formats import format_check
from singer_kit.schema.shape_columns import (
    Column,
    decimal_text,
    finite_decimals,
    in_bounds,
    in_lengths,
    matching,
    of_format,
    one_of,
    untyped,
    whole_minutes,
    without_decimals,
)
from singer_kit.schema.shape_plain import DESELECTED, has_decimal_text, types_of

__all__ = ["Alternative", "alternatives", "is_decided", "tail_columns"]

Schema = Mapping[str, Any]

_LARGEST: Final = 1.7976931348623157e308
FINITE: Final = Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]
AWARE: Final = Annotated[datetime, Meta(tz=True)]
AWARE_TIME: Final = Annotated[time, Meta(tz=True)]
_FREE_LEVELS: Final = 5


def _free(*scalars: Any) -> Any:
    scalar: Any = None | bool | int | str
    for each in scalars:
        scalar = scalar | each
    free = scalar
    for _ in range(_FREE_LEVELS):
        free = scalar | list_of(free) | dict_of(free)
    return free


FREE: Final = _free()
"""Any JSON value of a few levels without fractions; deeper ones are walked."""
FREE_WITH_FLOATS: Final = _free(FINITE)
"""The same with floats. A Decimal would become one without a word, so it is used to judge and not to convert."""

_FREE_TYPES: Final = frozenset((bool, int, str, list, dict, tuple))


class Alternative(NamedTuple):
    """`annotation` takes values of the Python types `takes` and nothing else; `columns` judge the rest."""

    takes: frozenset[type]
    annotation: Any
    columns: tuple[Column, ...] = ()


def alternatives(schema: Schema) -> tuple[Alternative, ...]:
    """How values of `schema` may be typed, the likeliest first; none when each value has to be walked."""
    types = types_of(schema)
    others = types - {"null"}
    if not types or not others <= _TYPE_NAMES:
        return () if _has_levels(schema) or not types <= _TYPE_NAMES else _free_alternatives(FREE, FREE_WITH_FLOATS)
    if not others:
        return (Alternative(frozenset(), None),)
    if len(others) == 1:
        (name,) = others
        return _SINGLE[name](schema)
    if _has_levels(schema) or has_decimal_text(schema):
        return ()
    takes, annotation = frozenset[type](), None
    for name in sorted(others):
        one = _MIXED[name]
        takes |= one.takes
        annotation = one.annotation if annotation is None else annotation | one.annotation
    return (Alternative(takes, annotation),)


def _free_alternatives(exact: Any, with_floats: Any) -> tuple[Alternative, ...]:
    return (
        Alternative(_FREE_TYPES, exact),
        Alternative(_FREE_TYPES | {float}, Any, (untyped(with_floats),)),
    )


def _has_levels(schema: Schema) -> bool:
    return (
        bool(schema.get("properties"))
        or isinstance(schema.get("items"), (Mapping, list))
        or "additionalProperties" in schema
    )


def tail_columns(schema: Schema) -> tuple[Column, ...]:
    """What is left to judge of values made plain: the keywords of the one type that `schema` names."""
    others = types_of(schema) - {"null"}
    if others == {"string"}:
        return _text_columns(schema)
    if others and others <= {"integer", "number"}:
        return _bound_columns(schema)
    return ()


def _strings(schema: Schema) -> tuple[Alternative, ...]:
    columns = _text_columns(schema)
    text = Alternative(frozenset((str,)), str, columns)
    if any(word in schema for word in ("enum", "const", "minLength", "maxLength", "pattern")):
        return (text,)
    native = _NATIVE.get(schema.get("format", ""))
    if native is not None:
        return (text, native)
    if has_decimal_text(schema):
        return (text, Alternative(frozenset((Decimal,)), Decimal, (decimal_text,)))
    if schema.get("contentEncoding") == "base64" and not columns:
        return (text, Alternative(frozenset((bytes,)), bytes))
    return (text,)


def _numbers(schema: Schema) -> tuple[Alternative, ...]:
    bounds = _bound_columns(schema)
    return (
        Alternative(frozenset((int, float)), int | FINITE | Decimal, (without_decimals, *bounds)),
        Alternative(frozenset((int, float, Decimal)), int | FINITE | Decimal, (finite_decimals, *bounds)),
    )


def _integers(schema: Schema) -> tuple[Alternative, ...]:
    return (Alternative(frozenset((int,)), int, _bound_columns(schema)),)


def _booleans(schema: Schema) -> tuple[Alternative, ...]:  # noqa: ARG001 - one shape for all types
    return (Alternative(frozenset((bool,)), bool),)


def _objects(schema: Schema) -> tuple[Alternative, ...]:
    return () if _has_levels(schema) else _free_alternatives(dict_of(FREE), dict_of(FREE_WITH_FLOATS))


def _arrays(schema: Schema) -> tuple[Alternative, ...]:
    return () if _has_levels(schema) else _free_alternatives(list_of(FREE), list_of(FREE_WITH_FLOATS))


_SINGLE: Final[Mapping[str, Callable[[Schema], tuple[Alternative, ...]]]] = {
    "string": _strings,
    "number": _numbers,
    "integer": _integers,
    "boolean": _booleans,
    "object": _objects,
    "array": _arrays,
}
_TYPE_NAMES: Final = frozenset(_SINGLE)
_MIXED: Final[Mapping[str, Alternative]] = {
    "string": Alternative(frozenset((str,)), str),
    "number": Alternative(frozenset((int,)), int),  # floats are walked: see FREE_WITH_FLOATS
    "integer": Alternative(frozenset((int,)), int),
    "boolean": Alternative(frozenset((bool,)), bool),
    "object": Alternative(_FREE_TYPES, dict_of(FREE)),
    "array": Alternative(_FREE_TYPES, list_of(FREE)),
}
_NATIVE: Final[Mapping[str, Alternative]] = {
    "date-time": Alternative(frozenset((datetime,)), AWARE, (whole_minutes,)),
    "date": Alternative(frozenset((date,)), date),
    "time": Alternative(frozenset((time,)), AWARE_TIME, (whole_minutes,)),
    "uuid": Alternative(frozenset((UUID,)), UUID),
}


def _text_columns(schema: Schema) -> tuple[Column, ...]:
    columns: list[Column] = []
    if "enum" in schema:
        columns.append(one_of([each for each in schema["enum"] if isinstance(each, str)], null=None in schema["enum"]))
    if "const" in schema:
        columns.append(
            one_of([schema["const"]] if isinstance(schema["const"], str) else [], null=schema["const"] is None)
        )
    if "minLength" in schema or "maxLength" in schema:
        columns.append(in_lengths(schema.get("minLength", 0), schema.get("maxLength")))
    if "pattern" in schema:
        columns.append(matching(schema["pattern"]))
    check = format_check(str(schema.get("format")))
    if check is not None:
        columns.append(of_format(check))
    return tuple(columns)


def _bound_columns(schema: Schema) -> tuple[Column, ...]:
    bounds = {
        argument: schema[word]
        for word, argument in (
            ("minimum", "least"),
            ("maximum", "most"),
            ("exclusiveMinimum", "more_than"),
            ("exclusiveMaximum", "less_than"),
        )
        if word in schema and not isinstance(schema[word], bool)
    }
    return (in_bounds(**bounds),) if bounds else ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ANY_TYPE: Final = _words("enum const allOf anyOf oneOf not if then else $ref $dynamicRef $recursiveRef")
_ASSERTIONS: Final[Mapping[str, frozenset[str]]] = {
    "string": _words("minLength maxLength pattern format"),
    "number": _words("minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"),
    "integer": _words("minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"),
    "boolean": frozenset(),
    "null": frozenset(),
    "object": _words(
        "properties required additionalProperties patternProperties minProperties maxProperties propertyNames "
        "dependencies dependentRequired dependentSchemas unevaluatedProperties"
    ),
    "array": _words(
        "items prefixItems additionalItems contains minContains maxContains minItems maxItems uniqueItems "
        "unevaluatedItems"
    ),
}
_DECIDED: Final[Mapping[str, frozenset[str]]] = {
    "string": _words("minLength maxLength pattern format enum const"),
    "number": _words("minimum maximum exclusiveMinimum exclusiveMaximum"),
    "integer": _words("minimum maximum exclusiveMinimum exclusiveMaximum"),
    "boolean": frozenset(),
    "null": frozenset(),
    "object": _words("properties required additionalProperties"),
    "array": frozenset(("items",)),
}


def is_decided(schema: Any) -> bool:
    """True when the plan alone can tell that a value satisfies `schema`; else a validator judges what comes out."""
    if schema is DESELECTED or schema is True:
        return True
    if not isinstance(schema, Mapping):
        return False
    types = types_of(schema)
    others = types - {"null"}
    if not types <= _ASSERTIONS.keys():
        return False
    said = {
        word for word in schema if word in _ANY_TYPE or any(word in _ASSERTIONS[name] for name in types or _ASSERTIONS)
    }
    if not said:
        return True
    if len(others) != 1:
        return False
    (name,) = others
    return said <= _DECIDED[name] and _DEEPER[name](schema)


def _decides_text(schema: Schema) -> bool:
    named = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])]
    lengths = (schema.get("minLength", 0), schema.get("maxLength", 0))
    return all(each is None or isinstance(each, str) for each in named) and all(type(each) is int for each in lengths)


def _decides_number(schema: Schema) -> bool:
    return not any(isinstance(schema.get(word), bool) for word in ("exclusiveMinimum", "exclusiveMaximum"))


def _decides_object(schema: Schema) -> bool:
    properties = schema.get("properties") or {}
    if not set(schema.get("required") or ()) <= {name for name, inner in properties.items() if inner is not DESELECTED}:
        return False
    if not properties:
        return schema.get("additionalProperties", True) in (True, {})
    return is_decided(schema.get("additionalProperties") or True) and all(map(is_decided, properties.values()))


def _decides_array(schema: Schema) -> bool:
    return isinstance(schema.get("items", {}), (Mapping, bool)) and is_decided(schema.get("items", True))


_DEEPER: Final[Mapping[str, Callable[[Schema], bool]]] = {
    "string": _decides_text,
    "number": _decides_number,
    "integer": _decides_number,
    "boolean": lambda _: True,
    "null": lambda _: True,
    "object": _decides_object,
    "array": _decides_array,
}
