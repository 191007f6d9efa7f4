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
_PLAIN_DATE = re.compile(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])")
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
    bounded = isinstance(look.schema.get("exclusiveMinimum"), bool)
    return not bounded and (not _is_numeric(look.value) or (_is_plain(look, look.value) and look.value >= look.wanted))


def _maximum(look: _Look) -> bool:
    bounded = isinstance(look.schema.get("exclusiveMaximum"), bool)
    return not bounded and (not _is_numeric(look.value) or (_is_plain(look, look.value) and look.value <= look.wanted))


def _above(look: _Look) -> bool:
    return not _is_numeric(look.value) or (_is_plain(look, look.value) and look.value > look.wanted)


def _below(look: _Look) -> bool:
    return not _is_numeric(look.value) or (_is_plain(look, look.value) and look.value < look.wanted)


def _min_length(look: _Look) -> bool:
    return not isinstance(look.value, str) or len(look.value) >= look.wanted


def _max_length(look: _Look) -> bool:
    return not isinstance(look.value, str) or len(look.value) <= look.wanted


def _min_items(look: _Look) -> bool:
    return not isinstance(look.value, list) or len(look.value) >= look.wanted


def _max_items(look: _Look) -> bool:
    return not isinstance(look.value, list) or len(look.value) <= look.wanted


def _pattern(look: _Look) -> bool:
    return not isinstance(look.value, str) or re.search(look.wanted, look.value) is not None


def _format(look: _Look) -> bool:
    if not isinstance(look.value, str) or look.wanted in ("date-time", "password"):
        return True
    if look.wanted == "date":
        return _PLAIN_DATE.fullmatch(look.value) is not None
    return look.wanted == "uri" and _PLAIN_URL.fullmatch(look.value) is not None


def _any_of(look: _Look) -> bool:
    return any(fits(look.root, branch, look.value) for branch in look.wanted)


def _all_of(look: _Look) -> bool:
    return all(fits(look.root, branch, look.value) for branch in look.wanted)


def _one_of(look: _Look) -> bool:
    others = [branch for branch in look.wanted if not _is_refused_by_type(look, branch)]
    return len(others) == 1 and fits(look.root, others[0], look.value)


def _is_refused_by_type(look: _Look, branch: Any) -> bool:
    schema = walk.resolve(look.root, branch)
    wanted = schema.get("type")
    return wanted is not None and not _type(_Look(look.root, schema, wanted, look.value)) and not _is_whole(look.value)


def _is_whole(value: object) -> bool:
    return isinstance(value, (float, Decimal)) and value == value // 1


def _is_numeric(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _is_plain(look: _Look, value: int | float | Decimal) -> bool:  # noqa: PYI041 - NaN has no order
    return isinstance(look.wanted, int) and not isinstance(look.wanted, bool) and value == value  # noqa: PLR0124


_CHECKS: dict[str, Callable[[_Look], bool]] = {
    "type": _type,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _extra,
    "items": _items,
    "enum": _enum,
    "minimum": _minimum,
    "maximum": _maximum,
    "exclusiveMinimum": _above,
    "exclusiveMaximum": _below,
    "minLength": _min_length,
    "maxLength": _max_length,
    "minItems": _min_items,
    "maxItems": _max_items,
    "pattern": _pattern,
    "format": _format,
    "anyOf": _any_of,
    "allOf": _all_of,
    "oneOf": _one_of,
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
