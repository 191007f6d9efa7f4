"""What README and docs show, runs: every Python and shell block of a page, in its order, in one empty folder."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from singer_kit.codec import decode, encode

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`(\w+\.py)`[^`]*\Z")
LINK = re.compile(r"\]\(([^)#]+)(?:#([^)]*))?\)")
PORT = "8642"


def blocks(language: str) -> list[str]:
    """The README's blocks of one language, in order."""
    return [text for kind, text in BLOCK.findall((ROOT / "README.md").read_text()) if kind == language]


def tap_module() -> str:
    """The README's tap."""
    return next(text for text in blocks("python") if text.startswith('"""tap-github'))


def target_module() -> str:
    """The README's target."""
    return next(text for text in blocks("python") if text.startswith('"""target-jsonl'))


def scripts(page: Path) -> list[tuple[str, str]]:
    """What a reader does with a page, in order: `("shell", script)`, or a file's name and its content.

    A Python block is the file that is named right before it, such as `tap_github.py`; without one it is run as it is.
    """
    text = page.read_text("utf-8")
    found = []
    for block in BLOCK.finditer(text):
        before = text[: block.start()].rstrip().rpartition("\n\n")[2]
        named = NAMED.search(before)
        if block[1] == "python":
            found.append((named[1] if named else "block.py", block[2]))
        elif block[1] == "shell":
            found.append(("shell", block[2]))
    return found


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


def free_port() -> str:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def readme_keeps_its_word(folder: Path, said: str) -> None:
    """Both people are in the file of JSON lines; the tap of the README says what it is."""
    assert (folder / "out" / "people.jsonl").read_bytes().count(b"\n") == 2
    assert "tap-github" in said


def tap_guide_keeps_its_word(folder: Path, said: str) -> None:
    """All three books are loaded, digits kept, and the planets as selected."""
    books = (folder / "output" / "books.jsonl").read_text()
    assert [decode(line)["id"] for line in books.splitlines()] == [1, 2, 3]
    assert '"price":7.90' in books
    assert (folder / "output" / "planets.jsonl").read_text() == '{"name":"Earth"}\n{"name":"Mars"}\n'
    assert "run 1 of planets: good" in said


def target_guide_keeps_its_word(folder: Path, said: str) -> None:
    """The independent target has all three rows, the transactional one the last of each key, and the state."""
    with closing(sqlite3.connect(folder / "rows.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (3,)
    with closing(sqlite3.connect(folder / "tables.sqlite")) as connection:
        rows = dict(connection.execute("SELECT * FROM orders"))
        assert rows == {"[1]": '{"id":1,"total":10.90}', "[2]": '{"id":2,"total":12.50}'}
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (2,)
    assert decode(said.splitlines()[-1])["pipeline"] == "people"


PROMISES = {
    "README": readme_keeps_its_word,
    "write-a-tap": tap_guide_keeps_its_word,
    "write-a-target": target_guide_keeps_its_word,
}


@pytest.mark.parametrize("page", [page for page in PAGES if scripts(page)], ids=lambda page: page.stem)
def test_a_page_runs(page: Path, tmp_path: Path) -> None:
    """Each block ends with exit code 0 when they are pasted in order, and what the page promises has come true."""
    port = free_port()
    said = ""
    try:
        for kind, text in scripts(page):
            script = text.replace(PORT, port)
            if kind != "shell":
                (tmp_path / kind).write_text(script)
                script = "python block.py" if kind == "block.py" else f"python -c 'import {Path(kind).stem}'"
            done = shell(script, tmp_path)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            assert "Traceback" not in done.stderr
            said += done.stdout
    finally:
        leftover = tmp_path / "server.pid"
        if leftover.exists():
            with suppress(ProcessLookupError):
                os.kill(int(leftover.read_text()), signal.SIGTERM)
    if page.stem in PROMISES:
        PROMISES[page.stem](tmp_path, said)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*/*.md"))], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of this repository finds it, and the heading that it names."""
    for target, heading in LINK.findall(page.read_text("utf-8")):
        if "://" in target:
            continue
        path = page.parent / target
        assert path.exists(), f"{page.name}: {target}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
            assert heading in [title.lower().replace(" ", "-") for title in titles], f"{page.name}: {target}#{heading}"


def test_the_map_names_every_page() -> None:
    """docs/index.md leads to all pages beside it."""
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    assert [page.name for page in PAGES[1:] if page.name != "index.md" and f"({page.name})" not in index] == []


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
