"""Durations, start dates and windows; the one door to pendulum, which is loaded when first used.

This module is for settings and for the edges of a read; it must not be used per record.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from singer_kit.codec import Struct
from singer_kit.spec.instants import parse_instant

if TYPE_CHECKING:
    from pendulum import Duration as CalendarDuration

_AMOUNT: Final = re.compile(
    r"(\d+(?:\.\d+)?)\s*(years?|y|months?|mo|weeks?|w|days?|d|hours?|h|minutes?|min|m|seconds?|sec|s)(?:\s+|,\s*|$)",
    re.ASCII | re.IGNORECASE,
)
_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_ZONED: Final = re.compile(r"(?P<local>.+?)(?:\s+(?P<name>[A-Za-z][\w+/-]*)|\[(?P<bracketed>[\w+/-]+)\])", re.ASCII)


_ISO: Final = re.compile(r"P(?=.*\d)[0-9YMWDTHS.,]+")


class Duration(Struct, frozen=True):
    """A length of calendar time: whole months, whose days differ, and an exact rest."""

    months: int = 0
    rest: timedelta = timedelta()

    def __bool__(self) -> bool:
        return bool(self.months or self.rest)

    def __mul__(self, times: int) -> "Duration":
        return Duration(self.months * times, self.rest * times)


def parse_duration(text: str) -> Duration:
    """The duration that ISO 8601 (`P1D`, `PT1H30M`, `P1M`) or plain words (`3 days`, `1 month 2h`) say.

    Never negative. Years are twelve months; a month keeps the day of the month where it can. Raises
    `ValueError`.
    """
    text = text.strip()
    if text[:1] in ("P", "p"):
        return _iso_duration(text.upper())
    months, seconds, end = 0, 0.0, 0
    while found := _AMOUNT.match(text, end):
        amount, unit = found[1], found[2].lower()
        end = found.end()
        if unit[0] != "y" and not unit.startswith("mo"):
            seconds += float(amount) * _SECONDS[unit[0]]
        elif "." in amount:
            raise ValueError(f"{text!r} has a broken number of months or years, which is no length of time")
        else:
            months += int(amount) * (12 if unit[0] == "y" else 1)
    if not end or end != len(text):
        raise ValueError(f"{text!r} is no duration: write P1D, PT1H, '3 days' or '1 month'")
    return Duration(months, timedelta(seconds=seconds))


def _pendulum() -> Any:
    import pendulum  # noqa: PLC0415 - the door: 60 ms that a tap without durations need not pay

    return pendulum


def _iso_duration(text: str) -> Duration:
    try:
        if not _ISO.fullmatch(text):
            raise ValueError("it says no amount")
        found: CalendarDuration = _pendulum().parse(text)
        days = found.weeks * 7 + found.remaining_days
        seconds = found.hours * 3_600 + found.minutes * 60 + found.remaining_seconds
        rest = timedelta(days=days, seconds=seconds, microseconds=found.microseconds)
        return Duration(found.years * 12 + found.months, rest)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no ISO 8601 duration: write P1D, PT1H or P1M") from error


def add(instant: datetime, duration: Duration) -> datetime:
    """`instant` later by `duration`: months by the calendar (31 January and a month is the end of
    February).
    """
    return _moved(instant, duration.months) + duration.rest


def subtract(instant: datetime, duration: Duration) -> datetime:
    """`instant` earlier by `duration`, months by the calendar; never before the year 1."""
    try:
        return _moved(instant, -duration.months) - duration.rest
    except (OverflowError, ValueError):
        return datetime.min.replace(tzinfo=instant.tzinfo)


def _moved(instant: datetime, months: int) -> datetime:
    if not months:
        return instant
    moved = _pendulum().instance(instant).add(months=months)
    return instant.replace(year=moved.year, month=moved.month, day=moved.day)


def parse_start(text: str) -> datetime:
    """The instant in UTC at which a read begins: RFC 3339, a date (midnight), either with a zone's name
    behind it.

    `2024-01-31T09:00:00Z`, `2024-01-31`, `2024-01-31 09:00 Europe/Berlin`, `2024-01-31T09:00[Europe/Berlin]`.
    Without offset or zone it is UTC. A local time that a clock change skips or repeats is read as pendulum
    reads it. Raises `ValueError`.
    """
    text = text.strip()
    try:
        return parse_instant(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    zoned = _ZONED.fullmatch(text)
    local, zone = (zoned["local"], zoned["name"] or zoned["bracketed"]) if zoned else (text, "UTC")
    return _in_zone(_local(local.strip(), text), zone, text)


def _local(local: str, text: str) -> datetime:
    if re.match(r"\d{4}-\d\d-\d\d(?:$|[Tt ]\d\d:\d\d)", local, re.ASCII):
        try:
            found = datetime.fromisoformat(local.upper())
        except ValueError:
            pass
        else:
            if found.tzinfo is None:
                return found
    raise ValueError(f"{text!r} is no start: write 2024-01-31 or 2024-01-31T09:00:00Z")


def _in_zone(local: datetime, zone: str, text: str) -> datetime:
    if zone.upper() in ("UTC", "Z"):
        return local.replace(tzinfo=UTC)
    try:
        instant = _pendulum().instance(local, tz=zone).astimezone(UTC)
    except (ValueError, KeyError, OverflowError) as error:
        raise ValueError(f"{text!r} names no time zone that is known here") from error
    return datetime.combine(instant.date(), instant.time(), UTC)


def windows(start: datetime, end: datetime, duration: Duration) -> Iterator[tuple[datetime, datetime]]:
    """`start` to `end` cut into pieces of `duration`, each from its first instant up to the next one's.

    The last piece may be shorter; none when `start` is not before `end`. Months are counted from `start`, so
    a 31st is not lost on the way. Raises `ValueError` for no duration at all.
    """
    if not duration:
        raise ValueError("a window needs a length")
    return _windows(start, end, duration)


def _windows(start: datetime, end: datetime, duration: Duration) -> Iterator[tuple[datetime, datetime]]:
    at, number = start, 0
    while at < end:
        number += 1
        try:
            until = min(add(start, duration * number), end)
        except (OverflowError, ValueError):
            until = end
        yield at, until
        at = until
