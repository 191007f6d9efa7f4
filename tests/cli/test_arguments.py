"""The command line: flags long and short, what is refused, what is printed without a config."""

import ast
import importlib.util
import json
import logging
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from singer_kit.cli.connector import Connector
from singer_kit.cli.run import run


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("connector_x", Path(__file__).with_name("connector_x.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TAP_X: type[Connector] = _load().TapX


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.json").write_text("{}")


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = ast.literal_eval(self.out)
        return options


@pytest.fixture
def tap(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> Result:
        code = run(TAP_X, arguments)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


def test_long_and_short_forms(tap: Any) -> None:
    """singer-python's short forms mean the same; --properties is the catalog."""
    long = tap("--config", "c.json", "--state", "s.json", "--catalog", "k.json", "--discover").options()
    short = tap("-c", "c.json", "-s", "s.json", "-p", "k.json", "-d").options()
    assert long == short == {**long, "state": "s.json", "catalog": "k.json", "discover": True}
    assert tap("-c", "c.json", "--properties", "k.json").options()["catalog"] == "k.json"


def test_what_is_not_given(tap: Any) -> None:
    """A switch is False, a value None, a repeatable flag an empty list."""
    options = tap("-c", "c.json").options()
    assert options["discover"] is False
    assert options["state"] is None
    assert options["pick"] == []
    assert options["mode"] is None


def test_repeated_and_optional_values(tap: Any) -> None:
    """Values of a repeatable flag are collected; a flag may stand alone where it says so."""
    options = tap("-c", "c.json", "--pick", "a", "--pick=b", "--mode").options()
    assert options["pick"] == ["a", "b"]
    assert options["mode"] == "fast"
    assert tap("-c", "c.json", "--mode", "slow").options()["mode"] == "slow"


def test_files_in_order_and_env(tap: Any) -> None:
    """--config may be repeated; ENV is the environment."""
    assert tap("-c", "c.json", "--config", "ENV", "--config=c.json").options()["config"] == ["c.json", "ENV", "c.json"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--catalogue", "x"], "has no flag --catalogue; did you mean --catalog?"),
        (["--cat", "x"], "has no flag --cat"),
        (["--frobnicate=secret"], "has no flag --frobnicate."),
        (["run"], "takes flags only"),
        (["--state"], "--state"),
        (["--mode", "odd"], "--mode"),
        (["--format", "json"], "--format goes with --about"),
        (["--about", "--format", "xml"], "--format"),
    ],
)
def test_what_is_refused(tap: Any, arguments: list[str], says: str) -> None:
    """Abbreviations, unknown flags, missing values: exit code 2, one sentence, a next step, nothing on stdout."""
    result = tap(*arguments)
    assert result.code == 2
    assert says in result.err
    assert "next: run `tap-x" in result.err
    assert "secret" not in result.err
    assert result.out == ""


def test_version(tap: Any) -> None:
    """`tap-x 1.2.3`, whatever else is asked."""
    assert tap("--version").out == "tap-x 1.2.3\n"
    assert tap("--version", "-c", "none.json").out == "tap-x 1.2.3\n"


def test_about_needs_no_config(tap: Any) -> None:
    """Text by default; JSON holds the settings as a JSON Schema; Markdown has a table."""
    about = json.loads(tap("--about", "--format", "json").out)
    assert about["name"] == "tap-x"
    assert about["version"] == "1.2.3"
    assert about["capabilities"] == ["discover", "state"]
    assert about["settings"]["properties"]["count"] == {"type": "integer", "default": 1}
    assert about["settings"]["properties"]["password"]["secret"] is True
    text = tap("--about").out
    assert text == tap("--about", "--format=text").out
    assert "  count (integer, default 1, TAP_X_COUNT)" in text
    markdown = tap("--about", "--format=markdown").out
    assert "| `do` | string | no | `echo` | `TAP_X_DO` | What to do. |" in markdown
    assert "`(hidden)`" in markdown


def test_help_is_worth_reading(tap: Any) -> None:
    """Description, every flag, every setting with its variable, the exit codes."""
    text = tap("--help").out
    assert text.startswith("usage: tap-x ")
    for words in ("Reads x, for tests.", "--catalog, --properties, -p FILE", "TAP_X_COUNT", "143"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 120


def test_errors_of_the_config(tap: Any) -> None:
    """A missing file, a wrong one: exit code 2 and the place."""
    result = tap("--config", "none.json")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("CRITICAL tap-x: The config file cannot be read")
    assert "config: none.json" in result.err


def test_everything_is_put_back(tap: Any) -> None:
    """A run in this process leaves its signals, streams and loggers as they were."""
    before = (signal.getsignal(signal.SIGTERM), sys.stdout, sys.stderr, list(logging.getLogger().handlers))
    tap("-c", "c.json")
    assert (signal.getsignal(signal.SIGTERM), sys.stdout, sys.stderr, list(logging.getLogger().handlers)) == before
