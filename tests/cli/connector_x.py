"""A connector whose behaviour its config names; the CLI's tests run it as a program and in this process."""

import logging
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from singer_kit.cli.connector import CATALOG, DISCOVER, SAVED_STATE, STATE, Connector, Flag
from singer_kit.cli.pipes import IO
from singer_kit.cli.run import run
from singer_kit.cli.stop import Stop
from singer_kit.errors import DestinationError, SourceUnavailableError
from singer_kit.settings import Config, Settings

SCHEMA = {
    "properties": {
        "do": {"type": "string", "default": "echo", "description": "What to do."},
        "password": {"type": "string"},
        "count": {"type": "integer", "default": 1},
        "default_token": {"type": "string", "default": "sentinel-in-default"},
    }
}


class TapX:
    kind: ClassVar[Literal["tap", "target", "mapper"]] = "tap"
    name: ClassVar[str] = "tap-x"
    version: ClassVar[str] = "1.2.3"
    flags: ClassVar[tuple[Flag, ...]] = (
        DISCOVER,
        CATALOG,
        STATE,
        SAVED_STATE,
        Flag("--pick", "One of several, repeatable.", metavar="NAME", repeatable=True),
        Flag("--mode", "How.", choices=("fast", "slow"), optional_value="fast"),
    )

    @classmethod
    def settings(cls) -> Settings:
        return Settings.declare(cls.name, SCHEMA)

    @classmethod
    def about(cls) -> dict[str, Any]:
        return {"description": "Reads x, for tests.", "capabilities": ["discover", "state"]}

    @classmethod
    def execute(cls, config: Config, options: Mapping[str, Any], io: IO, stop: Stop) -> None:
        Deeds(config, options, io, stop).deed(config["do"])


class Deeds:
    def __init__(self, config: Config, options: Mapping[str, Any], io: IO, stop: Stop) -> None:
        self.config, self.options, self.io, self.stop = config, options, io, stop

    def deed(self, name: str) -> None:
        getattr(self, name)()

    def echo(self) -> None:
        self.io.write(repr({**self.options, "config": self.options["config"]}).encode() + b"\n")

    def print(self) -> None:
        print("printed by Python")
        os.write(1, b"written to descriptor 1\n")
        subprocess.run([sys.executable, "-c", "print('printed by a child')"], check=True)
        self.io.write(b'{"type": "STATE"}\n')

    def big(self) -> None:
        for _ in range(self.config["count"]):
            self.io.write(b"x" * 65536)

    def copy(self) -> None:
        for chunk in self.io.chunks():
            self.io.write(chunk)

    def idle(self) -> None:
        self.io.write(b"ready\n")
        while not self.stop.requested:
            if self.io.read(timeout=30) == b"":
                break
        self.io.write(b"last safe state\n")

    def sleep(self) -> None:
        self.io.write(b"ready\n")
        self.io.write(b"stopped\n" if self.stop.wait(30) else b"slept\n")

    def deaf(self) -> None:
        self.io.write(b"ready\n")
        time.sleep(30)

    def source_fails(self) -> None:
        raise SourceUnavailableError("The API is down.", place="https://x.example", next_step="try again later.")

    def destination_fails(self) -> None:
        raise DestinationError("The disk is full.")

    def fault(self) -> None:
        raise KeyError(self.config["password"])

    def exits(self) -> None:
        sys.exit(7)

    def exits_with_words(self) -> None:
        sys.exit("the password is " + self.config["password"])

    def leak(self) -> None:
        """Tells the secret in every way that a careless author has."""
        secret = self.config["password"]
        log = logging.getLogger("tap_x.api")
        log.info("logging in with %s", secret)
        log.debug("GET https://x.example/?key=%s", secret)
        log.info("settings: %s", dict(self.config))
        print("password:", secret)
        print("password:", secret, file=sys.stderr)
        warnings.warn(f"weak password {secret}", stacklevel=1)
        thread = threading.Thread(target=self.fault)
        thread.start()
        thread.join()
        try:
            raise ValueError(f"refused {secret}")
        except ValueError as error:
            raise RuntimeError(f"cannot log in with {secret!r}") from error

    def read_only(self) -> None:
        self.io.write(b"read\n")


def connector() -> type[Connector]:
    return TapX


if __name__ == "__main__":
    sys.exit(run(TapX))
