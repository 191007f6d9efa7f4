"""What a run shows while it works: a live table on a terminal, plain lines elsewhere. The one door to rich.

It shows what it is given; it must not know where that comes from.
"""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TextIO

from singer_kit.codec import Struct, decode, encode
from singer_kit.runner.told import level_of

__all__ = ["JsonConsole", "PlainConsole", "Progress", "Show", "console_for", "duration", "megabytes"]

_REDRAW_SECONDS: Final = 0.25
_SAY_SECONDS: Final = 10.0
"""Longer than connectors take to tell their counts, so that there is something to say."""

_RATE_SECONDS: Final = 2.0
"""Before that a rate says more about starting up than about the work."""

_STYLES: Final = {"DEBUG": "dim", "INFO": "dim", "WARNING": "yellow", "WARN": "yellow"}
_BAD_STYLE: Final = "bold red"


class Show(Struct, frozen=True):
    """How far a run is: rows per stream as tap and target count them, bytes as the system does."""

    seconds: float
    rows: Mapping[str, int]
    """What the tap has read; empty when it does not say."""
    loaded: Mapping[str, int]
    """What the target has written; empty when it does not say. What of it is durable, the saved states tell."""
    bytes_written: int
    saved: int
    """How many states were saved so far."""
    since_saved: float | None

    def sentence(self) -> str:
        """All of it in one line."""
        read, loaded = sum(self.rows.values()), sum(self.loaded.values())
        parts = [] if self.rows or self.loaded else ["no rows counted yet"]
        parts += [f"{read:,} rows read"] if self.rows else []
        parts += [f"{loaded:,} loaded" if self.rows else f"{loaded:,} rows loaded"] if self.loaded else []
        if self.seconds >= _RATE_SECONDS and (read or loaded):
            parts.append(f"{max(read, loaded) / self.seconds:,.0f} a second")
        parts += [megabytes(self.bytes_written)] if self.bytes_written else []
        if self.since_saved is not None:
            parts.append(f"state saved {duration(self.since_saved)} ago")
        return f"after {duration(self.seconds)}: {', '.join(parts)}"


class Progress(Protocol):
    """Where a run's words go. `line` and `show` may be called at any time between `__enter__` and `__exit__`."""

    metric_seconds: float
    """How often connectors that listen should tell their counts."""

    def line(self, source: str, text: str, *, is_metric: bool = False) -> None:
        """A line of `source` (`tap`, `target`, `run`) is shown."""

    def show(self, show: Show) -> None:
        """How far the run is may be shown; cheap to call often."""

    def close(self) -> None:
        """What was live stands still."""


class PlainConsole:
    """Lines as they come, and now and then one that says how far the run is."""

    metric_seconds = 5.0

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown_at = time.monotonic()
        self._shown = ""

    def line(self, source: str, text: str, *, is_metric: bool = False) -> None:  # noqa: ARG002 - shown all the same
        self._write(f"{source} | {text}\n")

    def show(self, show: Show) -> None:
        if time.monotonic() - self._shown_at >= _SAY_SECONDS:
            self._shown_at = time.monotonic()
            self.line("run", show.sentence())

    def close(self) -> None:
        self._stream.flush()

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            pass  # whoever watched has gone; the data matters more


class JsonConsole(PlainConsole):
    """One JSON object a line: the connectors' own where they log objects, with `source`, else one around the text."""

    def line(self, source: str, text: str, *, is_metric: bool = False) -> None:  # noqa: ARG002 - shown all the same
        said: Any = None
        if text.startswith("{"):
            try:
                said = decode(text)
            except ValueError:
                said = None
        if not isinstance(said, dict):
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            said = {"ts": now, "level": level_of(text) or "INFO", "logger": source, "message": text}
        self._write(encode({**said, "source": source}).decode() + "\n")


class LiveConsole:
    """A table that is redrawn in place, other lines above it; metrics only move the table.

    What connectors say is dim unless it is a warning (yellow) or an error (red), so that those stand out.
    """

    metric_seconds = 1.0

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console, Group  # noqa: PLC0415 - the door: 100 ms that only a terminal need pay
        from rich.live import Live  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        self._group, self._table, self._text = Group, Table, Text
        self._console = Console(file=stream)
        # No refresh of its own: that takes a thread, and we start processes.
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self._drawn_at = 0.0

    def line(self, source: str, text: str, *, is_metric: bool = False) -> None:
        if is_metric:
            return
        level = level_of(text)
        style = _STYLES.get(level, _BAD_STYLE) if level else ("" if source == "run" else "dim")
        label = self._text(f"{source:>6} | ", style="cyan")
        self._console.print(label.append_text(self._text(text, style=style)), soft_wrap=True)

    def show(self, show: Show) -> None:
        if time.monotonic() - self._drawn_at < _REDRAW_SECONDS:
            return
        self._drawn_at = time.monotonic()
        sentence = self._text(f"{'':>6} | {show.sentence()}", style="bold", no_wrap=True, overflow="ellipsis")
        counted = [(name, counts) for name, counts in (("rows read", show.rows), ("loaded", show.loaded)) if counts]
        streams = list(dict.fromkeys((*show.rows, *show.loaded)))
        self._live.update(self._group(self._counts(streams, counted), sentence) if streams else sentence, refresh=True)

    def close(self) -> None:
        self._live.stop()

    def _counts(self, streams: list[str], counted: list[tuple[str, Mapping[str, int]]]) -> Any:
        """The last streams of a run, as many as the screen has room for: those are the ones that move."""
        table = self._table(box=None, pad_edge=False, header_style="cyan", padding=(0, 3, 0, 0))
        table.add_column(f"{'':>6} | stream", no_wrap=True)
        for name, _ in counted:
            table.add_column(name, justify="right", min_width=11)
        room = max(3, self._console.size.height - 8)
        hidden = len(streams) - room
        if hidden > 0:
            table.add_row(self._text(f"{'':>6} | ... and {hidden} more", style="dim"))
        for stream in streams[-room:]:
            cells = [f"{counts[stream]:,}" if stream in counts else "" for _, counts in counted]
            table.add_row(self._text(f"{'':>6} | {stream}"), *cells)
        return table


def console_for(stream: TextIO | None = None, *, is_json: bool = False) -> Progress:
    """The console that fits `stream`, by default the standard error."""
    stream = sys.stderr if stream is None else stream
    if is_json:
        return JsonConsole(stream)
    if stream.isatty():
        try:
            return LiveConsole(stream)
        except ImportError:
            pass  # rich is an extra: without it, lines will do
    return PlainConsole(stream)


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60} min"


def megabytes(size: int) -> str:
    """`3.1 MB`."""
    return f"{size / 1e6:,.1f} MB"
