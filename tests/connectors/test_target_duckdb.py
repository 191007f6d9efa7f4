"""target-duckdb: what lands in the tables, read back with DuckDB."""

import io
import json
import logging
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from singer_kit.codec import encode
from singer_kit.connectors.target_duckdb import TargetDuckDB
from singer_kit.errors import DestinationError, DestinationUnavailableError, RecordError, SettingsError, StateError

INT = {"type": ["null", "integer"]}
NUM = {"type": ["null", "number"]}
STR = {"type": ["null", "string"]}
DAY = {"type": "string", "format": "date"}
UUID = {"type": "string", "format": "uuid"}
AT = {"type": ["null", "string"], "format": "date-time"}


def schema(stream: str, properties: dict[str, Any], keys: tuple[str, ...] = ()) -> bytes:
    """A SCHEMA line."""
    said = {"type": "object", "properties": properties}
    return encode({"type": "SCHEMA", "stream": stream, "schema": said, "key_properties": keys}) + b"\n"


def record(stream: str, raw: str, version: int | None = None) -> bytes:
    """A RECORD line; the record is JSON text."""
    versioned = b"" if version is None else b',"version":%d' % version
    return b'{"type":"RECORD","stream":%b,"record":%b%b}\n' % (encode(stream), raw.encode(), versioned)


def state(value: Any) -> bytes:
    """A STATE line."""
    return encode({"type": "STATE", "value": value}) + b"\n"


def activate(stream: str, version: int) -> bytes:
    """An ACTIVATE_VERSION line."""
    return encode({"type": "ACTIVATE_VERSION", "stream": stream, "version": version}) + b"\n"


class Duck:
    """A database file, loaded by the target and read by DuckDB."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "t.duckdb")

    def load(self, *lines: bytes, **config: Any) -> list[Any]:
        """The states that the target printed."""
        out = io.BytesIO()
        settings = {"path": self.path, "add_record_metadata": False, **config}
        TargetDuckDB(settings).run(io.BytesIO(b"".join(lines)), out)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What DuckDB says."""
        connection = duckdb.connect(self.path, read_only=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def types(self, table: str) -> dict[str, str]:
        """The columns of a table and their types."""
        return dict(self.rows(f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{table}'"))


@pytest.fixture
def duck(tmp_path: Path) -> Duck:
    """An empty database."""
    return Duck(tmp_path)


@pytest.mark.parametrize(
    ("definition", "texts", "kind", "stored"),
    [
        (INT, ["1", "null"], "BIGINT", [1, None]),
        (INT, ["1.0"], "BIGINT", [1]),
        (INT, ["9223372036854775808", "-1"], "HUGEINT", [2**63, -1]),
        (INT, [str(-(2**127)), str(2**127 - 1)], "HUGEINT", [-(2**127), 2**127 - 1]),
        (INT, ["1" + "0" * 60, "7"], "VARCHAR", ["1" + "0" * 60, "7"]),
        (NUM, ["12345678901234567.89", "1.10", "3"], "DECIMAL(38,10)", ["12345678901234567.89", "1.1", "3"]),
        (NUM, ["0.12345678901234567"], "DECIMAL(38,20)", ["0.12345678901234567"]),
        (NUM, ["1e300", "0.5"], "VARCHAR", ["1E+300", "0.5"]),
        (
            {"type": "string", "format": "singer.decimal", "precision": 12, "scale": 2},
            ['"100.08"'],
            "DECIMAL(12,2)",
            ["100.08"],
        ),
        (
            {"type": "string", "format": "x-singer.decimal", "precision": 5, "scale": 2},
            ['"123.456"'],
            "DECIMAL(38,10)",
            ["123.456"],
        ),
        ({"type": "boolean"}, ["true", "false"], "BOOLEAN", [True, False]),
        (
            STR,
            ['""', '"NULL"', '"a\\tb\\n"', '"a\\u0000b"', '"ünï \\ud83d\\ude00"'],
            "VARCHAR",
            ["", "NULL", "a\tb\n", "a\0b", "ünï 😀"],
        ),
        (DAY, ['"2026-01-31"'], "DATE", ["2026-01-31"]),
        (UUID, ['"C0FFEE00-0000-4000-8000-000000000000"'], "UUID", ["c0ffee00-0000-4000-8000-000000000000"]),
        (
            {"type": "object"},
            ['{"b": 1.10, "a":{"x":[1E2, "\\u0000"]}}'],
            "JSON",
            ['{"b": 1.10, "a":{"x":[1E2, "\\u0000"]}}'],
        ),
        ({"type": "array"}, ["[1.0,null]", "[]"], "JSON", ["[1.0,null]", "[]"]),
        ({}, ['"s"', "1.50", "true", "null"], "JSON", ['"s"', "1.50", "true", None]),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}, {"type": "string"}]}, ["1", '"x"'], "VARCHAR", ["1", "x"]),
        (
            {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string"}]},
            ['"2026-01-01T00:00:00Z"', '"x"'],
            "VARCHAR",
            ["2026-01-01T00:00:00Z", "x"],
        ),
        ({"enum": ["a", "b"]}, ['"b"'], "VARCHAR", ["b"]),
        ({"oneOf": [{"type": "integer"}, {"type": "array"}]}, ["1", "[2]"], "JSON", ["1", "[2]"]),
        ({"allOf": [{"type": "integer"}, {"minimum": 0}]}, ["1"], "BIGINT", [1]),
    ],
)
def test_values_are_stored_unchanged_and_typed(
    duck: Duck, definition: Any, texts: list[str], kind: str, stored: list[Any]
) -> None:
    """The narrowest type that holds all values; nothing is rounded, trimmed or dropped."""
    duck.load(
        schema("s", {"n": INT, "a": definition}),
        *[record("s", f'{{"n":{n},"a":{text}}}') for n, text in enumerate(texts)],
    )
    assert duck.types("s")["a"] == kind
    got = [value for (value,) in duck.rows("SELECT a FROM s ORDER BY n")]
    if kind.startswith("DECIMAL"):
        assert got == list(map(Decimal, stored))
    elif kind in {"DATE", "UUID"}:
        assert list(map(str, got)) == stored
    else:
        assert got == stored


def test_instants_keep_their_moment(duck: Duck) -> None:
    """An offset is not dropped; what microseconds do not hold makes the column text, the rest in UTC."""
    lines = [schema("s", {"a": AT}), record("s", '{"a":"2026-01-01T00:00:00.5-05:00"}')]
    duck.load(*lines)
    assert duck.types("s") == {"a": "TIMESTAMP WITH TIME ZONE"}
    assert duck.rows("SELECT epoch_us(a) FROM s") == [(1767243600500000,)]
    duck.load(schema("s", {"a": AT}), record("s", '{"a":"2026-01-01T00:00:00.123456789Z"}'))
    assert duck.types("s") == {"a": "VARCHAR"}
    assert duck.rows("SELECT a FROM s ORDER BY a") == [
        ("2026-01-01T00:00:00.123456789Z",),
        ("2026-01-01T05:00:00.500000Z",),
    ]


def test_times_keep_their_offset(duck: Duck) -> None:
    """A time without an offset is a TIME; the first one with an offset makes the column text."""
    clock = {"type": "string", "format": "time"}
    duck.load(schema("s", {"a": clock}), record("s", '{"a":"12:00:00.25"}'), validate_records=False)
    assert duck.types("s") == {"a": "TIME"}
    duck.load(schema("s", {"a": clock}), record("s", '{"a":"12:00:00+02:00"}'))
    assert duck.rows("SELECT a FROM s ORDER BY a") == [("12:00:00+02:00",), ("12:00:00.25",)]


def test_doubles_are_there_for_who_asks(duck: Duck) -> None:
    """`number_type: double`."""
    duck.load(schema("s", {"a": NUM}), record("s", '{"a":0.1}'), record("s", '{"a":null}'), number_type="double")
    assert duck.types("s") == {"a": "DOUBLE"}
    assert duck.rows("SELECT a FROM s") == [(0.1,), (None,)]


def test_the_last_record_of_a_key_stands(duck: Duck) -> None:
    """Inside a batch, across batches and across runs; an update that leaves a field out nulls it."""
    head = schema("s", {"id": INT, "v": STR}, ("id",))
    duck.load(
        head,
        *[record("s", f'{{"id":{n % 3},"v":"{n}"}}') for n in range(20)],
        batch_size_rows=7,
    )
    assert duck.rows("SELECT id, v FROM s ORDER BY id") == [(0, "18"), (1, "19"), (2, "17")]
    duck.load(head, record("s", '{"id":1,"v":"a"}'), record("s", '{"id":4,"v":"b"}'), record("s", '{"id":0}'))
    assert duck.rows("SELECT id, v FROM s ORDER BY id") == [(0, None), (1, "a"), (2, "17"), (4, "b")]


def test_composite_keys_are_tuples(duck: Duck) -> None:
    """("x,y", "z") and ("x", "y,z") are two rows."""
    head = schema("s", {"a": STR, "b": STR, "v": INT}, ("a", "b"))
    rows = ['{"a":"x,y","b":"z","v":1}', '{"a":"x","b":"y,z","v":2}', '{"a":"x","b":"y,z","v":3}']
    duck.load(head, *[record("s", row) for row in rows])
    duck.load(head, *[record("s", row) for row in rows])
    assert duck.rows("SELECT a, b, v FROM s ORDER BY v") == [("x,y", "z", 1), ("x", "y,z", 3)]


@pytest.mark.parametrize(
    ("definition", "one", "other"),
    [
        (AT, '"2026-01-01T00:00:00Z"', '"2026-01-01T01:00:00+01:00"'),
        (UUID, '"c0ffee00-0000-4000-8000-000000000000"', '"C0FFEE00-0000-4000-8000-000000000000"'),
        (NUM, "1.10", "11e-1"),
        (INT, str(2**70), f"{2**70}.0"),
    ],
)
def test_keys_are_compared_as_what_they_are(duck: Duck, definition: Any, one: str, other: str) -> None:
    """One instant, UUID or number is one key, however it is written."""
    head = schema("s", {"k": definition, "v": INT}, ("k",))
    duck.load(head, record("s", f'{{"k":{one},"v":1}}'), record("s", f'{{"k":{other},"v":2}}'))
    assert duck.rows("SELECT v FROM s") == [(2,)]
    duck.load(head, record("s", f'{{"k":{one},"v":3}}'))
    assert duck.rows("SELECT v FROM s") == [(3,)]


def test_a_key_column_widens_with_its_keys(duck: Duck) -> None:
    """A key beyond 64 bits, then one beyond 128, in batches of one run: each is one row."""
    head = schema("s", {"k": INT, "v": INT}, ("k",))
    keys = [1, 2**70, 1, 10**60, 2**70, 10**60]
    for place, key in enumerate(keys):
        duck.load(head, record("s", f'{{"k":{key},"v":{place}}}'))
    assert duck.rows("SELECT k, v FROM s ORDER BY v") == [("1", 2), (str(2**70), 4), (str(10**60), 5)]


def test_without_a_key_rows_are_appended(duck: Duck) -> None:
    """And with `load_method: append` with a key, too."""
    for _ in range(2):
        duck.load(schema("s", {"a": INT}), record("s", '{"a":1}'))
        duck.load(schema("t", {"a": INT}, ("a",)), record("t", '{"a":1}'), load_method="append-only")
    assert duck.rows("SELECT count(*) FROM s UNION ALL SELECT count(*) FROM t") == [(2,), (2,)]


def test_another_load_method_is_refused(duck: Duck) -> None:
    """Before the first row."""
    with pytest.raises(SettingsError, match="overwrite"):
        duck.load(schema("s", {"a": INT}), load_method="overwrite")


def test_columns_are_added_and_kept(duck: Duck) -> None:
    """A new property is a new column; one that is gone keeps its values; also in the middle of a run."""
    duck.load(
        schema("s", {"id": INT, "old": STR}, ("id",)),
        record("s", '{"id":1,"old":"x"}'),
        schema("s", {"id": INT, "new": INT}, ("id",)),
        record("s", '{"id":2,"new":5}'),
    )
    assert duck.rows("SELECT id, old, new FROM s ORDER BY id") == [(1, "x", None), (2, None, 5)]


@pytest.mark.parametrize(
    ("before", "value", "after", "more", "kind", "stored"),
    [
        (INT, "1", NUM, "1.5", "DECIMAL(38,10)", [Decimal(1), Decimal("1.5")]),
        (NUM, "1.5", INT, "2", "DECIMAL(38,10)", [Decimal("1.5"), Decimal(2)]),
        (INT, "1", STR, '"x"', "VARCHAR", ["1", "x"]),
        (STR, '"x"', INT, "1", "VARCHAR", ["x", "1"]),
        (NUM, "1.50", STR, '"x"', "VARCHAR", ["1.5", "x"]),
        ({"type": "boolean"}, "true", STR, '"x"', "VARCHAR", ["true", "x"]),
        (AT, '"2026-01-01T00:00:00+01:00"', STR, '"x"', "VARCHAR", ["2025-12-31T23:00:00Z", "x"]),
        (DAY, '"2026-01-01"', AT, '"2026-01-01T00:00:00Z"', "VARCHAR", ["2026-01-01", "2026-01-01T00:00:00Z"]),
        ({"type": "object"}, '{"a":1.10}', STR, '"x"', "VARCHAR", ['{"a":1.10}', "x"]),
        ({}, '"q\\"q"', STR, '"x"', "VARCHAR", ['q"q', "x"]),
        (STR, '"x"', {"type": "object"}, '{"a": 1}', "VARCHAR", ["x", '{"a": 1}']),
        (INT, "1", INT, str(2**63), "HUGEINT", [1, 2**63]),
        (INT, str(2**63), INT, "1" + "0" * 50, "VARCHAR", [str(2**63), "1" + "0" * 50]),
        (INT, str(2**63), INT, "1", "HUGEINT", [2**63, 1]),
        (NUM, "1.5", NUM, "0.000000000001", "DECIMAL(38,15)", [Decimal("1.5"), Decimal("1e-12")]),
        (
            NUM,
            "1234567890123456789012345678.5",
            NUM,
            "0.000000000001",
            "VARCHAR",
            ["1234567890123456789012345678.5", "0.000000000001"],
        ),
        (NUM, "0.000000000001", NUM, "1.5", "DECIMAL(38,15)", [Decimal("1e-12"), Decimal("1.5")]),
    ],
)
@pytest.mark.parametrize("runs", [1, 2])
def test_columns_widen_without_coercing(
    duck: Duck, before: Any, value: str, after: Any, more: str, kind: str, stored: list[Any], runs: int
) -> None:
    """What was there is converted exactly, what comes is stored exactly; in one run or in the next."""
    first = [schema("s", {"n": INT, "a": before}), record("s", f'{{"n":1,"a":{value}}}')]
    second = [schema("s", {"n": INT, "a": after}), record("s", f'{{"n":2,"a":{more}}}')]
    if runs == 1:
        duck.load(*first, *second)
    else:
        duck.load(*first)
        duck.load(*second)
    assert duck.types("s")["a"] == kind
    assert [value for (value,) in duck.rows("SELECT a FROM s ORDER BY n")] == stored


def test_each_change_of_a_table_is_one_line(duck: Duck, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody has to guess why a column has its type."""
    caplog.set_level(logging.INFO, "singer_kit.target.duckdb")
    duck.load(schema("s", {"a": INT}))
    duck.load(schema("s", {"a": NUM, "b": STR}))
    assert [entry.getMessage() for entry in caplog.records if entry.name == "singer_kit.target.duckdb"] == [
        'table "main"."s": created with 1 columns',
        'table "main"."s": column a widened from bigint to decimal(38,10)',
        'table "main"."s": column b added, text',
    ]


def test_another_key_is_a_clear_error(duck: Duck) -> None:
    """The rows that are there were upserted by the old one."""
    duck.load(schema("s", {"a": INT, "b": INT}, ("a",)), record("s", '{"a":1,"b":1}'))
    with pytest.raises(DestinationError, match="its key is 'b', but its table was written with 'a'"):
        duck.load(schema("s", {"a": INT, "b": INT}, ("b",)), record("s", '{"a":1,"b":1}'))
    assert duck.rows("SELECT * FROM s") == [(1, 1)]


EVIL = 'x"; DROP TABLE victim; --'


def test_names_are_untrusted(duck: Duck) -> None:
    """Quotes, keywords, dots, spaces, NUL, emptiness and length: all are names of columns and tables."""
    names = [EVIL, "select", "a.b c", "", "n\0l", "'", "x" * 3000, "☃", "*", "c0", "key_0"]
    duck.load(schema("victim", {"a": INT}))
    head = schema(EVIL, dict.fromkeys(names, INT), (EVIL,))
    for _ in range(2):
        duck.load(head, record(EVIL, json.dumps({name: place for place, name in enumerate(names)})))
    quoted = EVIL.replace('"', '""')
    assert duck.rows(f'SELECT * FROM "{quoted}"') == [tuple(range(len(names)))]
    assert duck.rows("SELECT count(*) FROM victim") == [(0,)]


def test_names_that_differ_in_case_only_are_kept_apart(duck: Duck) -> None:
    """Columns and streams; DuckDB takes `foo` and `FOO` for one."""
    head = [schema("Orders", {"foo": INT, "FOO": INT}), schema("orders", {"foo": INT})]
    for _ in range(2):
        duck.load(*head, record("Orders", '{"foo":1,"FOO":2}'), record("orders", '{"foo":3}'))
    assert duck.rows('SELECT * FROM "Orders"') == [(1, 2), (1, 2)]
    (other,) = duck.rows("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'orders_%'")
    assert duck.rows(f'SELECT * FROM "{other[0]}"') == [(3,), (3,)]
    duck.load(head[1], record("orders", '{"foo":4}'))
    assert duck.rows(f'SELECT count(*) FROM "{other[0]}"') == [(3,)]


def test_the_state_table_cannot_be_a_streams(duck: Duck, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream of that name lands elsewhere."""
    monkeypatch.setenv("SINGER_KIT_PIPELINE", "p")
    for _ in range(2):
        duck.load(schema("_singer_kit_state", {"a": INT}), record("_singer_kit_state", '{"a":1}'), state({"n": 1}))
    assert duck.rows("SELECT pipeline FROM _singer_kit_state") == [("p",)]


def test_tables_that_others_made_are_taken_over(duck: Duck) -> None:
    """Their columns widen like ours; what we do not know becomes text."""
    connection = duckdb.connect(duck.path)
    connection.execute('CREATE TABLE s (id INTEGER, "at" TIMESTAMP, n FLOAT, extra VARCHAR)')
    connection.execute("INSERT INTO s VALUES (1, '2026-01-01 00:00:00', 0.5, 'kept')")
    connection.close()
    duck.load(schema("s", {"id": INT, "at": AT}, ("id",)), record("s", f'{{"id":{2**40},"at":"2026-01-01T00:00:00Z"}}'))
    assert duck.rows("SELECT * FROM s ORDER BY id") == [
        (1, "2026-01-01 00:00:00", 0.5, "kept"),
        (2**40, "2026-01-01T00:00:00Z", None, None),
    ]


def test_an_empty_stream_has_its_table(duck: Duck) -> None:
    """A SCHEMA is enough, in the schema that the settings name."""
    duck.load(schema("s", {"a": INT}), default_target_schema='raw "data"')
    assert duck.rows("SELECT schema_name, table_name FROM duckdb_tables()") == [('raw "data"', "s")]


def test_a_stream_without_columns_is_refused(duck: Duck) -> None:
    """A table needs one; the metadata columns are enough."""
    with pytest.raises(DestinationError, match="no columns"):
        duck.load(schema("s", {}), record("s", "{}"))
    duck.load(schema("s", {}), record("s", "{}"), add_record_metadata=True)
    assert duck.rows("SELECT count(*) FROM s") == [(1,)]


def test_metadata_columns_are_there_by_default(duck: Duck) -> None:
    """Typed instants and integers; off with the setting or with its other name."""
    lines = [schema("s", {"a": INT}), record("s", '{"a":1}', version=3), record("s", '{"a":2}', version=3)]
    duck.load(*lines, add_record_metadata=True)
    assert duck.types("s") == {
        "a": "BIGINT",
        "_sdc_extracted_at": "TIMESTAMP WITH TIME ZONE",
        "_sdc_received_at": "TIMESTAMP WITH TIME ZONE",
        "_sdc_batched_at": "TIMESTAMP WITH TIME ZONE",
        "_sdc_deleted_at": "TIMESTAMP WITH TIME ZONE",
        "_sdc_sequence": "BIGINT",
        "_sdc_table_version": "BIGINT",
    }
    assert duck.rows("SELECT _sdc_table_version, count(DISTINCT _sdc_sequence) FROM s GROUP BY 1") == [(3, 2)]
    assert TargetDuckDB({"path": "x"}).config["add_record_metadata"] is True
    assert TargetDuckDB({"filepath": "x", "add_metadata_columns": False}).config["add_record_metadata"] is False


def test_versions_mark_or_delete_earlier_rows(duck: Duck) -> None:
    """Softly by default; a version that comes early leaves later rows alone."""
    head = schema("s", {"id": INT}, ("id",))
    old = [head, record("s", '{"id":1}', 1), record("s", '{"id":2}', 1), activate("s", 1)]
    new = [head, record("s", '{"id":2}', 2), record("s", '{"id":3}', 2), activate("s", 2)]
    for stream in (old, new, [head, activate("s", 1)]):
        duck.load(*stream, add_record_metadata=True)
    alive = "SELECT id FROM s WHERE _sdc_deleted_at IS NULL ORDER BY id"
    assert duck.rows(alive) == [(2,), (3,)]
    assert duck.rows("SELECT count(*) FROM s") == [(3,)]
    duck.load(head, record("s", '{"id":9}', 3), activate("s", 3), add_record_metadata=True, hard_delete=True)
    assert duck.rows("SELECT id FROM s") == [(9,)]


def test_rows_that_the_source_deleted_are_marked_or_gone(duck: Duck) -> None:
    """`_sdc_deleted_at` from the tap is kept; with `hard_delete` the row is not."""
    head = schema("s", {"id": INT, "_sdc_deleted_at": AT}, ("id",))
    lines = [head, record("s", '{"id":1}'), record("s", '{"id":2}')]
    gone = record("s", '{"id":1,"_sdc_deleted_at":"2026-01-01T00:00:00Z"}')
    duck.load(*lines, gone, add_record_metadata=True)
    assert duck.rows("SELECT id, _sdc_deleted_at IS NULL FROM s ORDER BY id") == [(1, False), (2, True)]
    duck.load(*lines, gone, add_record_metadata=True, hard_delete=True)
    assert duck.rows("SELECT id FROM s") == [(2,)]


def test_states_are_kept_beside_the_data(duck: Duck, monkeypatch: pytest.MonkeyPatch) -> None:
    """By pipeline, the last one only; without a pipeline none."""
    lines = [schema("s", {"a": INT}), record("s", '{"a":1}'), state({"n": 1}), record("s", '{"a":2}'), state({"n": 2})]
    assert duck.load(*lines)[-1] == {"n": 2}
    assert duck.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name = '_singer_kit_state'") == [(0,)]
    monkeypatch.setenv("SINGER_KIT_PIPELINE", "one")
    monkeypatch.setenv("SINGER_KIT_RUN", "4")
    duck.load(*lines)
    monkeypatch.setenv("SINGER_KIT_PIPELINE", "two")
    duck.load(*lines[:3])
    assert duck.rows("SELECT pipeline, run, state FROM _singer_kit_state ORDER BY 1") == [
        ("one", 4, '{"n":2}'),
        ("two", 4, '{"n":1}'),
    ]


def test_a_run_that_is_late_takes_nothing_back(duck: Duck, monkeypatch: pytest.MonkeyPatch) -> None:
    """The higher run number wins, and the late run's rows are rolled back with its state."""
    lines = [schema("s", {"a": INT}), record("s", '{"a":1}'), state({"n": 1})]
    monkeypatch.setenv("SINGER_KIT_PIPELINE", "p")
    monkeypatch.setenv("SINGER_KIT_RUN", "5")
    duck.load(*lines)
    monkeypatch.setenv("SINGER_KIT_RUN", "4")
    with pytest.raises(StateError, match="Run 4 of pipeline 'p' is older than run 5"):
        duck.load(*lines)
    assert duck.rows("SELECT count(*) FROM s") == [(1,)]


def test_a_bad_record_keeps_what_came_before_it(duck: Duck) -> None:
    """Everything before it is in the table, the run fails."""
    with pytest.raises(RecordError):
        duck.load(schema("s", {"a": INT}), record("s", '{"a":1}'), record("s", '{"a":"x"}'))
    assert duck.rows("SELECT a FROM s") == [(1,)]


def test_values_that_break_their_schema_become_text_when_nobody_validates(duck: Duck) -> None:
    """Exact or text, never rounded, never lost."""
    lines = [schema("s", {"n": INT, "a": INT}), record("s", '{"n":1,"a":7}'), record("s", '{"n":2,"a":"x"}')]
    duck.load(*lines, record("s", '{"n":3,"a":1.5}'), validate_records=False)
    assert duck.rows("SELECT a FROM s ORDER BY n") == [("7",), ("x",), ("1.5",)]


def test_a_path_is_needed_and_must_be_writable(tmp_path: Path) -> None:
    """Settings are the user's to mend; a destination that cannot be written ends with code 4."""
    with pytest.raises(SettingsError, match="needs a path"):
        TargetDuckDB({})
    (tmp_path / "file").write_text("not a database, and no folder")
    for path in (tmp_path / "file", tmp_path / "file" / "t.duckdb", tmp_path):
        with pytest.raises(DestinationError):
            TargetDuckDB({"path": str(path)}).run(io.BytesIO(schema("s", {"a": INT})), io.BytesIO())


def test_a_file_in_use_is_told_apart(duck: Duck, tmp_path: Path) -> None:
    """Trying again may help."""
    holder = tmp_path / "hold.py"
    holder.write_text(
        f"import duckdb, sys\nheld = duckdb.connect({duck.path!r})\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, str(holder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(DestinationUnavailableError, match="in use"):
            duck.load(schema("s", {"a": INT}))
        process.kill()


def test_a_wide_table_and_a_large_value_pass(duck: Duck) -> None:
    """A thousand columns; a text of 20 MB."""
    names = [f"column {n}" for n in range(1000)]
    duck.load(schema("wide", dict.fromkeys(names, INT)), record("wide", json.dumps(dict.fromkeys(names, 1))))
    duck.load(schema("s", {"a": STR}), record("s", json.dumps({"a": "é" * 10_000_000})))
    assert duck.rows("SELECT length(a) FROM s") == [(10_000_000,)]
    assert len(duck.rows("SELECT * FROM wide")[0]) == 1000
