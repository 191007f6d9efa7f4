"""What a connector says on its standard error: lines, the rows it counted, and why it failed.

It reads lines; it must not write any.
"""

import re
from typing import Any, Final

from singer_kit.codec import DecodeError, decode

__all__ = ["Lines", "Told", "level_of"]

_LONGEST_LINE: Final = 1 << 16
_LONGEST_ERROR: Final = 12
_LEVEL: Final = re.compile(r"\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
_BAD: Final = frozenset({"ERROR", "CRITICAL", "FATAL"})
_RAISED: Final = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b")


class Lines:
    """Cuts bytes that come in pieces into lines. A line longer than `longest` bytes is given in pieces."""

    def __init__(self, longest: int | None = _LONGEST_LINE) -> None:
        self._begun: list[bytes] = []
        self._size = 0
        self._longest = longest

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their newlines."""
        head, newline, tail = data.rpartition(b"\n")
        lines: list[bytes] = []
        if newline:
            lines = b"".join((*self._begun, head)).split(b"\n")
            self._begun, self._size = [], 0
        if tail:
            self._begun.append(tail)
            self._size += len(tail)
            if self._longest is not None and self._size > self._longest:
                lines += self.rest()
        return lines

    def rest(self) -> list[bytes]:
        """The line that was begun, if any: at the end of the input it is a line too."""
        begun, self._begun, self._size = b"".join(self._begun), [], 0
        return [begun] if begun else []


class Told:
    """What is known of one connector from its own words."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        """Rows per stream, summed from its `record_count` metrics."""
        self._error: list[str] = []
        self._is_in_error = False
        self._last = ""
        self._raised = ""

    def hear(self, line: str) -> bool:
        """Takes a line in; True when it is a metric, which concerns programs more than people."""
        _, marker, point = line.partition("METRIC: ")
        if marker and self._count(_json(point)):
            return True
        if line.startswith("{"):
            return self._hear_object(_json(line), line)
        self._keep(line, is_error=level_of(line) in _BAD)
        return False

    @property
    def error(self) -> str:
        """The last lines at ERROR or above that came together, else the last exception, else the last line."""
        return "\n".join(self._error) or self._raised or self._last

    def _hear_object(self, said: Any, line: str) -> bool:
        """A log line that is a JSON object."""
        if not isinstance(said, dict):
            self._keep(line, is_error=False)
            return False
        if self._count(said.get("metric")):
            return True
        level = str(said.get("level") or said.get("levelname") or said.get("severity") or "").upper()
        self._keep(str(said.get("message") or said.get("event") or line), is_error=level in _BAD)
        return False

    def _count(self, point: Any) -> bool:
        """True when `point` is a metric; the rows it counts are added."""
        if not (isinstance(point, dict) and isinstance(point.get("metric"), str) and "value" in point):
            return False
        tags = point.get("tags")
        if point["metric"] == "record_count" and isinstance(tags, dict) and isinstance(point["value"], int):
            stream = tags.get("stream") or tags.get("endpoint")
            if isinstance(stream, str):
                self.rows[stream] = self.rows.get(stream, 0) + point["value"]
        return True

    def _keep(self, line: str, *, is_error: bool) -> None:
        if line.strip():
            self._last = line
        if _RAISED.match(line):
            self._raised = line
        if is_error:
            if not self._is_in_error:
                self._error = []
            if len(self._error) < _LONGEST_ERROR:
                self._error.append(line)
        self._is_in_error = is_error


def level_of(line: str) -> str | None:
    """The level that a log line names near its beginning, in whatever layout; None when it names none."""
    found = _LEVEL.search(line, 0, 120)
    return found[1] if found else None


def _json(text: str) -> Any:
    try:
        return decode(text)
    except (DecodeError, RecursionError, UnicodeEncodeError):
        return None
