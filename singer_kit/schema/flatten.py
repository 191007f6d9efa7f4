"""Flattening: nested objects become columns, what lies deeper and arrays become JSON text, numbers exact.

The schema is read once; rows are flattened by what was read. This module must not validate or rename anything
else.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias
from zlib import crc32

from singer_kit.codec import JSON, Struct, encode_exactly
from singer_kit.errors import SchemaError

__all__ = ["RowsFunction", "flatten_schema"]

Row: TypeAlias = dict[str, Any]
RowsFunction: TypeAlias = Callable[[list[Row]], list[Row]]
Schema: TypeAlias = dict[str, JSON]

_SAFE_KEYWORDS: Final = frozenset({"$schema", "$id", "$defs", "definitions", "title", "description", "type"})
_SCALARS: Final = ("null", "boolean", "integer", "number", "string")
_MARK: Final = 9
"""An underscore and eight digits."""


class _Parent(Struct, frozen=True):
    """An object that is taken apart: its members by name, each a column, text or a parent again."""

    path: str
    members: dict[str, tuple[str, "_Parent | bool"]]
    """Member name: its column and whether it becomes text, or the parent it is itself."""
    columns: tuple[str, ...]
    """Every column below, to be null when the object is null."""
    prefix: tuple[str, ...]


def flatten_schema(
    schema: Schema, max_depth: int, separator: str = "__", max_key_length: int = 255, *, stream: str = ""
) -> tuple[Schema, RowsFunction]:
    """The flat schema, and the function that flattens rows to it without changing the rows given.

    `max_depth` counts the levels of objects that are taken apart. A null object makes its columns null, an
    absent one leaves them absent; a name longer than `max_key_length` is cut and gets eight digits of its own
    hash. Raises `SchemaError` when two properties meet in one name; the function raises it for a row that is
    not as declared.
    """
    flattening = _Flattening(max_depth, separator, max_key_length, stream)
    top = flattening.read(schema, (), nullable=False, required=True)
    flat: Schema = {keyword: value for keyword, value in schema.items() if keyword in _SAFE_KEYWORDS}
    flat["properties"] = flattening.properties
    if flattening.required:
        flat["required"] = flattening.required
    if schema.get("additionalProperties") is False:
        flat["additionalProperties"] = False
    changes = {name: how for name, how in top.members.items() if how[1] is not False}
    if not changes:
        return schema, lambda rows: rows
    return flat, lambda rows: [flattening.row(row, changes) for row in rows]


class _Flattening:
    """What reading one schema gathers: flat properties in order, and how rows become flat."""

    def __init__(self, max_depth: int, separator: str, max_key_length: int, stream: str) -> None:
        self.max_depth = max_depth
        self.separator = separator
        self.max_key_length = max_key_length
        self.stream = stream
        self.properties: Schema = {}
        self.required: list[str] = []

    def read(self, schema: Schema, path: tuple[str, ...], *, nullable: bool, required: bool) -> _Parent:
        """Reads one object's properties into the flat schema."""
        members: dict[str, tuple[str, _Parent | bool]] = {}
        first = len(self.properties)
        needed = schema.get("required")
        for name, declared in (schema.get("properties") or {}).items():
            whole = (*path, name)
            column = self._column(whole)
            is_needed = required and isinstance(needed, list) and name in needed
            inner, inner_null = _object_of(declared)
            if inner is not None and len(path) < self.max_depth:
                parent = self.read(inner, whole, nullable=nullable or inner_null, required=is_needed and not inner_null)
                members[name] = (column, parent)
                continue
            flat, becomes_text = _flat_property(declared)
            if column in self.properties:
                raise SchemaError(
                    f"Flattening stream '{self.stream}': two properties become '{column}'.",
                    place=f"property: {'.'.join(whole)}",
                    next_step="set another flattening_separator, or remove one of the two with a stream map.",
                )
            self.properties[column] = _or_null(flat) if nullable else flat
            members[name] = (column, becomes_text)
            if is_needed:
                self.required.append(column)
        return _Parent(".".join(path), members, tuple(list(self.properties)[first:]), path)

    def _column(self, path: tuple[str, ...]) -> str:
        name = self.separator.join(path)
        if len(name) <= self.max_key_length or len(path) == 1:
            return name
        digits = f"{crc32(name.encode('utf-8', 'surrogatepass')):08x}"
        return f"{name[: max(self.max_key_length - _MARK, 0)]}_{digits}"[-self.max_key_length :]

    def row(self, row: Row, changes: dict[str, tuple[str, _Parent | bool]]) -> Row:
        """The flat form of one row."""
        flat = row.copy()
        for name, (column, how) in changes.items():
            if name not in row:
                continue
            value = row[name]
            if how is True:
                if value is not None and type(value) is not str:
                    flat[column] = self._text(value, name)
            elif isinstance(how, _Parent):
                del flat[name]
                self._spread(value, how, flat)
        return flat

    def _spread(self, value: Any, parent: _Parent, flat: Row) -> None:
        if value is None:
            flat.update(dict.fromkeys(parent.columns))
            return
        if not isinstance(value, dict):
            raise SchemaError(
                f"Flattening stream '{self.stream}': '{parent.path}' is declared an object but a row has a"
                f" {type(value).__name__}."
            )
        members = parent.members
        for name, item in value.items():
            member = members.get(name)
            if member is None:
                column = self._column((*parent.prefix, name))
                if column not in self.properties:
                    flat[column] = item
                continue
            column, how = member
            if how is False or (item is None and how is True):
                flat[column] = item
            elif how is True:
                flat[column] = item if type(item) is str else self._text(item, f"{parent.path}.{name}")
            elif isinstance(how, _Parent):
                self._spread(item, how, flat)

    def _text(self, value: Any, path: str) -> str:
        try:
            return encode_exactly(value).decode()
        except (TypeError, ValueError, RecursionError) as error:
            raise SchemaError(
                f"Flattening stream '{self.stream}': '{path}' has no JSON form ({type(error).__name__})."
            ) from None


def _object_of(declared: JSON) -> tuple[Schema | None, bool]:
    """The object schema to take apart, if the property can be nothing else but null.

    And whether it can be null.
    """
    if not isinstance(declared, dict):
        return None, False
    names = declared.get("type")
    types = {names} if isinstance(names, str) else set(names) if isinstance(names, list) else set()
    if (
        types
        and types <= {"object", "null"}
        and isinstance(declared.get("properties"), dict)
        and declared["properties"]
    ):
        return declared, "null" in types
    for keyword in ("anyOf", "oneOf"):
        branches = declared.get(keyword)
        if not types and isinstance(branches, list):
            rest = [branch for branch in branches if branch != {"type": "null"}]
            if len(rest) == 1:
                inner, null = _object_of(rest[0])
                return inner, null or len(rest) < len(branches)
    return None, False


def _flat_property(declared: JSON) -> tuple[Schema, bool]:
    """A leaf's schema, and whether what is no text becomes JSON text."""
    types = _possible_types(declared)
    if types is not None and not types & {"object", "array"}:
        return declared, False
    return {"type": "string" if types is not None and "null" not in types else ["null", "string"]}, True


def _possible_types(declared: JSON) -> set[str] | None:
    if not isinstance(declared, dict):
        return None
    names = declared.get("type")
    if isinstance(names, str):
        return {names}
    if isinstance(names, list):
        return set(names)
    for keyword in ("anyOf", "oneOf"):
        branches = declared.get(keyword)
        if isinstance(branches, list) and branches:
            found = [_possible_types(branch) for branch in branches]
            return None if any(types is None for types in found) else set().union(*(t for t in found if t is not None))
    values = (
        declared["enum"]
        if isinstance(declared.get("enum"), list)
        else [declared["const"]]
        if "const" in declared
        else None
    )
    if values is not None and not any(isinstance(value, (dict, list)) for value in values):
        return set(_SCALARS)
    return None


def _or_null(declared: Schema) -> Schema:
    names = declared.get("type")
    combinators = {"enum", "const", "allOf", "anyOf", "oneOf", "not", "if", "$ref"} & set(declared)
    if isinstance(names, str) and not combinators:
        return declared if names == "null" else {**declared, "type": ["null", names]}
    if isinstance(names, list) and not combinators:
        return declared if "null" in names else {**declared, "type": ["null", *names]}
    return {"anyOf": [declared, {"type": "null"}]}
