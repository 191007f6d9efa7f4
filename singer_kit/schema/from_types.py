"""`schema_of`: the JSON Schema of whatever a connector's author declared one with.

A dict, a `th` type, a schema file, a TypedDict, a dataclass, an attrs class, a `msgspec.Struct`, a pydantic
model, or any annotation made of these. Classes are recognised by what they carry; no library of theirs is
imported here. What is not required is nullable.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

from singer_kit.errors import SchemaError
from singer_kit.schema.drafts import to_draft_7
from singer_kit.schema.field import Field
from singer_kit.schema.jsontype import JSONType, copied, to_schema
from singer_kit.schema.members import Member, members_of
from singer_kit.schema.nullable import Schema, accepts_null, nullable
from singer_kit.schema.pydantic_models import schema_of_model
from singer_kit.schema.refs import has_refs, resolve_refs

_ANY = ["string", "number", "integer", "boolean", "object", "array", "null"]
_SCALARS: dict[str, Schema] = {
    "builtins.bool": {"type": ["boolean"]},
    "builtins.int": {"type": ["integer"]},
    "builtins.float": {"type": ["number"]},
    "decimal.Decimal": {"type": ["number"]},
    "builtins.str": {"type": ["string"]},
    "builtins.bytes": {"type": ["string"], "contentEncoding": "base64"},
    "builtins.bytearray": {"type": ["string"], "contentEncoding": "base64"},
    "builtins.NoneType": {"type": ["null"]},
    "builtins.object": {"type": _ANY},
    "typing.Any": {"type": _ANY},
    "typing_extensions.Any": {"type": _ANY},
    "datetime.datetime": {"type": ["string"], "format": "date-time"},
    "datetime.date": {"type": ["string"], "format": "date"},
    "datetime.time": {"type": ["string"], "format": "time"},
    "datetime.timedelta": {"type": ["string"], "format": "duration"},
    "uuid.UUID": {"type": ["string"], "format": "uuid"},
    "ipaddress.IPv4Address": {"type": ["string"], "format": "ipv4"},
    "ipaddress.IPv6Address": {"type": ["string"], "format": "ipv6"},
    "re.Pattern": {"type": ["string"], "format": "regex"},
    "msgspec.Raw": {"type": _ANY},
}
_ARRAYS = frozenset(
    {"list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "tuple", "Tuple"}
    | {"set", "Set", "frozenset", "FrozenSet", "MutableSet", "AbstractSet"}
)
_OBJECTS = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict"})
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "title": "title",
    "description": "description",
    "documentation": "description",
}
"""What `msgspec.Meta`, annotated-types and `Doc` call a keyword."""


def schema_of(declared: Any) -> Schema:
    """`declared` as a JSON Schema: a new dict, its references inlined, in the words of Draft 7.

    Raises `SchemaError` for a type that JSON does not have and for a class that holds itself.
    """
    if isinstance(declared, JSONType) or (isinstance(declared, type) and issubclass(declared, JSONType)):
        schema = to_schema(declared)
    elif isinstance(declared, Mapping):
        schema = copied(declared)
    elif not isinstance(declared, type) and callable(getattr(declared, "to_dict", None)):
        schema = copied(declared.to_dict())
    else:
        return _Reader().schema(declared)
    return to_draft_7(resolve_refs(schema) if has_refs(schema) else schema)


class _Reader:
    """One reading of an annotation: knows the classes it is inside of, to notice one that holds itself."""

    def __init__(self) -> None:
        self.inside: list[Any] = []

    def schema(self, annotation: Any) -> Schema:
        if isinstance(annotation, (JSONType, Mapping)):
            return schema_of(annotation)
        named = _SCALARS.get(_name_of(annotation))
        if named is not None:
            return copied(named)  # type: ignore[no-any-return]
        if annotation is None:
            return {"type": ["null"]}
        origin = get_origin(annotation)
        if origin is not None:
            return self._generic(annotation, origin)
        if isinstance(annotation, type):
            return self._class(annotation)
        for unwrapped in ("__supertype__", "__value__", "__bound__"):
            inner = getattr(annotation, unwrapped, None)
            if inner is not None:
                return self.schema(inner)
        if _bare_name(annotation) in _ARRAYS:
            return {"type": "array"}
        if _bare_name(annotation) in _OBJECTS:
            return {"type": "object"}
        if hasattr(annotation, "__constraints__"):
            return {"type": list(_ANY)}
        raise _no_json(annotation)

    def _generic(self, annotation: Any, origin: Any) -> Schema:
        name = _bare_name(origin)
        arguments = get_args(annotation)
        if hasattr(annotation, "__metadata__"):
            return _annotated(self.schema(arguments[0]), annotation.__metadata__)
        if name in ("Union", "UnionType"):
            return _any_of([self.schema(each) for each in arguments if _bare_name(each) != "UnsetType"])
        if name == "Literal":
            return _values([each.value if _is_member(each) else each for each in arguments])
        if name in ("Required", "NotRequired", "ReadOnly", "Final", "ClassVar"):
            return self.schema(arguments[0])
        if name == "tuple" and not (len(arguments) == 2 and arguments[1] is Ellipsis):
            items = [self.schema(each) for each in arguments]
            bounds = {"minItems": len(items), "maxItems": len(items)}
            return {"type": "array", **({"items": _any_of(items)} if items else {}), **bounds}
        if name in _ARRAYS:
            unique = {"uniqueItems": True} if name in ("set", "frozenset", "Set", "MutableSet") else {}
            return {"type": "array", "items": self.schema(arguments[0]), **unique}
        if name in _OBJECTS:
            values = self.schema(arguments[1])
            return {"type": "object"} | ({} if values == {"type": _ANY} else {"additionalProperties": values})
        if hasattr(origin, "__value__"):
            return self.schema(origin.__value__)
        if isinstance(origin, type):
            return self._class(origin)
        raise _no_json(annotation)

    def _class(self, cls: type) -> Schema:
        if cls in self.inside:
            path = " -> ".join(each.__name__ for each in [*self.inside, cls])
            raise SchemaError(
                "A class holds itself, so its schema has no end.",
                place=f"class: {path}",
                next_step="annotate the inner member as dict.",
            )
        if callable(getattr(cls, "model_json_schema", None)):
            return schema_of_model(cls)
        if hasattr(cls, "__members__") and hasattr(cls, "_value2member_map_"):
            return _values([member.value for member in cls.__members__.values()])
        members = members_of(cls)
        if members is not None:
            self.inside.append(cls)
            try:
                return self._object(cls, members)
            finally:
                self.inside.pop()
        if issubclass(cls, (list, tuple, set, frozenset)):
            return {"type": "array"}
        if issubclass(cls, dict):
            return {"type": "object"}
        if hasattr(cls, "__fspath__"):
            return {"type": ["string"]}
        for parent in cls.__mro__[1:-1]:
            if _name_of(parent) in _SCALARS:
                return self.schema(parent)
        raise _no_json(cls)

    def _object(self, cls: type, members: Sequence[Member]) -> Schema:
        hints = _hints(cls)
        properties: Schema = {}
        required: list[str] = []
        for member in members:
            if member.constant is not None:
                properties[member.name] = {"const": member.constant}
                required.append(member.name)
                continue
            annotation, is_required = _requirement(hints[member.attribute], member.is_required)
            field = _field_of(annotation)
            schema = self.schema(annotation)
            may_be_null = not is_required if field is None or field.nullable is None else field.nullable
            if may_be_null:
                schema = nullable(schema)
            if member.default is not None and "default" not in schema:
                schema["default"] = member.default
            name = field.name if field is not None and field.name else member.name
            properties[name] = schema
            if is_required:
                required.append(name)
        return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise SchemaError(
            f"An annotation of {cls.__name__} cannot be resolved: {error}.",
            place=f"class: {cls.__module__}.{cls.__qualname__}",
            next_step="define the classes at module level and import what the annotations name.",
        ) from error


def _requirement(annotation: Any, is_required: bool) -> tuple[Any, bool]:
    """The annotation without `Required`, `NotRequired` and the like around it, and whether it is required."""
    while True:
        name = _bare_name(get_origin(annotation))
        if name == "Required":
            is_required = True
        elif name == "NotRequired":
            is_required = False
        elif name not in ("ReadOnly", "Final"):
            break
        annotation = get_args(annotation)[0]
    inner = get_args(annotation)[0] if hasattr(annotation, "__metadata__") else None
    if _bare_name(get_origin(inner)) in ("Required", "NotRequired"):
        bare, is_required = _requirement(inner, is_required)
        return annotation.copy_with((bare,)), is_required
    return annotation, is_required


def _field_of(annotation: Any) -> Field | None:
    for each in reversed(getattr(annotation, "__metadata__", ())):
        if isinstance(each, Field):
            return each
    return None


def _annotated(schema: Schema, metadata: Sequence[Any]) -> Schema:
    """The schema with what `Annotated` says about it."""
    for each in metadata:
        if isinstance(each, Field):
            was_nullable = accepts_null(schema)
            schema = (dict(schema) if each.schema is None else schema_of(each.schema)) | each.keywords
            schema = nullable(schema) if was_nullable else schema
        elif isinstance(each, JSONType):
            schema = each.to_dict()
        elif not isinstance(each, (str, type)):
            schema = {**schema, **_keywords_of(each, schema)}
    return schema


def _keywords_of(meta: Any, schema: Schema) -> Schema:
    keywords = {word: getattr(meta, name) for name, word in _BOUNDS.items() if hasattr(meta, name)}
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    unit = "Items" if "array" in kinds else "Properties" if "object" in kinds else "Length"
    keywords[f"min{unit}"] = getattr(meta, "min_length", None)
    keywords[f"max{unit}"] = getattr(meta, "max_length", None)
    examples = getattr(meta, "examples", None)
    keywords["examples"] = list(examples) if examples else None
    said = {word: value for word, value in keywords.items() if value is not None and not callable(value)}
    return said | (getattr(meta, "extra_json_schema", None) or {})


def _any_of(schemas: list[Schema]) -> Schema:
    """One schema for several: `type` holds them all where they say no more than their type."""
    distinct: list[Schema] = []
    for each in schemas:
        if each not in distinct:
            distinct.append(each)
    null = any(each == {"type": ["null"]} for each in distinct)
    rest = [each for each in distinct if each != {"type": ["null"]}]
    if not rest:
        return {"type": ["null"]}
    if len(rest) > 1 and all(set(each) == {"type"} for each in rest):
        kinds: list[str] = []
        for each in rest:
            listed = [each["type"]] if isinstance(each["type"], str) else each["type"]
            kinds += [kind for kind in listed if kind not in kinds]
        rest = [{"type": kinds}]
    schema = rest[0] if len(rest) == 1 else {"anyOf": rest}
    return nullable(schema) if null else schema


def _values(values: list[Any]) -> Schema:
    """The schema of some constants, with their types."""
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    kinds: list[str] = []
    for value in values:
        kind = next((name for python, name in names.items() if isinstance(value, python)), None)
        if kind is None:
            raise SchemaError(f"A constant is a {type(value).__name__}, which JSON does not have.")
        if kind not in kinds:
            kinds.append(kind)
    return {"type": kinds, "enum": values}


def _is_member(value: Any) -> bool:
    return hasattr(type(value), "__members__")


def _bare_name(thing: Any) -> str:
    return str(getattr(thing, "__name__", None) or getattr(thing, "_name", None) or "")


def _name_of(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', None) or _bare_name(thing)}"


def _no_json(annotation: Any) -> SchemaError:
    return SchemaError(
        f"{annotation!r} has no JSON Schema.",
        next_step="annotate with a type that JSON has, or with Annotated[..., th.Field(schema={...})].",
    )
