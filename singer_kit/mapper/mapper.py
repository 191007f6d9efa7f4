"""`Mapper`, the base class of inline mappers, and its run: standard input to standard output.

It must not know which maps there are; a mapper of one's own overrides `maps`.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, cast

from singer_kit.batch.map_settings import MAP_SETTINGS
from singer_kit.batch.transform import StreamMap, compile_maps, unused_maps
from singer_kit.cli.connector import INPUT, Flag
from singer_kit.codec import JSON
from singer_kit.errors import UsageError
from singer_kit.late import late
from singer_kit.version import __version__

if TYPE_CHECKING:
    from singer_kit.cli.pipes import IO
    from singer_kit.cli.stop import Stop
    from singer_kit.settings import Config, Settings
    from singer_kit.spec.messages import SchemaMessage

declared = late("singer_kit.settings")
from_types = late("singer_kit.schema.from_types")
passages = late("singer_kit.mapper.passage")
pipes = late("singer_kit.cli.pipes")
running = late("singer_kit.cli.run")

__all__ = ["Mapper"]

logger = logging.getLogger("singer_kit.mapper")

_READ_BYTES: Final = 1 << 18


class Mapper:
    """Changes streams on their way from a tap to a target.

    Without more it applies the settings `stream_maps` and `flattening_*`. `maps` is called once for each new
    schema of a stream; what it gives is applied to all its records, until the next.
    """

    kind: ClassVar[Literal["tap", "target", "mapper"]] = "mapper"
    name: ClassVar[str] = "mapper"
    version: ClassVar[str] = __version__
    description: ClassVar[str] = ""
    flags: ClassVar[tuple[Flag, ...]] = (INPUT,)
    config_jsonschema: ClassVar[Any] = {"type": "object", "properties": {}}
    """The mapper's own settings: `th.PropertiesList`, a typed class or a JSON Schema."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config: Config = self.settings().from_mapping(config)

    def maps(self, stream: str, schema: dict[str, JSON], key_properties: Sequence[str]) -> list[StreamMap]:
        """What `stream` becomes: one map for each stream that leaves, [] to leave it out."""
        return compile_maps(stream, schema, key_properties, self.map_settings())

    def map_settings(self) -> Mapping[str, Any]:
        """Where `stream_maps`, `stream_map_config` and `flattening_*` are looked up."""
        return self.config

    def run(self, pieces: Iterable[bytes], write: Callable[[bytes], Any], stop: "Stop | None" = None) -> None:
        """Every message in `pieces` is written, changed as the maps say; a STATE after the rows before it.

        When `stop` asks, it returns with every whole line read so far written. Whatever is raised, everything
        before the line at fault has been written.
        """
        passage = passages.Passage(self._maps_of)
        for piece in pieces:
            _write_all(passage.feed(piece), write)
        if stop is not None and stop.requested:
            return
        _write_all(passage.finish(), write)
        for name in unused_maps(self.map_settings(), passage.streams):
            logger.warning("stream_maps has '%s', but no such stream came.", name)

    def _maps_of(self, message: "SchemaMessage") -> list[StreamMap]:
        return self.maps(message.stream, message.schema, message.key_properties)

    @classmethod
    def settings(cls) -> "Settings":
        """Its own settings, then those that all mappers have."""
        return cast(
            "Settings",
            declared.Settings.declare(cls.name, from_types.schema_of(cls.config_jsonschema), MAP_SETTINGS),
        )

    @classmethod
    def about(cls) -> dict[str, Any]:
        """What `--about` says beside the settings."""
        capabilities = ["about", "stream-maps", "schema-flattening", "activate-version", "batch", "structured-logging"]
        return {"description": cls.description, "capabilities": capabilities}

    @classmethod
    def execute(cls, config: "Config", options: Mapping[str, Any], io: "IO", stop: "Stop") -> None:
        """All of the input is mapped and written on return; when asked to stop, its whole lines so far."""
        mapper = cls(config)
        path = options.get("input")
        if path is None:
            mapper.run(io.chunks(_READ_BYTES), io.write, stop)
        else:
            try:
                file = Path(path).open("rb")  # noqa: SIM115 - closed below, after the try that names the path
            except OSError as error:
                raise UsageError(
                    f"The input cannot be read: {error.strerror}.",
                    place=f"file: {path}",
                    next_step="give --input the path of a file of Singer messages.",
                ) from error
            with file:
                mapper.run(pipes.IO(file, stop=stop).chunks(_READ_BYTES), io.write, stop)
        io.flush()

    @classmethod
    def cli(cls, argv: Sequence[str] | None = None) -> int:
        """Runs the mapper as a program; gives its exit code."""
        return int(running.run(cls, argv))


def _write_all(parts: Iterator[bytes], write: Callable[[bytes], Any]) -> None:
    """One write for all `parts`, also for those before an error."""
    waiting: list[bytes] = []
    try:
        waiting.extend(parts)
    finally:
        if waiting:
            write(b"".join(waiting))
