"""Which property names a schema declares, at every depth.

Where an object declares properties and says nothing of others, a name it does not declare is *undeclared*: the record
is good without it. An object that allows others (`additionalProperties` true or a schema, `patternProperties`) is
taken whole, with all that is in it; so is one that may also be a number, because rewriting it could touch digits.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from singer_kit.schema.dialect import target_of

__all__ = ["Names", "declared_check", "join_name", "names_of", "split_name"]

_ALL = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_NUMBERS = frozenset({"integer", "number"})
_STRUCTURES = frozenset({"object", "array"})
_DEEPEST = 32


class Names:
    """The declared names of one place: of an object's properties, and of an array's items.

    `is_strict`: the object declares all its names, so that any other is undeclared. `is_closed`: the schema refuses
    any other, so that none is undeclared.
    """

    __slots__ = ("fields", "is_closed", "is_open", "items", "kinds")

    def __init__(self) -> None:
        self.fields: dict[str, Names] = {}
        self.items: Names | None = None
        self.kinds: frozenset[str] = _ALL
        self.is_open = False
        self.is_closed = False

    @property
    def is_strict(self) -> bool:
        return bool(self.fields) and not self.is_open and not self.is_closed and self.kinds.isdisjoint(_NUMBERS)

    @property
    def is_whole(self) -> bool:
        """Whether nothing below this place can be undeclared."""
        if self.is_open or not self.kinds or not self.kinds.isdisjoint(_NUMBERS):
            return True
        if self.is_strict or not (self.items is None or self.items.is_whole):
            return False
        return not self.is_closed or all(field.is_whole for field in self.fields.values())

    def undeclared(self, value: Any, prefix: str = "") -> Iterator[str]:
        """The dotted names in `value` that are undeclared here or below; items of an array share their array's name."""
        if self.is_whole:
            return
        if isinstance(value, dict):
            strict = self.is_strict
            for name, inner in value.items():
                field = self.fields.get(name)
                if field is not None:
                    if isinstance(inner, (dict, list)):
                        yield from field.undeclared(inner, join_name(prefix, name))
                elif strict:
                    yield join_name(prefix, name)
        elif isinstance(value, list) and self.items is not None:
            for item in value:
                yield from self.items.undeclared(item, prefix)

    def declare(self, dotted: Iterable[str]) -> None:
        """Makes each dotted name a declared one that is taken whole; one that is not undeclared is passed over."""
        for name in dotted:
            *way, last = split_name(name)
            here: Names | None = self
            for step in way:
                here = here.below().fields.get(step) if here is not None else None
            if here is not None and here.below().is_strict:
                here.below().fields.setdefault(last, Names())

    def below(self) -> "Names":
        """The place itself, or that of its items, or of theirs, where properties stand."""
        here = self
        while not here.fields and here.items is not None:
            here = here.items
        return here


def declared_check(names: Names) -> Callable[[Any], bool] | None:
    """A quick way to see that a value has no undeclared name; None when it cannot have any."""
    if names.is_whole:
        return None
    known = names.fields.keys() if names.is_strict else None
    deeper = [(name, below) for name, field in names.fields.items() if (below := declared_check(field)) is not None]
    check_item = declared_check(names.items) if names.items is not None else None

    def check(value: Any) -> bool:
        if isinstance(value, dict):
            if known is not None and not value.keys() <= known:
                return False
            return all(check_field(value.get(name)) for name, check_field in deeper)
        if check_item is not None and isinstance(value, list):
            return all(map(check_item, value))
        return True

    return check


def join_name(prefix: str, name: str) -> str:
    """`prefix.name`; a dot inside `name` is written `\\.`."""
    escaped = name.replace("\\", "\\\\").replace(".", "\\.")
    return f"{prefix}.{escaped}" if prefix else escaped


def split_name(dotted: str) -> list[str]:
    """The names of a dotted name."""
    steps = [""]
    characters = iter(dotted)
    for character in characters:
        if character == ".":
            steps.append("")
        else:
            steps[-1] += next(characters, "") if character == "\\" else character
    return steps


def names_of(schema: dict[str, Any]) -> Names:
    """The names that `schema` declares for a record, those of alternatives and of local references included."""
    names = Names()
    _gather(names, schema, schema, ())
    names.kinds &= {"object"}
    return names


def _gather(names: Names, schema: Any, root: dict[str, Any], seen: tuple[str, ...], *, is_sure: bool = True) -> None:
    """Adds what `schema` declares to `names`; unless `is_sure` that it holds, it excludes no kind of value."""
    if not isinstance(schema, dict):
        return
    if is_sure:
        names.kinds &= _kinds(schema, root, seen)
    if isinstance(reference := schema.get("$ref"), str):
        if reference in seen or len(seen) > _DEEPEST:
            names.is_open = True  # circular: taken whole
        else:
            _gather(names, _target(root, reference), root, (*seen, reference), is_sure=is_sure)
        is_sure = False  # what stands beside it counts in some drafts only
    if isinstance(properties := schema.get("properties"), dict):
        for name, inner in properties.items():
            _gather(names.fields.setdefault(name, Names()), inner, root, seen, is_sure=is_sure)
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        if keyword in schema:
            names.is_closed = names.is_closed or schema[keyword] is False
            names.is_open = names.is_open or schema[keyword] is not False
    names.is_open = names.is_open or bool(schema.get("patternProperties"))
    _gather_items(names, schema, root, seen, is_sure=is_sure)
    _gather_in_place(names, schema, root, seen, is_sure=is_sure)


def _gather_items(
    names: Names, schema: dict[str, Any], root: dict[str, Any], seen: tuple[str, ...], *, is_sure: bool
) -> None:
    items = schema.get("items")
    listed = [*(items if isinstance(items, list) else [items]), *(schema.get("prefixItems") or ())]
    listed += [schema.get(keyword) for keyword in ("additionalItems", "contains", "unevaluatedItems")]
    declared = [one for one in listed if isinstance(one, dict) and one]
    for one in declared:
        names.items = names.items or Names()
        _gather(names.items, one, root, seen, is_sure=is_sure and one is items and len(declared) == 1)


def _gather_in_place(
    names: Names, schema: dict[str, Any], root: dict[str, Any], seen: tuple[str, ...], *, is_sure: bool
) -> None:
    for one in schema.get("allOf") or ():
        _gather(names, one, root, seen, is_sure=is_sure)
    kinds = names.kinds
    for keyword in ("anyOf", "oneOf"):
        # Where only one alternative is for objects or arrays, it is sure of what is inside one.
        structures = [one for one in schema.get(keyword) or () if not _STRUCTURES.isdisjoint(_kinds(one, root, seen))]
        for one in structures:
            _gather(names, one, root, seen, is_sure=is_sure and len(structures) == 1)
    names.kinds = kinds
    for one in _conditional(schema):
        _gather(names, one, root, seen, is_sure=False)


def _conditional(schema: dict[str, Any]) -> list[Any]:
    """The schemas inside `schema` that speak of the very same value under a condition."""
    found = [schema.get(keyword) for keyword in ("if", "then", "else")]
    for keyword in ("dependentSchemas", "dependencies"):
        if isinstance(named := schema.get(keyword), dict):
            found += named.values()
    return found


def _kinds(schema: Any, root: dict[str, Any], seen: tuple[str, ...]) -> frozenset[str]:
    """The JSON types that `schema` may allow here, or more."""
    if schema is False:
        return frozenset()
    if not isinstance(schema, dict):
        return _ALL
    if isinstance(reference := schema.get("$ref"), str):  # what stands beside it counts in some drafts only
        if reference in seen or len(seen) > _DEEPEST:
            return _ALL
        return _kinds(_target(root, reference), root, (*seen, reference))
    kinds = _ALL
    said = schema.get("type")
    if isinstance(said, (str, list)):
        kinds &= frozenset([said] if isinstance(said, str) else said)
    for one in schema.get("allOf") or ():
        kinds &= _kinds(one, root, seen)
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            kinds &= frozenset().union(*(_kinds(one, root, seen) for one in schema[keyword]))
    return kinds


def _target(root: dict[str, Any], reference: str) -> Any:
    try:
        return target_of(root, reference)
    except KeyError:
        return True
