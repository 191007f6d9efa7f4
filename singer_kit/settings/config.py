"""The settings of one run: read-only, typed, defaults always there.

It must not know connectors.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from singer_kit.settings import walk
from singer_kit.settings.layers import merge, ordinary
from singer_kit.settings.secrets import HIDDEN, is_secret, secret_values
from singer_kit.settings.write_back import write_back

__all__ = ["Config"]


class Config(Mapping[str, Any]):
    """Settings by name. Nobody can change them through it: objects and arrays are handed out as copies.

    `config[name]` raises `KeyError` for a setting that is not given and has no default; `config.get(name)` is
    None.
    """

    def __init__(
        self,
        connector: str,
        schema: Mapping[str, Any],
        values: Mapping[str, Any],
        *,
        files: Sequence[Path] = (),
    ) -> None:
        self.connector = connector
        self._schema = schema
        self._values: dict[str, Any] = ordinary(values)
        self._files = tuple(files)
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] | None = None

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        return ordinary(value) if isinstance(value, (dict, list)) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Config of {self.connector}: {', '.join(self._values)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.connector, dict(self._schema), self._values, self._files)

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, replaced ones among them; the same tuple until one is added."""
        if self._secrets is None:
            self._secrets = tuple(dict.fromkeys(secret_values(self._schema, self._schema, self._values)))
        return self._secrets

    def public(self) -> dict[str, Any]:
        """The settings to show to people: secrets are hidden."""
        return {name: HIDDEN if self._is_hidden(name) else self[name] for name in self}

    def write_back(self, changes: Mapping[str, Any]) -> bool:
        """The settings are changed from here on and in the last file that held each; True if all are kept.

        For tokens that change when they are used. Objects are changed member by member. What no file keeps is
        told by a warning: the next run will start with the old value. Safe from several threads.
        """
        log = logging.getLogger(self.connector)
        with self._lock:
            old = self.secrets()
            for name, value in changes.items():
                node = walk.properties(self._schema, self._schema).get(name, {})
                below = self._values.get(name)
                self._values = {**self._values, name: merge(self._schema, node, below, value)}
            new = secret_values(self._schema, self._schema, self._values)
            # A rotated token is a secret whatever its name; the old one may still work somewhere.
            told = [value for value in changes.values() if isinstance(value, str)]
            self._secrets = tuple(dict.fromkeys([*old, *told, *new]))
            try:
                left = write_back(self._files, changes)
            except (OSError, ValueError) as error:
                log.error(  # noqa: TRY400 - a traceback would show the path through our code, no more
                    "changed settings could not be written back (%s): %s",
                    ", ".join(changes),
                    type(error).__name__,
                )
                return False
        if left:
            log.warning(
                "changed settings that no config file holds are lost at the end of this run: %s",
                ", ".join(left),
            )
        return not left

    def _is_hidden(self, name: str) -> bool:
        return is_secret(name, walk.properties(self._schema, self._schema).get(name, {}))


def _restore(connector: str, schema: dict[str, Any], values: dict[str, Any], files: tuple[Path, ...]) -> Config:
    return Config(connector, schema, values, files=files)
