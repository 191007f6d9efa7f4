"""What is said of lines and records that cannot be taken. This module must not decide whether they can."""

import json
from typing import Final

from singer_kit.codec import Unreadable
from singer_kit.errors import MessageError, ProtocolError, RecordError, SchemaError
from singer_kit.wire.records import BadRecord

__all__ = ["at_line", "record_error", "schema_refusal", "stream_of_unreadable_record", "unknown_stream", "unreadable"]

_NEXT_STEPS: Final[dict[Unreadable, str]] = {
    "nan": "write null, or set 'nan' to 'null' to read it so.",
    "surrogate": "write whole Unicode text.",
    "bom": "write UTF-8 without a byte order mark.",
    "truncated": "see why whoever wrote it ended early.",
    "too-deep": "have the tap send what lies that deep as text.",
    "not-json": "only Singer messages belong here; logs and prints go to the standard error.",
}


def record_error(bad: BadRecord) -> RecordError:
    """The error that names the stream, the line, the field, its type and the place in the schema."""
    place = [f"file: {bad.source}"] if bad.source else []
    next_step = "have the tap send records that its schema allows, or set 'on_bad_record' to 'dead-letter'."
    if bad.problem is not None:
        place.append(f"schema: {bad.stream}.{bad.problem.schema_path}".rstrip("."))
    return RecordError(
        f"stream {bad.stream!r}, line {bad.line_number}: {bad.reason}.".replace("..", "."),
        place="\n".join(place),
        next_step=next_step,
    )


def at_line(error: MessageError, number: int) -> MessageError:
    """`error` with the line that it speaks of."""
    place = f"line: {number}\n{error.place}".rstrip()
    return type(error)(error.sentence, place=place, next_step=error.next_step)


def unreadable(number: int, kind: Unreadable, words: str, *, stream: str | None = None) -> ProtocolError:
    """The error for a line that is no JSON, or none that can be read."""
    verdict = "cannot be read" if kind == "too-deep" else "is not JSON"
    return ProtocolError(
        f"{f'stream {stream!r}, ' if stream else ''}line {number} {verdict}: {words}.",
        next_step=_NEXT_STEPS[kind],
    )


def unknown_stream(stream: str | None, kind: str, number: int) -> ProtocolError:
    """The error for what comes before the SCHEMA of its stream."""
    return ProtocolError(
        f"stream {stream!r}, line {number}: {_with_article(kind)} comes before any SCHEMA of its stream.",
        next_step="have the tap write the SCHEMA of a stream before anything else of it.",
    )


def schema_refusal(stream: str, number: int, error: SchemaError) -> ProtocolError:
    """`error`, which is about a schema that the other side sent: a bad message, not a bad setting."""
    return ProtocolError(
        f"stream {stream!r}, line {number}: {error.sentence}",
        place=error.place,
        next_step="correct the schema where the tap declares it.",
    )


def _with_article(word: str) -> str:
    return f"an {word}" if word[:1] in "AEIO" else f"a {word}"


def stream_of_unreadable_record(line: bytes) -> str | None:
    """The stream of a RECORD message that only a reader who takes NaN and half surrogate pairs can read."""
    value = json.loads(line)
    if not isinstance(value, dict) or str(value.get("type")).upper() != "RECORD":
        return None
    stream = value.get("stream")
    return stream if isinstance(stream, str) else None
