"""Real processes: `singer-kit run` with small taps and targets of other people's making."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
SINGER_KIT = str(Path(sys.executable).with_name("singer-kit"))


class Pipeline:
    """A folder with a tap, a target, their configs and their state, and `singer-kit run` over them."""

    def __init__(self, folder, tap="tap_numbers", target="target_lines"):
        self.folder = folder
        self.tap = f"{sys.executable} {SCRIPTS / tap}.py"
        self.target = f"{sys.executable} {SCRIPTS / target}.py"
        self.rows_path = folder / "rows.jsonl"
        self.report_path = folder / "report.jsonl"
        self.state_path = folder / "home" / "state" / "p.json"
        self.tap_config({})
        self.target_config({})

    def tap_config(self, settings):
        """The tap's settings from here on."""
        (self.folder / "tap.json").write_text(json.dumps({"report": str(self.report_path)} | settings))

    def target_config(self, settings):
        """The target's settings from here on."""
        (self.folder / "target.json").write_text(json.dumps({"path": str(self.rows_path)} | settings))

    def command(self, *more):
        """The command line of a run."""
        configs = ["--tap-config", "tap.json", "--target-config", "target.json"]
        return [SINGER_KIT, "run", self.tap, self.target, *configs, "--id", "p", *more]

    @property
    def environ(self):
        """The environment of a run: its own home, no terminal."""
        return os.environ | {"SINGER_KIT_HOME": str(self.folder / "home"), "COLUMNS": "100"}

    def start(self, *more, **kwargs):
        """A run that goes on while the test looks."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | kwargs
        return subprocess.Popen(self.command(*more), cwd=self.folder, env=self.environ, text=True, **pipes)

    def run(self, *more, code=0, environ=None):
        """A whole run; what it printed and logged, together. The exit code is as expected."""
        done = subprocess.run(
            self.command(*more),
            cwd=self.folder,
            env=self.environ | (environ or {}),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def rows(self):
        """The ids that arrived, in order."""
        lines = self.rows_path.read_text().splitlines() if self.rows_path.exists() else []
        return [json.loads(line)["id"] for line in lines]

    @property
    def state(self):
        """The saved state, None when there is none."""
        return json.loads(self.state_path.read_text()) if self.state_path.exists() else None

    @property
    def reports(self):
        """What the tap was called with, run by run."""
        return [json.loads(line) for line in self.report_path.read_text().splitlines()]

    @property
    def notes(self):
        """What the runner noted."""
        return json.loads((self.folder / "home" / "runs" / "p.json").read_text())


@pytest.fixture
def pipeline(tmp_path):
    """A pipeline in a fresh folder."""
    return Pipeline(tmp_path)


@pytest.fixture
def make_pipeline(tmp_path):
    """Makes a pipeline of other connectors in the fresh folder."""
    return lambda **connectors: Pipeline(tmp_path, **connectors)


def state_of(number):
    """The state after that row."""
    return {"bookmarks": {"numbers": {"id": number}}}
