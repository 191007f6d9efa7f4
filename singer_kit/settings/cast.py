"""Text of an environment variable to the JSON value that a setting takes.

Pure: text and schema in, value out.
"""

from decimal import Decimal
from typing import Any

from singer_kit.codec import DecodeError, decode
from singer_kit.settings import walk

__all__ = ["NotGiven", "as_number", "cast"]

_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


class NotGiven(Exception):  # noqa: N818 - a verdict, no error
    """The text is empty and the setting takes no text: as good as not set."""


def cast(root: walk.Schema, node: walk.Schema, text: str) -> Any:
    """The value that `text` stands for; `ValueError` names the types that it is not.

    Of several types the narrowest that fits wins: null (the word, or nothing), boolean, integer, number,
    array and object as JSON, then text as it is. An array may also be a list with commas. A setting that
    takes text and not null takes the empty one.
    """
    types = walk.types(root, node)
    stripped = text.strip()
    if "null" in types and (stripped.lower() == "null" or (not stripped and "string" not in types)):
        return None
    if not stripped and "string" not in types:
        raise NotGiven
    if "boolean" in types and (types <= {"boolean", "null"} or stripped.lower() in ("true", "false")):
        word = _WORDS.get(stripped.lower())
        if word is not None:
            return word
    if types & {"integer", "number"}:
        number = _number(stripped, fractions="number" in types)
        if number is not None and ("number" in types or isinstance(number, int)):
            return number
    if types & {"array", "object"}:
        structure = _structure(stripped)
        if (isinstance(structure, list) and "array" in types) or (isinstance(structure, dict) and "object" in types):
            return structure
        if "array" in types and "string" not in types and structure is None:
            return _listed(root, node, text)
    if "string" in types:
        return text
    raise ValueError(" or ".join(sorted(types - {"null"})))


def as_number(number: Decimal) -> float | Decimal:
    """A float when it has the same digits, else the Decimal: nothing is rounded, sums stay ordinary."""
    near = float(number)
    return near if number.is_finite() and Decimal(repr(near)) == number else number


def _number(text: str, *, fractions: bool) -> int | float | Decimal | None:
    try:
        value = decode(text.removeprefix("+"))
    except DecodeError:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    if isinstance(value, Decimal):
        whole = not fractions and value == value.to_integral_value() and value.adjusted() < 40
        return int(value) if whole else as_number(value)
    return value


def _structure(text: str) -> Any:
    if not text.startswith(("[", "{")):
        return None
    try:
        return decode(text)
    except DecodeError:
        raise ValueError("JSON") from None


def _listed(root: walk.Schema, node: walk.Schema, text: str) -> list[Any]:
    items = walk.item_schema(root, node)
    if not walk.types(root, items) - {"object", "array", "null"}:
        raise ValueError("a JSON array")
    return [cast(root, items, part.strip()) for part in text.split(",") if part.strip()]
