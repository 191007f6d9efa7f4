"""`singer-kit run` when something goes wrong: who failed is told apart, nothing is lost, nothing hangs."""

import contextlib
import json
import random
import signal
import time
from pathlib import Path

import pytest


def state_of(number):
    """The state after that row."""
    return {"bookmarks": {"numbers": {"id": number}}}


def wait_for(is_so, seconds=20):
    """Returns once `is_so()`; fails the test when it never comes."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def children_of(pid):
    """The processes that `pid` started and that still run."""
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_running(pid):
    """True while the process is there and not a zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.parametrize(
    ("trouble", "words"), [("exit", "CRITICAL the source is gone"), ("raise", "RuntimeError: the")]
)
def test_a_tap_that_dies_leaves_what_came(pipeline, trouble, words):
    """The target keeps the rows that came, the state covers exactly the last STATE, the exit code is the tap's."""
    pipeline.tap_config({"rows": 10, "trouble": trouble, "trouble_at": 8, "state_every": 3})
    said = pipeline.run(code=20)
    assert pipeline.rows == list(range(1, 8))
    assert pipeline.state == state_of(6)
    assert "run 1 of p: the tap failed" in said
    assert said.count(words) == 2  # when it came, and in the summary
    assert "something small" not in said.partition("run | ")[0]  # the summary tells the last error alone
    pipeline.tap_config({"rows": 10})
    pipeline.run()
    assert pipeline.rows == [*range(1, 8), *range(7, 11)]


def test_a_tap_that_is_killed_in_the_middle_of_a_line(pipeline):
    """Half a line makes the target fail too, but its state stands and every row before it is there."""
    pipeline.tap_config({"rows": 10, "trouble": "kill", "trouble_at": 8, "state_every": 3})
    said = pipeline.run(code=22)  # this target knows no exit code for a bad message
    assert pipeline.state == state_of(6)
    assert pipeline.rows[:6] == list(range(1, 7))
    assert "ended by SIGKILL" in said


def test_a_target_that_leaves_early_ends_the_run(pipeline):
    """A target that stops reading has failed, whatever it says, and a tap that never ends is ended at once."""
    pipeline.tap_config({"rows": 10_000_000})
    pipeline.target_config({"quits_after": 100})
    began = time.monotonic()
    said = pipeline.run(code=21)
    assert time.monotonic() - began < 15
    assert "ended before the tap had" in said
    assert pipeline.state is None


def test_a_target_that_leaves_what_fits_in_the_pipe(pipeline):
    """Rows that the tap wrote and nobody read are noticed, though both ended with 0 and no write failed."""
    pipeline.tap_config({"rows": 2_000, "note_bytes": 200})
    pipeline.target_config({"quits_after": 5})
    assert "ended before the tap had" in pipeline.run(code=21)


def test_a_target_that_fails_ends_a_tap_that_waits(pipeline):
    """A tap that sleeps does not notice a dead target: it is ended all the same, and the target's words are told."""
    pipeline.tap_config({"rows": 100, "trouble": "hang", "trouble_at": 6})
    pipeline.target_config({"quits_after": 5, "code": 4})
    began = time.monotonic()
    said = pipeline.run(code=21)
    assert time.monotonic() - began < 15
    assert "target | CRITICAL the disk is full" in said.partition("the target failed")[2]
    assert "exit code 4" in said


def test_both_fail(pipeline):
    """When each fails by itself the exit code says both."""
    pipeline.tap_config({"trouble": "exit", "trouble_at": 5, "state_every": 2})
    pipeline.target_config({"last_code": 4})
    said = pipeline.run(code=22)
    assert "tap_numbers: exit code 3; target_lines: exit code 4" in said
    assert pipeline.notes["last"]["tap_exit_code"] == 3
    assert pipeline.state == state_of(4)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_asked_to_end(pipeline, signum, code):
    """The tap is told, the target keeps what came, the state covers it, and the exit code is the signal's."""
    pipeline.tap_config({"rows": 10_000_000, "state_every": 10, "pause": 0.001})
    with pipeline.start() as process:
        wait_for(lambda: pipeline.state is not None)
        family = children_of(process.pid)
        process.send_signal(signum)
        said = "".join(process.communicate(timeout=30))
    assert process.returncode == code, said
    assert len(family) == 2
    assert not any(map(is_running, family))
    reached = pipeline.state["bookmarks"]["numbers"]["id"]
    assert reached % 10 == 0
    assert pipeline.rows == list(range(1, len(pipeline.rows) + 1))
    assert len(pipeline.rows) >= reached
    assert f"run 1 of p: ended by {signum.name}" in said


def test_a_second_signal_ends_all_at_once(pipeline):
    """A tap that ignores the first signal does not outlive the second."""
    pipeline.tap_config({"trouble": "hang_hard", "trouble_at": 3, "state_every": 1})
    with pipeline.start() as process:
        wait_for(lambda: pipeline.state == state_of(2))
        family = children_of(process.pid)
        process.terminate()
        assert "asked to end" in iter_until(process.stderr, "asked to end")
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 143
    wait_for(lambda: not any(map(is_running, family)))


def iter_until(stream, words):
    """What the stream says up to those words."""
    said = ""
    while words not in said and (line := stream.readline()):
        said += line
    return said


def test_two_runs_of_one_pipeline_exclude_each_other(pipeline):
    """The second one ends at once with 6 and touches nothing; after the first it may run."""
    pipeline.tap_config({"rows": 10_000_000, "state_every": 1, "pause": 0.01})
    with pipeline.start() as process:
        wait_for(lambda: pipeline.state is not None)
        began = time.monotonic()
        said = pipeline.run(code=6)
        assert time.monotonic() - began < 10
        assert f"is being run by process {process.pid}" in said
        process.terminate()
        process.communicate(timeout=30)
    pipeline.tap_config({"rows": 1})
    pipeline.run()


def test_a_killed_runner_takes_its_tap_with_it(pipeline):
    """The tap of a killed runner dies, its target comes to the end, and the next run waits for that and goes on."""
    pipeline.tap_config({"rows": 10_000_000, "state_every": 10, "pause": 0.001})
    with pipeline.start() as process:
        wait_for(lambda: pipeline.state is not None)
        target, tap = sorted(children_of(process.pid))
        process.kill()
        process.communicate(timeout=30)
    wait_for(lambda: not is_running(tap))
    reached = pipeline.state["bookmarks"]["numbers"]["id"]
    pipeline.tap_config({"rows": reached + 5})
    pipeline.run()
    assert not is_running(target)
    assert set(pipeline.rows) >= set(range(1, reached + 6))


def kill_at_random(pipeline, seed, times):
    """Kills the runner at moments that the seed draws, and looks at the state each time; then runs to the end."""
    moments = random.Random(seed)
    pipeline.tap_config({"rows": 300, "state_every": 1, "pause": 0.0005})
    for _ in range(times):
        with pipeline.start() as process:
            time.sleep(moments.uniform(0.3, 1.2))
            process.kill()
            process.communicate(timeout=30)
        if pipeline.state is not None:
            assert pipeline.state["bookmarks"]["numbers"]["id"] <= max(pipeline.rows)
    said = pipeline.run()
    assert "by hand" not in said
    assert set(pipeline.rows) == set(range(1, 301))
    assert not list((pipeline.folder / "home").rglob("*.tmp"))


@pytest.mark.parametrize("seed", range(3))
def test_the_state_file_is_whole_whenever_the_runner_is_killed(pipeline, seed):
    """Killed at any moment, the runner leaves a state that parses, covers only rows that are there, and is its own."""
    kill_at_random(pipeline, seed, times=2)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(50))
def test_the_state_file_is_whole_however_often_the_runner_is_killed(pipeline, seed):
    """The same, fifty times over."""
    kill_at_random(pipeline, 1000 + seed, times=5)


@pytest.mark.parametrize("point", ["run_before_state_note", "run_before_state_rename", "run_after_state_rename"])
def test_a_crash_at_any_step_of_saving(pipeline, point):
    """Between the note and the state file a crash loses a save, never a state, and is not taken for an edit by hand."""
    pipeline.tap_config({"rows": 50, "state_every": 5, "pause": 0.01})
    pipeline.run(code=-9, environ={"SINGER_KIT_FAILPOINT": f"{point}:3"})
    assert pipeline.state is not None
    said = pipeline.run()
    assert "by hand" not in said
    assert pipeline.state == state_of(50)
    assert set(pipeline.rows) == set(range(1, 51))


def test_a_long_line_passes(pipeline):
    """A record of 60 MB goes through the pipe unharmed."""
    pipeline.tap_config({"rows": 1, "note_bytes": 60_000_000})
    pipeline.run()
    assert pipeline.rows_path.stat().st_size > 60_000_000
    assert json.loads(pipeline.rows_path.read_text())["note"].count("x") == 60_000_000


def test_leftovers_do_not_hold_the_run(pipeline):
    """A process that the tap left behind with the pipe in its hands is ended; one of the target's is not waited for."""
    pipeline.tap_config({"leaves_behind": True})
    said = pipeline.run()
    assert "something it started has not" in said
    assert len(pipeline.rows) == 10
    pipeline.tap_config({})
    pipeline.target_config({"leaves_behind": True})
    pipeline.run()


def test_a_state_that_cannot_be_saved_fails_the_run(pipeline):
    """When the state cannot be written the run ends with 6 and says where."""
    blocked = pipeline.folder / "blocked"
    blocked.write_text("a file, not a folder")
    said = pipeline.run("--state-out", str(blocked / "state.json"), code=6)
    assert "cannot be written" in said
    assert str(blocked) in said


def test_a_home_that_cannot_be_written(pipeline):
    """When the lock cannot be made the run ends with 6 before anything starts."""
    (pipeline.folder / "home").write_text("a file")
    assert "SINGER_KIT_HOME" in pipeline.run(code=6)
    assert not pipeline.report_path.exists()


def test_a_program_that_cannot_be_started(pipeline):
    """A script whose interpreter is not there is a usage error that says so; the target is not left running."""
    script = pipeline.folder / "tap-odd"
    script.write_text("#!/nonexistent/python\n")
    script.chmod(0o755)
    pipeline.tap = str(script)
    assert "cannot be started" in pipeline.run(code=2)
