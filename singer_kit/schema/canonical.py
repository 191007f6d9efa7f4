"""A schema of any draft as one of Draft 2020-12 that holds nothing but what judges, references written out.

The fast tiers read this form only. What it cannot say, or what is not well-formed, is `Opaque` and left to the
reference.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from singer_kit.schema.dialect import KEYWORDS, Draft, target_of
from singer_kit.schema.numbers import exactly

__all__ = ["Opaque", "canonical"]

TYPES: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_NODES: Final = 5000
"""How many schemas a written-out schema may have; one that doubles itself by references is not worth the memory."""


class Opaque(Exception):  # noqa: N818 - it says what the schema is, nothing went wrong
    """A schema that only the reference can judge, and why."""


def canonical(schema: dict[str, Any], draft: Draft) -> dict[str, Any]:
    """`schema` as Draft 2020-12 without references, remarks, floats and keywords that its own draft ignores.

    Raises `Opaque` for references that are circular, remote or by anchor, for `unevaluated...`, and for anything not
    well-formed.
    """
    return _Writer(schema, draft).write(schema, is_root=True)


class _Writer:
    def __init__(self, root: dict[str, Any], draft: Draft) -> None:
        self.root = root
        self.draft = draft
        self.keywords = KEYWORDS[draft]
        self.open: set[str] = set()
        self.nodes = 0

    def write(self, schema: Any, *, is_root: bool = False) -> dict[str, Any]:
        if schema is True:
            return {}
        if schema is False:
            return {"not": {}}
        if not isinstance(schema, dict):
            raise Opaque("a schema is neither an object nor a boolean")
        self.nodes += 1
        if self.nodes > _NODES:
            raise Opaque("it grows beyond measure when its references are written out")
        if not is_root and isinstance(schema.get("id" if self.draft == "4" else "$id"), str):
            raise Opaque("it moves the base of its references")
        for keyword in ("$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties"):
            if keyword in schema and keyword in self.keywords:
                raise Opaque(f"it uses {keyword}")
        if schema.get("$ref") is None:
            return self._assertions(schema)
        target = self._follow(schema["$ref"])
        if self.draft in ("4", "6", "7"):
            return target
        beside = self._assertions(schema)
        return {"allOf": [target, beside]} if beside else target

    def _follow(self, reference: Any) -> dict[str, Any]:
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            raise Opaque("it refers to something outside itself")
        if reference in self.open:
            raise Opaque("it refers to itself")
        try:
            found = target_of(self.root, reference)
        except KeyError:
            raise Opaque("a reference leads nowhere") from None
        self.open.add(reference)
        try:
            return self.write(found, is_root=found is self.root)
        finally:
            self.open.discard(reference)

    def _assertions(self, schema: dict[str, Any]) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword in self.keywords and keyword != "$ref":
                _WRITERS[keyword](self, written, keyword, value, schema)
        return written

    def _type(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not listed or not all(one in TYPES for one in _strings(listed)):
            raise Opaque("type is not a list of types")
        out[keyword] = listed

    def _literals(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        if keyword == "const":
            value = [value]
        elif not isinstance(value, list):
            raise Opaque("enum is not a list")
        if "enum" in out:
            out.setdefault("allOf", []).append({"enum": exactly(value)})
        else:
            out["enum"] = exactly(value)

    def _bound(self, out: dict[str, Any], keyword: str, value: Any, schema: dict[str, Any]) -> None:
        exclusive = f"exclusive{keyword[0].upper()}{keyword[1:]}"
        if self.draft == "4" and schema.get(exclusive, False):
            keyword = exclusive
        out[keyword] = _number(value)

    def _edge(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        out[keyword] = _number(value)

    def _multiple(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        out[keyword] = _number(value)
        if out[keyword] <= 0:
            raise Opaque("multipleOf is not above zero")

    def _count(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        out[keyword] = _whole(value)

    def _pattern(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        out[keyword] = _expression(value)

    def _format(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        if not isinstance(value, str):
            raise Opaque("format is not a string")
        out[keyword] = value

    def _unique(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        if not isinstance(value, bool):
            raise Opaque("uniqueItems is not a boolean")
        if value:
            out[keyword] = True

    def _names(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        if not isinstance(value, list):
            raise Opaque("required is not a list")
        if value:
            out[keyword] = list(_strings(value))

    def _one(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        out[keyword] = self.write(value)

    def _several(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        if not isinstance(value, list) or not value:
            raise Opaque(f"{keyword} is not a list of schemas")
        written = [self.write(one) for one in value]
        out[keyword] = [*out.get(keyword, ()), *written]

    def _named(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        if not isinstance(value, dict):
            raise Opaque(f"{keyword} is not an object")
        for name in value if keyword == "patternProperties" else ():
            _expression(name)
        out[keyword] = {name: self.write(one) for name, one in value.items()}

    def _items(self, out: dict[str, Any], keyword: str, value: Any, schema: dict[str, Any]) -> None:
        if self.draft == "2020-12" or not isinstance(value, list):
            out[keyword] = self.write(value)
            return
        if value:
            out["prefixItems"] = [self.write(one) for one in value]
        if "additionalItems" in schema:
            out["items"] = self.write(schema["additionalItems"])

    def _contains(self, out: dict[str, Any], keyword: str, value: Any, schema: dict[str, Any]) -> None:
        out[keyword] = self.write(value)
        if self.draft in ("2019-09", "2020-12"):
            for limit in ("minContains", "maxContains"):
                if limit in schema:
                    out[limit] = _whole(schema[limit])

    def _if(self, out: dict[str, Any], keyword: str, value: Any, schema: dict[str, Any]) -> None:
        branches: dict[str, Any] = {
            branch: self.write(schema[branch]) for branch in ("then", "else") if branch in schema
        }
        if branches:
            out[keyword] = self.write(value)
            out.update(branches)

    def _dependencies(self, out: dict[str, Any], _: str, value: Any, __: dict[str, Any]) -> None:
        if not isinstance(value, dict):
            raise Opaque("dependencies is not an object")
        for name, needed in value.items():
            if isinstance(needed, list):
                out.setdefault("dependentRequired", {})[name] = list(_strings(needed))
            else:
                out.setdefault("dependentSchemas", {})[name] = self.write(needed)

    def _dependent_required(self, out: dict[str, Any], keyword: str, value: Any, _: dict[str, Any]) -> None:
        if not isinstance(value, dict) or not all(isinstance(needed, list) for needed in value.values()):
            raise Opaque("dependentRequired is not an object of lists")
        out[keyword] = {name: list(_strings(needed)) for name, needed in value.items()}

    def _beside(self, out: dict[str, Any], keyword: str, value: Any, schema: dict[str, Any]) -> None:
        """`additionalItems`: read together with `items`."""


_WRITERS: Final[dict[str, Callable[[_Writer, dict[str, Any], str, Any, dict[str, Any]], None]]] = {
    "type": _Writer._type,
    "enum": _Writer._literals,
    "const": _Writer._literals,
    "minimum": _Writer._bound,
    "maximum": _Writer._bound,
    "exclusiveMinimum": _Writer._edge,
    "exclusiveMaximum": _Writer._edge,
    "multipleOf": _Writer._multiple,
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _Writer._count
    ),
    "pattern": _Writer._pattern,
    "format": _Writer._format,
    "uniqueItems": _Writer._unique,
    "required": _Writer._names,
    **dict.fromkeys(("not", "additionalProperties", "propertyNames"), _Writer._one),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), _Writer._several),
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas"), _Writer._named),
    "items": _Writer._items,
    "additionalItems": _Writer._beside,
    "contains": _Writer._contains,
    "if": _Writer._if,
    "dependencies": _Writer._dependencies,
    "dependentRequired": _Writer._dependent_required,
}


def _strings(values: list[Any]) -> list[str]:
    if not all(isinstance(value, str) for value in values):
        raise Opaque("a name is not a string")
    return values


def _number(value: Any) -> int | Decimal:
    number = exactly(value)
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    if isinstance(number, Decimal) and number.is_finite():
        return number
    raise Opaque("a bound is not a number")


def _whole(value: Any) -> int:
    number = _number(value)
    if not 0 <= number < 2**53 or number != int(number):
        raise Opaque("a count is not a whole number")
    return int(number)


def _expression(value: Any) -> str:
    if not isinstance(value, str):
        raise Opaque("a pattern is not a string")
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError):
        raise Opaque("a pattern is no regular expression") from None
    return value
