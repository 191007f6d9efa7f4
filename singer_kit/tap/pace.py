"""When a STATE is due: often enough to resume from, seldom enough to cost little. Pure, given a clock's reading."""

from typing import Final

__all__ = ["Pace"]

_LONGEST_SILENCE_SECONDS: Final = 50.0


class Pace:
    """Told of bytes and seconds, it says whether a STATE may be written now.

    All STATEs of a run together, the last one among them, stay below the larger of a tenth of the record bytes and four
    times the final state, as states hardly shrink; yet one is due a minute after the last while rows flow.
    """

    def __init__(self, now: float) -> None:
        self._last = now

    def is_due(self, now: float, *, state_bytes: int, record_bytes: int, next_bytes: int) -> bool:
        """True when a STATE of `next_bytes` may be written, `state_bytes` of them being out already."""
        # Half of what is allowed: the other half is kept for the last STATE, which may have grown by then.
        if state_bytes + next_bytes <= max(record_bytes // 20, 2 * next_bytes):
            return True
        return now - self._last >= _LONGEST_SILENCE_SECONDS

    def wrote(self, now: float) -> None:
        """A STATE was written."""
        self._last = now
