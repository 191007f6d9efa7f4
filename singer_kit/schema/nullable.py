"""Whether a schema accepts null, and the schema that does. Must not judge anything but null."""

from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

ANNOTATIONS = frozenset(
    {
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "secret",
        "$comment",
    }
)
"""Keywords that say something about a value and never refuse one."""


def accepts_null(schema: Any) -> bool:
    """Whether null is valid; a `$ref` that is not yet resolved counts as no."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return False
    kind = schema.get("type")
    if kind is not None and kind != "null" and not (isinstance(kind, (list, tuple)) and "null" in kind):
        return False
    if "enum" in schema and None not in schema["enum"]:
        return False
    if "const" in schema and schema["const"] is not None:
        return False
    if not all(map(accepts_null, schema.get("allOf", ()))):
        return False
    if "anyOf" in schema and not any(map(accepts_null, schema["anyOf"])):
        return False
    if "oneOf" in schema and sum(map(accepts_null, schema["oneOf"])) != 1:
        return False
    if "not" in schema and accepts_null(schema["not"]):
        return False
    if "if" in schema:
        return accepts_null(schema.get("then" if accepts_null(schema["if"]) else "else", True))
    return True


def nullable(schema: Schema) -> Schema:
    """A schema that accepts null and whatever `schema` accepts; `schema` itself is left as it is.

    `null` joins `type` and `enum` where that is all it takes, so that the outcome stays readable to any
    target.
    """
    if accepts_null(schema):
        return schema
    widened = dict(schema)
    if "type" in widened:
        kinds = widened["type"]
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        widened["type"] = kinds if "null" in kinds else [*kinds, "null"]
    if "enum" in widened and None not in widened["enum"]:
        widened["enum"] = [*widened["enum"], None]
    if "const" in widened and widened["const"] is not None:
        widened["enum"] = [widened.pop("const"), None]
    for choice in ("anyOf", "oneOf"):
        if choice in widened and not any(map(accepts_null, widened[choice])):
            widened[choice] = [*widened[choice], {"type": "null"}]
    if accepts_null(widened):
        return widened
    about = {word: value for word, value in schema.items() if word in ANNOTATIONS}
    rule = {word: value for word, value in schema.items() if word not in ANNOTATIONS}
    return {"anyOf": [rule, {"type": "null"}], **about}
