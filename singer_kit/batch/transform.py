"""Stream maps: rename, filter, compute, remove, duplicate; compiled to one Python function per stream.

Maps fail closed: whatever goes wrong in an expression stops the run with `MapError` and no row passes
unmapped. This module must not read or write messages.
"""

import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from operator import itemgetter
from typing import Any, Final

from singer_kit.batch.calls import settle
from singer_kit.batch.expressions import Expression, Scope, parse_expression
from singer_kit.batch.kinds import schema_of_kind
from singer_kit.batch.program import Program, RowError, compile_program
from singer_kit.codec import JSON
from singer_kit.errors import MapError, SettingsError
from singer_kit.schema.flatten import RowsFunction, flatten_schema

__all__ = ["StreamMap", "compile_maps", "flattening_of", "unused_maps"]

logger = logging.getLogger("singer_kit.maps")

Row = dict[str, Any]
NULL: Final = "__NULL__"
_STREAM_WORDS: Final = ("__alias__", "__source__", "__filter__", "__else__", "__key_properties__")
_SAFE_KEYWORDS: Final = frozenset(
    {"$schema", "$id", "$defs", "definitions", "title", "description", "type", "properties", "required",
     "additionalProperties"}
)  # fmt: skip
"""What a schema may keep when its properties change.

Combinators and counts of properties may no longer hold.
"""


class StreamMap:
    """What one stream becomes: `apply` maps rows, `schema` and `key_properties` describe what comes out.

    `stream` is its name after the map and `source` before; `renamed` maps old property names to the new name
    of those that were renamed, and `is_identity` says that rows pass as they are.
    """

    def __init__(
        self,
        source: str,
        stream: str,
        schema: dict[str, JSON],
        key_properties: Sequence[str],
        *,
        program: Program | None = None,
        flatten: RowsFunction | None = None,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        self.source = source
        self.stream = stream
        self.schema = schema
        self.key_properties = tuple(key_properties)
        self.renamed: dict[str, str] = dict(renamed or {})
        self.is_identity = program is None and flatten is None and stream == source
        self._program = program
        self._flatten = flatten
        self._unsettled = [] if program is None else _unsettled(program.computed)

    def apply(self, rows: list[Row]) -> list[Row]:
        """The rows that pass the filter, mapped, in order. The rows given are not changed.

        Raises `MapError` that names stream, property and expression, never a value.
        """
        return self.apply_with(rows, rows)[0]

    def apply_with(self, rows: list[Row], companions: list[Any]) -> tuple[list[Row], list[Any]]:
        """`apply`, and of `companions`, one for each row, those whose rows pass."""
        if self._program is not None:
            try:
                rows, companions = self._program.run(rows, companions)
            except RowError as error:
                raise _failure(self.source, error.name, error.text, error.reason) from None
            if rows:
                self._settle(rows)
        return rows if self._flatten is None else self._flatten(rows), companions

    def _settle(self, rows: list[Row]) -> None:
        for name, text in self._unsettled:
            if set(map(type, map(itemgetter(name), rows))) <= _SETTLED:
                continue
            try:
                for row in rows:
                    row[name] = settle(row[name])
            except RecursionError:
                raise _failure(self.source, name, text, "the result is nested too deeply") from None
            except (TypeError, ValueError) as error:
                raise _failure(self.source, name, text, f"the result cannot be sent: {error}") from None


_SETTLED: Final = frozenset({str, int, bool, type(None)})


def _unsettled(computed: Sequence[tuple[str, Expression]]) -> list[tuple[str, str]]:
    return [
        (name, expression.text)
        for name, expression in computed
        if not expression.kind.is_only("string", "integer", "boolean", "null") or expression.kind.schema is not None
    ]


def compile_maps(
    stream: str, schema: dict[str, JSON], key_properties: Sequence[str], settings: Mapping[str, Any]
) -> list[StreamMap]:
    """What `stream` becomes under `stream_maps`, `stream_map_config` and `flattening_*`; [] when removed.

    The stream itself comes first, then its copies (`__source__`) in the order of the settings. Of several
    maps for the stream an exact name wins over wildcards, and of wildcards the last. Raises `MapError` for a
    map that cannot be used. Neither the schema nor the settings are changed.
    """
    maps = _declared(settings)
    config = settings.get("stream_map_config") or {}
    own: Any = {} if "__else__" not in maps else None
    exact = False
    copies: list[tuple[str, dict[str, Any]]] = []
    for pattern, declared in maps.items():
        if pattern == "__else__":
            continue
        definition = _definition(pattern, declared)
        if definition is not None and definition.get("__source__") is not None:
            if _matches(stream, str(definition["__source__"])):
                copies.append((pattern, definition))
        elif pattern == stream:
            own, exact = definition, True
        elif not exact and _matches(stream, pattern):
            own = definition
    compiled = []
    if own is not None:
        scope = Scope(_alias(own.get("__alias__"), stream), stream, schema, config)
        compiled.append(_compile(scope, key_properties, own, settings))
    for name, definition in copies:
        scope = Scope(stream if name == definition["__source__"] else name, stream, schema, config)
        compiled.append(_compile(scope, key_properties, definition, settings))
    _refuse_twins(stream, compiled)
    return compiled


def unused_maps(settings: Mapping[str, Any], streams: Sequence[str]) -> list[str]:
    """The names in `stream_maps` that are none of `streams` and match none: most likely a slip of the pen."""
    unused = []
    for pattern, declared in _declared(settings).items():
        definition = _definition(pattern, declared) if pattern != "__else__" else None
        source = str((definition or {}).get("__source__") or pattern)
        if pattern != "__else__" and not any(_matches(stream, source) for stream in streams):
            unused.append(pattern)
    return unused


def flattening_of(settings: Mapping[str, Any]) -> tuple[int, str, int] | None:
    """Depth, separator and longest name that `flattening_*` ask for; None when rows stay nested."""
    if not settings.get("flattening_enabled"):
        return None
    depth = settings.get("flattening_max_depth")
    if not isinstance(depth, int) or isinstance(depth, bool):
        raise SettingsError(
            "flattening_enabled is set, but flattening_max_depth is no integer.",
            next_step="set flattening_max_depth to how many levels of objects become columns.",
        )
    separator = settings.get("flattening_separator")
    length = settings.get("flattening_max_key_length")
    return (depth, "__" if separator is None else str(separator), int(length or 255)) if depth > 0 else None


def _declared(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    maps = settings.get("stream_maps") or {}
    if not isinstance(maps, Mapping):
        raise MapError(f"stream_maps is a {type(maps).__name__}, not an object.")
    for name in maps:
        if name == "__else__":
            if maps[name] not in (None, NULL):
                raise MapError('stream_maps.__else__ can only be null (or "__NULL__"): streams without a map go.')
        elif name.startswith("__") and name.endswith("__"):
            raise MapError(f"stream_maps has no option '{name}'{_nearest(name, ('__else__',))}")
    return maps


def _definition(name: str, declared: Any) -> dict[str, Any] | None:
    if declared is None or declared == NULL:
        return None
    if not isinstance(declared, Mapping):
        raise MapError(
            f"The map of '{name}' is a {type(declared).__name__}.",
            place=f"setting: stream_maps.{name}",
            next_step="give an object of properties and expressions, or null to remove the stream.",
        )
    return dict(declared)


def _matches(stream: str, pattern: str) -> bool:
    return stream == pattern or fnmatchcase(stream, pattern)


def _nearest(name: str, offered: Sequence[str]) -> str:
    found = get_close_matches(name, offered, n=1)
    return f"; did you mean '{found[0]}'?" if found else "."


def _failure(stream: str, name: str, text: str, reason: str) -> MapError:
    return MapError(
        f"stream '{stream}', map of '{name}': {reason}.",
        place=f"setting: stream_maps.{stream}.{name}\nexpression: {text}",
        next_step="write it for every value that the field can have (null too), or remove the property.",
    )


def _refuse_twins(stream: str, compiled: Sequence[StreamMap]) -> None:
    names = [one.stream for one in compiled]
    for name in names:
        if names.count(name) > 1:
            raise MapError(f"Two maps of stream '{stream}' give a stream '{name}'.", next_step="name them apart.")


def _alias(declared: Any, stream: str) -> str:
    if declared is None:
        return stream
    text = str(declared)
    if "__stream_name__" in text or text[:1] + text[-1:] in ("''", '""'):
        expression = _parse("__alias__", text, Scope(stream, stream, {}, {}))
        try:
            named = Program.constant(expression)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            named = None
        if not isinstance(named, str) or not named:
            raise _failure(stream, "__alias__", text, "it gives no name")
        return named
    return text


def _parse(name: str, text: str, scope: Scope, *, may_copy: bool = True) -> Expression:
    try:
        return parse_expression(text, scope, may_copy=may_copy)
    except MapError as error:
        raise MapError(
            f"stream '{scope.source}', map of '{name}': {error.sentence}.".replace("?.", "?"),
            place=f"setting: stream_maps.{scope.source}.{name}\nexpression: {text}",
            next_step=error.next_step or "see docs/stream-maps.md for what an expression may hold.",
        ) from None


def _compile(
    scope: Scope, key_properties: Sequence[str], definition: dict[str, Any], settings: Mapping[str, Any]
) -> StreamMap:
    source = scope.source
    plan = _Plan(scope, key_properties, definition)
    mapped = plan.schema()
    keys = plan.keys(mapped)
    program = plan.program(str(settings.get("stream_maps_engine") or "compiled"))
    flattening = flattening_of(settings)
    flatten: RowsFunction | None = None
    if flattening is not None:
        depth, separator, longest = flattening
        flat, flatten = flatten_schema(mapped, depth, separator, longest, stream=source)
        for key in keys:
            if key not in flat["properties"]:
                raise MapError(f"Stream '{source}': the key property '{key}' is an object that flattening takes apart.")
        if flat == mapped:
            flatten = None
        mapped = flat
    return StreamMap(source, scope.stream, mapped, keys, program=program, flatten=flatten, renamed=plan.renamed)


class _Plan:
    """One stream's definition, read: what is removed, computed, kept."""

    def __init__(self, scope: Scope, key_properties: Sequence[str], definition: dict[str, Any]) -> None:
        source, self.original = scope.source, scope.schema
        self.source = source
        self.original_keys = tuple(key_properties)
        self.declared_keys = definition.get("__key_properties__", ...)
        self.keeps_rest = "__else__" not in definition
        if not self.keeps_rest and definition["__else__"] not in (None, NULL):
            raise MapError(f"stream '{source}': __else__ can only be null: it removes every property without a map.")
        if definition.get("__source__") is not None and definition.get("__alias__") is not None:
            raise MapError(f"stream '{source}': a map has __source__ or __alias__, not both.")
        self.filter: Expression | None = None
        self.removed: list[str] = []
        self.computed: list[tuple[str, Expression]] = []
        filter_text = definition.get("__filter__")
        if filter_text is not None and filter_text != NULL:
            self.filter = _parse("__filter__", self._text("__filter__", filter_text), scope, may_copy=False)
        for name, declared in definition.items():
            if name in _STREAM_WORDS:
                continue
            if name.startswith("__") and name.endswith("__"):
                raise MapError(f"stream '{source}': a map has no option '{name}'{_nearest(name, _STREAM_WORDS)}")
            if declared is None or declared == NULL:
                self._remove(name)
            else:
                text = self._text(name, declared)
                self.computed.append((name, _parse(name, text, scope.aimed_at(name))))
        self.renamed = self._renames()

    def _text(self, name: str, declared: Any) -> str:
        if not isinstance(declared, str):
            raise MapError(
                f"stream '{self.source}': the map of '{name}' is a {type(declared).__name__}.",
                next_step="give an expression as text, such as '42', or null to remove the property.",
            )
        return declared

    def _remove(self, name: str) -> None:
        self.removed.append(name)
        properties = self.original.get("properties") or {}
        if name not in properties and get_close_matches(name, list(properties), n=1):
            logger.warning(
                "stream '%s': its map removes '%s', which it does not declare%s",
                self.source, name, _nearest(name, list(properties)),
            )  # fmt: skip

    def _renames(self) -> dict[str, str]:
        given: dict[str, list[str]] = {}
        for name, expression in self.computed:
            if expression.field is not None:
                given.setdefault(expression.field, []).append(name)
        kept = {name for name, _ in self.computed}
        gone = set(self.removed) if self.keeps_rest else {*self.removed, *(self.original.get("properties") or {})}
        return {old: names[0] for old, names in given.items() if len(names) == 1 and old in gone - kept}

    @property
    def kept_keys(self) -> tuple[str, ...]:
        """The key properties that `__else__` spares."""
        keys = self.keys_wanted()
        properties = self.original.get("properties") or {}
        return tuple(key for key in keys if key in properties and key not in self.removed)

    def keys_wanted(self) -> tuple[str, ...]:
        """The keys of what comes out, whether or not they are there.

        Raises `MapError` for one that is removed.
        """
        declared = self.declared_keys
        if declared is not ...:
            if declared is None or declared == NULL:
                return ()
            if isinstance(declared, str) or not all(isinstance(key, str) for key in declared):
                raise MapError(f"stream '{self.source}': __key_properties__ is a list of property names, or null.")
            return tuple(declared)
        keys = []
        for key in self.original_keys:
            if key in self.removed:
                if key not in self.renamed:
                    raise MapError(
                        f"stream '{self.source}': its map removes the key property '{key}'.",
                        place=f"setting: stream_maps.{self.source}.{key}",
                        next_step="say what the key is now in __key_properties__ (null for none).",
                    )
                keys.append(self.renamed[key])
            else:
                keys.append(key)
        return tuple(keys)

    def keys(self, mapped: dict[str, JSON]) -> tuple[str, ...]:
        """The keys of what comes out, every one declared in its schema."""
        keys = self.keys_wanted()
        for key in keys:
            if key not in (mapped.get("properties") or {}):
                raise MapError(
                    f"stream '{self.source}': the key property '{key}' is not in the mapped stream.",
                    place=f"setting: stream_maps.{self.source}.__key_properties__",
                    next_step="map it, or name the key in __key_properties__ (null for none).",
                )
        return keys

    def schema(self) -> dict[str, JSON]:
        """The schema of what comes out; the original one when no property changes."""
        if self.keeps_rest and not self.removed and not self.computed:
            return self.original
        before = self.original.get("properties") or {}
        stays = before if self.keeps_rest else {key: before[key] for key in self.kept_keys}
        properties = {name: declared for name, declared in stays.items() if name not in self.removed}
        needed = [name for name in self.original.get("required") or () if name in properties]
        for name, expression in self.computed:
            plain = expression.field
            properties[name] = schema_of_kind(expression.kind) if plain is None else before[plain]
            if plain is not None and plain in (self.original.get("required") or ()):
                needed.append(name)
            elif plain is not None and name in needed:
                needed.remove(name)
        mapped = {keyword: value for keyword, value in self.original.items() if keyword in _SAFE_KEYWORDS}
        mapped["properties"] = properties
        mapped.pop("required", None)
        if needed:
            mapped["required"] = list(dict.fromkeys(needed))
        return mapped

    def program(self, engine: str) -> Program | None:
        """What maps rows; None when rows pass as they are."""
        if self.keeps_rest and not self.removed and not self.computed and self.filter is None:
            return None
        return compile_program(
            self.original.get("properties") or {},
            filter_=self.filter,
            computed=self.computed,
            removed=self.removed,
            kept=None if self.keeps_rest else self.kept_keys,
            engine=engine,
        )
