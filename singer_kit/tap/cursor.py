"""Cursor: what watches a partition's rows and moves its bookmark; typed, a page at a time.

It knows values and their order; it must not write states, and looks at no clock.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any, Final

from singer_kit.codec import JSON
from singer_kit.errors import SourceRecordError
from singer_kit.spec.instants import format_instant, order_key

__all__ = ["Cursor", "bookmark_text"]

_T_AT_10: Final = itemgetter(10)
_MISSING: Final = object()


def bookmark_text(value: Any) -> JSON:
    """A bookmark value as state holds it: instants and dates as text, anything else as it is."""
    if isinstance(value, datetime):
        return format_instant(value)
    return value.isoformat() if isinstance(value, date) else value


class Cursor:
    """Follows the replication key of one partition, or of all that share one bookmark.

    Call order: `check` for each page before its records are written, `advance` after. `value` is the largest value
    that `advance` was told of, never before `start`, and never after `ceiling` (the start of the run for instants:
    a row dated in the future must not hide the rows that come before it). In a sorted partition `value` may be saved
    at once, in an unsorted one only when the partition has been read to its end.
    """

    def __init__(self, stream: str, key: str, *, is_sorted: bool, start: JSON = None, ceiling: JSON = None) -> None:
        self.stream = stream
        self.key = key
        self.is_sorted = is_sorted
        self._value: Any = start
        self._order = order_key(start)
        self._ceiling = ceiling
        self._ceiling_order = order_key(ceiling)
        self._get: Callable[[Mapping[str, Any]], Any] = itemgetter(key)
        self._last: Any = None
        self._last_order: tuple[Any, ...] = ()
        self._checked: Any = None

    @property
    def value(self) -> JSON:
        """How far the rows got, as state holds it."""
        return bookmark_text(self._value)

    def check(self, rows: Sequence[Mapping[str, Any]], first: int) -> None:
        """Returns when the rows may be written; `first` is the number of the first of them in its stream.

        Raises `SourceRecordError` that names the record which lacks the key or, in a sorted stream, has a value that
        is null or smaller than the one before it.
        """
        try:
            values = list(map(self._get, rows))
        except KeyError:
            raise self._missing(rows, first) from None
        if self.is_sorted:
            self._checked = self._largest_sorted(values, first)
        else:
            if None in values:
                values = [value for value in values if value is not None]
            self._checked = _largest(values) if values else None

    def advance(self) -> bool:
        """The rows that were checked last are written; True when `value` moved."""
        value, self._checked = self._checked, None
        if value is None:
            return False
        order = order_key(value)
        self._last, self._last_order = value, order
        if self._ceiling is not None and order > self._ceiling_order:
            value, order = self._ceiling, self._ceiling_order
        if self._value is not None and order <= self._order:
            return False
        self._value, self._order = value, order
        return True

    def _largest_sorted(self, values: list[Any], first: int) -> Any:
        if not values:
            return None
        if _are_plainly_comparable(values) and (self._last is None or type(self._last) is type(values[0])):
            ordered = sorted(values)  # 20 ns a value when they are in order, and they nearly always are
            if ordered == values and (self._last is None or not order_key(values[0]) < self._last_order):
                return values[-1]
        before = None if self._last is None else self._last_order
        for number, value in enumerate(values, first):
            if value is None:
                raise SourceRecordError(
                    f"stream {self.stream!r}, record {number}: the replication key {self.key!r} is null in a "
                    "stream that says it is sorted by it.",
                    next_step="leave such rows out, or set is_sorted = False.",
                )
            now = order_key(value)
            if before is not None and now < before:
                raise SourceRecordError(
                    f"stream {self.stream!r}, record {number}: {self.key!r} is earlier than in the record before it, "
                    "though the stream says it is sorted by it.",
                    next_step="ask the source to sort by it, ascending, or set is_sorted = False.",
                )
            before = now
        return values[-1]

    def _missing(self, rows: Sequence[Mapping[str, Any]], first: int) -> SourceRecordError:
        place = next(place for place, row in enumerate(rows) if row.get(self.key, _MISSING) is _MISSING)
        return SourceRecordError(
            f"stream {self.stream!r}, record {first + place}: the replication key {self.key!r} is missing.",
            next_step="have the source send it, set it in post_process, or choose another replication_key.",
        )


def _are_plainly_comparable(values: list[Any]) -> bool:
    """True when Python's own order of `values` is the order of what they mean."""
    kinds = set(map(type, values))
    if len(kinds) != 1:
        return False
    (kind,) = kinds
    if kind is str:
        # Texts of one length that end in the same Z, a T in the middle: instants in the order of their letters.
        shapes = set(map(len, values))
        text = values[0]
        return (
            len(shapes) == 1
            and len(text) >= 20
            and text[-1] == "Z"
            and set(map(_T_AT_10, values)) == {"T"}
            and all(value.endswith("Z") for value in values)
        )
    return kind in (int, datetime, date)


def _largest(values: list[Any]) -> Any:
    return max(values) if _are_plainly_comparable(values) else max(values, key=order_key)
