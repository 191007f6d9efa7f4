"""Reading a settings schema: what a node's types, properties and items are, `$ref`s into itself followed.

Pure functions over JSON Schema dicts; values are not looked at here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["branches", "item_schema", "properties", "resolve", "types"]

Schema = Mapping[str, Any]
_ANYTHING = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})


def resolve(root: Schema, node: Any) -> Schema:
    """`node`, or what its `$ref` into `root` points to; {} for anything that is no schema object."""
    for _ in range(32):  # a chain longer than that is a circle
        if not isinstance(node, Mapping):
            return {}
        reference = node.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return node
        target: Any = root
        for step in reference.lstrip("#").split("/")[1:]:
            target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, Mapping) else {}
        siblings = {key: value for key, value in node.items() if key != "$ref"}
        node = {**target, **siblings} if isinstance(target, Mapping) else siblings
    return {}


def branches(root: Schema, node: Any) -> Iterator[Schema]:
    """The node itself and every branch of its `anyOf`, `oneOf` and `allOf`, at any depth."""
    pending = [(node, 0)]
    while pending:
        current, depth = pending.pop(0)
        schema = resolve(root, current)
        yield schema
        if depth < 8:
            for keyword in ("anyOf", "oneOf", "allOf"):
                pending += [(branch, depth + 1) for branch in schema.get(keyword) or ()]


def types(root: Schema, node: Any) -> frozenset[str]:
    """The JSON types that a value of `node` may have; all of them when it says nothing."""
    found: set[str] = set()
    for schema in branches(root, node):
        declared = schema.get("type")
        if isinstance(declared, str):
            found.add(declared)
        elif isinstance(declared, (list, tuple)):
            found.update(declared)
        elif "enum" in schema:
            found.update(map(_type_of, schema["enum"]))
        elif "const" in schema:
            found.add(_type_of(schema["const"]))
        elif "properties" in schema:
            found.add("object")
    return frozenset(found) or _ANYTHING


def properties(root: Schema, node: Any) -> dict[str, Schema]:
    """The properties that a node and its branches declare, by name."""
    found: dict[str, Schema] = {}
    for schema in branches(root, node):
        for name, child in (schema.get("properties") or {}).items():
            found.setdefault(name, resolve(root, child))
    return found


def item_schema(root: Schema, node: Any) -> Schema:
    """What an array's items must be; {} when nothing is said."""
    for schema in branches(root, node):
        if isinstance(schema.get("items"), Mapping):
            return resolve(root, schema["items"])
    return {}


def _type_of(value: object) -> str:
    if value is None:
        return "null"
    for kind, name in (
        (bool, "boolean"),
        (int, "integer"),
        (str, "string"),
        (dict, "object"),
        (list, "array"),
    ):
        if isinstance(value, kind):
            return name
    return "number"
