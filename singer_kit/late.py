"""Modules that are loaded when they are first used: what a connector's `--version` need not pay for.

The name stays at the top of the file, where readers and the floors test see it:

    reading = late("singer_kit.tap.read")
    ...
    reading.Reading(plans).read()

This module must not import the house.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["late"]


class _Late(ModuleType):
    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self.__name__), name)
        if not name.startswith("__"):
            setattr(self, name, value)
        return value


def late(name: str) -> ModuleType:
    """The module `name`, or, while nobody has loaded it, a stand-in that loads it when one of its names is used."""
    return sys.modules.get(name) or _Late(name)
