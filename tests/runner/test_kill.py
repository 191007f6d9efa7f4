"""Our own connectors under SIGKILL: after resuming nothing is lost, and no state was ever ahead of the data."""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import duckdb
import pytest

BIN = Path(sys.executable).parent
FILES, ROWS = 6, 1_500
"""Rows are spread over files, each of which is a partition with a bookmark of its own."""

POINTS = {
    "tap": ("page_written", "state_written"),
    "target": ("before_write", "after_write", "before_commit", "after_commit", "before_state", "after_state"),
    "run": ("run_before_state_note", "run_before_state_rename", "run_after_state_rename"),
}
ALL_POINTS = [point for points in POINTS.values() for point in points]


class Load:
    """CSV files, a target, and runs that are killed."""

    def __init__(self, folder, target):
        self.folder = folder
        self.target = target
        self.states = folder / "home" / "state" / "p.json"
        (folder / "csv").mkdir()
        for number in range(FILES):
            rows = (f"{number * ROWS + row},{number},text {row}\n" for row in range(ROWS))
            (folder / "csv" / f"{number}.csv").write_text("id,file,note\n" + "".join(rows))
        entity = {"entity": "rows", "path": str(folder / "csv" / "*.csv"), "keys": ["id"]}
        (folder / "tap.json").write_text(json.dumps({"files": [entity]}))
        place = {"path": "rows.duckdb"} if target == "target-duckdb" else {"destination_path": "out"}
        (folder / "target.json").write_text(json.dumps({"batch_size_rows": 700, **place}))

    def start(self, failpoint=""):
        """A run; with a failpoint one of its processes will kill itself there."""
        command = [BIN / "singer-kit", "run", "tap-csv", self.target, "--id", "p"]
        return subprocess.Popen(
            [*command, "--tap-config", "tap.json", "--target-config", "target.json"],
            cwd=self.folder,
            env=os.environ | {"SINGER_KIT_HOME": str(self.folder / "home"), "SINGER_KIT_FAILPOINT": failpoint},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self):
        """A run that nobody disturbs ends well."""
        process = self.start()
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "by hand" not in said
        return said

    def arrived(self):
        """How often each id is in the destination; every row that is there is whole."""
        if self.target == "target-duckdb":
            if not (self.folder / "rows.duckdb").exists():
                return Counter()
            with opened(self.folder / "rows.duckdb") as connection:
                there = connection.execute("select count(*) from duckdb_tables() where table_name = 'rows'").fetchone()
                ids = connection.execute("select id::bigint from rows").fetchall() if there[0] else ()
            return Counter(row[0] for row in ids)
        path = self.folder / "out" / "rows.jsonl"
        # What follows the last newline is a line that was being written: the next run cuts it off.
        text = path.read_text().rpartition("\n")[0] if path.exists() else ""
        return Counter(int(json.loads(line)["id"]) for line in text.splitlines())

    def covered(self):
        """The ids that the saved state says are there."""
        if not self.states.exists():
            return set()
        partitions = json.loads(self.states.read_text()).get("bookmarks", {}).get("rows", {}).get("partitions", [])
        numbers = [
            int(Path(entry["context"]["_sdc_source_file"]).stem)
            for entry in partitions
            if entry.get("replication_key_value") is not None
        ]
        return {number * ROWS + row for number in numbers for row in range(ROWS)}

    def check_state(self):
        """No state is ahead of the data."""
        assert self.covered() <= set(self.arrived())


@pytest.fixture
def make_load(tmp_path):
    """Makes a load into this target."""
    return lambda target: Load(tmp_path, target)


def opened(path):
    """The database, as soon as a process that was killed a moment ago has let it go."""
    until = time.monotonic() + 20
    while True:
        try:
            return duckdb.connect(str(path), read_only=True)
        except duckdb.IOException:
            assert time.monotonic() < until
            time.sleep(0.05)


def processes_of(pid):
    """The runner's tap and target by name, as far as they have started."""
    found = {}
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            for name in ("tap", "target"):
                if any(Path(word.decode()).name.startswith(f"{name}-") for word in words[:2]):
                    found[name] = int(child)
    return found


def wait_until_gone(pids):
    """Returns when none of them runs."""
    until = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.02)


def kill_at_random(load, moments, victims=("tap", "target", "run")):
    """Kills one process of a run at some moment, and waits until all of them are gone."""
    process = load.start()
    time.sleep(moments.uniform(0.2, 2.0))
    family = processes_of(process.pid)
    victim = moments.choice(victims)
    with contextlib.suppress(ProcessLookupError):
        os.kill(family.get(victim, process.pid), 9)
    said, _ = process.communicate(timeout=60)
    wait_until_gone(family.values())
    assert process.returncode in (0, 20, 21, -9), said


def check_end(load, *, exactly=True):
    """All rows are there, once each where the target takes keys, and another run adds none."""
    load.finish()
    wanted = set(range(FILES * ROWS))
    arrived = load.arrived()
    assert set(arrived) == wanted
    assert load.covered() == wanted
    if exactly:
        assert set(arrived.values()) == {1}
    load.finish()
    assert load.arrived() == arrived


@pytest.mark.parametrize("point", ["state_written:2", "before_commit:1", "after_commit:1"])
def test_a_kill_at_a_named_point(make_load, point):
    """Whoever is killed wherever, the next run leaves exactly the source's rows in DuckDB."""
    load = make_load("target-duckdb")
    process = load.start(point)
    said, _ = process.communicate(timeout=60)
    assert process.returncode in (20, 21), said
    load.check_state()
    check_end(load)


def test_a_database_that_was_deleted_is_filled_again(make_load):
    """Its state went with it: the file's would be ahead of the data."""
    load = make_load("target-duckdb")
    load.finish()
    (load.folder / "rows.duckdb").unlink()
    assert "the target holds no state" in load.finish()
    check_end(load)


@pytest.mark.parametrize("point", ["page_written", "before_state", "run_before_state_rename"])
def test_a_kill_at_a_named_point_of_an_append(make_load, point):
    """A file that is only appended to loses no row and has no torn line; only what no state covered comes twice."""
    load = make_load("target-jsonl")
    process = load.start(f"{point}:2")
    said, _ = process.communicate(timeout=60)
    assert process.returncode in (20, 21, -9), said
    wait_until_gone(processes_of(process.pid).values())
    load.check_state()
    covered, before = load.covered(), load.arrived()
    check_end(load, exactly=False)
    after = load.arrived()
    assert all(after[number] == before[number] for number in covered)


@pytest.mark.parametrize("seed", range(2))
def test_kills_at_random(make_load, seed):
    """Three processes killed at moments drawn at random: DuckDB holds exactly the source's rows in the end."""
    load, moments = make_load("target-duckdb"), random.Random(seed)
    for _ in range(2):
        kill_at_random(load, moments)
        load.check_state()
    check_end(load)


@pytest.mark.chaos
@pytest.mark.parametrize("target", ["target-duckdb", "target-jsonl"])
@pytest.mark.parametrize("seed", range(50))
def test_kills_without_end(make_load, target, seed):
    """The same fifty times over, at random moments and named points mixed."""
    load, moments = make_load(target), random.Random(7_000 + seed)
    for _ in range(4):
        if moments.random() < 0.5:
            kill_at_random(load, moments)
        else:
            process = load.start(f"{moments.choice(ALL_POINTS)}:{moments.randint(1, 6)}")
            family = {}
            while process.poll() is None:
                family |= processes_of(process.pid)
                time.sleep(0.05)
            process.communicate(timeout=60)
            wait_until_gone(family.values())
        load.check_state()
    check_end(load, exactly=target == "target-duckdb")
