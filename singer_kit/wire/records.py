"""The records of one stream by one schema: decoded and validated in one pass where all is well.

What the fast pass refuses is judged again in halves, down to single records, by the reference, whose verdict
stands. This module must not know other messages, nor what becomes of a bad record.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

from singer_kit.batch.rows import Rows
from singer_kit.codec import (
    Decoder,
    Struct,
    decode,
    define_struct,
    encode_lines,
    why_not_json,
)
from singer_kit.schema.reference import Problem
from singer_kit.schema.validate import Validator, compile_validator
from singer_kit.spec.messages import SchemaMessage
from singer_kit.wire.lines import UNREADABLE

__all__ = ["BadRecord", "RecordReader", "one_or_all"]

logger = logging.getLogger("singer_kit.wire")

SLOW_RECORDS_WORTH_LOOSENING: Final = 100
SLOW_RECORDS_WORTH_A_WORD: Final = 1000


class BadRecord(Struct, frozen=True):
    """One record that cannot be taken: where it stands, what it holds, and why.

    `problem` is None when it is no JSON at all; `reason` says in words what is wrong. No value of the record
    is in it but in `line`, which is for the dead-letter file. `source` is the BATCH file that `line_number`
    counts in, if any.
    """

    stream: str
    line_number: int
    reason: str
    line: bytes
    problem: Problem | None = None
    source: str = ""


class RecordReader:
    """Reads records of the stream that `message` describes.

    With `is_validating` off only keys are checked. Names that the schema does not declare are dropped, with
    one warning each, unless `keeps_undeclared`.
    """

    def __init__(self, message: SchemaMessage, *, is_validating: bool = True, keeps_undeclared: bool = False) -> None:
        self.stream = message.stream
        self._keeps_undeclared = keeps_undeclared
        self._prunes = False
        self._version: int | None = None
        self._seen = 0
        self._slow = 0
        schema = message.schema
        if not is_validating:
            schema = {"properties": {name: {} for name in schema["properties"]}}
        validator = compile_validator(schema, message.key_properties)
        self._declared = validator
        """The validator that knows no tolerated names, and so prunes them."""
        self._use(validator)

    def _use(self, validator: Validator) -> None:
        self._validator = validator
        self._decode_records = _decode_lines(validator.record_type, validator)
        self._use_version(self._version)

    def expect_version(self, version: int | None) -> None:
        """From here on `read_messages` takes messages of this version only: so that decoding alone can tell."""
        if version != self._version:
            self._use_version(version)

    def _use_version(self, version: int | None) -> None:
        validator = self._validator
        members: list[Any] = [
            ("type", Literal["RECORD"]),
            ("stream", Literal[self.stream]),
            ("record", validator.record_type),
            ("version", None, None) if version is None else ("version", Literal[version]),
        ]
        message_type = define_struct("Message", members, gc=False)
        self._decode_messages = _decode_lines(message_type, validator)
        self._version = version

    def _start_pruning(self) -> None:
        prune_type = self._declared.prune_type
        record_type = dict[str, Any] if prune_type is None else prune_type
        pruned: list[Any] = [("record", record_type), ("time_extracted", Any, None)]
        self._prune_messages = Decoder[Any](define_struct("Pruned", pruned, gc=False)).decode_lines
        self._prune_records = Decoder[Any](record_type).decode_lines
        self._prune_each = self._declared.prune if prune_type is None else None
        self._prunes = True

    def _encoded(self, pruned: list[Any]) -> bytes:
        return encode_lines(pruned if self._prune_each is None else map(self._prune_each, pruned))

    def read_messages(self, chunk: bytes, first_line: int, last_line: int) -> Rows | None:
        """The rows of `chunk` if all its lines are valid RECORD messages of this stream and the version expected.

        None means: look closer. Nothing has happened then.
        """
        try:
            messages = self._decode_messages(chunk)
        except UNREADABLE:
            return None
        if len(messages) != last_line - first_line + 1:
            return None
        if not self._validator.accepts([message.record for message in messages]):
            return None
        count = len(messages)
        if not self._prunes:
            self._seen += count
            return Rows(self.stream, chunk, count, first_line, last_line, enveloped=True, version=self._version)
        try:
            pruned = self._prune_messages(chunk)
        except UNREADABLE:
            return None
        self._seen += count
        lines = self._encoded([message.record for message in pruned])
        times = one_or_all([message.time_extracted for message in pruned])
        return Rows(self.stream, lines, count, first_line, last_line, version=self._version, extracted_at=times)

    def read_records(self, raws: Sequence[Any], numbers: Sequence[int], *, source: str = "") -> dict[int, BadRecord]:
        """The bad ones of `raws`, which stand on the lines `numbers` of `source`, by their place in `raws`."""
        bad: dict[int, BadRecord] = {}
        if raws:
            self._judge(raws, numbers, 0, source, bad)
        self._seen += len(raws)
        if self._slow >= SLOW_RECORDS_WORTH_LOOSENING and self._slow * 20 > self._seen:
            self._loosen()
        return bad

    def _loosen(self) -> None:
        # 1.0 where the schema says integer is the usual cause, and a type that takes it costs little more.
        loosened = self._validator.loosened()
        if loosened is not self._validator:
            self._use(loosened)
            self._slow = 0
        elif self._slow >= SLOW_RECORDS_WORTH_A_WORD:
            self._say_slow()

    def _say_slow(self) -> None:
        logger.warning(
            "Stream %r: %s of %s records needed the slow validator; a schema that says just what the "
            "records hold (number, say, where 1.0 comes for an integer) makes it fast.",
            self.stream,
            self._slow,
            self._seen,
        )
        self._slow = -(1 << 62)

    def lines(self, raws: Sequence[Any]) -> bytes:
        """Valid records as lines, without undeclared names."""
        if self._prunes:
            try:
                return self._encoded(self._prune_records(b"\n".join(raws)))
            except UNREADABLE:  # a name twice in one object: the last value counts, but types look at each
                return encode_lines(self._declared.prune(decode(bytes(raw))) for raw in raws)
        return b"\n".join([*raws, b""])

    def _judge(
        self, raws: Sequence[Any], numbers: Sequence[int], start: int, source: str, bad: dict[int, BadRecord]
    ) -> None:
        try:
            records = self._decode_records(b"\n".join(raws))
            if len(records) == len(raws) and self._validator.accepts(records):
                return
        except UNREADABLE:
            pass
        if len(raws) == 1:
            refused = self._ask_reference(bytes(raws[0]), numbers[start], source)
            if refused is not None:
                bad[start] = refused
            return
        half = len(raws) // 2
        self._judge(raws[:half], numbers, start, source, bad)
        self._judge(raws[half:], numbers, start + half, source, bad)

    def _ask_reference(self, raw: bytes, number: int, source: str) -> BadRecord | None:
        try:
            record = decode(raw)
        except UNREADABLE:
            return BadRecord(self.stream, number, why_not_json(raw)[1], raw, source=source)
        if not isinstance(record, dict):
            return BadRecord(self.stream, number, "the record is no JSON object", raw, source=source)
        self._slow += 1
        problems = self._validator.problems(record)
        if problems:
            return BadRecord(self.stream, number, str(problems[0]), raw, problems[0], source)
        names = self._validator.undeclared(record)
        if names:
            self._slow -= 1
            self._tolerate(names)
        return None

    def _tolerate(self, names: set[str]) -> None:
        if not self._keeps_undeclared:
            for name in sorted(names):
                logger.warning(
                    "Stream %r: the schema does not declare %r; it is left out of every record.", self.stream, name
                )
            self._start_pruning()
        self._use(self._validator.tolerate(names))


def _decode_lines(type_: Any, validator: Validator) -> Callable[[bytes], list[Any]]:
    decode_lines = Decoder[Any](type_, exact=validator.exact).decode_lines
    if not validator.is_lax:
        return decode_lines

    def decode_text(data: bytes) -> list[Any]:
        # What msgspec passes over it does not look at; somebody would trip over bytes that are no UTF-8 later.
        if not data.isascii():
            data.decode()
        return decode_lines(data)

    return decode_text


def one_or_all(times: Sequence[Any]) -> Any:
    """One text when all `times` are that, else a list with None for what is no text."""
    texts = [time if isinstance(time, str) else None for time in times]
    return texts[0] if len(set(texts)) == 1 else texts
