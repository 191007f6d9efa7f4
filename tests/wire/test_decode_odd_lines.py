"""Odd lines: records of BATCH files however they end, and values nested beyond what anybody reads."""

from pathlib import Path

import pytest

from singer_kit.batch.rows import Rows
from singer_kit.codec import encode_lines
from singer_kit.errors import MessageError
from singer_kit.spec.messages import SchemaMessage
from singer_kit.wire.decode import events


def test_batch_lines_end_as_they_like(tmp_path: Path) -> None:
    """Carriage returns and blanks around a record are not the record's."""
    path = tmp_path / "crlf.jsonl"
    path.write_bytes(b'{"id":1}\r\n  {"id":2} \r\n\r\n{"id":3}')
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    messages = [
        {"type": "SCHEMA", "stream": "s", "schema": schema, "key_properties": ["id"]},
        {"type": "BATCH", "stream": "s", "encoding": {"format": "jsonl"}, "manifest": [path.as_uri()]},
    ]
    rows = [event for event in events([encode_lines(messages)]) if isinstance(event, Rows)]
    assert b"".join(each.lines for each in rows) == b'{"id":1}\n{"id":2}\n{"id":3}\n'


def test_a_line_that_is_nested_too_deeply_is_called_so() -> None:
    """It is JSON, so it is not called anything else; what came before it is kept."""
    schema = {"type": "object", "properties": {"id": {}}}
    head = encode_lines([{"type": "SCHEMA", "stream": "s", "schema": schema, "key_properties": []}])
    deep = b'{"type":"RECORD","stream":"s","record":{"id":' + b"[" * 200_000 + b"]" * 200_000 + b"}}\n"
    found = events([head + b'{"type":"RECORD","stream":"s","record":{"id":1}}\n' + deep])
    assert [type(next(found)), type(next(found))] == [SchemaMessage, Rows]
    with pytest.raises(MessageError, match="line 3 cannot be read: it is nested too deeply"):
        next(found)
