"""What a refusal of jsonschema says in our words: types and limits, never a value of the record."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

__all__ = ["type_name", "words"]


def type_name(value: object) -> str:
    """The JSON type of `value` with its article: `a string`, `an integer`, `null`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, (float, Decimal)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, (list, tuple)):
        return "an array"
    if isinstance(value, dict):
        return "an object"
    return f"a Python {type(value).__name__}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _type(error: Any) -> str:
    wanted = error.validator_value
    return (
        f"is {type_name(error.instance)} but the schema says {_listed([wanted] if isinstance(wanted, str) else wanted)}"
    )


def _alternatives(error: Any) -> str:
    if error.validator == "oneOf" and not error.context:
        return "fits more than one alternative of oneOf, and must fit exactly one"
    here = [cause for cause in error.context if not cause.path]
    if here and len(here) == len(error.context) and all(cause.validator == "type" for cause in here):
        wanted: list[str] = []
        for cause in here:
            said = cause.validator_value
            wanted += [one for one in ([said] if isinstance(said, str) else said) if one not in wanted]
        return f"is {type_name(error.instance)} but the schema says {_listed(wanted)}"
    count = len(error.validator_value)
    return f"is {type_name(error.instance)} that fits none of the {count} alternatives of {error.validator}"


def _counted(number: Any, thing: str, things: str) -> str:
    return f"{number} {thing if number == 1 else things}"


def _minimum(error: Any) -> str:
    if error.schema.get("exclusiveMinimum") is True:
        return f"is not greater than {error.validator_value}"
    return f"is less than the minimum {error.validator_value}"


def _maximum(error: Any) -> str:
    if error.schema.get("exclusiveMaximum") is True:
        return f"is not less than {error.validator_value}"
    return f"is greater than the maximum {error.validator_value}"


def _contains(error: Any) -> str:
    if error.validator == "maxContains":
        return f"has more than {_counted(error.validator_value, 'item', 'items')} of the kind that contains asks for"
    least = error.schema.get("minContains", 1)
    return f"has less than {_counted(least, 'item', 'items')} of the kind that contains asks for"


_WORDS: Final[dict[str, Callable[[Any], str]]] = {
    "type": _type,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
    "format": lambda error: f"is a string but no {error.validator_value}",
    "enum": lambda error: (
        f"is none of the {_counted(len(error.validator_value), 'value', 'values')} that the schema lists"
    ),
    "const": lambda _: "is not the one value that the schema allows",
    "pattern": lambda error: f"does not match the pattern {error.validator_value}",
    "minimum": _minimum,
    "maximum": _maximum,
    "exclusiveMinimum": lambda error: f"is not greater than {error.validator_value}",
    "exclusiveMaximum": lambda error: f"is not less than {error.validator_value}",
    "multipleOf": lambda error: f"is not a multiple of {error.validator_value}",
    "minLength": lambda error: f"is shorter than {_counted(error.validator_value, 'character', 'characters')}",
    "maxLength": lambda error: f"is longer than {_counted(error.validator_value, 'character', 'characters')}",
    "minItems": lambda error: f"has less than {_counted(error.validator_value, 'item', 'items')}",
    "maxItems": lambda error: f"has more than {_counted(error.validator_value, 'item', 'items')}",
    "items": lambda _: "has more items than the schema allows",
    "additionalItems": lambda _: "has more items than the schema allows",
    "unevaluatedItems": lambda _: "has items that no part of the schema allows",
    "uniqueItems": lambda _: "has the same item twice",
    "contains": _contains,
    "minContains": _contains,
    "maxContains": _contains,
    "minProperties": lambda error: f"has less than {_counted(error.validator_value, 'property', 'properties')}",
    "maxProperties": lambda error: f"has more than {_counted(error.validator_value, 'property', 'properties')}",
    "unevaluatedProperties": lambda _: "has properties that no part of the schema allows",
    "not": lambda _: "is what the schema forbids by not",
    "dependencies": lambda _: "lacks a property that another of its properties needs",
    "dependentRequired": lambda _: "lacks a property that another of its properties needs",
}


def words(error: Any) -> str:
    """The predicate of a sentence about the offending value, from an error of jsonschema."""
    word = _WORDS.get(error.validator)
    return word(error) if word is not None else f"does not keep the schema's {error.validator}"
