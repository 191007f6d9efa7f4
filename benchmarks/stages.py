"""The stages and who takes part in each; commands and counts, no measuring."""

import json
import re
import subprocess
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import orders
from measure import Taken

CONTENDERS = Path(__file__).parent / "contenders"


class Places(NamedTuple):
    """Where everything is, and how many records are asked for."""

    home: Path
    bench: Path
    peers: dict[str, Path]
    python: Path
    records: int
    scratch: Path

    @property
    def slow_records(self) -> int:
        """What the slow peers get: a quarter, for their rates differ by tens."""
        return max(self.records // 4, 1)

    def singer_file(self, count: int, *, streams: int = 1) -> Path:
        """The input of targets; made when it is not there."""
        return self._made(f"orders-{count}-{streams}.singer", str(streams), str(count))

    def long_line_file(self, megabytes: int) -> Path:
        """An input with one very long line; made when it is not there."""
        return self._made(f"long-line-{megabytes}.singer", "long-line", str(megabytes))

    def _made(self, name: str, *arguments: str) -> Path:
        path = self.bench / "data" / name
        if not path.exists():
            partial = path.with_suffix(".part")
            command = [str(self.python), str(CONTENDERS / "orders.py"), str(partial), *arguments]
            subprocess.run(command, check=True)
            partial.rename(path)
        return path

    def config(self, **settings: object) -> str:
        """A config file in the scratch folder."""
        path = self.bench / "data" / f"config-{zlib.crc32(json.dumps(settings, sort_keys=True).encode()):08x}.json"
        path.write_text(json.dumps(settings))
        return str(path)


class Contender(NamedTuple):
    """One row of a stage. `role` is `ours`, `peer`, `fast` (a peer with its fast settings) or `limit`."""

    name: str
    role: str
    records: int
    command: list[str]
    environ: Mapping[str, str] = MappingProxyType({})
    stdin: Path | None = None
    stdout: Path | None = None
    count: Callable[[Taken], int | None] | None = None
    prepare: Callable[[], None] | None = None
    missing: str = ""


class Stage(NamedTuple):
    """A stage by name."""

    name: str
    contenders: Callable[[Places], list[Contender]]


def _script(python: Path, name: str, *arguments: str) -> list[str]:
    return [str(python), str(CONTENDERS / name), *arguments]


def _ours(places: Places, module: str, *arguments: str) -> list[str]:
    start = f"import sys; from singer_kit.connectors.{module} import main; sys.exit(main())"
    return [str(places.python), "-c", start, *arguments]


def _said(taken: Taken) -> int | None:
    found = re.search(r"arrived (\d+)", taken.stderr)
    return int(found.group(1)) if found else None


def _lines_of(path: Path) -> Callable[[Taken], int | None]:
    def count(_: Taken) -> int | None:
        files = list(path.glob("*.jsonl")) if path.is_dir() else []
        total = 0
        for file in files:
            with file.open("rb") as lines:
                total += sum(1 for _ in lines)
        return total

    return count


def _rows_of(places: Places, path: Path, table: str = "orders") -> Callable[[Taken], int | None]:
    def count(_: Taken) -> int | None:
        code = (
            "import duckdb,sys; c=duckdb.connect(sys.argv[1]);"
            "print(c.execute('select count(*) from ' + sys.argv[2]).fetchone()[0])"
        )
        done = subprocess.run(
            [str(places.python), "-c", code, str(path), table], capture_output=True, text=True, check=False
        )
        return int(done.stdout) if done.returncode == 0 else None

    return count


def tap(places: Places) -> list[Contender]:
    """Emission of native rows, 12 of 13 fields selected by a catalog."""
    catalog = places.bench / "data" / "catalog.json"
    catalog.write_text(json.dumps(orders.catalog()))
    full, slow = {"BENCH_RECORDS": str(places.records)}, {"BENCH_RECORDS": str(places.slow_records)}
    config = places.config()
    flags = ("--config", config, "--catalog", str(catalog))
    sdk, singer = places.peers["sdk"] / "python", places.peers["singer"] / "python"
    return [
        Contender("the rows alone", "floor", places.records, _script(places.python, "feed_only.py"), full),
        Contender("raw msgspec loop", "limit", places.records, _script(places.python, "raw_tap.py"), full),
        Contender("singer_kit", "ours", places.records, _script(places.python, "tap_orders.py", *flags), full),
        Contender("singer-python", "other", places.slow_records, _script(singer, "singer_python_tap.py"), slow),
        Contender("singer-sdk", "peer", places.slow_records, _script(sdk, "sdk_tap.py", *flags), slow),
        Contender(
            "singer-sdk, msgspec writer",
            "fast",
            places.slow_records,
            _script(sdk, "sdk_tap.py", *flags),
            {**slow, "BENCH_FAST": "1"},
        ),
    ]


def target(places: Places) -> list[Contender]:
    """Decoding and validation, nothing stored."""
    full, slow = places.singer_file(places.records), places.singer_file(places.slow_records)
    sdk = places.peers["sdk"] / "python"
    config, unchecked = places.config(), places.config(validate_records=False)

    def contender(name: str, role: str, records: int, command: list[str], **environ: str) -> Contender:
        source = full if records == places.records else slow
        return Contender(name, role, records, command, environ, stdin=source, count=_said)

    return [
        contender("raw typed decode", "limit", places.records, _script(places.python, "raw_target.py")),
        contender("singer_kit", "ours", places.records, _script(places.python, "target_null.py", "--config", config)),
        contender(
            "singer_kit, validate_records off",
            "ours-fast",
            places.records,
            _script(places.python, "target_null.py", "--config", unchecked),
        ),
        contender("singer-sdk", "peer", places.slow_records, _script(sdk, "sdk_target.py", "--config", config)),
        contender(
            "singer-sdk, validate_records off, msgspec reader",
            "fast",
            places.slow_records,
            _script(sdk, "sdk_target.py", "--config", unchecked),
            BENCH_FAST="1",
        ),
    ]


def jsonl(places: Places) -> list[Contender]:
    """target-jsonl against target-jsonl; ours validates and syncs to the disk."""
    out = places.scratch / "out"
    config = places.config(destination_path=str(out))
    return [
        Contender(
            "singer_kit",
            "ours",
            places.records,
            _ours(places, "target_jsonl", "--config", config),
            stdin=places.singer_file(places.records),
            count=_lines_of(out),
        ),
        Contender(
            "target-jsonl",
            "peer",
            places.slow_records,
            [str(places.peers["jsonl"] / "target-jsonl"), "--config", config],
            stdin=places.singer_file(places.slow_records),
            count=_lines_of(out),
            prepare=out.mkdir,
        ),
    ]


def duckdb(places: Places) -> list[Contender]:
    """target-duckdb against target-duckdb, upsert by key; ours validates."""
    path = places.scratch / "orders.duckdb"
    full, slow = places.singer_file(places.records), places.singer_file(places.slow_records)
    peer = [str(places.peers["duckdb"] / "target-duckdb")]
    ours = places.config(path=str(path))
    theirs = {"path": str(path), "default_target_schema": "main"}
    fast = {**theirs, "batch_size_rows": 1_000_000, "flush_all_streams": False}

    def contender(name: str, role: str, records: int, command: list[str]) -> Contender:
        source = full if records == places.records else slow
        return Contender(name, role, records, command, stdin=source, count=_rows_of(places, path))

    return [
        contender(
            "DuckDB reads the lines",
            "limit",
            places.records,
            _script(places.python, "duckdb_reads.py", str(full), str(path)),
        ),
        contender("singer_kit", "ours", places.records, _ours(places, "target_duckdb", "--config", ours)),
        contender("target-duckdb", "peer", places.records, [*peer, "--config", places.config(**theirs)]),
        contender("target-duckdb, one batch", "fast", places.records, [*peer, "--config", places.config(**fast)]),
    ]


def startup(places: Places) -> list[Contender]:
    """`--version` and `--about`: what a user and a runner wait for before anything happens."""
    sdk = places.peers["sdk"] / "python"
    return [
        Contender("bare Python", "limit", 1, [str(places.python), "-c", "pass"]),
        Contender("tap-csv --version", "ours", 1, _ours(places, "tap_csv", "--version")),
        Contender("tap-csv --about", "ours-about", 1, _ours(places, "tap_csv", "--about", "--format", "json")),
        Contender("singer-sdk tap --version", "peer", 1, _script(sdk, "sdk_tap.py", "--version")),
        Contender("singer-sdk tap --about", "peer-about", 1, _script(sdk, "sdk_tap.py", "--about", "--format=json")),
    ]


STAGES = [
    Stage("tap", tap),
    Stage("target", target),
    Stage("jsonl", jsonl),
    Stage("duckdb", duckdb),
    Stage("startup", startup),
]


def memory_runs(places: Places) -> list[Contender]:
    """Peak memory of ours at two sizes, one stream and five interleaved, and with a line of 60 MB."""
    runs = []
    catalog = places.bench / "data" / "catalog.json"
    catalog.write_text(json.dumps(orders.catalog()))
    out, path = places.scratch / "out", places.scratch / "orders.duckdb"
    targets = {
        "target null": _script(places.python, "target_null.py", "--config", places.config()),
        "target-jsonl": _ours(places, "target_jsonl", "--config", places.config(destination_path=str(out))),
        "target-duckdb": _ours(places, "target_duckdb", "--config", places.config(path=str(path))),
    }
    long_line = places.long_line_file(60)
    for count in (200_000, 2_000_000):
        flags = ("--config", places.config(), "--catalog", str(catalog))
        environ = {"BENCH_RECORDS": str(count)}
        runs.append(Contender("tap", "tap", count, _script(places.python, "tap_orders.py", *flags), environ))
    for streams in (1, 5):
        for name, command in targets.items():
            for count in (200_000, 2_000_000):
                source = places.singer_file(count, streams=streams)
                label = f"{name}, {streams} stream{'s' if streams > 1 else ''}"
                runs.append(Contender(label, label, count, command, stdin=source))
    for name, command in targets.items():
        runs.append(Contender(f"{name}, a 60 MB line", f"{name}, a 60 MB line", 3, command, stdin=long_line))
    return runs
