"""Singer messages: values to lines and back, by the rules of the wire."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.codec import decode
from singer_kit.errors import ProtocolError
from singer_kit.spec.messages import (
    ActivateVersionMessage,
    BatchEncoding,
    BatchMessage,
    RecordMessage,
    SchemaMessage,
    StateMessage,
    encode_message,
    message_value,
    parse_message,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | text | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(text, json_values, max_size=4)
versions = st.none() | st.integers(0, 2**70)
extracted = st.none() | st.sampled_from(["2024-01-31T09:00:00Z", "2024-01-31T09:00:00.25+05:30"])


@st.composite
def schema_messages(draw):
    properties = draw(st.dictionaries(text, objects, min_size=1, max_size=4))
    names = st.lists(st.sampled_from(sorted(properties)), unique=True, max_size=2).map(tuple)
    return SchemaMessage(
        draw(text),
        {"properties": properties, **draw(objects)} | {"properties": properties},
        draw(names),
        draw(names),
    )


messages = st.one_of(
    schema_messages(),
    st.builds(RecordMessage, text, objects, versions, extracted),
    st.builds(StateMessage, objects),
    st.builds(ActivateVersionMessage, text, st.integers(0)),
    st.builds(
        BatchMessage,
        text,
        st.builds(BatchEncoding, text, st.none() | text),
        st.lists(text, max_size=3).map(tuple),
        versions,
    ),
)


@given(messages)
def test_a_message_survives_the_wire(message):
    """Encode, decode, parse gives the same message, digits included, and the line ends in one newline."""
    line = encode_message(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert parse_message(decode(line), strict=True) == message
    assert parse_message(decode(line)) == message


@given(messages, st.sampled_from([str.lower, str.title, str.upper]))
def test_the_type_is_read_in_any_case(message, spell):
    """Lenient reading takes `type` in any case; strict reading takes upper case alone."""
    value = message_value(message)
    spelt = {**value, "type": spell(value["type"])}
    assert parse_message(decode(encode_message(message)) | {"type": spelt["type"]}) == message
    if spelt["type"] != value["type"]:
        with pytest.raises(ProtocolError, match="not one of"):
            parse_message(spelt, strict=True)


def test_unknown_types_and_members_pass():
    """A type that Singer does not know is None, and unknown members are passed over; strict refuses the
    type.
    """
    assert parse_message({"type": "HEARTBEAT", "n": 1}) is None
    with pytest.raises(ProtocolError, match="HEARTBEAT"):
        parse_message({"type": "HEARTBEAT"}, strict=True)
    assert parse_message({"type": "STATE", "value": {}, "sent": 1}) == StateMessage({})


def test_leniency_has_its_list():
    """Lenient reading takes any state, any text as time_extracted and unknown bookmark properties; strict
    does not.
    """
    schema = {"properties": {"id": {}}}
    for value in (
        {"type": "STATE", "value": None},
        {"type": "STATE", "value": [1]},
        {"type": "RECORD", "stream": "s", "record": {}, "time_extracted": "yesterday"},
        {"type": "RECORD", "stream": "s", "record": {}, "time_extracted": "2024-01-01T00:00:00"},
        {
            "type": "SCHEMA",
            "stream": "s",
            "schema": schema,
            "key_properties": [],
            "bookmark_properties": ["x"],
        },
    ):
        assert parse_message(value) is not None
        with pytest.raises(ProtocolError):
            parse_message(value, strict=True)


SCHEMA = {"type": "SCHEMA", "stream": "s", "schema": {"properties": {"id": {}}}, "key_properties": ["id"]}
RECORD = {"type": "RECORD", "stream": "s", "record": {}}
BATCH = {"type": "BATCH", "stream": "s", "encoding": {"format": "jsonl"}, "manifest": ["file:///a"]}
VERSION = {"type": "ACTIVATE_VERSION", "stream": "s", "version": 1}


def without(value, member):
    """`value` without a member."""
    return {name: item for name, item in value.items() if name != member}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "is a list, not a JSON object"),
        ("x", "is a string"),
        (None, "is null"),
        (1, "is an integer"),
        (Decimal("1.5"), "is a number"),
        ({}, "no message type"),
        ({"type": 1}, "an integer, not a string"),
        (without(SCHEMA, "stream"), "has no 'stream'"),
        (SCHEMA | {"stream": None}, "'stream' of a SCHEMA message is null"),
        (without(SCHEMA, "schema"), "has no 'schema'"),
        (SCHEMA | {"schema": []}, "is a list, not an object"),
        (SCHEMA | {"schema": {"type": "object"}}, "has no properties"),
        (SCHEMA | {"schema": {"properties": []}}, "has no properties"),
        (without(SCHEMA, "key_properties"), "has no 'key_properties'"),
        (SCHEMA | {"key_properties": None}, "is null, not a list of strings"),
        (SCHEMA | {"key_properties": "id"}, "is a string, not a list of strings"),
        (SCHEMA | {"key_properties": [1]}, "not a list of strings"),
        (SCHEMA | {"key_properties": ["id", "no"]}, "'no' of stream 's' is not a property"),
        (SCHEMA | {"bookmark_properties": "id"}, "is a string, not a list of strings"),
        (without(RECORD, "stream"), "has no 'stream'"),
        (without(RECORD, "record"), "has no 'record'"),
        (RECORD | {"record": [1]}, "is a list, not an object"),
        (RECORD | {"version": "1"}, "is a string, not an integer"),
        (RECORD | {"version": True}, "is a boolean, not an integer"),
        (RECORD | {"time_extracted": 1}, "is an integer, not a string"),
        ({"type": "STATE"}, "has no 'value'"),
        (without(VERSION, "version"), "has no 'version'"),
        (VERSION | {"version": None}, "is null, not an integer"),
        (VERSION | {"version": Decimal("1.5")}, "is a number, not an integer"),
        (without(BATCH, "encoding"), "has no 'encoding'"),
        (BATCH | {"encoding": {}}, "has no 'encoding.format'"),
        (BATCH | {"encoding": {"format": "jsonl", "compression": 1}}, "'encoding.compression'"),
        (without(BATCH, "manifest"), "has no 'manifest'"),
        (BATCH | {"manifest": "file:///a"}, "is a string, not a list of strings"),
    ],
)
def test_broken_messages_are_named(value, words, strict):
    """A member that is missing or of the wrong type is refused by name, lenient or not."""
    with pytest.raises(ProtocolError) as caught:
        parse_message(value, strict=strict)
    assert words in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize(
    "message",
    [
        RecordMessage("s", {"x": float("nan")}),
        RecordMessage("s", {"x": [Decimal("Infinity")]}),
        RecordMessage("s", {"x": {"y": "\ud83d"}}),
        RecordMessage("s", {"x": {"y": [datetime(2024, 1, 1)]}}),  # noqa: DTZ001 - what is refused
        RecordMessage("s", {"x": object()}),
        RecordMessage("s", {}, None, "2024-01-01T00:00:00"),
        RecordMessage("s", {}, None, datetime(2024, 1, 1)),  # noqa: DTZ001 - what is refused
        SchemaMessage("s", {"properties": {}}, ("id",)),
        StateMessage(None),
    ],
)
def test_what_a_strict_reader_refuses_is_never_written(message):
    """NaN, half a surrogate pair, naive datetimes and broken messages are refused before they reach the
    wire.
    """
    with pytest.raises(ProtocolError):
        encode_message(message)


def test_an_aware_datetime_is_written_in_utc():
    """`time_extracted` may be a datetime."""
    at = datetime(2024, 1, 31, 10, tzinfo=timezone(timedelta(hours=1)))
    assert decode(encode_message(RecordMessage("s", {}, 3, at))) == {
        "type": "RECORD",
        "stream": "s",
        "record": {},
        "version": 3,
        "time_extracted": "2024-01-31T09:00:00Z",
    }
