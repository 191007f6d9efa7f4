"""Stream maps: what a stream becomes, and the rows with it; identity unless the settings say otherwise.

Maps fail closed: whatever goes wrong in an expression stops the run with `MapError` and no row passes unmapped.
This module must not read or write messages; what only runs with maps pay for is imported by them.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from singer_kit.batch.stream_map import StreamMap
from singer_kit.codec import JSON
from singer_kit.errors import MapError
from singer_kit.late import late

plan = late("singer_kit.batch.plan")  # a tenth of the start-up of every run without maps

__all__ = ["StreamMap", "compile_maps", "unused_maps"]

_NOTHING = (None, "__NULL__")


def compile_maps(
    stream: str, schema: dict[str, JSON], key_properties: Sequence[str], settings: Mapping[str, Any]
) -> list[StreamMap]:
    """What `stream` becomes under `stream_maps`, `stream_map_config` and `flattening_*`; [] when removed.

    The stream itself comes first, then its copies (`__source__`) in the order of the settings. Of several
    maps for the stream an exact name wins over wildcards, and of wildcards the last. Raises `MapError` for a
    map that cannot be used. Neither the schema nor the settings are changed.
    """
    maps = _declared(settings)
    if not maps and not settings.get("flattening_enabled"):
        return [StreamMap(stream, stream, schema, key_properties)]
    own: Any = {} if "__else__" not in maps else None
    exact = False
    copies: list[tuple[str, dict[str, Any]]] = []
    for pattern, declared in maps.items():
        if pattern == "__else__":
            continue
        definition = _definition(pattern, declared)
        if definition is not None and definition.get("__source__") is not None:
            if _matches(stream, str(definition["__source__"])):
                copies.append((pattern, definition))
        elif pattern == stream:
            own, exact = definition, True
        elif not exact and _matches(stream, pattern):
            own = definition
    definitions = [(stream, own)] if own is not None else []
    definitions += [(stream if name == one["__source__"] else name, one) for name, one in copies]
    compiled = [
        plan.compile_plan(stream, name, schema, key_properties, definition=one, settings=settings)
        for name, one in definitions
    ]
    _refuse_twins(stream, compiled)
    return compiled


def unused_maps(settings: Mapping[str, Any], streams: Sequence[str]) -> list[str]:
    """The names in `stream_maps` that are none of `streams` and match none: most likely a slip of the pen."""
    unused = []
    for pattern, declared in _declared(settings).items():
        definition = _definition(pattern, declared) if pattern != "__else__" else None
        source = str((definition or {}).get("__source__") or pattern)
        if pattern != "__else__" and not any(_matches(stream, source) for stream in streams):
            unused.append(pattern)
    return unused


def _declared(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    maps = settings.get("stream_maps") or {}
    if not isinstance(maps, Mapping):
        raise MapError(f"stream_maps is a {type(maps).__name__}, not an object.")
    for name in maps:
        if name == "__else__":
            if maps[name] not in _NOTHING:
                raise MapError('stream_maps.__else__ can only be null (or "__NULL__"): streams without a map go.')
        elif name.startswith("__") and name.endswith("__"):
            raise MapError(f"stream_maps has no option '{name}', only '__else__'.")
    return maps


def _definition(name: str, declared: Any) -> dict[str, Any] | None:
    if declared is None or declared == "__NULL__":
        return None
    if not isinstance(declared, Mapping):
        raise MapError(
            f"The map of '{name}' is a {type(declared).__name__}.",
            place=f"setting: stream_maps.{name}",
            next_step="give an object of properties and expressions, or null to remove the stream.",
        )
    return dict(declared)


def _matches(stream: str, pattern: str) -> bool:
    return stream == pattern or fnmatchcase(stream, pattern)


def _refuse_twins(stream: str, compiled: Sequence[StreamMap]) -> None:
    names = [one.stream for one in compiled]
    for name in names:
        if names.count(name) > 1:
            raise MapError(f"Two maps of stream '{stream}' give a stream '{name}'.", next_step="name them apart.")
