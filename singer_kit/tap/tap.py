"""`Tap`: a source as its author sees it, and as the command line runs it.

It must not know how streams are read: that is `read`.
"""

import gc
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from singer_kit.batch.map_settings import MAP_SETTINGS
from singer_kit.cli.connector import CATALOG, DISCOVER, STATE, TEST, Flag
from singer_kit.codec import DecodeError, decode, pretty
from singer_kit.errors import CatalogError, StateError
from singer_kit.late import late
from singer_kit.memory import keep_freed_memory
from singer_kit.spec.catalog import Catalog
from singer_kit.tap.common_settings import COMMON_SETTINGS, REPLICATION_SETTINGS
from singer_kit.tap.stream import Stream
from singer_kit.version import __version__

if TYPE_CHECKING:
    from singer_kit.cli.pipes import IO
    from singer_kit.cli.stop import Stop
    from singer_kit.settings import Config, Settings
    from singer_kit.tap.discovery import StreamPlan
    from singer_kit.wire.encode import Output

declared = late("singer_kit.settings")
discovery = late("singer_kit.tap.discovery")
from_types = late("singer_kit.schema.from_types")
maps = late("singer_kit.batch.transform")
reading = late("singer_kit.tap.read")
running = late("singer_kit.cli.run")
stopping = late("singer_kit.cli.stop")

__all__ = ["Tap"]

_YOUNG_OBJECTS = 50_000


class Tap:
    """A source. Subclass it, name it, declare its settings and its `streams`.

    Call order: `__init__`, `discover_streams` once, when streams are first asked for; then the loop calls the
    streams.
    """

    kind: ClassVar[Literal["tap", "target", "mapper"]] = "tap"
    name: ClassVar[str] = ""
    version: ClassVar[str] = __version__
    flags: ClassVar[tuple[Flag, ...]] = (DISCOVER, CATALOG, STATE, TEST)

    config_jsonschema: ClassVar[Any] = {}
    """The tap's own settings: `th.PropertiesList`, a typed class or a JSON Schema."""
    streams: ClassVar[Sequence[type[Stream]]] = ()

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        catalog: Catalog | Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """`config` are plain values or a `Config`; raises `SettingsError` for what is missing or wrong."""
        self.config: Config = self.settings().from_mapping(config)
        self.logger = logging.getLogger(self.name)
        self._given = catalog if catalog is None or isinstance(catalog, Catalog) else Catalog.from_json(dict(catalog))
        self._state = None if state is None else dict(state)
        self._streams: list[Stream] | None = None
        self._discovered: Catalog | None = None

    # What authors override

    def discover_streams(self) -> Iterable[Stream]:
        """The streams of this source, parents and children in any order; by default one of each of `streams`."""
        return [stream(self) for stream in self.streams]

    def migrate_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state of an older version of this tap, or of another tap, in today's shape. Called once per run."""
        return state

    # What the frame gives

    def made_streams(self) -> list[Stream]:
        """The streams, made once."""
        if self._streams is None:
            self._streams = list(self.discover_streams())
        return self._streams

    @property
    def given_catalog(self) -> Catalog | None:
        """The catalog that this run was given: discovery may take from it what would be dear to find out again."""
        return self._given

    @property
    def catalog(self) -> Catalog:
        """What could be read: the catalog that `--discover` prints."""
        if self._discovered is None:
            self._discovered = discovery.catalog_of(self.made_streams())
        return self._discovered

    def run(self, output: "Output", *, stop: "Stop | None" = None, limit: int | None = None) -> dict[str, Any]:
        """Reads what is selected and writes messages to `output`; the final state.

        `limit` ends each stream after so many records.
        """
        plans = discovery.plan_streams(self.made_streams(), self.catalog, self._given)
        for slip in maps.unused_maps(self.config, [plan.name for plan in plans]):
            self.logger.warning("stream_maps: %r is no stream of this tap", slip)
        if self.config.get("stream_maps"):
            plans = [plan.deselected() if self._is_removed(plan) else plan for plan in plans]
        state = None if self._state is None else self.migrate_state(self._state)
        try:
            final: dict[str, Any] = reading.Reading(
                plans, self.config, state, output, stop=stop or stopping.Stop(), limit=limit
            ).read()
            return final
        finally:
            for stream in self.made_streams():
                stream.close()

    def _is_removed(self, plan: "StreamPlan") -> bool:
        """True when the stream maps leave nothing of a stream, so that it need not be read."""
        return not maps.compile_maps(plan.name, plan.selected_schema, plan.key_properties, self.config)

    @classmethod
    def settings(cls) -> "Settings":
        """The tap's own settings and those that all taps have."""
        common = [REPLICATION_SETTINGS] if cls._may_be_incremental() else []
        own = from_types.schema_of(cls.config_jsonschema)
        made: Settings = declared.Settings.declare(cls.name, own, *common, COMMON_SETTINGS, MAP_SETTINGS)
        return made

    @classmethod
    def _may_be_incremental(cls) -> bool:
        if cls.discover_streams is not Tap.discover_streams:
            return True
        return any(stream.replication_key is not None for stream in cls.streams)

    @classmethod
    def about(cls) -> dict[str, Any]:
        """What `--about` says beside settings."""
        return {
            "description": (cls.__doc__ or "").strip().partition("\n")[0],
            "capabilities": [
                "about",
                "activate-version",
                "batch",
                "catalog",
                "discover",
                "properties",
                "schema-flattening",
                "state",
                "stream-maps",
                "test",
            ],
            "streams": [stream.name for stream in cls.streams],
        }

    @classmethod
    def execute(cls, config: "Config", options: Mapping[str, Any], io: "IO", stop: "Stop") -> None:
        """Discovers, tests, or reads."""
        catalog, state = options.get("catalog"), options.get("state")
        tap = cls(
            config,
            catalog=None if catalog is None else _read_json(catalog, "catalog", CatalogError),
            state=None if state is None else _read_state(state),
        )
        if options.get("discover"):
            io.write(pretty(tap.catalog.to_json()).encode() + b"\n")
        elif options.get("test"):
            tap.run(_Nowhere(), stop=stop, limit=1)
            tap.logger.info("every selected stream answered")
        else:
            # Rows die young and in pages; collecting at the default threshold looks at all of them again and again.
            before = gc.get_threshold()
            keep_freed_memory()
            gc.set_threshold(_YOUNG_OBJECTS, *before[1:])
            gc.freeze()
            try:
                tap.run(io, stop=stop)
            finally:
                gc.unfreeze()
                gc.set_threshold(*before)

    @classmethod
    def cli(cls, argv: Sequence[str] | None = None) -> int:
        """The command: runs on `argv` (the process's own by default) and gives the exit code."""
        return int(running.run(cls, argv))


class _Nowhere:
    """Takes messages and forgets them."""

    def write(self, data: bytes, /) -> None:
        """Nothing happens."""

    def flush(self) -> None:
        """Nothing happens."""


_MAKE_ONE = {
    "catalog": "give the path of a file that `--discover` wrote.",
    "state": "give the path of a file with the last STATE value of an earlier run, or leave --state out.",
}


def _read_state(path: str) -> dict[str, Any]:
    state = _read_json(path, "state", StateError)
    if state.get("type") == "STATE" and "value" in state and "bookmarks" not in state:
        raise StateError(
            "The state is a whole STATE message.",
            place=f"file: {path}",
            next_step="give what stands under `value`; what a target prints is just that.",
        )
    return state


def _read_json(path: str, what: str, error_class: type[CatalogError] | type[StateError]) -> dict[str, Any]:
    try:
        value = decode(Path(path).read_bytes().strip() or b"{}")
    except OSError as error:
        raise error_class(
            f"The {what} cannot be read: {error.strerror}.",
            place=f"file: {path}",
            next_step=_MAKE_ONE[what],
        ) from error
    except DecodeError as error:
        raise error_class(
            f"The {what} is not JSON: {error}.", place=f"file: {path}", next_step="give one JSON object."
        ) from error
    if value is None and error_class is StateError:
        return {}  # what a target prints for a STATE that says nothing
    if not isinstance(value, dict):
        raise error_class(
            f"The {what} is a {type(value).__name__}, not an object.", place=f"file: {path}", next_step=_MAKE_ONE[what]
        )
    return value
