"""`th`: schemas written in Python with the Meltano SDK's words, turned into plain dicts.

A type is a value: `StringType` and `StringType(max_length=3)` are both accepted wherever a type is.
`to_dict()` and `type_dict` give a fresh dict each time. This module writes schemas; it must not judge
records, and it stays cheap to import because every connector imports it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from singer_kit.errors import SchemaError
from singer_kit.schema.jsontype import AnyJSONType, JSONType, copied, said, to_schema
from singer_kit.schema.nullable import Schema


class BooleanType(JSONType):
    """true or false."""

    def keywords(self) -> Schema:
        return {"type": ["boolean"]}


class NumberType(JSONType):
    """A number; its digits are kept."""

    json_type: ClassVar[str] = "number"

    def __init__(
        self,
        *,
        minimum: float | None = None,
        maximum: float | None = None,
        exclusive_minimum: float | None = None,
        exclusive_maximum: float | None = None,
        multiple_of: float | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.bounds = said(
            minimum=minimum,
            maximum=maximum,
            exclusiveMinimum=exclusive_minimum,
            exclusiveMaximum=exclusive_maximum,
            multipleOf=multiple_of,
        )

    def keywords(self) -> Schema:
        return {"type": [self.json_type], **self.bounds}


class DecimalType(NumberType):
    """A number that is a `Decimal` in Python; on the wire a JSON number with all its digits."""


class IntegerType(NumberType):
    """A whole number of any size."""

    json_type = "integer"


class NullType(JSONType):
    """null and nothing else."""

    def keywords(self) -> Schema:
        return {"type": ["null"]}


class AnyType(JSONType):
    """Any JSON value. The types are all named, because some targets drop a column that names none."""

    def keywords(self) -> Schema:
        return {"type": ["string", "number", "integer", "boolean", "object", "array", "null"]}


class ArrayType(JSONType):
    """A list whose items are all of one type; without a type, of any."""

    def __init__(
        self,
        wrapped_type: AnyJSONType | None = None,
        *,
        min_size: int | None = None,
        max_size: int | None = None,
        unique: bool | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.wrapped_type = wrapped_type
        self.bounds = said(minItems=min_size, maxItems=max_size, uniqueItems=unique)

    def keywords(self) -> Schema:
        items = {} if self.wrapped_type is None else {"items": to_schema(self.wrapped_type)}
        return {"type": "array", **items, **self.bounds}


class CustomType(JSONType):
    """A JSON Schema as it is."""

    def __init__(self, jsonschema_type_dict: Mapping[str, Any]) -> None:
        super().__init__()
        self.schema = to_schema(jsonschema_type_dict)

    def keywords(self) -> Schema:
        return to_schema(self.schema)


class Constant(JSONType):
    """One value and no other."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def keywords(self) -> Schema:
        return {"const": self.value}


class AllOf(JSONType):
    """What every one of the types accepts."""

    keyword: ClassVar[str] = "allOf"

    def __init__(self, *wrapped_types: AnyJSONType, **common: Any) -> None:
        super().__init__(**common)
        self.wrapped_types = wrapped_types

    def keywords(self) -> Schema:
        return {self.keyword: [to_schema(wrapped) for wrapped in self.wrapped_types]}


class AnyOf(AllOf):
    """What at least one of the types accepts."""

    keyword = "anyOf"


class OneOf(AllOf):
    """What exactly one of the types accepts."""

    keyword = "oneOf"


class Property(JSONType):
    """A named member of an object.

    A property that is not `required` may be missing and, unless `nullable=False`, null. A `default` is filled
    in for settings. `secret` marks a setting that is never printed. `requires_properties` names other members
    that must be there when this one is. `extra` keywords join the schema as they are.
    """

    def __init__(  # noqa: PLR0917 - the Meltano SDK's order
        self,
        name: str,
        wrapped: AnyJSONType,
        required: bool = False,
        default: Any = None,
        description: str | None = None,
        secret: bool | None = None,
        allowed_values: Sequence[Any] | None = None,
        examples: Sequence[Any] | None = None,
        *,
        nullable: bool | None = None,
        title: str | None = None,
        deprecated: bool | None = None,
        requires_properties: Sequence[str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(
            allowed_values=allowed_values,
            examples=examples,
            nullable=not required if nullable is None else nullable,
        )
        self.name = name
        self.wrapped = wrapped
        self.optional = not required
        self.default = default
        self.description = description
        self.secret = secret
        self.title = title
        self.deprecated = deprecated
        self.requires_properties = tuple(requires_properties or ())
        self.extra = extra

    def keywords(self) -> Schema:
        return to_schema(self.wrapped)

    @property
    def type_dict(self) -> Schema:  # type: ignore[override]  # a property has no meaning on its class
        """The JSON Schema of the wrapped type alone."""
        return to_schema(self.wrapped)

    @property
    def schema(self) -> Schema:
        """The JSON Schema of the member, null and annotations included."""
        schema = super().to_dict()
        schema.update(
            **said(
                default=copied(self.default),
                title=self.title,
                description=self.description,
                deprecated=self.deprecated or None,
                secret=self.secret or None,
                writeOnly=self.secret or None,
            ),
            **self.extra,
        )
        return schema

    def to_dict(self) -> Schema:
        """`{name: schema}`, as it stands in `properties`."""
        return {self.name: self.schema}


class ObjectType(JSONType):
    """An object of named properties; without any, an object of any members.

    `additional_properties` says what other members may be: False for none, True or a type.
    `pattern_properties` gives types to names that match a regular expression.
    """

    def __init__(
        self,
        *properties: Property,
        additional_properties: AnyJSONType | bool | None = None,
        pattern_properties: Mapping[str, AnyJSONType] | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.wrapped: dict[str, Property] = {}
        self.additional_properties = additional_properties
        self.pattern_properties = pattern_properties
        self.extend(properties)

    def append(self, property: Property) -> None:  # noqa: A002 - the Meltano SDK's word
        """Adds a property at the end. Raises `SchemaError` when the name is taken."""
        if property.name in self.wrapped:
            raise SchemaError(
                f"Property '{property.name}' is declared twice.", next_step="remove or rename one of the two."
            )
        self.wrapped[property.name] = property

    def extend(self, properties: Iterable[Property]) -> None:
        """Adds several properties; another `PropertiesList` will do."""
        for each in properties:
            self.append(each)

    def items(self) -> Iterable[tuple[str, Property]]:
        """The properties by name, in order."""
        return self.wrapped.items()

    def __iter__(self) -> Iterator[Property]:
        return iter(self.wrapped.values())

    def __len__(self) -> int:
        return len(self.wrapped)

    def __contains__(self, name: object) -> bool:
        return name in self.wrapped

    def __bool__(self) -> bool:
        return True

    def keywords(self) -> Schema:
        schema: Schema = {"type": "object"}
        if self.wrapped:
            schema["properties"] = {name: each.schema for name, each in self.wrapped.items()}
        required = [name for name, each in self.wrapped.items() if not each.optional]
        if required:
            schema["required"] = required
        needs = {name: list(each.requires_properties) for name, each in self.items() if each.requires_properties}
        if needs:
            schema["dependencies"] = needs
        if self.additional_properties is not None:
            extra = self.additional_properties
            schema["additionalProperties"] = extra if isinstance(extra, bool) else to_schema(extra)
        if self.pattern_properties is not None:
            schema["patternProperties"] = {
                pattern: to_schema(wrapped) for pattern, wrapped in self.pattern_properties.items()
            }
        return schema


class PropertiesList(ObjectType):
    """The properties of a stream's records or of a connector's settings."""

    def keywords(self) -> Schema:
        schema = super().keywords()
        return {"type": "object", "properties": schema.pop("properties", {}), **schema}


class DiscriminatedUnion(OneOf):
    """One of several objects, told apart by the value of the member `key`.

    `DiscriminatedUnion("kind", basic=ObjectType(...), oauth=ObjectType(...))`: each option is required to
    carry its own name in `key`.
    """

    def __init__(self, key: str, **options: ObjectType) -> None:
        super().__init__(
            *(
                ObjectType(
                    Property(key, Constant(name), required=True),
                    *option,
                    additional_properties=option.additional_properties,
                    pattern_properties=option.pattern_properties,
                )
                for name, option in options.items()
            )
        )
        self.key = key
        self.options = options
