"""A schema from sample records. Must not read files, and must not guess what the samples do not show.

The outcome does not depend on the order of the records, nor on how they were divided among inferences that are merged
afterwards; every record seen keeps the schema.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, Self

from singer_kit.errors import SchemaError
from singer_kit.schema.nullable import Schema

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch
_INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
).fullmatch
_ANY: Final = ["string", "number", "integer", "boolean", "object", "array", "null"]
_ORDER: Final = ("boolean", "integer", "number", "string", "object", "array")


def infer_schema(
    records: Iterable[Mapping[str, Any]], key_properties: Sequence[str] = (), *, strict: bool = False
) -> Schema:
    """The schema of all `records`; see `Inference`."""
    inference = Inference()
    for record in records:
        inference.add(record)
    return inference.schema(key_properties, strict=strict)


class Inference:
    """What some records have shown so far.

    `add` takes a record as decoded: numbers without a fraction are int of any size, others Decimal or float. `merge`
    takes what another inference has seen. `schema` may be asked at any time.
    """

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root = _Shape()

    @property
    def count(self) -> int:
        """How many records were seen."""
        return self._root.objects

    def add(self, record: Mapping[str, Any]) -> None:
        """Takes one record into account. Raises `SchemaError` for a value that JSON does not have."""
        if not isinstance(record, Mapping):
            raise SchemaError(f"A record is a {type(record).__name__}, not an object.")
        self._root.see(record)

    def merge(self, other: "Inference") -> Self:
        """Takes into account what `other` has seen, and leaves it as it is."""
        self._root.merge(other._root)
        return self

    def schema(self, key_properties: Sequence[str] = (), *, strict: bool = False) -> Schema:
        """The schema of the records seen.

        By default every property but the keys may be null or missing: samples cannot show that null never comes.
        With `strict` null is allowed only where it was seen or where a property was missing, and what every record
        had is required.
        """
        schema = self._root.object_schema(strict)
        properties = schema.setdefault("properties", {})
        for name in key_properties:
            key = self._root.members.get(name)
            if key is None or key.seen != self.count or key.nulls:
                raise SchemaError(
                    f"'{name}' cannot be a key: not every record has a value for it.",
                    next_step="name the properties that identify a record.",
                )
            properties[name] = key.schema(strict=True)
        required = sorted({*key_properties, *schema.get("required", ())})
        if required:
            schema["required"] = required
        return schema


class _Shape:
    """All values seen in one place."""

    __slots__ = ("arrays", "dates", "instants", "items", "kinds", "members", "nulls", "objects", "seen", "texts")

    def __init__(self) -> None:
        self.seen = 0
        self.nulls = 0
        self.objects = 0
        self.arrays = 0
        self.texts = 0
        self.dates = 0
        self.instants = 0
        self.kinds: set[str] = set()
        self.members: dict[str, _Shape] = {}
        self.items: _Shape | None = None

    def see(self, value: Any) -> None:
        self.seen += 1
        if value is None:
            self.nulls += 1
        elif isinstance(value, str):
            self.texts += 1
            if self.dates + self.instants == self.texts - 1:
                self._see_text(value)
            self.kinds.add("string")
        elif isinstance(value, bool):
            self.kinds.add("boolean")
        elif isinstance(value, int):
            self.kinds.add("integer")
        elif isinstance(value, (float, Decimal)):
            self.kinds.add("number")
        elif isinstance(value, Mapping):
            self._see_object(value)
        elif isinstance(value, (list, tuple)):
            self.arrays += 1
            self.kinds.add("array")
            if self.items is None:
                self.items = _Shape()
            for item in value:
                self.items.see(item)
        else:
            raise SchemaError(f"A record holds a {type(value).__name__}, which JSON does not have.")

    def _see_text(self, text: str) -> None:
        if _DATE(text):
            self.dates += _is_day(text)
        else:
            found = _INSTANT(text)
            self.instants += found is not None and _is_day(found[1])

    def _see_object(self, value: Mapping[str, Any]) -> None:
        self.objects += 1
        self.kinds.add("object")
        for name, member in value.items():
            shape = self.members.get(name)
            if shape is None:
                shape = self.members[name] = _Shape()
            shape.see(member)

    def merge(self, other: "_Shape") -> None:
        self.seen += other.seen
        self.nulls += other.nulls
        self.objects += other.objects
        self.arrays += other.arrays
        self.texts += other.texts
        self.dates += other.dates
        self.instants += other.instants
        self.kinds |= other.kinds
        for name, shape in other.members.items():
            self.members.setdefault(name, _Shape()).merge(shape)
        if other.items is not None:
            self.items = self.items or _Shape()
            self.items.merge(other.items)

    def schema(self, *, strict: bool, may_miss: bool = False) -> Schema:
        kinds: list[str] = [kind for kind in _ORDER if kind in self.kinds]
        if "number" in kinds and "integer" in kinds:
            kinds.remove("integer")
        if not kinds:
            return {"type": list(_ANY)}
        if self.nulls or may_miss or not strict:
            kinds.append("null")
        schema: Schema = {"type": kinds if len(kinds) > 1 else kinds[0]}
        if self.kinds == {"string"} and self.texts in (self.dates, self.instants):
            schema["format"] = "date" if self.dates else "date-time"
        if "object" in self.kinds:
            schema |= {word: value for word, value in self.object_schema(strict).items() if word != "type"}
        if self.items is not None and self.items.seen:
            schema["items"] = self.items.schema(strict=strict)
        return schema

    def object_schema(self, strict: bool) -> Schema:
        schema: Schema = {"type": "object"}
        properties = {
            name: shape.schema(strict=strict, may_miss=shape.seen < self.objects)
            for name, shape in self.members.items()
        }
        if properties:
            schema["properties"] = properties
        if strict:
            required = sorted(name for name, shape in self.members.items() if shape.seen == self.objects)
            if required:
                schema["required"] = required
        return schema


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
