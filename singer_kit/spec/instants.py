"""Instants: RFC 3339 text to aware datetimes and back, and the order of bookmark values.

The order is exact: numbers of any kind by value, instants by the moment they name whatever their offset. This
module must not look at a clock, and knows no calendar beyond the standard library's.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from singer_kit.codec import encode, encode_exactly

_INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - subtracted from naive values that count as UTC
_MICROSECOND: Final = timedelta(microseconds=1)

_NULL, _NAN, _BOOLEAN, _NUMBER, _INSTANT_RANK, _TEXT, _LIST, _OBJECT = range(8)


def parse_instant(text: str) -> datetime:
    """The aware datetime that RFC 3339 `text` names; digits beyond microseconds are cut.

    `T` and `Z` may be lower case and a space may stand for `T`, as RFC 3339 allows; a leap second is the
    second after :59. Raises `ValueError` for anything else: text without an offset, a bare date, a bare time.
    """
    found = _INSTANT.fullmatch(text)
    if found is None or found[5] is None:
        raise ValueError("not an RFC 3339 instant: it needs a date, a time and an offset")
    if found[3] != "60":
        return datetime.fromisoformat(text.upper())
    fraction = f".{found[4]}" if found[4] else ""
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}:59{fraction}{found[5].upper()}") + timedelta(seconds=1)
    except OverflowError as error:
        raise ValueError("a leap second after the last day of the calendar") from error


def format_instant(value: datetime) -> str:
    """RFC 3339 in UTC: `2024-01-31T09:00:00Z`, with six digits of microseconds when they are not zero.

    An instant that UTC cannot name (the first and the last hours of the calendar) keeps its own offset.
    Raises `ValueError` for a naive datetime.
    """
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("a datetime without an offset names no instant")
    try:
        return value.astimezone(UTC).isoformat()[:-6] + "Z"
    except OverflowError:
        if offset % timedelta(minutes=1):
            raise ValueError("an offset with seconds has no RFC 3339 form") from None
        return value.isoformat()


def is_later(a: Any, b: Any) -> bool:
    """True when bookmark value `a` comes strictly after `b` in `order_key`'s order."""
    return order_key(a) > order_key(b)


def order_key(value: Any) -> tuple[Any, ...]:
    """A sort key that orders all bookmark values totally.

    null < NaN < booleans < numbers (int, Decimal, float, compared exactly) < instants < other text < lists <
    objects. Instants are datetimes, dates (midnight UTC) and text in RFC 3339 form, of any offset, down to
    the last digit; here, and only here, a missing offset counts as UTC. Values that name one instant, or one
    number, have equal keys.
    """
    if isinstance(value, str):
        return _text_key(value)
    if value is None:
        return (_NULL,)
    if isinstance(value, bool):
        return (_BOOLEAN, value)
    if isinstance(value, Decimal):
        return (_NAN,) if value.is_nan() else (_NUMBER, value)
    if isinstance(value, (int, float)):
        return (_NAN,) if value != value else (_NUMBER, value)  # noqa: PLR0124 - the test for NaN
    if isinstance(value, datetime):
        return (_INSTANT_RANK, _microseconds(value), "")
    if isinstance(value, date):
        return (_INSTANT_RANK, (value.toordinal() - _EPOCH.toordinal()) * 86_400_000_000, "")
    if isinstance(value, (list, tuple)):
        return (_LIST, encode_exactly(value, sort_keys=True))
    return (_OBJECT, encode_exactly(value, sort_keys=True))


def tie_key(value: Any) -> tuple[Any, ...]:
    """`order_key`, and among values of one key (`Z` and `+00:00`, 1 and 1.0) the order of their JSON text."""
    return (*order_key(value), encode(value))


def _text_key(text: str) -> tuple[Any, ...]:
    if len(text) >= 10 and text[4] == "-":
        found = _INSTANT.fullmatch(text)
        try:
            if found is not None:
                instant = parse_instant(text if found[5] else text + "Z")
                return (_INSTANT_RANK, _microseconds(instant), (found[4] or "")[6:].rstrip("0"))
            if _DATE.fullmatch(text):
                return order_key(date.fromisoformat(text))
        except ValueError:
            pass  # the shape of an instant, but no day of the calendar: text
    return (_TEXT, text)


def _microseconds(value: datetime) -> int:
    return (value - (_NAIVE_EPOCH if value.utcoffset() is None else _EPOCH)) // _MICROSECOND
