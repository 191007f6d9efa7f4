"""Whether values are what a settings schema asks for: defaults filled in, unknown names told, faults worded.

The verdict is the reference validator's; plain values are passed without loading it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from singer_kit.errors import SettingsError
from singer_kit.nearest import nearest
from singer_kit.schema import reference
from singer_kit.settings import walk
from singer_kit.settings.fits import fits
from singer_kit.settings.layers import Fault, Path_, ordinary, variable_name
from singer_kit.settings.secrets import is_secret

__all__ = ["complain", "faults", "fill", "place", "unknown"]


def fill(root: walk.Schema, node: walk.Schema, value: Any) -> Any:
    """`value` with every default that it lacks, and integers where 1.0 was written for one.

    An object that is not given stays away unless it has a default itself: for many settings being there means
    being switched on.
    """
    if isinstance(value, dict):
        declared = walk.properties(root, node)
        filled = {name: fill(root, declared.get(name, {}), item) for name, item in value.items()}
        for name, schema in declared.items():
            if name not in filled and "default" in schema:
                filled[name] = fill(root, schema, ordinary(schema["default"]))
        return filled
    if isinstance(value, list):
        items = walk.item_schema(root, node)
        return [fill(root, items, item) for item in value]
    if isinstance(value, float) and value.is_integer() and "number" not in walk.types(root, node):
        return int(value)
    return value


def unknown(
    root: walk.Schema, node: walk.Schema, values: object, path: Path_ = ()
) -> Iterator[tuple[Path_, str | None]]:
    """Every undeclared name in `values`, by path, with the declared name it is a slip of, or None.

    Nothing is a slip of a setting that is given as well. Objects that declare no names, or say what further
    names hold (`additionalProperties`), take any.
    """
    if isinstance(values, list):
        items = walk.item_schema(root, node)
        for index, item in enumerate(values):
            yield from unknown(root, items, item, (*path, index))
    if not isinstance(values, dict):
        return
    declared = walk.properties(root, node)
    takes_any = not declared or any(
        schema.get("additionalProperties") or "patternProperties" in schema for schema in walk.branches(root, node)
    )
    for name, value in values.items():
        if name in declared:
            yield from unknown(root, declared[name], value, (*path, name))
        elif not takes_any:
            yield (*path, name), nearest(name, (other for other in declared if other not in values))


def faults(connector: str, root: Mapping[str, Any], values: dict[str, Any], places: Mapping[Path_, str]) -> list[Fault]:
    """All that `root` finds wrong with `values`; empty when nothing is."""
    found = [_missing(connector, path, places) for path in _missing_paths(root, root, values)]
    found += [
        Fault(
            _dotted(path),
            "is no date or instant",
            place(path, places),
            'write it like "2026-01-31T00:00:00Z".',
        )
        for path in _bad_instants(root, root, values)
    ]
    if not found and fits(root, root, values):
        return []
    told = {fault.setting for fault in found}
    for problem in reference.problems(_without_instants(root), values, limit=20):
        if problem.path not in told:
            where = place(_path(problem.path, values), places)
            says = problem.message.replace("the schema says", f"{connector} takes")
            found.append(Fault(problem.path, says, where, _advice(root, problem, where)))
    return found


def complain(connector: str, found: Sequence[Fault]) -> SettingsError:
    """One error for all faults: the first one in words, or their number and each on a line of its own."""
    about = f"run `{connector} --about` to see what it takes."
    if len(found) == 1:
        fault = found[0]
        subject = f"Setting '{fault.setting}' of {connector}" if fault.setting else f"The config of {connector}"
        return SettingsError(f"{subject} {fault.says}.", place=fault.place, next_step=fault.next_step or about)
    lines = [
        f"'{fault.setting}' {fault.says}"
        + (f" ({fault.place.partition(': ')[2] or fault.place})" if fault.place else "")
        for fault in found
    ]
    return SettingsError(
        f"{len(found)} settings of {connector} are not right.", place="\n".join(lines), next_step=about
    )


def _missing_paths(root: walk.Schema, node: walk.Schema, values: object, path: Path_ = ()) -> Iterator[Path_]:
    """Required names that are not there; only of schemas that always apply, so no branch of an `anyOf`."""
    if isinstance(values, list):
        items = walk.item_schema(root, node)
        for index, item in enumerate(values):
            yield from _missing_paths(root, items, item, (*path, index))
    if isinstance(values, dict):
        schema = walk.resolve(root, node)
        for name in schema.get("required") or ():
            if name not in values:
                yield (*path, name)
        for name, child in (schema.get("properties") or {}).items():
            if name in values:
                yield from _missing_paths(root, walk.resolve(root, child), values[name], (*path, name))


def _missing(connector: str, path: Path_, places: Mapping[Path_, str]) -> Fault:
    names = [step for step in path if isinstance(step, str)]
    variable = variable_name(connector, *names)
    given = place(path[:-1], places)
    where = f"add it to {given.partition(': ')[2]}" if given.startswith("config:") else "give it in a --config file"
    ask = f"{where}." if given.startswith("config:") else f"{where} or set {variable}."
    return Fault(_dotted(path), "is missing", "", ask)


def _bad_instants(root: walk.Schema, node: walk.Schema, value: object, path: Path_ = ()) -> Iterator[Path_]:
    """Paths of date-times that cannot be read; a date alone and a missing offset (then it is UTC) pass."""
    schema = walk.resolve(root, node)
    if isinstance(value, dict):
        for name, child in (schema.get("properties") or {}).items():
            if name in value:
                yield from _bad_instants(root, child, value[name], (*path, name))
    elif isinstance(value, list):
        items = walk.item_schema(root, schema)
        for index, item in enumerate(value):
            yield from _bad_instants(root, items, item, (*path, index))
    elif isinstance(value, str) and schema.get("format") == "date-time" and not _reads_as_instant(value):
        yield path


def _reads_as_instant(text: str) -> bool:
    for read in (datetime.fromisoformat, date.fromisoformat):
        try:
            read(text)
        except ValueError:
            continue
        return True
    return False


def _without_instants(node: Any) -> Any:
    """A copy of a schema in which date-times are any text: they are judged here, more leniently."""
    if isinstance(node, Mapping):
        return {
            name: _without_instants(child)
            for name, child in node.items()
            if not (name == "format" and child == "date-time")
        }
    return [_without_instants(child) for child in node] if isinstance(node, (list, tuple)) else node


def _advice(root: walk.Schema, problem: reference.Problem, where: str) -> str:
    """What to do about it, where that can be told."""
    node: walk.Schema = root
    for step in filter(None, problem.path.split(".")):
        node = walk.item_schema(root, node) if step.isdigit() else walk.properties(root, node).get(step, {})
    if problem.keyword == "enum" and not is_secret(problem.path.rpartition(".")[2], node):
        return f"give one of: {', '.join(map(str, node.get('enum') or ()))}."
    quoted = problem.keyword == "type" and "is a string" in problem.message and where.startswith("config:")
    if quoted and walk.types(root, node) & {"integer", "number", "boolean"}:
        return f"write it without quotes in {where.partition(': ')[2]}."
    return ""


def _path(dotted: str, values: Any) -> Path_:
    """The way to a value in `values` that the reference writes with dots."""
    path: list[str | int] = []
    for step in filter(None, dotted.split(".")):
        inside_list = isinstance(values, list) and step.isdigit() and int(step) < len(values)
        path.append(int(step) if inside_list else step)
        known = inside_list or (isinstance(values, dict) and step in values)
        values = values[path[-1]] if known else None
    return tuple(path)


def place(path: Path_, places: Mapping[Path_, str]) -> str:
    """Where the value at `path` came from, as a line of an error; "" when nobody knows."""
    for length in range(len(path), -1, -1):
        if path[:length] in places:
            return places[path[:length]]
    return ""


def _dotted(path: Path_) -> str:
    return ".".join(str(step) for step in path)
