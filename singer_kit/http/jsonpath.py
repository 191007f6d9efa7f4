"""Plain JSONPaths compiled to a getter: `$`, `$[*]`, `$.data.items[*]`, `$['odd name'][0]`.

Filters, slices and recursive descent are not plain and are refused by name.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from singer_kit.errors import SettingsError

_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]*]+) | \[(?P<index>-?\d+)\] | (?P<all>\[\*\]|\.\*)
        | \[(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)")\]""",
    re.VERBOSE,
)
_MISSING = object()
Step = Callable[[list[Any]], list[Any]]


@lru_cache(maxsize=256)
def compile_path(path: str) -> Callable[[Any], list[Any]]:
    """A function from a JSON value to all that `path` finds in it, in order. Raises `SettingsError`."""
    if not path.startswith("$"):
        raise _not_plain(path)
    steps: list[Step] = []
    position = 1
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None:
            raise _not_plain(path)
        steps.append(_step(found))
        position = found.end()

    def find(value: Any) -> list[Any]:
        matches = [value]
        for step in steps:
            matches = step(matches)
        return matches

    return find


def first_match(path: str, value: Any) -> Any:
    """The first value that `path` finds, or None."""
    found = compile_path(path)(value)
    return found[0] if found else None


def _step(found: re.Match[str]) -> Step:
    if found["all"]:
        return _all_items
    if found["index"] is not None:
        return _item_step(int(found["index"]))
    name = next(text for text in (found["name"], found["single"], found["double"]) if text is not None)
    return _member_step(name)


def _all_items(values: list[Any]) -> list[Any]:
    if len(values) == 1 and isinstance(values[0], list):
        return values[0]
    return [item for value in values for item in _items(value)]


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        return value
    return value.values() if isinstance(value, dict) else ()


def _item_step(index: int) -> Step:
    def step(values: list[Any]) -> list[Any]:
        return [v[index] for v in values if isinstance(v, list) and -len(v) <= index < len(v)]

    return step


def _member_step(name: str) -> Step:
    def step(values: list[Any]) -> list[Any]:
        members = (value.get(name, _MISSING) for value in values if isinstance(value, dict))
        return [member for member in members if member is not _MISSING]

    return step


def _not_plain(path: str) -> SettingsError:
    return SettingsError(
        f"The path {path!r} is not a plain JSONPath.",
        next_step="write it as $.name.name[*]; for anything more, override parse_response.",
    )
