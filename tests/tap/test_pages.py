"""Pages: bounded in rows, bytes and seconds, whatever get_records gives."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.tap.pages import PAGE_BYTES, Pages


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def nothing() -> None:
    pass


@given(st.lists(st.integers(0, 3) | st.lists(st.integers(), max_size=700), max_size=12))
def test_no_row_is_lost_or_moved(given_pages: list[Any]) -> None:
    """Rows and pages, mixed in any way, come out in their order, in pages that are not empty and not too long."""
    records: list[Any] = []
    for page in given_pages:
        records.extend([{"n": page}] * page * 50 if isinstance(page, int) else [[{"n": n} for n in page]])
    flat = [row for item in records for row in (item if isinstance(item, list) else [item])]
    pages = list(Pages(clock=Clock(), look=nothing).of(iter(records)))
    assert [row for page in pages for row in page] == flat
    assert all(0 < len(page) <= 1000 for page in pages)


def test_rows_before_an_error_come_first() -> None:
    """What the source gave before it broke is not lost with it."""

    def rows() -> Iterator[dict[str, int]]:
        yield from ({"n": number} for number in range(300))
        raise OSError

    pages = Pages(clock=Clock(), look=nothing).of(rows())
    assert sum(len(page) for page in islice(pages, 2)) == 300
    with pytest.raises(OSError):  # noqa: PT011 - the very error
        next(pages)


def test_a_slow_source_is_not_held_back() -> None:
    """Rows that come one a second leave within seconds."""
    clock = Clock()

    def rows() -> Iterator[dict[str, int]]:
        for number in range(200):
            clock.now += 1.0
            yield {"n": number}

    waits = []
    for page in Pages(clock=clock, look=nothing).of(rows()):
        waits.append(clock.now - page[0]["n"])
    assert max(waits[3:]) <= 4


def test_the_page_follows_the_size_of_rows() -> None:
    """A page encodes to about the same number of bytes, from tiny rows to enormous ones."""
    pages = Pages(clock=Clock(), look=nothing)
    pages.sized(100, 100 * 400)
    sizes = [len(page) for page in pages.of([[{"n": 1}] * 1000])]
    assert max(sizes) == PAGE_BYTES // 400
    large = [{"text": "x" * 10_000_000} for _ in range(4)]
    assert [len(page) for page in pages.of(iter(large))][1:] in ([1, 1, 1], [1, 1], [1])
    assert [len(page) for page in pages.of([large])] == [1, 1, 1, 1]


def test_pages_of_an_author_are_not_gathered() -> None:
    """A page is given on before the next is asked for."""
    asked: list[int] = []

    def source() -> Iterator[list[dict[str, int]]]:
        for number in range(3):
            asked.append(number)
            yield [{"n": number}]

    for page in Pages(clock=Clock(), look=nothing).of(source()):
        assert asked[-1] == page[0]["n"]


def test_what_is_no_row_is_given_on_to_be_named() -> None:
    """The shape refuses it, with its place."""
    assert list(Pages(clock=Clock(), look=nothing).of(["text", 5])) == [["text"], [5]]
