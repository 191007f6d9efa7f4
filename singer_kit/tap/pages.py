"""Pages: what `get_records` gives, as lists of rows of a bounded size, however it is given.

It must not look into rows but for their rough size.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Protocol, TypeAlias

__all__ = ["PAGE_BYTES", "Pages", "Row"]

Row: TypeAlias = Mapping[str, Any]

PAGE_BYTES: Final = 250_000
"""A page encodes to about this: below the size from which the allocator asks the kernel for each buffer."""

_MOST_ROWS: Final = 1000
_MOST_ROWS_AT_ONCE: Final = 256
_ROWS: Final = {dict}
_SLOW_SECONDS: Final = 0.5
_QUICK_SECONDS: Final = 0.05
_LONGEST_WAIT_SECONDS: Final = 2.0


class _Arrow(Protocol):
    num_rows: int

    def slice(self, offset: int, length: int) -> "_Arrow":
        """`length` rows from `offset` on."""

    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as dicts."""


class Pages:
    """Cuts what one `get_records` gives into pages; `look` is called often, and may raise to end the reading.

    A page holds at most 1000 rows and, by the size of those before it, about `PAGE_BYTES`; single rows are collected
    for two seconds at most, so that a slow source is not held back.
    """

    def __init__(self, *, clock: Callable[[], float], look: Callable[[], None]) -> None:
        self._clock = clock
        self._look = look
        self._rows = _MOST_ROWS // 4
        self._at_once = 8

    def sized(self, rows: int, nbytes: int) -> None:
        """Says what the last page encoded to."""
        if rows and nbytes:
            self._rows = max(1, min(_MOST_ROWS, PAGE_BYTES * rows // nbytes))

    def of(self, records: Iterable[Any] | None) -> Iterator[list[Any]]:
        """The pages of `records`: rows, lists of rows, or Arrow batches, mixed as they come.

        When the reading fails, the rows that came before are given first, then the error is raised.
        """
        source: Iterator[Any] = iter(()) if records is None else iter([records] if _is_arrow(records) else records)
        waiting: list[Any] = []
        since = self._clock()
        failure: Exception | None = None
        while failure is None:
            started = self._clock()
            taken, failure = self._take(source, max(1, self._rows - len(waiting)))
            now = self._clock()
            if not taken:
                break
            if set(map(type, taken)) == _ROWS or all(isinstance(each, Mapping) for each in taken):
                self._adapt(now - started, taken[-1])
                waiting.extend(taken)
                if len(waiting) < self._rows and now - since < _LONGEST_WAIT_SECONDS and failure is None:
                    self._look()
                    continue
                taken = []
            yield from self._cut(waiting)
            waiting = []
            for page in taken:
                yield from self._cut(page)
            since = self._clock()
        yield from self._cut(waiting)
        if failure is not None:
            raise failure

    def _take(self, source: Iterator[Any], most: int) -> tuple[list[Any], Exception | None]:
        """Some rows, at most so many, or one page; and what ended the reading after them, if it failed."""
        taken: list[Any] = []
        try:
            taken.extend(islice(source, 1))
            if taken and isinstance(taken[0], Mapping):
                # Extended and not made anew: what came before an error stays. Several pages are never taken at once.
                taken.extend(islice(source, min(self._at_once, most) - 1))
        except Exception as error:  # noqa: BLE001 - the caller raises it, after the rows that came before it
            return taken, error
        return taken, None

    def _cut(self, page: Any) -> Iterator[list[Any]]:
        """One page of any kind in pieces."""
        if isinstance(page, Mapping):
            self._look()
            yield [page]
        elif isinstance(page, (list, tuple)):
            place = 0
            while place < len(page):
                self._look()
                large = 4 * PAGE_BYTES // max(1, _rough_size(page[place]))
                piece = page[place : place + max(1, min(self._rows, large))]
                place += len(piece)
                yield piece if isinstance(piece, list) else list(piece)
        elif _is_arrow(page):
            yield from self._cut_arrow(page)
        elif isinstance(page, Iterable) and not isinstance(page, (str, bytes)):
            rows = iter(page)
            while piece := list(islice(rows, self._rows)):
                self._look()
                yield piece
        else:
            self._look()
            yield [page]

    def _cut_arrow(self, batch: _Arrow) -> Iterator[list[Any]]:
        place = 0
        while place < batch.num_rows:
            self._look()
            piece = batch.slice(place, self._rows).to_pylist()
            place += len(piece)
            yield piece

    def _adapt(self, seconds: float, last: Any) -> None:
        """A slow source, and large rows, are taken in smaller pieces."""
        if seconds > _SLOW_SECONDS:
            self._at_once = max(1, self._at_once // 8)
        elif seconds < _QUICK_SECONDS and self._at_once < _MOST_ROWS_AT_ONCE:
            self._at_once *= 2
        size = _rough_size(last)
        if size * self._at_once > 4 * PAGE_BYTES:
            self._at_once = max(1, 4 * PAGE_BYTES // size)
            self._rows = max(1, min(self._rows, PAGE_BYTES // size))


def _is_arrow(value: Any) -> bool:
    """True for a table or record batch of Arrow, which this module does not import."""
    return hasattr(value, "to_pylist") and hasattr(value, "slice")


def _rough_size(value: Any, depth: int = 3) -> int:
    """About the bytes of text within `value`; large texts are what matters."""
    kind = type(value)
    if kind is str or kind is bytes:
        return len(value)
    size = 8
    if depth and (kind is dict or kind is list):
        for item in value.values() if kind is dict else value[:100]:
            inner = type(item)
            if inner is str:
                size += len(item)
            elif inner is dict or inner is list or inner is bytes:
                size += _rough_size(item, depth - 1)
    return size
