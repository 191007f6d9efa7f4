"""singer-kit infer: one schema from samples, or a file for each stream."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from singer_kit.commands.main import main
from singer_kit.schema.reference import problems

ROWS = [{"id": 1, "at": "2026-01-01T00:00:00Z", "n": 1.5}, {"id": 2, "at": None, "tags": ["x"]}]


def lines(path: Path, *values: Any) -> str:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return str(path)


def schema_from(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["infer", *arguments]) == 0
    schema: dict[str, Any] = json.loads(capsys.readouterr().out)
    return schema


def test_every_sample_keeps_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Types, formats, nullability; keys are required."""
    schema = schema_from(capsys, lines(tmp_path / "orders.jsonl", *ROWS), "--key", "id")
    assert schema["required"] == ["id"]
    assert schema["properties"]["id"] == {"type": "integer"}
    assert schema["properties"]["at"] == {"type": ["string", "null"], "format": "date-time"}
    assert all(problems(schema, row) == [] for row in ROWS)


def test_several_files_are_samples_of_one_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Plain and compressed ones together."""
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps({"id": "x"}).encode()))
    schema = schema_from(capsys, lines(tmp_path / "a.jsonl", *ROWS), str(tmp_path / "b.jsonl.gz"))
    assert set(schema["properties"]["id"]["type"]) == {"integer", "string", "null"}


def messages(tmp_path: Path) -> str:
    return lines(
        tmp_path / "captured.singer",
        {"type": "SCHEMA", "stream": "a", "schema": {"properties": {}}, "key_properties": []},
        {"type": "RECORD", "stream": "a", "record": {"x": 1}},
        {"type": "RECORD", "stream": "../b", "record": {"y": "1"}},
        {"type": "STATE", "value": {}},
        {"type": "record", "stream": "a", "record": {"x": 2.5}},
    )


def test_captured_messages_have_streams(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One is chosen by name, or each gets a file that stays inside the folder."""
    captured = messages(tmp_path)
    assert schema_from(capsys, captured, "--stream", "a")["properties"] == {"x": {"type": ["number", "null"]}}
    out = tmp_path / "out"
    assert main(["infer", captured, "--out-dir", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == [".._b.json", "a.json"]
    assert json.loads((out / "a.json").read_text())["properties"] == {"x": {"type": ["number", "null"]}}


def test_plain_files_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --out-dir each file is a stream of its own."""
    one, two = lines(tmp_path / "one.x.jsonl", {"a": 1}), lines(tmp_path / "two.jsonl", {"b": 1})
    assert main(["infer", one, two, "--out-dir", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one.json", "two.json"]
    assert "one.json: 1 rows" in capsys.readouterr().err


def test_a_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the first rows are looked at."""
    schema = schema_from(capsys, lines(tmp_path / "a", *ROWS), "--limit", "1", "--strict")
    assert set(schema["required"]) == {"id", "at", "n"}


def test_standard_input(tmp_path: Path) -> None:
    """`-` reads what is piped in."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from singer_kit.commands.main import main; sys.exit(main())", "infer", "-"],
        input=b'{"a": 1}\n',
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    assert json.loads(done.stdout)["properties"] == {"a": {"type": ["integer", "null"]}}


@pytest.mark.parametrize(
    ("content", "arguments", "says"),
    [
        ('{"a": 1}\n{"a": \n', [], "JSON"),
        ("[1]\n", [], "not an object"),
        ("", [], "no row to learn from"),
        ('{"a": 1}\n', ["--stream", "x"], "No row of stream 'x'"),
        ('{"a": 1}\n', ["--key", "b"], "'b' cannot be a key"),
    ],
)
def test_what_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, arguments: list[str], says: str
) -> None:
    """Exit code 2, a sentence with place and next step, nothing on stdout."""
    (tmp_path / "a.jsonl").write_text(content)
    assert main(["infer", str(tmp_path / "a.jsonl"), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err


def test_several_streams_need_a_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One schema describes one stream; the error says how to choose."""
    assert main(["infer", messages(tmp_path)]) == 2
    assert "--out-dir" in capsys.readouterr().err


def test_output_is_json_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed can be piped on."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    main(["infer", lines(tmp_path / "a", *ROWS)])
    assert json.loads(out.getvalue())["type"] == "object"
