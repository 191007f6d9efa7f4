"""Partition: the part of a stream that one read covers, a JSON-able value whose order of keys does not
matter.

This module must not know where a partition's rows come from or where its bookmark is kept.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from singer_kit.codec import JSON, encode
from singer_kit.spec.instants import format_instant


class Partition(Mapping[str, JSON]):
    """A frozen, hashable mapping such as `{"repo": "a/b"}`; falsy when it is the whole stream.

    `bookmark` is the typed value from which to read on, or None for a first read; `end` is the value before
    which to stop, or None. Both ride along: two partitions are equal when their values are.
    """

    __slots__ = ("_bookmark", "_end", "_key", "_values")

    def __init__(self, values: Mapping[str, JSON] | None = None, bookmark: Any = None, end: Any = None) -> None:
        if type(values) is Partition:
            self._values: dict[str, JSON] = values._values
            self._key: bytes = values._key
        else:
            self._values = dict(values or {})
            self._key = partition_key(self._values)
        self._bookmark = bookmark
        self._end = end

    @property
    def bookmark(self) -> Any:
        """The typed value from which to read on: state, start date and lookback applied; None on a first
        read.
        """
        return self._bookmark

    @property
    def end(self) -> Any:
        """The typed value before which to stop, or None."""
        return self._end

    def key(self) -> bytes:
        """Canonical bytes of the values: equal for equal partitions, whatever the order of their keys."""
        return self._key

    def with_bookmark(self, bookmark: Any, end: Any = None) -> Self:
        """The same values with another bookmark and end."""
        return type(self)(self, bookmark, end)

    def __getitem__(self, name: str) -> JSON:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Partition):
            return self._key == other._key
        return self._values == other

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Partition({self._values!r})"


def partition_key(values: Mapping[str, JSON]) -> bytes:
    """Canonical bytes of a partition's values, before and after a trip through a state file alike.

    Numbers of one value and texts of one instant object are one (1, 1.0 and 1e0; a date and its text). Raises
    `TypeError` for a value that has no JSON form and `ValueError` for NaN, Infinity and naive datetimes.
    """
    return encode({name: _canonical(values[name]) for name in sorted(values)})


def _canonical(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a partition holds a number that is not finite")
        return int(value) if value == value.to_integral_value() and value.adjusted() < 400 else _plain(value)
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _canonical(value[name]) for name in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    raise TypeError(f"a partition holds a {type(value).__name__}, which has no JSON form")


def _plain(value: Decimal) -> Decimal:
    """Without the zeros at its end; `normalize` would round to the context's precision."""
    mantissa, _, exponent = format(value, f".{len(value.as_tuple().digits) - 1}e").partition("e")
    return Decimal(f"{mantissa.rstrip('0') if '.' in mantissa else mantissa}e{exponent}")
