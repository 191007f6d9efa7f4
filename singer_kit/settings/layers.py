"""Where settings come from: config files, `.env`, environment variables; each gives one layer of values.

It reads and casts; it must not decide whether the whole is right, and exports nothing into the environment.
"""

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from singer_kit import codec
from singer_kit.codec import Struct
from singer_kit.errors import SettingsError
from singer_kit.late import late
from singer_kit.settings import walk
from singer_kit.settings.cast import NotGiven, as_number, cast

json = late("json")

__all__ = [
    "Fault",
    "Layer",
    "dotenv_variables",
    "file_layer",
    "merge",
    "ordinary",
    "variable_layer",
    "variable_name",
]

Path_ = tuple[str | int, ...]
_RESERVED = frozenset({"LOGLEVEL"})


class Fault(Struct, frozen=True):
    """What is wrong with one setting, such as `is a string but must be an integer`, where, and what to do."""

    setting: str
    says: str
    place: str = ""
    next_step: str = ""


class Layer(Struct, frozen=True):
    """Values from one source, and where each came from (by path; a longer path knows better)."""

    values: dict[str, Any]
    places: dict[Path_, str]
    faults: tuple[Fault, ...] = ()
    unknown: tuple[str, ...] = ()


def variable_name(connector: str, *path: str) -> str:
    """`TAP_X_A__B` of tap-x and the setting `b` inside of `a`."""
    return f"{_upper(connector)}_{'__'.join(map(_upper, path))}"


def file_layer(path: Path) -> Layer:
    """The values of a config file. Raises `SettingsError` when it is not there, not JSON or no object."""
    try:
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise SettingsError(
            f"The config file cannot be read: {error.strerror or type(error).__name__}.",
            place=f"config: {path}",
            next_step="check the path after --config and its permissions.",
        ) from None
    try:
        values = codec.decode(text)
    except (codec.DecodeError, UnicodeDecodeError):
        raise SettingsError(
            f"The config file is not JSON: {_why_not_json(text)}.",
            place=f"config: {path}",
            next_step="give one JSON object, such as {} for no settings at all.",
        ) from None
    if not isinstance(values, dict):
        raise SettingsError(
            f"The config file holds a JSON {_json_type(values)}, not an object.",
            place=f"config: {path}",
            next_step='put the settings into one object, such as {"start_date": "2026-01-01"}.',
        )
    return Layer(ordinary(values), dict.fromkeys(_paths(values), f"config: {path}"))


def variable_layer(connector: str, root: walk.Schema, variables: Mapping[str, str], where: str) -> Layer:
    """The settings among `variables`, cast to the types that `root` declares.

    `where` follows the variable's name in a message. A variable that fits no setting is listed as unknown:
    the environment belongs to everyone. Shorter paths are set first, so `TAP_X_A__B` changes a part of
    `TAP_X_A`.
    """
    prefix = f"{_upper(connector)}_"
    values: dict[str, Any] = {}
    places: dict[Path_, str] = {}
    faults: list[Fault] = []
    unknown: list[str] = []
    named = [name for name in variables if name.upper().startswith(prefix)]
    for variable in sorted(named, key=lambda name: (name.count("__"), name)):
        rest = variable[len(prefix) :].upper()
        if rest in _RESERVED:
            continue
        found = _find(root, rest)
        if found is None:
            unknown.append(variable)
            continue
        path, node = found
        try:
            value = cast(root, node, variables[variable])
        except NotGiven:
            continue
        except ValueError as error:
            faults.append(
                Fault(
                    ".".join(path),
                    f"takes {error}, and the text of its variable is not that",
                    f"variable: {variable}{where}",
                    f"change {variable}.",
                )
            )
            continue
        _put(values, path, value)
        places[tuple(path)] = f"variable: {variable}{where}"
    return Layer(values, places, tuple(faults), tuple(unknown))


def dotenv_variables(folder: Path) -> dict[str, str]:
    """The variables of `folder`'s `.env`, none when there is no such file. Nothing is exported.

    Raises `SettingsError` when it is there and cannot be read.
    """
    path = folder / ".env"
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - the door: read only where there is such a file

    try:
        read = dotenv_values(path, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The file .env cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}.",
            place=f"file: {path}",
            next_step="correct it, or name a config file after --config: then .env is not read.",
        ) from None
    return {name: value for name, value in read.items() if value is not None}


def merge(root: walk.Schema, node: walk.Schema, below: object, above: object) -> Any:
    """`above` over `below`, in new containers: objects that declare settings merge, all else is replaced."""
    declared = walk.properties(root, node)
    if isinstance(below, dict) and isinstance(above, dict) and declared:
        merged = {**below}
        for name, value in above.items():
            merged[name] = merge(root, declared.get(name, {}), below.get(name), value)
        return merged
    return ordinary(above)


def ordinary(value: Any) -> Any:
    """A deep copy with ordinary floats where they have the same digits."""
    if isinstance(value, Mapping):
        return {name: ordinary(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [ordinary(item) for item in value]
    return as_number(value) if isinstance(value, Decimal) else value


def current_variables() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ


def _find(root: walk.Schema, rest: str) -> tuple[list[str], walk.Schema] | None:
    """The setting that the rest of a variable's name means: the longest name first, then object by object."""
    for path, node in _candidates(root, root, rest, 0):
        return path, node
    return None


def _candidates(root: walk.Schema, node: walk.Schema, rest: str, depth: int) -> Iterator[tuple[list[str], walk.Schema]]:
    declared = {_upper(name): (name, schema) for name, schema in walk.properties(root, node).items()}
    if rest in declared:
        name, schema = declared[rest]
        yield [name], schema
    pieces = rest.split("__")
    for count in range(len(pieces) - 1, 0, -1):
        head, tail = "__".join(pieces[:count]), "__".join(pieces[count:])
        if head in declared:
            name, schema = declared[head]
            for path, found in _candidates(root, schema, tail, depth + 1):
                yield [name, *path], found
    extra = node.get("additionalProperties", "object" in walk.types(root, node))
    if depth and extra is not False and rest:
        yield [rest.lower()], walk.resolve(root, extra) if isinstance(extra, Mapping) else {}


def _paths(values: object, path: Path_ = ()) -> Iterator[Path_]:
    yield path
    if isinstance(values, dict):
        for name, value in values.items():
            yield from _paths(value, (*path, name))


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = values.get(name)
        if not isinstance(inner, dict):
            inner = values[name] = {}
        values = inner
    values[path[-1]] = value


def _upper(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).upper()


def _why_not_json(text: bytes) -> str:
    if not text.strip():
        return "it is empty"
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    except (UnicodeDecodeError, RecursionError):
        pass
    return codec.why_not_json(text)[1]


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", str: "string", list: "array"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "number")
