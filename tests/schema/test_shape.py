"""The compiled shape: what a tap's rows become, and which of them are refused."""

import base64
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.codec import decode
from singer_kit.errors import SchemaError, SourceRecordError
from singer_kit.schema.reference import Reference
from singer_kit.schema.shape import Encoder, Shaped, compile_encoder
from singer_kit.schema.shape_plain import PlainError, plain
from singer_kit.schema.shape_selection import shape_schema

Schema: TypeAlias = dict[str, Any]
MakeCase: TypeAlias = Callable[[int], tuple[Schema, list[dict[str, Any]]]]

AMSTERDAM = timezone(timedelta(minutes=19, seconds=32))  # what it was before 1937


def record_schema(*, required: tuple[str, ...] = (), **properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def nullable(kind: str, **more: Any) -> Schema:
    return {"type": [kind, "null"], **more}


def records_of(shaped: Shaped) -> list[dict[str, Any]]:
    return [decode(line) for line in shaped.lines.splitlines()]


def shape(schema: Schema, *rows: Any, **options: Any) -> list[dict[str, Any]]:
    shaped = compile_encoder("orders", schema, **options).lines(rows)
    for refusal in shaped.refusals:
        raise refusal.error
    return records_of(shaped)


def refusal_of(schema: Schema, row: Any, **options: Any) -> SourceRecordError:
    shaped = compile_encoder("orders", schema, **options).lines([row])
    assert shaped.count == 0
    assert shaped.lines == b""
    (refusal,) = shaped.refusals
    return refusal.error


# The naive path: slow, plain, and written without the parts it judges.

LEAVES: dict[str, Schema] = {
    "text": nullable("string"),
    "whole": nullable("integer"),
    "number": nullable("number"),
    "truth": nullable("boolean"),
    "instant": nullable("string", format="date-time"),
    "day": nullable("string", format="date"),
    "clock": nullable("string", format="time"),
    "uuid": nullable("string", format="uuid"),
    "money": nullable("string", format="singer.decimal"),
    "mail": nullable("string", format="email"),
    "short": nullable("string", maxLength=3, minLength=1),
    "colour": {"type": ["string", "null"], "enum": ["red", "green", None]},
    "bounded": nullable("integer", minimum=-5, exclusiveMaximum=100),
    "share": nullable("number", minimum=0, maximum=1),
    "upper": nullable("string", pattern="^[A-Z]+$"),
    "either": {"type": ["string", "integer", "null"]},
    "anything": {},
    "free": {"type": ["object", "null"]},
    "list": {"type": ["array", "null"]},
    "choice": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}, {"type": "null"}]},
    "maybe": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    "tenth": nullable("number", multipleOf=0.1),
    "blob": nullable("string", contentEncoding="base64"),
    'odd "name"\\': nullable("string"),
    "needed": {"type": "string"},
}

natives = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70) | st.integers(-6, 101),
    st.floats() | st.sampled_from([0.1, 0.5, 1.0, 1e300]),
    st.decimals(allow_nan=None, places=2)
    | st.sampled_from([Decimal("0.1"), Decimal("1E+5"), Decimal("NaN"), Decimal("0.30000000000000001")]),
    st.text(max_size=4) | st.sampled_from(["red", "AB", "a@b", "1.50", "2024-01-31", "2024-01-31T09:00:00+01:00"]),
    st.datetimes(timezones=st.sampled_from([UTC, None, timezone(timedelta(hours=-5)), AMSTERDAM])),
    st.dates(),
    st.times(timezones=st.sampled_from([UTC, None])),
    st.uuids(),
    st.binary(max_size=3),
    st.sampled_from([Enum("Colour", {"RED": "red"}).RED, Enum("Size", {"ONE": 1}).ONE, timedelta(1), object()]),  # type: ignore[attr-defined]
)
values = st.recursive(
    natives,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "text"]), inner, max_size=2),
    max_leaves=4,
)


def naive(schema: Any, selected: Any, value: Any) -> Any:
    """`value` in JSON's types, or ValueError."""
    if isinstance(value, Enum):
        return naive(schema, selected, value.value)
    if isinstance(value, Mapping):
        declared = selected.get("properties") or {}
        return {
            name: naive((schema.get("properties") or {}).get(name, {}), declared.get(name, {}), item)
            for name, item in value.items()
            if name in declared or not declared
        }
    if isinstance(value, list):
        return [naive(schema.get("items", {}), selected.get("items", {}), item) for item in value]
    decimal_text = selected.get("format") == "singer.decimal"
    match value:
        case bool() | None | str():
            return value
        case int():
            return str(value) if decimal_text else value
        case float():
            if value != value or abs(value) == float("inf") or decimal_text:
                raise ValueError
            return Decimal(repr(value))
        case Decimal():
            if not value.is_finite():
                raise ValueError
            return str(value) if decimal_text else value
        case datetime():
            if value.tzinfo is None:
                raise ValueError
            if value.utcoffset() % timedelta(minutes=1):  # type: ignore[operator]
                value = value.astimezone(UTC)
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case bytes():
            if "contentEncoding" not in selected:
                raise ValueError
            return base64.b64encode(value).decode()
    raise ValueError


@st.composite
def cases(draw: Any) -> tuple[Schema, Schema, tuple[str, ...], list[Any]]:
    names = draw(st.lists(st.sampled_from(sorted(LEAVES)), min_size=1, max_size=6, unique=True))
    schema = record_schema(**{name: LEAVES[name] for name in names})
    if draw(st.booleans()):
        inner = draw(st.lists(st.sampled_from(sorted(LEAVES)), min_size=1, max_size=3, unique=True))
        level = {"type": ["object", "null"], "properties": {name: LEAVES[name] for name in inner}}
        schema["properties"]["nested"] = level
        schema["properties"]["many"] = {"type": ["array", "null"], "items": level}
    keys = (names[0],) if draw(st.booleans()) and "null" in str(LEAVES[names[0]]) else ()
    dropped = draw(st.sets(st.sampled_from(sorted(schema["properties"])), max_size=2)) - set(keys)
    selected = {**schema, "properties": {n: s for n, s in schema["properties"].items() if n not in dropped}}
    if "nested" in selected["properties"] and draw(st.booleans()):
        nested = selected["properties"]["nested"]
        kept = dict(list(nested["properties"].items())[1:])
        if kept:
            selected["properties"]["nested"] = {**nested, "properties": kept}
    if not selected["properties"]:
        selected = schema
    likely = {name: leaf for name in schema["properties"] if (leaf := GOOD.get(name)) is not None}
    row = st.fixed_dictionaries(
        {}, optional={name: likely.get(name, values) | values for name in schema["properties"]} | {"stray": values}
    )
    return schema, selected, keys, draw(st.lists(row, min_size=1, max_size=6))


GOOD: dict[str, Any] = {
    "text": st.text(max_size=5),
    "whole": st.integers(),
    "number": st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.just(Decimal("0.30000000000000001")),
    "instant": st.datetimes(timezones=st.just(UTC)) | st.just("2024-01-31T09:00:00+01:00"),
    "day": st.dates(),
    "money": st.decimals(allow_nan=False, allow_infinity=False) | st.just("1.50"),
    "uuid": st.uuids(),
    "nested": st.dictionaries(st.sampled_from(sorted(LEAVES)), values, max_size=4),
    "many": st.lists(st.dictionaries(st.sampled_from(sorted(LEAVES)), values, max_size=3), max_size=3),
    "needed": st.text(max_size=3),
    "clock": st.times(timezones=st.just(UTC)),
}


def test_the_compiled_shape_equals_the_naive_path() -> None:
    """For any schema, selection and rows: the same records, the same refusals, page after page."""
    kept = refused = 0

    @settings(max_examples=200, deadline=None)
    @given(cases(), st.integers(0, 5))
    def judge(case: tuple[Schema, Schema, tuple[str, ...], list[Any]], cut: int) -> None:
        nonlocal kept, refused
        schema, selected, keys, rows = case
        encoder = compile_encoder("s", schema, selected=selected, key_properties=keys)
        reference = Reference(selected)
        for page in filter(None, (rows[:cut], rows[cut:], rows)):
            expected, bad = [], []
            for place, row in enumerate(page):
                try:
                    record = naive(schema, selected, row)
                    record = decode(json_line(record))
                    if reference.problems(record) or any(record.get(key) is None for key in keys):
                        raise ValueError
                except (ValueError, OverflowError):
                    bad.append(place)
                else:
                    expected.append(record)
            shaped = encoder.lines(page)
            assert records_of(shaped) == expected
            assert [refusal.place for refusal in shaped.refusals] == bad
            assert shaped.count == len(expected)
            kept += len(expected)
            refused += len(bad)

    judge()
    assert kept > 100
    assert refused > 100


def json_line(record: Any) -> bytes:
    """Standard library JSON, decimals as numbers with all their digits."""
    if isinstance(record, dict):
        return b"{" + b",".join(json.dumps(k).encode() + b":" + json_line(v) for k, v in record.items()) + b"}"
    if isinstance(record, list):
        return b"[" + b",".join(map(json_line, record)) + b"]"
    if isinstance(record, Decimal):
        return str(record).encode()
    return json.dumps(record, ensure_ascii=False).encode()


def test_nothing_leaves_that_the_reference_refuses(schema_with_records: MakeCase) -> None:
    """Whatever keywords a schema uses: what is sent keeps it, what is refused breaks it, nothing is lost between."""
    outcomes = {"sent": 0, "refused": 0}

    @settings(max_examples=300, deadline=None)
    @given(seed=st.integers(0, 2**48))
    def judge(seed: int) -> None:
        schema, rows = schema_with_records(seed)
        if not isinstance(schema.get("properties"), dict):
            schema = {**schema, "properties": {"a": {}, "b": {}}}
        keys = ("a",) if seed % 3 == 0 else ()
        encoder = compile_encoder("s", schema, key_properties=keys)
        reference = Reference(schema, check=False)
        shaped = encoder.lines(rows)
        refused = {refusal.place for refusal in shaped.refusals}
        sent = iter(records_of(shaped))
        for place, row in enumerate(rows):
            record = plain(shape_schema(schema, schema), decode(json_line(row)))
            good = reference.accepts(record) and all(record.get(key) is not None for key in keys)
            assert good is (place not in refused), (schema, row)
            if good:
                assert next(sent) == record
            outcomes["sent" if good else "refused"] += 1

    judge()
    assert min(outcomes.values()) > 100


# Cases


def test_natives_keep_every_digit_and_offset() -> None:
    """Datetimes, dates, UUIDs, decimals and integers of any size go out as their exact text or number."""
    schema = record_schema(
        at=nullable("string", format="date-time"),
        day=nullable("string", format="date"),
        id=nullable("string", format="uuid"),
        price=nullable("number"),
        total=nullable("string", format="x-singer.decimal"),
        big=nullable("integer"),
    )
    row = {
        "at": datetime(2024, 1, 31, 9, 0, 0, 5, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        "day": date(2024, 1, 31),
        "id": UUID(int=1),
        "price": Decimal("12345678901234567890.10"),
        "total": Decimal("0.10"),
        "big": 2**80,
    }
    line = compile_encoder("orders", schema).lines([row]).lines
    assert line == (
        b'{"at":"2024-01-31T09:00:00.000005+05:30","day":"2024-01-31","id":"00000000-0000-0000-0000-000000000001",'
        b'"price":12345678901234567890.10,"total":"0.10","big":1208925819614629174706176}\n'
    )


def test_an_offset_with_seconds_becomes_utc() -> None:
    """RFC 3339 has no seconds in offsets: the instant is kept, not the local time."""
    schema = record_schema(at=nullable("string", format="date-time"))
    local = datetime(1900, 1, 1, tzinfo=ZoneInfo("Europe/Amsterdam"))
    (record,) = shape(schema, {"at": local})
    assert datetime.fromisoformat(record["at"]) == local


def test_missing_is_not_null() -> None:
    """A name that a row lacks stays away; null is sent as null."""
    assert shape(record_schema(a=nullable("string"), b=nullable("string")), {"a": None}) == [{"a": None}]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"at": datetime(2024, 1, 1)}, "'at' is a datetime without an offset"),  # noqa: DTZ001 - what is refused
        ({"price": float("nan")}, "'price' is NaN, which is not a JSON number"),
        ({"price": Decimal("Infinity")}, "'price' is Infinity"),
        ({"total": 1.5}, "'total' is a float but the schema asks for exact decimal text"),
        ({"name": 5}, "'name' is an integer but the schema says string or null"),
        ({"whole": "5"}, "'whole' is a string but the schema says integer or null"),
        ({"name": b"x"}, "'name' is bytes, which JSON cannot hold"),
        ({"name": "\ud800"}, "half a surrogate pair"),
        ({"nested": {"deep": object()}}, "'nested.deep' is a object, which has no JSON form"),
        ({"tags": ["a", {1}]}, "'tags.1' is an array but the schema says string"),
        ([1], "it is a list, not a dict"),
        ({1: 2}, "has a name that is a int"),
    ],
)
def test_a_row_that_cannot_go_out_is_named(row: Any, words: str) -> None:
    """The error names stream, record and field, says what is wrong, and what to do; never the value."""
    schema = record_schema(
        at=nullable("string", format="date-time"),
        price=nullable("number"),
        total=nullable("string", format="singer.decimal"),
        name=nullable("string"),
        whole=nullable("integer"),
        nested=nullable("object", properties={"deep": {}}),
        tags={"type": "array", "items": {"type": "string"}},
    )
    error = refusal_of(schema, row)
    assert "stream 'orders', record 1: " in error.sentence
    assert words in error.sentence
    assert error.place.startswith("schema: orders")
    assert error.next_step


def test_a_missing_or_null_key_is_refused() -> None:
    """Keys are there and not null, whatever the schema says."""
    schema = record_schema(id=nullable("integer"))
    assert "'id' is a key and is missing" in refusal_of(schema, {}, key_properties=["id"]).sentence
    assert "'id' is a key and must not be null" in refusal_of(schema, {"id": None}, key_properties=["id"]).sentence


def test_one_bad_row_does_not_hide_the_others() -> None:
    """The good rows of a page go out in order, the bad ones are named by their number."""
    rows: list[dict[str, Any]] = [{"id": number} for number in range(1000)]
    rows[17] = {"id": "17"}
    rows[998] = {"id": None}
    shaped = compile_encoder("orders", record_schema(id={"type": "integer"})).lines(rows, first=5001)
    assert [record["id"] for record in records_of(shaped)] == [n for n in range(1000) if n not in (17, 998)]
    assert ["record 5018" in r.error.sentence or "record 5999" in r.error.sentence for r in shaped.refusals] == [
        True
    ] * 2


def test_deselected_fields_never_leave_at_any_depth(caplog: pytest.LogCaptureFixture) -> None:
    """Neither flat, nested, in items nor in alternatives; and without a word."""
    level = {"type": "object", "properties": {"a": {"type": "string"}, "secret": {"type": "string"}}}
    less = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = record_schema(
        flat=nullable("string"), nested=level, many={"type": "array", "items": level},
        either={"anyOf": [level, {"type": "null"}]},
        mixed={"anyOf": [level, {"type": "array", "items": level}]}, secret=nullable("string"),
    )  # fmt: skip
    selected = record_schema(
        flat=nullable("string"), nested=less, many={"type": "array", "items": less},
        either={"anyOf": [less, {"type": "null"}]},
        mixed={"anyOf": [less, {"type": "array", "items": less}]},
    )  # fmt: skip
    value = {"a": "x", "secret": "s"}
    row = {"flat": "f", "nested": value, "many": [value], "either": value, "mixed": value, "secret": "s"}
    rows = [row, {**row, "mixed": [value]}]
    records = shape(schema, *rows, selected=selected)
    assert "secret" not in json.dumps(records)
    assert records[0]["mixed"] == {"a": "x"}
    assert records[1]["mixed"] == [{"a": "x"}]
    assert not caplog.records


def test_an_undeclared_name_is_told_once_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """One warning for each name in a run, by its dotted path."""
    schema = record_schema(a=nullable("string"), n={"type": "object", "properties": {"b": {}}})
    encoder = compile_encoder("orders", schema)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            shaped = encoder.lines([{"a": "x", "z": 1, "n": {"b": 1, "y": 2}}, {"a": "x", "z": 2}])
    assert records_of(shaped) == [{"a": "x", "n": {"b": 1}}, {"a": "x"}]
    assert [record.args for record in caplog.records] == [("orders", "z"), ("orders", "n.y")]


def test_undeclared_names_may_be_kept() -> None:
    """`keep` sends them as they are, however many there are."""
    encoder = compile_encoder("orders", record_schema(a=nullable("string")), undeclared="keep")
    for start in range(0, 600, 100):
        rows = [{"a": "x", f"n{number}": number} for number in range(start, start + 100)]
        assert records_of(encoder.lines(rows)) == rows


def test_open_objects_keep_all_their_names(caplog: pytest.LogCaptureFixture) -> None:
    """`additionalProperties: true`, or no declared property at all, takes any name."""
    schema = record_schema(
        free={"type": "object"}, open={"type": "object", "properties": {"a": {}}, "additionalProperties": True}
    )
    row = {"free": {"x": [1, {"y": None}]}, "open": {"a": 1, "b": 2}}
    assert shape(schema, row) == [row]
    assert not caplog.records


def test_rows_may_change_their_types_in_mid_stream() -> None:
    """Text and datetimes, integers and decimals in one column: each goes out as what it is."""
    schema = record_schema(at=nullable("string", format="date-time"), price=nullable("number"))
    encoder = compile_encoder("orders", schema)
    pages = [
        [{"at": datetime(2024, 1, 1, tzinfo=UTC), "price": 1}],
        [{"at": "2024-01-01T00:00:00+01:00", "price": Decimal("1.10")}],
        [{"at": None, "price": 0.5}, {"at": datetime(2024, 1, 2, tzinfo=UTC), "price": None}],
    ]
    lines = [encoder.lines(page).lines for page in pages]
    assert lines == [
        b'{"at":"2024-01-01T00:00:00Z","price":1}\n',
        b'{"at":"2024-01-01T00:00:00+01:00","price":1.10}\n',
        b'{"at":null,"price":0.5}\n{"at":"2024-01-02T00:00:00Z","price":null}\n',
    ]


def test_messages_wrap_records() -> None:
    """The envelope is put around each line; text with line breaks stays within its line."""
    encoder: Encoder = compile_encoder('a "b"', record_schema(a=nullable("string")))
    messages = encoder.encode([{"a": "x\ny"}, {"a": None}], "2024-01-01T00:00:00Z", version=7).lines
    assert [json.loads(line) for line in messages.splitlines()] == [
        {
            "type": "RECORD",
            "stream": 'a "b"',
            "version": 7,
            "record": {"a": a},
            "time_extracted": "2024-01-01T00:00:00Z",
        }
        for a in ("x\ny", None)
    ]


def test_the_caller_s_rows_and_schema_are_not_touched() -> None:
    """Neither the good path nor the slow one writes into what it was given."""
    schema = record_schema(
        total=nullable("string", format="singer.decimal"),
        tags={"type": "array", "items": {"type": "string", "format": "uuid"}},
    )
    row = {"total": Decimal("1.10"), "tags": [UUID(int=1), str(UUID(int=2))], "extra": {}}
    before = json.dumps(schema), repr(row)
    shape(schema, row, {**row, "total": "1"})
    assert (json.dumps(schema), repr(row)) == before


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "strin"},
        {"type": "string", "pattern": "("},
        {"type": 5},
        {"type": "string", "format": {}},
        {"anyOf": 3},
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_at_once(broken: Any) -> None:
    """Before any row, as an error of schemas."""
    with pytest.raises(SchemaError):
        compile_encoder("orders", record_schema(a=broken))


def test_plain_errors_carry_the_path() -> None:
    """A value without JSON form deep inside is found."""
    with pytest.raises(PlainError) as caught:
        plain({}, {"a": [{"b": float("inf")}]})
    assert caught.value.path == ("a", 0, "b")
