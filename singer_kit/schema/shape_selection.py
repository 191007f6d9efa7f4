"""The schema that a shape is compiled from: what is selected, with a mark for every field that is left out.

It must not judge values, and changes no schema that it is given.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from singer_kit.schema.shape_plain import DESELECTED, types_of

__all__ = ["shape_schema"]

Schema = Mapping[str, Any]

_BRANCHES: Final = ("anyOf", "oneOf", "allOf")


def shape_schema(full: Any, selected: Any) -> Any:
    """`selected`, alternatives that only add null written as types, `DESELECTED` for what only `full` declares."""
    return _marked(_simplified(full), _simplified(selected))


def _simplified(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    plainer = dict(_without_null_branch(schema))
    if isinstance(plainer.get("properties"), Mapping):
        plainer["properties"] = {name: _simplified(inner) for name, inner in plainer["properties"].items()}
    for keyword in ("items", "additionalProperties"):
        if isinstance(plainer.get(keyword), Mapping):
            plainer[keyword] = _simplified(plainer[keyword])
    return plainer


def _without_null_branch(schema: Schema) -> Schema:
    """`anyOf: [X, null]` as X with the type null: stricter where X lists its values, never laxer."""
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword)
        if not isinstance(branches, list) or len(branches) != 2 or "type" in schema:
            continue
        rest = [branch for branch in branches if not _is_null(branch)]
        if len(rest) != 1 or not isinstance(rest[0], Mapping) or not types_of(rest[0]):
            continue
        if set(schema) & set(rest[0]) or "null" in types_of(rest[0]):
            continue
        beside = {word: value for word, value in schema.items() if word != keyword}
        return {**beside, **rest[0], "type": [*sorted(types_of(rest[0])), "null"]}
    return schema


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and types_of(schema) == {"null"} and not _BRANCHES_OR_VALUES & set(schema)


_BRANCHES_OR_VALUES: Final = {*_BRANCHES, "enum", "const", "not", "$ref", "if"}


def _marked(full: Any, selected: Any) -> Any:
    if full is selected or not isinstance(full, Mapping) or not isinstance(selected, Mapping):
        return selected
    merged = dict(selected)
    chosen = selected.get("properties") or {}
    if isinstance(full.get("properties"), Mapping):
        merged["properties"] = {
            name: _marked(full["properties"].get(name), chosen[name]) if name in chosen else DESELECTED
            for name in (*chosen, *(name for name in full["properties"] if name not in chosen))
        }
    if isinstance(full.get("items"), Mapping):
        merged["items"] = _marked(full["items"], selected.get("items"))
    if any(full.get(keyword) for keyword in _BRANCHES):
        lost = _lost([full], [selected])
        if "properties" in lost:
            merged["properties"] = {**lost["properties"], **(merged.get("properties") or {})}
        if "items" in lost and "items" not in merged:
            merged["items"] = lost["items"]
    return merged


def _lost(fulls: list[Any], selecteds: list[Any]) -> dict[str, Any]:
    """A schema of nothing but marks: for what the alternatives of `fulls` declare and those of `selecteds` lack."""
    before, after = _declared(fulls), _declared(selecteds)
    properties: dict[str, Any] = {}
    for name, inner in before.items():
        if name not in after:
            properties[name] = DESELECTED
        elif below := _lost(inner, after[name]):
            properties[name] = below
    lost: dict[str, Any] = {"properties": properties, "additionalProperties": True} if properties else {}
    items = _lost(_items(fulls), _items(selecteds)) if _items(fulls) else {}
    return {**lost, "items": items} if items else lost


def _declared(schemas: list[Any]) -> dict[str, list[Any]]:
    declared: dict[str, list[Any]] = {}
    for schema in _in_place(schemas):
        for name, inner in (schema.get("properties") or {}).items():
            declared.setdefault(name, []).append(inner)
    return declared


def _items(schemas: list[Any]) -> list[Any]:
    return [schema["items"] for schema in _in_place(schemas) if isinstance(schema.get("items"), Mapping)]


def _in_place(schemas: list[Any]) -> Iterator[Schema]:
    for schema in schemas:
        if isinstance(schema, Mapping):
            yield schema
            for keyword in _BRANCHES:
                yield from _in_place(list(schema.get(keyword) or ()))
