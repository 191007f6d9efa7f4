"""Modules that are loaded when they are first used: what a connector's `--version` need not pay for.

The name stays at the top of the file, where readers and the floors test see it:

    reading = late("singer_kit.tap.read")
    ...
    reading.Reading(plans).read()

This module must not import the house.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["late", "late_names"]


class _Late(ModuleType):
    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self.__name__), name)
        if not name.startswith("__"):
            setattr(self, name, value)
        return value


def late(name: str) -> ModuleType:
    """The module `name`, or, while nobody has loaded it, a stand-in that loads it when one of its names is used."""
    return sys.modules.get(name) or _Late(name)


def late_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's `__getattr__`: each name of `homes` is loaded from its submodule when it is first used."""

    def __getattr__(name: str) -> Any:  # noqa: N807 - it becomes the package's
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__
