"""One form for equal values: numbers by decimal value, instants by the moment they name, objects by structure.

Pure functions; what is compared with what is decided elsewhere.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from singer_kit.codec import encode_exactly
from singer_kit.spec.instants import order_key

__all__ = ["canonical", "canonical_schema", "digest", "key_text"]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ].*(?:[Zz]|[+-]\d\d:\d\d)", re.DOTALL)
_PLAIN_DIGITS = 18


def canonical(value: Any) -> Any:
    """A JSON value that is the same for all values that are equal here, and differs for all others.

    1, 1.0 and 1e0 are one number; `2026-01-01T01:00:00+01:00` and `2026-01-01T00:00:00Z` one instant; the order of an
    object's members does not matter. Null is not missing, and text is compared as it is.
    """
    if isinstance(value, str):
        return ["instant", *order_key(value)] if _INSTANT.fullmatch(value) else value
    if isinstance(value, dict):
        return {name: canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return ["list", *map(canonical, value)]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return _number(value)
    return value


def digest(row: Mapping[str, Any], *, ignored: Iterable[str] = ()) -> bytes:
    """16 bytes that are the same for equal rows. Names in `ignored` and names that begin with `_` do not count."""
    left_out = frozenset(ignored)
    kept = {name: item for name, item in row.items() if not name.startswith("_") and name not in left_out}
    return hashlib.blake2b(encode_exactly(canonical(kept), sort_keys=True), digest_size=16).digest()


def key_text(row: Mapping[str, Any], key: Iterable[str]) -> bytes:
    """The values of the key as JSON; equal keys have equal text."""
    return encode_exactly([canonical(row.get(name)) for name in key], sort_keys=True)


def canonical_schema(schema: Any) -> Any:
    """A schema without what does not judge: the order of types, of required names and of an enum's values."""
    if isinstance(schema, dict):
        return {name: _unordered(name, canonical_schema(child)) for name, child in schema.items()}
    return [canonical_schema(child) for child in schema] if isinstance(schema, list) else schema


def _unordered(keyword: str, value: Any) -> Any:
    if keyword in ("type", "required", "enum") and isinstance(value, list):
        ordered = sorted(value, key=lambda item: encode_exactly(item, sort_keys=True))
        return ordered[0] if keyword == "type" and len(ordered) == 1 else ordered
    return value


def _number(value: int | float | Decimal) -> Any:  # noqa: PYI041 - which of them it is decides here
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        sign, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            return ["number", str(value)]
        text = "".join(map(str, digits)).lstrip("0")
        short = text.rstrip("0")
        exponent = exponent + len(text) - len(short) if short else 0
        if exponent >= 0 and len(short) + exponent <= _PLAIN_DIGITS:
            return int(value)
        return ["number", sign, short, exponent]
    return value if abs(value) < 10**_PLAIN_DIGITS else _number(Decimal(value))
