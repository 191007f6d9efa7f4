"""A tap as a process: flags, exit codes, signals, and a wire that holds messages and nothing else."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from singer_kit.codec import decode

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
SAMPLE = [sys.executable, str(HERE / "sample_tap.py")]


def tap(tmp_path: Path, *flags: str, config: dict[str, Any] | None = None, **options: Any) -> Any:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config or {}))
    return subprocess.run(
        [*SAMPLE, "--config", str(path), *flags], capture_output=True, timeout=60, check=False, **options
    )


def values(output: bytes, kind: str, member: str) -> list[Any]:
    return [message[member] for message in map(decode, output.splitlines()) if message["type"] == kind]


def test_the_wire_is_as_it_was(tmp_path: Path) -> None:
    """Byte for byte, but for the times of extraction: a change of the wire is a change of the golden file."""
    done = tap(tmp_path)
    assert done.returncode == 0, done.stderr
    written = re.sub(rb'"time_extracted":"[^"]+"', b'"time_extracted":"2024-01-01T00:00:00Z"', done.stdout)
    assert written.decode() == (GOLDEN / "tap_sample.singer").read_text()


def test_the_catalog_is_as_it_was(tmp_path: Path) -> None:
    """`--discover` prints one JSON object, the golden one; it is accepted as `--catalog` and as `--properties`."""
    discovered = tap(tmp_path, "--discover").stdout
    assert discovered.decode() == (GOLDEN / "tap_sample.catalog.json").read_text()
    catalog = json.loads(discovered)
    catalog["streams"][0]["metadata"][0]["metadata"]["selected"] = True
    catalog["streams"][1]["metadata"][0]["metadata"]["selected"] = False
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog))
    for flag in ("--catalog", "--properties", "-p"):
        assert set(values(tap(tmp_path, flag, str(path)).stdout, "SCHEMA", "stream")) == {"orders"}


@pytest.mark.parametrize(
    ("state", "code"),
    [('{"type":"STATE","value":{"bookmarks":{}}}', 6), ("[]", 6), ("null", 0), ("", 0), ('{"bookmarks":{}}', 0)],
)
def test_a_state_is_what_a_target_prints(tmp_path: Path, state: str, code: int) -> None:
    """A whole STATE message is told from its value; nothing, and null, are a first read."""
    path = tmp_path / "state.json"
    path.write_text(state)
    assert tap(tmp_path, "--state", str(path)).returncode == code


def test_a_second_run_reads_what_is_new(tmp_path: Path) -> None:
    """Given its own last state, it repeats the boundary only."""
    state = values(tap(tmp_path).stdout, "STATE", "value")[-1]
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))
    done = tap(tmp_path, "--state", str(path), config={"rows": 7})
    assert [record["id"] for record in values(done.stdout, "RECORD", "record") if "total" in record] == [4, 5, 6]


def test_a_broken_source_fails_and_keeps_what_came(tmp_path: Path) -> None:
    """Non-zero, every STATE covered, CRITICAL lines at the end; the text of a foreign error stays private."""
    done = tap(tmp_path, config={"rows": 2000, "break_at": 1500})
    assert done.returncode not in (0, -signal.SIGKILL)
    assert b"CRITICAL" in done.stderr
    ids = [record["id"] for record in values(done.stdout, "RECORD", "record") if "total" in record]
    assert ids == list(range(1500))
    assert values(done.stdout, "STATE", "value")[-1]["bookmarks"]["orders"]["replication_key_value"].startswith(
        "2024-03-03T11"
    )


def test_sigterm_writes_the_last_safe_state_and_fails(tmp_path: Path) -> None:
    """143, the state covers exactly the records that came."""
    done = tap(tmp_path, config={"rows": 5000, "term_at": 3000})
    assert done.returncode == 143
    ids = [record["id"] for record in values(done.stdout, "RECORD", "record") if "total" in record]
    assert 0 < len(ids) < 5000
    assert ids == list(range(len(ids)))
    state = values(done.stdout, "STATE", "value")[-1]
    assert done.stdout.splitlines()[-1].startswith(b'{"type":"STATE"')
    assert state["currently_syncing"] == "orders"


def test_a_reader_that_goes_ends_the_run(tmp_path: Path) -> None:
    """141 at once, no traceback."""
    path = tmp_path / "config.json"
    path.write_text('{"rows": 100000}')
    with subprocess.Popen([*SAMPLE, "--config", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        started = time.monotonic()
        assert process.wait(timeout=30) == 141
        assert time.monotonic() - started < 20
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("flags", "config", "code"),
    [
        ((), {"rows": "many"}, 2),
        (("--catalog", "nowhere.json"), {}, 2),
        (("--state", "nowhere.json"), {}, 6),
        (("--stats", "x"), {}, 2),
        ((), {"start_date": "soon"}, 2),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_record(
    tmp_path: Path, flags: tuple[str, ...], config: dict[str, Any], code: int
) -> None:
    """With the exit code of its kind and a CRITICAL line."""
    done = tap(tmp_path, *flags, config=config)
    assert (done.returncode, b"RECORD" in done.stdout) == (code, False)
    assert b"CRITICAL" in done.stderr


def test_settings_of_the_environment(tmp_path: Path) -> None:
    """Without a config file, variables and defaults are what counts."""
    done = subprocess.run(
        SAMPLE, capture_output=True, env={"TAP_SAMPLE_ROWS": "2", "PATH": ""}, cwd=tmp_path, check=True
    )
    assert len([record for record in values(done.stdout, "RECORD", "record") if "total" in record]) == 2
