"""Plain JSONPaths find what they name, in order."""

from typing import Any

import pytest

from singer_kit.errors import SettingsError
from singer_kit.http.jsonpath import compile_path, first_match


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("$", 1, [1]),
        ("$[*]", [1, 2], [1, 2]),
        ("$[*]", {"a": 1, "b": 2}, [1, 2]),
        ("$.data.items[*]", {"data": {"items": [1, 2]}}, [1, 2]),
        ("$.pages[*].rows[*]", {"pages": [{"rows": [1]}, {}, {"rows": [2, 3]}]}, [1, 2, 3]),
        ("$['odd name'][0]", {"odd name": [7, 8]}, [7]),
        ('$["a.b"][-1]', {"a.b": [7, 8]}, [8]),
        ("$.missing[*]", {"data": 1}, []),
        ("$.text[*]", {"text": "abc"}, []),
    ],
)
def test_plain_paths(path: str, value: Any, expected: list[Any]) -> None:
    """Names, quoted names, indices and `[*]`, in any chain."""
    assert compile_path(path)(value) == expected


def test_the_first_match_or_none() -> None:
    """Paginators ask for one value."""
    assert first_match("$.next", {"next": "u"}) == "u"
    assert first_match("$.next", {}) is None


@pytest.mark.parametrize("path", ["data", "$..a", "$.a[?(@.b)]", "$.a[1:2]"])
def test_what_is_not_plain_is_refused_by_name(path: str) -> None:
    """Nothing is half understood."""
    with pytest.raises(SettingsError, match="plain JSONPath"):
        compile_path(path)
