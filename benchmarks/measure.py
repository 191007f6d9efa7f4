"""Runs one process and says what it took: CPU seconds of it and its children, peak memory, exit code."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Taken(NamedTuple):
    """What one run took. `cpu` is user and system time, start-up included; `rss` the peak in MiB."""

    cpu: float
    wall: float
    rss: float
    code: int
    stderr: str


def run(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    stdin: Path | None = None,
    stdout: Path | None = None,
    folder: Path,
) -> Taken:
    """One run to its end. Without `stdout` a pipe takes the output, drained by a process that is not counted."""
    log = folder / "stderr.txt"
    with log.open("wb") as errors, Path(stdin or os.devnull).open("rb") as source:
        drain = None
        if stdout is None:
            drain = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            assert drain.stdin is not None
            target = drain.stdin
        else:
            target = stdout.open("wb")
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=source, stdout=target, stderr=errors, env=dict(environ), cwd=folder)
        target.close()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if drain is not None:
            drain.wait()
    text = log.read_text(errors="replace")
    return Taken(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, process.returncode, text)
