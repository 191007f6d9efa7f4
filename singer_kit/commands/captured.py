"""Captured streams as the commands read them: files of Singer messages or of plain JSON lines, compressed or not.

It reads one page at a time and judges nothing beyond what it must know to read on.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from singer_kit.codec import JSON, Struct
from singer_kit.errors import ProtocolError, SourceError, UsageError
from singer_kit.files import read_jsonl
from singer_kit.spec.messages import SchemaMessage, StateMessage, parse_message

__all__ = ["Rows", "captured", "file_stream"]

_TYPES = frozenset({"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION", "BATCH"})


class Rows(Struct, frozen=True):
    """Consecutive rows of one stream; `stream` is None in a file of plain rows."""

    stream: str | None
    rows: list[dict[str, Any]]


def captured(path: str) -> Iterator[Rows | SchemaMessage | StateMessage]:
    """What the file holds, in its order; `-` is the standard input.

    A file holds Singer messages when its first object is one, and then nothing else; other message types are passed
    over. Raises `UsageError` for a file that cannot be read or a line that is neither.
    """
    try:
        pages = read_jsonl("/dev/stdin" if path == "-" else path)
        is_singer: bool | None = None
        for page in pages:
            if is_singer is None:
                is_singer = _is_message(page[0])
            if is_singer:
                yield from _messages(page)
            else:
                yield Rows(None, page)
    except (SourceError, ProtocolError) as error:
        raise UsageError(error.sentence, place=error.place or f"file: {path}", next_step=error.next_step) from error


def file_stream(path: str) -> str:
    """The name of the stream that a file of plain rows holds: `data/orders.jsonl.gz` is `orders`."""
    name = Path(path).name
    return "stdin" if path == "-" else name[: name.index(".", 1)] if "." in name[1:] else name


def _is_message(value: dict[str, Any]) -> bool:
    kind = value.get("type")
    return isinstance(kind, str) and kind.upper() in _TYPES and ("stream" in value or "value" in value)


def _messages(page: list[dict[str, Any]]) -> Iterator[Rows | SchemaMessage | StateMessage]:
    stream: str | None = None
    rows: list[dict[str, Any]] = []
    for value in page:
        kind, record, name = value.get("type"), value.get("record"), value.get("stream")
        if kind == "RECORD" and isinstance(record, dict) and isinstance(name, str):
            if name != stream:
                if rows:
                    yield Rows(stream, rows)
                stream, rows = name, []
            rows.append(record)
            continue
        message: JSON = parse_message(value)
        if rows:
            yield Rows(stream, rows)
            stream, rows = None, []
        if isinstance(message, (SchemaMessage, StateMessage)):
            yield message
        elif message is not None and hasattr(message, "record"):
            yield Rows(message.stream, [message.record])
    if rows:
        yield Rows(stream, rows)
