"""Tap and target share a pipe: who does not end in time is ended."""

import sys
import threading

import pytest

from singer_kit.cli.stop import Stop
from singer_kit.runner import pipe as pipes
from singer_kit.runner.children import Family
from singer_kit.runner.pipe import Pipe
from singer_kit.runner.progress import PlainConsole
from singer_kit.runner.resolve import Command

# pytest's watchdog is a thread; the program itself has none when it starts processes.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

READ_ALL = "import sys; sys.stdin.read()"
IGNORES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


class Quiet(PlainConsole):
    """Keeps the lines."""

    def __init__(self):
        super().__init__(sys.stderr)
        self.lines = []

    def line(self, source, text, *, is_metric=False):
        self.lines.append((source, text))


def run(tap, target, *, stop=None, states=None):
    """The outcome of two Python programs, and what was said."""
    progress = Quiet()
    stop = stop or Stop()
    with Family() as family:
        pipe = Pipe(family, stop, progress, on_state=(states if states is not None else []).append)
        commands = [Command(name, (sys.executable, "-c", code)) for name, code in (("tap", tap), ("target", target))]
        outcome = pipe.run(*commands, environ={})
    stop.close()
    return outcome, progress.lines


@pytest.fixture
def impatient(monkeypatch):
    """All times of grace are short."""
    for name in ("_TAP_GRACE", "_TARGET_GRACE", "_ORPHAN_GRACE", "_IDLE_TAP"):
        monkeypatch.setattr(pipes, f"{name}_SECONDS", 0.5)


def test_the_newest_state_of_what_came_together_is_handed_on():
    """States that come in one piece are one save; the last one always comes, with or without a newline."""
    states = []
    says = "import sys; sys.stdin.read(); sys.stdout.write('\\n'.join('{\"n\": %d}' % n for n in range(100)))"
    outcome, _ = run("", says, states=states)
    assert states[-1] == b'{"n": 99}'
    assert len(states) == outcome.states <= 3
    assert (outcome.tap_code, outcome.target_code, outcome.target_left) == (0, 0, False)


def test_a_state_is_handed_on_byte_for_byte():
    """Digits that a float cannot hold, spaces and escapes are as the target printed them."""
    states = []
    line = r'{"a":  0.10000000000000000000001, "b": "\u00e9", "c": 123456789012345678901234567890}'
    run("", f"print({line!r})", states=states)
    assert states == [line.encode()]


def test_a_failure_to_save_ends_both():
    """When a state cannot be saved the error comes out, and no process is left."""

    class Full(Exception):
        pass

    def refuse(state):
        raise Full

    with Family() as family:
        pipe = Pipe(family, Stop(), Quiet(), on_state=refuse)
        tap = Command("tap", (sys.executable, "-c", "import time; time.sleep(3600)"))
        target = Command("target", (sys.executable, "-c", "print('{\"a\": 1}', flush=True); input()"))
        with pytest.raises(Full):
            pipe.run(tap, target, environ={})
    assert all(child.exit_code() is not None for child in family._children)


@pytest.mark.usefixtures("impatient")
def test_a_stubborn_tap_is_killed():
    """Asked to end, a tap that will not is killed, and the target comes to its end."""
    stop = Stop()
    timer = threading.Timer(1.5, stop.request)
    timer.start()
    outcome, lines = run(IGNORES + "import time; time.sleep(3600)", READ_ALL, stop=stop)
    timer.join()
    assert (outcome.tap_code, outcome.signum) == (-9, 15)
    assert ("run", "the tap did not end in time: it is killed") in lines


@pytest.mark.usefixtures("impatient")
def test_a_stubborn_target_is_killed():
    """A target that does not come to an end in its time of grace is killed too."""
    stop = Stop()
    timer = threading.Timer(1.5, stop.request)
    timer.start()
    outcome, lines = run("import time; time.sleep(3600)", IGNORES + "import time; time.sleep(3600)", stop=stop)
    timer.join()
    assert outcome.target_code == -9
    assert ("run", "the target did not end in time: it is killed") in lines


@pytest.mark.usefixtures("impatient")
def test_a_tap_that_lives_on_after_its_output_is_ended():
    """A tap that closed its output and does not end is no success, though the target read all of it."""
    outcome, lines = run("import os, time; os.close(1); time.sleep(3600)", READ_ALL)
    assert outcome.tap_was_ended
    assert not outcome.target_left
    assert any("does not end" in text for _, text in lines)


def test_a_tap_may_take_its_time_after_its_output():
    """A tap that closed its output and then ends by itself is all right."""
    outcome, _ = run("import os, time; os.close(1); time.sleep(0.5)", READ_ALL)
    assert (outcome.tap_code, outcome.tap_was_ended, outcome.target_left) == (0, False, False)


def test_bytes_are_counted_by_the_system():
    """What the tap wrote is known without reading it."""
    progress = Quiet()
    shown = []
    progress.show = shown.append
    with Family() as family:
        pipe = Pipe(family, Stop(), progress, on_state=print)
        tap = Command("tap", (sys.executable, "-c", "import time; print('x' * 500_000, flush=True); time.sleep(1)"))
        pipe.run(tap, Command("target", (sys.executable, "-c", READ_ALL)), environ={})
    assert shown[-1].bytes_written == 0 or 500_000 < shown[-1].bytes_written < 600_000
