"""The members of a typed class: a TypedDict, a dataclass, an attrs class or a `msgspec.Struct`.

This module knows classes by their attributes; it must not import what they were made with.
"""

from typing import Any

from singer_kit.codec import Struct


class Member(Struct, frozen=True):
    """One member: its name in JSON, its attribute in Python, and what the class says about its value.

    `default` is a value that JSON has, or None; `constant` is the value of a tag that the class always
    carries.
    """

    name: str
    attribute: str
    is_required: bool
    default: Any = None
    constant: Any = None


def members_of(cls: type) -> list[Member] | None:
    """The members in their order, or None when the class is of no kind that has them."""
    if hasattr(cls, "__struct_fields__"):
        return _struct(cls)
    if hasattr(cls, "__dataclass_fields__"):
        return _dataclass(cls)
    if hasattr(cls, "__attrs_attrs__"):
        return _attrs(cls)
    if hasattr(cls, "__required_keys__") and hasattr(cls, "__total__"):
        return [Member(name, name, name in cls.__required_keys__) for name in cls.__annotations__]
    return None


def _struct(cls: Any) -> list[Member]:
    config = cls.__struct_config__
    names = cls.__struct_encode_fields__
    fields = cls.__struct_fields__
    defaults = cls.__struct_defaults__
    # The defaults belong to the last fields; a keyword-only field without one has the sentinel NODEFAULT.
    padded = [_NOTHING] * (len(fields) - len(defaults)) + list(defaults)
    members = [Member(config.tag_field, "", True, constant=config.tag)] if config.tag_field is not None else []
    for name, field, default in zip(names, fields, padded, strict=True):
        is_required = default is _NOTHING or repr(default) == "NODEFAULT"
        factory = getattr(default, "factory", None)
        value = _made(factory) if factory is not None else default
        members.append(Member(name, field, is_required, None if is_required else _plain(value)))
    return members


def _dataclass(cls: Any) -> list[Member]:
    members = []
    for name, field in cls.__dataclass_fields__.items():
        if field._field_type.name != "_FIELD":
            continue
        has_default = type(field.default).__name__ != "_MISSING_TYPE"
        has_factory = type(field.default_factory).__name__ != "_MISSING_TYPE"
        default = field.default if has_default else _made(field.default_factory) if has_factory else None
        members.append(Member(name, name, not (has_default or has_factory), _plain(default)))
    return members


def _attrs(cls: Any) -> list[Member]:
    members = []
    for field in cls.__attrs_attrs__:
        is_required = getattr(field.default, "name", "") == "NOTHING"
        factory = getattr(field.default, "factory", None)
        default = _made(factory) if factory is not None else field.default
        members.append(Member(field.name, field.name, is_required, None if is_required else _plain(default)))
    return members


class _Nothing:
    """No default."""


_NOTHING = _Nothing()


def _made(factory: Any) -> Any:
    """What a default factory makes, when it is one of Python's containers: others may do anything."""
    return factory() if factory in (list, dict, set, tuple, frozenset) else None


def _plain(value: Any) -> Any:
    """A default as JSON has it, or None."""
    if isinstance(value, (bool, int, float, str)):
        return getattr(value, "value", value) if hasattr(type(value), "__members__") else value
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_plain(item) for item in value]
        return None if None in items else items
    if isinstance(value, dict):
        return value if all(_plain(item) is not None for item in value.values()) else None
    return _plain(value.value) if hasattr(type(value), "__members__") else None
