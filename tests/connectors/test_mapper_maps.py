"""mapper-maps as a program: settings, files, exit codes, signals."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-c", "import sys; from singer_kit.connectors.mapper_maps import main; sys.exit(main())"]
SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "email": {"type": "string"}}}
LINES = "".join(
    json.dumps(message) + "\n"
    for message in [
        {"type": "SCHEMA", "stream": "users", "schema": SCHEMA, "key_properties": ["id"]},
        {"type": "RECORD", "stream": "users", "record": {"id": 1, "email": "a@b.c"}},
        {"type": "STATE", "value": {"bookmarks": {}}},
    ]
)


def run(*arguments, lines=LINES, cwd=None):
    command = [*COMMAND, *arguments]
    return subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)


def config(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps(settings))
    return str(path)


def rows(done):
    return [json.loads(line)["record"] for line in done.stdout.splitlines() if '"RECORD"' in line]


def test_maps_from_the_config(tmp_path):
    """The config's maps are applied; state and order stay."""
    path = config(tmp_path, stream_maps={"users": {"email": None, "domain": "email.split('@')[-1]"}})
    done = run("--config", path)
    assert done.returncode == 0, done.stderr
    assert rows(done) == [{"id": 1, "domain": "b.c"}]
    assert [json.loads(line)["type"] for line in done.stdout.splitlines()] == ["SCHEMA", "RECORD", "STATE"]


@pytest.mark.parametrize("bare", [True, False])
def test_maps_from_a_file(tmp_path, bare):
    """A file holds the maps alone or with their config; the config's own maps win."""
    maps = {"users": {"hash": "md5(config['seed'] + email)" if not bare else "md5(email)"}, "other": {}}
    file = tmp_path / "maps.json"
    file.write_text(json.dumps(maps if bare else {"stream_maps": maps, "stream_map_config": {"seed": "s"}}))
    done = run("--config", config(tmp_path, stream_maps_file=str(file)))
    assert done.returncode == 0, done.stderr
    assert len(rows(done)[0]["hash"]) == 32
    done = run("--config", config(tmp_path, stream_maps_file=str(file), stream_maps={"users": None}))
    assert rows(done) == []
    assert "stream_maps has 'other', but no such stream came" in done.stderr


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"stream_maps": {"users": {"id": None}}}, 2, "key property"),
        ({"stream_maps": {"users": {"x": "open('f')"}}}, 2, "'open' is not offered"),
        ({"stream_maps": {"users": {"x": "int(email)"}}}, 2, "map of 'x'"),
        ({"stream_maps_file": "nowhere.json"}, 2, "nowhere.json"),
        ({"flattening_enabled": True}, 2, "flattening_max_depth"),
        ({"stream_mapz": {}}, 2, "stream_mapz"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, settings, code, words):
    """A map that cannot be used ends the run with exit code 2 and one clear error, and no value of a record."""
    done = run("--config", config(tmp_path, **settings))
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert "a@b.c" not in done.stderr


def test_a_truncated_line_ends_with_5(tmp_path):
    """What came before a line that ends in the middle is written; the exit code says the other side is at fault."""
    done = run("--config", config(tmp_path), lines=LINES + '{"type": "REC')
    assert done.returncode == 5
    assert done.stdout == LINES


def test_input_file_and_empty_input(tmp_path):
    """`--input` reads a file; no input at all is no error."""
    file = tmp_path / "in.singer"
    file.write_text(LINES)
    assert run("--config", config(tmp_path), "--input", str(file), lines="").stdout == LINES
    assert run("--config", config(tmp_path), "--input", str(tmp_path / "nowhere"), lines="").returncode == 2
    assert run("--config", config(tmp_path), lines="").returncode == 0


def test_rows_pass_while_the_input_stays_open_and_sigterm_ends(tmp_path):
    """A row is passed on as soon as it is read; SIGTERM ends with 143 after whole lines."""
    process = subprocess.Popen(
        [*COMMAND, "--config", config(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        process.stdin.write(LINES.encode() + b'{"type": "half')
        process.stdin.flush()
        seen = b""
        while len(seen) < len(LINES):
            seen += os.read(process.stdout.fileno(), 65536)
        assert seen == LINES.encode()
        time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (143, b""), err


def test_about_names_the_settings():
    """`--about` lists the settings and what a mapper can do."""
    done = run("--about", "--format", "json")
    about = json.loads(done.stdout)
    assert {"stream_maps", "stream_map_config", "stream_maps_file", "flattening_enabled"} <= set(
        about["settings"]["properties"]
    )
    assert "stream-maps" in about["capabilities"]


def test_a_reader_that_leaves_ends_the_mapper(tmp_path):
    """When the target is gone the mapper ends with 141 instead of writing into nothing."""
    process = subprocess.Popen(
        [*COMMAND, "--config", config(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    with process:
        record = LINES.splitlines(keepends=True)[1]
        try:
            process.stdin.write((LINES + record * 100_000).encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.wait(timeout=30) == 141
