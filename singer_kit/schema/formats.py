"""Every string format once, judged a column at a time.

A column check never accepts a value that the reference refuses: a quick test for the shapes that real data has, and
for a column that fails it the reference's own predicate on each distinct value.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from typing import Annotated, Any, Final, TypeAlias

from singer_kit.codec import Meta, ValidationError, convert
from singer_kit.schema.numbers import DECIMAL_TEXT
from singer_kit.schema.reference import DECIMAL_FORMATS, FORMATS, conforms

__all__ = ["ColumnCheck", "format_check", "format_predicate"]

ColumnCheck: TypeAlias = Callable[[list[Any]], bool]
"""Whether a list of values, all of one JSON type and at least one, is accepted as a whole."""

_LABEL: Final = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_PATH: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
_QUERY: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
_WEB_ADDRESS: Final = rf"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/{_PATH})?(?:\?{_QUERY})?(?:\#{_QUERY})?"
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HOURS: Final = r"(?:[01][0-9]|2[0-3])"

_SHAPES: Final[dict[str, str]] = {
    "date": (
        r"(?!0000)[0-9]{4}-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12][0-9]|30)"
        r"|(?:0[13578]|1[02])-31|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    ),
    "time": rf"{_HOURS}:[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-]{_HOURS}:[0-5][0-9])",
    "uuid": r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
    "ipv4": rf"{_OCTET}(?:\.{_OCTET}){{3}}",
    "hostname": rf"(?=[^\n]{{1,253}}\n){_LABEL}(?:\.{_LABEL})*",
    "json-pointer": r"(?:/(?:[^~/\n]|~[01])*)*",
    **dict.fromkeys(("uri", "uri-reference", "iri", "iri-reference"), _WEB_ADDRESS),
    **dict.fromkeys(DECIMAL_FORMATS, DECIMAL_TEXT),
}
_SHAPES["date-time"] = f"{_SHAPES['date']}[Tt]{_SHAPES['time']}"
"""For some formats an expression for values that the reference accepts: not all of them, but the usual ones."""

_INSTANTS: Final = list[Annotated[datetime, Meta(tz=True)]]
_DIGITS_TO_ZERO: Final = bytes.maketrans(b"123456789", b"0" * 9)
_instant_shape = re.compile(rb"0000-00-00[Tt]00:00:00(?:\.0+)?(?:[Zz]|[+-]00:00)").fullmatch


@cache
def format_check(name: str) -> ColumnCheck | None:
    """The check of a column of strings for this format; None for a format that nobody checks."""
    if name not in FORMATS:
        return None
    if name == "date-time":
        return _are_instants
    if name in ("email", "idn-email"):
        return _hold_an_at_sign
    if name in DECIMAL_FORMATS:
        return partial(_are_decimals, partial(_are_shaped, re.compile(rf"(?:{_SHAPES[name]}\n)*+").fullmatch, name))
    if name in _SHAPES:
        return partial(_are_shaped, re.compile(rf"(?:{_SHAPES[name]}\n)*+").fullmatch, name)
    return partial(_conform, name)


@cache
def format_predicate(name: str) -> Callable[[str], bool]:
    """The reference's predicate of one value, with a quick yes for the usual ones."""
    if name not in _SHAPES:
        return partial(conforms, name)
    is_usual = re.compile(_SHAPES[name].replace(r"(?=[^\n]{1,253}\n)", r"(?=.{1,253}\Z)")).fullmatch
    return lambda value: is_usual(value) is not None or conforms(name, value)


def _conform(name: str, values: list[str]) -> bool:
    return all(conforms(name, value) for value in set(values))


def _are_shaped(match: Callable[[str], object], name: str, values: list[str]) -> bool:
    text = "\n".join(values) + "\n"
    # A line break inside a value could pass for the end of one: the count says whether there is any.
    return (match(text) is not None and text.count("\n") == len(values)) or _conform(name, values)


_EMPTY_DECIMALS: Final = frozenset(("", ".", "-", "-."))
_UNSIGNED: Final = frozenset((b"", b"."))


def _are_decimals(otherwise: ColumnCheck, values: list[str]) -> bool:
    # With its digits and leading minus gone, a plain number is nothing or a point: 40 ns a value against 130.
    text = "\n" + "\n".join(values)
    left = text.replace("\n-", "\n").encode("utf-8", "replace").translate(None, b"0123456789").split(b"\n")
    if len(left) == len(values) + 1 and _UNSIGNED.issuperset(left) and _EMPTY_DECIMALS.isdisjoint(values):
        return True
    return otherwise(values)


def _are_instants(values: list[str]) -> bool:
    # msgspec knows the calendar and the clock, and it is the quickest; but it also takes a blank for the T and an
    # offset without colon, so the shapes are looked at as well. 150 ns a value against 210 for one expression.
    try:
        convert(values, _INSTANTS)
    except ValidationError:
        return _conform("date-time", values)
    shapes = set("\n".join(values).encode().translate(_DIGITS_TO_ZERO).split(b"\n"))
    return all(map(_instant_shape, shapes)) or _conform("date-time", values)


def _hold_an_at_sign(values: list[str]) -> bool:
    return all("@" in value for value in values)
