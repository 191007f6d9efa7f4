"""What became of a run: one exit code and a few lines.

Text and a number; it must not print.
"""

import signal
from collections.abc import Sequence

from singer_kit.errors import ExitCode
from singer_kit.runner.pipe import Outcome
from singer_kit.runner.progress import duration
from singer_kit.runner.resolve import Command

__all__ = ["exit_code", "summary"]


def exit_code(outcome: Outcome) -> ExitCode:
    """0 only when both ended well by themselves and the target read to the end; else who failed, or the signal."""
    if outcome.signum is not None:
        return ExitCode.SIGINT if outcome.signum == signal.SIGINT else ExitCode.SIGTERM
    if outcome.target_left:
        # What happened to the tap after that was our doing.
        return ExitCode.TARGET_FAILED
    tap_failed = outcome.tap_code != 0 or outcome.tap_was_ended
    # A tap that died in the middle of a line leaves the target a bad message: that is the tap's failure.
    target_failed = outcome.target_code not in ((0, ExitCode.MESSAGE) if tap_failed else (0,))
    if tap_failed and target_failed:
        return ExitCode.BOTH_FAILED
    if tap_failed:
        return ExitCode.TAP_FAILED
    return ExitCode.TARGET_FAILED if target_failed else ExitCode.OK


def summary(
    outcome: Outcome, tap: Command, target: Command, *, pipeline: str, run: int, saved: str, hints: Sequence[str] = ()
) -> str:
    """The lines at the end: how it went, rows per stream, how each ended and why, where the state is."""
    code = exit_code(outcome)
    verdict = {
        ExitCode.OK: "good",
        ExitCode.TAP_FAILED: "the tap failed",
        ExitCode.TARGET_FAILED: "the target failed",
        ExitCode.BOTH_FAILED: "tap and target failed",
    }.get(code) or f"ended by {signal.Signals(outcome.signum or signal.SIGTERM).name}"
    lines = [f"run {run} of {pipeline}: {verdict}, after {duration(outcome.seconds)}"]
    lines += ["  " + line for line in _rows(outcome)]
    lines.append(f"  {tap.name}: {_ended(outcome.tap_code)}; {target.name}: {_ended(outcome.target_code)}")
    if outcome.target_left and outcome.signum is None:
        lines.append(f"  {target.name} ended before the tap had, or with data unread")
    if outcome.tap_was_ended:
        lines.append(f"  {tap.name} closed its output but did not end by itself")
    failed = {ExitCode.TAP_FAILED: "tap", ExitCode.TARGET_FAILED: "target", ExitCode.BOTH_FAILED: "tap target"}
    for name, told in (("tap", outcome.tap), ("target", outcome.target)):
        if name in failed.get(code, "").split() and told.error:
            lines += [f"  {name} | {line}" for line in told.error.splitlines()]
    lines.append(f"  {saved}")
    return "\n".join([*lines, *(f"  {hint}" for hint in hints)]) + "\n"


def _rows(outcome: Outcome) -> list[str]:
    read, loaded = outcome.tap.rows, outcome.target.rows
    if not read and not loaded:
        return ["rows: neither tap nor target counted any"]
    streams = list(dict.fromkeys((*read, *loaded)))
    table = [("stream", *(["rows read"] if read else []), *(["rows loaded"] if loaded else []))]
    for stream in streams:
        counts = [counted.get(stream) for counted in (read, loaded) if counted]
        table.append((stream, *("" if count is None else f"{count:,}" for count in counts)))
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [
        "  ".join(cell.ljust(width) if not column else cell.rjust(width) for column, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in table)
    ]


def _ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"
