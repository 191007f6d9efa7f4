"""Short questions to a connector before the run: its help, its catalog, the state that it has saved.

It asks and hands back the answer; it must not judge a catalog or a state.
"""

import os
import selectors
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from singer_kit.cli.stop import Stop
from singer_kit.codec import DecodeError, Struct, decode
from singer_kit.errors import ExitCode, SingerKitError
from singer_kit.runner.children import Family
from singer_kit.runner.resolve import Command
from singer_kit.runner.told import Told

__all__ = ["Answer", "ConnectorError", "ask", "known_flags"]

_TICK_SECONDS: Final = 0.2
_HELP_SECONDS: Final = 20.0
_HELP_BYTES: Final = 1 << 20
_LAST_SECONDS: Final = 5.0
"""How long a connector that has closed its output may take to end."""


class ConnectorError(SingerKitError):
    """A connector did not answer, before the run proper; the exit code says which of the two it was."""

    def __init__(self, sentence: str, exit_code: ExitCode, *, place: str = "", next_step: str = "") -> None:
        super().__init__(sentence, place=place, next_step=next_step)
        self.exit_code = exit_code


class Answer(Struct, frozen=True):
    """What a connector printed and how it ended; `exit_code` is None when its time was up."""

    exit_code: int | None
    output: bytes
    log: str

    def json(self) -> Any:
        """The JSON value that it printed, None when it printed anything else."""
        try:
            return decode(self.output.strip())
        except (DecodeError, UnicodeDecodeError, RecursionError):
            return None

    @property
    def error(self) -> str:
        """Why it failed, in its own words."""
        told = Told()
        for line in self.log.splitlines():
            told.hear(line)
        return told.error


def ask(
    family: Family,
    command: Command,
    flags: Sequence[str],
    *,
    stop: Stop,
    seconds: float,
    environ: Mapping[str, str] | None = None,
    most_bytes: int = 1 << 30,
) -> Answer:
    """What `command` says to `flags`, its input empty.

    It is killed when its time is up or it has said more than `most_bytes`: then it gave no answer. Raises
    `InterruptedRunError` when the run is asked to end.
    """
    child = family.start(command.name, (*command.argv, *flags), environ=environ)
    until = time.monotonic() + seconds
    said: dict[str, list[bytes]] = {"output": [], "log": []}
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ, "output")
        selector.register(child.stderr, selectors.EVENT_READ, "log")
        while selector.get_map():
            for key, _ in selector.select(_TICK_SECONDS):
                data = os.read(key.fd, 1 << 16)
                said[key.data].append(data)
                size += len(data)
                if not data:
                    selector.unregister(key.fileobj)
            if stop.requested or time.monotonic() > until or size > most_bytes:
                child.signal(signal.SIGKILL)
                stop.check()
                return Answer(None, b"", "")
    return Answer(child.wait(_LAST_SECONDS), b"".join(said["output"]), b"".join(said["log"]).decode("utf-8", "replace"))


def known_flags(family: Family, command: Command, flags: Sequence[str], *, stop: Stop) -> list[str]:
    """Those of `flags` that the connector's help names; asking for help has no effects, unlike trying a flag."""
    answer = ask(family, command, ["--help"], stop=stop, seconds=_HELP_SECONDS, most_bytes=_HELP_BYTES)
    text = answer.output.decode("utf-8", "replace") + answer.log
    return [flag for flag in flags if flag in text]
