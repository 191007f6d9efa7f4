"""What the README shows, runs: every Python and shell block, in order, in one empty folder."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from singer_kit.codec import decode, encode

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The README's blocks of one language, in order."""
    return [text for kind, text in BLOCK.findall((ROOT / "README.md").read_text()) if kind == language]


def tap_module() -> str:
    """The README's tap."""
    return next(text for text in blocks("python") if text.startswith('"""tap-github'))


def target_module() -> str:
    """The README's target."""
    return next(text for text in blocks("python") if text.startswith('"""target-jsonl'))


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One shell block as a reader would paste it, in `folder`, with this environment's programs first on PATH."""
    programs = str(Path(sys.executable).parent)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


class GitHub(BaseHTTPRequestHandler):
    """The issues API as far as the README's tap uses it: two pages, a Link header, a token, a `since`."""

    requests: list[tuple[str, str]] = []  # noqa: RUF012 - what was asked, in order

    def do_GET(self) -> None:
        """Answers one request."""
        self.requests.append((self.path, self.headers.get("Authorization", "")))
        second = "page=2" in self.path
        issues = (
            [{"id": 3, "title": "c", "updated_at": "2024-03-03T00:00:00Z"}]
            if second
            else [
                {"id": 1, "title": "a", "updated_at": "2024-01-01T00:00:00Z"},
                {"id": 2, "title": None, "updated_at": "2024-02-02T00:00:00Z"},
            ]
        )
        body = encode(issues)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if not second:
            joint = "&" if "?" in self.path else "?"
            self.send_header("Link", f'<{self.path}{joint}page=2>; rel="next"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stays quiet."""


@pytest.fixture
def github() -> Iterator[str]:
    """A local server that answers as GitHub would; its URL."""
    GitHub.requests.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_every_shell_block_runs(tmp_path: Path) -> None:
    """In order, in one folder, each with exit code 0, and the rows are there."""
    (tmp_path / "tap_github.py").write_text(tap_module())
    for script in blocks("shell"):
        done = shell(script, tmp_path)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "out" / "people.jsonl").read_bytes().count(b"\n") == 2


def test_the_tap_reads_pages_and_goes_on_from_its_bookmark(tmp_path: Path, github: str) -> None:
    """Two pages per repository, the token sent, the bookmark sent as `since` in the second run."""
    (tmp_path / "tap_github.py").write_text(tap_module())
    (tmp_path / "config.json").write_text('{"repositories": ["ada/engine"], "token": "s3cret-token"}')
    local = f"import sys, tap_github; tap_github.GitHubStream.url_base = {github!r}; sys.exit(tap_github.main())"
    command = f'"{sys.executable}" -c "{local}" --config config.json'

    first = shell(f"{command} > first.singer", tmp_path)
    assert first.returncode == 0, first.stderr
    messages = [decode(line) for line in (tmp_path / "first.singer").read_bytes().splitlines()]
    assert [m["record"]["id"] for m in messages if m["type"] == "RECORD"] == [1, 2, 3]
    assert {authorization for _, authorization in GitHub.requests} == {"Bearer s3cret-token"}
    assert GitHub.requests[0][0].startswith("/repos/ada/engine/issues?per_page=100&state=all")
    assert not any("since=" in path for path, _ in GitHub.requests)
    assert "s3cret-token" not in first.stderr + (tmp_path / "first.singer").read_text()

    state = messages[-1]["value"]
    (tmp_path / "state.json").write_bytes(encode(state))
    GitHub.requests.clear()
    second = shell(f"{command} --state state.json > second.singer", tmp_path)
    assert second.returncode == 0, second.stderr
    assert "since=2024-03-03T00%3A00%3A00Z" in GitHub.requests[0][0]


def test_the_target_writes_what_the_tap_wrote(tmp_path: Path) -> None:
    """The README's target: one line a row, the raw bytes of the record, and the state on stdout."""
    (tmp_path / "target_lines.py").write_text(target_module())
    (tmp_path / "in.singer").write_text(
        '{"type":"SCHEMA","stream":"s","schema":{"type":"object","properties":{"id":{"type":"integer"},'
        '"price":{"type":"number"}}},"key_properties":["id"]}\n'
        '{"type":"RECORD","stream":"s","record":{"id":1,"price":1.10}}\n'
        '{"type":"STATE","value":{"bookmarks":{"s":{"at":1}}}}\n'
    )
    run = 'python -c "import sys, target_lines; sys.exit(target_lines.main())" < in.singer'
    done = shell(run, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output" / "s.jsonl").read_text() == '{"id":1,"price":1.10}\n'
    assert done.stdout == '{"bookmarks":{"s":{"at":1}}}\n'
