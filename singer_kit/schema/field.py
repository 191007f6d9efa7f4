"""`th.Field`: what `Annotated[type, th.Field(...)]` adds to the schema of a typed class's member."""

from collections.abc import Mapping, Sequence
from typing import Any


class Field:
    """Keywords for one member of a typed class.

    `name` is the member's name in records when Python cannot spell it; `schema` replaces the schema of the
    annotation; `nullable` overrides "not required means nullable"; `extra` keywords join the schema as they
    are.
    """

    __slots__ = ("keywords", "name", "nullable", "schema")

    def __init__(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        title: str | None = None,
        default: Any = None,
        examples: Sequence[Any] | None = None,
        secret: bool = False,
        deprecated: bool = False,
        nullable: bool | None = None,
        allowed_values: Sequence[Any] | None = None,
        format: str | None = None,  # noqa: A002 - JSON Schema's word
        min_length: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        minimum: float | None = None,
        maximum: float | None = None,
        exclusive_minimum: float | None = None,
        exclusive_maximum: float | None = None,
        multiple_of: float | None = None,
        min_size: int | None = None,
        max_size: int | None = None,
        unique: bool | None = None,
        schema: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> None:
        self.name = name
        self.nullable = nullable
        self.schema = schema
        keywords = {
            "format": format,
            "minLength": min_length,
            "maxLength": max_length,
            "pattern": pattern,
            "minimum": minimum,
            "maximum": maximum,
            "exclusiveMinimum": exclusive_minimum,
            "exclusiveMaximum": exclusive_maximum,
            "multipleOf": multiple_of,
            "minItems": min_size,
            "maxItems": max_size,
            "uniqueItems": unique,
            "enum": None if allowed_values is None else list(allowed_values),
            "examples": None if examples is None else list(examples),
            "default": default,
            "title": title,
            "description": description,
            "deprecated": deprecated or None,
            "secret": secret or None,
            "writeOnly": secret or None,
        }
        self.keywords = {word: value for word, value in keywords.items() if value is not None} | extra

    def __repr__(self) -> str:
        return f"Field({self.keywords})"
