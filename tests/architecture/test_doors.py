"""One module imports each dependency, and imports inside of functions are for those doors alone."""

from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest

source = SimpleNamespace(**run_path(str(Path(__file__).with_name("source.py"))))

DOORS = {
    "msgspec": "singer_kit.codec",
    "jsonschema": "singer_kit.schema.reference",
    "referencing": "singer_kit.schema.reference",
    "jsonschema_rs": "singer_kit.schema.rust",
    "pyarrow": "singer_kit.batch.arrow",
    "simpleeval": "singer_kit.batch.expressions",
    "pendulum": "singer_kit.durations",
    "requests": "singer_kit.http.client",
    "backoff": "singer_kit.http.retry",
    "dotenv": "singer_kit.settings.layers",
    "duckdb": "singer_kit.connectors.target_duckdb_store",
    "rich": "singer_kit.runner.progress",
    "click": "singer_kit.commands",
}
"""The door of each dependency; click's is a whole room, for each command declares its own options."""

OPTIONAL = {"singer_kit.files.open": {"bz2", "gzip", "lzma", "zipfile"}}
"""Parts of the standard library that a Python may lack, and who asks for them when a file needs them."""


@pytest.mark.parametrize("module", source.modules())
def test_a_dependency_is_imported_in_its_door(module: str) -> None:
    """Whoever wants another library asks its door."""
    for each in source.imports(module):
        if source.is_third_party(each.module) and not each.for_types_only:
            door = DOORS.get(source.top(each.module), "nowhere")
            at_home = module == door or (door == "singer_kit.commands" and module.startswith(f"{door}."))
            assert at_home, f"{module}:{each.line} imports {each.module}, whose door is {door}"


@pytest.mark.parametrize("module", source.modules())
def test_imports_stand_at_the_top(module: str) -> None:
    """Inside of a function a door imports its dependency, or somebody a door whose dependency is heavy."""
    allowed = set(DOORS.values()) | OPTIONAL.get(module, set())
    for each in source.imports(module):
        if each.in_function and not source.is_third_party(each.module):
            assert each.module in allowed, f"{module}:{each.line} imports {each.module} inside of a function"
