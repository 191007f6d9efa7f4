"""The door to rfc3987_syntax: loaded when an IRI is first judged.

Importing it builds some forty grammars, 1.5 s of CPU time, and jsonschema imports it with itself: without this, one bad
record, or one schema that needs the reference, would cost that much. A module of the same name with the one function
that jsonschema takes from it stands in its place until that function is called.
"""

import importlib
import sys
from types import ModuleType

__all__ = ["late_rfc3987_syntax"]

_NAME = "rfc3987_syntax"


def late_rfc3987_syntax() -> None:
    """From here on `import rfc3987_syntax` costs nothing until it is used. Call it before jsonschema is imported."""
    if _NAME not in sys.modules:
        stand_in = ModuleType(_NAME)
        stand_in.__dict__["is_valid_syntax"] = _is_valid_syntax
        sys.modules[_NAME] = stand_in


def _is_valid_syntax(rule: str, text: str) -> bool:
    loaded = sys.modules.get(_NAME)
    if loaded is None or loaded.__dict__.get("is_valid_syntax") is _is_valid_syntax:
        sys.modules.pop(_NAME, None)
        loaded = importlib.import_module(_NAME)
    return bool(loaded.is_valid_syntax(rule, text))
