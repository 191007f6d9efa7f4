"""The plan of a shape: a typed node for each level of a schema, rebuilt when rows show other Python types.

A node knows the type to which values are converted, and the column that judges what the type leaves open. Its mode
only ever widens, so a stream settles after a few pages. This module must not see messages.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain as flatten
from itertools import repeat
from operator import attrgetter
from typing import Any, Final, NamedTuple

from singer_kit.codec import UNSET, UnsetType, define_struct, list_of
from singer_kit.schema.shape_columns import Column, chain, mended, present
from singer_kit.schema.shape_leaves import Alternative, alternatives, tail_columns
from singer_kit.schema.shape_plain import DESELECTED, is_open, types_of

__all__ = ["ArrayNode", "LeafNode", "Node", "ObjectNode", "make_node", "make_root"]

Schema = Mapping[str, Any]

MOST_EXTRA_NAMES: Final = 200
_MOST_HIDDEN: Final = 3
"""So many fields of a level may be converted and taken out again (40 ns each); more are left to a lax type, which
cannot tell what nobody declared: then the names of all rows are joined (100 ns a record).
"""


class Stranger(NamedTuple):
    """A name that nobody declared, by its dotted path, and whether its level takes it all the same."""

    path: str
    is_kept: bool


class Node:
    """One level of a schema. `build` must run again after `observe` or `watch` say that something changed."""

    nullable: bool

    def build(self) -> tuple[Any, Column | None]:
        """The type to convert to, and the column for what it leaves open, None when there is nothing left."""
        raise NotImplementedError

    def observe(self, values: Iterable[Any]) -> bool:
        """Learns the Python types among raw `values`; True when the mode has to change."""
        raise NotImplementedError

    def watch(self, values: Iterable[Any], *, everywhere: bool) -> list[Stranger]:  # noqa: ARG002 - most have no names
        """The names in raw `values` that nobody declared, each told once in a run.

        Levels whose type refuses such names are left out unless `everywhere`.
        """
        return []

    @property
    def is_watching(self) -> bool:
        """True while `watch` has to see every page, as the type lets unknown names pass."""
        return False

    @property
    def is_walked(self) -> bool:
        """True when values are walked where a type should have judged them, so that a validator has to."""
        return False


class LeafNode(Node):
    """A value without levels of its own, or one that has to be walked value by value."""

    def __init__(self, schema: Schema, *, keep: bool, nullable: bool) -> None:
        self.schema = schema
        self.keep = keep
        self.nullable = nullable
        self._alternatives: Sequence[Alternative] = alternatives(schema)
        self._seen: set[type] = set()
        self._chosen = self._choose()

    def _choose(self) -> int:
        for place, alternative in enumerate(self._alternatives):
            if alternative.takes >= self._seen:
                return place
        return len(self._alternatives)

    def observe(self, values: Iterable[Any]) -> bool:
        if self._chosen == len(self._alternatives):
            return False
        _types_within(values, self._seen)
        chosen, self._chosen = self._chosen, self._choose()
        return chosen != self._chosen

    def build(self) -> tuple[Any, Column | None]:
        if self._chosen < len(self._alternatives):
            alternative = self._alternatives[self._chosen]
            wanted = alternative.annotation
            return (wanted | None if self.nullable and wanted is not None else wanted), chain([*alternative.columns])
        columns = [mended(self.schema, keep=self.keep, nullable=self.nullable), *tail_columns(self.schema)]
        return Any, chain(columns)


def _types_within(values: Iterable[Any], seen: set[type]) -> None:
    """Adds the types of `values` to `seen`, and of what lists and dicts among them hold."""
    for value in values:
        kind = type(value)
        if value is None or value is UNSET:
            continue
        seen.add(kind)
        if kind is dict:
            _types_within(value.values(), seen)
        elif kind is list or kind is tuple:
            _types_within(value, seen)


class ArrayNode(Node):
    """A list whose items have one schema."""

    def __init__(self, item: Node, *, nullable: bool) -> None:
        self.item = item
        self.nullable = nullable

    @property
    def is_watching(self) -> bool:
        return self.item.is_watching

    @property
    def is_walked(self) -> bool:
        return self.item.is_walked

    def observe(self, values: Iterable[Any]) -> bool:
        return self.item.observe(_items(values))

    def watch(self, values: Iterable[Any], *, everywhere: bool) -> list[Stranger]:
        return self.item.watch(_items(values), everywhere=everywhere)

    def build(self) -> tuple[Any, Column | None]:
        wanted, inner = self.item.build()
        annotation: Any = list_of(wanted)
        if self.nullable:
            annotation = annotation | None
        if inner is None:
            return annotation, None

        def column(values: list[Any]) -> list[Any] | None:
            lists = present(values)
            items = list(flatten.from_iterable(lists))
            if not items:
                return values
            made = inner(items)
            if made is None:
                return None
            if made is not items:
                left = iter(made)
                for each in lists:
                    each[:] = [next(left) for _ in each]
            return values

        return annotation, column


def _items(values: Iterable[Any]) -> list[Any]:
    return [item for value in values if isinstance(value, (list, tuple, set, frozenset)) for item in value]


class ObjectNode(Node):
    """An object with declared properties, converted to a Struct that keeps only those that are selected."""

    def __init__(
        self, schema: Schema, fields: Mapping[str, Node], *, required: frozenset[str], nullable: bool, keep: bool
    ) -> None:
        properties = schema["properties"]
        self.fields = dict(fields)
        self.required = required
        self.nullable = nullable
        self.takes_others = keep or is_open(schema)
        self._schema = schema
        self._keep = keep
        self._known = set(properties)
        self._hidden = tuple(name for name, value in properties.items() if value is DESELECTED)
        self._is_lax = len(self._hidden) > _MOST_HIDDEN or not all(map(_fits_a_struct, self._hidden))
        self._walked: LeafNode | None = None

    @property
    def is_watching(self) -> bool:
        if self._walked is not None:
            return False
        return self._is_lax or any(node.is_watching for node in self.fields.values())

    @property
    def is_walked(self) -> bool:
        if self._walked is not None or not all(map(_fits_a_struct, self.fields)):
            return True
        return any(node.is_walked for node in self.fields.values())

    def observe(self, values: Iterable[Any]) -> bool:
        dicts = [value for value in values if isinstance(value, Mapping)]
        changed = False
        for name, node in self.fields.items():
            changed = node.observe([value[name] for value in dicts if name in value]) or changed
        return changed

    def watch(self, values: Iterable[Any], *, everywhere: bool) -> list[Stranger]:
        if self._walked is not None:
            return []
        dicts = values if isinstance(values, list) else list(values)
        if set(map(type, dicts)) - {dict}:
            dicts = [value for value in dicts if isinstance(value, Mapping)]
        found: list[Stranger] = []
        if self._is_lax or everywhere:
            unknown = self._unknown(dicts)
            if unknown:
                found.extend(Stranger(name, self.takes_others) for name in sorted(unknown))
                self._admit(unknown)
        for name, node in self.fields.items():
            if everywhere or node.is_watching:
                inner = [value[name] for value in dicts if name in value]
                below = node.watch(inner, everywhere=everywhere)
                found.extend(Stranger(f"{name}.{each.path}", each.is_kept) for each in below)
        return found

    def _unknown(self, dicts: list[Mapping[str, Any]]) -> set[str]:
        # A union of all keys costs 8 ns a value; sets of whole layouts were tried and cost thrice that.
        return {name for name in set[Any]().union(*dicts) - self._known if isinstance(name, str)}

    def _admit(self, unknown: set[str]) -> None:
        """From now on `unknown` is known: to be dropped, or to be kept where the level takes others."""
        self._known |= unknown
        if not self.takes_others:
            self._is_lax = True
            return
        if len(self.fields) + len(unknown) > len(self._schema["properties"]) + MOST_EXTRA_NAMES:
            self._walked = LeafNode(self._schema, keep=self._keep, nullable=self.nullable)
            return
        others = self._schema.get("additionalProperties")
        for name in sorted(unknown):
            self.fields[name] = make_node(others if isinstance(others, Mapping) else {}, keep=self._keep)

    def build(self) -> tuple[Any, Column | None]:
        if self._walked is not None or not all(map(_fits_a_struct, self.fields)):
            return (self._walked or LeafNode(self._schema, keep=self._keep, nullable=self.nullable)).build()
        fields: list[Any] = []
        columns: list[tuple[str, Column]] = []
        names: dict[str, str] = {}
        for place, (name, node) in enumerate(self.fields.items()):
            field = f"f{place}"
            names[field] = name
            wanted, column = node.build()
            if name in self.required:
                fields.append((field, wanted))
            else:
                fields.append((field, Any if wanted is Any else wanted | UnsetType, UNSET))
            if column is not None:
                columns.append((field, column))
        hidden = [] if self._is_lax else [f"f{place}" for place, _ in enumerate(self._hidden, len(fields))]
        names |= dict(zip(hidden, self._hidden, strict=False))
        fields += [(field, Any, UNSET) for field in hidden]
        struct = define_struct(
            "Shaped", fields, rename=names, kw_only=True, gc=False, forbid_unknown_fields=not self._is_lax
        )
        return (struct | None if self.nullable else struct), _struct_column(columns, hidden)


def _fits_a_struct(name: str) -> bool:
    return name.isprintable() and '"' not in name and "\\" not in name


def _struct_column(columns: list[tuple[str, Column]], hidden: list[str]) -> Column | None:
    """The columns of a struct's fields; what stands in `hidden` ones is taken out."""
    if not columns and not hidden:
        return None
    steps = [(field, attrgetter(field), column) for field, column in columns]

    def judge(values: list[Any]) -> list[Any] | None:
        structs = list(filter(None, values))
        if not structs:
            return values
        for field in hidden:
            deque(map(setattr, structs, repeat(field), repeat(UNSET)), maxlen=0)
        for field, get, column in steps:
            column_values = list(map(get, structs))
            made = column(column_values)
            if made is None:
                return None
            if made is not column_values:
                for struct, value in zip(structs, made, strict=True):
                    setattr(struct, field, value)
        return values

    return judge


def make_root(schema: Schema, *, keys: Iterable[str], keep: bool) -> ObjectNode:
    """The plan of whole records: an object that is never null and has its keys."""
    required = frozenset(schema.get("required") or ()) | frozenset(keys)
    return _object_node(schema, keep=keep, nullable=False, required=required, keys=frozenset(keys))


def make_node(schema: Any, *, keep: bool, may_be_null: bool = True) -> Node:
    """The plan of one schema, whichever kind of node it needs."""
    if not isinstance(schema, Mapping):
        schema = {}
    types = types_of(schema)
    nullable = may_be_null and (not types or "null" in types)
    others = types - {"null"}
    if others == {"object"} and schema.get("properties"):
        return _object_node(schema, keep=keep, nullable=nullable, required=frozenset(schema.get("required") or ()))
    if others == {"array"} and isinstance(schema.get("items"), Mapping) and "prefixItems" not in schema:
        return ArrayNode(make_node(schema["items"], keep=keep), nullable=nullable)
    return LeafNode(schema, keep=keep, nullable=nullable)


def _object_node(
    schema: Schema, *, keep: bool, nullable: bool, required: frozenset[str], keys: frozenset[str] = frozenset()
) -> ObjectNode:
    fields = {
        name: make_node(inner, keep=keep, may_be_null=name not in keys)
        for name, inner in schema["properties"].items()
        if inner is not DESELECTED
    }
    return ObjectNode(schema, fields, required=required, nullable=nullable, keep=keep)
