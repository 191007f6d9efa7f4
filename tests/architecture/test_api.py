"""The public names, as they are listed in api.txt: a change of them is a visible change.

After a deliberate change: `python tests/architecture/test_api.py` writes the list anew.
"""

import importlib
from pathlib import Path

GOLDEN = Path(__file__).with_name("api.txt")
PUBLIC = ("singer_kit", "singer_kit.errors", "singer_kit.files", "singer_kit.http", "singer_kit.typing")


def names_of(module: str) -> list[str]:
    """The names that a public module offers."""
    loaded = importlib.import_module(module)
    listed = getattr(loaded, "__all__", None)
    if listed is None:
        listed = [name for name, value in vars(loaded).items() if getattr(value, "__module__", "") == module]
    return [name for name in listed if not name.startswith("_") or name == "__version__"]


def listing() -> str:
    """All public names, a line each."""
    return "".join(f"{module}.{name}\n" for module in PUBLIC for name in sorted(names_of(module)))


def test_public_names_are_those_of_the_list() -> None:
    """No name comes or goes unnoticed."""
    assert listing() == GOLDEN.read_text("utf-8")


def test_the_front_door_is_sorted_and_opens() -> None:
    """Every listed name can be had, in the order that ruff sorts them."""
    door = importlib.import_module("singer_kit")
    assert sorted(set(door.__all__)) == sorted(door.__all__)
    assert all(getattr(door, name) is not None for name in door.__all__)
    assert dir(door) == sorted(door.__all__)


if __name__ == "__main__":
    GOLDEN.write_text(listing(), "utf-8")
