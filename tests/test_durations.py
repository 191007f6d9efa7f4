"""Durations, start dates and windows."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.durations import Duration, add, parse_duration, parse_start, subtract, windows

instants = st.integers(-2_000_000_000, 7_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
durations = st.builds(Duration, st.integers(0, 30), st.timedeltas(timedelta(), timedelta(days=90)))


@pytest.mark.parametrize(
    ("text", "months", "rest"),
    [
        ("P1D", 0, timedelta(days=1)),
        ("PT1H", 0, timedelta(hours=1)),
        ("pt1h30m", 0, timedelta(minutes=90)),
        ("P2W", 0, timedelta(weeks=2)),
        ("P1M", 1, timedelta()),
        ("P1Y2M10DT2H30M", 14, timedelta(days=10, hours=2, minutes=30)),
        ("PT0.5S", 0, timedelta(milliseconds=500)),
        ("3 days", 0, timedelta(days=3)),
        ("2 weeks", 0, timedelta(weeks=2)),
        ("1 month", 1, timedelta()),
        ("1 year, 6 months", 18, timedelta()),
        ("1 Day 2h 30min", 0, timedelta(days=1, hours=2, minutes=30)),
        ("90s", 0, timedelta(seconds=90)),
        ("1.5 hours", 0, timedelta(minutes=90)),
        ("0 days", 0, timedelta()),
    ],
)
def test_durations_are_read(text, months, rest):
    """ISO 8601 and plain words both give whole months and an exact rest."""
    assert parse_duration(text) == Duration(months, rest)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "3", "days", "-1 day", "-P1D", "P1D/2024-01-01", "1 fortnight", "1.5 months", "3 days x"]
)
def test_what_is_no_duration_is_refused(text):
    """Nothing, a bare number, a negative one, an unknown word."""
    with pytest.raises(ValueError, match=r"duration|length"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2024-01-31", "2024-01-31T00:00:00+00:00"),
        ("2024-01-31T09:00:00Z", "2024-01-31T09:00:00+00:00"),
        ("2024-01-31T09:00:00.5+05:30", "2024-01-31T03:30:00.500000+00:00"),
        ("2024-01-31T09:00:00", "2024-01-31T09:00:00+00:00"),
        ("2024-01-31 09:00 Europe/Berlin", "2024-01-31T08:00:00+00:00"),
        ("2024-07-31T09:00[Europe/Berlin]", "2024-07-31T07:00:00+00:00"),
        ("2024-07-31 America/New_York", "2024-07-31T04:00:00+00:00"),
        ("2024-07-31 UTC", "2024-07-31T00:00:00+00:00"),
    ],
)
def test_starts_are_read(text, wanted):
    """A start is an instant in UTC, whatever way a person writes it."""
    found = parse_start(text)
    assert found.isoformat() == wanted
    assert type(found) is datetime
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2024", "09:00", "2024-02-30", "2024-01-31 Nowhere/Land", "2024-W05-1"],
)
def test_what_is_no_start_is_refused(text):
    """Words, half dates and unknown zones are refused."""
    with pytest.raises(ValueError, match=r"start|zone"):
        parse_start(text)


def test_months_go_by_the_calendar():
    """A month from 31 January ends in February, a year from a leap day on 28 February; the zone stays."""
    berlin = timezone(timedelta(hours=1))
    month = parse_duration("1 month")
    assert add(datetime(2023, 1, 31, 9, tzinfo=berlin), month) == datetime(2023, 2, 28, 9, tzinfo=berlin)
    assert subtract(datetime(2024, 3, 31, tzinfo=UTC), month) == datetime(2024, 2, 29, tzinfo=UTC)
    assert add(datetime(2024, 2, 29, tzinfo=UTC), month * 12) == datetime(2025, 2, 28, tzinfo=UTC)
    assert subtract(datetime(1, 1, 2, tzinfo=UTC), month) == datetime.min.replace(tzinfo=UTC)


@given(instants, instants, durations)
def test_windows_cover_the_span_once(start, end, duration):
    """The pieces lie end to end from start to end, and none is empty."""
    if not duration or (end - start) / (duration.rest + timedelta(days=28 * duration.months)) > 500:
        return
    pieces = list(windows(start, end, duration))
    if start >= end:
        assert pieces == []
        return
    assert pieces[0][0] == start
    assert pieces[-1][1] == end
    assert all(a < b for a, b in pieces)
    assert all(one[1] == two[0] for one, two in pairwise(pieces))


def test_windows_of_months_do_not_drift():
    """Months are counted from the start: after February the 31st comes back."""
    start, end = datetime(2023, 1, 31, tzinfo=UTC), datetime(2023, 5, 1, tzinfo=UTC)
    days = [(piece[0].month, piece[0].day) for piece in windows(start, end, parse_duration("P1M"))]
    assert days == [(1, 31), (2, 28), (3, 31), (4, 30)]
    with pytest.raises(ValueError, match="length"):
        windows(start, end, Duration())


def test_pendulum_is_loaded_only_when_used():
    """Importing the module loads no pendulum, and plain words and RFC 3339 need none."""
    code = (
        "import sys; from singer_kit import durations as d; d.parse_duration('3 days');"
        "d.parse_start('2024-01-31T00:00:00Z'); d.parse_start('2024-01-31'); sys.exit('pendulum' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
