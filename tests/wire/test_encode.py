"""Messages to the wire: whole lines, in order, few writes, and nothing that a strict reader refuses."""

import io

import pytest

from singer_kit.codec import decode
from singer_kit.errors import ProtocolError
from singer_kit.spec.messages import BatchEncoding, parse_message
from singer_kit.wire.encode import MessageWriter


class Counted(io.BytesIO):
    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.flushes = 0

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # bytes are all that comes
        self.writes += 1
        return super().write(data)

    def flush(self) -> None:
        self.flushes += 1


SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}}


def test_every_kind_of_message_passes_a_strict_reader() -> None:
    """Each line is a message that strict parsing takes, in the order of the calls."""
    output = Counted()
    writer = MessageWriter(output)
    writer.schema("s", SCHEMA, ["id"], ["id"])
    writer.records(b'{"type":"RECORD","stream":"s","record":{"id":1}}\n', 1)
    writer.batch("s", BatchEncoding("jsonl", "gzip"), ["file:///x"], count=2, nbytes=9)
    writer.activate_version("s", 3)
    writer.state({"bookmarks": {}})
    lines = output.getvalue().splitlines()
    messages = [parse_message(decode(line), strict=True) for line in lines]
    assert [type(message).__name__ for message in messages] == [
        "SchemaMessage", "RecordMessage", "BatchMessage", "ActivateVersionMessage", "StateMessage",
    ]  # fmt: skip
    assert writer.record_count == 3


def test_small_messages_share_a_write_and_a_state_ends_it() -> None:
    """Lines wait for company; a STATE leaves at once, with all that came before it."""
    output = Counted()
    writer = MessageWriter(output)
    for number in range(100):
        writer.records(b'{"type":"RECORD","stream":"s","record":{"id":%d}}\n' % number, 1)
    assert output.writes == 0
    writer.state({})
    assert (output.writes, output.flushes) == (1, 1)
    assert output.getvalue().count(b"\n") == 101


def test_large_pages_leave_as_they_come() -> None:
    """What fills a buffer is not gathered further."""
    output = Counted()
    writer = MessageWriter(output)
    for _ in range(3):
        writer.records(b"x" * 100_000, 1)
    assert output.writes == 3


@pytest.mark.parametrize("state", [{"a": float("nan")}, {"a": "\ud800"}])
def test_what_json_cannot_say_is_refused(state: object) -> None:
    """Writing is strict: nothing of the message leaves."""
    output = Counted()
    with pytest.raises(ProtocolError):
        MessageWriter(output).state(state)
    assert output.getvalue() == b""


def test_a_key_that_the_schema_lacks_is_refused() -> None:
    """SCHEMA is checked before it leaves."""
    with pytest.raises(ProtocolError, match="'key'"):
        MessageWriter(Counted()).schema("s", SCHEMA, ["key"])
