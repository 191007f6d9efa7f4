"""The JSON Schema of a pydantic model in the form that Singer targets read. Must not import pydantic."""

from typing import Any

from singer_kit.schema.drafts import map_subschemas, to_draft_7
from singer_kit.schema.nullable import ANNOTATIONS, Schema, accepts_null, nullable
from singer_kit.schema.refs import resolve_refs


def schema_of_model(model: Any) -> Schema:
    """`model.model_json_schema()`, inlined; what is not required is nullable, a secret is marked `secret`.

    A `Decimal`, which pydantic takes as a number or as text, is a number.
    """
    schema = resolve_refs(model.model_json_schema())
    return to_draft_7({"$schema": _DIALECT, **_singer(schema)})


_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _singer(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    changed = map_subschemas(schema, _singer)
    if changed.get("format") == "password" and changed.get("writeOnly"):
        changed["secret"] = True
    if "anyOf" in changed:
        changed = _simpler(changed)
    for name, each in changed.get("properties", {}).items():
        if name not in changed.get("required", ()) and isinstance(each, dict):
            changed["properties"][name] = nullable(each)
        if isinstance(each, dict) and each.get("default", ...) is None:
            del changed["properties"][name]["default"]
    return changed


def _simpler(schema: Schema) -> Schema:
    """`anyOf` without what `type` can say: null, and the text that pydantic takes for a Decimal."""
    rest = {word: value for word, value in schema.items() if word != "anyOf"}
    choices = [each for each in schema["anyOf"] if each != {"type": "null"}]
    numbers = [each for each in choices if each.get("type") == "number"]
    if numbers and len(choices) == 2 and all(each.get("type") in ("number", "string") for each in choices):
        text: Schema = next((each for each in choices if each.get("type") == "string"), {})
        if set(text) <= {"type", "pattern"} and text.get("pattern", "").startswith("^(?!^[-+.]*$)"):
            choices = numbers
    if len(choices) != 1 or any(word not in ANNOTATIONS for word in rest):
        return schema
    alone = {**choices[0], **rest}
    return nullable(alone) if any(map(accepts_null, schema["anyOf"])) else alone
