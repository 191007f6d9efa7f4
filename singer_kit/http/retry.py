"""Which answer is tried again, and how long to wait before it. The one door to backoff, which does the waiting."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, TypeVar

from singer_kit.codec import Struct, field
from singer_kit.errors import SourceUnavailableError

T = TypeVar("T")


class Action(Enum):
    """What to do about an answer that is no success."""

    RETRY = "retry"
    SKIP = "skip"
    FAIL = "fail"


DEFAULT_TABLE: dict[int, Action] = {
    408: Action.RETRY,
    425: Action.RETRY,
    429: Action.RETRY,
    500: Action.RETRY,
    502: Action.RETRY,
    503: Action.RETRY,
    504: Action.RETRY,
}
"""Ordinary 4xx are not here: asking again for what is refused helps nobody."""


class TryAgainError(SourceUnavailableError):
    """An answer that may be better next time; `wait_seconds` is what the server asked for, if it did."""

    def __init__(self, sentence: str, *, place: str = "", wait_seconds: float | None = None) -> None:
        super().__init__(sentence, place=place, next_step="try again later; the source did not answer as it should.")
        self.wait_seconds = wait_seconds


class RetryPolicy(Struct, frozen=True):
    """A table of status to action, and bounds. Waits grow from 1 s, doubled each time, with full jitter."""

    table: dict[int, Action] = field(default_factory=dict)
    max_tries: int = 5
    longest_wait_seconds: float = 300.0
    """A server that asks for a longer pause fails the run at once instead of holding it."""

    def action(self, status: int) -> Action:
        """What to do about an answer with this status, which is no 2xx or 3xx."""
        return self.table.get(status) or DEFAULT_TABLE.get(status) or Action.FAIL

    def call(self, send: Callable[[], T], on_wait: Callable[[TryAgainError, float], None]) -> T:
        """What `send` returns, tried again while it raises `TryAgainError` and the bounds allow.

        `on_wait` is told the error and the seconds before each pause. The last error is raised on.
        """
        import backoff  # noqa: PLC0415 - the door: 60 ms that a tap without HTTP need not pay

        tries = 0

        def pause(error: TryAgainError) -> float:
            nonlocal tries
            tries += 1
            if error.wait_seconds is not None:
                return error.wait_seconds
            ceiling = min(self.longest_wait_seconds, 2.0**tries)
            return random.uniform(0, ceiling)  # noqa: S311 - jitter, no secret

        def hopeless(error: Exception) -> bool:
            return isinstance(error, TryAgainError) and (error.wait_seconds or 0) > self.longest_wait_seconds

        def tell(details: Any) -> None:
            on_wait(details["exception"], details["wait"])

        retrying = backoff.on_exception(
            backoff.runtime,
            TryAgainError,
            max_tries=self.max_tries,
            jitter=None,
            giveup=hopeless,
            on_backoff=tell,
            logger=None,
            value=pause,
        )
        result: T = retrying(send)()
        return result


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number, or the time until its date; None when unreadable."""
    if not header:
        return None
    text = header.strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
