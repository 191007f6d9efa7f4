"""Messages through maps: in order, byte for byte where nothing changes, and never a STATE before its rows."""

import gzip
import json
from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from singer_kit.batch.transform import compile_maps
from singer_kit.errors import MapError, ProtocolError
from singer_kit.mapper.passage import Passage

SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "name": {"type": ["null", "string"]}, "price": {"type": "number"}},
}
MAPS = {
    "a": {"name": "name.upper() if name else 'none'", "__filter__": "id != 3"},
    "a_copy": {"__source__": "a", "id": "id", "__else__": None},
    "gone": None,
}


def passage(maps, **more):
    return Passage(
        lambda message: compile_maps(
            message.stream, message.schema, message.key_properties, {"stream_maps": maps, **more}
        )
    )


def through(maps, data, size=1 << 16, **more):
    one = passage(maps, **more)
    out = [part for start in range(0, len(data), size) for part in one.feed(data[start : start + size])]
    return b"".join([*out, *one.finish()])


def line(value):
    return json.dumps(value).encode() + b"\n"


def schema(stream, **more):
    return line({"type": "SCHEMA", "stream": stream, "schema": SCHEMA, "key_properties": ["id"], **more})


def record(stream, number, **more):
    row = {"id": number, "name": f"n{number}", "price": 1.5}
    return line({"type": "RECORD", "stream": stream, "record": row, **more})


def parsed(data):
    return [json.loads(text, parse_float=Decimal) for text in data.splitlines()]


def test_without_maps_every_byte_is_copied():
    """Odd spacing, unusual escapes, unknown members and types pass as they came."""
    data = (
        schema("a")
        + b'{"type" : "RECORD","stream":"a", "record": {"id":1, "price": 1.10, "name":"\\u00e9"}, "more":[1 , 2]}\n'
        + schema("b")
        + record("b", 1)
        + record("a", 2)
        + b'{"type":"STATE", "value": {"x":1.0}}\n'
        + b'{"type":"ACTIVATE_VERSION","stream":"a","version":3 }\n'
        + b'{"type":"BATCH","stream":"a","encoding":{"format":"jsonl"},"manifest":["file:///nowhere"]}\n'
        + b'{"type":"WEATHER","value":{"sun":true}}\n'
    )
    assert through({}, data) == data
    assert through({}, data, size=7) == data
    assert through({}, data[:-1]) == data


def test_mapped_and_copied_streams():
    """A filtered and computed stream, its copy, a removed stream and an untouched one, in one run."""
    data = (
        schema("a")
        + schema("gone")
        + schema("b")
        + b"".join(record(stream, number) for number in range(5) for stream in ("a", "b", "gone"))
    )
    out = parsed(through(MAPS, data))
    assert [m["stream"] for m in out if m["type"] == "SCHEMA"] == ["a", "a_copy", "b"]
    rows = {
        name: [m["record"] for m in out if m["type"] == "RECORD" and m["stream"] == name]
        for name in ("a", "a_copy", "b", "gone")
    }
    assert [row["name"] for row in rows["a"]] == ["N0", "N1", "N2", "N4"]
    assert rows["a_copy"] == [{"id": number} for number in range(5)]
    assert len(rows["b"]) == 5
    assert not rows["gone"]


def test_version_and_time_follow_their_rows():
    """A filtered row takes its version and time_extracted with it; the others keep theirs."""
    data = schema("a") + b"".join(
        record("a", number, version=number, time_extracted=f"2024-01-0{number + 1}T00:00:00Z") for number in range(5)
    )
    out = [m for m in parsed(through({"a": MAPS["a"]}, data)) if m["type"] == "RECORD"]
    assert [(m["record"]["id"], m["version"], m["time_extracted"][9]) for m in out] == [
        (0, 0, "1"), (1, 1, "2"), (2, 2, "3"), (4, 4, "5"),
    ]  # fmt: skip


def test_numbers_keep_their_digits():
    """A mapped record's decimals and large integers are written as they were read."""
    row = b'{"id":123456789012345678901234567890,"name":null,"price":0.10000000000000000000001}'
    text = b'{"type":"RECORD","stream":"a","record":' + row + b"}\n"
    out = through(MAPS, schema("a") + text)
    assert b'"id":123456789012345678901234567890' in out
    assert b'"price":0.10000000000000000000001' in out


def test_bookmark_and_key_properties_follow():
    """Renamed keys and bookmark properties are renamed in SCHEMA, removed bookmark properties left out."""
    maps = {"a": {"key": "id", "id": None, "name": None}}
    (message,) = parsed(through(maps, schema("a", bookmark_properties=["id", "name"])))
    assert message["key_properties"] == ["key"]
    assert message["bookmark_properties"] == ["key"]


def test_activate_version_follows_the_names():
    """ACTIVATE_VERSION goes to every stream that the source became, and nowhere when it is removed."""
    activate = [line({"type": "ACTIVATE_VERSION", "stream": name, "version": 7}) for name in ("a", "gone")]
    out = parsed(through(MAPS, schema("a") + schema("gone") + b"".join(activate)))
    assert [(m["stream"], m["version"]) for m in out if m["type"] == "ACTIVATE_VERSION"] == [("a", 7), ("a_copy", 7)]


def test_batch_files_of_a_mapped_stream_become_records(tmp_path):
    """The rows of BATCH files are mapped and sent as RECORDs; those of a removed stream are not opened."""
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": 1, "name": "x", "price": 1.10}\n{"id": 3, "name": "y", "price": 2}\n'))
    encoding = {"format": "jsonl", "compression": "gzip"}
    batch = line({"type": "BATCH", "stream": "a", "encoding": encoding, "manifest": [path.as_uri()]})
    unseen = line({"type": "BATCH", "stream": "gone", "encoding": encoding, "manifest": ["file:///nowhere"]})
    out = through(MAPS, schema("a") + schema("gone") + batch + unseen)
    assert b'{"id":1,"name":"X","price":1.10}' in out
    assert [m["record"]["id"] for m in parsed(out) if m["type"] == "RECORD"] == [1, 1, 3]


def test_batch_files_with_a_bad_line_are_named(tmp_path):
    """A line of a BATCH file that is no JSON is named with its file."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": 1}\nnonsense\n')
    batch = {"type": "BATCH", "stream": "a", "encoding": {"format": "jsonl"}, "manifest": [path.as_uri()]}
    with pytest.raises(ProtocolError, match="line 2") as caught:
        through(MAPS, schema("a") + line(batch))
    assert "rows.jsonl" in str(caught.value)


def test_types_in_any_case_and_blank_lines():
    """`record` is a RECORD; blank lines are passed over."""
    data = schema("a") + b"\n  \n" + record("a", 1).replace(b"RECORD", b"record") + b"\n"
    out = parsed(through(MAPS, data))
    assert [m["type"] for m in out] == ["SCHEMA", "SCHEMA", "RECORD", "RECORD"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"nonsense\n", "line 3 is not JSON"),
        (b'{"type":"RECORD","stream":"b","record":{"id":NaN}}\n', "NaN"),
        (b'{"type":"RECORD","stream":"x","record":{}}\n', "before any SCHEMA"),
        (b'{"type":"RECORD","stream":"b"}\n', "record"),
        (b'{"type":"RECORD","stream":"b","record":{},"version":"1"}\n', "version"),
        (b'{"type":"ACTIVATE_VERSION","stream":"x","version":1}\n', "before any SCHEMA"),
        (b'{"type":"SCHEMA","stream":"x","schema":{"type":"object"},"key_properties":[]}\n', "properties"),
        (b"5\n", "not a JSON object"),
        (b'{"type":"RECORD","stream":"b","record":{"id":1', "middle"),
    ],
)
@pytest.mark.parametrize("maps", [{}, {"b": {"x": "1"}}])
def test_a_bad_line_stops_after_what_stood_before(bad, words, maps):
    """Everything before the line at fault comes out, then one error says line and reason."""
    one = passage(maps)
    out = []

    def read():
        out.extend(one.feed(schema("b") + record("b", 1) + bad))
        out.extend(one.finish())

    with pytest.raises(ProtocolError, match=words):
        read()
    assert [m["type"] for m in parsed(b"".join(out))] == ["SCHEMA", "RECORD"]


def test_a_mapped_record_that_is_no_object_is_refused():
    """A record that is no object stops a mapped stream, after the rows before it."""
    one = passage({"b": {"x": "1"}})
    out = []

    def read():
        bad = b'{"type":"RECORD","stream":"b","record":5}\n'
        out.extend(one.feed(schema("b") + record("b", 1) + bad))

    with pytest.raises(ProtocolError, match="record"):
        read()
    assert [m["type"] for m in parsed(b"".join(out))] == ["SCHEMA", "RECORD"]


def test_a_failing_expression_stops():
    """No row passes unmapped: an expression that fails ends the run."""
    data = schema("a") + line({"type": "RECORD", "stream": "a", "record": {"id": "secret", "name": "x"}})
    with pytest.raises(MapError) as caught:
        through({"a": {"next": "id + 1"}}, data)
    assert "secret" not in str(caught.value)


def test_two_streams_that_become_one_are_refused():
    """Two sources never share a name downstream."""
    with pytest.raises(MapError, match="both become"):
        through({"x_*": {"__alias__": "x"}}, schema("x_1") + schema("x_2"))


def test_an_unknown_type_is_warned_about_once(caplog):
    """The lines pass, the warning comes once for each type."""
    through({}, line({"type": "WEATHER"}) * 3)
    assert caplog.text.count("WEATHER") == 1


def test_a_changed_schema_is_compiled_again():
    """A new SCHEMA brings new maps; the same one again is sent again."""
    wider = {**SCHEMA, "properties": {**SCHEMA["properties"], "extra": {"type": "string"}}}
    data = schema("a") * 2 + line({"type": "SCHEMA", "stream": "a", "schema": wider, "key_properties": []})
    out = parsed(through({"a": {"x": "1"}}, data))
    assert [sorted(m["schema"]["properties"]) for m in out] == [
        ["id", "name", "price", "x"],
        ["id", "name", "price", "x"],
        ["extra", "id", "name", "price", "x"],
    ]


messages = st.lists(
    st.one_of(
        st.tuples(st.just("RECORD"), st.sampled_from(["a", "b", "c", "gone"]), st.integers(0, 6)),
        st.tuples(st.just("STATE"), st.just(""), st.integers(0, 99)),
        st.tuples(st.just("SCHEMA"), st.sampled_from(["a", "b"]), st.just(0)),
    ),
    max_size=40,
)


@given(messages, st.sampled_from([1, 50, 300, 5000, 1 << 16]))
@settings(max_examples=150, deadline=None)
def test_chunks_and_order_do_not_matter(sequence, size):
    """Whatever the interleaving and the pieces, each stream keeps its order and every STATE comes after its rows."""
    data = b"".join(schema(name) for name in ("a", "b", "c", "gone"))
    for kind, stream, number in sequence:
        if kind == "RECORD":
            data += record(stream, number)
        elif kind == "STATE":
            data += line({"type": "STATE", "value": {"at": number}})
        else:
            data += schema(stream)
    expected = [[]]
    for kind, stream, number in sequence:
        if kind == "STATE":
            expected.append([])
        elif kind == "RECORD":
            if stream == "a":
                expected[-1] += [("a_copy", number)] + ([("a", number)] if number != 3 else [])
            elif stream != "gone":
                expected[-1].append((stream, number))
    found = [[]]
    for message in parsed(through(MAPS, data, size)):
        if message["type"] == "STATE":
            found.append([])
        elif message["type"] == "RECORD":
            found[-1].append((message["stream"], message["record"]["id"]))
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        for name in ("a", "a_copy", "b", "c", "gone"):
            assert [n for s, n in mine if s == name] == [n for s, n in theirs if s == name]
