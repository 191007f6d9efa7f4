"""Logs and counters to stderr: `LEVEL logger: message` lines or JSON objects, and no secret in any of them.

Nothing here writes to the wire or decides anything about a run.
"""

import contextlib
import io
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, Self, TextIO

from singer_kit.codec import encode

__all__ = [
    "METRIC",
    "Counter",
    "Redactor",
    "Timer",
    "current_stream",
    "level_from",
    "logging_to",
    "metric",
    "redacting",
]

METRIC = "METRIC"
"""The logger of metrics: at INFO its lines read `INFO METRIC: {json}`, which is what Singer says."""

RECORD_COUNT = "record_count"
JOB_DURATION = "job_duration"
HTTP_REQUEST_DURATION = "http_request_duration"
BATCH_PROCESSING_TIME = "batch_processing_time"

current_stream: ContextVar[str] = ContextVar("current_stream", default="")
"""The stream that is being worked on; JSON log lines name it."""

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "warn": 30, "error": 40, "critical": 50, "fatal": 50}
_STARS = "***"


class Redactor:
    """Replaces secrets in texts. What was a secret once stays one for as long as the redactor lives."""

    def __init__(self) -> None:
        self._sources: list[tuple[Callable[[], tuple[str, ...]], Callable[[str], Iterable[str]]]] = []
        self._seen: list[tuple[str, ...]] = []
        self._pattern: re.Pattern[str] | None = None

    def watch(
        self,
        secrets: Callable[[], tuple[str, ...]],
        spell: Callable[[str], Iterable[str]] = lambda secret: (secret,),
    ) -> None:
        """From here on the values of `secrets()`, in every spelling that `spell` gives, are replaced.

        `secrets` is asked again for each text and returns the same tuple as long as nothing changed.
        """
        self._sources.append((secrets, spell))

    def __call__(self, text: str) -> str:
        """`text` with stars for every secret."""
        seen = [secrets() for secrets, _ in self._sources]
        if len(seen) != len(self._seen) or any(a is not b for a, b in zip(seen, self._seen, strict=True)):
            self._compile(seen)
        return self._pattern.sub(_STARS, text) if self._pattern is not None else text

    def _compile(self, seen: list[tuple[str, ...]]) -> None:
        spelled = {
            each
            for values, (_, spell) in zip(seen, self._sources, strict=True)
            for value in values
            for each in spell(value)
        }
        parts = [_as_pattern(text) for text in sorted(spelled, key=len, reverse=True) if text.strip()]
        self._pattern = re.compile("|".join(parts)) if parts else None
        self._seen = seen


def _as_pattern(secret: str) -> str:
    # A secret of one or two letters would star every word that holds them, so it must stand alone.
    escaped = re.escape(secret)
    return escaped if len(secret) > 3 else rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9])"


class _Lines(logging.Formatter):
    """`LEVEL logger: message`, the prefix on every line of a message that has several."""

    def format(self, record: logging.LogRecord) -> str:
        text = _text(record)
        prefix = f"{record.levelname} {record.name}: "
        if "\n" not in text:
            return prefix + text
        return "\n".join(prefix + line for line in text.splitlines())


class _Objects(logging.Formatter):
    """One JSON object a line: ts, level, logger, message, stream; a metric's point under `metric`."""

    def format(self, record: logging.LogRecord) -> str:
        point: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _text(record),
        }
        stream = getattr(record, "stream", "") or current_stream.get()
        if stream:
            point["stream"] = stream
        if hasattr(record, "metric"):
            point["metric"] = record.metric
        return encode(point).decode()


class _Handler(logging.Handler):
    """Writes redacted lines; a log that cannot be written is dropped, for the data matters more."""

    def __init__(self, stream: TextIO, formatter: logging.Formatter, redact: Redactor) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._stream = stream
        self._redact = redact

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(self._redact(self.format(record)) + "\n")
            self._stream.flush()


class _Redacting:
    """A text stream in front of another: whole lines pass, without secrets. Without another they are dropped."""

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None
    closed = False

    def __init__(self, stream: TextIO | None, redact: Redactor) -> None:
        self._stream = stream if stream is not None else io.StringIO()
        self._dropped = stream is None
        self._redact = redact
        self._begun = ""

    def write(self, text: str) -> int:
        lines, newline, self._begun = (self._begun + text).rpartition("\n")
        if newline:
            self._write(lines + newline)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Passes what was written; a line that was begun waits for its end: a secret may span two writes."""
        self._stream.flush()

    def finish(self) -> None:
        """Passes the line that was begun too."""
        begun, self._begun = self._begun, ""
        if begun:
            self._write(begun + "\n")

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def _write(self, text: str) -> None:
        if self._dropped:  # the process was started without a standard error
            return
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(self._redact(text))
            self._stream.flush()


@contextlib.contextmanager
def redacting(redact: Redactor) -> Iterator[TextIO]:
    """Inside, whatever is written to `sys.stderr` passes `redact` line by line. Yields that stream."""
    before: TextIO | None = sys.stderr
    front: Any = _Redacting(before, redact)
    sys.stderr = front
    try:
        yield front
    finally:
        front.finish()
        if sys.stderr is front:
            sys.stderr = before


@contextlib.contextmanager
def logging_to(
    stream: TextIO, *, level: int = logging.INFO, form: Literal["text", "json"] = "text", redact: Redactor
) -> Iterator[None]:
    """Inside, every logger of this process writes to `stream`, and warnings are logged too."""
    root = logging.getLogger()
    handler = _Handler(stream, _Objects() if form == "json" else _Lines(), redact)
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.removeHandler(handler)
        root.setLevel(before)


def level_from(environ: Mapping[str, str], connector: str) -> int:
    """The level that `TAP_X_LOGLEVEL` or else `LOGLEVEL` asks for, as a word or a number; INFO by default."""
    own = connector.upper().replace("-", "_").replace(".", "_") + "_LOGLEVEL"
    text = (environ.get(own) or environ.get("LOGLEVEL") or "info").strip().lower()
    return int(text) if text.isdigit() else _LEVELS.get(text, logging.INFO)


def metric(kind: Literal["counter", "timer"], name: str, value: float, tags: Mapping[str, Any]) -> None:
    """One point is logged as `INFO METRIC: {"type": ..., "metric": ..., "value": ..., "tags": {...}}`."""
    point = {"type": kind, "metric": name, "value": value, "tags": dict(tags)}
    log = logging.getLogger(METRIC)
    if log.isEnabledFor(logging.INFO):
        log.info("%s", encode(point).decode(), extra={"metric": point, "stream": tags.get("stream", "")})


class Counter:
    """Counts since its last line; one is written every `every_seconds` while counting and at `close`, even 0.

    By default that is every 60 s, or as often as `SINGER_KIT_METRIC_SECONDS` asks: a runner that shows progress does.
    `add` costs a look at the clock: call it per page or batch, never per record.
    """

    def __init__(
        self,
        name: str = RECORD_COUNT,
        *,
        every_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        **tags: Any,
    ) -> None:
        self.name = name
        self.total = 0
        self._tags = tags
        self._every = _metric_seconds() if every_seconds is None else every_seconds
        self._clock = clock
        self._told = 0
        self._due = clock() + self._every

    def add(self, count: int = 1) -> None:
        """`count` more; a line when one is due."""
        self.total += count
        if self._clock() >= self._due:
            self.tell()

    def tell(self) -> None:
        """A line with what came since the last one is written."""
        metric("counter", self.name, self.total - self._told, self._tags)
        self._told = self.total
        self._due = self._clock() + self._every

    def close(self) -> None:
        """The last line is written."""
        self.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self.close()


def _metric_seconds() -> float:
    try:
        return max(0.1, float(os.environ["SINGER_KIT_METRIC_SECONDS"]))
    except (KeyError, ValueError):
        return 60.0


class Timer:
    """Times what happens inside; its line says `succeeded` or `failed`. `tags` may grow inside."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic, **tags: Any) -> None:
        self.name = name
        self.tags = tags
        self._clock = clock
        self._start = clock()

    def __enter__(self) -> Self:
        self._start = self._clock()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        status = "succeeded" if kind is None else "failed"
        metric("timer", self.name, self._clock() - self._start, {**self.tags, "status": status})


def _text(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info:
        text += "\n" + logging.Formatter().formatException(record.exc_info)
    return text
