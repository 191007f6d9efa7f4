"""Tap, target and runner are killed again and again; what a resumed pipeline holds in the end is the source, exactly.

Each seed draws who is killed and when: at a named point before and after write, commit, state save and rename, or at
any moment. After every death no state may cover what is not durable. `make test` runs a few seeds, `make chaos` fifty.
"""

import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from singer_kit.codec import decode, encode
from singer_kit.spec.instants import parse_instant

HERE = Path(__file__).parent
SINGER_KIT = str(Path(sys.executable).with_name("singer-kit"))
START = parse_instant("2024-01-01T00:00:00Z")
SIZES = {"sorted": 1500, "parts": 400, "whole": 300}
POINTS = [
    "before_write",
    "after_write",
    "before_commit",
    "after_commit",
    "before_state",
    "after_state",
    "run_before_state_note",
    "run_before_state_rename",
    "run_after_state_rename",
    "page_written",
    "state_written",
]
VICTIMS = ["tap", "target", "runner"]
MOST_DEATHS = 6
FEW, MANY = range(3), range(3, 50)

Row = tuple[str, int]
Rows = Counter[Row]


def source() -> dict[str, set[Row]]:
    """Stream to its rows, as (part, id)."""
    return {
        "sorted": {("", n) for n in range(SIZES["sorted"])},
        "parts": {(part, n) for part in "ab" for n in range(SIZES["parts"])},
        "whole": {("", n) for n in range(SIZES["whole"])},
    }


def covered(state: Any) -> dict[str, set[Row]]:
    """The rows that a state says need not be read again: all before its bookmarks, and those at them."""
    bookmarks = (state or {}).get("bookmarks", {})
    done: dict[str, set[Row]] = {"sorted": set(), "parts": set(), "whole": set()}
    if value := bookmarks.get("sorted", {}).get("replication_key_value"):
        done["sorted"] = {("", n) for n in range(seconds(value) + 1)}
    for entry in bookmarks.get("parts", {}).get("partitions", ()):
        if value := entry.get("replication_key_value"):
            done["parts"] |= {(entry["context"]["part"], n) for n in range(seconds(value) + 1)}
    return done


def seconds(text: str) -> int:
    """A bookmark as a row's number."""
    return int((parse_instant(text) - START).total_seconds())


class Pipeline:
    """One pipeline in one folder: runs, deaths, and what is left after them."""

    def __init__(self, folder: Path, target: str, draw: random.Random) -> None:
        self.folder = folder
        self.target = target
        self.draw = draw
        self.log: list[str] = []
        folder.joinpath("tap.json").write_bytes(encode({"pause_seconds": 0.01}))
        config = {"batch_size_rows": 120, "batch_wait_limit_seconds": 0.05}
        config |= (
            {"path": str(folder / "kill.duckdb")}
            if target == "target-duckdb"
            else {"destination_path": str(folder / "out")}
        )
        folder.joinpath("target.json").write_bytes(encode(config))

    def start(self, failpoint: str = "") -> "subprocess.Popen[bytes]":
        """The runner, started; it dies, or one of its children does, at `failpoint`."""
        tap = f"{sys.executable} {HERE / 'tap_source.py'}"
        command = [SINGER_KIT, "run", tap, self.target, "--id", "kill"]
        configs = ["--tap-config", "tap.json", "--target-config", "target.json"]
        environ = {**os.environ, "SINGER_KIT_HOME": str(self.folder / "home"), "SINGER_KIT_FAILPOINT": failpoint}
        log = self.folder.joinpath("log.txt").open("ab")
        with log:
            return subprocess.Popen([*command, *configs], cwd=self.folder, env=environ, stdout=log, stderr=log)

    def run_and_kill(self) -> int:
        """The exit code of a run in which somebody died, or of one that came through."""
        if self.draw.random() < 0.6:
            point = f"{self.draw.choice(POINTS)}:{self.draw.randint(1, 6)}"
            self.log.append(point)
            runner = self.start(point)
        else:
            victim, moment = self.draw.choice(VICTIMS), self.draw.uniform(0.2, 1.8)
            self.log.append(f"{victim} after {moment:.2f} s")
            runner = self.start()
            time.sleep(moment)
            kill(victim, runner)
        code = runner.wait(100)
        self.wait_for_the_target()
        return code

    def wait_for_the_target(self) -> None:
        """A target that outlived its runner has finished: it holds the lock until then."""
        path = self.folder / "home" / "locks" / "kill.lock"
        if not path.exists():
            return
        deadline = time.monotonic() + 60
        with path.open("rb") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    assert time.monotonic() < deadline, "the target never ended"
                    time.sleep(0.02)
                else:
                    return

    def state(self) -> Any:
        """What the state file says; it is whole, or not there."""
        path = self.folder / "home" / "state" / "kill.json"
        return decode(path.read_bytes()) if path.exists() else None

    def story(self) -> str:
        """What happened, for a failure's message."""
        return "; ".join(self.log) + "\n" + self.folder.joinpath("log.txt").read_text()[-4000:]


def kill(victim: str, runner: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to the runner, or to its child that is the tap or the target, if it still lives."""
    if victim == "runner":
        runner.kill()
        return
    children = Path(f"/proc/{runner.pid}/task/{runner.pid}/children")
    for pid in children.read_text().split() if children.exists() else ():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except FileNotFoundError:
            continue
        if (b"tap_source" in command) == (victim == "tap") and (victim == "tap" or b"target-" in command):
            os.kill(int(pid), signal.SIGKILL)


def opened(path: Path) -> duckdb.DuckDBPyConnection:
    """The database, as soon as a process that was killed a moment ago has let it go."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return duckdb.connect(str(path), read_only=True)
        except duckdb.IOException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def in_database(folder: Path) -> tuple[dict[str, Rows], Any]:
    """Rows per stream in DuckDB, and the state saved beside them."""
    path = folder / "kill.duckdb"
    rows: dict[str, Rows] = {name: Counter() for name in SIZES}
    if not path.exists():
        return rows, None
    with opened(path) as connection:
        tables = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
        for name in SIZES.keys() & tables:
            found = connection.execute(f"select coalesce(part, ''), id, name, total from \"{name}\"").fetchall()
            assert all(text == f"row {n} \u00e9\u4e2d" and total * 100 == n for _, n, text, total in found)
            rows[name] = Counter((part, n) for part, n, _, _ in found)
    environ = {**os.environ, "SINGER_KIT_PIPELINE": "kill"}
    command = [str(Path(sys.executable).with_name("target-duckdb")), "--config", "target.json", "--saved-state"]
    told = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=True, timeout=60).stdout
    return rows, decode(told).get("state")


def in_files(folder: Path) -> tuple[dict[str, Rows], Any]:
    """Rows per stream in the files, every line whole."""
    rows: dict[str, Rows] = {name: Counter() for name in SIZES}
    for name in SIZES:
        path = folder / "out" / f"{name}.jsonl"
        if path.exists():
            lines = path.read_bytes().split(b"\n")
            lines.pop()  # what a killed write left after the last newline is cut off by the next run
            rows[name] = Counter((row.get("part") or "", row["id"]) for row in map(decode, lines))
    return rows, None


def check_state(state: Any, rows: dict[str, Rows], story: Callable[[], str]) -> None:
    """Every row that a state covers is durable."""
    for name, done in covered(state).items():
        missing = done - rows[name].keys()
        assert not missing, f"the state is ahead of {name}: {sorted(missing)[:5]}\n{story()}"


def kill_until_done(
    pipeline: Pipeline, look: Callable[[Path], tuple[dict[str, Rows], Any]]
) -> Iterator[dict[str, Rows]]:
    """The rows that are there after each death, and at last after a run that was left alone."""
    for _ in range(pipeline.draw.randint(2, MOST_DEATHS)):
        code = pipeline.run_and_kill()
        rows, saved = look(pipeline.folder)
        check_state(pipeline.state(), rows, pipeline.story)
        check_state(saved, rows, pipeline.story)
        yield rows
        if code == 0:
            break
    pipeline.log.append("left alone")
    code = pipeline.start().wait(100)
    assert code == 0, pipeline.story()
    yield look(pipeline.folder)[0]


def judge_database(folder: Path, seed: int) -> None:
    """DuckDB holds the source's rows, each once."""
    pipeline = Pipeline(folder, "target-duckdb", random.Random(seed))
    rows: dict[str, Rows] = {}
    for rows in kill_until_done(pipeline, in_database):  # noqa: B007 - the last is what counts
        pass
    for name, expected in source().items():
        assert rows[name] == Counter(expected), f"seed {seed}, {name}\n{pipeline.story()}"


def judge_files(folder: Path, seed: int) -> None:
    """No row is lost, no line is torn, and only what no state covered comes twice."""
    pipeline = Pipeline(folder, "target-jsonl", random.Random(seed))
    settled: dict[str, Rows] = {name: Counter() for name in SIZES}
    rows: dict[str, Rows] = {}
    for rows in kill_until_done(pipeline, in_files):
        for name, counts in settled.items():
            for row, count in counts.items():
                assert rows[name][row] == count, f"seed {seed}: {name} {row} came again\n{pipeline.story()}"
        edge = at_bookmarks(pipeline.state())
        settled = {
            name: Counter({row: rows[name][row] for row in done - edge})
            for name, done in covered(pipeline.state()).items()
        }
    for name, expected in source().items():
        assert rows[name].keys() == expected, f"seed {seed}, {name}\n{pipeline.story()}"


def at_bookmarks(state: Any) -> set[Row]:
    """The rows at the bookmarks themselves: a read begins with them once more."""
    return {max(rows, key=lambda row: row[1]) for rows in split_by_part(covered(state)) if rows}


def split_by_part(done: dict[str, set[Row]]) -> Iterator[set[Row]]:
    """The covered rows, each partition by itself."""
    for rows in done.values():
        for part in {part for part, _ in rows}:
            yield {row for row in rows if row[0] == part}


@pytest.mark.parametrize("seed", FEW)
def test_duckdb_holds_exactly_the_source(seed: int, tmp_path: Path) -> None:
    """After kills and resumes, every row of the source once; no state was ever ahead."""
    judge_database(tmp_path, seed)


@pytest.mark.parametrize("seed", FEW)
def test_files_hold_every_row(seed: int, tmp_path: Path) -> None:
    """After kills and resumes, every row of the source; repeats only after the last state."""
    judge_files(tmp_path, seed)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", MANY)
def test_duckdb_holds_exactly_the_source_many(seed: int, tmp_path: Path) -> None:
    """The same, for the rest of fifty seeds."""
    judge_database(tmp_path, seed)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", MANY)
def test_files_hold_every_row_many(seed: int, tmp_path: Path) -> None:
    """The same, for the rest of fifty seeds."""
    judge_files(tmp_path, seed)
