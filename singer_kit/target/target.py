"""`Target`: a destination as its author sees it, and as the command line runs it.

It must not know how messages are read or batches cut: that is `load`.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Literal, cast

from singer_kit.batch.map_settings import MAP_SETTINGS
from singer_kit.cli.connector import INPUT, SAVED_STATE, Flag
from singer_kit.codec import JSON, Struct, encode
from singer_kit.errors import SettingsError, UsageError
from singer_kit.late import late
from singer_kit.target.common_settings import COMMON_SETTINGS
from singer_kit.target.names import safe_name, with_mark
from singer_kit.target.sink import Sink
from singer_kit.version import __version__

if TYPE_CHECKING:
    from singer_kit.cli.pipes import IO
    from singer_kit.cli.stop import Stop
    from singer_kit.settings import Config, Settings

declared = late("singer_kit.settings")
from_types = late("singer_kit.schema.from_types")
loading = late("singer_kit.target.load")
pipes = late("singer_kit.cli.pipes")
running = late("singer_kit.cli.run")
stopping = late("singer_kit.cli.stop")

__all__ = ["SavedState", "Target"]


class SavedState(Struct, frozen=True):
    """The state that a destination holds for one pipeline, and the number of the run that wrote it."""

    run: int
    state: JSON


class Target:
    """A destination. Subclass it, name it, declare its settings and its `sink_class`.

    *Independent* (the default): each sink commits alone; at least once. Call order: `open`, the sinks' calls,
    `close`.

    *Transactional* (`transactional = True`): all sinks write in one transaction on one connection that the
    target holds, and states are saved in it; exactly once. Call order: `open`, then any number of [`begin`,
    the sinks' `open`, `write`, `activate_version` and `close`, `save_state` if there is a new one, `commit`],
    then `close`. When anything fails after `begin`, `rollback` is called and then `close`. A transaction ends
    at a STATE or at the end of the input, so it may hold several batches of one stream.
    """

    kind: ClassVar[Literal["tap", "target", "mapper"]] = "target"
    name: ClassVar[str] = ""
    version: ClassVar[str] = __version__
    flags: ClassVar[tuple[Flag, ...]] = (INPUT, SAVED_STATE)

    config_jsonschema: ClassVar[Any] = {}
    """The target's own settings: `th.PropertiesList`, a typed class or a JSON Schema."""
    sink_class: ClassVar[type[Sink]] = Sink
    transactional: ClassVar[bool] = False
    transaction_bytes: int = 0
    """A transaction passes over STATEs until it holds this much input, or a batch has waited its time. A database
    that pays for each commit takes many batches in one; what a crash undoes is read again."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """`config` are plain values or a `Config`; raises `SettingsError` for what is missing or wrong."""
        self.config: Config = self.settings().from_mapping(config)
        self.logger = logging.getLogger(self.name)
        self.pipeline: str | None = os.environ.get("SINGER_KIT_PIPELINE") or None
        """The pipeline of this run, under which states are saved. None in a bare shell pipe."""
        self._names: dict[str, str] = {}

    def get_sink_class(self, stream: str) -> type[Sink]:  # noqa: ARG002 - for those who override it
        """The class of the sink for `stream`."""
        return self.sink_class

    def open(self) -> None:
        """The destination answers. Called once, before any sink is made and before `saved_state`."""

    def begin(self) -> None:
        """A transaction is open. Transactional targets only."""

    def save_state(self, state: JSON, run: int) -> None:
        """`state` is stored under `self.pipeline`, in the open transaction, unless a higher run number is
        there.

        Transactional targets only, and only when there is a pipeline; the last call before `commit`.
        """

    def commit(self) -> None:
        """All that was written since `begin` is durable, at once. Transactional targets only."""

    def rollback(self) -> None:
        """Nothing that was written since `begin` remains. Transactional targets only; must not raise."""

    def saved_state(self) -> SavedState | None:
        """What is stored under `self.pipeline`, None when nothing is. Called after `open`."""
        return None

    def close(self) -> None:
        """Lets go of what `open` took. Called once, also after an error."""

    def safe_name(self, stream: str) -> str:
        """A name for the files of `stream` that stays in its folder and that no other stream of this run has."""
        name = safe_name(stream)
        owner = self._names.setdefault(name, stream)
        if owner != stream:
            name = with_mark(name, stream)
            if self._names.setdefault(name, stream) != stream:
                raise UsageError(f"Two streams would share the name {name!r}.")
            self.logger.warning("Stream %r lands in %r: stream %r has the plain name.", stream, name, owner)
        return name

    def load_method(self, sink_class: type[Sink]) -> str:
        """How `sink_class` is to load: as the settings ask, else its first. `SettingsError` if it cannot."""
        asked = str(self.config.get("load_method") or sink_class.load_methods[0]).removesuffix("-only")
        if asked not in sink_class.load_methods:
            raise SettingsError(
                f"{self.name} cannot load by {asked!r}.",
                place="setting: load_method",
                next_step=f"choose {' or '.join(map(repr, sink_class.load_methods))}.",
            )
        return asked

    def run(self, input: BinaryIO, output: BinaryIO | None = None, *, stop: "Stop | None" = None) -> None:  # noqa: A002
        """Loads the messages of `input` and writes the states that are safe to `output`, in this process."""
        loading.load(self, pipes.IO(input, output, stop=stop), stop or stopping.Stop())

    @classmethod
    def settings(cls) -> "Settings":
        """The target's own settings and those that all targets have."""
        own = from_types.schema_of(cls.config_jsonschema)
        made: Settings = declared.Settings.declare(cls.name, own, COMMON_SETTINGS, MAP_SETTINGS)
        return made

    @classmethod
    def about(cls) -> dict[str, Any]:
        """What `--about` says beside settings."""
        capabilities = ["about", "stream-maps", "schema-flattening", "validate-records", "batch"]
        if cls.sink_class.activate_version is not Sink.activate_version:
            capabilities.append("activate-version")
        if cls.transactional:
            capabilities.append("saved-state")
        return {
            "description": (cls.__doc__ or "").strip().partition("\n")[0],
            "capabilities": capabilities,
            "load_methods": list(cls.sink_class.load_methods),
        }

    @classmethod
    def execute(cls, config: "Config", options: Mapping[str, Any], io: "IO", stop: "Stop") -> None:
        """Loads, or prints the saved state."""
        target = cls(config)
        if options.get("saved_state"):
            io.write(encode(_saved_state_line(target)) + b"\n")
            return
        path = options.get("input")
        if path is None:
            loading.load(target, io, stop)
            return
        try:
            file = Path(path).open("rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise UsageError(f"The input cannot be read: {error.strerror}.", place=f"file: {path}") from error
        with file:
            loading.load(target, pipes.IO(file, cast("BinaryIO", io), stop=stop), stop)

    @classmethod
    def cli(cls, argv: Sequence[str] | None = None) -> int:
        """The command: runs on `argv` (the process's own by default) and gives the exit code."""
        return int(running.run(cls, argv))


def _saved_state_line(target: Target) -> dict[str, Any]:
    """What `--saved-state` prints: pipeline, run and state; run 0 when nothing is saved, `{}` when nothing ever is."""
    if target.pipeline is None or not target.transactional:
        return {}
    try:
        target.open()
        saved = target.saved_state() or SavedState(0, None)
    finally:
        target.close()
    return {"pipeline": target.pipeline, "run": saved.run, "state": saved.state}
