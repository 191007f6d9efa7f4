"""What a run shows: a live table on a terminal, lines elsewhere."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import threading

from rich.console import Console

from singer_kit.runner.progress import JsonConsole, LiveConsole, PlainConsole, Show, console_for

SHOW = Show(
    seconds=65.0,
    rows={"orders": 1_234_000, "logs": 5},
    loaded={"orders": 1_000_000},
    bytes_written=52_000_000,
    saved=2,
    since_saved=12.0,
)


def test_how_far_a_run_is_in_one_line():
    """Time, rows read and loaded, how fast, megabytes, the age of the last saved state."""
    assert SHOW.sentence() == (
        "after 1 min 5 s: 1,234,005 rows read, 1,000,000 loaded, 18,985 a second, 52.0 MB, state saved 12 s ago"
    )
    assert Show(0.3, {}, {}, 0, 0, None).sentence() == "after 0.3 s: no rows counted yet"
    assert Show(9.0, {}, {}, 5_000_000, 0, None).sentence() == "after 9.0 s: no rows counted yet, 5.0 MB"
    assert Show(1.0, {}, {"a": 2}, 0, 0, None).sentence() == "after 1.0 s: 2 rows loaded"


def test_lines_now_and_then():
    """Plain lines say how far the run is only now and then; the lines of connectors come as they are."""
    stream = io.StringIO()
    console = PlainConsole(stream)
    console.show(SHOW)
    console.line("tap", "INFO [bold]hello[/bold]")
    assert stream.getvalue() == "tap | INFO [bold]hello[/bold]\n"
    console._shown_at -= 3600
    console.show(SHOW)
    console.show(SHOW)
    assert stream.getvalue().count("run | after 1 min 5 s") == 1


def test_objects_keep_their_members():
    """A line that is an object is passed on with its source, any other becomes its message."""
    stream = io.StringIO()
    console = JsonConsole(stream)
    console.line("tap", '{"level": "INFO", "message": "hello"}')
    console.line("target", "{half ERROR")
    own, wrapped = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert own == {"source": "tap", "level": "INFO", "message": "hello"}
    assert wrapped.pop("ts").endswith("Z")
    assert wrapped == {"source": "target", "level": "ERROR", "logger": "target", "message": "{half ERROR"}


def test_a_watcher_that_has_gone_does_not_end_the_run():
    """A stream that cannot be written any more is written no more."""
    stream = io.StringIO()
    console = console_for(stream)
    assert isinstance(console, PlainConsole)
    stream.close()
    console.line("tap", "hello")


def run_on_terminal(command, cwd, environ):
    """What a program shows on a terminal, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, cwd=cwd, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        seen += data
    os.close(ours)
    return seen.decode(), process.wait(20)


def test_a_table_on_a_terminal(pipeline):
    """On a terminal the counts stand in a table that moves, metrics are not shown as lines, the summary stays."""
    pipeline.tap_config({"rows": 30, "pause": 0.03, "state_every": 5, "greeting": "WARNING [red]as it is[/red]"})
    seen, code = run_on_terminal(pipeline.command(), pipeline.folder, pipeline.environ | {"TERM": "xterm"})
    assert code == 0, seen
    assert "state saved" in seen
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen)
    assert "   tap | WARNING [red]as it is[/red]" in plain
    assert "\x1b[33mWARNING" in seen
    assert "METRIC" not in seen
    assert "run 1 of p: good" in seen.replace("\r", "")


def test_many_streams_leave_room_for_the_rest():
    """A run of more streams than the screen has lines shows the last ones, and says how many it does not."""

    console = LiveConsole(io.StringIO())
    console._console = Console(file=io.StringIO(), width=80, height=20)
    streams = {f"s{number}": number for number in range(40)}
    console._console.print(console._counts(list(streams), [("rows read", streams)]))
    shown = console._console.file.getvalue()
    assert "... and 28 more" in shown
    assert "s39" in shown
    assert "s27" not in shown
    console.close()


def test_no_thread_is_started_for_the_show():
    """A live console starts no thread: we start processes, and a fork with threads may hang."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    before = threading.active_count()
    console = console_for(Terminal())
    console.show(SHOW)
    console.line("tap", "hello")
    assert threading.active_count() == before
    console.close()
    console.close()


def test_rich_is_loaded_only_for_a_terminal():
    """Lines need no rich."""
    code = (
        "import io, sys; from singer_kit.runner.progress import console_for; console_for(io.StringIO());"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
