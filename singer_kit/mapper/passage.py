"""Messages through stream maps: bytes in, bytes out, in order; what no map touches is copied byte for byte.

It must not read or write files, nor know settings; it holds one chunk of lines at a time.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from singer_kit.batch.transform import StreamMap
from singer_kit.codec import (
    UNSET,
    DecodeError,
    Decoder,
    EncodeError,
    Raw,
    Struct,
    UnsetType,
    ValidationError,
    decode,
    encode_lines,
    why_not_json,
)
from singer_kit.errors import MapError, MessageError
from singer_kit.spec.messages import (
    ActivateVersionMessage,
    BatchMessage,
    SchemaMessage,
    StateMessage,
    encode_message,
    parse_message,
)
from singer_kit.wire.files import read_batch_file
from singer_kit.wire.lines import Lines
from singer_kit.wire.refusals import at_line, unknown_stream, unreadable

__all__ = ["MapsOf", "Passage"]

logger = logging.getLogger("singer_kit.mapper")

MapsOf: TypeAlias = Callable[[SchemaMessage], list[StreamMap]]
"""What the stream that a SCHEMA describes becomes."""


class _Line(Struct, gc=False):
    type: Any = UNSET
    stream: Any = UNSET
    record: Raw | UnsetType = UNSET
    version: int | None = None
    time_extracted: str | None = None


class _Mapped(Struct, gc=False):
    """A RECORD with its record open, as it is read and as it is written."""

    type: str
    stream: str
    record: dict[str, Any]
    version: int | UnsetType | None = UNSET
    time_extracted: str | UnsetType | None = UNSET


_lines: Final[Decoder[_Line]] = Decoder(_Line)
_records: Final[Decoder[_Mapped]] = Decoder(_Mapped)
_rows: Final[Decoder[dict[str, Any]]] = Decoder(dict[str, Any])


class _Stream(Struct):
    """One source stream: its maps, and whether its lines pass as they are."""

    message: SchemaMessage
    maps: list[StreamMap]
    passes: bool


class Passage:
    """Call `feed` with each piece of the input and write what it gives, then `finish` once at the end.

    Everything that `feed` gives stands in the order of the input; only between two other messages may records
    of different streams change places, those of one stream never do. A STATE comes after every record that
    stood before it. `streams` are the names seen so far.
    """

    def __init__(self, maps_of: MapsOf) -> None:
        self._maps_of = maps_of
        self._pieces = Lines()
        self._number = 0
        self._streams: dict[str, _Stream] = {}
        self._owners: dict[str, str] = {}
        self._unknown_types: set[str] = set()
        self._last: str | None = None

    @property
    def streams(self) -> list[str]:
        """The streams that had a SCHEMA."""
        return list(self._streams)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What the lines that `data` completes become. Raises `MessageError` and `MapError`."""
        for chunk in self._pieces.feed(data):
            yield from self._chunk(chunk)

    def finish(self) -> Iterator[bytes]:
        """What a last line without newline becomes; `ProtocolError` if it ends in the middle."""
        rest = self._pieces.rest()
        if rest and not rest.isspace():
            yield from self._chunk(rest + b"\n")

    def _chunk(self, chunk: bytes) -> Iterator[bytes]:
        # What the last chunk was decides what is tried first: a chunk of one mapped stream is decoded once.
        if self._last is not None:
            try:
                records = _records.decode_lines(chunk)
            except (DecodeError, ValidationError):
                records = []
            name = self._last
            if records and all(one.type == "RECORD" and one.stream == name for one in records):
                self._number += chunk.count(b"\n")
                yield from self._mapped(self._streams[name], records)
                return
        yield from self._mixed(chunk)

    def _mixed(self, chunk: bytes) -> Iterator[bytes]:
        self._last = None
        texts = chunk.split(b"\n")
        texts.pop()
        first = self._number + 1
        self._number += len(texts)
        run: dict[str, list[tuple[int, bytes]]] = {}
        total = 0
        lines, error = self._read(texts, first)
        for number, text, line in lines:
            kind = line.type
            if kind != "RECORD" and not (isinstance(kind, str) and kind.upper() == "RECORD"):
                yield from self._records(run, texts)
                run = {}
                yield from self._other(text, line, number)
                continue
            if line.record is UNSET or not isinstance(line.stream, str) or line.stream not in self._streams:
                yield from self._records(run, texts)
                raise _why_unusable(text, number)
            run.setdefault(line.stream, []).append((number, text))
            total += 1
        yield from self._records(run, texts)
        if error is not None:
            raise error
        if len(run) == 1 and total == len(texts):
            name = next(iter(run))
            self._last = None if self._streams[name].passes else name

    def _read(self, texts: list[bytes], first: int) -> tuple[list[tuple[int, bytes, _Line]], MessageError | None]:
        """The lines up to the first unreadable one with numbers and envelopes, blank ones left out; what is wrong."""
        try:
            lines = _lines.decode_lines(b"\n".join(texts))
        except (DecodeError, ValidationError):
            lines = []
        if len(lines) == len(texts):
            return list(zip(range(first, first + len(texts)), texts, lines, strict=True)), None
        read: list[tuple[int, bytes, _Line]] = []
        for number, text in enumerate(texts, first):
            if text and not text.isspace():
                try:
                    read.append((number, text, self._line(text, number)))
                except MessageError as error:
                    return read, error
        return read, None

    def _line(self, text: bytes, number: int) -> _Line:
        try:
            return _lines.decode(text)
        except ValidationError:
            value = decode(text)
            try:
                parse_message(value)
            except MessageError as error:
                raise at_line(error, number) from None
            return _Line(type=value["type"], stream=value.get("stream"))
        except DecodeError:
            raise unreadable(number, *why_not_json(text)) from None

    def _records(self, run: dict[str, list[tuple[int, bytes]]], texts: list[bytes]) -> Iterator[bytes]:
        if all(self._streams[name].passes for name in run):
            # The order of the input, although the run is sorted by stream.
            lines = [numbered for lines in run.values() for numbered in lines]
            if len(run) > 1:
                lines.sort()
            if lines:
                whole = len(lines) == len(texts)
                yield b"\n".join([*(texts if whole else (text for _, text in lines)), b""])
            return
        for name, numbered in run.items():
            stream = self._streams[name]
            if stream.passes:
                yield b"\n".join([*(text for _, text in numbered), b""])
            elif stream.maps:
                records, error = self._opened(numbered)
                yield from self._mapped(stream, records)
                if error is not None:
                    raise error

    @staticmethod
    def _opened(numbered: list[tuple[int, bytes]]) -> tuple[list[_Mapped], MessageError | None]:
        """The records of the lines up to the first unusable one, and what is wrong with it."""
        try:
            return _records.decode_lines(b"\n".join(text for _, text in numbered)), None
        except (DecodeError, ValidationError):
            pass
        records: list[_Mapped] = []
        for number, text in numbered:
            try:
                records.append(_records.decode(text))
            except (DecodeError, ValidationError):
                return records, _why_unusable(text, number)
        return records, None

    def _mapped(self, stream: _Stream, records: list[_Mapped]) -> Iterator[bytes]:
        rows = [record.record for record in records]
        for one in stream.maps:
            mapped, kept = one.apply_with(rows, records)
            if mapped:
                yield self._written(one, mapped, kept)

    @staticmethod
    def _written(one: StreamMap, rows: list[dict[str, Any]], records: list[_Mapped]) -> bytes:
        name = one.stream
        try:
            return encode_lines(
                _Mapped("RECORD", name, row, record.version, record.time_extracted)
                for row, record in zip(rows, records, strict=True)
            )
        except EncodeError as error:
            raise MapError(
                f"stream '{one.source}': its map makes what JSON cannot say ({type(error).__name__})."
            ) from None

    def _other(self, text: bytes, line: _Line, number: int) -> Iterator[bytes]:
        try:
            message = parse_message(decode(text))
        except MessageError as error:
            raise at_line(error, number) from None
        if isinstance(message, SchemaMessage):
            yield from self._schema(message, text)
        elif isinstance(message, StateMessage):
            yield text + b"\n"
        elif isinstance(message, (ActivateVersionMessage, BatchMessage)):
            stream = self._streams.get(message.stream)
            if stream is None:
                raise unknown_stream(message.stream, str(line.type).upper(), number)
            if stream.passes:
                yield text + b"\n"
            elif isinstance(message, BatchMessage):
                yield from self._batch(stream, message)
            else:
                for one in stream.maps:
                    yield encode_message(ActivateVersionMessage(one.stream, message.version))
        else:
            self._tell_unknown(line)
            yield text + b"\n"

    def _schema(self, message: SchemaMessage, text: bytes) -> Iterator[bytes]:
        known = self._streams.get(message.stream)
        if known is None or known.message != message:
            maps = self._maps_of(message)
            for one in maps:
                owner = self._owners.setdefault(one.stream, message.stream)
                if owner != message.stream:
                    raise MapError(
                        f"Streams '{owner}' and '{message.stream}' both become '{one.stream}'.",
                        place="setting: stream_maps",
                        next_step="give them names of their own: one stream has one schema.",
                    )
            known = _Stream(message, maps, passes=len(maps) == 1 and maps[0].is_identity)
            self._streams[message.stream] = known
        if known.passes:
            yield text + b"\n"
            return
        for one in known.maps:
            names = [one.renamed.get(name, name) for name in message.bookmark_properties]
            declared = one.schema.get("properties") or {}
            bookmarks = tuple(name for name in names if name in declared)
            yield encode_message(SchemaMessage(one.stream, one.schema, one.key_properties, bookmarks))

    def _batch(self, stream: _Stream, message: BatchMessage) -> Iterator[bytes]:
        """The records of BATCH files, mapped, as RECORD messages."""
        for url in message.manifest if stream.maps else ():
            number = 1
            for chunk in read_batch_file(url, message.encoding):
                try:
                    rows = _rows.decode_lines(chunk)
                except (DecodeError, ValidationError):
                    raise _unreadable_file(chunk, number, url) from None
                number += chunk.count(b"\n")
                records = [_Mapped("RECORD", message.stream, row, message.version) for row in rows]
                yield from self._mapped(stream, records)

    def _tell_unknown(self, line: _Line) -> None:
        name = str(line.type)[:40]
        if name not in self._unknown_types and len(self._unknown_types) < 100:
            self._unknown_types.add(name)
            logger.warning("Messages of type %r pass as they are: Singer knows no such type.", name)


def _why_unusable(text: bytes, number: int) -> MessageError:
    try:
        message = parse_message(decode(text))
    except MessageError as error:
        return at_line(error, number)
    except DecodeError:
        return unreadable(number, *why_not_json(text))
    return unknown_stream(getattr(message, "stream", None), "RECORD", number)


def _unreadable_file(chunk: bytes, first: int, url: str) -> MessageError:
    for number, text in enumerate(chunk.split(b"\n"), first):
        try:
            if text and not text.isspace():
                _rows.decode(text)
        except (DecodeError, ValidationError):
            error = unreadable(number, *why_not_json(text))
            return type(error)(error.sentence, place=f"file: {url}", next_step=error.next_step)
    return unreadable(first, "not-json", "it holds no records")
