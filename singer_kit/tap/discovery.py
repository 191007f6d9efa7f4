"""What a tap could read: the catalog of its streams, and what of it a given catalog chooses.

It must not read data; schemas that come from the source were fetched by the streams.
"""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any

from singer_kit.codec import Struct
from singer_kit.errors import CatalogError, SchemaError
from singer_kit.schema.from_types import schema_of
from singer_kit.schema.sources import schema_from_file
from singer_kit.spec.catalog import Catalog, CatalogEntry, standard_metadata
from singer_kit.spec.selection import is_stream_selected, selected_schema
from singer_kit.tap.stream import Stream

__all__ = ["StreamPlan", "catalog_of", "plan_streams"]

FULL_TABLE = "FULL_TABLE"
INCREMENTAL = "INCREMENTAL"


class StreamPlan(Struct, frozen=True):
    """One stream as this run reads it.

    `schema` is all that is declared, `selected_schema` what is chosen. `replication_key` is None unless the stream is
    read incrementally. `name` is what its messages say, `tap_stream_id` what catalog and state say.
    """

    stream: Stream
    tap_stream_id: str
    name: str
    schema: dict[str, Any]
    selected_schema: dict[str, Any]
    key_properties: tuple[str, ...]
    replication_key: str | None
    is_selected: bool

    def deselected(self) -> "StreamPlan":
        """The same stream, not to be read for its own sake."""
        return StreamPlan(**{**{name: getattr(self, name) for name in self.__struct_fields__}, "is_selected": False})


def catalog_of(streams: Iterable[Stream]) -> Catalog:
    """The catalog of `streams`, in their order, as `--discover` prints it."""
    entries: dict[str, CatalogEntry] = {}
    for stream in streams:
        if stream.name in entries:
            raise SchemaError(
                f"Two streams are named {stream.name!r}.", next_step="give every stream a name of its own."
            )
        entries[stream.name] = _entry(stream)
    return Catalog(tuple(entries.values()))


def _entry(stream: Stream) -> CatalogEntry:
    schema = _declared_schema(stream)
    if isinstance(stream.primary_keys, str):
        raise SchemaError(
            f"stream {stream.name!r}: primary_keys is a text, not a list of names.",
            next_step=f"write primary_keys = ({stream.primary_keys!r},)",
        )
    keys = tuple(stream.primary_keys or ())
    key = stream.replication_key
    for name in (*keys, *((key,) if key else ())):
        if name not in schema["properties"]:
            raise SchemaError(
                f"stream {stream.name!r}: {name!r} is {'a primary' if name in keys else 'the replication'} key but no "
                "property of its schema.",
                next_step=f"declare {name!r}, or correct the key.",
            )
    metadata = standard_metadata(
        schema,
        key_properties=keys,
        replication_key=key,
        replication_method=stream.replication_method,
        selected_by_default=stream.selected_by_default,
    )
    extra: dict[str, Any] = {"key_properties": list(keys), "replication_method": stream.replication_method}
    if key:
        extra["replication_key"] = key
    return CatalogEntry(stream.name, stream.name, schema, metadata, extra)


def _declared_schema(stream: Stream) -> dict[str, Any]:
    if not stream.name:
        raise SchemaError(
            f"The stream class {type(stream).__name__} has no name.", next_step='set name = "..." in the class.'
        )
    declared = stream.schema
    if declared is None:
        raise SchemaError(
            f"stream {stream.name!r} has no schema.",
            next_step="set schema = th.PropertiesList(...), a typed class, a JSON Schema or a path.",
        )
    if isinstance(declared, (str, PathLike)):
        declared = schema_from_file(declared)
    schema: dict[str, Any] = schema_of(declared)
    if not isinstance(schema.get("properties"), Mapping):
        raise SchemaError(
            f"stream {stream.name!r}: the top level of its schema declares no properties.",
            next_step="records are objects with named properties; declare them.",
        )
    return {"type": "object", **schema}


def plan_streams(streams: Sequence[Stream], discovered: Catalog, given: Catalog | None) -> list[StreamPlan]:
    """How each stream is read, in the tap's order: as `given` chooses, or by default.

    Raises `CatalogError` when `given` selects what the tap does not have, or a replication key or method that the
    stream cannot be read by.
    """
    if given is not None:
        known = {entry.tap_stream_id for entry in discovered.streams}
        strangers = [
            entry.tap_stream_id
            for entry in given.streams
            if entry.tap_stream_id not in known and is_stream_selected(entry, has_catalog=True)
        ]
        if strangers:
            raise CatalogError(
                f"The catalog selects {', '.join(map(repr, strangers))}, which the tap does not have.",
                next_step="run --discover again and select from what it prints.",
            )
    return [
        _plan(stream, own, given.get(own.tap_stream_id) if given is not None else own, has_catalog=given is not None)
        for stream, own in zip(streams, discovered.streams, strict=True)
    ]


def _plan(stream: Stream, own: CatalogEntry, entry: CatalogEntry | None, *, has_catalog: bool) -> StreamPlan:
    is_selected = entry is not None and is_stream_selected(entry, has_catalog=has_catalog)
    if entry is None or entry is own or not isinstance(entry.schema.get("properties"), Mapping):
        entry = (
            own
            if entry is None
            else CatalogEntry(entry.tap_stream_id, entry.stream, own.schema, entry.metadata, entry.extra)
        )
    keys = _keys(own, entry)
    key = _replication_key(stream, own, entry)
    chosen = CatalogEntry(
        entry.tap_stream_id,
        entry.stream,
        entry.schema,
        {**entry.metadata, (): {**entry.root, "table-key-properties": list(keys)}},
        {**entry.extra, **({"replication_key": key} if key else {})},
    )
    return StreamPlan(
        stream=stream,
        tap_stream_id=own.tap_stream_id,
        name=entry.stream,
        schema=_merged(own.schema, entry.schema),
        selected_schema=selected_schema(chosen),
        key_properties=keys,
        replication_key=key,
        is_selected=is_selected,
    )


def _keys(own: CatalogEntry, entry: CatalogEntry) -> tuple[str, ...]:
    says_so = any(name in entry.root for name in ("table-key-properties", "view-key-properties"))
    keys = entry.key_properties if says_so or "key_properties" in entry.extra else own.key_properties
    for name in keys:
        if name not in entry.schema["properties"]:
            raise CatalogError(
                f"stream {own.tap_stream_id!r}: the catalog's key {name!r} is no property of its schema.",
                next_step="correct table-key-properties in the catalog.",
            )
    return keys


def _replication_key(stream: Stream, own: CatalogEntry, entry: CatalogEntry) -> str | None:
    method = entry.replication_method or stream.replication_method
    if method == FULL_TABLE:
        return None
    if method != INCREMENTAL:
        return stream.replication_key
    key = entry.replication_key or stream.replication_key
    if key is None or key not in entry.schema["properties"]:
        raise CatalogError(
            f"stream {own.tap_stream_id!r} is to be read incrementally, but "
            + (f"{key!r} is no property of its schema." if key else "has no replication key."),
            next_step="choose FULL_TABLE, or a replication key that the stream has.",
        )
    return key


def _merged(own: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """`given`, and what `own` declares beside it: a field that an older catalog lacks is declared all the same."""
    if own is given:
        return own
    properties = {**own["properties"], **given["properties"]}
    return {**given, "properties": properties}
