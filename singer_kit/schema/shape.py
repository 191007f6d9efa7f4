"""The tap's side of a schema: one compiled function that selects, shapes, judges and encodes a page of rows.

On the good path nothing is done per record in Python; a page that the fast path refuses is halved until the
records at fault stand alone and are named. This module must not see partitions, bookmarks or I/O.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from singer_kit.codec import (
    DecodeError,
    Decoder,
    EncodeError,
    Struct,
    convert,
    encode,
    encode_exactly,
    encode_lines,
)
from singer_kit.errors import SchemaError, SourceRecordError
from singer_kit.late import late
from singer_kit.schema.shape_columns import Column
from singer_kit.schema.shape_leaves import is_decided
from singer_kit.schema.shape_nodes import ObjectNode, make_root
from singer_kit.schema.shape_plain import NATIVE_TYPES, PlainError, plain
from singer_kit.schema.shape_selection import shape_schema

if TYPE_CHECKING:
    from singer_kit.schema.reference import Problem
    from singer_kit.schema.validate import Validator

validation = late("singer_kit.schema.validate")

__all__ = ["Encoder", "Refusal", "Shaped", "compile_encoder"]

_logger = logging.getLogger("singer_kit.schema")

Schema = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

_SAMPLE: int = 20
_ALONE_BEFORE_A_HINT = 1000


class Refusal(Struct, frozen=True):
    """A row that breaks its stream's schema: its place in the page, and the error that names it."""

    place: int
    error: SourceRecordError


class Shaped(Struct, frozen=True):
    """The good rows of a page as JSON lines, how many they are, and the rows that were refused, in order."""

    lines: bytes
    count: int
    refusals: tuple[Refusal, ...] = ()


class Encoder:
    """Turns rows of one stream into lines; made by `compile_encoder`.

    It settles into the types that the rows bring, so it belongs to one run and one thread.
    """

    def __init__(
        self,
        stream: str,
        schema: Schema,
        selected: Schema,
        key_properties: Sequence[str],
        undeclared: Literal["drop", "keep"],
    ) -> None:
        self.stream = stream
        self.schema = selected
        self._keys = tuple(key_properties)
        self._keep = undeclared == "keep"
        self._full = shape_schema(schema, selected)
        self._root: ObjectNode = make_root(self._full, keys=self._keys, keep=self._keep)
        self._may_decide = is_decided(self._full) and set(self._keys) <= self._root.fields.keys()
        self._is_decided = False
        self._validator: Validator | None = None
        self._decoder: Decoder[Any] | None = None
        self._type: Any = None
        self._column: Column | None = None
        self._alone = 0
        self._name = encode(stream)
        self._envelopes: dict[int | None, bytes] = {}
        if not self._may_decide:
            self._made_validator()  # a schema that nobody can use is told before the first row is read

    def encode(self, rows: Rows, time_extracted: str, *, version: int | None = None, first: int = 1) -> Shaped:
        """RECORD messages of `rows`, one a line; `first` is the number of the first row in its stream."""
        shaped = self.lines(rows, first=first)
        return Shaped(self.messages(shaped.lines, time_extracted, version=version), shaped.count, shaped.refusals)

    def messages(self, lines: bytes, time_extracted: str, *, version: int | None = None) -> bytes:
        """Record lines as RECORD messages of this stream."""
        if not lines:
            return b""
        head = self._envelopes.get(version)
        if head is None:
            said = b"" if version is None else b'"version":%d,' % version
            head = self._envelopes[version] = b'{"type":"RECORD","stream":%b,%b"record":' % (self._name, said)
        tail = b',"time_extracted":"%b"}\n' % time_extracted.encode("ascii")
        # JSON holds no raw newline, so every newline ends a record.
        return b"".join((head, lines[:-1].replace(b"\n", tail + head), tail))

    def lines(self, rows: Rows, *, first: int = 1) -> Shaped:
        """The records alone, one a line, as BATCH files hold them."""
        if not rows:
            return Shaped(b"", 0)
        if self._type is None:
            self._root.observe(islice(rows, _SAMPLE))
            self._build()
        if self._root.is_watching and self._warn_of_undeclared(rows, everywhere=False):
            self._build()
        lines = self._try(rows)
        if lines is None and self._warn_of_undeclared(rows, everywhere=True):
            self._build()
            lines = self._try(rows)
        if lines is not None:
            return Shaped(lines, len(rows))
        done: list[bytes] = []
        refusals: list[Refusal] = []
        self._halve(rows, 0, first, done, refusals)
        return Shaped(b"".join(done), len(rows) - len(refusals), tuple(refusals))

    def _build(self) -> None:
        wanted, self._column = self._root.build()
        self._is_decided = self._may_decide and not self._root.is_walked
        self._type = list[wanted]  # type: ignore[valid-type]  # a type made at run time

    def _try(self, rows: Rows) -> bytes | None:
        """The lines of `rows`, or None when one of them has to be looked at alone."""
        try:
            records: list[Any] | None = convert(rows, self._type, builtin_types=NATIVE_TYPES)
            if self._column is not None:
                records = self._column(records)  # type: ignore[arg-type]  # a list until here
            if records is None:
                return None
            lines = encode_lines(records)
        except (DecodeError, RecursionError, *EncodeError):
            return None
        return lines if self._is_decided or self._accepts(lines) else None

    def _accepts(self, lines: bytes) -> bool:
        validator = self._made_validator()
        if self._decoder is None:
            self._decoder = Decoder(validator.record_type, exact=validator.exact)
        try:
            return validator.accepts(self._decoder.decode_lines(lines))
        except DecodeError:
            return False

    def _made_validator(self) -> "Validator":
        if self._validator is None:
            self._validator = validation.compile_validator(self.schema, self._keys)
        return self._validator

    def _warn_of_undeclared(self, rows: Rows, *, everywhere: bool) -> bool:
        strangers = self._root.watch(list(rows), everywhere=everywhere)
        for path, is_kept in strangers:
            if not is_kept:
                _logger.warning(
                    "stream %r: %r is not in the schema and is left out; `undeclared_properties: keep` keeps it",
                    self.stream,
                    path,
                )
        return bool(strangers)

    def _halve(self, rows: Rows, start: int, first: int, done: list[bytes], refusals: list[Refusal]) -> None:
        if len(rows) == 1:
            self._judge(rows[0], start, first, done, refusals)
            return
        middle = len(rows) // 2
        for half, begin in ((rows[:middle], start), (rows[middle:], start + middle)):
            lines = self._try(half)
            if lines is None:
                self._halve(half, begin, first, done, refusals)
            else:
                done.append(lines)

    def _judge(self, row: Any, place: int, first: int, done: list[bytes], refusals: list[Refusal]) -> None:
        self._alone += 1
        if self._alone == _ALONE_BEFORE_A_HINT:
            _logger.warning(
                "stream %r: %d records had to be judged one by one, which is slow; the values' types differ from the "
                "schema's, or the schema uses keywords that only the reference knows",
                self.stream,
                self._alone,
            )
        try:
            done.append(self._line(row))
        except PlainError as error:
            refusals.append(Refusal(place, self._plain_error(error, first + place)))
        except _RefusedError as error:
            refusals.append(Refusal(place, self._problem_error(error.problem, first + place)))
        else:
            # Good, so its Python types are such that the plan should take: a bad row must not widen it.
            if self._root.observe([row]):
                self._build()

    def _line(self, row: Any) -> bytes:
        """The line of one row, or `PlainError` or `_RefusedError`: the reference's own word."""
        if not isinstance(row, Mapping):
            raise PlainError((), f"is a {type(row).__name__}, not a dict", "yield dicts from get_records.")
        try:
            record = plain(self._full, row, keep=self._keep)
            line = encode_exactly(record) + b"\n"
        except UnicodeEncodeError as error:
            raise PlainError((), "holds half a surrogate pair, which is not text", "decode it as UTF-8.") from error
        except RecursionError as error:
            raise PlainError((), "is nested too deeply", "leave the nested value out, or send it as text.") from error
        if not self._accepts(line):
            for problem in self._made_validator().problems(record):
                raise _RefusedError(problem)
        return line

    def _plain_error(self, error: PlainError, number: int) -> SourceRecordError:
        field = dotted(error.path)
        return SourceRecordError(
            f"stream {self.stream!r}, record {number}: {f'{field!r} ' if field else 'it '}{error.reason}.",
            place=f"schema: {'.'.join((self.stream, *_schema_path(error.path)))}",
            next_step=error.next_step,
        )

    def _problem_error(self, problem: "Problem", number: int) -> SourceRecordError:
        return SourceRecordError(
            f"stream {self.stream!r}, record {number}: {problem}.",
            place=f"schema: {self.stream}{'.' if problem.schema_path else ''}{problem.schema_path}",
            next_step="correct the schema, or change the value in get_records or post_process.",
        )


class _RefusedError(Exception):
    def __init__(self, problem: "Problem") -> None:
        super().__init__(problem.message)
        self.problem = problem


def compile_encoder(
    stream: str,
    schema: Schema,
    *,
    selected: Schema | None = None,
    key_properties: Sequence[str] = (),
    undeclared: Literal["drop", "keep"] = "drop",
) -> Encoder:
    """An encoder for rows of `stream`.

    `schema` is all that the stream declares, `selected` what of it is chosen (all of it when None): fields declared
    but not selected are left out without a word, names nobody declared with one warning each, or kept. Rows that
    lack a key, or break `selected`, are refused. Raises `SchemaError` for a schema that cannot be used.
    """
    try:
        return Encoder(stream, schema, schema if selected is None else selected, key_properties, undeclared)
    except (re.error, TypeError, ValueError, AttributeError, KeyError) as error:
        raise SchemaError(
            f"stream {stream!r}: its schema cannot be used: {error}.",
            place=f"schema: {stream}",
            next_step="correct the schema where it is declared.",
        ) from error


def dotted(path: Iterable[str | int]) -> str:
    """The way to a value, as people write it: `customer.tags.0`."""
    return ".".join(map(str, path))


def _schema_path(path: Iterable[str | int]) -> Iterable[str]:
    for step in path:
        yield from ("items",) if isinstance(step, int) else ("properties", step)
