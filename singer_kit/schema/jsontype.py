"""What every `th` type is: a value that writes one JSON Schema. Must not know the types themselves."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from singer_kit.errors import SchemaError
from singer_kit.schema.nullable import Schema, nullable


class _TypeDict:
    """`type_dict`, readable on a type and on its class alike."""

    def __get__(self, instance: "JSONType | None", owner: "type[JSONType]") -> Schema:
        return (owner() if instance is None else instance).to_dict()


class JSONType:
    """One JSON Schema. `allowed_values` becomes `enum`; `examples` only documents; `nullable` adds null."""

    type_dict = _TypeDict()

    def __init__(
        self,
        *,
        allowed_values: Sequence[Any] | None = None,
        examples: Sequence[Any] | None = None,
        nullable: bool | None = None,
    ) -> None:
        self.allowed_values = allowed_values
        self.examples = examples
        self.nullable = nullable

    def keywords(self) -> Schema:
        """The keywords of this type but `enum`, `examples` and null; what a subclass says."""
        raise NotImplementedError

    def to_dict(self) -> Schema:
        """This type as a JSON Schema: a new dict that the caller may change."""
        schema = self.keywords()
        if self.allowed_values is not None:
            schema["enum"] = list(self.allowed_values)
        if self.examples is not None:
            schema["examples"] = list(self.examples)
        return nullable(schema) if self.nullable else schema

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.to_dict()})"


AnyJSONType: TypeAlias = JSONType | type[JSONType] | Mapping[str, Any]
"""What may stand where a type is asked for: a type, its class, or a JSON Schema as it is."""


def to_schema(wrapped: AnyJSONType) -> Schema:
    """The JSON Schema of a type, of a type's class, or of a schema, as a new dict."""
    if isinstance(wrapped, JSONType):
        return wrapped.to_dict()
    if isinstance(wrapped, type) and issubclass(wrapped, JSONType):
        return wrapped().to_dict()
    if isinstance(wrapped, Mapping):
        return {name: copied(value) for name, value in wrapped.items()}
    raise SchemaError(
        f"A {type(wrapped).__name__} is no type.",
        next_step="pass th.StringType, th.ArrayType(...) or a JSON Schema.",
    )


def copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: copied(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [copied(item) for item in value]
    return value


def said(**keywords: Any) -> Schema:
    """The keywords that have a value, as a schema."""
    return {word: value for word, value in keywords.items() if value is not None}
