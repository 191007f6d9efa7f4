"""CSV and JSON lines are read whole, and every row knows its line."""

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.errors import SettingsError, SourceError, SourceRecordError
from singer_kit.files import BadLine, CSVFile, CSVFormat, read_jsonl


def read(path: Path, form: CSVFormat | None = None, **options: Any) -> list[tuple[int, list[str]]]:
    with CSVFile(str(path), form) as file:
        return [(line, row) for page in file.pages(**options) for line, row in zip(page.lines, page.rows, strict=True)]


FIELDS = st.text(st.sampled_from("ab,\"'\n\r\\ é\0"), max_size=5)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(FIELDS, min_size=2, max_size=2), max_size=8), st.integers(1, 9))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], size: int) -> None:
    """Fields keep every character, and each row's line is the one it begins at."""
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b"])
    lines = []
    for row in rows:
        text = buffer.getvalue()
        lines.append(len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")))
        writer.writerow(row)
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    assert read(path, rows_per_page=size) == list(zip(lines, rows, strict=True))


def test_the_format_can_be_said(tmp_path: Path) -> None:
    """Delimiter, quotes, escapes and blanks after the delimiter are settings."""
    path = tmp_path / "data.csv"
    path.write_text("a;b\n'x;1'; y\\;z\n")
    form = CSVFormat(delimiter=";", quotechar="'", escapechar="\\", doublequote=False, skipinitialspace=True)
    assert read(path, form) == [(2, ["x;1", "y;z"])]
    path.write_text('a|b\n"x|y"\n')
    assert read(path, CSVFormat(delimiter="|", quotechar=None)) == [(2, ['"x', 'y"'])]
    with pytest.raises(SettingsError, match="one character each"):
        CSVFile(str(path), CSVFormat(delimiter="||"))


BAD = 'a,b\n1,2\n\n3,"x\ny"\n4\n5,6,7\n8,"9"z\n10,11\n12,"open\n'


def test_bad_lines_are_named_and_the_others_read(tmp_path: Path) -> None:
    """Too few fields, too many, text after a quote, a quote never closed; blank lines are no rows."""
    path = tmp_path / "data.csv"
    path.write_text(BAD)
    for size in (1, 2, 3, 100):
        bad: list[BadLine] = []
        assert read(path, on_bad_line=bad.append, rows_per_page=size) == [
            (2, ["1", "2"]),
            (4, ["3", "x\ny"]),
            (9, ["10", "11"]),
        ]
        assert [(each.line, each.path) for each in bad] == [(line, str(path)) for line in (6, 7, 8, 10)]
        assert bad[0].reason == "it has 1 fields, the header has 2"


def test_a_bad_line_stops_the_reading(tmp_path: Path) -> None:
    """By default it is an error with file and line, after the rows before it were given."""
    path = tmp_path / "data.csv"
    path.write_text(BAD)
    given_rows = []
    with CSVFile(str(path)) as file:
        pages = file.pages()
        given_rows += next(pages).rows
        with pytest.raises(SourceRecordError) as caught:
            next(pages)
    assert given_rows == [["1", "2"], ["3", "x\ny"]]
    assert f"{path}, line 6" in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no header"),
        ("\n\n", "no header"),
        ("a,,b\n", "Column 2 has no name"),
        ("\na,b,a\n1,2,3\n", "'a' is named twice"),
    ],
)
def test_a_header_names_every_column_once(tmp_path: Path, text: str, sentence: str) -> None:
    """A file without one, a blank name and a name given twice are errors that name the file."""
    path = tmp_path / "data.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match=sentence) as caught:
        CSVFile(str(path))
    assert str(path) in str(caught.value)


def test_a_field_may_be_long(tmp_path: Path) -> None:
    """Several megabytes in one field are read."""
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1," + "x" * 5_000_000 + "\n")
    ((line, row),) = read(path)
    assert (line, len(row[1])) == (2, 5_000_000)


def test_json_lines(tmp_path: Path) -> None:
    """Numbers keep their digits, blank lines are passed over, the last line needs no newline."""
    path = tmp_path / "data.jsonl"
    rows = [{"id": n, "price": Decimal("1.10"), "text": "x" * 50} for n in range(20_000)]
    lines = [f'{{"id":{row["id"]},"price":1.10,"text":"{row["text"]}"}}' for row in rows]
    path.write_text("\ufeff" + "\n\n".join(lines), encoding="utf-8")
    pages = list(read_jsonl(str(path)))
    assert len(pages) > 2
    assert [row for page in pages for row in page] == rows
    path.write_bytes(b"")
    assert list(read_jsonl(str(path))) == []


def test_bad_json_lines_are_named(tmp_path: Path) -> None:
    """What is no object, and what is no JSON, are named by line; the others are read."""
    path = tmp_path / "data.jsonl"
    filler = "".join(f'{{"id":{n}}}\n' for n in range(50_000))
    path.write_text(f'{filler}{{"id":\n[1]\nNaN\n{{"id":-1}}\n{{"id":-2')
    bad: list[BadLine] = []
    rows = [row for page in read_jsonl(str(path), bad.append) for row in page]
    assert [each.line for each in bad] == [50_001, 50_002, 50_003, 50_005]
    assert rows[-1] == {"id": -1}
    assert len(rows) == 50_001
    with pytest.raises(SourceRecordError, match="not JSON"):
        list(read_jsonl(str(path)))
