"""tap-csv gives the rows of its files, typed, each file once until it is modified."""

import gzip
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from singer_kit import SettingsError, SourceError, SourceRecordError, codec
from singer_kit.connectors.tap_csv import TapCSV

PEOPLE = "id,name,joined\n1,Ada,2024-01-31\n2,Grace,2024-02-29\n"
MODIFIED = "_sdc_source_file_mtime"


class Wire:
    """What a run wrote."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def flush(self) -> None:
        pass

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [codec.decode(line) for line in self.data.splitlines()]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The records, without the column that incremental reading adds."""
        records = [each["record"] for each in self.messages if each["type"] == "RECORD"]
        return [{name: value for name, value in record.items() if name != MODIFIED} for record in records]

    @property
    def state(self) -> dict[str, Any]:
        return [each["value"] for each in self.messages if each["type"] == "STATE"][-1]  # type: ignore[no-any-return]

    def properties(self, stream: str) -> dict[str, Any]:
        return next(  # type: ignore[no-any-return]
            each["schema"]["properties"]
            for each in self.messages
            if each["type"] == "SCHEMA" and each["stream"] == stream
        )


def config(path: Path, **entry: Any) -> dict[str, Any]:
    return {"files": [{"entity": "people", "path": str(path), "keys": ["id"], **entry}]}


def read(settings: dict[str, Any], **options: Any) -> Wire:
    wire = Wire()
    TapCSV(settings, **options).run(wire)
    return wire


def write(path: Path, text: str, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, newline="", **options)
    return path


def test_rows_are_typed(tmp_path: Path) -> None:
    """Numbers are numbers, days are days, and the key is required."""
    wire = read(config(write(tmp_path / "people.csv", PEOPLE)))
    assert wire.rows == [
        {"id": 1, "name": "Ada", "joined": "2024-01-31"},
        {"id": 2, "name": "Grace", "joined": "2024-02-29"},
    ]
    schema = wire.messages[0]
    assert schema["key_properties"] == ["id"]
    assert schema["schema"]["required"] == ["id"]
    assert wire.properties("people") == {
        "id": {"type": ["integer"]},
        "name": {"type": ["string", "null"]},
        "joined": {"type": ["string", "null"], "format": "date"},
        MODIFIED: {"type": ["string", "null"], "format": "date-time"},
    }


def test_digits_and_texts_are_kept(tmp_path: Path) -> None:
    """Leading zeros stay text, decimals keep their digits, integers may be of any size, text is never trimmed."""
    text = (
        "id,zip,price,big,at,local,ok,note\n"
        '1,01234,1.10,123456789012345678901,2024-01-31T10:00:00+02:00,2024-01-31 10:00:00,true," a "\n'
        '2,98765,7,-1,2024-01-31T10:00:00.5Z,2024-01-31 11:00:00,false,"x\r\ny"\n'
    )
    wire = read(config(write(tmp_path / "people.csv", text)))
    assert wire.rows[0] == {
        "id": 1,
        "zip": "01234",
        "price": Decimal("1.10"),
        "big": 123456789012345678901,
        "at": "2024-01-31T10:00:00+02:00",
        "local": "2024-01-31 10:00:00",
        "ok": True,
        "note": " a ",
    }
    assert b'"price":1.10' in wire.data
    assert wire.rows[1]["note"] == "x\r\ny"
    assert wire.properties("people")["at"]["format"] == "date-time"
    assert wire.properties("people")["local"] == {"type": ["string", "null"]}


def test_a_type_holds_for_all_files(tmp_path: Path) -> None:
    """The last row of the last file decides as much as the first: no row fails for what came before it."""
    write(tmp_path / "a.csv", "id,code\n" + "".join(f"{n},{n}\n" for n in range(10_000)))
    write(tmp_path / "b.csv", "id,code\n10000,007\n")
    rows = read(config(tmp_path / "*.csv")).rows
    assert len(rows) == 10_001
    assert rows[0]["code"] == "0"
    assert rows[-1]["code"] == "007"


def test_empty_fields(tmp_path: Path) -> None:
    """Empty is null where it can be no value; a text stays empty unless that is said to be null."""
    path = write(tmp_path / "people.csv", "id,age,name,none\n1,,,\n2,NA,NA,\n3,5,x,\n")
    assert read(config(path, null_values=["NA"])).rows[:2] == [
        {"id": 1, "age": None, "name": "", "none": ""},
        {"id": 2, "age": None, "name": None, "none": ""},
    ]
    path = write(tmp_path / "people.csv", "id,age,name\n1,,\n2,3,x\n")
    assert read(config(path, null_values=[""])).rows[0] == {"id": 1, "age": None, "name": None}


def test_declared_types_read_what_people_write(tmp_path: Path) -> None:
    """A declared type is not inferred, and takes the ways in which people write its values."""
    text = "id,n,x,ok,at,day,money,raw\n007,+5,.5,Yes,2024-01-31 10:00,2024-01-31,1.10,7\n8,,1.,n,,,,\n"
    types = {
        "n": "integer",
        "x": "number",
        "ok": "boolean",
        "at": "date-time",
        "day": "date",
        "money": "decimal",
        "raw": "string",
        "id": "integer",
    }
    wire = read(config(write(tmp_path / "people.csv", text), types=types, timezone="+02:00"))
    assert wire.rows == [
        {
            "id": 7,
            "n": 5,
            "x": Decimal("0.5"),
            "ok": True,
            "at": "2024-01-31T10:00:00+02:00",
            "day": "2024-01-31",
            "money": "1.10",
            "raw": "7",
        },
        {"id": 8, "n": None, "x": 1, "ok": False, "at": None, "day": None, "money": None, "raw": ""},
    ]
    assert wire.properties("people")["money"] == {"type": ["string", "null"], "format": "singer.decimal"}
    with pytest.raises(SourceRecordError, match="its 'at' is not a date-time"):
        read(config(tmp_path / "people.csv", types=types))


def test_inference_can_be_switched_off(tmp_path: Path) -> None:
    """Then every column is text, as it stands in the file."""
    path = write(tmp_path / "people.csv", PEOPLE)
    assert read(config(path, infer_types=False)).rows[0] == {"id": "1", "name": "Ada", "joined": "2024-01-31"}


def test_only_new_and_modified_files_are_read_again(tmp_path: Path) -> None:
    """With the state of the last run, unchanged files are passed over, whatever the time in their stamp."""
    settings = config(tmp_path / "*.csv")
    write(tmp_path / "a.csv", "id,v\n1,a\n")
    write(tmp_path / "b.csv", "id,v\n2,b\n")
    os.utime(tmp_path / "b.csv", (1e9, 1e9))
    first = read(settings)
    assert [row["id"] for row in first.rows] == [1, 2]
    second = read(settings, state=first.state)
    assert second.rows == []
    assert second.state == first.state
    write(tmp_path / "0.csv", "id,v\n3,c\n")
    os.utime(tmp_path / "0.csv", (5e8, 5e8))
    third = read(settings, state=second.state)
    assert [row["id"] for row in third.rows] == [3]
    os.utime(tmp_path / "b.csv", (9e8, 9e8))
    assert [row["id"] for row in read(settings, state=third.state).rows] == [2]


@pytest.mark.parametrize("stamp", [9e8, 4e9])
def test_a_file_whose_stamp_went_back_or_lies_ahead_is_read_once(tmp_path: Path, stamp: float) -> None:
    """Its bookmark is its stamp, whatever the bookmark was and whatever the day."""
    settings = config(write(tmp_path / "a.csv", "id,v\n1,a\n"))
    first = read(settings)
    os.utime(tmp_path / "a.csv", (stamp, stamp))
    second = read(settings, state=first.state)
    assert len(second.rows) == 1
    assert read(settings, state=second.state).rows == []


def test_a_change_within_the_same_tick_is_not_lost(tmp_path: Path) -> None:
    """A file written again right after it was read, with as many bytes, is read again."""
    path = tmp_path / "people.csv"
    state: dict[str, Any] | None = None
    for number in range(10):
        write(path, f"id,v\n1,{number}\n")
        wire = read(config(path), state=state)
        assert [row["v"] for row in wire.rows] == [number]
        state = wire.state


def test_rows_carry_the_time_of_their_file(tmp_path: Path) -> None:
    """The replication key is a column of every row, as a bookmark's must be."""
    path = write(tmp_path / "people.csv", PEOPLE)
    os.utime(path, ns=(0, 1_706_695_200_123_456_789))
    wire = read(config(path))
    assert wire.messages[0]["bookmark_properties"] == [MODIFIED]
    assert {each["record"][MODIFIED] for each in wire.messages if each["type"] == "RECORD"} == {
        "2024-01-31T10:00:00.123456Z"
    }


def test_incremental_reading_can_be_switched_off(tmp_path: Path) -> None:
    """Then every run reads every file, and no column is added."""
    settings = config(write(tmp_path / "people.csv", PEOPLE), incremental=False)
    wire = read(settings)
    assert list(wire.properties("people")) == ["id", "name", "joined"]
    assert read(settings, state=wire.state).rows == wire.rows


def test_metadata_columns(tmp_path: Path) -> None:
    """Each row says file, modification and the line at which it begins."""
    path = write(tmp_path / "people.csv", 'id,v\n\n1,"a\nb"\n2,c\n')
    settings = {**config(path), "add_metadata_columns": True}
    assert [(row["_sdc_source_file"], row["_sdc_source_lineno"]) for row in read(settings).rows] == [
        (str(path), 3),
        (str(path), 5),
    ]


BAD = "id,age\n1,10\n2\n3,30\n4,40,x\n5,50\n"


def test_a_bad_line_stops_the_run(tmp_path: Path) -> None:
    """The rows before it are written, the error names file and line, and the state does not cover the file."""
    write(tmp_path / "a.csv", "id,age\n0,1\n")
    path = write(tmp_path / "b.csv", BAD)
    wire = Wire()
    with pytest.raises(SourceRecordError) as caught:
        TapCSV(config(tmp_path / "*.csv")).run(wire)
    assert [row["id"] for row in wire.rows] == [0, 1]
    assert f"{path}, line 3" in str(caught.value)
    assert caught.value.exit_code == 3
    partitions = wire.state["bookmarks"]["people"]["partitions"]
    assert [Path(each["context"]["_sdc_source_file"]).name for each in partitions] == ["a.csv"]


def test_bad_lines_can_be_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each is named with file and line and left out; the others arrive."""
    path = write(tmp_path / "people.csv", BAD)
    wire = read(config(path, on_bad_line="skip"))
    assert [row["id"] for row in wire.rows] == [1, 3, 5]
    assert f"{path}, line 3 is left out: it has 1 fields, the header has 2" in caplog.text
    assert f"{path}, line 5 is left out" in caplog.text


def test_a_value_that_is_not_of_its_type_is_a_bad_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Named by file, line and column, without the value; other rows of the page are read."""
    path = write(tmp_path / "people.csv", "id,age\n1,10\n2,secret\n3,\n,4\n5,50\n")
    settings = config(path, types={"id": "integer", "age": "integer"})
    wire = Wire()
    with pytest.raises(SourceRecordError, match="its 'age' is not an integer") as caught:
        TapCSV(settings).run(wire)
    assert f"{path}, line 3" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert [row["id"] for row in wire.rows] == [1]
    settings["files"][0]["on_bad_line"] = "skip"
    assert [row["id"] for row in read(settings).rows] == [1, 3, 5]
    assert f"{path}, line 5 is left out: its 'id' is not an integer, and it is a key" in caplog.text


def test_a_catalog_says_the_types(tmp_path: Path) -> None:
    """With a catalog the files are not looked through first; what breaks its types is a bad line, never changed."""
    path = write(tmp_path / "people.csv", "id,code\n1,5\n")
    settings = config(path)
    catalog = TapCSV(settings).catalog.to_json()
    write(path, "id,code\n1,6\n2,007\n")
    wire = Wire()
    with pytest.raises(SourceRecordError, match="its 'code' is not an integer"):
        TapCSV(settings, catalog=catalog).run(wire)
    assert wire.rows == [{"id": 1, "code": 6}]
    assert wire.properties("people")["code"] == {"type": ["integer", "null"]}


def test_columns_can_be_deselected(tmp_path: Path) -> None:
    """They are in no row and in no schema."""
    settings = config(write(tmp_path / "people.csv", PEOPLE))
    catalog = TapCSV(settings).catalog.to_json()
    for each in catalog["streams"][0]["metadata"]:
        if each["breadcrumb"] == ["properties", "name"]:
            each["metadata"]["selected"] = False
    wire = read(settings, catalog=catalog)
    assert wire.rows[0] == {"id": 1, "joined": "2024-01-31"}
    assert "name" not in wire.properties("people")


def test_files_of_one_entity_may_have_different_columns(tmp_path: Path) -> None:
    """The stream has the columns of all; what a file lacks is not in its rows. The order in a file does not matter."""
    write(tmp_path / "a.csv", "id,name\n1,x\n")
    write(tmp_path / "b.csv", "age,id\n5,2\n")
    write(tmp_path / "c.csv", "id,name,age\n")
    write(tmp_path / "d.csv", "")
    wire = read(config(tmp_path))
    assert wire.rows == [{"id": 1, "name": "x"}, {"age": 5, "id": 2}]
    assert list(wire.properties("people"))[:3] == ["id", "name", "age"]


def test_packed_and_encoded_files(tmp_path: Path) -> None:
    """gzip, a byte order mark and other encodings make no difference to the rows."""
    text = "id,name\n1,Zoë\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    write(tmp_path / "b.csv", text, encoding="utf-8-sig")
    assert read(config(tmp_path)).rows == [{"id": 1, "name": "Zoë"}] * 2
    path = write(tmp_path / "c.csv", text, encoding="latin-1")
    assert read(config(path, encoding="latin-1")).rows == [{"id": 1, "name": "Zoë"}]
    with pytest.raises(SourceError, match="not utf-8 text") as caught:
        read(config(path))
    assert f"{path}, line 2" in str(caught.value)


def test_the_format_can_be_said(tmp_path: Path) -> None:
    """Delimiter and quotes as in other taps for CSV; a tab may be written as backslash t."""
    path = write(tmp_path / "people.tsv", "id\tname\n1\t'a\tb'\n")
    assert read(config(path, delimiter="\\t", quotechar="'")).rows == [{"id": 1, "name": "a\tb"}]
    path = write(tmp_path / "people.csv", 'id,name\n1,"a"b\n')
    assert read(config(path, strict=False)).rows == [{"id": 1, "name": "ab"}]


def test_streams_may_be_defined_in_a_file(tmp_path: Path) -> None:
    """`csv_files_definition` holds what `files` would; both together are all streams."""
    write(tmp_path / "people.csv", PEOPLE)
    entry = config(tmp_path / "people.csv")["files"][0]
    definition = tmp_path / "files.json"
    for content in ([entry], {"files": [entry]}):
        definition.write_text(json.dumps(content))
        assert len(read({"csv_files_definition": str(definition)}).rows) == 2
    others = [{**entry, "entity": "others"}]
    wire = read({"csv_files_definition": str(definition), "files": others})
    assert {each["stream"] for each in wire.messages if each["type"] == "RECORD"} == {"people", "others"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"path": "none.csv"}, "no file is found"),
        ({"path": "none/*.csv"}, "no file is found"),
        ({"keys": ["ID"]}, "'ID' is no column"),
        ({"types": {"nam": "integer"}}, "'nam', which is no column"),
        ({"types": {"name": "text"}}, "types"),
        ({"encoding": "klingon"}, "no encoding"),
        ({"delimiter": "||"}, "one character each"),
        ({"on_bad_line": "ignore"}, "on_bad_line"),
        ({"entity": None}, "entity"),
    ],
)
def test_settings_that_cannot_work_are_named(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    """Before the first row, with exit code 2."""
    path = write(tmp_path / "people.csv", PEOPLE)
    settings = config(path)
    if "path" in change:
        change = {"path": str(tmp_path / change["path"])}
    settings["files"][0] |= change
    with pytest.raises(SettingsError) as caught:
        read(settings)
    assert sentence in str(caught.value)
    assert caught.value.exit_code == 2


def test_nothing_to_read_is_a_settings_error(tmp_path: Path) -> None:
    """So are an entity that is there twice and a definition that cannot be read."""
    path = write(tmp_path / "people.csv", PEOPLE)
    entry = config(path)["files"][0]
    for settings, sentence in (
        ({}, "nothing to read"),
        ({"files": []}, "nothing to read"),
        ({"files": [entry, entry]}, "there twice"),
        ({"csv_files_definition": str(tmp_path / "none.json")}, "cannot be read"),
        ({"csv_files_definition": str(path)}, "not JSON"),
    ):
        with pytest.raises(SettingsError, match=sentence):
            read(settings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("id,,name\n", "no name"), ("id,id\n", "named twice"), ("", "all empty"), (f"id,{MODIFIED}\n", "tap-csv adds")],
)
def test_headers_that_cannot_work_are_named(tmp_path: Path, text: str, sentence: str) -> None:
    """The error names the file, or the path whose files are empty."""
    path = write(tmp_path / "people.csv", text)
    with pytest.raises(SourceError, match=sentence) as caught:
        read(config(path))
    assert str(path) in str(caught.value)


def test_start_and_end_date_leave_files_out(tmp_path: Path) -> None:
    """Files not modified since the one, or modified at the other or later, are not read."""
    write(tmp_path / "a.csv", "id\n1\n")
    write(tmp_path / "b.csv", "id\n2\n")
    os.utime(tmp_path / "a.csv", (1e9, 1e9))
    assert [row["id"] for row in read({**config(tmp_path), "start_date": "2024-01-31"}).rows] == [2]
    assert [row["id"] for row in read({**config(tmp_path), "end_date": "2024-01-31"}).rows] == [1]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Discovery prints a catalog that a later run takes; a missing file ends with exit code 2."""
    settings = tmp_path / "config.json"
    settings.write_text(json.dumps(config(write(tmp_path / "people.csv", PEOPLE))))
    assert TapCSV.cli(["--config", str(settings), "--discover"]) == 0
    (tmp_path / "catalog.json").write_text(capsys.readouterr().out)
    assert TapCSV.cli(["--config", str(settings), "--catalog", str(tmp_path / "catalog.json")]) == 0
    assert capsys.readouterr().out.count('"RECORD"') == 2
    (tmp_path / "people.csv").unlink()
    assert TapCSV.cli(["--config", str(settings)]) == 2
    assert "people.csv" in capsys.readouterr().err
