"""A JSON Schema of any draft in the words of Draft 7, which every Singer target reads.

Understood are drafts 4, 6, 7, 2019-09 and 2020-12 (`dialect.draft_of` tells which); `beyond_draft_7` names the
keywords that Draft 7 cannot say. This module moves keywords; it must not judge records and must not follow a `$ref`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from singer_kit.schema.dialect import Draft, draft_of, subschemas
from singer_kit.schema.nullable import Schema

SCHEMA_KEYWORDS = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
"""Keywords whose value is a schema; `items` may hold a list of them."""
SCHEMA_MAP_KEYWORDS = frozenset(
    {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)
"""Keywords whose value holds schemas by name; in `dependencies` a list of names may stand for one."""
SCHEMA_LIST_KEYWORDS = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
"""Keywords whose value is a list of schemas."""

_ONLY_LATER = {
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "maxContains",
    "minContains",
    "unevaluatedItems",
    "unevaluatedProperties",
}


def map_subschemas(schema: Mapping[str, Any], change: Callable[[Any], Any]) -> Schema:
    """A new schema in which `change` was applied to each schema directly below and to nothing else."""
    changed: Schema = {}
    for keyword, value in schema.items():
        if keyword in SCHEMA_MAP_KEYWORDS and isinstance(value, Mapping):
            changed[keyword] = {
                name: list(each) if isinstance(each, (list, tuple)) else change(each) for name, each in value.items()
            }
        elif keyword in SCHEMA_LIST_KEYWORDS and isinstance(value, (list, tuple)):
            changed[keyword] = [change(each) for each in value]
        elif keyword in SCHEMA_KEYWORDS:
            changed[keyword] = change(value)
        else:
            changed[keyword] = value
    return changed


def beyond_draft_7(schema: Schema) -> set[str]:
    """The keywords in use that Draft 7 cannot say: only 2019-09 and 2020-12 judge them."""
    return {keyword for each in subschemas(schema) for keyword in each if keyword in _ONLY_LATER}


def to_draft_7(schema: Schema) -> Schema:
    """The same schema in the words of Draft 7, which every Singer target reads, without `$schema`.

    Boolean exclusive bounds become numbers; `dependentRequired`, `dependentSchemas` and `prefixItems` become
    `dependencies` and `items`. A schema with keywords that Draft 7 cannot say is returned as it is. An
    integer of Draft 4 may be written `1.0` from then on, as in all later drafts.
    """
    draft = draft_of(schema)
    if draft in ("2019-09", "2020-12") and beyond_draft_7(schema):
        return schema
    changed = _to_draft_7(schema, draft)
    changed.pop("$schema", None)
    return changed  # type: ignore[no-any-return]


def _to_draft_7(schema: Any, draft: Draft) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    changed = map_subschemas(schema, lambda below: _to_draft_7(below, draft))
    if draft == "4":
        _bounds_of_draft_4(changed)
    elif draft in ("2019-09", "2020-12"):
        needs = {**changed.pop("dependentRequired", {}), **changed.get("dependencies", {})}
        for name, needed in changed.pop("dependentSchemas", {}).items():
            needs[name] = {"allOf": [needed, {"required": needs[name]}]} if name in needs else needed
        if needs:
            changed["dependencies"] = needs
    if draft == "2020-12" and "prefixItems" in changed:
        rest = changed.pop("items", None)
        changed["items"] = changed.pop("prefixItems")
        if rest is not None:
            changed["additionalItems"] = rest
    return changed


def _bounds_of_draft_4(schema: Schema) -> None:
    """Boolean exclusive bounds become numbers, in place."""
    for exclusive, bound in (("exclusiveMaximum", "maximum"), ("exclusiveMinimum", "minimum")):
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            del schema[exclusive]
            if flag and isinstance(schema.get(bound), (int, float, Decimal)):
                schema[exclusive] = schema.pop(bound)
