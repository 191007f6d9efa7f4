"""docs/settings.md is true: its block runs."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_guide_runs() -> None:
    """Every Python block, in order, in one namespace."""
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    namespace: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), namespace)
