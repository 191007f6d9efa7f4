"""Bytes become events: the same ones however they are cut, every record valid, every fault named."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.batch.rows import Rows
from singer_kit.codec import decode, encode
from singer_kit.errors import MessageError, ProtocolError, RecordError
from singer_kit.spec.messages import ActivateVersionMessage, BatchEncoding, SchemaMessage, StateMessage
from singer_kit.wire.decode import BadRecord, Reading, events
from singer_kit.wire.files import write_batch_file

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "text": {"type": ["null", "string"]},
        "at": {"type": ["null", "string"], "format": "date-time"},
        "amount": {"type": ["null", "number"]},
        "inner": {"type": ["null", "object"], "properties": {"a": {"type": "integer"}}},
    },
}


def schema(stream: str = "s", *, keys: Iterable[str] = ("id",), properties: Any = None) -> dict[str, Any]:
    """A SCHEMA message."""
    body = SCHEMA if properties is None else {"type": "object", "properties": properties}
    return {"type": "SCHEMA", "stream": stream, "schema": body, "key_properties": list(keys)}


def record(id_: Any, stream: str = "s", **members: Any) -> dict[str, Any]:
    """A RECORD message; `members` are fields of the record."""
    return {"type": "RECORD", "stream": stream, "record": {"id": id_, **members}}


def state(value: Any) -> dict[str, Any]:
    """A STATE message."""
    return {"type": "STATE", "value": value}


def lines(*messages: dict[str, Any] | bytes) -> bytes:
    """Messages, or lines that are no messages, one a line."""
    return b"".join(m + b"\n" if isinstance(m, bytes) else encode(m) + b"\n" for m in messages)


def shown(found: Iterable[Any]) -> list[Any]:
    """Events in plain form: each row by itself, with its stream and version."""
    plain: list[Any] = []
    for event in found:
        if isinstance(event, Rows):
            assert event.count == len(event.records(dict)) == event.jsonl().count(b"\n")
            plain += [(event.stream, event.version, row) for row in event.records(dict)]
        elif isinstance(event, SchemaMessage):
            plain.append(("SCHEMA", event.stream))
        elif isinstance(event, StateMessage):
            plain.append(("STATE", event.value))
        else:
            plain.append(("ACTIVATE", event.stream, event.version))
    return plain


def read(data: bytes, **reading: Any) -> list[Any]:
    """The events of `data` in plain form."""
    return shown(events([data], Reading(**reading)))


def read_until_error(data: bytes, **reading: Any) -> tuple[list[Any], MessageError]:
    """The events before the error of `data`, and the error."""
    found: list[Any] = []

    def take_all() -> None:
        for event in events([data], Reading(**reading)):
            found.append(event)

    with pytest.raises(MessageError) as caught:
        take_all()
    return shown(found), caught.value


good_records = st.builds(
    record,
    st.integers(),
    st.sampled_from(["a", "b", "c"]),
    text=st.text(max_size=20) | st.none(),
    amount=st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.none(),
)
versioned = st.builds(lambda message, version: {**message, "version": version}, good_records, st.integers(1, 2))
states = st.builds(state, st.dictionaries(st.sampled_from("xy"), st.integers(0, 3)))
activations = st.builds(
    lambda stream, version: {"type": "ACTIVATE_VERSION", "stream": stream, "version": version},
    st.sampled_from(["a", "b", "c"]),
    st.integers(1, 2),
)
streams_of_messages = st.lists(
    good_records | good_records | good_records | versioned | states | activations, max_size=40
)


@given(streams_of_messages, st.lists(st.integers(1, 400), max_size=40), st.booleans())
def test_the_cut_of_the_input_changes_nothing(messages: list[Any], cuts: list[int], ends_in_newline: bool) -> None:
    """Chunk boundaries anywhere give the same events, and a last line needs no newline."""
    data = lines(schema("a"), schema("b"), schema("c"), *messages)
    pieces, start = [], 0
    for cut in cuts:
        pieces.append(data[start : start + cut])
        start += cut
    pieces.append(data[start:] if ends_in_newline else data[start:].rstrip(b"\n"))
    whole, cut_up = read(data), shown(events(pieces))
    for each in (whole, cut_up):
        assert by_stream(each) == by_stream(expected(messages))
    assert [e for e in whole if e[0] == "STATE"] == [e for e in cut_up if e[0] == "STATE"]


def expected(messages: list[Any]) -> list[Any]:
    """What reading `messages` must show."""
    plain: list[Any] = [("SCHEMA", "a"), ("SCHEMA", "b"), ("SCHEMA", "c")]
    for message in messages:
        if message["type"] == "RECORD":
            plain.append((message["stream"], message.get("version"), decode(encode(message["record"]))))
        elif message["type"] == "STATE":
            plain.append(("STATE", message["value"]))
        else:
            plain.append(("ACTIVATE", message["stream"], message["version"]))
    return plain


def by_stream(plain: list[Any]) -> dict[str, list[Any]]:
    """What concerns each stream, in order, with the states between: rows of two streams may change places."""
    seen: dict[str, list[Any]] = {"a": [], "b": [], "c": []}
    for event in plain:
        if event[0] == "STATE":
            for each in seen.values():
                each.append(event)
        else:
            seen[event[1] if event[0] in {"SCHEMA", "ACTIVATE"} else event[0]].append(event)
    return seen


def test_large_inputs_take_the_fast_path_and_lose_nothing() -> None:
    """Thousands of rows, with states between and another stream now and then, come out in order."""
    messages = [schema("a"), schema("b")]
    for number in range(5000):
        messages.append(record(number, "a", text="x" * (number % 50)))
        if number % 700 == 0:
            messages.append(record(number, "b"))
        if number % 900 == 0:
            messages.append(state({"n": number}))
    found = read(lines(*messages))
    assert [row["id"] for stream, _, row in (e for e in found if len(e) == 3) if stream == "a"] == list(range(5000))
    assert [row["id"] for stream, _, row in (e for e in found if len(e) == 3) if stream == "b"] == list(
        range(0, 5000, 700)
    )
    assert [e for e in found if e[0] == "STATE"] == [("STATE", {"n": n}) for n in range(0, 5000, 900)]


def test_rows_between_two_states_stay_between_them() -> None:
    """A STATE comes after every row that came before it and before every row that came after it."""
    messages = [schema(), *[m for n in range(300) for m in (record(n), state(n))]]
    found = read(lines(*messages))[1:]
    assert found == [e for n in range(300) for e in (("s", None, {"id": n}), ("STATE", n))]


def test_raw_bytes_survive() -> None:
    """Digits, escapes and spaces inside a record are copied."""
    raw = b'{"id" :1,"text":"\\u00fc", "amount":1.10e2}'
    for line in (
        b'{"type":"RECORD","stream":"s","record":' + raw + b"}",
        b'{"stream":"s","type":"record","record":' + raw + b"}",
    ):
        rows = [e for e in events([lines(schema(), line)]) if isinstance(e, Rows)]
        assert b"".join(r.jsonl() for r in rows) == raw + b"\n"


def test_types_in_any_case_blank_lines_and_unknown_types_pass(caplog: pytest.LogCaptureFixture) -> None:
    """Lenient reading passes over what Singer does not know, with one warning a type."""
    odd = lines(
        {**schema(), "type": "schema"},
        b"",
        b"  \r",
        {**record(1), "type": "Record"},
        {"type": "HELLO"},
        {"type": "HELLO"},
    )
    data = odd + lines(record(2)).replace(b"\n", b"\r\n") + lines({**state({}), "type": "state"})
    assert read(data) == [("SCHEMA", "s"), ("s", None, {"id": 1}), ("s", None, {"id": 2}), ("STATE", {})]
    assert [r.message for r in caplog.records] == [
        "Messages of type 'HELLO' are passed over: Singer knows no such type."
    ]


@pytest.mark.parametrize(
    "line", [b"", {**schema(), "type": "schema"}, {**record(1), "type": "record"}, {"type": "HELLO"}], ids=repr
)
def test_strict_reading_refuses_them(line: Any) -> None:
    """The same, with `is_strict`, are errors that name the line."""
    found, error = read_until_error(lines(schema(), record(1), line), is_strict=True)
    assert found == [("SCHEMA", "s"), ("s", None, {"id": 1})]
    assert isinstance(error, ProtocolError)
    assert "3" in str(error)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"type":"RECORD","stream":"s","record":{"id":1', "ends in the middle"),
        (b'{"type":"RECORD","stream":"s","record":{"id":NaN}}', "NaN"),
        (b'{"type":"RECORD","stream":"s","record":{"id":1,"text":"\\ud83d"}}', "surrogate"),
        (b'{"type":"RECORD","stream":"s","record":{"id":1,"text":"\xff"}}', "UTF-8"),
        (b'\xef\xbb\xbf{"type":"STATE","value":{}}', "byte order mark"),
        (b'[{"type":"STATE","value":{}}]', "list"),
        (b"42", "an integer"),
        (b"Extracting 7 rows ...", "not JSON"),
        (b'{"type":"STATE","value":{}} {}', "not JSON"),
        (b'{"type":"RECORD","stream":"s","record":{"id":1}} {"type":"STATE","value":{}}', "not JSON"),
        (b'{"stream":"s"}', "no message type"),
        (b'{"type":7}', "type"),
        (b'{"type":"STATE"}', "'value'"),
        (b'{"type":"RECORD","record":{"id":1}}', "'stream'"),
        (b'{"type":"RECORD","stream":"s"}', "'record'"),
        (b'{"type":"RECORD","stream":"s","record":[1]}', "object"),
        (b'{"type":"RECORD","stream":"s","record":null}', "object"),
        (b'{"type":"RECORD","stream":"s","record":{"id":1},"version":"x"}', "'version'"),
        (b'{"type":"RECORD","stream":"t","record":{"id":1}}', "stream 't'"),
        (b'{"type":"ACTIVATE_VERSION","stream":"t","version":1}', "stream 't'"),
        (b'{"type":"ACTIVATE_VERSION","stream":"s"}', "'version'"),
        (b'{"type":"BATCH","stream":"t","encoding":{"format":"jsonl"},"manifest":[]}', "stream 't'"),
        (b'{"type":"SCHEMA","stream":"t","schema":{"type":"object"},"key_properties":[]}', "properties"),
        (b'{"type":"SCHEMA","stream":"t","schema":{"properties":{"a":{}}},"key_properties":["b"]}', "'b'"),
    ],
)
@pytest.mark.parametrize("before", [0, 400])
def test_a_bad_line_is_named_after_all_before_it_came_out(line: bytes, words: str, before: int) -> None:
    """The error says what is wrong and on which line; nothing before it is lost and nothing after it comes."""
    good = [record(number) for number in range(before)]
    data = lines(schema(), *good, state({"n": 1}), record(7), line, record(8), state({"n": 2}))
    if words == "ends in the middle":
        data = data[: data.rindex(line) + len(line)]
    found, error = read_until_error(data)
    assert found == [
        ("SCHEMA", "s"),
        *[("s", None, {"id": number}) for number in range(before)],
        ("STATE", {"n": 1}),
        ("s", None, {"id": 7}),
    ]
    assert error.exit_code == 5
    assert words in str(error)
    assert str(before + 4) in str(error)


def test_a_bad_record_is_named_by_stream_line_field_type_and_schema_path() -> None:
    """The message of the first record at fault; rows before it come out, of other streams too."""
    data = lines(
        schema("a"), schema("b"), record(1, "a"), record(2, "b"), record(3, "a", inner={"a": "secret"}), record(4, "b")
    )
    found, error = read_until_error(data)
    assert found[2:] == [("a", None, {"id": 1}), ("b", None, {"id": 2})]
    assert isinstance(error, RecordError)
    assert error.sentence == "stream 'a', line 5: 'inner.a' is a string but the schema says integer."
    assert "schema: a.properties.inner.properties.a" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(("bad", "words"), [({"text": "x"}, "missing"), ({"id": None}, "null")])
def test_a_key_must_be_there_and_not_null(bad: dict[str, Any], words: str) -> None:
    """A record without its key is an error that names the stream and the key, also when the schema allows null."""
    properties = {"id": {"type": ["null", "integer"]}, "text": {}}
    for validating in (True, False):
        data = lines(schema(properties=properties), record(1), {"type": "RECORD", "stream": "s", "record": bad})
        found, error = read_until_error(data, is_validating=validating)
        assert len(found) == 2
        assert "stream 's', line 3: 'id'" in error.sentence
        assert words in error.sentence


def test_records_that_only_the_reference_accepts_are_good() -> None:
    """1.0 is an integer, though the fast decoder refuses it; good ones around it stay in order."""
    messages = [record(n) for n in range(50)]
    line = b'{"type":"RECORD","stream":"s","record":{"id":1.0}}'
    found = read(lines(schema(), *messages[:20], line, *messages[20:]))
    assert [e[2]["id"] for e in found[1:]] == [*range(20), 1, *range(20, 50)]


def test_a_stream_that_is_often_slow_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """More than a twentieth of many records needing the reference is worth one warning."""
    line = b'{"type":"RECORD","stream":"s","record":{"id":1,"inner":[],"inner":{}}}'
    read(lines(schema(), *[line] * 3000))
    assert len([r for r in caplog.records if "slow validator" in r.message]) == 1


def test_a_stream_that_writes_integers_with_a_fraction_is_not_slow_for_long(caplog: pytest.LogCaptureFixture) -> None:
    """The reader loosens its type and goes on with whole chunks; what is no integer is refused as before."""
    line = b'{"type":"RECORD","stream":"s","record":{"id":1.0}}'
    found = read(lines(schema(), *[line] * 9000))
    assert len(found) == 9001
    assert "slow validator" not in caplog.text
    bad = b'{"type":"RECORD","stream":"s","record":{"id":1.00000000000000000000001}}'
    _, error = read_until_error(lines(schema(), *[line] * 9000, bad))
    assert "line 9002: 'id' is a number but the schema says integer" in error.sentence


def test_undeclared_names_are_dropped_with_one_warning_each(caplog: pytest.LogCaptureFixture) -> None:
    """At every depth, in whole chunks and mixed ones; the bytes of declared values stay."""
    first = (
        b'{"type":"RECORD","stream":"s","record":{"id":1,"new":2,"amount":1.50,"inner":{"a":1,"b":{}}},'
        b'"time_extracted":"t"}'
    )
    other = b'{"type":"RECORD","stream":"s","record":{"id":2,"inner":null,"newer":[]}}'
    data = lines(schema(), first, *[other] * 500, state({}), first, record(3))
    rows = [e for e in events([data]) if isinstance(e, Rows)]
    joined = b"".join(r.jsonl() for r in rows).splitlines()
    assert joined[0] == joined[-2] == b'{"id":1,"amount":1.50,"inner":{"a":1}}'
    assert set(joined[1:501]) == {b'{"id":2,"inner":null}'}
    assert rows[0].times()[0] == "t"
    assert len(caplog.records) == 3
    assert {name for r in caplog.records for name in ("'new'", "'inner.b'", "'newer'") if name in r.message} == {
        "'new'", "'inner.b'", "'newer'",
    }  # fmt: skip


def test_undeclared_names_stay_when_asked_to() -> None:
    """`keeps_undeclared` copies records as they come."""
    found = read(lines(schema(), record(1, new=2), record(2)), keeps_undeclared=True)
    assert found[1:] == [("s", None, {"id": 1, "new": 2}), ("s", None, {"id": 2})]


def test_hundreds_of_undeclared_names_are_only_slow_at_first() -> None:
    """A stream whose names are data is read, without them."""
    found = read(lines(schema(), *[record(n, **{f"name {n}": n}) for n in range(300)]))
    assert found[1:] == [("s", None, {"id": n}) for n in range(300)]


def test_names_that_no_struct_can_have_are_read_and_dropped_too() -> None:
    """A quote, a backslash or a control character in a property name is a name like another."""
    properties = {'a"b': {"type": "integer"}, "c\\d": {}, "\t": {"type": ["null", "string"]}}
    fields = {'a"b': 1, "c\\d": [1], "\t": None}
    message = {"type": "RECORD", "stream": "s", "record": {**fields, "x": 1}}
    assert read(lines(schema(keys=['a"b'], properties=properties), message))[1:] == [("s", None, fields)]
    _, error = read_until_error(
        lines(schema(keys=['a"b'], properties=properties), {**message, "record": {**fields, 'a"b': "x"}})
    )
    assert "is a string" in str(error)


def test_nan_is_null_when_asked_for() -> None:
    """NaN and both Infinities become null, other numbers keep their digits."""
    line = b'{"type":"RECORD","stream":"s","record":{"id":1,"amount":NaN,"inner":null,"text":"NaN"}}'
    line2 = b'{"type":"RECORD","stream":"s","record":{"id":2,"amount":-Infinity}}'
    line3 = b'{"type":"RECORD","stream":"s","record":{"id":3,"amount":1.10}}'
    found = read(lines(schema(), record(0), line, line2, line3, state({})), nan_is_null=True)
    assert [e[2].get("amount", "-") for e in found[1:5]] == ["-", None, None, decode(b"1.10")]
    assert found[2][2]["text"] == "NaN"
    assert found[-1] == ("STATE", {})


def test_refused_records_are_left_out_and_the_rest_comes() -> None:
    """With someone to take bad records, reading goes on: broken schema, missing key, NaN, half a surrogate pair."""
    refused: list[BadRecord] = []
    bad = [
        record("x"),
        {"type": "RECORD", "stream": "s", "record": {}},
        b'{"type":"RECORD","stream":"s","record":{"id":NaN}}',
        b'{"type":"RECORD","stream":"s","record":{"id":1,"text":"\\ud83d"}}',
    ]
    mixed = [m for n, line in enumerate(bad) for m in (record(n), line)]
    found = read(lines(schema(), *mixed, record(9), state({})), refuse=refused.append)
    assert [e[2]["id"] for e in found[1:-1]] == [0, 1, 2, 3, 9]
    assert sorted((r.line_number, r.stream) for r in refused) == [(3, "s"), (5, "s"), (7, "s"), (9, "s")]
    assert all(r.reason for r in refused)


def test_whoever_takes_bad_records_may_end_the_reading() -> None:
    """A `MessageError` of `refuse` comes after the good rows before that record."""

    def refuse(bad: BadRecord) -> None:
        if bad.line_number > 4:
            raise RecordError("enough")

    found, error = read_until_error(
        lines(schema(), record(1), record("x"), record(2), record("y"), record(3)), refuse=refuse
    )
    assert [e[2]["id"] for e in found[1:]] == [1, 2]
    assert error.sentence == "enough"


def test_a_new_schema_governs_later_records_only() -> None:
    """The same schema again is no event; another one is, and key changes count."""
    text = schema(properties={"id": {"type": "string"}})
    data = lines(schema(), record(1), schema(), record(2), text, record("x"), schema(keys=[]))
    assert read(data) == [
        ("SCHEMA", "s"),
        ("s", None, {"id": 1}),
        ("s", None, {"id": 2}),
        ("SCHEMA", "s"),
        ("s", None, {"id": "x"}),
        ("SCHEMA", "s"),
    ]


def test_a_schema_that_is_none_is_refused() -> None:
    """An unknown type in a schema is an error that names the stream and the line."""
    with pytest.raises(ProtocolError, match="stream 's', line 2"):
        read(lines(schema("t"), schema(properties={"id": {"type": "integr"}})))


def test_a_reference_that_leads_nowhere_ends_the_input_there() -> None:
    """It is met at the first record that needs it, as a bad message; what came before, of any stream, is kept."""
    dangling = schema("t", properties={"id": {"$ref": "#/definitions/none"}})
    found, error = read_until_error(lines(schema(), dangling, record(1), record(1, stream="t"), record(2), record("x")))
    assert found == [("SCHEMA", "s"), ("SCHEMA", "t"), ("s", None, {"id": 1})]
    assert isinstance(error, ProtocolError)
    assert str(error).startswith("stream 't', line 4: A reference in the schema leads nowhere")


def test_references_of_a_schema_are_resolved() -> None:
    """Whoever takes the SCHEMA sees types; a circular schema is left as it came and its records are still judged."""
    message = schema(properties={"id": {"$ref": "#/definitions/id"}})
    message["schema"]["definitions"] = {"id": {"type": "integer"}}
    first = next(iter(events([lines(message, record(1))])))
    assert isinstance(first, SchemaMessage)
    assert first.schema["properties"]["id"] == {"type": "integer"}
    tree = {"type": "object", "properties": {"child": {"$ref": "#/definitions/tree"}}}
    message = schema(properties={"id": {"type": "integer"}, "tree": {"$ref": "#/definitions/tree"}})
    message["schema"]["definitions"] = {"tree": tree}
    assert len(read(lines(message, message, record(1, tree={"child": {"child": {}}})))) == 2
    assert "tree.child" in str(read_until_error(lines(message, record(1, tree={"child": 7})))[1])


def test_without_validation_only_keys_are_checked() -> None:
    """Any value passes, undeclared names are still dropped, what is no JSON is still refused."""
    found = read(lines(schema(), record(1, text=7, new=1)), is_validating=False)
    assert found[1:] == [("s", None, {"id": 1, "text": 7})]
    read_until_error(
        lines(schema(), b'{"type":"RECORD","stream":"s","record":{"id":1,"text":"\\ud83d"}}'), is_validating=False
    )


def test_versions_split_rows() -> None:
    """All rows of one event have one version."""
    messages = [{**record(n), "version": 1 + n // 250} for n in range(500)]
    found = read(lines(schema(), *messages, record(500)))
    assert [(e[1], e[2]["id"]) for e in found[1:]] == [*((1 + n // 250, n) for n in range(500)), (None, 500)]


def test_a_line_of_many_megabytes_passes() -> None:
    """A long line costs its length, not its square."""
    text = "é" * 4_000_000
    data = lines(schema(), record(1), record(2, text=text), record(3))
    pieces = [data[start : start + 65536] for start in range(0, len(data), 65536)]
    found = shown(events(pieces))
    assert [e[2]["id"] for e in found[1:]] == [1, 2, 3]
    assert found[2][2]["text"] == text


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_batch_files_come_as_rows(tmp_path: Path, compression: str | None, caplog: pytest.LogCaptureFixture) -> None:
    """Their records are validated and pruned like any other, in order, across files."""
    encoding = BatchEncoding("jsonl", compression)
    urls = []
    for part in range(2):
        rows = [encode({"id": n, "new": 1}) + b"\n" for n in range(part * 3000, part * 3000 + 3000)]
        urls.append(write_batch_file(tmp_path / f"{part} x.jsonl", rows, encoding))
    batch = {"type": "BATCH", "stream": "s", "version": 3, "manifest": urls}
    batch["encoding"] = {"format": "jsonl", "compression": compression or "none"}
    found = read(lines(schema(), record(-1), batch, state({})))
    assert found[1] == ("s", None, {"id": -1})
    assert found[2:-1] == [("s", 3, {"id": n}) for n in range(6000)]
    assert [r.levelno for r in caplog.records] == [logging.WARNING]


def test_a_bad_record_in_a_batch_file_is_named_by_file_and_line(tmp_path: Path) -> None:
    """The rows before it come out."""
    url = write_batch_file(tmp_path / "b.jsonl", [b'{"id":1}\n\n{"id":"x"}\n'], BatchEncoding("jsonl"))
    batch = {"type": "BATCH", "stream": "s", "encoding": {"format": "jsonl"}, "manifest": [url]}
    found, error = read_until_error(lines(schema(), batch))
    assert found[1:] == [("s", None, {"id": 1})]
    assert "line 3" in error.sentence
    assert url in str(error)


def test_an_empty_input_is_no_events() -> None:
    """Neither nothing nor blank lines are messages."""
    assert read(b"") == read(b"\n\n") == []


def test_events_keep_their_types() -> None:
    """States and versions come as the messages that they are."""
    data = lines(schema(), {"type": "ACTIVATE_VERSION", "stream": "s", "version": 4}, state({"a": json.loads("1")}))
    assert list(events([data]))[1:] == [ActivateVersionMessage("s", 4), StateMessage({"a": 1})]
