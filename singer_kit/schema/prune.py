"""A type that drops undeclared names from a record and copies every declared value's bytes."""

from functools import reduce
from operator import or_
from types import GenericAlias
from typing import Any

from singer_kit.codec import UNSET, Raw, UnsetType, define_struct
from singer_kit.schema.names import Names
from singer_kit.schema.typed import attribute_names

__all__ = ["prune_type"]


def prune_type(names: Names) -> Any:
    """Decoding a good record as this type and encoding it again leaves only what `names` declares.

    A value that is kept whole keeps its very bytes; only objects in which something can be undeclared, and arrays of
    them, are written anew, their properties in the schema's order. Raises `Opaque` when a property name stands in the
    way.
    """
    return Raw if names.is_whole else _place(names)


def _place(names: Names) -> Any:
    """The union of what may stand at a place; beside objects and arrays anything but numbers may."""
    types: list[Any] = []
    if "null" in names.kinds:
        types.append(None)
    if "boolean" in names.kinds:
        types.append(bool)
    if "string" in names.kinds:
        types.append(str)
    if "array" in names.kinds:
        below = names.items
        types.append(GenericAlias(list, (Raw if below is None or below.is_whole else _place(below),)))
    if "object" in names.kinds:
        types.append(_object(names))
    return reduce(or_, types)


def _object(names: Names) -> Any:
    if not names.fields:
        return dict[str, Raw]
    fields: list[Any] = []
    attributes = attribute_names(names.fields)
    for name, attribute in attributes.items():
        below = names.fields[name]
        fields.append((attribute, (Raw if below.is_whole else _place(below)) | UnsetType, UNSET))
    return define_struct(
        "Pruned",
        fields,
        kw_only=True,
        gc=False,
        rename={attribute: name for name, attribute in attributes.items() if name != attribute},
    )
