"""Targets in memory that write a journal, and messages to feed them. Loaded by the tests with `runpy`."""

import io
import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from singer_kit.batch.batch import Batch
from singer_kit.codec import JSON, encode_lines
from singer_kit.target.sink import Sink
from singer_kit.target.target import SavedState, Target

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": ["null", "string"]}}}


class Journal:
    """What happened, in order, and what would be left after a power cut at any time."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.durable: list[tuple[str, Any]] = []

    def write(self, data: bytes) -> None:
        """The standard output: every line a bare state."""
        for line in data.splitlines():
            self.events.append(("printed", json.loads(line), list(self.durable)))

    def flush(self) -> None:
        """Nothing is buffered."""

    @property
    def printed(self) -> list[Any]:
        """The states that came out."""
        return [event[1] for event in self.events if event[0] == "printed"]

    @property
    def kinds(self) -> list[Any]:
        """Events without what they carry."""
        return [event[:2] if event[0] != "printed" else "printed" for event in self.events]


class MemorySink(Sink):
    """Keeps rows in the journal; they are durable once committed."""

    load_methods = ("append", "upsert")
    target: "MemoryTarget"

    def open(self) -> None:
        self.buffer: list[tuple[str, Any]] = []
        self.target.journal.events.append(("open", self.stream))

    def write(self, batch: Batch) -> None:
        rows = batch.rows()
        assert [json.loads(line) for line in batch.jsonl().splitlines()] == rows
        assert len(rows) == batch.count > 0
        self.target.journal.events.append(("write", self.stream, batch.count))
        self.buffer += [(self.stream, row) for row in rows]

    def commit(self) -> None:
        self.target.journal.events.append(("commit", self.stream))
        self.target.journal.durable += self.buffer
        self.buffer = []

    def close(self) -> None:
        self.target.journal.events.append(("close", self.stream))


class VersionedSink(MemorySink):
    """Knows versions."""

    def activate_version(self, version: int) -> None:
        assert self.buffer == []
        self.target.journal.events.append(("activate", self.stream, version))


class MemoryTarget(Target):
    """An independent target in memory."""

    name = "target-memory"
    sink_class: ClassVar[type[Sink]] = MemorySink

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.journal = Journal()

    def close(self) -> None:
        self.journal.events.append(("closed",))


class TransactionalSink(Sink):
    """Writes into the target's open transaction."""

    target: "TransactionalTarget"

    def open(self) -> None:
        assert self.target.transaction is not None
        self.target.journal.events.append(("open", self.stream))

    def write(self, batch: Batch) -> None:
        assert self.target.transaction is not None
        self.target.journal.events.append(("write", self.stream, batch.count))
        self.target.transaction += [(self.stream, row) for row in batch.rows()]

    def commit(self) -> None:
        raise AssertionError("a transactional sink is never committed")

    def close(self) -> None:
        self.target.journal.events.append(("close", self.stream))


class TransactionalTarget(MemoryTarget):
    """All streams and the state in one transaction."""

    name = "target-transactional"
    sink_class: ClassVar[type[Sink]] = TransactionalSink
    transactional = True
    transaction: list[Any] | None = None
    state: SavedState | None = None
    new_state: SavedState | None = None

    def begin(self) -> None:
        assert self.transaction is None
        self.transaction = []
        self.journal.events.append(("begin",))

    def save_state(self, state: JSON, run: int) -> None:
        assert self.transaction is not None
        self.new_state = SavedState(run, state)

    def commit(self) -> None:
        assert self.transaction is not None
        self.journal.durable += self.transaction
        self.transaction, self.state = None, self.new_state
        self.journal.events.append(("commit",))

    def rollback(self) -> None:
        self.transaction = None
        self.journal.events.append(("rollback",))

    def saved_state(self) -> SavedState | None:
        return self.state


def schema(stream: str = "s", *, keys: tuple[str, ...] = ("id",), body: Any = None) -> dict[str, Any]:
    """A SCHEMA message."""
    return {"type": "SCHEMA", "stream": stream, "schema": body or SCHEMA, "key_properties": list(keys)}


def record(id_: Any, stream: str = "s", fields: Any = None, **members: Any) -> dict[str, Any]:
    """A RECORD message."""
    return {"type": "RECORD", "stream": stream, "record": {"id": id_, **(fields or {})}, **members}


def state(value: Any) -> dict[str, Any]:
    """A STATE message."""
    return {"type": "STATE", "value": value}


def activate(version: int, stream: str = "s") -> dict[str, Any]:
    """An ACTIVATE_VERSION message."""
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def run(*messages: Any, target: type[MemoryTarget] = MemoryTarget, **config: Any) -> Journal:
    """The journal of a run over `messages`."""
    made = target(config)
    made.run(io.BytesIO(encode_lines(messages)), made.journal)  # type: ignore[arg-type]
    return made.journal


def run_until_error(
    kind: type[Exception], *messages: Any, target: type[MemoryTarget] = MemoryTarget, **config: Any
) -> tuple[Journal, Any]:
    """The journal of a run that ends with an error, and the error."""
    made = target(config)
    data = b"".join(m if isinstance(m, bytes) else encode_lines([m]) for m in messages)
    with pytest.raises(kind) as caught:
        made.run(io.BytesIO(data), made.journal)  # type: ignore[arg-type]
    return made.journal, caught.value
