"""Columns of one field's values, judged and mended at once: what typed conversion leaves open.

A column answers the values as they may go out, or None when one of them has to be looked at alone. It never lets
through what the reference refuses; refusing too much costs time, nothing else.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, TypeAlias

from singer_kit.codec import UNSET, DecodeError, EncodeError, UnsetType, convert, holds_decimals
from singer_kit.schema.shape_plain import NATIVE_TYPES, PlainError, is_whole_minute, plain, types_of

__all__ = [
    "Column",
    "chain",
    "decimal_text",
    "finite_decimals",
    "in_bounds",
    "in_lengths",
    "matching",
    "mended",
    "of_format",
    "one_of",
    "present",
    "untyped",
    "whole_minutes",
    "without_decimals",
]

Column: TypeAlias = Callable[[list[Any]], list[Any] | None]

_ZONE: Final = attrgetter("tzinfo")
_NONE_TYPE: Final = type(None)


def present(values: Iterable[Any]) -> list[Any]:
    """The values that are there and not null."""
    return [value for value in values if value is not None and value is not UNSET]


def chain(columns: list[Column]) -> Column | None:
    """One column that does what all of them do, in their order; None when there is nothing to do."""
    if len(columns) < 2:
        return columns[0] if columns else None

    def column(values: list[Any]) -> list[Any] | None:
        for each in columns:
            answer = each(values)
            if answer is None:
                return None
            values = answer
        return values

    return column


def _has_gaps(values: list[Any]) -> bool:
    kinds = set(map(type, values))
    return _NONE_TYPE in kinds or UnsetType in kinds


def whole_minutes(values: list[Any]) -> list[Any] | None:
    """Datetimes and times as they are, unless an offset has seconds, which RFC 3339 cannot say."""
    try:
        zones = set(map(_ZONE, values))
    except AttributeError:  # nulls among them
        zones = set(map(_ZONE, present(values)))
    if not all(type(zone) is timezone and not zone.utcoffset(None) % timedelta(minutes=1) for zone in zones):
        return values if all(map(_whole_minute, present(values))) else None
    return values


def _whole_minute(value: datetime | time) -> bool:
    return is_whole_minute(value)


def without_decimals(values: list[Any]) -> list[Any] | None:
    """Numbers as they are, unless there is a Decimal among them."""
    return None if Decimal in set(map(type, values)) else values


def untyped(annotation: Any) -> Column:
    """Values of the type `annotation` as they are, unless a Decimal is anywhere in them.

    Converted for the verdict only: conversion makes floats of Decimals without a word where there is no type for them.
    """
    listed = list[annotation]

    def column(values: list[Any]) -> list[Any] | None:
        try:
            there = present(values)
            convert(there, listed, builtin_types=NATIVE_TYPES)
            return None if holds_decimals(there) else values
        except (DecodeError, RecursionError, *EncodeError):
            return None

    return column


def finite_decimals(values: list[Any]) -> list[Any] | None:
    """Numbers as they are, unless a Decimal among them is NaN or infinite."""
    try:
        finite = all(map(Decimal.is_finite, values))
    except TypeError:  # nulls, integers or floats among them
        finite = all(value.is_finite() for value in values if type(value) is Decimal)
    return values if finite else None


def decimal_text(values: list[Any]) -> list[Any] | None:
    """Finite Decimals as their text."""
    try:
        return list(map(str, values)) if all(map(Decimal.is_finite, values)) else None
    except TypeError:  # nulls among them
        if not all(map(Decimal.is_finite, present(values))):
            return None
    return [value if value is None or value is UNSET else str(value) for value in values]


def one_of(allowed: Iterable[Any], *, null: bool) -> Column:
    """Text that is one of `allowed`."""
    known = frozenset(allowed) | ({None} if null else set()) | {UNSET}

    def column(values: list[Any]) -> list[Any] | None:
        return values if known.issuperset(values) else None

    return column


def in_lengths(shortest: int, longest: int | None) -> Column:
    """Text of `shortest` to `longest` code points."""

    def column(values: list[Any]) -> list[Any] | None:
        lengths = list(map(len, present(values) if _has_gaps(values) else values))
        if not lengths:
            return values
        return values if min(lengths) >= shortest and (longest is None or max(lengths) <= longest) else None

    return column


def in_bounds(*, least: Any = None, most: Any = None, more_than: Any = None, less_than: Any = None) -> Column:
    """Numbers within bounds, compared as the decimals that their JSON says."""

    least, most, more_than, less_than = map(_as_written, (least, most, more_than, less_than))

    def is_within(numbers: list[Any]) -> bool:
        if not numbers:
            return True
        low, high = _as_written(min(numbers)), _as_written(max(numbers))
        return (
            (least is None or low >= least)
            and (most is None or high <= most)
            and (more_than is None or low > more_than)
            and (less_than is None or high < less_than)
        )

    def column(values: list[Any]) -> list[Any] | None:
        numbers = present(values) if _has_gaps(values) else values
        floats = [number for number in numbers if type(number) is float]
        exact = [number for number in numbers if type(number) is not float] if floats else numbers
        return values if is_within(floats) and is_within(exact) else None

    return column


def _as_written(number: Any) -> Any:
    """A float as the decimal number that its JSON says, which is what the other side compares."""
    return Decimal(repr(number)) if type(number) is float else number


def matching(pattern: str) -> Column:
    """Text in which `pattern` is found, as Python's `re` reads it."""
    search = re.compile(pattern).search

    def column(values: list[Any]) -> list[Any] | None:
        return values if all(map(search, present(values))) else None

    return column


def of_format(accepts: Callable[[list[str]], bool]) -> Column:
    """Text of one format; `accepts` judges a list of texts that is not empty."""

    def column(values: list[Any]) -> list[Any] | None:
        texts = present(values) if _has_gaps(values) else values
        return values if not texts or accepts(texts) else None

    return column


def mended(schema: Mapping[str, Any], *, keep: bool, nullable: bool) -> Column:
    """Any values, each made plain; only the types that `schema` names come out."""
    allowed = _python_types(types_of(schema), nullable)

    def column(values: list[Any]) -> list[Any] | None:
        try:
            made = [value if value is UNSET else plain(schema, value, keep=keep) for value in values]
        except (PlainError, RecursionError):
            return None
        kinds = set(map(type, made))
        kinds.discard(UnsetType)
        return made if allowed is None or kinds <= allowed else None

    return column


_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float, Decimal),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def _python_types(types: frozenset[str], nullable: bool) -> frozenset[type] | None:
    """What values of these JSON types may be in Python; None for any."""
    if not types:
        return None
    kinds = {kind for name in types for kind in _PYTHON_TYPES.get(name, ())}
    return frozenset(kinds | {_NONE_TYPE}) if nullable else frozenset(kinds)
