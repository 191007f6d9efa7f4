"""singer_kit: write Singer taps and targets that are fast, lossless and resumable; judge them; run them.

The public names, each loaded when it is first used. Connectors and users import from here; no floor of the house does.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from singer_kit.version import __version__

if TYPE_CHECKING:
    from singer_kit import errors as errors
    from singer_kit import files as files
    from singer_kit import http as http
    from singer_kit import typing as typing
    from singer_kit.batch.batch import Batch
    from singer_kit.errors import (
        CatalogError,
        DestinationError,
        DestinationUnavailableError,
        RecordError,
        SchemaError,
        SettingsError,
        SingerKitError,
        SourceError,
        SourceRecordError,
        SourceUnavailableError,
        StateError,
        UsageError,
    )
    from singer_kit.mapper.mapper import Mapper
    from singer_kit.settings import Config
    from singer_kit.spec.partition import Partition
    from singer_kit.tap.rest import RESTStream
    from singer_kit.tap.stream import Stream
    from singer_kit.tap.tap import Tap
    from singer_kit.target.sink import Sink
    from singer_kit.target.target import SavedState, Target

__all__ = [
    "Batch",
    "CatalogError",
    "Config",
    "DestinationError",
    "DestinationUnavailableError",
    "Mapper",
    "Partition",
    "RESTStream",
    "RecordError",
    "SavedState",
    "SchemaError",
    "SettingsError",
    "SingerKitError",
    "Sink",
    "SourceError",
    "SourceRecordError",
    "SourceUnavailableError",
    "StateError",
    "Stream",
    "Tap",
    "Target",
    "UsageError",
    "__version__",
    "errors",
    "files",
    "http",
    "typing",
]

_HOMES = {
    "Batch": "batch.batch",
    "Config": "settings",
    "Mapper": "mapper.mapper",
    "Partition": "spec.partition",
    "RESTStream": "tap.rest",
    "SavedState": "target.target",
    "Sink": "target.sink",
    "Stream": "tap.stream",
    "Tap": "tap.tap",
    "Target": "target.target",
}
_ROOMS = frozenset({"errors", "files", "http", "typing"})


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"singer_kit.{name}")
    home = _HOMES.get(name) or ("errors" if name.endswith("Error") else "")
    if not home or name not in __all__:
        raise AttributeError(f"module 'singer_kit' has no attribute {name!r}")
    value = getattr(import_module(f"singer_kit.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
