"""Which settings are secret, and every spelling in which a secret value might turn up in a text."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from singer_kit.codec import encode
from singer_kit.late import late
from singer_kit.settings import walk

__all__ = ["HIDDEN", "is_secret", "secret_values", "spellings"]

base64 = late("base64")
json = late("json")

HIDDEN = "(hidden)"

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:pass(?:word|wd|phrase)?|pwd|pin|secrets?|tokens?|credentials?|authorization|bearer|cookies?|dsn"
    r"|signature|sas|connection_string|(?:api|access|account|auth|client|encryption|license|master|private|rsa"
    r"|secret|service|shared|signing|ssh|storage|subscription)_?keys?|apikey|jwt)(?:_(?:value|text|json|base64))?$"
)
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CREDENTIALS_IN_URL = re.compile(r"://[^/?#@\s:]*:([^/?#\s]+)@")


def is_secret(name: str, schema: Mapping[str, Any]) -> bool:
    """True when the setting is marked (`secret`, `writeOnly`, format `password`) or its name says so.

    A mark decides either way: `secret: false` shows a setting whose name only looks like one. Most connectors
    leave one of their credentials unmarked, hence the names.
    """
    for mark in ("secret", "writeOnly"):
        if isinstance(schema.get(mark), bool):
            return bool(schema[mark])
    if schema.get("format") == "password":
        return True
    words = _WORD_START.sub("_", name).lower().replace("-", "_").replace(".", "_")
    return _SECRET_NAME.search(words) is not None


def secret_values(root: Mapping[str, Any], node: Any, values: object, *, inside: bool = False) -> Iterable[str]:
    """Every secret text in `values`: settings that are secret, whole, and passwords inside URLs."""
    if isinstance(values, dict):
        declared = walk.properties(root, node)
        for name, value in values.items():
            schema = declared.get(name, {})
            yield from secret_values(root, schema, value, inside=inside or is_secret(name, schema))
    elif isinstance(values, list):
        items = walk.item_schema(root, node)
        for value in values:
            yield from secret_values(root, items, value, inside=inside or is_secret("", items))
    elif isinstance(values, str):
        if inside:
            yield values
        else:
            yield from _CREDENTIALS_IN_URL.findall(values)
    elif inside and values is not None and not isinstance(values, bool):
        yield str(values)


def spellings(secret: str) -> set[str]:
    """How `secret` may stand in a text: itself, its lines, and as URL, JSON, Python and base64 write it."""
    found = {secret, secret.strip(), quote(secret, safe=""), quote(secret), quote_plus(secret)}
    found |= {repr(secret)[1:-1], json.dumps(secret)[1:-1]}
    found.add(base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode().rstrip("="))
    try:
        found.add(encode(secret).decode()[1:-1])
    except (UnicodeEncodeError, TypeError, ValueError):
        found.discard("")  # half a surrogate has no JSON spelling
    if "\n" in secret:
        found.update(line.strip() for line in secret.splitlines() if len(line.strip()) >= 8)
    found.discard("")
    return found
