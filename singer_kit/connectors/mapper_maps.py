"""mapper-maps: stream maps between any tap and any target, from its config or from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from singer_kit import Mapper
from singer_kit.codec import DecodeError, decode
from singer_kit.errors import SettingsError

_KEYS: Final = ("stream_maps", "stream_map_config")


class MapperMaps(Mapper):
    """Renames, filters, computes, removes and duplicates, as `stream_maps` says."""

    name = "mapper-maps"
    description = "Stream maps and flattening between any tap and any target."
    config_jsonschema = {  # noqa: RUF012 - a declaration
        "type": "object",
        "properties": {
            "stream_maps_file": {
                "type": ["string", "null"],
                "description": "A JSON file with stream_maps and stream_map_config, or with the maps alone;"
                " what the config has too is taken from the config, stream by stream.",
            }
        },
    }

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._map_settings = self._merged()

    def map_settings(self) -> Mapping[str, Any]:
        """The config's maps over those of the file."""
        return self._map_settings

    def _merged(self) -> Mapping[str, Any]:
        path = self.config.get("stream_maps_file")
        if not path:
            return self.config
        read = _read(Path(path))
        if not any(key in read for key in _KEYS):
            read = {"stream_maps": read}
        merged = {key: {**(read.get(key) or {}), **(self.config.get(key) or {})} for key in _KEYS}
        return {**self.config, **merged}


def _read(path: Path) -> dict[str, Any]:
    try:
        read = decode(path.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except DecodeError as error:
        reason = str(error)
    else:
        if isinstance(read, dict) and all(isinstance(read.get(key) or {}, dict) for key in _KEYS):
            return read
        reason = "it is not an object of stream maps"
    raise SettingsError(
        f"stream_maps_file cannot be used: {reason}.",
        place=f"file: {path}",
        next_step="give the path of a JSON file of stream maps, from the working directory.",
    )


main = MapperMaps.cli
