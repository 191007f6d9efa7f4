"""Files and names: how long, what they are called, what they must not be; and the licences of what we depend on."""

import ast
import re
from importlib import metadata
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

source = SimpleNamespace(**run_path(str(Path(__file__).with_name("source.py"))))
ROOT: Path = source.ROOT
FILES = [path for folder in ("singer_kit", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_tests_are_no_package() -> None:
    """A tests/http/__init__.py would shadow the standard library's http; templates are no packages either."""
    for folder in ("tests", "cookiecutter", "templates"):
        if folder == "tests":
            assert not list((ROOT / folder).rglob("__init__.py"))
        assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_too_long(path: Path) -> None:
    """Five hundred lines at most: what is longer has two nouns."""
    assert len(path.read_text("utf-8").splitlines()) <= 500


@pytest.mark.parametrize("module", source.modules())
def test_words_that_say_nothing(module: str) -> None:
    """No file of leftovers, no class that is only a base, manager, helper or mixin, no metaclass, no TODO."""
    path: Path = source.modules()[module]
    assert not {"utils", "util", "helpers", "helper", "common", "misc"} & {path.stem, *path.parent.parts[-1:]}
    text = path.read_text("utf-8")
    assert not re.search(r"\b(?:TODO|FIXME|XXX)\b", text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            assert not re.search(r"(?:Mixin|Manager|Helper|^Abstract.*|^Base[A-Z].*)$", node.name), node.name
            assert not [word for word in node.keywords if word.arg == "metaclass"], node.name


@pytest.mark.parametrize("module", source.modules())
def test_every_module_says_what_it_is(module: str) -> None:
    """It begins with a docstring."""
    assert ast.get_docstring(ast.parse(source.modules()[module].read_text("utf-8")))


def core_distributions() -> set[str]:
    """What a plain `pip install singer-kit` installs, on this platform."""
    found: set[str] = set()
    pending: list[tuple[str, frozenset[str]]] = [("singer-kit", frozenset())]
    while pending:
        name, extras = pending.pop()
        for line in metadata.requires(name) or ():
            wanted = Requirement(line)
            applies = wanted.marker is None or any(
                wanted.marker.evaluate({"extra": extra}) for extra in (extras or {""})
            )
            if applies and wanted.name not in found:
                found.add(wanted.name)
                pending.append((wanted.name, frozenset(wanted.extras)))
    return found


def test_the_core_is_free_of_copyleft() -> None:
    """No GPL, LGPL or AGPL in what every user installs. (certifi's MPL covers its list of certificates only.)"""
    distributions = core_distributions()
    assert {"msgspec", "requests", "jsonschema"} <= distributions
    for name in distributions:
        about = metadata.metadata(name)
        stated = [about.get("License-Expression") or about.get("License") or "", *about.get_all("Classifier", [])]
        licences = [line for line in stated if "icense" in line or line is stated[0]]
        assert not re.search(r"\b[AL]?GPL|General Public License", "\n".join(licences)[:2000]), name


def test_decisions_are_numbered_and_whole() -> None:
    """Each decision has a number of its own, the same in its title, and says forces, choice, instead of, change."""
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:3] for path in decisions]
    assert numbers == [f"{number:03}" for number in range(1, len(numbers) + 1)]
    parts = ("**Forces.**", "**Choice.**", "**Instead of**", "**What would change our mind.**")
    for path in decisions:
        text = path.read_text()
        assert text.startswith(f"# {path.name[:3]} "), path.name
        assert [part for part in parts if part not in text] == [], path.name
