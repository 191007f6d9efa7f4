"""The schemas and records of the validation tests, for the tests of what is read from the wire."""

from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def schema_with_records() -> Callable[[int], tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Makes from a seed a schema of a record and one to six records."""
    spec = spec_from_file_location("schemas_and_records", Path(__file__).parents[1] / "schema" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    make: Callable[[int], tuple[dict[str, Any], list[dict[str, Any]]]] = module.make_schema_with_records
    return make
