"""Instants and the order of bookmark values."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.spec.instants import format_instant, is_later, order_key, parse_instant, tie_key

offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(timezones=offsets)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    instants,
    instants.map(format_instant),
    instants.map(datetime.isoformat),
    st.dates(),
    st.dates().map(date.isoformat),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


@given(instants)
def test_an_instant_survives_its_text(value):
    """Text and back gives the same instant, to the microsecond, whatever the offset."""
    assert parse_instant(format_instant(value)) == value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2024-01-31T09:00:00Z", datetime(2024, 1, 31, 9, tzinfo=UTC)),
        ("2024-01-31t09:00:00z", datetime(2024, 1, 31, 9, tzinfo=UTC)),
        ("2024-01-31 09:00:00.5+05:30", datetime(2024, 1, 31, 3, 30, 0, 500000, tzinfo=UTC)),
        ("2024-01-31T09:00:00.123456789-00:00", datetime(2024, 1, 31, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_rfc_3339_is_read(text, wanted):
    """Every spelling that RFC 3339 allows is read as the instant it names."""
    assert parse_instant(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31T09:00:00",
        "2024-01-31",
        "09:00:00Z",
        "2024-W05-3T09:00:00Z",
        "20240131T090000Z",
        "2024-01-31T24:00:00Z",
        "2024-01-31T09:00Z",
        "2024-01-31T09:00:00+0530",
        "2024-02-30T09:00:00Z",
        "٢٠٢٤-01-31T09:00:00Z",
        "2024-01-31T09:00:00Z\n",
        "9999-12-31T23:59:60Z",
        "",
    ],
)
def test_anything_else_is_refused(text):
    """Naive text, bare dates and times, and ISO 8601 beyond RFC 3339 are refused."""
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)


def test_the_written_form():
    """Instants are written in UTC with Z, microseconds only when there are some; naive ones are refused."""
    berlin = timezone(timedelta(hours=1))
    assert format_instant(datetime(2024, 1, 31, 10, tzinfo=berlin)) == "2024-01-31T09:00:00Z"
    assert format_instant(datetime(2024, 1, 31, 10, 0, 0, 7, tzinfo=berlin)) == "2024-01-31T09:00:00.000007Z"
    with pytest.raises(ValueError, match="offset"):
        format_instant(datetime(2024, 1, 31, 10))  # noqa: DTZ001 - what is refused


def test_the_ends_of_the_calendar_keep_their_offset():
    """An instant that UTC cannot name is written with its own offset, and still ordered right."""
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    assert format_instant(first) == "0001-01-01T00:00:00+14:00"
    assert is_later("0001-01-01T00:00:00Z", format_instant(first))


@given(st.lists(scalars, max_size=6))
def test_every_mix_of_bookmark_values_can_be_sorted(values):
    """The order is total: any values can be sorted, and the result does not depend on how they came."""
    mixed = values[::-1]
    once = sorted(values, key=tie_key)
    assert [tie_key(v) for v in sorted(mixed, key=tie_key)] == [tie_key(v) for v in once]


@given(st.one_of(st.integers(), st.decimals(allow_nan=False), st.floats(allow_nan=False)), st.integers())
def test_numbers_compare_exactly(a, b):
    """An int, a Decimal and a float compare by value, not by type or text."""
    assert is_later(a, b) == (a > b)
    assert (order_key(a) == order_key(b)) == (a == b)


@given(instants, instants)
def test_instants_compare_by_the_moment(a, b):
    """A datetime, its text in UTC and its text with offset stand at the same place in the order."""
    assert order_key(a) == order_key(format_instant(a)) == order_key(a.isoformat())
    assert is_later(format_instant(a), b.isoformat()) == (a > b)


def test_the_ranks_of_the_order():
    """null < numbers < instants < other text, and digits beyond microseconds count."""
    ranked = [
        None,
        -1,
        Decimal("9.5"),
        10,
        "2023-12-31",
        "2024-01-01T00:00:00+05:00",
        date(2024, 1, 1),
        "2024-01-01T00:00:00.1234567Z",
        "2024-01-01T00:00:00.12345678Z",
        "2024-13-01",
        "9",
        "a",
    ]
    for earlier, later in pairwise(ranked):
        assert is_later(later, earlier), (earlier, later)
    assert order_key("2024-01-01") == order_key("2024-01-01T00:00:00Z") == order_key("2024-01-01 00:00:00.000")
