"""Which draft of JSON Schema a schema is written in, and where in it other schemas stand.

Knows keywords only; it must not judge records.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias

from singer_kit.errors import SchemaError

__all__ = ["KEYWORDS", "Draft", "draft_of", "subschemas", "target_of", "without_dialect"]

Draft: TypeAlias = Literal["4", "6", "7", "2019-09", "2020-12"]

_DIALECTS: Final[dict[str, Draft]] = {
    "json-schema.org/draft-04/schema": "4",
    "json-schema.org/draft-06/schema": "6",
    "json-schema.org/draft-07/schema": "7",
    "json-schema.org/draft/2019-09/schema": "2019-09",
    "json-schema.org/draft/2020-12/schema": "2020-12",
}

_COMMON: Final = frozenset(
    (  # noqa: SIM905 - a column of quotes reads worse
        "$ref additionalProperties allOf anyOf enum format items maxItems maxLength maxProperties maximum minItems "
        "minLength minProperties minimum multipleOf not oneOf pattern patternProperties properties required type "
        "uniqueItems"
    ).split()
)
_DRAFT_4: Final = _COMMON | {"additionalItems", "dependencies"}
_DRAFT_6: Final = _DRAFT_4 | {"const", "contains", "exclusiveMaximum", "exclusiveMinimum", "propertyNames"}
_DRAFT_7: Final = _DRAFT_6 | {"if"}
_DEPENDENT: Final = frozenset({"dependentRequired", "dependentSchemas"})
_UNEVALUATED: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_2019_09: Final = (_DRAFT_7 - {"dependencies"}) | _DEPENDENT | _UNEVALUATED | {"$recursiveRef"}
_2020_12: Final = (_2019_09 - {"additionalItems", "$recursiveRef"}) | {"prefixItems", "$dynamicRef"}

KEYWORDS: Final[dict[Draft, frozenset[str]]] = {
    "4": _DRAFT_4,
    "6": _DRAFT_6,
    "7": _DRAFT_7,
    "2019-09": _2019_09,
    "2020-12": _2020_12,
}
"""What each draft judges by; anything else in a schema is a remark. (`then`, `else`, `minContains`, `maxContains`
and Draft 4's exclusive bounds are read together with the keyword they qualify.)"""

_ONE: Final = (
    *("additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames"),
    *("then", "unevaluatedItems", "unevaluatedProperties"),
)
_SEVERAL: Final = ("allOf", "anyOf", "oneOf", "items", "prefixItems")
_NAMED: Final = (*("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"),)
_LITERAL: Final = frozenset({"enum", "const", "default", "examples"})
_ONLY_SINCE_2019: Final = _DEPENDENT | _UNEVALUATED | {"prefixItems", "minContains", "maxContains", "$dynamicRef"}


def draft_of(schema: dict[str, Any]) -> Draft:
    """The draft that judges records of `schema`: what its own `$schema` says, else Draft 7.

    Singer says nothing of drafts and its connectors write Draft 4 and Draft 7 without naming either; the two agree on
    what they share, so Draft 7 stands for both. Two things Draft 7 cannot mean decide otherwise: a true or false
    `exclusiveMinimum` or `exclusiveMaximum` is Draft 4; and keywords that came with 2019-09 or 2020-12, or that judge
    beside a `$ref` (class libraries write them), are 2020-12, or 2019-09 with a list of `items`, for leaving them
    unjudged would let bad records pass. An unknown `$schema` is
    read as if there were none. Raises `SchemaError` for Draft 3.
    """
    said = schema.get("$schema")
    if isinstance(said, str):
        dialect = said.strip().rstrip("#").removeprefix("https://").removeprefix("http://")
        if dialect in _DIALECTS:
            return _DIALECTS[dialect]
        if dialect == "json-schema.org/draft-03/schema":
            raise SchemaError(
                "The schema is written in Draft 3, which is not understood.",
                place="schema: $schema",
                next_step="write it in Draft 4 or later (`required` becomes a list beside `properties`).",
            )
    newer = listed = has_dependencies = False
    for one in subschemas(schema):
        if isinstance(one.get("exclusiveMinimum"), bool) or isinstance(one.get("exclusiveMaximum"), bool):
            return "4"
        newer = newer or not _ONLY_SINCE_2019.isdisjoint(one) or ("$ref" in one and len(_DRAFT_7 & one.keys()) > 1)
        has_dependencies = has_dependencies or "dependencies" in one
        listed = listed or isinstance(one.get("items"), list)
    if not newer or has_dependencies:
        return "7"
    return "2019-09" if listed else "2020-12"


def subschemas(schema: object) -> Iterator[dict[str, Any]]:
    """`schema` and every schema inside it, each as it is written; references are not followed."""
    waiting: list[object] = [schema]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, dict):
            continue
        yield one
        waiting.extend(one[keyword] for keyword in _ONE if keyword in one)
        for keyword in _SEVERAL:
            if isinstance(listed := one.get(keyword), list):
                waiting.extend(listed)
        for keyword in _NAMED:
            if isinstance(named := one.get(keyword), dict):
                waiting.extend(named.values())


def target_of(root: Any, reference: str) -> Any:
    """What a reference by JSON pointer (`#`, `#/definitions/x`) leads to. Raises `KeyError` when it leads nowhere."""
    if reference != "#" and not reference.startswith("#/"):
        raise KeyError(reference)
    pointer = reference[1:]
    if "%" in pointer:
        pointer = re.sub(rb"%([0-9A-Fa-f]{2})", _percent_decoded, pointer.encode()).decode(errors="replace")
    found = root
    for step in pointer.split("/")[1:]:
        if not isinstance(found, dict):
            raise KeyError(reference)
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def _percent_decoded(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode())


def without_dialect(schema: Any) -> Any:
    """A copy of `schema` in which no schema names a draft: the root's holds for all of them."""
    if isinstance(schema, dict):
        return {
            keyword: value
            if keyword in _LITERAL
            else {name: without_dialect(inner) for name, inner in value.items()}
            if keyword in _NAMED and isinstance(value, dict)
            else without_dialect(value)
            for keyword, value in schema.items()
            if keyword != "$schema"
        }
    if isinstance(schema, list):
        return [without_dialect(item) for item in schema]
    return schema
