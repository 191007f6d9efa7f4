"""Selection: which streams and fields of a catalog are read, and choosing them by pattern.

A parent that is deselected takes its children with it; `automatic` is always in, `unsupported` never. This
module must not judge whether a stream that is selected can be read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from singer_kit.codec import Struct
from singer_kit.spec.catalog import COMBINED, Breadcrumb, Catalog, CatalogEntry, Metadata, fields


def is_stream_selected(entry: CatalogEntry, *, has_catalog: bool) -> bool:
    """True when the stream is to be read.

    What was said counts first: `selected` in the metadata, on the stream, in its schema; then
    `selected-by-default`; then a stream is read unless there is a catalog. Only `true` selects: the string
    "false" does not.
    """
    inclusion = entry.root.get("inclusion")
    if inclusion in ("unsupported", "automatic"):
        return bool(inclusion == "automatic")
    for place in (entry.root, entry.extra, entry.schema):
        if place.get("selected") is not None:
            return _says_yes(place["selected"])
    if "selected-by-default" in entry.root:
        return _says_yes(entry.root["selected-by-default"])
    return not has_catalog


def selected_schema(entry: CatalogEntry) -> dict[str, Any]:
    """The schema without the fields that are not selected, at every depth; `required` names only what is
    left.

    A field says so itself, else `selected-by-default` does, else it goes with its parent. A parent that is
    not selected stays only for the automatic fields in it.
    """
    trimmed: dict[str, Any] = _trimmed(entry.schema, (), _Rules(entry), selected=True)
    return trimmed


class _Rules:
    """The verdicts on the fields of one stream."""

    def __init__(self, entry: CatalogEntry) -> None:
        self.metadata = entry.metadata
        automatic = {("properties", name) for name in (*entry.key_properties, entry.replication_key or "")}
        said = {at for at, values in entry.metadata.items() if values.get("inclusion") == "automatic"}
        unsupported = {at for at, values in entry.metadata.items() if values.get("inclusion") == "unsupported"}
        self.automatic = (automatic - unsupported) | said
        self.above_automatic = {at[:length] for at in self.automatic for length in range(2, len(at))}

    def keeps(self, at: Breadcrumb, schema: object, *, parent_selected: bool) -> tuple[bool, bool]:
        """Whether the field stays, and whether its children are selected unless they say otherwise."""
        values = self.metadata.get(at, {})
        legacy = schema if isinstance(schema, Mapping) else {}
        inclusion = values.get("inclusion", legacy.get("inclusion"))
        if inclusion == "unsupported":
            return False, False
        if inclusion == "automatic" or at in self.automatic:
            return True, True
        selected = parent_selected and self._is_selected(values, legacy)
        return selected or at in self.above_automatic, selected

    @staticmethod
    def _is_selected(values: Mapping[str, Any], legacy: Mapping[str, Any]) -> bool:
        for found in (values.get("selected"), legacy.get("selected"), values.get("selected-by-default")):
            if found is not None and not isinstance(found, Mapping):
                return _says_yes(found)
        return True


def _trimmed(schema: Any, at: Breadcrumb, rules: _Rules, *, selected: bool, lost: frozenset[str] | None = None) -> Any:
    """`lost` are the names that were dropped at this level, when the schema is a branch of what stands
    there.
    """
    if not isinstance(schema, Mapping):
        return schema
    if lost is None:
        here = ((name, (*at, "properties", name), inner) for name, inner in _declared(schema))
        lost = frozenset(
            name for name, crumb, inner in here if not rules.keeps(crumb, inner, parent_selected=selected)[0]
        )
    trimmed = dict(schema)
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        trimmed["properties"] = kept = {}
        for name, inner in properties.items():
            if name not in lost:
                crumb = (*at, "properties", name)
                inherits = rules.keeps(crumb, inner, parent_selected=selected)[1]
                kept[name] = _trimmed(inner, crumb, rules, selected=inherits)
    for keyword in ("items", "prefixItems"):
        if keyword in schema:
            inner = schema[keyword]
            below = (*at, "items")
            trimmed[keyword] = (
                [_trimmed(item, below, rules, selected=selected) for item in inner]
                if isinstance(inner, list)
                else _trimmed(inner, below, rules, selected=selected)
            )
    for keyword in COMBINED:
        if isinstance(schema.get(keyword), list):
            trimmed[keyword] = [_trimmed(branch, at, rules, selected=selected, lost=lost) for branch in schema[keyword]]
    required = schema.get("required")
    if isinstance(required, list) and not lost.isdisjoint(required):
        trimmed["required"] = [name for name in required if name not in lost]
        if not trimmed["required"]:
            del trimmed["required"]
    return trimmed


def _declared(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The properties declared at one level, those of its branches included."""
    if isinstance(schema.get("properties"), Mapping):
        yield from schema["properties"].items()
    for keyword in COMBINED:
        for branch in schema.get(keyword) or ():
            if isinstance(branch, Mapping):
                yield from _declared(branch)


class _Pattern(Struct, frozen=True):
    """One `--select` pattern: a glob for the stream and one for each step of the field's path."""

    text: str
    excludes: bool
    stream: str
    path: tuple[str, ...]
    whole: str

    def matches_stream(self, entry: CatalogEntry) -> bool:
        names = (entry.tap_stream_id, entry.stream)
        return self.names_stream(entry) or any(fnmatchcase(name, self.stream) for name in names)

    def names_stream(self, entry: CatalogEntry) -> bool:
        """True when the pattern is the stream's name, unescaped dots and all."""
        return self.whole in (entry.tap_stream_id, entry.stream)

    def path_for(self, entry: CatalogEntry) -> tuple[str, ...]:
        return () if self.names_stream(entry) else self.path


def select(catalog: Catalog, patterns: Sequence[str]) -> Catalog:
    """The catalog with exactly what `patterns` choose selected, in metadata and in the older places alike.

    `stream` is the stream with all its fields, `stream.field` that field and its children, `stream.a.b` also
    the way to it; each step may be a glob (`*`, `?`, `[ab]`), `\\.` is a dot in a name. `!` excludes and
    always wins. When every pattern excludes, they are taken away from what the catalog itself selects.
    """
    parsed = [_parse(pattern) for pattern in patterns]
    return Catalog(tuple(_chosen(entry, parsed) for entry in catalog.streams), catalog.extra)


def unmatched(catalog: Catalog, patterns: Sequence[str]) -> list[str]:
    """The patterns that match no stream or no field of the catalog."""
    return [pattern.text for pattern in map(_parse, patterns) if not _matches_something(pattern, catalog)]


def _matches_something(pattern: _Pattern, catalog: Catalog) -> bool:
    for entry in catalog.streams:
        if pattern.matches_stream(entry):
            path = pattern.path_for(entry)
            if not path or any(_covers(path, _names_of(at)) for at in fields(entry.schema)):
                return True
    return False


def _parse(text: str) -> _Pattern:
    excludes = text.startswith("!")
    body = text[1:] if excludes else text
    steps = [_glob(step) for step in re.findall(r"(?:\\.|[^.\\]|\\$)+", body)] or ["*"]
    return _Pattern(text, excludes, steps[0], tuple(steps[1:]), re.sub(r"\\(.)", r"\1", body))


def _glob(step: str) -> str:
    """An escaped character stands for itself."""
    return re.sub(r"\\(.)", lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], step)


def _names_of(at: Breadcrumb) -> tuple[str, ...]:
    """The names in a breadcrumb, without the words between them."""
    return tuple(_steps(at))


def _steps(at: Breadcrumb) -> Iterator[str]:
    place = iter(at)
    for word in place:
        if word == "properties":
            yield next(place, "")


def _covers(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """True when the pattern chooses the field or one of its parents."""
    return len(path) >= len(pattern) and all(map(fnmatchcase, path, pattern))


def _leads_to(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """True when the field lies on the way to what the pattern chooses."""
    return len(path) < len(pattern) and all(map(fnmatchcase, path, pattern))


def _chosen(entry: CatalogEntry, patterns: list[_Pattern]) -> CatalogEntry:
    mine = [pattern for pattern in patterns if pattern.matches_stream(entry)]
    includes = [pattern.path_for(entry) for pattern in mine if not pattern.excludes]
    excludes = [pattern.path_for(entry) for pattern in mine if pattern.excludes]
    keeps_own = all(pattern.excludes for pattern in patterns)
    if keeps_own:
        selected = () not in excludes and is_stream_selected(entry, has_catalog=True)
    else:
        selected = () not in excludes and bool(includes)
    metadata: Metadata = {at: dict(values) for at, values in entry.metadata.items()}
    metadata[()] = {**entry.root, "selected": selected}
    verdicts: dict[Breadcrumb, bool] = {}
    for at in fields(entry.schema):
        path = _names_of(at)
        if any(_covers(pattern, path) for pattern in excludes if pattern):
            verdicts[at] = False
        elif not keeps_own:
            verdicts[at] = any(_covers(pattern, path) or _leads_to(pattern, path) for pattern in includes)
    for at, verdict in verdicts.items():
        metadata[at] = {**metadata.get(at, {}), "selected": verdict}
    schema = _marked(entry.schema, (), verdicts | {(): selected}, everywhere=not entry.metadata)
    members = entry.members and tuple(dict.fromkeys((*entry.members, "metadata", "selected")))
    extra = {**entry.extra, "selected": selected}
    return CatalogEntry(entry.tap_stream_id, entry.stream, schema, metadata, extra, members)


def _marked(schema: Any, at: Breadcrumb, verdicts: Mapping[Breadcrumb, bool], *, everywhere: bool) -> Any:
    """The schema with the older `selected` marks set right: where there are some, or `everywhere`."""
    if not isinstance(schema, Mapping):
        return schema
    marked = dict(schema)
    if at in verdicts and (everywhere or isinstance(schema.get("selected"), (bool, str))):
        marked["selected"] = verdicts[at]
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        marked["properties"] = {
            name: _marked(inner, (*at, "properties", name), verdicts, everywhere=everywhere)
            for name, inner in properties.items()
        }
    if isinstance(schema.get("items"), Mapping):
        # The items of an array have no verdict of their own, only the fields in them.
        marked["items"] = _marked(schema["items"], (*at, "items"), verdicts, everywhere=everywhere)
    return marked


def _says_yes(found: object) -> bool:
    return found is True or (isinstance(found, str) and found.lower() == "true")
