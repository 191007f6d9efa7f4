"""One row's values as JSON says them, walked along the schema: the law that the compiled shape obeys.

It is slow and exact, and names what it refuses. It must not judge keywords: the validator does that on what comes
out of here.
"""

from binascii import b2a_base64, hexlify
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite, isnan
from typing import Any, Final
from uuid import UUID

from singer_kit.codec import JSON

__all__ = [
    "DESELECTED",
    "NATIVE_TYPES",
    "PlainError",
    "declared_names",
    "has_decimal_text",
    "is_open",
    "is_whole_minute",
    "plain",
    "types_of",
]

Schema = dict[str, Any]
Path = tuple[str | int, ...]

NATIVE_TYPES: Final = (datetime, date, time, Decimal, UUID, bytes)
"""Python types that pass as they are where the schema has a form for them, and never by reading text."""

DESELECTED: Final = object()
"""Stands in `properties` for a field that is declared but not selected: it is dropped without a word."""

_DECLARE_ELSEWHERE: Final = frozenset(
    ("patternProperties", "allOf", "anyOf", "oneOf", "if", "$ref", "$dynamicRef", "dependentSchemas", "dependencies")
)
_DECIMAL_FORMATS: Final = frozenset({"singer.decimal", "x-singer.decimal"})
_MINUTE: Final = timedelta(minutes=1)
_BASES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "base64": lambda data: b2a_base64(data, newline=False),
    "base64url": lambda data: b2a_base64(data, newline=False).translate(bytes.maketrans(b"+/", b"-_")),
    "base16": lambda data: hexlify(data).upper(),
}


class PlainError(ValueError):
    """A value that has no JSON form, or none that the schema would take without a loss.

    `path` leads to it, `reason` goes on after the field's name, `next_step` is an imperative.
    """

    def __init__(self, path: Path, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason
        self.next_step = next_step


def types_of(schema: Mapping[str, Any]) -> frozenset[str]:
    """The JSON types that `type` names; empty when it names none."""
    said = schema.get("type", ())
    return frozenset((said,) if isinstance(said, str) else said)


def has_decimal_text(schema: Mapping[str, Any]) -> bool:
    """True where exact decimals travel as text: strings of the format `singer.decimal`."""
    return schema.get("format") in _DECIMAL_FORMATS and "string" in types_of(schema)


def is_open(schema: Mapping[str, Any]) -> bool:
    """True for an object level that takes names it does not declare: it declares none, or others may be declared."""
    if not schema.get("properties"):
        return True
    return bool(schema.get("additionalProperties", False)) or not _DECLARE_ELSEWHERE.isdisjoint(schema)


def declared_names(schema: Mapping[str, Any]) -> frozenset[str]:
    """The names an object level declares."""
    return frozenset(schema.get("properties") or ())


def is_whole_minute(value: datetime | time) -> bool:
    """True when the offset of `value` can be said in RFC 3339, which knows no seconds there."""
    offset = value.utcoffset()
    return offset is None or not offset % _MINUTE


def plain(schema: Any, value: Any, *, keep: bool = False, path: Path = ()) -> JSON:
    """`value` in JSON's own types, names that `schema` leaves no room for dropped; raises `PlainError`.

    Instants become RFC 3339 text with their offset, dates, times and UUIDs their text, enum members their value,
    bytes the text that `contentEncoding` says, decimals numbers, or text where the schema asks for decimal text.
    Never becomes: a naive datetime, NaN, Infinity, a float where decimal text is asked for. `keep` keeps names
    that nobody declared.
    """
    if not isinstance(schema, Mapping):
        schema = {}
    if isinstance(value, Mapping):
        return _plain_object(schema, value, keep, path)
    if isinstance(value, Enum):
        return plain(schema, value.value, keep=keep, path=path)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, float, Decimal)):
        return _plain_number(schema, value, path)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = schema.get("items")
        return [plain(items, item, keep=keep, path=(*path, place)) for place, item in enumerate(value)]
    return _plain_native(schema, value, path)


def _plain_object(schema: Mapping[str, Any], value: Mapping[Any, Any], keep: bool, path: Path) -> JSON:
    properties: Mapping[str, Any] = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    takes_all = keep or is_open(schema)
    made: dict[str, JSON] = {}
    for name, item in value.items():
        if not isinstance(name, str):
            raise PlainError(path, f"has a name that is a {type(name).__name__}", "names of a JSON object are text.")
        declared = properties.get(name, others)
        if declared is DESELECTED:
            continue
        if takes_all or name in properties:
            made[str.__str__(name)] = plain(declared, item, keep=keep, path=(*path, name))
    return made


def _plain_number(schema: Mapping[str, Any], value: float | Decimal, path: Path) -> JSON:
    if isinstance(value, int):
        return str(int(value)) if _only_decimal_text(schema) else int(value)
    if not (isfinite(value) if isinstance(value, float) else value.is_finite()):
        raise PlainError(path, f"is {_non_finite(value)}, which is not a JSON number", "send null, or leave it out.")
    if not _only_decimal_text(schema):
        return float(value) if isinstance(value, float) else value
    if isinstance(value, float):
        raise PlainError(
            path,
            "is a float but the schema asks for exact decimal text",
            "give a Decimal or text, or Decimal(str(value)) where the float's shortest digits are meant.",
        )
    return str(value)


def _non_finite(value: float | Decimal) -> str:
    is_nan = value.is_nan() if isinstance(value, Decimal) else isnan(value)
    return "NaN" if is_nan else "Infinity"


def _only_decimal_text(schema: Mapping[str, Any]) -> bool:
    return has_decimal_text(schema) and types_of(schema) <= {"string", "null"}


def _plain_native(schema: Mapping[str, Any], value: Any, path: Path) -> JSON:
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise PlainError(
                path,
                "is a datetime without an offset",
                "give it one: value.replace(tzinfo=...), or datetime.now(UTC) where it is made.",
            )
        return _rfc3339(value if is_whole_minute(value) else value.astimezone(UTC))
    if isinstance(value, time):
        if not is_whole_minute(value):
            raise PlainError(path, "is a time whose offset has seconds", "give its offset in whole minutes.")
        return _rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        encode = _BASES.get(str(schema.get("contentEncoding", "")).lower())
        if encode is not None:
            return encode(bytes(value)).decode("ascii")
        raise PlainError(
            path,
            "is bytes, which JSON cannot hold",
            'decode it, or declare "contentEncoding": "base64" in the schema.',
        )
    raise PlainError(
        path,
        f"is a {type(value).__name__}, which has no JSON form",
        "make it a str, int, float, Decimal, bool, datetime, date, list or dict in get_records or post_process.",
    )


def _rfc3339(value: datetime | time) -> str:
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text
