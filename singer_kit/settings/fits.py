"""A first look at plain values: whether they certainly are what a schema asks for.

It saves loading the reference validator, and never contradicts its verdict: it passes only what it knows.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from singer_kit.codec import Struct
from singer_kit.settings import walk

__all__ = ["fits"]

_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float, Decimal),
}


class _Look(Struct, frozen=True):
    """One keyword of one schema node, and the value it is held against."""

    root: walk.Schema
    schema: walk.Schema
    wanted: Any
    value: Any


def fits(root: walk.Schema, node: Any, value: Any) -> bool:
    """True only if `value` is what `node`, a part of `root`, asks for; False means: ask the reference.

    Texts of format date-time pass: settings read them more leniently than the reference.
    """
    if node is True:
        return True
    schema = walk.resolve(root, node)
    for keyword, wanted in schema.items():
        check = _CHECKS.get(keyword)
        if check is None:
            if keyword not in _ANNOTATIONS and not keyword.startswith("x-"):
                return False
        elif not check(_Look(root, schema, wanted, value)):
            return False
    return True


def _type(look: _Look) -> bool:
    kinds = [look.wanted] if isinstance(look.wanted, str) else look.wanted
    if isinstance(look.value, bool):
        return "boolean" in kinds
    return any(isinstance(look.value, _KINDS.get(kind, ())) for kind in kinds)


def _properties(look: _Look) -> bool:
    return not isinstance(look.value, dict) or all(
        fits(look.root, child, look.value[name]) for name, child in look.wanted.items() if name in look.value
    )


def _required(look: _Look) -> bool:
    return not isinstance(look.value, dict) or (
        isinstance(look.wanted, (list, tuple)) and all(name in look.value for name in look.wanted)
    )


def _extra(look: _Look) -> bool:
    if not isinstance(look.value, dict) or look.wanted is True:
        return True
    known = look.schema.get("properties") or {}
    extra = [item for name, item in look.value.items() if name not in known]
    if isinstance(look.wanted, Mapping) and "patternProperties" not in look.schema:
        return all(fits(look.root, look.wanted, item) for item in extra)
    return not extra


def _items(look: _Look) -> bool:
    if not isinstance(look.wanted, Mapping):
        return False
    return not isinstance(look.value, list) or all(fits(look.root, look.wanted, item) for item in look.value)


def _enum(look: _Look) -> bool:
    return (look.value is None or isinstance(look.value, str)) and look.value in look.wanted


def _minimum(look: _Look) -> bool:
    return (
        _is_plain_number(look.value, look.wanted)
        and "exclusiveMinimum" not in look.schema
        and look.value >= look.wanted
    )


def _maximum(look: _Look) -> bool:
    return (
        _is_plain_number(look.value, look.wanted)
        and "exclusiveMaximum" not in look.schema
        and look.value <= look.wanted
    )


def _min_length(look: _Look) -> bool:
    return not isinstance(look.value, str) or len(look.value) >= look.wanted


def _format(look: _Look) -> bool:
    if not isinstance(look.value, str) or look.wanted in ("date-time", "password"):
        return True
    return look.wanted == "uri" and _PLAIN_URL.fullmatch(look.value) is not None


def _any_of(look: _Look) -> bool:
    return any(fits(look.root, branch, look.value) for branch in look.wanted)


def _all_of(look: _Look) -> bool:
    return all(fits(look.root, branch, look.value) for branch in look.wanted)


def _is_plain_number(value: Any, bound: Any) -> bool:
    return all(isinstance(each, int) and not isinstance(each, bool) for each in (value, bound))


_CHECKS: dict[str, Callable[[_Look], bool]] = {
    "type": _type,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _extra,
    "items": _items,
    "enum": _enum,
    "minimum": _minimum,
    "maximum": _maximum,
    "minLength": _min_length,
    "format": _format,
    "anyOf": _any_of,
    "allOf": _all_of,
}
_ANNOTATIONS = frozenset(
    {
        "$comment",
        "$defs",
        "$id",
        "$schema",
        "default",
        "definitions",
        "deprecated",
        "description",
        "examples",
        "readOnly",
        "secret",
        "title",
        "writeOnly",
    }
)
