"""The one door to jsonschema-rs: a quick yes for decoded records that no type can describe.

Only schemas are taken on which the two engines cannot differ to our harm: what it accepts the reference accepts.
Its no says nothing.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache, partial
from operator import ge, gt, le, lt
from typing import Any, Final

from singer_kit.schema.canonical import Opaque
from singer_kit.schema.formats import format_predicate
from singer_kit.schema.numbers import is_multiple, is_number
from singer_kit.schema.reference import FORMATS

__all__ = ["RustValidator"]

_LITERAL: Final = r"[A-Za-z0-9 _:/@#%&=,;!~'\"<>-]"
_ESCAPED: Final = r"\\[.\-/+*?()\[\]{}|^$\\]"
_RANGE: Final = r"[A-Za-z0-9](?:-[A-Za-z0-9])?"
_CLASS: Final = rf"\[\^?(?:{_RANGE}|[ _:/@#%=,;!'\"<>.+*?()|$]|{_ESCAPED})+-?\]"
_WIDER_CLASS: Final = rf"\[(?:{_RANGE}|[ _:/@#%=,;!'\"<>.+*?()|$]|{_ESCAPED}|\\[dw])+-?\]"
_COUNT: Final = r"(?:[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})\??"
_SAME: Final = rf"\^?(?:(?:{_LITERAL}|{_ESCAPED}|{_CLASS}|\(\?:|\(|\)|\|)(?:{_COUNT})?)*+"
_NARROWER: Final = (
    rf"(?:(?:{_LITERAL}|{_ESCAPED}|{_CLASS}|{_WIDER_CLASS}|\\[dw]|\.|\(\?:|\(|\)|\|)(?:{_COUNT})?|\^|\$)*+"
)
"""Patterns that mean the same to both engines; patterns that match nothing in jsonschema-rs that Python does not
match (its \\d and \\w are ASCII, its $ is the very end; \\s, \\b and all negations of these are out)."""


_ONE: Final = frozenset({"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"})
_SEVERAL: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
_EXACT: Final[dict[str, Callable[[Any, Decimal], bool]]] = {
    "minimum": ge,
    "maximum": le,
    "exclusiveMinimum": gt,
    "exclusiveMaximum": lt,
    "multipleOf": is_multiple,
}
"""Keywords that jsonschema-rs 0.60 judges by binary floats when digits are many; ours take their place.

Their limits come as text, because keywords of one's own are given floats.
"""


class _ExactKeyword:
    def __init__(self, holds: Callable[[Any, Decimal], bool], _schema: object, limit: str, _path: object) -> None:
        self.holds = holds
        self.limit = Decimal(limit)

    def validate(self, value: Any) -> None:
        """Raises `ValueError` for a number beyond the limit."""
        if is_number(value) and not self.holds(value, self.limit):
            raise ValueError("beyond the limit")


class RustValidator:
    """A canonical schema compiled. Raises `Opaque` where its yes could not be trusted."""

    __slots__ = ("_is_valid",)

    def __init__(self, schema: dict[str, Any]) -> None:
        _trust(schema, is_asked=True)
        import jsonschema_rs  # noqa: PLC0415 - loaded for the schemas that need it

        try:
            self._is_valid = jsonschema_rs.Draft202012Validator(
                _spelled(schema),
                formats=_formats(),
                validate_formats=True,
                keywords=_keywords(),
                offline=True,
            ).is_valid
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise Opaque(f"jsonschema-rs refuses the schema: {type(error).__name__}") from None

    def accepts(self, value: Any) -> bool:
        """True only if the reference accepts `value` too."""
        try:
            return bool(self._is_valid(value))
        except (ValueError, RecursionError, OverflowError):  # UnicodeEncodeError is a ValueError
            return False

    def accepts_all(self, values: list[Any]) -> bool:
        """Whether it accepts each of the values."""
        try:
            return all(map(self._is_valid, values))
        except (ValueError, RecursionError, OverflowError):
            return False


@cache
def _formats() -> dict[str, Any]:
    """The reference's predicates, so that a format is one thing for both."""
    return {name: format_predicate(name) for name in FORMATS}


@cache
def _keywords() -> dict[str, Any]:
    return {_ours(keyword): partial(_ExactKeyword, holds) for keyword, holds in _EXACT.items()}


def _ours(keyword: str) -> str:
    return f"exact-{keyword}"


def _spelled(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with our own keywords for the bounds of numbers."""
    spelled: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _EXACT:
            spelled[_ours(keyword)] = str(value)
        elif keyword in _NAMED:
            spelled[keyword] = {name: _spelled(one) for name, one in value.items()}
        elif keyword in _SEVERAL:
            spelled[keyword] = [_spelled(one) for one in value]
        else:
            spelled[keyword] = _spelled(value) if keyword in _ONE else value
    return spelled


def _trust(schema: dict[str, Any], *, is_asked: bool) -> None:
    """Returns if a yes to `schema` may be believed; with `is_asked` false, a no must be believed as well."""
    patterns = [schema["pattern"]] if "pattern" in schema else []
    if not all(re.fullmatch(_NARROWER if is_asked else _SAME, pattern) for pattern in patterns):
        raise Opaque("it has a pattern that engines read differently")
    if not all(re.fullmatch(_SAME, pattern) for pattern in schema.get("patternProperties", ())):
        raise Opaque("it has a pattern for names that engines read differently")
    if not is_asked and "uniqueItems" in schema:
        raise Opaque("it denies that items are unique")
    asked, denied = _parts(schema)
    for one in asked:
        _trust(one, is_asked=is_asked)
    for one in denied:
        _trust(one, is_asked=False)


def _parts(schema: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """The schemas inside `schema`: those that a good value must keep, and those whose no counts too."""
    asked: list[Any] = []
    denied: list[Any] = []
    for keyword, value in schema.items():
        no_counts = keyword in ("not", "if", "oneOf") or (keyword == "contains" and "maxContains" in schema)
        parts = denied if no_counts else asked
        if keyword in _ONE:
            parts.append(value)
        elif keyword in _SEVERAL:
            parts += value
        elif keyword in _NAMED:
            parts += value.values()
    return asked, denied
