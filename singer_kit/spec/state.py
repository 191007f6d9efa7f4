"""State: bookmarks per stream and partition, their merge, and a run's index over them.

The shape is the Meltano SDK's: `{"bookmarks": {stream: {"replication_key", "replication_key_value",
"partitions": [{"context", "replication_key", "replication_key_value"}]}}, "currently_syncing"}`; members of
other shapes are kept as they are. This module must not look at a clock, and decides nothing about when a
bookmark moves.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from singer_kit.codec import JSON, Struct, encode, encode_exactly
from singer_kit.errors import StateError
from singer_kit.spec.instants import format_instant, order_key, tie_key
from singer_kit.spec.partition import Partition, partition_key

JSONState: TypeAlias = dict[str, Any]

_BOOKMARK_MEMBERS: Final = ("replication_key", "replication_key_value")
_IN_FLIGHT: Final = frozenset({"progress_markers", "starting_replication_value", "replication_key_signpost"})


def merge(a: JSONState, b: JSONState) -> JSONState:
    """Both states in one: per stream and partition the later bookmark, of anything else the union.

    Commutative and associative, and idempotent on its own results, so partitions may finish in any order, or
    twice. A bookmark is taken whole, key and value together; where two lists of partitions meet they come out
    in one canonical order. Neither argument is changed.
    """
    return _join_members(_settled(a), _settled(b), {"bookmarks": _join_bookmarks})


def _settled(state: JSONState) -> JSONState:
    bookmarks = state.get("bookmarks")
    if not isinstance(bookmarks, dict):
        return state
    return {**state, "bookmarks": {stream: _settled_node(node) for stream, node in bookmarks.items()}}


def _settled_node(node: JSON) -> JSON:
    if isinstance(node, dict) and isinstance(node.get("partitions"), list):
        return {**node, "partitions": _join_partitions(node["partitions"], [])}
    return node


def _join_bookmarks(a: JSON, b: JSON) -> JSON:
    if isinstance(a, dict) and isinstance(b, dict):
        return {name: _join_at(name, a, b, _join_node) for name in (*a, *(name for name in b if name not in a))}
    return _later(a, b)


def _join_node(a: JSON, b: JSON) -> JSON:
    """Two views of one stream."""
    if not (isinstance(a, dict) and isinstance(b, dict)):
        return _later(a, b)
    joined = _join_members(_without(a), _without(b), {"partitions": _join_partitions})
    return _later_bookmark(a, b) | joined


def _join_partitions(a: JSON, b: JSON) -> JSON:
    if not (isinstance(a, list) and isinstance(b, list)):
        return _later(a, b)
    entries: dict[bytes, JSON] = {}
    for entry in (*a, *b):
        key = _entry_key(entry)
        entries[key] = _join_entry(entries[key], entry) if key in entries else entry
    return [entries[key] for key in sorted(entries)]


def _join_entry(a: JSON, b: JSON) -> JSON:
    """Two views of one partition: its context is the same in both, up to how a value is spelt."""
    if not (isinstance(a, dict) and isinstance(b, dict)):
        return _later(a, b)
    joined = _join_members(_without(a), _without(b), {"context": _later})
    return _later_bookmark(a, b) | joined


def _entry_key(entry: JSON) -> bytes:
    if isinstance(entry, dict) and isinstance(entry.get("context"), dict):
        return partition_key(entry["context"])
    return b"!" + encode_exactly(entry, sort_keys=True)


def _join_any(a: JSON, b: JSON) -> JSON:
    if isinstance(a, dict) and isinstance(b, dict):
        return _join_members(a, b, {})
    return _later(a, b)


def _join_members(a: dict[str, Any], b: dict[str, Any], special: Mapping[str, Any]) -> dict[str, Any]:
    names = (*a, *(name for name in b if name not in a))
    return {name: _join_at(name, a, b, special.get(name, _join_any)) for name in names}


def _join_at(name: str, a: dict[str, Any], b: dict[str, Any], join: Any) -> JSON:
    if name not in b:
        return a[name]
    return join(a[name], b[name]) if name in a else b[name]


def _later(a: JSON, b: JSON) -> JSON:
    return max(a, b, key=tie_key)


def _bookmark(node: dict[str, Any]) -> dict[str, Any]:
    return {name: node[name] for name in _BOOKMARK_MEMBERS if name in node}


def _without(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name not in _BOOKMARK_MEMBERS}


def _later_bookmark(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    return max(_bookmark(a), _bookmark(b), key=_bookmark_key)


def _bookmark_key(bookmark: dict[str, Any]) -> tuple[Any, ...]:
    return (*order_key(bookmark.get("replication_key_value")), encode_exactly(bookmark, sort_keys=True))


class Bookmark(Struct, frozen=True):
    """How far a stream or a partition got: `key` is the column, `value` the JSON value of its last row.

    `extra` holds the members that are not ours, such as another tool's bookmark by its own name.
    """

    key: str | None
    value: JSON
    extra: dict[str, Any]


class Bookmarks:
    """A run's index over a state: any partition is found in constant time, and nothing of the state is lost.

    `changed` is true once something differs from the input state; whoever writes a STATE sets it back.
    """

    __slots__ = ("_entries", "_extra", "_has_bookmarks", "_opaque", "_strangers", "changed", "size_hint")

    changed: bool
    size_hint: int
    """About how many bytes `to_state` encodes to, kept up to date without encoding."""

    def __init__(self, state: JSONState | None) -> None:
        """Takes over `state`, which is not changed; members of a run in flight are dropped.

        Raises `StateError` when it is not an object, or its `bookmarks` are not.
        """
        if state is None:
            state = {}
        if not isinstance(state, dict):
            raise StateError(f"The state is a {type(state).__name__}, not an object.", next_step=_NEXT_STEP)
        bookmarks = state.get("bookmarks")
        if not isinstance(bookmarks, (dict, type(None))):
            sentence = f"The state's 'bookmarks' are a {type(bookmarks).__name__}, not an object."
            raise StateError(sentence, next_step=_NEXT_STEP)
        self._extra = {name: value for name, value in state.items() if name != "bookmarks"}
        self._has_bookmarks = isinstance(bookmarks, dict)
        self._entries: dict[str, dict[bytes | None, dict[str, Any]]] = {}
        self._opaque: dict[str, Any] = {}  # what stands where a stream's bookmark should
        self._strangers: dict[str, list[Any]] = {}  # what stands among its partitions
        for stream, node in (bookmarks or {}).items():
            if isinstance(node, dict):
                self._take(stream, node)
            else:
                self._opaque[stream] = node
        self.changed = False
        self.size_hint = len(encode(self.to_state()))

    def _take(self, stream: str, node: dict[str, Any]) -> None:
        whole = {name: value for name, value in node.items() if name not in _IN_FLIGHT}
        entries = self._entries[stream] = {None: whole}
        if not isinstance(whole.get("partitions"), list):
            return
        for entry in whole.pop("partitions"):
            if not (isinstance(entry, dict) and isinstance(entry.get("context"), dict) and entry["context"]):
                self._strangers.setdefault(stream, []).append(entry)
                continue
            kept = {name: value for name, value in entry.items() if name not in _IN_FLIGHT}
            index = partition_key(entry["context"])
            entries[index] = _join_entry(entries[index], kept) if index in entries else kept

    def get(self, stream: str, partition: Mapping[str, JSON] | None) -> Bookmark | None:
        """The bookmark of `partition`, or of the whole stream when it is None or empty; None when there is
        none.
        """
        entry = self._entries.get(stream, {}).get(_index(partition))
        if not entry:
            return None
        extra = {name: value for name, value in entry.items() if name not in _BOOKMARK_MEMBERS and name != "context"}
        if not extra and entry.get("replication_key_value") is None and entry.get("replication_key") is None:
            return None
        return Bookmark(entry.get("replication_key"), entry.get("replication_key_value"), extra)

    def put(self, stream: str, partition: Mapping[str, JSON] | None, key: str | None, value: JSON) -> bool:
        """Sets the bookmark, an earlier value too; True when that changed something. Its extra members
        stay.
        """
        if isinstance(value, datetime):
            value = format_instant(value)
        elif isinstance(value, date):
            value = value.isoformat()
        entries = self._entries.setdefault(stream, {})
        index = _index(partition)
        old = entries.get(index)
        if old is not None and _BOOKMARK_MEMBERS[1] in old:
            was = old[_BOOKMARK_MEMBERS[1]]
            if was == value and type(was) is type(value) and old.get(_BOOKMARK_MEMBERS[0]) == key:
                return False
        self._opaque.pop(stream, None)
        new: dict[str, Any] = {"context": dict(partition)} if partition else {}
        new |= {name: item for name, item in (old or {}).items() if name not in _BOOKMARK_MEMBERS}
        if key is not None:
            new[_BOOKMARK_MEMBERS[0]] = key
        new[_BOOKMARK_MEMBERS[1]] = value
        entries[index] = new
        self.size_hint += len(encode(new)) - (len(encode(old)) if old is not None else -1)
        self.changed = True
        return True

    def start(self, stream: str | None) -> None:
        """Says which stream is being read (`currently_syncing`); None when none is, as a final state must."""
        if self._extra.get("currently_syncing") == stream:
            return
        if stream is None:
            del self._extra["currently_syncing"]
        else:
            self._extra["currently_syncing"] = stream
        self.changed = True

    def to_state(self) -> JSONState:
        """The state as it stands, a value of its own; partitions in the order they first came. Costs
        O(entries).
        """
        if not (self._entries or self._opaque or self._has_bookmarks):
            return dict(self._extra)
        bookmarks: dict[str, Any] = dict(self._opaque)
        for stream, entries in self._entries.items():
            node = dict(entries.get(None, {}))
            partitions = [entry for index, entry in entries.items() if index is not None]
            partitions += self._strangers.get(stream, [])
            if partitions:
                node["partitions"] = partitions
            bookmarks[stream] = node
        return {"bookmarks": bookmarks, **self._extra}


def _index(partition: Mapping[str, JSON] | None) -> bytes | None:
    if not partition:
        return None
    return partition.key() if isinstance(partition, Partition) else partition_key(partition)


_NEXT_STEP: Final = "give the last line that the target printed, or start without a state."
