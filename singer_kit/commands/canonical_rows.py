"""One form for equal values: numbers by decimal value, instants by the moment they name, objects by structure.

Pure functions; what is compared with what is decided elsewhere.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from singer_kit.codec import encode, encode_exactly
from singer_kit.spec.instants import order_key

__all__ = ["canonical", "canonical_schema", "digest", "key_text"]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ].*(?:[Zz]|[+-]\d\d:\d\d)", re.DOTALL)
_PLAIN_DIGITS = 18
_PLAIN = 10**_PLAIN_DIGITS


def canonical(value: Any) -> Any:
    """A JSON value that is the same for all values that are equal here, and differs for all others.

    1, 1.0 and 1e0 are one number; `2026-01-01T01:00:00+01:00` and `2026-01-01T00:00:00Z` one instant; the order of an
    object's members does not matter. Null is not missing, and text is compared as it is.
    """
    kind = type(value)
    if kind is str:
        return ["instant", *order_key(value)] if value[4:5] == "-" and _INSTANT.fullmatch(value) else value
    if kind is int:
        return value if -_PLAIN < value < _PLAIN else _number(Decimal(value))
    if kind is dict:
        return {name: canonical(value[name]) for name in sorted(value)}
    if kind is list:
        return ["list", *map(canonical, value)]
    if kind is Decimal:
        return _number(value)
    return _number(Decimal(repr(value))) if kind is float else value


def digest(row: Mapping[str, Any], *, ignored: Iterable[str] = ()) -> bytes:
    """16 bytes that are the same for equal rows. Names in `ignored` and names that begin with `_` do not count."""
    left_out = frozenset(ignored)
    kept = {name: item for name, item in row.items() if not name.startswith("_") and name not in left_out}
    return hashlib.blake2b(encode(canonical(kept)), digest_size=16).digest()


def key_text(row: Mapping[str, Any], key: Iterable[str]) -> bytes:
    """The values of the key as JSON; equal keys have equal text."""
    return encode([canonical(row.get(name)) for name in key])


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


def _number(value: Decimal) -> Any:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return ["number", str(value)]
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    exponent = exponent + len(text) - len(short) if short else 0
    if exponent >= 0 and len(short) + exponent <= _PLAIN_DIGITS:
        return int(value)
    return ["number", sign, short, exponent]
