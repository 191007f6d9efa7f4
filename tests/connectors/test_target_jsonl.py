"""target-jsonl as a process: every row in its file, states after data, whole lines even after a kill."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from singer_kit.codec import encode_lines
from singer_kit.connectors.target_jsonl import TargetJsonl

COMMAND = [sys.executable, "-c", "import sys; from singer_kit.connectors.target_jsonl import main; sys.exit(main())"]
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": ["null", "string"]}}}


def schema(stream: str) -> dict[str, Any]:
    """A SCHEMA message without a key."""
    return {"type": "SCHEMA", "stream": stream, "schema": SCHEMA, "key_properties": ["id"]}


def record(id_: int, stream: str) -> dict[str, Any]:
    """A RECORD message."""
    return {"type": "RECORD", "stream": stream, "record": {"id": id_, "text": "x" * (id_ % 90)}}


def run(folder: Path, messages: bytes, *flags: str, env: dict[str, str] | None = None, **config: Any) -> Any:
    """The finished process of a run in `folder`."""
    (folder / "config.json").write_text(json.dumps({"destination_path": str(folder / "out"), **config}))
    return subprocess.run(
        [*COMMAND, "--config", str(folder / "config.json"), *flags],
        input=messages,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=folder,
        env={**os.environ, **(env or {})},
    )


def rows(folder: Path, stream: str) -> list[Any]:
    """What is in the file of `stream`; every line is whole."""
    path = folder / "out" / f"{stream}.jsonl"
    data = path.read_bytes() if path.exists() else b""
    assert data == b"" or data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def test_rows_land_in_one_file_per_stream_and_runs_append(tmp_path: Path) -> None:
    """Rows of earlier runs stay; the standard output has states only."""
    messages = encode_lines(
        [schema("a"), schema("b"), record(1, "a"), record(2, "b"), {"type": "STATE", "value": {"n": 1}}]
    )
    for _ in range(2):
        done = run(tmp_path, messages)
        assert (done.returncode, done.stdout) == (0, b'{"n":1}\n'), done.stderr
    assert [row["id"] for row in rows(tmp_path, "a")] == [1, 1]
    assert [row["id"] for row in rows(tmp_path, "b")] == [2, 2]


def test_bytes_of_a_record_are_copied(tmp_path: Path) -> None:
    """Digits, escapes, order and spaces stay as the tap wrote them."""
    raw = b'{"text":"\\u00e9", "id": 100000000000000000000000}'
    done = run(tmp_path, encode_lines([schema("s")]) + b'{"type":"RECORD","stream":"s","record":' + raw + b"}\n")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "s.jsonl").read_bytes() == raw + b"\n"


def test_an_input_file_is_read_in_place_of_the_standard_input(tmp_path: Path) -> None:
    """`--input FILE`, compressed or not, no; a plain one, yes; one that is not there ends with code 2."""
    (tmp_path / "in.singer").write_bytes(encode_lines([schema("s"), record(1, "s")]))
    assert run(tmp_path, b"", "--input", str(tmp_path / "in.singer")).returncode == 0
    assert [row["id"] for row in rows(tmp_path, "s")] == [1]
    assert run(tmp_path, b"", "--input", str(tmp_path / "none")).returncode == 2


def test_saved_state_is_none(tmp_path: Path) -> None:
    """A target that saves no states says so in JSON."""
    done = run(tmp_path, b"", "--saved-state", env={"SINGER_KIT_PIPELINE": "p"})
    assert (done.returncode, done.stdout) == (0, b"{}\n"), done.stderr


def test_a_stream_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    """`../../x` is a file in the folder like any other."""
    done = run(tmp_path, encode_lines([schema("../../x"), record(1, "../../x")]))
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".._.._x.jsonl"]


def test_files_can_have_the_time_in_their_names(tmp_path: Path) -> None:
    """`do_timestamp_file`, as the public target-jsonl has it."""
    run(tmp_path, encode_lines([schema("s"), record(1, "s")]), do_timestamp_file=True)
    (path,) = (tmp_path / "out").iterdir()
    assert path.name.startswith("s-20")


def test_a_destination_that_cannot_be_written_ends_with_code_4(tmp_path: Path) -> None:
    """Before any row is read, naming the file; no state comes."""
    (tmp_path / "out").write_text("a file, not a folder")
    done = run(tmp_path, encode_lines([schema("s"), record(1, "s"), {"type": "STATE", "value": 1}]))
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"s.jsonl" in done.stderr


def test_a_full_disk_ends_with_code_4_and_no_state_beyond_the_data(tmp_path: Path) -> None:
    """The file size limit of the process stands for the disk: whole lines stay, and the state covers them."""
    messages = [schema("s")]
    for number in range(4000):
        messages.append(record(number, "s"))
        if number % 100 == 99:
            messages.append({"type": "STATE", "value": number})
    (tmp_path / "config.json").write_text(
        json.dumps({"destination_path": str(tmp_path / "out"), "batch_size_rows": 500})
    )
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000));"
        "from singer_kit.connectors.target_jsonl import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--config", str(tmp_path / "config.json")],
        input=encode_lines(messages),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    landed = [row["id"] for row in rows(tmp_path, "s")]
    states = [int(line) for line in done.stdout.split()]
    assert landed == list(range(len(landed)))
    assert 0 < len(landed) < 4000
    assert states
    assert states[-1] < len(landed)


def test_sigterm_keeps_what_came_and_does_not_exit_0(tmp_path: Path) -> None:
    """What was read is in the file, its state is printed, and the code is 143."""
    (tmp_path / "config.json").write_text(json.dumps({"destination_path": str(tmp_path / "out")}))
    process = subprocess.Popen(
        [*COMMAND, "--config", str(tmp_path / "config.json")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(
        encode_lines([{"type": "STATE", "value": 0}, schema("s"), record(1, "s"), {"type": "STATE", "value": 1}])
    )
    process.stdin.flush()
    assert process.stdout.readline() == b"0\n"  # it runs, and has read all of that
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (143, b"1\n")
    assert [row["id"] for row in rows(tmp_path, "s")] == [1]


@pytest.mark.parametrize(
    ("point", "count"),
    [
        ("before_write", 1),
        ("after_write", 4),
        ("before_commit", 4),
        ("after_commit", 1),
        ("before_state", 4),
        ("after_state", 1),
    ],
)
def test_a_kill_at_any_point_loses_nothing(tmp_path: Path, point: str, count: int) -> None:
    """No printed state is ahead of the rows; resumed from it, no row is missing; repeats come only after it."""
    _kill_and_resume(tmp_path, seed=count, env={"SINGER_KIT_FAILPOINT": f"{point}:{count}"})


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(50))
def test_a_kill_at_a_random_time_loses_nothing(tmp_path: Path, seed: int) -> None:
    """The same, with SIGKILL at times drawn at random."""
    _kill_and_resume(tmp_path, seed=seed, env={})


def _kill_and_resume(folder: Path, *, seed: int, env: dict[str, str]) -> None:
    numbers = range(3000 if env else 30_000)
    draw = random.Random(seed)
    owner = {number: draw.choice("ab") for number in numbers}

    def messages(start: int) -> bytes:
        sent: list[dict[str, Any]] = [schema("a"), schema("b")]
        for number in numbers[start:]:
            sent.append(record(number, owner[number]))
            if number % 50 == 49:
                sent.append({"type": "STATE", "value": number})
        return encode_lines(sent)

    out = _killed(folder, messages(0), draw.uniform(0.2, 0.8), env)
    states = [int(line) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
    covered = states[-1] if states else -1
    for stream in "ab":
        path = folder / "out" / f"{stream}.jsonl"
        data = path.read_bytes() if path.exists() else b""
        there = {json.loads(line)["id"] for line in data.splitlines(keepends=True) if line.endswith(b"\n")}
        assert {n for n in numbers if n <= covered and owner[n] == stream} <= there
    done = run(folder, messages(covered + 1), batch_size_rows=200)
    assert done.returncode == 0, done.stderr
    for stream in "ab":
        counts = Counter(row["id"] for row in rows(folder, stream))
        assert counts.keys() == {n for n in numbers if owner[n] == stream}
        assert all(count == 1 for n, count in counts.items() if n <= covered)


def _killed(folder: Path, messages: bytes, seconds: float, env: dict[str, str]) -> bytes:
    """The standard output of a run that a failpoint or, without one, a kill after `seconds` ended."""
    if env:
        done = run(folder, messages, env=env, batch_size_rows=200)
        assert done.returncode == -signal.SIGKILL
        return bytes(done.stdout)
    (folder / "config.json").write_text(json.dumps({"destination_path": str(folder / "out"), "batch_size_rows": 200}))
    with subprocess.Popen(
        [*COMMAND, "--config", str(folder / "config.json")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        out, _ = process.communicate(messages)
        timer.cancel()
    return out


def test_it_is_about_twenty_five_lines() -> None:
    """The connector is the README's sample: a sink with three verbs, and a target that declares."""
    assert TargetJsonl.about()["load_methods"] == ["append"]
    assert TargetJsonl.settings().from_mapping({})["destination_path"] == "output"
