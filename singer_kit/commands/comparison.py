"""Two captured sides compared as multisets of rows by key, in bounded memory: rows wait in a file, not in a dict.

It reads no command line and prints nothing.
"""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from singer_kit.codec import Struct, decode, encode
from singer_kit.commands.canonical_rows import canonical, canonical_schema, digest, key_text
from singer_kit.commands.captured import Rows, captured
from singer_kit.spec.messages import SchemaMessage, StateMessage

__all__ = ["Comparison", "Difference", "Found", "StreamSummary", "comparison"]


class Found(Struct, frozen=True):
    """One difference between rows: `kind` is added, removed or changed; `key` are the key's values by name.

    `row` is the whole row of an added or removed one; `fields` what a changed one had before and has now, with only
    one of both for a member that came or went.
    """

    kind: str
    key: dict[str, Any]
    row: dict[str, Any] | None = None
    fields: dict[str, dict[str, Any]] | None = None


class StreamSummary(Struct, frozen=True):
    """How one stream differs. `schema` lists what differs in it, a line each."""

    stream: str
    rows_before: int
    rows_after: int
    added: int
    removed: int
    changed: int
    schema: tuple[str, ...]
    examples: tuple[Found, ...]

    @property
    def is_same(self) -> bool:
        """True when neither rows nor schema differ."""
        return not (self.added or self.removed or self.changed or self.schema)


class Difference(Struct, frozen=True):
    """What two sides have and have not in common; `is_state_same` is None when states were not compared."""

    streams: tuple[StreamSummary, ...]
    is_state_same: bool | None = None

    @property
    def is_same(self) -> bool:
        """True when nothing differs."""
        return all(stream.is_same for stream in self.streams) and self.is_state_same is not False


class _Stream:
    """What is known of a stream's schema on both sides."""

    def __init__(self) -> None:
        self.schemas: list[dict[str, Any] | None] = [None, None]
        self.keys: list[tuple[str, ...] | None] = [None, None]
        self.used: set[tuple[str, ...]] = set()


@contextmanager
def comparison(
    keys: Sequence[str] = (), *, ignored: Sequence[str] = (), only: str | None = None
) -> Iterator["Comparison"]:
    """A comparison and the temporary file in which its rows wait; the file is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="singer-kit-diff-") as folder:
        made = Comparison(Path(folder) / "rows.sqlite", keys, ignored, only)
        try:
            yield made
        finally:
            made.close()


class Comparison:
    """Call order: `read` for side 0 and side 1, then `result`.

    Rows are matched by `keys`, or else by the key properties that their stream's SCHEMA names; without either, whole
    rows are compared and none is "changed".
    """

    def __init__(self, path: Path, keys: Sequence[str], ignored: Sequence[str], only: str | None) -> None:
        self._keys = tuple(keys)
        self._ignored = tuple(ignored)
        self._only = only
        self._streams: dict[str, _Stream] = {}
        self._states: list[Any] = [None, None]
        self._rows = sqlite3.connect(path, isolation_level=None)
        self._rows.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;"
            "CREATE TABLE row (side INTEGER, stream TEXT, key BLOB, digest BLOB, data BLOB);"
        )
        self._rows.execute("BEGIN")

    def close(self) -> None:
        """The file is closed."""
        self._rows.close()

    def read(self, side: int, path: str) -> None:
        """Everything in the file counts for `side`; a stream's last SCHEMA and the last STATE are kept."""
        for event in captured(path):
            if isinstance(event, Rows):
                name = (self._only or "") if event.stream is None else event.stream
                if self._only in (None, name):
                    self._add(side, name, event.rows)
            elif isinstance(event, SchemaMessage) and self._only in (None, event.stream):
                stream = self._streams.setdefault(event.stream, _Stream())
                stream.schemas[side] = event.schema
                stream.keys[side] = event.key_properties
            elif isinstance(event, StateMessage):
                self._states[side] = event.value

    def result(
        self, *, examples: int = 20, last_wins: bool = False, states: bool = False, schemas: bool = True
    ) -> Difference:
        """What differs, with at most `examples` rows of each stream shown.

        With `last_wins` only the last row of a key counts, as for a target that upserts.
        """
        for name, stream in self._streams.items():
            if stream.used - {self._key_of(name)}:
                self._match_anew(name)
        if last_wins:
            self._rows.execute(
                "DELETE FROM row WHERE key IS NOT NULL AND rowid NOT IN "
                "(SELECT max(rowid) FROM row GROUP BY side, stream, key)"
            )
        summaries = [self._summary(name, stream, examples, schemas) for name, stream in sorted(self._streams.items())]
        same = canonical(self._states[0]) == canonical(self._states[1]) if states else None
        return Difference(tuple(summaries), same)

    def _key_of(self, stream: str) -> tuple[str, ...]:
        known = self._streams[stream].keys
        return self._keys or known[0] or known[1] or ()

    def _add(self, side: int, stream: str, rows: list[dict[str, Any]]) -> None:
        known = self._streams.setdefault(stream, _Stream())
        key = self._key_of(stream)
        known.used.add(key)
        ignored = self._ignored
        self._rows.executemany(
            "INSERT INTO row VALUES (?, ?, ?, ?, ?)",
            (
                (side, stream, key_text(row, key) if key else None, digest(row, ignored=ignored), encode(row))
                for row in rows
            ),
        )

    def _match_anew(self, name: str) -> None:
        """Every row has the key that counts; some were read before a SCHEMA of the other side named it."""
        key = self._key_of(name)
        last = 0
        while some := self._rows.execute(
            "SELECT rowid, data FROM row WHERE stream = ? AND rowid > ? ORDER BY rowid LIMIT 1000", (name, last)
        ).fetchall():
            last = some[-1][0]
            keyed = [(key_text(decode(data), key), rowid) for rowid, data in some]
            self._rows.executemany("UPDATE row SET key = ? WHERE rowid = ?", keyed)

    def _summary(self, name: str, stream: _Stream, examples: int, schemas: bool) -> StreamSummary:
        counted = self._rows.execute("SELECT side, count(*) FROM row WHERE stream = ? GROUP BY side", (name,))
        counts = dict(counted.fetchall())
        added = removed = changed = 0
        shown: list[Found] = []
        for only_before, only_after in self._unmatched(name):
            pairs = list(zip(only_before, only_after, strict=False)) if self._key_of(name) else []
            changed += len(pairs)
            removed += len(only_before) - len(pairs)
            added += len(only_after) - len(pairs)
            if len(shown) < examples:
                shown += [self._changed(name, old, new) for old, new in pairs]
                shown += [self._whole(name, "removed", row) for row in only_before[len(pairs) :]]
                shown += [self._whole(name, "added", row) for row in only_after[len(pairs) :]]
        return StreamSummary(
            stream=name,
            rows_before=counts.get(0, 0),
            rows_after=counts.get(1, 0),
            added=added,
            removed=removed,
            changed=changed,
            schema=tuple(_schema_lines(stream)) if schemas else (),
            examples=tuple(shown[:examples]),
        )

    def _unmatched(self, name: str) -> Iterator[tuple[list[int], list[int]]]:
        """For each key that differs, the rows that only one side has; as often as it has them more often."""
        groups = self._rows.execute(
            "SELECT key, more, first FROM (SELECT key, sum(CASE side WHEN 0 THEN 1 ELSE -1 END) AS more, "
            "min(rowid) AS first FROM row WHERE stream = ? GROUP BY key, digest HAVING more <> 0) "
            "ORDER BY min(first) OVER (PARTITION BY key), first",
            (name,),
        )
        current: Any = self  # no key at all
        before: list[int] = []
        after: list[int] = []
        for key, more, rowid in groups:
            if key != current:
                if before or after:
                    yield before, after
                current, before, after = key, [], []
            (before if more > 0 else after).extend([rowid] * abs(more))
            if key is None:  # whole rows: each stands for itself
                yield before, after
                before, after = [], []
        if before or after:
            yield before, after

    def _row(self, rowid: int) -> dict[str, Any]:
        (data,) = self._rows.execute("SELECT data FROM row WHERE rowid = ?", (rowid,)).fetchone()
        row: dict[str, Any] = decode(data)
        return row

    def _whole(self, name: str, kind: str, rowid: int) -> Found:
        row = self._row(rowid)
        return Found(kind, {field: row.get(field) for field in self._key_of(name)}, row=row)

    def _changed(self, name: str, old_id: int, new_id: int) -> Found:
        old, new = self._row(old_id), self._row(new_id)
        fields: dict[str, dict[str, Any]] = {}
        for field in {**old, **new}:
            if field.startswith("_") or field in self._ignored:
                continue
            sides = {}
            if field in old:
                sides["before"] = old[field]
            if field in new:
                sides["after"] = new[field]
            if len(sides) < 2 or canonical(old[field]) != canonical(new[field]):
                fields[field] = sides
        return Found("changed", {field: new.get(field) for field in self._key_of(name)}, fields=fields)


def _schema_lines(stream: _Stream) -> Iterator[str]:
    before, after = stream.schemas
    if before is None or after is None:
        if before is not after:
            yield "only one side has a SCHEMA"
        return
    if stream.keys[0] != stream.keys[1]:
        yield f"key_properties: {', '.join(stream.keys[0] or ())} -> {', '.join(stream.keys[1] or ())}"
    old, new = canonical_schema(before), canonical_schema(after)
    old_properties, new_properties = old.pop("properties", {}), new.pop("properties", {})
    for name in {**old_properties, **new_properties}:
        if name not in new_properties:
            yield f"property '{name}' removed"
        elif name not in old_properties:
            yield f"property '{name}' added: {encode(new_properties[name]).decode()}"
        elif old_properties[name] != new_properties[name]:
            change = f"{encode(old_properties[name]).decode()} -> {encode(new_properties[name]).decode()}"
            yield f"property '{name}' changed: {change}"
    for keyword in {**old, **new}:
        if old.get(keyword) != new.get(keyword):
            yield f"{keyword}: {encode(old.get(keyword)).decode()} -> {encode(new.get(keyword)).decode()}"
