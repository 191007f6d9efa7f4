"""target-duckdb killed at any point: after resuming from its saved state every row is there exactly once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from singer_kit.codec import encode

COMMAND = [sys.executable, "-c", "import sys; from singer_kit.connectors.target_duckdb import main; sys.exit(main())"]
ROWS = 1200
POINTS = (
    "before_write",
    "after_write",
    "before_save_state",
    "after_save_state",
    "before_commit",
    "after_commit",
    "before_state",
    "after_state",
)


def source(done: int) -> bytes:
    """What a tap sends that resumes after row `done`: an append-only and an upserted stream, a STATE now and then."""
    number = {"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": "string"}}}
    lines: list[Any] = [
        {"type": "SCHEMA", "stream": "log", "schema": number, "key_properties": []},
        {"type": "SCHEMA", "stream": "items", "schema": number, "key_properties": ["id"]},
    ]
    for n in range(done + 1, ROWS + 1):
        row = {"id": n, "text": "x" * (n % 50)}
        lines.append({"type": "RECORD", "stream": "log", "record": row})
        lines.append({"type": "RECORD", "stream": "items", "record": {**row, "id": n % 700}})
        if n % 130 == 0 or n == ROWS:
            lines.append({"type": "STATE", "value": {"done": n}})
    return b"".join(encode(line) + b"\n" for line in lines)


class Pipeline:
    """A database and runs into it, each of which resumes from what the one before saved."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "t.duckdb")
        self.config = folder / "config.json"
        settings = {"path": self.path, "batch_size_rows": 100, "transaction_size_bytes": 1}
        self.config.write_text(json.dumps({**settings, "batch_wait_limit_seconds": 1}))
        self.run_number = 0

    def start(self, *flags: str, failpoint: str = "") -> "subprocess.Popen[bytes]":
        """The target, running."""
        env = {**os.environ, "SINGER_KIT_PIPELINE": "p", "SINGER_KIT_RUN": str(self.run_number)}
        return subprocess.Popen(
            [*COMMAND, "--config", str(self.config), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**env, "SINGER_KIT_FAILPOINT": failpoint},
        )

    def saved(self) -> int:
        """The last row that the saved state covers."""
        states = self.select("SELECT state FROM _singer_kit_state WHERE pipeline = 'p'", table="_singer_kit_state")
        return int(json.loads(states[0][0])["done"]) if states else 0

    def select(self, sql: str, *, table: str) -> list[tuple[Any, ...]]:
        """What DuckDB says; nothing when the table is not there."""
        connection = duckdb.connect(self.path)
        try:
            tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            return connection.execute(sql).fetchall() if (table,) in tables else []
        finally:
            connection.close()

    def run(self, *, failpoint: str = "") -> tuple[int, list[int]]:
        """Exit code and printed states of a run over what is missing."""
        data = source(self.saved())
        self.run_number += 1
        with self.start(failpoint=failpoint) as process:
            out, err = process.communicate(data, timeout=60)
        assert process.returncode in {0, -signal.SIGKILL}, err
        return process.returncode, [json.loads(line)["done"] for line in out.splitlines()]

    def check_state_covers_rows(self) -> int:
        """The saved state says just what is in the tables: not more, and as one transaction holds both, not less."""
        done = self.saved()
        held = self.select("SELECT count(*), count(DISTINCT id), coalesce(max(id), 0) FROM log", table="log")
        assert held == ([(done, done, done)] if held or done else [])
        return done

    def check_complete(self) -> None:
        """Every row is there exactly once, with its last values."""
        assert self.check_state_covers_rows() == ROWS
        items = self.select("SELECT id, length(text) FROM items ORDER BY id", table="items")
        assert items == sorted({n % 700: n % 50 for n in range(1, ROWS + 1)}.items())


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_named_point_loses_and_repeats_nothing(tmp_path: Path, point: str) -> None:
    """Nor is the saved or the printed state ever ahead of the rows."""
    pipeline = Pipeline(tmp_path)
    code, printed = pipeline.run(failpoint=f"{point}:2")
    assert code == -signal.SIGKILL
    done = pipeline.check_state_covers_rows()
    assert max(printed, default=0) <= done
    code, printed = pipeline.run()
    assert (code, printed[-1]) == (0, ROWS)
    pipeline.check_complete()


@pytest.mark.parametrize("seed", range(2))
def test_kills_at_random_times_lose_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    """Three kills anywhere, then a run to the end."""
    pipeline = Pipeline(tmp_path)
    chance = random.Random(seed)
    for _ in range(3):
        data = source(pipeline.saved())
        pipeline.run_number += 1
        with pipeline.start() as process:
            assert process.stdin is not None
            try:
                for start in range(0, len(data), 1 << 14):
                    process.stdin.write(data[start : start + (1 << 14)])
                    process.stdin.flush()
                    time.sleep(chance.random() * 0.05)
            except BrokenPipeError:
                pytest.fail("the target ended by itself")
            time.sleep(chance.random() * 0.2)
            process.kill()
        pipeline.check_state_covers_rows()
    assert pipeline.run()[0] == 0
    pipeline.check_complete()


def test_a_run_that_was_complete_repeats_nothing(tmp_path: Path) -> None:
    """A second run has nothing to send, and the tables do not change."""
    pipeline = Pipeline(tmp_path)
    for _ in range(2):
        assert pipeline.run()[0] == 0
        pipeline.check_complete()
    with pipeline.start("--saved-state") as process:
        out, err = process.communicate(timeout=60)
    assert json.loads(out) == {"pipeline": "p", "run": 1, "state": {"done": ROWS}}, err


def test_nothing_but_states_is_on_the_standard_output(tmp_path: Path) -> None:
    """And a SIGTERM keeps what was safe and ends non-zero."""
    pipeline = Pipeline(tmp_path)
    data = source(0)
    with pipeline.start() as process:
        assert process.stdin is not None
        process.stdin.write(data[: len(data) // 2])
        process.stdin.flush()
        time.sleep(1.5)
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    states = [json.loads(line)["done"] for line in out.splitlines()]
    assert states == sorted(states)
    assert states[-1] == pipeline.saved()


def test_the_version_loads_no_database(tmp_path: Path) -> None:
    """`--version` and `--about` need neither DuckDB nor pyarrow."""
    script = (
        "import sys\nfrom singer_kit.connectors.target_duckdb import main\n"
        "main(sys.argv[1:])\nprint(sorted({'duckdb', 'pyarrow'} & set(sys.modules)), file=sys.stderr)"
    )
    for flag in ("--version", "--about"):
        done = subprocess.run([sys.executable, "-c", script, flag], capture_output=True, timeout=60, check=False)
        assert done.stderr.splitlines()[-1] == b"[]", done.stderr
