"""One stream's map, read from its definition: what is removed, computed, kept, and the schema that results.

This module must not choose which definition governs a stream, nor evaluate expressions itself.
"""

import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from operator import itemgetter
from typing import Any, Final

from singer_kit.batch.calls import settle
from singer_kit.batch.expressions import Expression, Scope, parse_expression
from singer_kit.batch.kinds import schema_of_kind
from singer_kit.batch.program import Program, RowError, compile_program
from singer_kit.batch.stream_map import Row, StreamMap
from singer_kit.codec import JSON
from singer_kit.errors import MapError, SettingsError
from singer_kit.schema.flatten import RowsFunction, flatten_schema

__all__ = ["compile_plan", "flattening_of"]

logger = logging.getLogger("singer_kit.maps")

NULL: Final = "__NULL__"

_STREAM_WORDS: Final = ("__alias__", "__source__", "__filter__", "__else__", "__key_properties__")
_SAFE_KEYWORDS: Final = frozenset(
    {"$schema", "$id", "$defs", "definitions", "title", "description", "type", "properties", "required",
     "additionalProperties"}
)  # fmt: skip
"""What a schema may keep when its properties change.

Combinators and counts of properties may no longer hold.
"""


class _Mapping:
    """The program of one map, its failures named and its results settled as JSON."""

    def __init__(self, source: str, program: Program) -> None:
        self._source = source
        self._program = program
        self._unsettled = _unsettled(program.computed)

    def run(self, rows: list[Row], companions: list[Any]) -> tuple[list[Row], list[Any]]:
        """The rows that pass the filter, mapped, and their companions. Raises `MapError`."""
        try:
            mapped, companions = self._program.run(rows, companions)
        except RowError as error:
            raise _failure(self._source, error.name, error.text, error.reason) from None
        if mapped:
            self._settle(mapped)
        return mapped, companions

    def _settle(self, rows: list[Row]) -> None:
        for name, text in self._unsettled:
            if set(map(type, map(itemgetter(name), rows))) <= _SETTLED:
                continue
            try:
                for row in rows:
                    row[name] = settle(row[name])
            except RecursionError:
                raise _failure(self._source, name, text, "the result is nested too deeply") from None
            except (TypeError, ValueError) as error:
                raise _failure(self._source, name, text, f"the result cannot be sent: {error}") from None


_SETTLED: Final = frozenset({str, int, bool, type(None)})


def _unsettled(computed: Sequence[tuple[str, Expression]]) -> list[tuple[str, str]]:
    return [
        (name, expression.text)
        for name, expression in computed
        if not expression.kind.is_only("string", "integer", "boolean", "null") or expression.kind.schema is not None
    ]


def compile_plan(
    source: str,
    name: str,
    schema: dict[str, JSON],
    key_properties: Sequence[str],
    *,
    definition: dict[str, Any],
    settings: Mapping[str, Any],
) -> StreamMap:
    """The map that `definition` asks for; the stream is called `name` unless it has an alias. Raises `MapError`."""
    config = settings.get("stream_map_config") or {}
    scope = Scope(_alias(definition.get("__alias__"), name), source, schema, config)
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
    mapping = None if program is None else _Mapping(source, program)
    return StreamMap(source, scope.stream, mapped, keys, program=mapping, flatten=flatten, renamed=plan.renamed)


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


def _nearest(name: str, offered: Sequence[str]) -> str:
    found = get_close_matches(name, offered, n=1)
    return f"; did you mean '{found[0]}'?" if found else "."


def _failure(stream: str, name: str, text: str, reason: str) -> MapError:
    return MapError(
        f"stream '{stream}', map of '{name}': {reason}.",
        place=f"setting: stream_maps.{stream}.{name}\nexpression: {text}",
        next_step="write it for every value that the field can have (null too), or remove the property.",
    )


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
