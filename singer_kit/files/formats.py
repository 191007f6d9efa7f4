"""CSV and JSON lines as pages of rows, each row's line known. Must not give values types; the door to `csv`."""

import csv
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self, TextIO

from singer_kit.codec import DecodeError, Decoder, Struct, decode, why_not_json
from singer_kit.errors import SettingsError, SourceError, SourceRecordError
from singer_kit.files.open import READ_ERRORS, open_bytes, open_text, undecodable, unreadable

csv.field_size_limit(2**31 - 1)

_FIELDS_PER_PAGE: Final = 5000
"""About what stays in the processor's cache while a page is parsed and converted: a quarter faster than 40,000."""
_MOST_ROWS_PER_PAGE: Final = 2048
_BYTES_PER_PAGE: Final = 1 << 18
_line_end = re.compile(r"\r\n|\r|\n")


class CSVFormat(Struct, frozen=True):
    """How a CSV file is written. `strict` makes text after a closing quote, and a quote never closed, bad lines."""

    delimiter: str = ","
    quotechar: str | None = '"'
    escapechar: str | None = None
    doublequote: bool = True
    skipinitialspace: bool = False
    strict: bool = True


class BadLine(Struct, frozen=True):
    """A line that cannot be read, and why, without its content."""

    path: str
    line: int
    reason: str


OnBadLine = Callable[[BadLine], None]
"""What to do with a bad line: raise, or return to go on without it."""


def stop_at_bad_line(bad: BadLine) -> None:
    """Raises `SourceRecordError` that names file and line."""
    raise SourceRecordError(
        f"A line cannot be read: {bad.reason}.",
        place=f"file: {bad.path}, line {bad.line}",
        next_step="correct the line, or let bad lines be skipped.",
    )


class CSVPage:
    """Rows of a CSV file, each with as many fields as the header."""

    __slots__ = ("_first_line", "_lines", "rows")

    def __init__(self, rows: list[list[str]], first_line: int, lines: list[int] | None) -> None:
        self.rows = rows
        self._first_line = first_line
        self._lines = lines

    @property
    def lines(self) -> list[int]:
        """The line of the file where each row begins, counted from 1."""
        if self._lines is None:
            return list(range(self._first_line, self._first_line + len(self.rows)))
        return self._lines


class CSVFile:
    """A CSV file that is being read: `header`, then `pages`, once. Close it, or use it in a `with` statement.

    Blank lines are passed over. Raises `SourceError` when the file cannot be read, is empty, or its header names a
    column twice or not at all; `SettingsError` when the format is not one.
    """

    def __init__(self, path: str, form: CSVFormat | None = None, encoding: str = "utf-8") -> None:
        self.path = path
        self.encoding = encoding
        self._file: TextIO = open_text(path, encoding)
        try:
            self._reader = self._start(form or CSVFormat())
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def _start(self, form: CSVFormat) -> Any:
        try:
            return csv.reader(
                self._file,
                delimiter=form.delimiter,
                quotechar=form.quotechar or None,
                quoting=csv.QUOTE_MINIMAL if form.quotechar else csv.QUOTE_NONE,
                escapechar=form.escapechar or None,
                doublequote=form.doublequote,
                skipinitialspace=form.skipinitialspace,
                strict=form.strict,
            )
        except (TypeError, ValueError) as error:
            raise SettingsError(
                f"The CSV format is not one: {error}.",
                next_step="delimiter, quotechar, escapechar: one character each.",
            ) from error

    def _read_header(self) -> list[str]:
        try:
            header: list[str] = next((row for row in self._reader if row), [])
        except csv.Error as error:
            stop_at_bad_line(BadLine(self.path, self._reader.line_num, str(error)))
        except READ_ERRORS as error:
            raise self._failed(error) from error
        if not header:
            raise self._bad_header(
                "The file is empty: it has no header.", "delete it, or give it a line of column names."
            )
        for position, name in enumerate(header, 1):
            if not name:
                raise self._bad_header(f"Column {position} has no name.", "name it in the header.")
            if name in header[: position - 1]:
                raise self._bad_header(f"Column '{name}' is named twice.", "rename one of the two in the header.")
        return header

    def _bad_header(self, sentence: str, next_step: str) -> SourceError:
        return SourceError(
            sentence, place=f"file: {self.path}, line {max(self._reader.line_num, 1)}", next_step=next_step
        )

    def _failed(self, error: Exception) -> SourceError:
        if isinstance(error, UnicodeDecodeError):
            return undecodable(self.path, self.encoding)
        return unreadable(self.path, error)

    def pages(self, on_bad_line: OnBadLine = stop_at_bad_line, rows_per_page: int | None = None) -> Iterator[CSVPage]:
        """The rest of the file, some hundred rows at a time; the rows before a bad line come before its verdict."""
        if rows_per_page is None:
            rows_per_page = max(1, min(_MOST_ROWS_PER_PAGE, _FIELDS_PER_PAGE // len(self.header)))
        width = {len(self.header)}
        reader = self._reader
        while True:
            before: int = reader.line_num
            rows: list[list[str]] = []
            trouble: csv.Error | None = None
            try:
                rows.extend(islice(reader, rows_per_page))
            except csv.Error as error:
                trouble = error
            except READ_ERRORS as error:
                if rows:
                    yield from self._page(rows, before, width, on_bad_line, exact=False)
                raise self._failed(error) from error
            if rows:
                yield from self._page(rows, before, width, on_bad_line, exact=trouble is None)
            if trouble is not None:
                line = before + sum(map(_height, rows)) + 1
                on_bad_line(BadLine(self.path, line, f"{trouble}"))
            elif not rows:
                return

    def _page(
        self, rows: list[list[str]], before: int, width: set[int], on_bad_line: OnBadLine, *, exact: bool
    ) -> Iterator[CSVPage]:
        if set(map(len, rows)) == width:
            plain = exact and self._reader.line_num - before == len(rows)
            yield CSVPage(rows, before + 1, None if plain else self._lines(rows, before))
            return
        (wanted,) = width
        good: list[list[str]] = []
        lines: list[int] = []
        bad: list[BadLine] = []
        first = 0
        for row, line in zip(rows, self._lines(rows, before), strict=True):
            if len(row) == wanted:
                good.append(row)
                lines.append(line)
            elif row:
                bad.append(BadLine(self.path, line, f"it has {len(row)} fields, the header has {wanted}"))
                if len(bad) == 1:
                    first = len(good)
        if first:
            yield CSVPage(good[:first], 0, lines[:first])
        for each in bad:
            on_bad_line(each)
        if good[first:]:
            yield CSVPage(good[first:], 0, lines[first:])

    def _lines(self, rows: list[list[str]], before: int) -> list[int]:
        lines = []
        line = before + 1
        for row in rows:
            lines.append(line)
            line += _height(row)
        return lines

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _height(row: list[str]) -> int:
    """How many lines of the file a row takes."""
    return 1 + sum(len(_line_end.findall(field)) for field in row if "\n" in field or "\r" in field)


_json_lines: Decoder[Any] = Decoder()


def read_jsonl(path: str, on_bad_line: OnBadLine = stop_at_bad_line) -> Iterator[list[dict[str, Any]]]:
    """The objects of a file of JSON lines, about 256 KiB of them at a time, numbers exact; blank lines are passed over.

    Raises `SourceError` when the file cannot be read.
    """
    line = 1
    rest = b""
    with open_bytes(path) as file:
        while True:
            try:
                block = file.read(_BYTES_PER_PAGE)
            except READ_ERRORS as error:
                raise unreadable(path, error) from error
            whole, newline, rest = (rest + block).rpartition(b"\n") if block else (rest, b"", b"")
            if line == 1:
                whole = whole.removeprefix(b"\xef\xbb\xbf")
            page = _decode_page(path, whole, line, on_bad_line)
            if page:
                yield page
            line += whole.count(b"\n") + len(newline)
            if not block:
                return


def read_json(path: str | Path) -> Any:
    """The JSON value in a file, numbers exact. Raises `OSError`, and `ValueError` that says why it is no JSON."""
    data = Path(path).read_bytes()
    try:
        return decode(data)
    except (DecodeError, UnicodeDecodeError):
        raise ValueError(why_not_json(data)[1]) from None


def _decode_page(path: str, data: bytes, first_line: int, on_bad_line: OnBadLine) -> list[dict[str, Any]]:
    try:
        values = _json_lines.decode_lines(data)
        if set(map(type, values)) <= {dict}:
            return values
    except (DecodeError, UnicodeDecodeError):
        pass
    good = []
    for line, text in enumerate(data.split(b"\n"), first_line):
        if text.strip():
            try:
                value = _json_lines.decode(text)
            except (DecodeError, UnicodeDecodeError):
                on_bad_line(BadLine(path, line, f"it is not JSON: {why_not_json(text)[1]}"))
                continue
            if isinstance(value, dict):
                good.append(value)
            else:
                on_bad_line(BadLine(path, line, f"it is a {type(value).__name__}, not an object"))
    return good
