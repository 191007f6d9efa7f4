"""Exit codes and summaries."""

import pytest

from singer_kit.errors import ExitCode
from singer_kit.runner.pipe import Outcome
from singer_kit.runner.progress import duration
from singer_kit.runner.report import exit_code, summary
from singer_kit.runner.resolve import Command
from singer_kit.runner.told import Told


def outcome(tap_code=0, target_code=0, **more):
    """How two processes ended."""
    known = {
        "tap_code": tap_code,
        "target_code": target_code,
        "target_left": False,
        "tap_was_ended": False,
        "signum": None,
        "seconds": 75.0,
        "tap": Told(),
        "target": Told(),
        "states": 0,
    }
    return Outcome(**{**known, **more})


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (outcome(), ExitCode.OK),
        (outcome(tap_code=3), ExitCode.TAP_FAILED),
        (outcome(tap_code=-9), ExitCode.TAP_FAILED),
        (outcome(target_code=4), ExitCode.TARGET_FAILED),
        (outcome(target_code=5), ExitCode.TARGET_FAILED),
        (outcome(target_code=-9, target_left=True, tap_code=141), ExitCode.TARGET_FAILED),
        (outcome(target_left=True), ExitCode.TARGET_FAILED),
        (outcome(target_left=True, tap_code=-15), ExitCode.TARGET_FAILED),
        (outcome(tap_code=3, target_code=4), ExitCode.BOTH_FAILED),
        (outcome(tap_code=-9, target_code=5), ExitCode.TAP_FAILED),
        (outcome(tap_was_ended=True), ExitCode.TAP_FAILED),
        (outcome(signum=15), ExitCode.SIGTERM),
        (outcome(signum=2, tap_code=3, target_code=4), ExitCode.SIGINT),
    ],
)
def test_success_means_success(ended, code):
    """0 only when both ended well by themselves and the target read to the end; else whoever failed is named."""
    assert exit_code(ended) == code


def test_the_summary_tells_rows_ends_and_reasons():
    """Rows per stream as each side counted them, both exit codes, the reason of whoever failed, the state."""
    tap, target = Told(), Told()
    tap.hear('INFO METRIC: {"metric": "record_count", "value": 1234567, "tags": {"stream": "orders"}}')
    target.hear('INFO METRIC: {"metric": "record_count", "value": 7, "tags": {"stream": "logs"}}')
    tap.hear("WARNING slow")
    target.hear("CRITICAL full")
    text = summary(
        outcome(target_code=-9, tap=tap, target=target),
        Command("tap-x", ()),
        Command("target-y", ()),
        pipeline="p",
        run=3,
        saved="no new state",
    )
    assert text == (
        "run 3 of p: the target failed, after 1 min 15 s\n"
        "  stream  rows read  rows loaded\n"
        "  orders  1,234,567             \n"
        "  logs                         7\n"
        "  tap-x: exit code 0; target-y: ended by SIGKILL\n"
        "  target | CRITICAL full\n"
        "  no new state\n"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (12.9, "12 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_are_short(seconds, text):
    """Two units at most."""
    assert duration(seconds) == text
