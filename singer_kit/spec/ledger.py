"""Ledger: which STATE may be released, so that state is never ahead of data.

Pure bookkeeping over any interleaving of rows, states and commits. This module must not write, wait or know
what a state means.
"""

from enum import Enum
from typing import Final, Literal

from singer_kit.codec import JSON


class Nothing(Enum):
    """The type of `NOTHING`, so that a released null is told from no release at all."""

    NOTHING = "nothing"


NOTHING: Final[Literal[Nothing.NOTHING]] = Nothing.NOTHING


class Ledger:
    """Told of rows, states and commits in the order they happen, it hands out states that are safe to save.

    A state is safe when every row that came before it, of every stream, is durable. The states that wait are
    at most one more than the streams with rows not yet durable, however many states come.
    """

    __slots__ = ("_clock", "_dirty", "_waiting")

    def __init__(self) -> None:
        self._clock = 0
        self._dirty: dict[str, int] = {}  # stream -> when its oldest row that is not durable came; oldest first
        self._waiting: list[tuple[int, JSON]] = []  # (what the clock said, state), oldest first

    def wrote(self, stream: str) -> None:
        """Rows of `stream` came that are not durable yet."""
        if stream not in self._dirty:
            self._clock += 1
            self._dirty[stream] = self._clock

    def saw(self, state: JSON) -> None:
        """`state` came; it covers every row that came before it."""
        youngest = next(reversed(self._dirty.values()), 0)
        while self._waiting and self._waiting[-1][0] >= youngest:
            self._waiting.pop()  # nothing holds back the new state that did not hold back this one
        self._waiting.append((self._clock, state))

    def committed(self, stream: str) -> None:
        """All rows of `stream` that came so far are durable."""
        if self._dirty.pop(stream, None) is None or len(self._waiting) < 2:
            return
        since = list(self._dirty.values())
        kept = self._waiting[-1:]
        for state in reversed(self._waiting[:-1]):
            # An older state is worth keeping only while some stream holds back the newer one but not it.
            while since and since[-1] > kept[-1][0]:
                since.pop()
            if since and since[-1] > state[0]:
                kept.append(state)
        self._waiting = kept[::-1]

    def release(self) -> JSON | Literal[Nothing.NOTHING]:
        """The newest state that is safe and newer than the last one released, or `NOTHING`. It is given
        once.
        """
        oldest = next(iter(self._dirty.values()), None)
        safe = 0
        for came, _ in self._waiting:
            if oldest is not None and came >= oldest:
                break
            safe += 1
        if not safe:
            return NOTHING
        state = self._waiting[safe - 1][1]
        del self._waiting[:safe]
        return state

    @property
    def is_waiting(self) -> bool:
        """True while a state waits for rows to become durable, or to be released."""
        return bool(self._waiting)

    @property
    def uncommitted(self) -> tuple[str, ...]:
        """The streams with rows that are not durable, the longest waiting first."""
        return tuple(self._dirty)
