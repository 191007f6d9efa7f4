"""A connector as a program: exit codes, streams, signals, errors."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAM = [sys.executable, str(Path(__file__).with_name("connector_x.py"))]
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("TAP_X_", "SINGER_KIT", "LOGLEVEL"))}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def program(
    *arguments: str, config: dict[str, Any] | None = None, stdin: bytes = b"", **environ: str
) -> subprocess.CompletedProcess[str]:
    given = list(arguments)
    if config is not None:
        Path("config.json").write_text(json.dumps(config))
        given += ["--config", "config.json"]
    done = subprocess.run(
        [*PROGRAM, *given], input=stdin, capture_output=True, env={**CLEAN, **environ}, timeout=60, check=False
    )
    return subprocess.CompletedProcess(given, done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def started(deed: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    Path("config.json").write_text(json.dumps({"do": deed}))
    command = [*PROGRAM, "--config", "config.json"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=CLEAN, **options
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def test_only_the_wire_is_on_stdout() -> None:
    """What Python code, C code and child processes print lands on stderr."""
    done = program(config={"do": "print"})
    assert done.stdout == '{"type": "STATE"}\n'
    for words in ("printed by Python", "written to descriptor 1", "printed by a child"):
        assert words in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("deed", "code", "stderr"),
    [
        ("echo", 0, []),
        (
            "source_fails",
            3,
            [
                "CRITICAL tap-x: The API is down.",
                "CRITICAL tap-x:   https://x.example",
                "CRITICAL tap-x:   next: try again later.",
            ],
        ),
        ("destination_fails", 4, ["CRITICAL tap-x: The disk is full."]),
        (
            "fault",
            1,
            [
                "CRITICAL tap-x: tap-x has a fault of its own: KeyError.",
                "CRITICAL tap-x:   at connector_x.py:{line}, in fault",
                "CRITICAL tap-x:   next: run it again with SINGER_KIT_DEBUG=1 to see the traceback.",
            ],
        ),
        ("exits", 7, []),
        ("exits_with_words", 1, ["CRITICAL tap-x: the password is ***"]),
    ],
)
def test_how_a_run_ends(deed: str, code: int, stderr: Sequence[str]) -> None:
    """The error's exit code; sentence, place and next step, each line at CRITICAL."""
    line = next(
        number for number, text in enumerate(Path(PROGRAM[1]).read_text().splitlines(), 1) if "raise KeyError" in text
    )
    done = program(config={"do": deed, "password": "sentinel-1"})
    assert done.stderr.splitlines() == [each.replace("{line}", str(line)) for each in stderr]
    assert done.returncode == code


@pytest.mark.parametrize("environ", [{"SINGER_KIT_DEBUG": "1"}, {"TAP_X_LOGLEVEL": "debug"}, {"LOGLEVEL": "DEBUG"}])
def test_the_traceback_is_for_those_who_ask(environ: dict[str, str]) -> None:
    """At DEBUG or with SINGER_KIT_DEBUG=1."""
    done = program(config={"do": "fault", "password": "sentinel-1"}, **environ)
    assert "Traceback" in done.stderr
    assert "sentinel" not in done.stderr
    assert all(line.split()[1] == "tap-x:" for line in done.stderr.splitlines())


def test_logs_may_be_json() -> None:
    """SINGER_KIT_LOG=json gives one object a line, errors too."""
    done = program(config={"do": "source_fails"}, SINGER_KIT_LOG="json")
    points = [json.loads(line) for line in done.stderr.splitlines()]
    assert [point["message"] for point in points] == [
        "The API is down.",
        "  https://x.example",
        "  next: try again later.",
    ]
    assert {point["level"] for point in points} == {"CRITICAL"}


SENTINELS = {
    "do": "leak",
    "password": "sentinel-p@ss w\u00f6rd/1",
    "default_token": "sentinel-token",
    "secret_note": "x",
}


@pytest.mark.parametrize("environ", [{}, {"SINGER_KIT_DEBUG": "1"}, {"LOGLEVEL": "DEBUG"}, {"SINGER_KIT_LOG": "json"}])
@pytest.mark.parametrize("deed", ["leak", "fault", "exits_with_words"])
def test_no_secret_gets_out(deed: str, environ: dict[str, str]) -> None:
    """Logs, prints, warnings, tracebacks of threads and of the run: none shows a secret, in any output or file."""
    done = program(config={**SENTINELS, "do": deed}, **environ)
    assert done.returncode == 1
    assert "sentinel" not in done.stdout + done.stderr
    assert "***" in done.stderr or deed == "fault"
    assert "sentinel" not in "".join(path.read_text() for path in Path.cwd().iterdir() if path.name != "config.json")


def test_no_secret_gets_out_when_the_config_is_wrong() -> None:
    """Errors about settings name the setting and its type, never its value, not even in tracebacks."""
    for config in ({**SENTINELS, "do": ["sentinel"]}, {**SENTINELS, "count": "sentinel"}, {"pasword": "sentinel"}):
        done = program(config=config, LOGLEVEL="debug", SINGER_KIT_DEBUG="1")
        assert done.returncode == 2
        assert "sentinel" not in done.stdout + done.stderr
    Path("broken.json").write_text('{"password": "sentinel')
    done = program("--config", "broken.json", LOGLEVEL="debug")
    assert done.returncode == 2
    assert "sentinel" not in done.stdout + done.stderr
    done = program("--config", "ENV", TAP_X_COUNT="sentinel", LOGLEVEL="debug")
    assert done.returncode == 2
    assert "sentinel" not in done.stdout + done.stderr
    for form in ("text", "json", "markdown"):
        assert "sentinel" not in program("--about", "--format", form).stdout
    assert "sentinel" not in program("--help").stdout
    assert "sentinel" not in program("sentinel").stderr


@pytest.mark.parametrize("deed", ["idle", "sleep"])
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_in_order(deed: str, signum: int, code: int) -> None:
    """Waiting for input or asleep: the connector notices at once, writes its last words, and the exit code tells."""
    with started(deed) as process:
        process.send_signal(signum)
        out, err = process.communicate(timeout=20)
        assert process.returncode == code
        assert out in (b"last safe state\n", b"stopped\n")
        assert err.decode() == f"CRITICAL tap-x: The run was ended by {signal.Signals(signum).name}.\n"


def test_a_second_signal_ends_it_at_once() -> None:
    """For a connector that is deaf to the first."""
    with started("deaf") as process:
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143


def test_a_reader_that_has_gone_is_no_crash() -> None:
    """Exit code 141, nothing on stderr."""
    Path("config.json").write_text(json.dumps({"do": "big", "count": 1000}))
    with subprocess.Popen(
        [*PROGRAM, "-c", "config.json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=CLEAN
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 141


def test_large_input_and_output_pass_unchanged() -> None:
    """Every byte that came in goes out, whatever the pipe's size."""
    data = bytes(range(256)) * 20_000
    Path("config.json").write_text('{"do": "copy"}')
    done = subprocess.run(
        [*PROGRAM, "-c", "config.json"], input=data, capture_output=True, env=CLEAN, timeout=60, check=False
    )
    assert done.stdout == data
    assert done.returncode == 0


def test_a_full_disk_behind_stdout_is_told() -> None:
    """`tap-x > /dev/full` says so and ends with 4."""
    Path("config.json").write_text("{}")
    with Path("/dev/full").open("wb") as full:
        command = [*PROGRAM, "-c", "config.json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=CLEAN, timeout=60, check=False)
    assert done.returncode == 4
    assert b"CRITICAL tap-x: The output cannot be written: No space left on device." in done.stderr


def test_a_closed_stderr_is_no_reason_to_stop() -> None:
    """`tap-x 2>&-` writes its messages and nothing else."""
    Path("config.json").write_text('{"do": "print"}')
    command = f'"{sys.executable}" "{PROGRAM[1]}" -c config.json 2>&-'
    done = subprocess.run(command, shell=True, env=CLEAN, timeout=60, stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (0, b'{"type": "STATE"}\n')


def test_a_closed_stdout_is_a_reader_that_has_gone() -> None:
    """`tap-x >&-` ends with 141, too."""
    Path("config.json").write_text("{}")
    command = f'"{sys.executable}" "{PROGRAM[1]}" -c config.json >&-'
    done = subprocess.run(command, shell=True, env=CLEAN, timeout=60, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 141


def test_a_connector_without_a_name_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    """A class that forgot its name is told, instead of running with settings that no variable can give."""
    from singer_kit import Tap

    class Nameless(Tap):
        """Nothing."""

    assert Nameless.cli(["--about"]) == 2
    said = capfd.readouterr().err
    assert "CRITICAL Nameless: Nameless has no name." in said
    assert 'name = "tap-x"' in said
