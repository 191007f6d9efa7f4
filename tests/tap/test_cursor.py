"""Cursors: typed order, a page at a time; never before where they began, never after the ceiling."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.errors import SourceRecordError
from singer_kit.spec.instants import order_key
from singer_kit.tap.cursor import Cursor, bookmark_text

zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
instants = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=zones)  # noqa: DTZ001 - bounds are naive
as_z = instants.map(lambda value: value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
as_text = (
    instants.map(datetime.isoformat) | as_z | instants.map(lambda value: value.isoformat(" ")) | as_z.map(str.lower)
)
columns = st.one_of(
    st.lists(st.lists(as_z | st.none(), max_size=6), max_size=4),
    st.lists(st.lists(as_text | st.none(), max_size=6), max_size=4),
    st.lists(st.lists(instants | st.none(), max_size=6), max_size=4),
    st.lists(st.lists(instants | as_text, max_size=6), max_size=4),
    st.lists(
        st.lists(st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2), max_size=6), max_size=4
    ),
    st.lists(st.lists(st.dates(), max_size=6), max_size=4),
    st.lists(st.lists(st.text(max_size=3), max_size=6), max_size=4),
)


def fed(cursor: Cursor, pages: list[list[Any]]) -> Cursor:
    first = 1
    for page in pages:
        cursor.check([{"k": value} for value in page], first)
        cursor.advance()
        first += len(page)
    return cursor


@given(columns)
def test_the_bookmark_is_the_largest_value(pages: list[list[Any]]) -> None:
    """Whatever the spelling of instants, the largest by meaning wins; nulls move nothing."""
    values = [value for page in pages for value in page if value is not None]
    value = fed(Cursor("s", "k", is_sorted=False), pages).value
    if not values:
        assert value is None
    else:
        assert order_key(value) == max(map(order_key, values))


@given(columns, st.randoms())
def test_sorted_pages_pass_and_shuffled_ones_do_not(pages: list[list[Any]], random: Any) -> None:
    """A sorted cursor takes exactly the sequences that never go back."""
    values = sorted((value for page in pages for value in page if value is not None), key=order_key)
    half = len(values) // 2
    cursor = fed(Cursor("s", "k", is_sorted=True), [values[:half], values[half:]])
    assert order_key(cursor.value) == order_key(bookmark_text(values[-1]) if values else None)
    random.shuffle(values)
    keys = list(map(order_key, values))
    cursor = Cursor("s", "k", is_sorted=True)
    if keys == sorted(keys):
        fed(cursor, [values[:half], values[half:]])
    else:
        wrong = next(place for place in range(1, len(keys)) if keys[place] < keys[place - 1])
        with pytest.raises(SourceRecordError, match=rf"record {wrong + 1}: 'k' is earlier"):
            fed(cursor, [values[:half], values[half:]])


def test_a_row_dated_in_the_future_does_not_hide_what_comes_before_it() -> None:
    """The bookmark stops at the ceiling, sorted or not."""
    for is_sorted in (True, False):
        cursor = Cursor("s", "k", is_sorted=is_sorted, ceiling="2024-06-01T00:00:00Z")
        assert fed(cursor, [["2024-05-01T00:00:00Z"], ["2030-01-01T00:00:00Z"]]).value == "2024-06-01T00:00:00Z"


def test_the_bookmark_never_goes_back() -> None:
    """Rows from before it, read again for lookback, leave it; so does a ceiling below it."""
    cursor = Cursor("s", "k", is_sorted=True, start="2024-05-01T00:00:00Z", ceiling="2024-04-01T00:00:00Z")
    assert fed(cursor, [["2024-04-30T00:00:00Z"]]).value == "2024-05-01T00:00:00Z"
    assert fed(cursor, [["2024-05-02T00:00:00Z"]]).value == "2024-05-01T00:00:00Z"


def test_null_in_a_sorted_stream_is_refused() -> None:
    """Nobody knows where it belongs."""
    with pytest.raises(SourceRecordError, match="record 2: the replication key 'k' is null"):
        fed(Cursor("s", "k", is_sorted=True), [[1, None]])


def test_rows_count_only_once_they_are_written() -> None:
    """`check` alone moves nothing."""
    cursor = Cursor("s", "k", is_sorted=False)
    cursor.check([{"k": 5}], 1)
    assert cursor.value is None
    assert cursor.advance()
    assert cursor.value == 5


def test_the_text_of_bookmarks() -> None:
    """Instants in UTC, dates as dates, numbers as they are."""
    assert bookmark_text(datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == "2024-01-01T00:00:00Z"
    assert bookmark_text(date(2024, 1, 1)) == "2024-01-01"
    assert bookmark_text(Decimal("1.10")) == Decimal("1.10")
