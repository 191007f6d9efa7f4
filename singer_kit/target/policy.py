"""What becomes of a bad record: it ends the run, or goes to the dead-letter file.

This module must not decide whether a record is bad.
"""

import logging
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from singer_kit.codec import encode_lines
from singer_kit.errors import RecordError
from singer_kit.files import AppendFile, open_append
from singer_kit.wire.records import BadRecord
from singer_kit.wire.refusals import record_error

__all__ = ["DeadLetters"]

logger = logging.getLogger("singer_kit.target")


class DeadLetters:
    """Takes bad records by `refuse`; they are in the file at `path`, durably, after `sync`.

    One JSON object a line: `stream`, `line` (its number in the input), `source` (the BATCH file, if it came
    in one), `reason`, `field` and `schema` (the places of the value and of what it breaks), `time`, and
    `record`, the text as it came. The file is made by the first of them.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._file: AppendFile | None = None
        self._counts: Counter[str] = Counter()

    def refuse(self, bad: BadRecord) -> None:
        """`bad` is taken. Raises its `RecordError` when there have been `limit` before."""
        if self._counts.total() >= self._limit:
            error = record_error(bad)
            raise RecordError(
                error.sentence,
                place=f"{error.place}\nsetting: dead_letter_limit allows {self._limit} bad records",
                next_step=f"see {self._path} for those before it.",
            )
        if self._file is None:
            self._file = open_append(self._path)
        if bad.stream not in self._counts:
            logger.warning("%s The record goes to %s.", record_error(bad).sentence, self._path)
        self._counts[bad.stream] += 1
        letter = {
            "stream": bad.stream,
            "line": bad.line_number,
            "source": bad.source or None,
            "reason": bad.reason,
            "field": bad.problem.path if bad.problem is not None else None,
            "schema": bad.problem.schema_path if bad.problem is not None else None,
            "time": datetime.now(UTC),
            "record": bad.line.decode("utf-8", "replace"),
        }
        self._file.write(encode_lines([letter]))

    def sync(self) -> None:
        """What was taken is durable: a STATE that covers it may go."""
        if self._file is not None:
            self._file.sync()

    def close(self) -> None:
        """The file is closed, and the log says how many records are in it."""
        for stream, count in self._counts.items():
            logger.warning("Stream %r: %s bad records went to %s.", stream, count, self._path)
        if self._file is not None:
            self._file.sync()
            self._file.close()
