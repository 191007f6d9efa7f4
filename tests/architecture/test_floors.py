"""A module imports only from lower floors, or from its own room without going in circles."""

from collections.abc import Iterator
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest

source = SimpleNamespace(**run_path(str(Path(__file__).with_name("source.py"))))

FLOORS: dict[str, float] = {
    "errors": 0,
    "failpoint": 0,
    "late": 0,
    "memory": 0,
    "version": 0,
    "nearest": 0,
    "codec": 0.5,
    "spec": 1,
    "durations": 1.5,
    "schema": 2,
    "batch": 3,
    "wire": 4,
    "settings": 4,
    "telemetry": 4,
    "http": 5,
    "sql": 5,
    "files": 5,
    "cli": 5,
    "tap": 6,
    "target": 6,
    "mapper": 6,
    "connectors": 7,
    "runner": 8,
    "commands": 9,
}
DOORS = {"": 10.0, "typing": 10.0}
AUTHORS = {"", "connectors", "commands", "typing"}


def test_every_room_has_a_floor() -> None:
    """A new room is put on a floor on purpose."""
    assert {source.room(module) for module in source.modules()} <= FLOORS.keys() | DOORS.keys()


@pytest.mark.parametrize("module", source.modules())
def test_imports_go_down(module: str) -> None:
    """Nothing is imported from the same floor, unless from the same room, nor from above."""
    room = source.room(module)
    floor = {**FLOORS, **DOORS}[room]
    for each in source.imports(module):
        if source.top(each.module) != "singer_kit" or source.room(each.module) == room:
            continue
        other = source.room(each.module)
        if other in DOORS:
            assert room in AUTHORS, f"{module}:{each.line} imports the front door"
        else:
            assert FLOORS[other] < floor, f"{module}:{each.line} imports {each.module} from floor {FLOORS[other]}"


@pytest.mark.parametrize("module", [name for name in source.modules() if source.room(name) == "connectors"])
def test_connectors_use_the_front_door(module: str) -> None:
    """The batteries are examples: base classes come from `singer_kit`, as in anybody's connector."""
    behind = {"tap", "target", "mapper", "wire", "runner", "commands"}
    through = [each for each in source.imports(module) if source.room(each.module) in behind]
    assert not through, f"{module}:{through[0].line} imports {through[0].module} behind the door's back"


def test_there_are_no_circles() -> None:
    """Not inside of a room either."""
    graph = {
        module: {
            each.module
            for each in source.imports(module)
            if each.module in source.modules() and not each.for_types_only and each.module != module
        }
        for module in source.modules()
        if source.room(module) not in DOORS
    }
    for path in _circles(graph):
        pytest.fail(" -> ".join(path))


def _circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> Iterator[list[str]]:
        if module in path:
            yield [*path[path.index(module) :], module]
        elif module not in done:
            for other in sorted(graph.get(module, ())):
                yield from walk(other, [*path, module])
            done.add(module)

    for module in graph:
        yield from walk(module, [])
