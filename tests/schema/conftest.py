"""Schemas over every keyword of every draft, and records drawn to hit them and to miss them."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest

NAMES = ("a", "b", "c", "a.b", "é", "x-y", "class")
NUMBERS: tuple[Any, ...] = (
    *(0, 1, 2, 3, -1, 7, 10, 2**53 + 1, 2**70, 10**25),
    *map(
        Decimal,
        ("0.1", "0.10", "0.3", "1.0", "2.0", "1.5", "70.07", "-0.0", "1E+2", "1E-400", "1E+400", "0.30000000000000001"),
    ),
    Decimal("12345678901234567890.12"),
)
TEXTS = (
    *("", "a", "b", "ab", "aa", "a\n", "A", "3", "12", "٣", "_", " ", "\u2028", "\ufeff", "é", "foo bar", "x" * 20),
    *("2026-01-01", "2024-02-29", "2026-02-29", "2026-13-01", "2026-01-01\n", "0000-01-01", "20260101"),
    *("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00", "2026-01-01t00:00:00.123456789z", "2026-01-01 00:00:00Z"),
    *("2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+0000"),
    *("2026-01-01T00:00:00Z\n", "2026-01-01T00:00:00.5+23:59", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00.Z"),
    *("12:00:00", "12:00:00Z", "12:00:00.5+01:00", "24:00:00Z", "P1D", "P1Y2M3DT4H", "PT", "P1"),
    *("1", "1.50", "-0.5", "1e5", "NaN", "Infinity", " 1", "1_000", ".5", "5.", "+1", "1\n", "1\n2"),
    *("a@b", "a@b\n", "127.0.0.1", "01.2.3.4", "256.1.1.1", "::1", "::1%eth0", "fe80::1", "host", "host.example.com"),
    *("-host", "host\n", "ho_st", "http://example.com/a?b#c", "http://example.com/\n", "/a/b", "//x", "urn:x:y", "a b"),
    *("http://ex ample", "/a~0b", "/a~2b", "0#", "1/a", "{x}", "/x/{y}", "(", "[a-z]+", "xn--a", "mañana.example"),
    *(
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "6ba7b8109dad11d180b400c04fd430c8",
        "{6ba7b810-9dad-11d1-80b4-00c04fd430}",
    ),
)
PATTERNS = (
    *("^a$", "^a", "a", "a|b", "^[0-9]+$", r"\d", r"^\d+$", r"\w", r"^\w+$", r"\s", r"\S", r"\D", r"\W", r"\bfoo\b"),
    *(
        ".",
        "^.$",
        "[^a]",
        "[^\\d]",
        "[\\d.]+",
        "^(a|b){1,2}$",
        "^$",
        "(?i)^a$",
        "^(?=a)",
        "(?!a)^.",
        r"a\Z",
        "a?b*",
        "é",
    ),
)
FORMATS = (
    *("date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6"),
    *("uri", "uri-reference", "iri", "iri-reference", "uri-template", "json-pointer", "relative-json-pointer"),
    *("regex", "uuid", "singer.decimal", "x-singer.decimal", "color", "unheard-of"),
)
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
DRAFTS = {
    "4": "http://json-schema.org/draft-04/schema#",
    "6": "http://json-schema.org/draft-06/schema#",
    "7": "http://json-schema.org/draft-07/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}


def some_value(random: Random, depth: int = 2) -> Any:
    """Any JSON value, of a small world in which values often meet."""
    kind = random.randrange(14 if depth else 10)
    if kind < 2:
        return random.choice([None, True, False])
    if kind < 6:
        return random.choice(NUMBERS)
    if kind < 10:
        return random.choice(TEXTS)
    if kind < 12:
        return [some_value(random, depth - 1) for _ in range(random.randrange(4))]
    return {random.choice(NAMES): some_value(random, depth - 1) for _ in range(random.randrange(4))}


class SchemaWriter:
    """Draws a schema of one draft."""

    def __init__(self, random: Random, draft: str) -> None:
        self.random = random
        self.draft = draft
        self.year = {"4": 4, "6": 6, "7": 7, "2019-09": 2019, "2020-12": 2020}[draft]

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def pick(self, options: Any) -> Any:
        return self.random.choice(options)

    def several(self, options: Any, least: int, most: int) -> list[Any]:
        return self.random.sample(list(options), self.random.randint(least, most))

    def root(self) -> dict[str, Any]:
        """The schema of a record, mostly plain, as Singer schemas are."""
        plain = self.chance(40)
        properties = {name: self.simple() if plain else self.schema(2) for name in self.several(NAMES, 1, 4)}
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        if self.chance(80):
            schema["$schema"] = DRAFTS[self.draft]
        if self.chance(30):
            schema["required"] = [self.pick(list(properties))]
        if not plain and self.chance(40):
            schema |= self.applied(2, "object")
        if not plain and self.chance(20):
            schema["additionalProperties"] = self.pick([True, False, {}, {"type": "string"}])
        definitions = "definitions" if self.year < 2019 else "$defs"
        schema[definitions] = {"leaf": self.simple(), "tree": self.tree()}
        return schema

    def tree(self) -> dict[str, Any]:
        place = "definitions" if self.year < 2019 else "$defs"
        return {"type": "object", "properties": {"a": {"$ref": f"#/{place}/tree"}, "b": {"type": "integer"}}}

    def simple(self) -> dict[str, Any]:
        """A property as connectors write them: a type or two and what speaks of it."""
        kind = self.pick(TYPES[1:])
        types = self.pick([kind, [kind], ["null", kind], [kind, "null"], ["null", kind, "string"]])
        schema: dict[str, Any] = {"type": types if kind != "string" or types != ["null", kind, "string"] else kind}
        if self.chance(60):
            schema |= self.for_kind(kind, 1)
        return schema

    def schema(self, depth: int) -> Any:
        if self.year > 4 and self.chance(3):
            return self.pick([True, False])
        if self.chance(45):
            schema = self.simple()
        else:
            schema = {}
            if self.chance(60):
                schema["type"] = self.pick(TYPES) if self.chance(60) else self.several(TYPES, 1, 3)
            for _ in range(self.random.randrange(3)):
                schema |= self.for_kind(self.pick(TYPES[2:]), depth)
        if self.chance(12):
            schema["enum"] = self.distinct_values()
        if depth > 0 and self.chance(35):
            schema |= self.applied(depth - 1, "any")
        if self.chance(8):
            place = "definitions" if self.year < 2019 else "$defs"
            schema["$ref"] = self.pick(["#/%s/leaf", "#/%s/leaf", "#/%s/tree"]) % place
        if self.year > 4 and self.chance(5):
            schema["const"] = some_value(self.random)
        return schema

    def distinct_values(self) -> list[Any]:
        drawn = [some_value(self.random) for _ in range(self.random.randint(1, 4))]
        return [one for number, one in enumerate(drawn) if one not in drawn[:number]]

    def for_kind(self, kind: str, depth: int) -> dict[str, Any]:
        """Keywords that speak of one type."""
        if kind == "string":
            return self.pick(
                [
                    {"format": self.pick(FORMATS)},
                    {"format": self.pick(FORMATS[:2])},
                    {"pattern": self.pick(PATTERNS)},
                    {"minLength": self.pick([0, 1, 2])},
                    {"maxLength": self.pick([0, 1, 2, 10])},
                    {"enum": self.several(TEXTS, 1, 3)},
                ]
            )
        if kind in ("integer", "number"):
            bound = self.pick(NUMBERS if self.chance(30) else [0, 1, 2, 0.1, 0.3, Decimal("1.0")])
            side = self.pick(["Minimum", "Maximum"])
            if self.chance(30):
                return {"multipleOf": self.pick([1, 2, 0.01, 0.1, Decimal("0.3"), 1.5, 7])}
            if self.chance(50):
                return {side.lower(): bound}
            if self.draft == "4":
                return {side.lower(): bound, f"exclusive{side}": self.pick([True, False])}
            return {f"exclusive{side}": bound}
        if kind == "array":
            return self.for_array(depth)
        if kind == "object":
            return self.for_object(depth)
        return {"enum": [True]} if kind == "boolean" and self.chance(20) else {}

    def for_array(self, depth: int) -> dict[str, Any]:
        items = self.simple() if depth <= 0 or self.chance(60) else self.schema(depth - 1)
        options: list[dict[str, Any]] = [
            {"items": items},
            {"items": items},
            {"items": items, "uniqueItems": True},
            {"uniqueItems": True},
            {"minItems": self.pick([0, 1, 2])},
            {"maxItems": self.pick([0, 1, 2])},
        ]
        if self.year < 2020:
            options.append({"items": [items, self.simple()]})
            options.append({"items": [items], "additionalItems": self.pick([False, {"type": "string"}, self.simple()])})
            options.append({"additionalItems": False})
        else:
            options.append({"prefixItems": [items, self.simple()], "items": self.pick([True, False, self.simple()])})
        if self.year > 4:
            contains: dict[str, Any] = {"contains": items}
            if self.year >= 2019:
                contains |= self.pick([{}, {"minContains": 0}, {"minContains": 2}, {"maxContains": 1}])
            options.append(contains)
        if self.year >= 2019:
            options.append({"items": items, "unevaluatedItems": False})
        return self.pick(options)

    def for_object(self, depth: int) -> dict[str, Any]:
        inner = self.simple() if depth <= 0 or self.chance(60) else self.schema(depth - 1)
        properties = {
            name: inner if self.chance(50) else self.simple() for name in self.pick([NAMES[:1], NAMES[:2], NAMES[1:4]])
        }
        options: list[dict[str, Any]] = [
            {"properties": properties},
            {"properties": properties, "required": [self.pick(NAMES[:2])]},
            {"properties": properties, "additionalProperties": self.pick([True, False, {}, inner])},
            {"additionalProperties": inner},
            {"minProperties": self.pick([0, 1, 2])},
            {"maxProperties": self.pick([0, 1, 2])},
            {"patternProperties": {self.pick(PATTERNS[:22]): inner}},
            {"patternProperties": {"^a": inner}, "additionalProperties": False},
        ]
        if self.year < 2019:
            options.append({"dependencies": {"a": self.pick([["b"], {"required": ["c"]}, {"properties": properties}])}})
        else:
            options.append({"dependentRequired": {"a": ["b"]}})
            options.append({"dependentSchemas": {"a": {"properties": properties}}})
            options.append({"properties": properties, "unevaluatedProperties": self.pick([False, {"type": "string"}])})
        if self.year > 4:
            options.append(
                {"propertyNames": self.pick([{"maxLength": 1}, {"pattern": "^[a-c]"}, {"enum": ["a", "b"]}])}
            )
        return self.pick(options)

    def applied(self, depth: int, kind: str) -> dict[str, Any]:
        """A keyword that combines schemas for the same value."""

        def some() -> Any:
            return {"type": "object", **self.for_object(depth)} if kind == "object" else self.schema(depth - 1)

        options: list[dict[str, Any]] = [
            {"allOf": [some(), some()]},
            {"anyOf": [some(), some()]},
            {"anyOf": [{"type": "null"}, some()]},
            {"oneOf": [{"type": "null"}, some()]},
            {"oneOf": [some(), some()]},
            {"not": some()},
        ]
        if self.year >= 7:
            options.append({"if": some(), "then": some()})
            options.append({"if": some(), "else": some()})
        return self.pick(options)


class RecordWriter:
    """Draws a value that has some hope to keep a schema."""

    def __init__(self, random: Random, root: dict[str, Any]) -> None:
        self.random = random
        self.root = root

    def value(self, schema: Any, depth: int = 4) -> Any:
        if not isinstance(schema, dict) or depth <= 0 or self.random.randrange(100) < 8:
            return some_value(self.random)
        if "$ref" in schema:
            target: Any = self.root
            for step in schema["$ref"][2:].split("/"):
                target = target[step]
            return self.value(target, depth - 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema and self.random.choice([True, False]):
                return self.value(self.random.choice(schema[keyword]), depth - 1)
        types = schema.get("type", list(TYPES))
        kind = types if isinstance(types, str) else self.random.choice(types)
        if kind == "null":
            return None
        if kind == "boolean":
            return self.random.choice([True, False])
        if kind == "integer":
            return self.random.choice([n for n in NUMBERS if isinstance(n, int)] + [Decimal("1.0")])
        if kind == "number":
            return self.random.choice(NUMBERS)
        if kind == "string":
            return self.random.choice(TEXTS)
        if kind == "array":
            items = schema.get("items")
            return [
                self.value(items[0] if isinstance(items, list) else items, depth - 1)
                for _ in range(self.random.randrange(4))
            ]
        return self.record(schema, depth)

    def record(self, schema: dict[str, Any], depth: int = 4) -> dict[str, Any]:
        found = {}
        required = schema.get("required", [])
        for name, inner in schema.get("properties", {}).items():
            if self.random.randrange(100) < (95 if name in required else 70):
                found[name] = self.value(inner, depth - 1)
        if self.random.randrange(100) < 15:
            found[self.random.choice(NAMES)] = some_value(self.random)
        return found


def make_schema_with_records(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    random = Random(seed)
    schema = SchemaWriter(random, random.choice(list(DRAFTS))).root()
    writer = RecordWriter(random, schema)
    return schema, [writer.record(schema) for _ in range(random.randint(1, 6))]


@pytest.fixture(scope="session")
def schema_with_records() -> Callable[[int], tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Makes from a seed a schema of a record and one to six records."""
    return make_schema_with_records
