"""Whether records keep their schema: one law, judged by the quickest means that cannot break it.

The verdict is always the reference's. A typed schema is judged by decoding and by columns, any other by jsonschema-rs,
and what neither can be trusted with by jsonschema itself; what a quick tier refuses the reference decides and words.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from operator import methodcaller
from typing import Any, Final, Literal, TypeAlias

from singer_kit.errors import SchemaError
from singer_kit.schema.canonical import Opaque, canonical
from singer_kit.schema.dialect import draft_of
from singer_kit.schema.kinds import ANYTHING, Object, node_of, without_null
from singer_kit.schema.names import Names, declared_check, names_of
from singer_kit.schema.prune import prune_type
from singer_kit.schema.reference import Problem, Reference
from singer_kit.schema.rust import RustValidator
from singer_kit.schema.typed import TypedRecord, type_record
from singer_kit.schema.wording import type_name

__all__ = ["Engine", "Tier", "Validator", "compile_validator"]

Tier: TypeAlias = Literal["typed", "rust", "reference"]
Engine: TypeAlias = Literal["auto", "typed", "rust", "reference"]
_TIERS: Final[dict[Engine, tuple[Tier, ...]]] = {
    "auto": ("typed", "rust"),
    "typed": ("typed",),
    "rust": ("rust",),
    "reference": (),
}
_MOST_TOLERATED: Final = 100


def compile_validator(
    schema: dict[str, Any], key_properties: Sequence[str] = (), *, engine: Engine = "auto"
) -> "Validator":
    """The validator of one stream's records; each key property must be there and not null.

    `engine` names the quickest tier to be used, "auto" for the quickest there is. Costs about a millisecond. Raises
    `SchemaError` when the schema is not valid or not one of records.
    """
    return Validator(schema, key_properties, engine=engine)


class Validator:
    """One schema, compiled.

    Call order: decode records as `record_type` (exactly, if `exact`). If that fails, or `accepts` says no, decode the
    records as plain values, exactly and one by one, and ask `problems` and `undeclared` of each: `problems` gives the
    verdict, and a record with undeclared names is good without them.
    """

    tier: Tier
    record_type: Any
    """What to decode records as: a Struct type, or a dict. Undeclared names make decoding or `accepts` fail."""
    exact: bool
    """Whether the decoder must keep the digits of open numbers."""
    is_lax: bool
    """Whether decoding passes over members of open objects: then the caller sees to it that all text is UTF-8."""

    def __init__(
        self,
        schema: dict[str, Any],
        key_properties: Sequence[str],
        *,
        engine: Engine = "auto",
        tolerated: frozenset[str] = frozenset(),
        takes_fractions: bool = False,
    ) -> None:
        self.schema = schema
        self.key_properties = tuple(key_properties)
        self.tolerated = tolerated
        self._engine = engine
        self._takes_fractions = takes_fractions
        self._names = names_of(schema)
        if not self._names.kinds:
            raise SchemaError(
                "The schema allows no object, and records are objects.",
                place="schema: type",
                next_step='declare it as {"type": "object", "properties": {...}}.',
            )
        for key in self.key_properties:
            self._names.fields.setdefault(key, Names())
        self._names.declare(tolerated)
        if len(tolerated) > _MOST_TOLERATED:
            self._names.is_open = True
        self._typed: TypedRecord | None = None
        self.tier = "reference"
        self.record_type = dict[str, Any]
        self.exact = True
        self.is_lax = False
        self._compile(_TIERS[engine])

    def _compile(self, tiers: tuple[Tier, ...]) -> None:
        try:
            self._canonical: dict[str, Any] | None = canonical(self.schema, draft_of(self.schema))
        except Opaque:
            self._canonical = None
        if self._canonical is not None:
            if "typed" in tiers and self._compile_typed(self._canonical):
                return
            if "rust" in tiers and self._rust is not None:
                self.tier = "rust"
                return
        Reference(self.schema)  # raises SchemaError now rather than at the first record

    def _compile_typed(self, schema: dict[str, Any]) -> bool:
        try:
            record = node_of(schema).get("object")
            if not isinstance(record, Object):
                return False
            if record.others is False and not record.properties.keys() >= set(self.key_properties):
                return False  # it forbids its own key
            keys = {key: without_null(record.properties.get(key, ANYTHING)) for key in self.key_properties}
            if keys:
                record = Object(
                    properties={**record.properties, **keys},
                    required=record.required.union(keys),
                    others=record.others,
                    fewest=record.fewest,
                    most=record.most,
                )
            self._typed = type_record(record, self._names, takes_fractions=self._takes_fractions)
        except Opaque:
            return False
        self.tier = "typed"
        self.record_type = self._typed.record_type
        self.exact = self._typed.is_exact
        self.is_lax = self._typed.is_lax
        return True

    @cached_property
    def _rust(self) -> RustValidator | None:
        if self._canonical is None or self._engine == "reference":
            return None
        try:
            return RustValidator(self._canonical)
        except Opaque:
            return None

    @cached_property
    def _reference(self) -> Reference:
        return Reference(self.schema, check=False)

    @cached_property
    def _declares(self) -> Callable[[Any], bool] | None:
        return declared_check(self._names)

    @cached_property
    def prune_type(self) -> Any:
        """What to decode a good record as so that encoding it again drops undeclared names, and nothing else.

        None where no type does that (a property name with a quote in it): use `prune`.
        """
        try:
            return prune_type(self._names)
        except Opaque:
            return None

    def accepts(self, records: list[Any]) -> bool:
        """True only if every one of the decoded records is good and has no undeclared name.

        `records` are values of `record_type`. False says only that they must be looked at one by one.
        """
        if not records:
            return True
        if self.tier == "typed":
            check = self._typed.check if self._typed is not None else None
            return check is None or check(records)
        for key in self.key_properties:
            if None in map(methodcaller("get", key), records):
                return False
        if self.tier == "rust" and self._rust is not None:
            if not self._rust.accepts_all(records):
                return False
        elif not all(map(self._reference.accepts, records)):
            return False
        return self._declares is None or all(map(self._declares, records))

    def problems(self, record: Any, limit: int = 1) -> list[Problem]:
        """At most `limit` things wrong with one plain, exactly decoded record; empty when it is good.

        This is the law's verdict; undeclared names are no problem.
        """
        found: list[Problem] = []
        if isinstance(record, dict):
            for key in self.key_properties:
                if record.get(key) is None:
                    message = "is a key and must not be null" if key in record else "is a key and is missing"
                    found.append(Problem(key, f"properties.{key}", "key", message))
        elif not isinstance(record, dict):
            found.append(Problem("", "", "type", f"is {type_name(record)} but a record is an object"))
        if len(found) >= limit:
            return found[:limit]
        if self._rust is not None and self._rust.accepts(record):
            return found
        named = {problem.path for problem in found}
        wrong = self._reference.problems(record, limit + len(found))
        return (found + [problem for problem in wrong if problem.path not in named])[:limit]

    def undeclared(self, record: dict[str, Any]) -> set[str]:
        """The dotted names in a plain record that its schema does not declare and does not forbid.

        Names of objects in an array have no index; a dot inside a name is written `\\.`. Tolerated names are left out.
        """
        return set(self._names.undeclared(record))

    def prune(self, record: dict[str, Any]) -> dict[str, Any]:
        """A plain record without its undeclared names; the record itself when it has none."""
        return record if self._declares is None or self._declares(record) else _without(record, self._names)

    def tolerate(self, names: Iterable[str]) -> "Validator":
        """A validator that takes these undeclared names as declared, with any value.

        So a name that was told once costs no more, and a new one is still told. Past a hundred, all are taken.
        """
        return self._with(tolerated=self.tolerated.union(names), takes_fractions=self._takes_fractions)

    def loosened(self) -> "Validator":
        """A validator of the same verdicts whose own tier takes 1.0 for an integer, at a little more cost.

        For streams whose records are good but often refused by the type: writers without integers write so. Itself
        when it is loose already, or has no type.
        """
        if self._takes_fractions or self.tier != "typed":
            return self
        return self._with(tolerated=self.tolerated, takes_fractions=True)

    def _with(self, *, tolerated: frozenset[str], takes_fractions: bool) -> "Validator":
        return Validator(
            self.schema,
            self.key_properties,
            engine=self._engine,
            tolerated=tolerated,
            takes_fractions=takes_fractions,
        )


def _without(value: Any, names: Names) -> Any:
    if names.is_whole:
        return value
    if isinstance(value, dict):
        strict = names.is_strict
        return {
            name: _without(inner, names.fields[name]) if name in names.fields else inner
            for name, inner in value.items()
            if not strict or name in names.fields
        }
    if isinstance(value, list) and names.items is not None:
        return [_without(item, names.items) for item in value]
    return value
