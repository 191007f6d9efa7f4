"""The Singer messages as frozen values: a JSON value to a message and back, by the rules of the wire.

Reading is lenient unless asked to be strict, writing is always strict. This module must not read or write
bytes of its own accord, and must not judge records against schemas.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from singer_kit.codec import JSON, EncodeError, Struct, encode_exactly
from singer_kit.errors import ProtocolError
from singer_kit.spec.instants import format_instant, parse_instant


class SchemaMessage(Struct, frozen=True):
    """The schema that governs the records of `stream` from here on; no `key_properties` means no key."""

    stream: str
    schema: dict[str, Any]
    key_properties: tuple[str, ...]
    bookmark_properties: tuple[str, ...] = ()


class RecordMessage(Struct, frozen=True):
    """One row of `stream`; `time_extracted` is an aware datetime or RFC 3339 text."""

    stream: str
    record: dict[str, Any]
    version: int | None = None
    time_extracted: str | datetime | None = None


class StateMessage(Struct, frozen=True):
    """Everything the next run must know, complete: it covers the records that came before it."""

    value: JSON


class ActivateVersionMessage(Struct, frozen=True):
    """Rows of `stream` with an older version than this one are gone from the source."""

    stream: str
    version: int


class BatchEncoding(Struct, frozen=True):
    """How the files of a BATCH are written: `jsonl` and `gzip`, say; no compression is None."""

    format: str
    compression: str | None = None


class BatchMessage(Struct, frozen=True):
    """Files of records of `stream`, by URL; they hold records, not messages."""

    stream: str
    encoding: BatchEncoding
    manifest: tuple[str, ...]
    version: int | None = None


Message: TypeAlias = SchemaMessage | RecordMessage | StateMessage | ActivateVersionMessage | BatchMessage


def parse_message(value: JSON, *, strict: bool = False) -> Message | None:
    """The message that the JSON `value` says, or None for a type that Singer does not know.

    Lenient: `type` in any case, a `time_extracted` of any text, a state of any JSON type, bookmark properties
    that the schema lacks. `strict` refuses these and unknown types. Raises `ProtocolError` for everything
    else that breaks the rules: a member missing or of the wrong type, a key that the schema lacks, a schema
    without properties.
    """
    if not isinstance(value, dict):
        raise ProtocolError(f"A line is {_kind(value)}, not a JSON object.", next_step=_LOGS_ELSEWHERE)
    name = value.get("type")
    if not isinstance(name, str):
        raise ProtocolError(
            "A line has no message type." if name is None else f"A message type is {_kind(name)}, not a string.",
            next_step=_LOGS_ELSEWHERE,
        )
    parse = _PARSERS.get(name if strict else name.upper())
    if parse is not None:
        return parse(value, strict)
    if not strict:
        return None
    raise ProtocolError(
        f"The message type {name[:40]!r} is not one of {', '.join(_PARSERS)}.",
        next_step="write message types in upper case, and only those that Singer knows.",
    )


def encode_message(message: Message) -> bytes:
    """The line that says `message`, newline included.

    Raises `ProtocolError` for what no strict reader takes: NaN and Infinity, half a surrogate pair, a
    datetime without offset, a key that the schema lacks, any other break of the rules that `parse_message`
    knows.
    """
    value = message_value(message)
    parse_message(value, strict=True)
    try:
        _refuse_naive(value)
        return encode_exactly(value) + b"\n"
    except EncodeError as error:
        raise ProtocolError(
            f"A {value['type']} message{_of(value)} holds what JSON cannot say.",
            place=f"because: {type(error).__name__}: {_because(error)}",
            next_step="give what JSON has: finite numbers, whole text, aware datetimes, lists, objects.",
        ) from error


def message_value(message: Message) -> dict[str, Any]:
    """The JSON object that says `message`: members in the customary order, absent ones left out."""
    value: dict[str, Any]
    match message:
        case RecordMessage():
            value = {"type": "RECORD", "stream": message.stream, "record": message.record}
            if message.version is not None:
                value["version"] = message.version
            extracted = message.time_extracted
            if extracted is not None:
                value["time_extracted"] = extracted if isinstance(extracted, str) else _aware(extracted, message.stream)
            return value
        case SchemaMessage():
            value = {
                "type": "SCHEMA",
                "stream": message.stream,
                "schema": message.schema,
                "key_properties": list(message.key_properties),
            }
            if message.bookmark_properties:
                value["bookmark_properties"] = list(message.bookmark_properties)
            return value
        case StateMessage():
            return {"type": "STATE", "value": message.value}
        case ActivateVersionMessage():
            return {"type": "ACTIVATE_VERSION", "stream": message.stream, "version": message.version}
        case BatchMessage():
            encoding = {"format": message.encoding.format}
            if message.encoding.compression is not None:
                encoding["compression"] = message.encoding.compression
            value = {
                "type": "BATCH",
                "stream": message.stream,
                "encoding": encoding,
                "manifest": list(message.manifest),
            }
            if message.version is not None:
                value["version"] = message.version
            return value


_LOGS_ELSEWHERE = "only Singer messages belong on standard output; logs and prints go to standard error."


def _schema(value: dict[str, Any], strict: bool) -> SchemaMessage:
    stream = _text(value, "stream")
    schema = _object(value, "schema")
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        raise ProtocolError(
            f"The schema of stream {stream!r} has no properties.",
            place="rule: the top level of a schema is an object with properties",
            next_step="give the schema a 'properties' object, with every $ref at the top resolved.",
        )
    keys = _names(value, "key_properties")
    _declared(keys, properties, value, "key")
    bookmarks = _names(value, "bookmark_properties") if value.get("bookmark_properties") is not None else ()
    if strict:
        _declared(bookmarks, properties, value, "bookmark property")
    return SchemaMessage(stream, schema, keys, bookmarks)


def _record(value: dict[str, Any], strict: bool) -> RecordMessage:
    extracted = value.get("time_extracted")
    if extracted is not None and not isinstance(extracted, str):
        raise _ill_typed(value, "time_extracted", "a string")
    if strict and extracted is not None:
        try:
            parse_instant(extracted)
        except ValueError as error:
            raise ProtocolError(
                f"The member 'time_extracted' of a RECORD message{_of(value)} is no RFC 3339 instant.",
                next_step="write it with date, time and offset: 2024-01-31T09:00:00Z.",
            ) from error
    return RecordMessage(_text(value, "stream"), _object(value, "record"), _version(value), extracted)


def _state(value: dict[str, Any], strict: bool) -> StateMessage:
    if strict or "value" not in value:
        _object(value, "value")
    return StateMessage(value["value"])


def _activate_version(value: dict[str, Any], strict: bool) -> ActivateVersionMessage:  # noqa: ARG001 - one shape for all
    version = _version(value)
    if version is None:
        raise _ill_typed(value, "version", "an integer")
    return ActivateVersionMessage(_text(value, "stream"), version)


def _batch(value: dict[str, Any], strict: bool) -> BatchMessage:  # noqa: ARG001 - one shape for all
    encoding = _object(value, "encoding")
    format_, compression = encoding.get("format"), encoding.get("compression")
    if not isinstance(format_, str):
        raise _ill_typed(value, "encoding.format", "a string")
    if compression is not None and not isinstance(compression, str):
        raise _ill_typed(value, "encoding.compression", "a string")
    files = _names(value, "manifest")
    return BatchMessage(_text(value, "stream"), BatchEncoding(format_, compression), files, _version(value))


_PARSERS: dict[str, Callable[[dict[str, Any], bool], Message]] = {
    "RECORD": _record,
    "SCHEMA": _schema,
    "STATE": _state,
    "ACTIVATE_VERSION": _activate_version,
    "BATCH": _batch,
}


def _text(value: dict[str, Any], member: str) -> str:
    found = value.get(member)
    if not isinstance(found, str):
        raise _ill_typed(value, member, "a string")
    return found


def _object(value: dict[str, Any], member: str) -> dict[str, Any]:
    found = value.get(member)
    if not isinstance(found, dict):
        raise _ill_typed(value, member, "an object")
    return found


def _version(value: dict[str, Any]) -> int | None:
    found = value.get("version")
    if found is None or (isinstance(found, int) and not isinstance(found, bool)):
        return found
    raise _ill_typed(value, "version", "an integer")


def _names(value: dict[str, Any], member: str) -> tuple[str, ...]:
    found = value.get(member)
    if not isinstance(found, (list, tuple)) or not all(isinstance(name, str) for name in found):
        raise _ill_typed(value, member, "a list of strings")
    return tuple(found)


def _declared(names: tuple[str, ...], properties: dict[str, Any], value: dict[str, Any], what: str) -> None:
    missing = [name for name in names if name not in properties]
    if missing:
        raise ProtocolError(
            f"The {what} {missing[0]!r}{_of(value)} is not a property of its schema.",
            place=f"SCHEMA message, {what}: {', '.join(map(repr, missing))}",
            next_step=f"declare it at the top level of the schema, or leave it out of the {what} list.",
        )


def _ill_typed(value: dict[str, Any], member: str, wanted: str) -> ProtocolError:
    here: Any = value
    for part in member.split("."):
        if not isinstance(here, dict) or part not in here:
            sentence = f"A {value['type']} message{_of(value)} has no {member!r}."
            return ProtocolError(sentence, next_step=f"send {member!r} as {wanted}.")
        here = here[part]
    sentence = f"The member {member!r} of a {value['type']} message{_of(value)} is {_kind(here)}, not {wanted}."
    return ProtocolError(sentence, next_step=f"send {member!r} as {wanted}.")


def _of(value: dict[str, Any]) -> str:
    stream = value.get("stream")
    return f" of stream {stream!r}" if isinstance(stream, str) else ""


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case int():
            return "an integer"
    return "a number"


def _aware(value: datetime, stream: str) -> str:
    try:
        return format_instant(value)
    except ValueError as error:
        raise ProtocolError(
            f"The member 'time_extracted' of a RECORD message of stream {stream!r} has no offset.",
            next_step="give an aware datetime.",
        ) from error


def _refuse_naive(value: object) -> None:
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError("a datetime without an offset names no instant")
    elif isinstance(value, Mapping):
        for item in value.values():
            _refuse_naive(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_naive(item)


def _because(error: Exception) -> str:
    return "half a surrogate pair is not text" if isinstance(error, UnicodeEncodeError) else str(error)
