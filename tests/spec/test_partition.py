"""Partitions are frozen values."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.codec import decode, encode
from singer_kit.spec.partition import Partition

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=6,
)
contexts = st.dictionaries(st.text("abcd", min_size=1), json_values, max_size=4)


@given(contexts)
def test_a_partition_survives_a_state_file(values):
    """The key is the same before and after a trip through JSON, whatever the order of the members."""
    part = Partition(values)
    again = Partition(decode(encode(dict(reversed(values.items())))))
    assert part.key() == again.key()
    assert part == again
    assert hash(part) == hash(again)


def test_it_is_a_mapping_that_nobody_can_change():
    """It reads like a dict, is falsy when empty, and later changes of the given dict do not reach it."""
    values = {"repo": "a/b"}
    part = Partition(values, bookmark=3, end=9)
    values["repo"] = "c/d"
    assert part["repo"] == "a/b"
    assert {**part, "page": 2} == {"repo": "a/b", "page": 2}
    assert part == {"repo": "a/b"}
    assert (part.bookmark, part.end) == (3, 9)
    assert part
    assert not Partition()
    assert not Partition({})
    with pytest.raises(TypeError):
        part["repo"] = "x"
    with pytest.raises(AttributeError):
        part.bookmark = 4


def test_bookmarks_ride_along():
    """Another bookmark makes another value that is equal, for what is read is the same part."""
    part = Partition({"repo": "a/b"})
    assert part.with_bookmark(7) == part
    assert part.with_bookmark(7).bookmark == 7
    assert part.bookmark is None
    assert encode(part) == b'{"repo":"a/b"}'


def test_numbers_and_days_of_one_value_are_one():
    """1, 1.0 and 1e0 name one partition, and so do a date and its text; 1 and true do not."""
    assert Partition({"n": 1}).key() == Partition({"n": 1.0}).key() == Partition({"n": Decimal("1e0")}).key()
    assert Partition({"n": 1.5}).key() == Partition({"n": Decimal("1.50")}).key()
    assert Partition({"n": 1e300}).key() == Partition({"n": Decimal("1e300")}).key()
    assert Partition({"d": date(2024, 1, 2)}).key() == Partition({"d": "2024-01-02"}).key()
    assert Partition({"t": datetime(2024, 1, 2, tzinfo=UTC)}).key() == Partition({"t": "2024-01-02T00:00:00Z"}).key()
    assert Partition({"n": 1}).key() != Partition({"n": True}).key()


@pytest.mark.parametrize(
    "value",
    [float("nan"), Decimal("Infinity"), datetime(2024, 1, 1), object(), b"x"],  # noqa: DTZ001 - what is refused
)
def test_what_json_cannot_say_is_refused(value):
    """A partition is JSON-able from the moment it is made."""
    with pytest.raises((TypeError, ValueError)):
        Partition({"x": value})
