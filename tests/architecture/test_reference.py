"""docs/reference/ says what the code says."""

from pathlib import Path
from runpy import run_path

import pytest

GENERATE = run_path(str(Path(__file__).parents[2] / "docs" / "generate.py"))
PAGES: dict[str, str] = GENERATE["pages"]()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    """When this fails: `python docs/generate.py`."""
    assert (GENERATE["FOLDER"] / name).read_text("utf-8") == PAGES[name]


def test_nothing_else_is_there() -> None:
    """A page that nobody writes any more would tell yesterday's story."""
    assert {path.name for path in GENERATE["FOLDER"].iterdir()} == set(PAGES)
