"""Bytes to events: schemas, rows, states, versions, in the order of their lines; records come out valid.

This module must not write, commit or print, and holds no record longer than its chunk.
"""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import NoneType
from typing import Any, Final, TypeAlias

from singer_kit.batch.rows import Rows
from singer_kit.codec import (
    UNSET,
    Decoder,
    Raw,
    Struct,
    UnsetType,
    decode,
    why_not_json,
)
from singer_kit.errors import MessageError, ProtocolError, SchemaError
from singer_kit.schema.refs import has_refs, resolve_refs
from singer_kit.spec.messages import (
    ActivateVersionMessage,
    BatchMessage,
    RecordMessage,
    SchemaMessage,
    StateMessage,
    parse_message,
)
from singer_kit.wire.files import read_batch_file
from singer_kit.wire.groups import Group, grouped
from singer_kit.wire.lines import UNREADABLE, Lines, line_count, without_nan
from singer_kit.wire.records import BadRecord, RecordReader
from singer_kit.wire.refusals import (
    at_line,
    record_error,
    schema_refusal,
    stream_of_unreadable_record,
    unknown_stream,
    unreadable,
)

__all__ = ["BadRecord", "Event", "MessageReader", "Reading", "Rows", "events"]

logger = logging.getLogger("singer_kit.wire")

Event: TypeAlias = SchemaMessage | Rows | StateMessage | ActivateVersionMessage


class Reading(Struct, frozen=True):
    """How messages are read.

    `is_strict` refuses what lenient reading passes over: blank lines, unknown types, types not in upper case.
    `is_validating` off checks keys only. `nan_is_null` takes NaN and Infinity for null. `keeps_undeclared`
    leaves names in that the schema does not declare. `refuse` is told of each bad record, which is then left
    out; without it, or when it raises a `MessageError`, reading ends there.
    """

    is_strict: bool = False
    is_validating: bool = True
    nan_is_null: bool = False
    keeps_undeclared: bool = False
    refuse: Callable[[BadRecord], None] | None = None


class _Peek(Struct, gc=False):
    type: Any = UNSET
    stream: Any = UNSET
    record: Raw | UnsetType = UNSET
    version: Any = None
    time_extracted: Any = None


class _Line(Struct, gc=False):
    number: int
    peek: _Peek
    text: bytes


_peeks: Final[Decoder[_Peek]] = Decoder(_Peek)


def events(pieces: Iterable[bytes], reading: Reading = Reading()) -> Iterator[Event]:  # noqa: B008 - frozen
    """What `pieces` of any size say, in line order; consecutive records of a stream form one `Rows`.

    Between two other events the rows of different streams may come in any order, those of one stream in
    theirs. A SCHEMA that says what was said before is no event; the records of BATCH files come as rows.
    Raises `ProtocolError` or `RecordError`, with line number, after everything before the bad line has come
    out.
    """
    reader = MessageReader(reading)
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.finish()


class MessageReader:
    """Call `feed` with each piece of the input and take all that it gives, then `finish` once at the end.

    After an error nothing more can be read.
    """

    def __init__(self, reading: Reading = Reading()) -> None:  # noqa: B008 - frozen
        self._reading = reading
        self._lines = Lines()
        self._line_number = 0
        self._messages: dict[str, SchemaMessage] = {}
        self._streams: dict[str, RecordReader] = {}
        self._last: RecordReader | None = None
        self._unknown_types: set[str] = set()

    @property
    def line_number(self) -> int:
        """The number of the last line read, 1 for the first."""
        return self._line_number

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events of the lines that `data` completes."""
        for chunk in self._lines.feed(data):
            yield from self._chunk(chunk)

    def finish(self) -> Iterator[Event]:
        """The events of a last line that has no newline; `ProtocolError` if it ends in the middle."""
        rest = self._lines.rest()
        if rest:
            yield from self._chunk(rest)

    def _chunk(self, chunk: bytes) -> Iterator[Event]:
        # What the last chunk was decides what is tried first, so that hardly a chunk is decoded twice.
        first = self._line_number + 1
        self._line_number += line_count(chunk)
        if self._last is not None:
            rows = self._last.read_messages(chunk, first, self._line_number)
            if rows is not None:
                yield rows
                return
        yield from self._mixed(chunk, first)

    def _mixed(self, chunk: bytes, first: int) -> Iterator[Event]:
        self._last = None
        try:
            peeks = _peeks.decode_lines(chunk)
        except UNREADABLE:
            peeks = []
        numbers = range(first, self._line_number + 1)
        if len(peeks) != len(numbers):  # something unreadable, blank lines, or several values on one
            yield from self._slowly(chunk, first)
            return
        types = [peek.type for peek in peeks]
        if types.count("RECORD") == len(types):
            yield from self._rows(numbers, peeks)
            self._look_for_fast_path(peeks)
            return
        texts = chunk.split(b"\n")
        start = 0
        for place, name in enumerate(types):
            if name == "RECORD" or self._is_record(name):
                continue
            if place > start:
                yield from self._rows(numbers[start:place], peeks[start:place])
            start = place + 1
            yield from self._other(numbers[place], texts[place])
        if start < len(peeks):
            yield from self._rows(numbers[start:], peeks[start:])

    def _look_for_fast_path(self, peeks: list[_Peek]) -> None:
        """A chunk like the one that had only `peeks` can be read in one pass, if they are of one kind."""
        if len({peek.stream for peek in peeks}) == len({peek.version for peek in peeks}) == 1:
            self._last = self._streams[peeks[0].stream]
            self._last.expect_version(peeks[0].version)

    def _slowly(self, chunk: bytes, first: int) -> Iterator[Event]:
        """What `_mixed` gives, line by line, for a chunk in which some line is not as it should be."""
        run: list[_Peek] = []
        numbers: list[int] = []
        error: MessageError | None = None
        for line in self._one_by_one(chunk, first):
            if isinstance(line, MessageError):
                error = line
                break
            if self._is_record(line.peek.type):
                run.append(line.peek)
                numbers.append(line.number)
                continue
            if run:
                yield from self._rows(numbers, run)
                run, numbers = [], []
            yield from self._other(line.number, line.text)
        if run:
            yield from self._rows(numbers, run)
        if error is not None:
            raise error

    def _one_by_one(self, chunk: bytes, first: int) -> Iterator[_Line | MessageError]:
        texts = chunk.split(b"\n")
        if not texts[-1]:
            texts.pop()
        for number, text in enumerate(texts, first):
            try:
                if text and not text.isspace():
                    yield _Line(number, _peeks.decode(text), text)
                elif self._reading.is_strict:
                    yield at_line(ProtocolError("A line is blank.", next_step="write nothing but messages."), number)
                    return
            except UNREADABLE:
                try:
                    mended = self._mended(text, number)
                except MessageError as error:
                    yield error
                    return
                if mended is not None:
                    yield _Line(number, _peeks.decode(mended), mended)

    def _mended(self, text: bytes, number: int) -> bytes | None:
        """What to read instead of the unreadable `text`; None when it was refused as a bad record."""
        kind, words = why_not_json(text)
        if kind == "nan" and self._reading.nan_is_null and text.lstrip().startswith(b"{"):
            return without_nan(text)
        stream = stream_of_unreadable_record(text) if kind in {"nan", "surrogate"} else None
        if stream is not None and stream in self._streams and self._reading.refuse is not None:
            self._reading.refuse(BadRecord(stream, number, words, text))
            return None
        try:
            parse_message(decode(text), strict=self._reading.is_strict)
        except MessageError as error:
            raise at_line(error, number) from None
        except UNREADABLE:
            pass
        raise unreadable(number, kind, words, stream=stream)

    def _is_record(self, name: Any) -> bool:
        if name == "RECORD":
            return True
        return not self._reading.is_strict and isinstance(name, str) and name.upper() == "RECORD"

    def _rows(self, numbers: Sequence[int], peeks: list[_Peek]) -> Iterator[Rows]:
        """The rows of consecutive RECORD lines, by stream; up to the first bad one that nobody takes."""
        streams = [peek.stream for peek in peeks]
        versions = [peek.version for peek in peeks]
        raws = [peek.record for peek in peeks]
        times = [peek.time_extracted for peek in peeks]
        error: MessageError | None = None
        end = self._usable(streams, versions, raws)
        if end < len(peeks):
            error = self._why_unusable(numbers[end], peeks[end])
            streams, versions, raws, times = streams[:end], versions[:end], raws[:end], times[:end]
        groups = grouped(
            self._streams, streams=streams, versions=versions, raws=raws, numbers=numbers[:end], times=times
        )
        yield from self._valid(groups, error)

    def _usable(self, streams: list[Any], versions: list[Any], raws: list[Any]) -> int:
        """How many messages from the first on have members of the right types and a stream that is known."""
        if (
            set(map(type, streams)) == {str}
            and set(map(type, raws)) == {Raw}
            and set(map(type, versions)) <= {int, NoneType}
            and self._streams.keys() >= set(streams)
        ):
            return len(streams)
        for place, (stream, version, raw) in enumerate(zip(streams, versions, raws, strict=True)):
            if type(stream) is not str or stream not in self._streams or type(raw) is not Raw:
                return place
            if type(version) is not int and version is not None:
                return place
        return len(streams)

    def _valid(self, groups: list[Group], error: MessageError | None = None) -> Iterator[Rows]:
        """The valid records of `groups`, then `error` or the refusal of a bad record that comes before it."""
        bad: list[BadRecord] = []
        end: int | None = None
        for group in groups:
            try:
                bad += group.judge()
            except SchemaError as unusable:  # a reference that leads nowhere is met at a record, not at the SCHEMA
                if end is None or group.numbers[0] < end:
                    end = group.numbers[0]
                    error = schema_refusal(group.reader.stream, group.message_line or end, unusable)
        if end is not None:
            for group in groups:
                group.end_before(end)
            bad = [record for record in bad if record.line_number < end]
        for record in sorted(bad, key=lambda record: record.line_number):
            try:
                if self._reading.refuse is None:
                    raise record_error(record)
                self._reading.refuse(record)
            except MessageError as refusal:
                error = refusal
                for group in groups:
                    group.end_before(record.line_number)
                break
        for group in groups:
            rows = group.rows()
            if rows is not None:
                yield rows
        if error is not None:
            raise error

    def _why_unusable(self, number: int, peek: _Peek) -> MessageError:
        stream = peek.stream if isinstance(peek.stream, str) else None
        raw = bytes(peek.record) if isinstance(peek.record, Raw) else b"null"
        try:
            value = {"type": "RECORD", "stream": peek.stream, "record": decode(raw), "version": peek.version}
            parse_message({name: member for name, member in value.items() if member not in (UNSET, None)})
        except UNREADABLE:
            return unreadable(number, *why_not_json(raw), stream=stream)
        except MessageError as error:
            return at_line(error, number)
        return unknown_stream(stream, "RECORD", number)

    def _other(self, number: int, text: bytes) -> Iterator[Event]:
        try:
            value = decode(text)
            message = parse_message(value, strict=self._reading.is_strict)
        except UNREADABLE:
            raise unreadable(number, *why_not_json(text)) from None
        except MessageError as error:
            raise at_line(error, number) from None
        if isinstance(message, SchemaMessage):
            learnt = self._learn(message, number)
            if learnt is not None:
                yield learnt
        elif isinstance(message, StateMessage):
            yield message
        elif isinstance(message, ActivateVersionMessage | BatchMessage):
            if message.stream not in self._streams:
                kind = "BATCH" if isinstance(message, BatchMessage) else "ACTIVATE_VERSION"
                raise unknown_stream(message.stream, kind, number)
            if isinstance(message, BatchMessage):
                yield from self._batch(message, number)
            else:
                yield message
        elif not isinstance(message, RecordMessage):
            self._pass_over(value["type"])

    def _learn(self, message: SchemaMessage, number: int) -> SchemaMessage | None:
        """`message` with its references resolved, None when it says what was said before of its stream."""
        known = self._messages.get(message.stream)
        if known == message:
            return None
        self._messages[message.stream] = message
        if has_refs(message.schema):
            with contextlib.suppress(SchemaError):  # a circular one stays: the reference validator takes it
                message = SchemaMessage(
                    message.stream,
                    resolve_refs(message.schema),
                    message.key_properties,
                    message.bookmark_properties,
                )
        try:
            self._streams[message.stream] = RecordReader(
                message,
                is_validating=self._reading.is_validating,
                keeps_undeclared=self._reading.keeps_undeclared,
            )
        except SchemaError as error:
            raise schema_refusal(message.stream, number, error) from error
        return message

    def _pass_over(self, type_name: str) -> None:
        name = type_name[:40]
        if name not in self._unknown_types and len(self._unknown_types) < 100:
            self._unknown_types.add(name)
            logger.warning("Messages of type %r are passed over: Singer knows no such type.", name)

    def _batch(self, message: BatchMessage, number: int) -> Iterator[Rows]:
        reader = self._streams[message.stream]
        for url in message.manifest:
            first = 1
            for chunk in read_batch_file(url, message.encoding):
                texts = list(enumerate(chunk.split(b"\n"), first))
                lines = [(place, text.strip()) for place, text in texts if text and not text.isspace()]
                raws = [self._without_nan(text) for _, text in lines]
                places = [place for place, _ in lines]
                first = texts[-1][0]
                yield from self._valid([Group(reader, message.version, raws, places, source=url, message_line=number)])

    def _without_nan(self, text: bytes) -> bytes:
        if not self._reading.nan_is_null or (b"NaN" not in text and b"Infinity" not in text):
            return text
        try:
            return without_nan(text)
        except ValueError:
            return text  # no JSON for another reason: whoever decodes it says which
