"""Settings as a connector declares them, and how a run reads them: which source wins is decided here.

Later wins: default, `.env`, environment, config files in order.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from singer_kit.codec import Struct
from singer_kit.nearest import nearest
from singer_kit.settings import judge, walk
from singer_kit.settings.config import Config
from singer_kit.settings.layers import (
    Fault,
    Layer,
    Path_,
    current_variables,
    dotenv_variables,
    file_layer,
    merge,
    ordinary,
    variable_layer,
    variable_name,
)
from singer_kit.settings.secrets import HIDDEN, is_secret

__all__ = ["Setting", "Settings"]


class Setting(Struct, frozen=True):
    """One setting, described for people. `default` is None without one and hidden when it is secret."""

    name: str
    types: tuple[str, ...]
    required: bool
    default: Any
    description: str
    secret: bool
    allowed_values: tuple[Any, ...]
    examples: tuple[Any, ...]
    variable: str


class Settings:
    """What one connector can be told. `json_schema` is a JSON Schema of its config file, an object."""

    def __init__(self, name: str, json_schema: Mapping[str, Any]) -> None:
        self.name = name
        self.json_schema: dict[str, Any] = dict(json_schema)

    @classmethod
    def declare(cls, name: str, schema: Mapping[str, Any], *common: Mapping[str, Any]) -> "Settings":
        """The settings of `schema` and those of `common` that it does not declare itself, in this order."""
        merged = {"type": "object", **schema}
        merged["properties"] = dict(schema.get("properties") or {})
        required = list(schema.get("required") or ())
        for other in common:
            for key, child in (other.get("properties") or {}).items():
                if key not in merged["properties"]:
                    merged["properties"][key] = child
                    required += [key] if key in (other.get("required") or ()) else []
            for word in ("$defs", "definitions"):
                if other.get(word):
                    merged[word] = {**other[word], **(merged.get(word) or {})}
        if required:
            merged["required"] = required
        return cls(name, merged)

    def load(
        self,
        files: Sequence[str | Path] = (),
        environ: Mapping[str, str] | None = None,
        dotenv_dir: str | Path | None = None,
    ) -> Config:
        """The settings of a run, from `files` in order ("ENV" among them: the environment too).

        `environ` is the process's environment unless given, `.env` is looked for in `dotenv_dir`, by default
        the working directory; both are read only with "ENV" or without any file. Raises `SettingsError` for
        all that is wrong, at once where it can.
        """
        paths = [Path(file) for file in files if file != "ENV"]
        layers: list[Layer] = []
        if not paths or len(paths) < len(files):
            folder = Path.cwd() if dotenv_dir is None else Path(dotenv_dir)
            layers = [
                variable_layer(self.name, self.json_schema, dotenv_variables(folder), " in .env"),
                variable_layer(self.name, self.json_schema, current_variables() if environ is None else environ, ""),
            ]
        layers += [file_layer(path) for path in paths]
        return self._config(layers, files=paths)

    def from_mapping(self, values: Mapping[str, Any]) -> Config:
        """The settings of a run in this process; `values` is not touched, a `Config` of ours passes."""
        if isinstance(values, Config) and values.connector == self.name:
            return values
        return self._config([Layer(ordinary(values), {})])

    def describe(self) -> list[Setting]:
        """Every setting in the order of its declaration, those inside of objects dotted and after them."""
        return list(self._described(self.json_schema, ()))

    def public_schema(self) -> dict[str, Any]:
        """The JSON Schema to show to people: no default of a secret setting, and every secret one marked."""
        shown: dict[str, Any] = _hide_defaults(self.json_schema)
        return shown

    def _described(self, node: Mapping[str, Any], path: tuple[str, ...]) -> list[Setting]:
        found = []
        required = walk.resolve(self.json_schema, node).get("required") or ()
        for name, schema in walk.properties(self.json_schema, node).items():
            inner = (*path, name)
            secret = is_secret(name, schema)
            default = schema.get("default")
            found.append(
                Setting(
                    name=".".join(inner),
                    types=_type_words(walk.types(self.json_schema, schema)),
                    required=name in required,
                    default=HIDDEN if secret and default else default,
                    description=str(schema.get("description") or schema.get("title") or ""),
                    secret=secret,
                    allowed_values=tuple(schema.get("enum") or ()),
                    examples=() if secret else tuple(schema.get("examples") or ()),
                    variable=variable_name(self.name, *inner),
                )
            )
            if len(inner) < 4:
                found += self._described(schema, inner)
        return found

    def _config(self, layers: Sequence[Layer], *, files: Sequence[Path] = ()) -> Config:
        values: dict[str, Any] = {}
        places: dict[Path_, str] = {}
        found: list[Fault] = []
        for layer in layers:
            values = merge(self.json_schema, self.json_schema, values, layer.values) if values else layer.values
            places |= layer.places
            found += layer.faults
            self._warn_of_variables(layer.unknown)
        slips, strangers = self._unknown(values, places)
        found += slips
        values = judge.fill(self.json_schema, self.json_schema, values)
        told = {fault.setting for fault in found}
        checked = judge.faults(self.name, self.json_schema, values, places)
        found += [fault for fault in checked if fault.setting not in told]
        if found:
            raise judge.complain(self.name, found)
        if strangers:
            logging.getLogger(self.name).warning(
                "settings that %s does not have are ignored: %s", self.name, ", ".join(strangers)
            )
        return Config(self.name, self.json_schema, values, files=files)

    def _unknown(self, values: dict[str, Any], places: Mapping[Path_, str]) -> tuple[list[Fault], list[str]]:
        """Slips of a known name are faults; names that nobody meant as one of ours come second, to be told."""
        found = []
        strangers = []
        for path, meant in judge.unknown(self.json_schema, self.json_schema, values):
            dotted = ".".join(map(str, path))
            if meant is None:
                strangers.append(dotted)
            else:
                found.append(
                    Fault(
                        dotted,
                        f"is unknown (did you mean '{meant}'?)",
                        judge.place(path, places),
                        f"rename it to '{meant}'.",
                    )
                )
        return found, strangers

    def _warn_of_variables(self, names: Sequence[str]) -> None:
        known = [setting.variable for setting in self.describe()] if names else []
        for name in names:
            meant = nearest(name, known)
            if meant is not None:
                logging.getLogger(self.name).warning(
                    "environment variable %s is no setting of %s; did you mean %s?", name, self.name, meant
                )


def _type_words(types: frozenset[str]) -> tuple[str, ...]:
    order = ("boolean", "integer", "number", "string", "array", "object")
    return tuple(word for word in order if word in types) if len(types) < 7 else ()


def _hide_defaults(node: Any, name: str = "") -> Any:
    if isinstance(node, (list, tuple)):
        return [_hide_defaults(child) for child in node]
    if not isinstance(node, Mapping):
        return node
    secret = bool(name) and is_secret(name, node)
    shown = {}
    for key, child in node.items():
        if key == "properties" and isinstance(child, Mapping):
            shown[key] = {each: _hide_defaults(schema, each) for each, schema in child.items()}
        elif not (secret and key in ("default", "examples")):
            shown[key] = _hide_defaults(child)
    return {**shown, "secret": True} if secret else shown
