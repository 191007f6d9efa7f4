"""Measures singer_kit beside its peers and beside raw loops of the same libraries, on the same rows, in one run.

    python benchmarks/run.py [--records N] [--rounds N] [--quick] [--only STAGE ...] [--no-memory] [--no-report]

Contenders run interleaved, round by round; what counts is CPU seconds a record (user and system, start-up included),
and the figure is the median of the rounds; peak memory is the median of three runs. Peers are installed once into
`.bench/` by pip. The report goes to `docs/benchmarks.md`, the raw figures to `.bench/results.json`.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent / "contenders"))

import measure
import peers
import report
from stages import STAGES, Contender, Places, memory_runs

HOME = Path(__file__).resolve().parent.parent
MEMORY_ROUNDS = 3


def main() -> int:
    """Runs the stages that were asked for."""
    options = _options()
    records = options.records or (20_000 if options.quick else 200_000)
    rounds = options.rounds or (1 if options.quick else 3)
    bench = HOME / ".bench"
    places = Places(
        home=HOME,
        bench=bench,
        peers=peers.prepare(bench),
        python=Path(sys.executable),
        records=records,
        scratch=bench / "scratch",
    )
    (bench / "data").mkdir(parents=True, exist_ok=True)
    results: dict[str, object] = {}
    for stage in STAGES:
        if not options.only or stage.name in options.only:
            # A start takes a tenth of a second: it is measured more often, after one that compiles the byte code.
            times = 3 * rounds + 1 if stage.name == "startup" else rounds
            rows = _measure(stage.name, stage.contenders(places), times, places)
            results[stage.name] = [_without_first(row) for row in rows] if stage.name == "startup" else rows
    if "memory" in options.only if options.only else not (options.quick or options.no_memory):
        results["memory"] = _memory(places)
    kept = bench / "results.json"
    if kept.exists() and not options.quick:
        results = {**json.loads(kept.read_text())["results"], **results}
    found = {"machine": report.machine(), "versions": peers.versions(places.peers), "results": results}
    if not options.quick:
        kept.write_text(json.dumps(found, indent=1))
    text = report.markdown(found)
    if not options.no_report and not options.quick:
        (HOME / "docs" / "benchmarks.md").write_text(text)
    print(text)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true", help="20,000 records, one round, no report")
    parser.add_argument(
        "--only", nargs="+", metavar="STAGE", help=", ".join(stage.name for stage in STAGES) + ", memory"
    )
    parser.add_argument("--no-memory", action="store_true", help="without peak memory at 200,000 and 2,000,000 records")
    parser.add_argument("--no-report", action="store_true")
    return parser.parse_args()


def _measure(name: str, contenders: list[Contender], rounds: int, places: Places) -> list[dict[str, object]]:
    runs: dict[str, list[measure.Taken]] = {contender.name: [] for contender in contenders}
    arrived: dict[str, int | None] = {}
    notes: dict[str, str] = {}
    for number in range(rounds):
        for contender in contenders:
            if contender.missing:
                notes[contender.name] = contender.missing
                continue
            shutil.rmtree(places.scratch, ignore_errors=True)
            places.scratch.mkdir(parents=True)
            if contender.prepare is not None:
                contender.prepare()
            taken = measure.run(
                contender.command,
                environ={**_environ(places), **contender.environ},
                stdin=contender.stdin,
                stdout=contender.stdout,
                folder=places.scratch,
            )
            said = f"{name}: {contender.name}: {taken.cpu:.2f} s CPU, {taken.wall:.2f} s, {taken.rss:.0f} MiB"
            print(f"round {number + 1}: {said}, exit {taken.code}", file=sys.stderr)
            if taken.code != 0:
                print(taken.stderr[-2000:], file=sys.stderr)
                notes[contender.name] = f"exit code {taken.code}"
            runs[contender.name].append(taken)
            if contender.count is not None and contender.name not in arrived:
                arrived[contender.name] = contender.count(taken)
    return [
        {
            "name": contender.name,
            "role": contender.role,
            "records": contender.records,
            "cpu": [taken.cpu for taken in runs[contender.name]],
            "wall": [taken.wall for taken in runs[contender.name]],
            "rss": [taken.rss for taken in runs[contender.name]],
            "arrived": arrived.get(contender.name),
            "note": notes.get(contender.name, ""),
        }
        for contender in contenders
    ]


def _without_first(row: dict[str, object]) -> dict[str, object]:
    return {key: value[1:] if isinstance(value, list) else value for key, value in row.items()}


def _memory(places: Places) -> list[dict[str, object]]:
    found = []
    for run in memory_runs(places):
        peaks = []
        for _ in range(MEMORY_ROUNDS):
            shutil.rmtree(places.scratch, ignore_errors=True)
            places.scratch.mkdir(parents=True)
            taken = measure.run(
                run.command,
                environ={**_environ(places), **run.environ},
                stdin=run.stdin,
                stdout=run.stdout,
                folder=places.scratch,
            )
            print(f"memory: {run.name}: {taken.rss:.0f} MiB, exit {taken.code}", file=sys.stderr)
            if taken.code != 0:
                print(taken.stderr[-2000:], file=sys.stderr)
            peaks.append(taken.rss)
        found.append(
            {"name": run.name, "records": run.records, "rss": median(peaks), "code": taken.code, "group": run.role}
        )
    for large in (places.bench / "data").glob("orders-2000000-*"):
        large.unlink()
    return found


def _environ(places: Places) -> dict[str, str]:
    """The environment of all: byte code is kept, as after an installation, and nothing of ours is set."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
        and not key.startswith(("SINGER_KIT_", "TAP_", "TARGET_"))
    }
    return {**kept, "PYTHONPYCACHEPREFIX": str(places.bench / "pycache")}


if __name__ == "__main__":
    sys.exit(main())
