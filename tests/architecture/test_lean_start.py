"""`import singer_kit` and a connector's `--version` load nothing heavy: every orchestrator pays for it at each sync."""

import subprocess
import sys

import pytest

HEAVY = {
    "asyncio",
    "backoff",
    "click",
    "dataclasses",
    "dotenv",
    "duckdb",
    "importlib.metadata",
    "jsonschema",
    "jsonschema_rs",
    "pendulum",
    "pyarrow",
    "pydantic",
    "referencing",
    "requests",
    "rich",
    "simpleeval",
    "sqlalchemy",
    "sqlite3",
    "tempfile",
    "urllib3",
}


def loaded_by(program: str) -> set[str]:
    """The modules that are loaded after `program` has run in a fresh interpreter."""
    told = f"{program}\nimport sys\nprint('loaded:', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.rpartition("loaded:")[2].split())


def test_the_front_door_is_lean() -> None:
    """It loads no room at all before a name is used."""
    loaded = loaded_by("import singer_kit; singer_kit.__version__")
    assert {name for name in loaded if name.startswith("singer_kit")} == {"singer_kit", "singer_kit.version"}


@pytest.mark.parametrize("connector", ["tap_csv", "target_jsonl", "target_duckdb", "mapper_maps"])
@pytest.mark.parametrize("flag", ["--version", "--about"])
def test_a_connector_starts_lean(connector: str, flag: str) -> None:
    """Nothing heavy is loaded to say what it is."""
    loaded = loaded_by(f"from singer_kit.connectors.{connector} import main; assert main([{flag!r}]) == 0")
    assert not HEAVY & loaded


def test_a_tap_of_an_author_starts_lean() -> None:
    """Base classes, types and declarations load no dependency but the codec's."""
    loaded = loaded_by(
        "from singer_kit import Batch, Mapper, Partition, RESTStream, Sink, Stream, Tap, Target, typing as th\n"
        "from singer_kit.http import BearerToken, LinkHeader"
    )
    assert not HEAVY & loaded


def test_plain_settings_need_no_reference_validator() -> None:
    """A config of strings, numbers, lists and objects is judged without loading jsonschema."""
    loaded = loaded_by(
        "from singer_kit.connectors.tap_csv import TapCSV\n"
        "from singer_kit.connectors.target_jsonl import TargetJsonl\n"
        "files = [{'entity': 'x', 'path': 'a/*.csv', 'keys': ['id']}]\n"
        "TapCSV.settings().from_mapping({'files': files, 'start_date': '2026-01-01'})\n"
        "TargetJsonl.settings().from_mapping({'destination_path': 'x', 'batch_wait_limit_seconds': 0.5})"
    )
    assert not HEAVY & loaded
