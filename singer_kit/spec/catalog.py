"""Catalog: what could be read and what was chosen, kept without losing a member, a keyword or an order.

This module must not decide what is selected (`selection` does) and must not change a schema.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Self, TypeAlias

from singer_kit.codec import JSON, Struct, field
from singer_kit.errors import CatalogError

Breadcrumb: TypeAlias = tuple[str, ...]
Metadata: TypeAlias = dict[Breadcrumb, dict[str, Any]]
"""Breadcrumb to values: `()` is the stream, `("properties", "a", "items", "properties", "b")` a nested
field.
"""

COMBINED: Final = ("anyOf", "oneOf", "allOf")
"""The keywords whose branches say more about the same value."""

_MEMBERS: Final = ("tap_stream_id", "stream", "schema", "metadata")


class CatalogEntry(Struct, frozen=True):
    """One stream: its schema, its metadata, and every other member in `extra`.

    `members` is the order in which the members stood, so that writing gives back what was read.
    """

    tap_stream_id: str
    stream: str
    schema: dict[str, Any]
    metadata: Metadata = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    members: tuple[str, ...] = ()

    @property
    def root(self) -> dict[str, Any]:
        """The metadata of the stream itself."""
        return self.metadata.get((), {})

    @property
    def key_properties(self) -> tuple[str, ...]:
        """The names of the key: of the table, or as chosen for a view; `()` is no key."""
        for found in (
            self.root.get("view-key-properties") if self.root.get("is-view") else None,
            self.root.get("table-key-properties"),
            self.root.get("view-key-properties"),
            self.extra.get("key_properties"),
        ):
            if found is not None:
                return _names(found)
        return ()

    @property
    def replication_method(self) -> str | None:
        """FULL_TABLE, INCREMENTAL or LOG_BASED: what was chosen, else what the tap forces, else None."""
        for found in (
            self.root.get("replication-method"),
            self.extra.get("replication_method"),
            self.root.get("forced-replication-method"),
        ):
            if isinstance(found, str) and found:
                return found
        return None

    @property
    def replication_key(self) -> str | None:
        """The column that tells new rows: what was chosen, else the only one there is, else None."""
        for found in (self.root.get("replication-key"), self.extra.get("replication_key")):
            if found:
                return next(iter(_names(found)), None)
        only = self.replication_keys[0] if len(self.replication_keys) == 1 else None
        return only if self.replication_method == "INCREMENTAL" else None

    @property
    def replication_keys(self) -> tuple[str, ...]:
        """The columns that may be chosen as replication key."""
        return _names(self.root.get("valid-replication-keys"))

    def to_json(self) -> dict[str, Any]:
        """The entry as an object, members in the order they were read."""
        own: dict[str, Any] = {
            "tap_stream_id": self.tap_stream_id,
            "stream": self.stream,
            "schema": self.schema,
            "metadata": [{"breadcrumb": list(at), "metadata": values} for at, values in self.metadata.items()],
        }
        known = own | self.extra
        names = list(self.members or _MEMBERS[:3])
        if self.metadata and "metadata" not in names:
            names.append("metadata")
        return {name: known[name] for name in dict.fromkeys((*names, *self.extra))}


class Catalog(Struct, frozen=True):
    """The streams of a tap, in its order, and the catalog's other members in `extra`."""

    streams: tuple[CatalogEntry, ...]
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: JSON) -> Self:
        """The catalog that a `--catalog` or `--properties` file says.

        Raises `CatalogError` with the place: no object, no list of streams, a stream without name or schema,
        two of one name, metadata that has no breadcrumb.
        """
        if not isinstance(value, dict) or not isinstance(value.get("streams"), list):
            raise CatalogError(
                "The catalog is not an object with a list of streams.",
                next_step="give what the tap prints with --discover.",
            )
        entries: dict[str, CatalogEntry] = {}
        for number, item in enumerate(value["streams"]):
            entry = _entry(item, f"streams[{number}]")
            if entry.tap_stream_id in entries:
                raise _wrong(f"streams[{number}]", f"is a second stream named {entry.tap_stream_id!r}")
            entries[entry.tap_stream_id] = entry
        return cls(tuple(entries.values()), {name: item for name, item in value.items() if name != "streams"})

    def to_json(self) -> dict[str, Any]:
        """The catalog as an object: `from_json` of it is this catalog."""
        return {"streams": [entry.to_json() for entry in self.streams], **self.extra}

    def get(self, tap_stream_id: str) -> CatalogEntry | None:
        """The stream of that id, or None."""
        return next((entry for entry in self.streams if entry.tap_stream_id == tap_stream_id), None)


def standard_metadata(
    schema: Mapping[str, Any],
    *,
    key_properties: Sequence[str] = (),
    replication_key: str | None = None,
    replication_method: str | None = None,
    selected_by_default: bool = True,
    inclusion: Mapping[Breadcrumb, str] | None = None,
) -> Metadata:
    """What a tap writes into a discovered catalog: the stream, then every field, nested ones and array items
    too.

    Keys and the replication key are `automatic`, all else is `available`, unless `inclusion` says otherwise.
    """
    root: dict[str, Any] = {
        "inclusion": "available",
        "selected-by-default": selected_by_default,
        "table-key-properties": list(key_properties),
    }
    if replication_method is not None:
        root["forced-replication-method"] = replication_method
    if replication_key is not None:
        root["valid-replication-keys"] = [replication_key]
    metadata: Metadata = {(): root}
    automatic = {("properties", name) for name in (*key_properties, *([replication_key] if replication_key else ()))}
    overrides = inclusion or {}
    for breadcrumb in fields(schema):
        default = "automatic" if breadcrumb in automatic else "available"
        metadata[breadcrumb] = {"inclusion": overrides.get(breadcrumb, default)}
    return metadata


def fields(schema: Mapping[str, Any], at: Breadcrumb = ()) -> Iterator[Breadcrumb]:
    """The breadcrumb of every field, a parent before its children, each once.

    The properties of an array's items follow `items`; those of the branches of anyOf, oneOf and allOf count
    as the field's own.
    """
    return iter(dict.fromkeys(_walk(schema, at)))


def _walk(schema: object, at: Breadcrumb) -> Iterator[Breadcrumb]:
    if not isinstance(schema, Mapping):
        return
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        for name, inner in properties.items():
            yield (*at, "properties", name)
            yield from _walk(inner, (*at, "properties", name))
    for keyword in ("items", "prefixItems"):
        inner = schema.get(keyword)
        for item in inner if isinstance(inner, list) else (inner,):
            yield from _walk(item, (*at, "items"))
    for keyword in COMBINED:
        for branch in schema.get(keyword) or ():
            yield from _walk(branch, at)


def _entry(item: JSON, place: str) -> CatalogEntry:
    if not isinstance(item, dict):
        raise _wrong(place, "is not an object")
    stream, tap_stream_id = item.get("stream"), item.get("tap_stream_id")
    name, identity = stream if stream is not None else tap_stream_id, tap_stream_id or stream
    if not (isinstance(name, str) and isinstance(identity, str) and identity):
        raise _wrong(place, "has no 'tap_stream_id' and no 'stream' that is a string")
    place = f"{place} ({identity!r})"
    schema = item.get("schema")
    if not isinstance(schema, dict):
        raise _wrong(place, "has no 'schema' that is an object")
    extra = {member: value for member, value in item.items() if member not in _MEMBERS}
    return CatalogEntry(identity, name, schema, _metadata(item.get("metadata"), place), extra, tuple(item))


def _metadata(found: JSON, place: str) -> Metadata:
    if found is None:
        return {}
    if not isinstance(found, list):
        raise _wrong(f"{place}.metadata", "is not a list")
    metadata: Metadata = {}
    for number, item in enumerate(found):
        breadcrumb = item.get("breadcrumb") if isinstance(item, dict) else None
        values = item.get("metadata") if isinstance(item, dict) else None
        if not isinstance(breadcrumb, list) or not all(isinstance(part, str) for part in breadcrumb):
            raise _wrong(f"{place}.metadata[{number}]", "has no 'breadcrumb' that is a list of strings")
        if not isinstance(values, dict):
            raise _wrong(f"{place}.metadata[{number}]", "has no 'metadata' that is an object")
        at = tuple(breadcrumb)
        metadata[at] = {**metadata.get(at, {}), **values}
    return metadata


def _names(found: object) -> tuple[str, ...]:
    if isinstance(found, str):
        return (found,)
    if isinstance(found, (list, tuple)):
        return tuple(name for name in found if isinstance(name, str))
    return ()


def _wrong(place: str, what: str) -> CatalogError:
    return CatalogError(
        f"The catalog's {place} {what}.", place=f"catalog: {place}", next_step="give what --discover printed."
    )
