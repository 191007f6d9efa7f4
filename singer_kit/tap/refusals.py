"""What becomes of a row that breaks its stream's schema: it ends the run, or goes to the dead-letter file.

It must not decide whether a row is bad.
"""

import logging
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from singer_kit.codec import EncodeError, encode
from singer_kit.errors import SourceRecordError
from singer_kit.files.append import AppendFile, open_append
from singer_kit.schema.shape import Refusal
from singer_kit.spec.instants import format_instant

__all__ = ["DeadLetters"]

logger = logging.getLogger("singer_kit.tap")


class DeadLetters:
    """Takes refused rows; they are in the file at `path`, durably, after `sync`. The first of them makes the file.

    One JSON object a line: `stream`, `record_number`, `reason`, `schema`, `time`, and `record`: the row as an object
    where JSON can hold it, else as text.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._file: AppendFile | None = None
        self._counts: Counter[str] = Counter()

    def refuse(self, stream: str, number: int, row: Any, refusal: Refusal) -> None:
        """The row is taken. Raises its error when there have been `limit` before."""
        error = refusal.error
        if self._counts.total() >= self._limit:
            raise SourceRecordError(
                error.sentence,
                place=f"{error.place}\nsetting: dead_letter_limit allows {self._limit} bad records",
                next_step=f"see {self._path} for those before it.",
            )
        if self._file is None:
            self._file = open_append(self._path)
        if stream not in self._counts:
            logger.warning("%s It goes to %s.", error.sentence, self._path)
        self._counts[stream] += 1
        letter = {
            "stream": stream,
            "record_number": number,
            "reason": error.sentence,
            "schema": error.place.removeprefix("schema: "),
            "time": format_instant(datetime.now(UTC)),
            "record": row,
        }
        self._file.write(_line(letter))

    def sync(self) -> None:
        """What was taken is durable: a STATE that covers it may go."""
        if self._file is not None:
            self._file.sync()

    def close(self) -> None:
        """The file is closed, and the log says how many rows are in it."""
        for stream, count in self._counts.items():
            logger.warning("stream %r: %d bad records went to %s.", stream, count, self._path)
        if self._file is not None:
            self._file.sync()
            self._file.close()


def _line(letter: dict[str, Any]) -> bytes:
    try:
        return encode(letter) + b"\n"
    except EncodeError:
        return encode({**letter, "record": ascii(letter["record"])}) + b"\n"
