"""The peers, each in a virtual environment of its own under `.bench/`, at the versions that are compared."""

import os
import subprocess
import sys
import venv
from pathlib import Path

PEERS = {
    "sdk": ("singer-sdk==0.54.9", "msgspec==0.22.0"),
    "singer": ("singer-python==6.8.0",),
    "jsonl": ("target-jsonl==0.1.4",),
    "duckdb": ("target-duckdb==0.8.0", "duckdb==2.0.0"),
}


def prepare(folder: Path) -> dict[str, Path]:
    """The environments are there; gives each one's `bin`. What is installed already is left as it is."""
    bins = {}
    for name, requirements in PEERS.items():
        home = folder / name
        stamp = home / "installed.txt"
        wanted = "\n".join(requirements)
        if not stamp.exists() or stamp.read_text() != wanted:
            print(f"installing {', '.join(requirements)} ...", file=sys.stderr)
            venv.create(home, with_pip=True, clear=True)
            pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *requirements]
            environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
            subprocess.run(pip, check=True, stdout=sys.stderr, env=environ)
            stamp.write_text(wanted)
        bins[name] = home / "bin"
    return bins


def versions(bins: dict[str, Path]) -> dict[str, str]:
    """The installed version of each pinned requirement, as the environments themselves say."""
    found = {}
    for name, requirements in PEERS.items():
        for requirement in requirements:
            package = requirement.partition("==")[0]
            code = f"import importlib.metadata as m; print(m.version({package!r}))"
            done = subprocess.run([str(bins[name] / "python"), "-c", code], capture_output=True, text=True, check=True)
            found[f"{package} ({name})"] = done.stdout.strip()
    return found
