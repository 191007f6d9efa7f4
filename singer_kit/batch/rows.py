"""Consecutive records of one stream as the bytes they came in, decoded again only when somebody asks.

Nothing here judges a record: who makes `Rows` has validated them. This module must not hold decoded records.
"""

from functools import lru_cache
from typing import Any

from singer_kit.codec import Decoder, Raw, Struct, define_struct

__all__ = ["Rows"]


class _RawEnvelope(Struct, gc=False):
    record: Raw


class _TimedEnvelope(Struct, gc=False):
    time_extracted: Any = None


_raw_envelopes: Decoder[_RawEnvelope] = Decoder(_RawEnvelope)
_timed_envelopes: Decoder[_TimedEnvelope] = Decoder(_TimedEnvelope)


@lru_cache(256)
def _enveloped(record_type: Any, exact: bool) -> Decoder[Any]:
    return Decoder(define_struct("Envelope", [("record", record_type)], gc=False), exact=exact)


@lru_cache(256)
def _timed(record_type: Any) -> Decoder[Any]:
    members: list[Any] = [("record", record_type), ("time_extracted", str | None, None)]
    return Decoder(define_struct("Envelope", members, gc=False))


@lru_cache(256)
def _bare(record_type: Any, exact: bool) -> Decoder[Any]:
    return Decoder(record_type, exact=exact)


class Rows(Struct, frozen=True, gc=False):
    """`count` records of `stream`, one a line, in the order in which they came.

    `lines` are whole RECORD messages when `enveloped`, else the bare record objects. `version` is that of all
    of them. `extracted_at` is one value for all, one a record, or None where the envelopes still hold it.
    `first_line` and `last_line` are places in the input, for messages to people.
    """

    stream: str
    lines: bytes
    count: int
    first_line: int
    last_line: int
    enveloped: bool = False
    version: int | None = None
    extracted_at: str | list[str | None] | None = None

    def records(self, record_type: Any, *, exact: bool = True) -> list[Any]:
        """Every record decoded as `record_type`, a type that the codec understands and that can be hashed."""
        if self.enveloped:
            return [envelope.record for envelope in _enveloped(record_type, exact).decode_lines(self.lines)]
        decoded: list[Any] = _bare(record_type, exact).decode_lines(self.lines)
        return decoded

    def timed_records(self, record_type: Any) -> tuple[list[Any], list[str | None]]:
        """`records` and `times` in one decode."""
        if not self.enveloped or self.extracted_at is not None:
            return self.records(record_type), self.times()
        envelopes = _timed(record_type).decode_lines(self.lines)
        return [envelope.record for envelope in envelopes], [envelope.time_extracted for envelope in envelopes]

    def jsonl(self) -> bytes:
        """The record objects, byte for byte as they came, each followed by a newline."""
        if not self.enveloped:
            return self.lines if self.lines.endswith(b"\n") or not self.lines else self.lines + b"\n"
        raws: list[Any] = [envelope.record for envelope in _raw_envelopes.decode_lines(self.lines)]
        raws.append(b"")
        return b"\n".join(raws)

    def times(self) -> list[str | None]:
        """When each record was extracted, as its message says; None where it says nothing or no text."""
        if isinstance(self.extracted_at, list):
            return self.extracted_at
        if self.extracted_at is not None or not self.enveloped:
            return [self.extracted_at] * self.count
        times = [envelope.time_extracted for envelope in _timed_envelopes.decode_lines(self.lines)]
        return [time if isinstance(time, str) else None for time in times]
