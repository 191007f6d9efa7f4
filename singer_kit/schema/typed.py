"""A record type and column checks from what a schema allows: decoding a chunk is most of validating it.

Made so that what passes is good by the reference; what does not pass is not yet bad. It must not decode or judge by
itself.
"""

from datetime import date
from decimal import Decimal
from functools import reduce
from keyword import iskeyword
from operator import or_
from typing import Any, Final

from singer_kit.codec import UNSET, Struct, UnsetType, define_struct, dict_of, list_of
from singer_kit.schema.canonical import Opaque
from singer_kit.schema.column_checks import (
    are_whole,
    array_check,
    boolean_check,
    field_check,
    mapping_check,
    number_check,
    struct_check,
    text_check,
)
from singer_kit.schema.formats import ColumnCheck
from singer_kit.schema.kinds import ANYTHING, Array, Boolean, Node, Number, Object, Text
from singer_kit.schema.names import Names

__all__ = ["TypedRecord", "attribute_names", "type_record"]

_DATE: Final = Text(formats=frozenset({"date"}))
_SCALARS: Final = frozenset({"null", "boolean", "number", "string"})


class TypedRecord(Struct, frozen=True):
    """A type to decode records with, and the check of what the type cannot say."""

    record_type: Any
    check: ColumnCheck | None
    is_exact: bool
    """Whether numbers that the type leaves open must be decoded exactly for the check to be sound."""
    is_lax: bool
    """Whether decoding passes over members, whose text it then does not look at."""


def type_record(record: Object, names: Names, *, takes_fractions: bool = False) -> TypedRecord:
    """The type of records that `record` allows; undeclared names are refused where `names` is strict.

    msgspec refuses 1.0 for an int; with `takes_fractions` integers are told by a column check, which costs more and
    takes it. Raises `Opaque` when msgspec has no such type.
    """
    typist = _Typist(takes_fractions)
    record_type, check = typist.object(record, names)
    return TypedRecord(record_type, check, typist.is_exact, typist.is_lax)


class _Typist:
    def __init__(self, takes_fractions: bool) -> None:
        self.takes_fractions = takes_fractions
        self.is_exact = False
        self.is_lax = False

    def field(self, node: Node, names: Names | None) -> tuple[Any, ColumnCheck | None]:
        """The type of one place, and the check of its column."""
        if node == ANYTHING:
            return Any, None
        if not node:
            raise Opaque("a place allows nothing")
        number = node.get("number")
        if isinstance(number, Number) and (
            self.takes_fractions and _has_no_structures(node) if number.is_whole else number.is_constrained
        ):
            return self._open_field(node, number)
        types: list[Any] = []
        parts: list[tuple[tuple[type, ...], ColumnCheck | None]] = []
        for kind, spec in node.items():
            if kind == "null":
                types.append(None)
            elif isinstance(spec, Boolean):
                types.append(bool)
                parts.append(((bool,), boolean_check(spec)))
            elif isinstance(spec, Number):
                types.append(int if spec.is_whole else float)
                parts.append(((int,), number_check(spec)))
            elif spec == _DATE:
                types.append(date)
            elif isinstance(spec, Text):
                types.append(str)
                parts.append(((str,), text_check(spec)))
            elif isinstance(spec, Array):
                array_type, check = self.array(spec, names)
                types.append(array_type)
                parts.append(((list,), check))
            elif isinstance(spec, Object):
                object_type, check = self.object(spec, names)
                types.append(object_type)
                is_struct = isinstance(object_type, type) and issubclass(object_type, Struct)
                parts.append(((object_type if is_struct else dict,), check))
        return reduce(or_, types) if len(types) > 1 else types[0], field_check(parts, None)

    def _open_field(self, node: Node, number: Number) -> tuple[Any, ColumnCheck]:
        """A place whose numbers must be looked at digit by digit: no type gives them exactly, so it has none."""
        self.is_exact = True
        allowed: set[type] = {int, Decimal, UnsetType}
        parts: list[tuple[tuple[type, ...], ColumnCheck | None]] = [((int, Decimal), number_check(number))]
        if number.is_whole:
            parts.append(((Decimal,), are_whole))
        for kind, spec in node.items():
            if kind == "null":
                allowed.add(type(None))
            elif isinstance(spec, Boolean):
                allowed.add(bool)
                parts.append(((bool,), boolean_check(spec)))
            elif isinstance(spec, Text):
                allowed.add(str)
                parts.append(((str,), text_check(spec)))
            elif spec == Array():
                allowed.add(list)
            elif spec == Object():
                allowed.add(dict)
            elif kind != "number":
                raise Opaque("a place may hold bounded numbers or structures")
        check = field_check(parts, frozenset(allowed))
        assert check is not None  # noqa: S101 - there are allowed types
        return Any, check

    def array(self, spec: Array, names: Names | None) -> tuple[Any, ColumnCheck | None]:
        if spec.is_unique and (spec.items is None or not _SCALARS.issuperset(spec.items)):
            raise Opaque("unique items may be structures")
        if spec.items is None:
            return list[Any], array_check(spec, None)
        item_type, check = self.field(spec.items, names.items if names is not None else None)
        return list_of(item_type), array_check(spec, check)

    def object(self, spec: Object, names: Names | None) -> tuple[Any, ColumnCheck | None]:
        if names is not None and names.is_whole:
            names = None
        if not spec.properties and not (names is not None and names.fields):
            if spec.others is False:
                raise Opaque("an object may hold nothing")
            if spec.others is True:
                return dict[str, Any], mapping_check(spec, None)
            value_type, check = self.field(spec.others, None)
            return dict_of(value_type), mapping_check(spec, check)
        if not isinstance(spec.others, bool):
            raise Opaque("an object declares properties and a schema for others")
        if spec.fewest or spec.most is not None:
            raise Opaque("an object declares and counts properties")
        return self._struct(spec, names)

    def _struct(self, spec: Object, names: Names | None) -> tuple[Any, ColumnCheck | None]:
        is_strict = names is not None and names.is_strict
        declared = dict(spec.properties)
        if is_strict and names is not None:
            declared |= {name: ANYTHING for name in names.fields if name not in declared}
        if missing := spec.required - declared.keys():
            if is_strict or spec.others is False:
                raise Opaque("an object requires what it does not declare")
            declared |= dict.fromkeys(missing, ANYTHING)
        attributes = attribute_names(declared)
        fields: list[Any] = []
        checks: list[tuple[str, ColumnCheck]] = []
        for name, attribute in attributes.items():
            below = names.fields.get(name) if names is not None else None
            field_type, check = self.field(declared[name], below)
            if name in spec.required:
                fields.append((attribute, field_type))
            else:
                fields.append((attribute, Any if field_type is Any else field_type | UnsetType, UNSET))
            if check is not None:
                checks.append((attribute, check))
        is_forbidding = is_strict or spec.others is False
        self.is_lax = self.is_lax or not is_forbidding
        struct = define_struct(
            "Record",
            fields,
            kw_only=True,
            gc=False,
            forbid_unknown_fields=is_forbidding,
            rename={attribute: name for name, attribute in attributes.items() if name != attribute},
        )
        return struct, struct_check(checks)


def _has_no_structures(node: Node) -> bool:
    return node.get("array", Array()) == Array() and node.get("object", Object()) == Object()


def attribute_names(names: dict[str, Any]) -> dict[str, str]:
    """An attribute name for each property name: the same where it can be one.

    Raises `Opaque` for a property name that no attribute can stand for.
    """
    found: dict[str, str] = {}
    for number, name in enumerate(names):
        if name.isidentifier() and name.isascii() and not name.startswith("_") and not iskeyword(name):
            found[name] = name
        elif '"' in name or "\\" in name or any(char < " " for char in name) or not _is_utf8(name):
            raise Opaque("a property name has a quote, a backslash or a control character")
        else:
            attribute = f"property_{number}"
            while attribute in names:
                attribute += "_"
            found[name] = attribute
    return found


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
