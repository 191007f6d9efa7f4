"""The loop messages -> batches -> commit -> state keeps its promises, whatever the order, the limits and the faults."""

import errno
import io
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.batch.batch import Batch
from singer_kit.cli.stop import Stop
from singer_kit.codec import JSON, encode_lines
from singer_kit.errors import DestinationError, InterruptedRunError, MessageError, RecordError, SettingsError
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


streams_of_messages = st.lists(
    st.builds(record, st.integers(), st.sampled_from("abc"))
    | st.builds(record, st.integers(), st.sampled_from("abc"), version=st.integers(1, 2))
    | st.builds(state, st.integers(0, 5))
    | st.builds(activate, st.integers(1, 2), st.sampled_from("abc"))
    | st.sampled_from([schema("a", keys=()), schema("a"), schema("b")]),
    max_size=40,
)


@given(
    streams_of_messages,
    st.sampled_from([MemoryTarget, TransactionalTarget]),
    st.integers(1, 8),
    st.integers(1, 2000),
    st.sampled_from([0, 60]),
)
def test_state_is_never_ahead_and_nothing_is_lost(
    messages: list[Any], kind: type[MemoryTarget], rows: int, nbytes: int, seconds: int
) -> None:
    """For any interleaving, limits and STATE frequency: a printed STATE is covered, and all rows arrive in order."""
    messages = [schema("a"), schema("b"), schema("c"), *messages]
    journal = run(
        *messages, target=kind, batch_size_rows=rows, batch_size_bytes=nbytes, batch_wait_limit_seconds=seconds
    )
    sent = [(m["stream"], m["record"]) for m in messages if m["type"] == "RECORD"]
    for stream in "abc":
        assert [r for s, r in journal.durable if s == stream] == [r for s, r in sent if s == stream]
    states = [m["value"] for m in messages if m["type"] == "STATE"]
    assert journal.printed[-1:] == states[-1:]
    assert all(a != b for a, b in zip(journal.printed, journal.printed[1:], strict=False))
    positions = iter(range(len(messages)))
    for event in journal.events:
        if event[0] != "printed":
            continue
        at = next(at for at in positions if messages[at] == state(event[1]))
        for stream in "abc":
            before = [m["record"] for m in messages[:at] if m["type"] == "RECORD" and m["stream"] == stream]
            assert [r for s, r in event[2] if s == stream][: len(before)] == before


def test_a_sink_opens_with_its_schema_even_if_no_row_comes() -> None:
    """An empty stream is opened and closed, and its STATE comes."""
    assert run(schema(), state({})).kinds == [("open", "s"), "printed", ("close", "s"), ("closed",)]


def test_nothing_comes_of_nothing() -> None:
    """An empty input is a run without events."""
    assert run().kinds == [("closed",)]


@pytest.mark.parametrize("value", [{}, None, [], {"bookmarks": {"s": {"x": 1}}}])
def test_the_last_state_always_comes(value: Any) -> None:
    """Also an empty one, also when rows follow it, also when nothing else came."""
    assert run(state(value)).printed == [value]
    assert run(schema(), record(1), state(value), record(2)).printed == [value]


def test_a_schema_change_flushes_the_old_sink_first() -> None:
    """Write, commit, close, open: rows of the old schema land before any of the new; the same again is no change."""
    other = {"type": "object", "properties": {**SCHEMA["properties"], "more": {}}}
    journal = run(schema(), record(1), schema(), record(2), schema(body=other), record(3), schema(keys=(), body=other))
    assert journal.events == [
        ("open", "s"),
        ("write", "s", 2),
        ("commit", "s"),
        ("close", "s"),
        ("open", "s"),
        ("write", "s", 1),
        ("commit", "s"),
        ("close", "s"),
        ("open", "s"),
        ("close", "s"),
        ("closed",),
    ]


def test_versions_are_activated_after_the_commit() -> None:
    """Everything of the stream is durable before; a change of version begins a new batch."""

    class Versioned(MemoryTarget):
        sink_class: ClassVar[type[Sink]] = VersionedSink

    journal = run(schema(), record(1, version=1), record(2, version=2), activate(2), state(1), target=Versioned)
    assert journal.events[1:-3] == [
        ("write", "s", 1),
        ("commit", "s"),
        ("write", "s", 1),
        ("commit", "s"),
        ("activate", "s", 2),
        ("commit", "s"),
    ]


def test_a_sink_without_versions_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """ACTIVATE_VERSION is passed over with one warning a stream."""
    assert run(schema(), record(1), activate(1), activate(2), state(1)).printed == [1]
    assert len(caplog.records) == 1


def test_batches_end_by_rows_and_by_bytes() -> None:
    """Whichever limit comes first; states are released as batches commit."""
    messages = [schema(), *[m for n in range(600) for m in (record(n), state(n))]]
    by_rows = run(*messages, batch_size_rows=100)
    assert [e[2] for e in by_rows.events if e[0] == "write"] == [100] * 6
    assert by_rows.printed == [n for end in range(100, 700, 100) for n in (end - 2, end - 1)]
    assert len([e for e in run(*messages, batch_size_bytes=1000).events if e[0] == "write"]) > 6


def test_all_streams_together_have_a_budget() -> None:
    """Many streams of which none is full are written before they hold more than four full batches."""
    names = [f"s{n}" for n in range(40)]
    rows = [record(n, name, {"text": "x" * 100}) for n in range(300) for name in names]
    journal = run(*[schema(name) for name in names], *rows, batch_size_bytes=50_000)
    writes = [e[2] for e in journal.events if e[0] == "write"]
    assert sum(writes) == 12_000
    assert len(writes) > len(names)
    assert max(writes) < 300


@pytest.mark.parametrize("kind", [MemoryTarget, TransactionalTarget])
def test_the_seconds_limit_works_while_no_input_comes(kind: type[MemoryTarget]) -> None:
    """A batch that waits is written and its STATE printed although the tap is silent."""
    reading, writing = os.pipe()
    target = kind({"batch_wait_limit_seconds": 0.2})
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as tap:
        thread = threading.Thread(target=target.run, args=(source, target.journal))
        thread.start()
        tap.write(encode_lines([schema(), record(1), state(1)]))
        deadline = time.monotonic() + 10
        while not target.journal.printed and time.monotonic() < deadline:
            time.sleep(0.02)
        assert target.journal.printed == [1]
        assert target.journal.durable == [("s", {"id": 1})]
        tap.close()
        thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("kind", [MemoryTarget, TransactionalTarget])
def test_a_signal_drains_and_ends_with_its_error(kind: type[MemoryTarget]) -> None:
    """SIGTERM: what came is written and committed, its STATE printed, then `InterruptedRunError`."""
    reading, writing = os.pipe()
    stop = Stop()
    target = kind({})
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as tap:
        tap.write(encode_lines([schema(), record(1), state(1)]) + b'{"type":"RECORD","str')
        timer = threading.Timer(0.3, stop.request, [signal.SIGTERM])
        timer.start()
        with pytest.raises(InterruptedRunError) as caught:
            target.run(source, target.journal, stop=stop)  # type: ignore[arg-type]
        timer.join()
    assert caught.value.exit_code == 143
    assert target.journal.printed == [1]
    assert target.journal.durable == [("s", {"id": 1})]


@pytest.mark.parametrize("kind", [MemoryTarget, TransactionalTarget])
@pytest.mark.parametrize(
    "bad",
    [b'{"type":"RECORD","stream":"s","record":{"id":"x"}}\n', b"a stray print\n", b'{"type":"RECORD"'],
    ids=["record", "line", "truncated"],
)
def test_what_came_before_a_bad_message_is_kept(kind: type[MemoryTarget], bad: bytes) -> None:
    """It is written and committed and its STATE printed; then the error comes."""
    journal, error = run_until_error(MessageError, schema(), record(1), state(1), record(2), bad, target=kind)
    assert journal.durable == [("s", {"id": 1}), ("s", {"id": 2})]
    assert journal.printed == [1]
    assert error.exit_code == 5
    assert ("rollback",) not in journal.kinds
    assert journal.kinds[-1] == ("closed",)


@pytest.mark.parametrize("call", ["open", "write", "commit", "close"])
def test_a_full_disk_is_the_destinations_fault(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`OSError` of a sink becomes `DestinationError`; no STATE beyond what is durable was printed; sinks are closed."""
    made: list[int] = []
    plain = getattr(MemorySink, call)

    def failing(self: MemorySink, *arguments: Any) -> None:
        made.append(1)
        if len(made) == 2:
            raise OSError(errno.ENOSPC, "No space left on device", "/data/t.jsonl")
        plain(self, *arguments)

    monkeypatch.setattr(MemorySink, call, failing)
    journal, error = run_until_error(
        DestinationError, schema("s"), record(1), state(1), schema("t"), record(2, "t"), state(2), batch_size_rows=1
    )
    assert error.exit_code == 4
    assert "No space left on device" in str(error)
    assert "/data/t.jsonl" in str(error)
    assert journal.printed == ([1, 2] if call == "close" else [1])
    assert journal.kinds[-1] == ("closed",)


def test_a_failing_transaction_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it stays, no STATE is printed, and the target is closed."""

    def failing(self: TransactionalTarget) -> None:
        raise DestinationError("lost the connection")

    monkeypatch.setattr(TransactionalTarget, "commit", failing)
    journal, _ = run_until_error(DestinationError, schema(), record(1), state(1), target=TransactionalTarget)
    assert journal.durable == []
    assert journal.printed == []
    assert journal.kinds[-3:] == [("rollback",), ("close", "s"), ("closed",)]


def test_a_transaction_ends_at_a_state() -> None:
    """Full batches are written as they come, but committed with the STATE that covers exactly them."""
    messages = [
        schema("a"),
        schema("b"),
        *[record(n, "a") for n in range(250)],
        record(0, "b"),
        state(1),
        record(250, "a"),
    ]
    journal = run(*messages, state(2), record(251, "a"), target=TransactionalTarget, batch_size_rows=100)
    commits = [e for e in journal.events if e[0] in {"begin", "commit", "printed"}]
    assert [e[0] for e in commits] == ["begin", "commit", "printed", "begin", "commit", "printed"]
    assert len(commits[2][2]) == 251
    assert journal.printed == [1, 2]
    assert len(journal.durable) == 253


def test_states_are_saved_in_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a pipeline the newest STATE is saved with the run's number; without one none is."""
    monkeypatch.setenv("SINGER_KIT_PIPELINE", "p")
    monkeypatch.setenv("SINGER_KIT_RUN", "7")
    target = TransactionalTarget({})
    target.run(io.BytesIO(encode_lines([schema(), record(1), state(1), state(2), record(2)])), target.journal)  # type: ignore[arg-type]
    assert target.state == SavedState(7, 2)
    monkeypatch.delenv("SINGER_KIT_PIPELINE")
    other = TransactionalTarget({})
    other.run(io.BytesIO(encode_lines([schema(), state(1)])), other.journal)  # type: ignore[arg-type]
    assert other.state is None
    assert other.journal.printed == [1]


def test_load_methods_are_refused_before_the_first_row() -> None:
    """A target says which it has; `append-only` is `append`."""
    journal, error = run_until_error(SettingsError, schema(), record(1), load_method="overwrite")
    assert journal.events == []
    assert "'overwrite'" in str(error)
    assert "'append' or 'upsert'" in str(error)
    assert run(schema(), record(1), load_method="append-only").durable == [("s", {"id": 1})]


def test_bad_records_go_to_the_dead_letter_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With reason, place and line; it is durable before the STATE that covers it; good rows arrive."""
    path = tmp_path / "bad" / "letters.jsonl"
    journal = run(
        schema(),
        record(1),
        record("x"),
        {"type": "RECORD", "stream": "s", "record": {"id": 2, "text": 7}},
        record(3),
        state(1),
        on_bad_record="dead-letter",
        dead_letter_path=str(path),
    )
    assert [row["id"] for _, row in journal.durable] == [1, 3]
    assert journal.printed == [1]
    letters = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(letter["stream"], letter["line"], letter["field"]) for letter in letters] == [
        ("s", 3, "id"),
        ("s", 4, "text"),
    ]
    assert json.loads(letters[0]["record"]) == {"id": "x"}
    assert letters[0]["reason"] == "'id' is a string but the schema says integer"
    assert letters[0]["schema"] == "properties.id"
    assert [r.levelno for r in caplog.records] == [logging.WARNING, logging.WARNING]


def test_too_many_bad_records_end_the_run(tmp_path: Path) -> None:
    """One more than `dead_letter_limit`; what came before is kept."""
    journal, error = run_until_error(
        RecordError,
        schema(),
        *[m for n in range(5) for m in (record(n), record("x"))],
        on_bad_record="dead-letter",
        dead_letter_path=str(tmp_path / "letters.jsonl"),
        dead_letter_limit=2,
    )
    assert [row["id"] for _, row in journal.durable] == [0, 1, 2]
    assert "dead_letter_limit" in str(error)
    assert len((tmp_path / "letters.jsonl").read_text().splitlines()) == 2


def test_metadata_columns_are_added_when_asked_for() -> None:
    """To schema and rows alike; the sequence grows over batches."""
    schemas: list[Any] = []

    class Looking(MemorySink):
        def open(self) -> None:
            super().open()
            schemas.append(self.schema)

    class LookingTarget(MemoryTarget):
        sink_class: ClassVar[type[Sink]] = Looking

    messages = [schema(), *[record(n, time_extracted=f"2026-01-01T00:00:0{n}Z", version=4) for n in range(6)]]
    journal = run(*messages, target=LookingTarget, add_record_metadata=True, batch_size_rows=2)
    rows = [row for _, row in journal.durable]
    assert set(schemas[0]["properties"]) == {*rows[0], "text"}
    assert [row["_sdc_extracted_at"] for row in rows] == [f"2026-01-01T00:00:0{n}Z" for n in range(6)]
    assert {row["_sdc_table_version"] for row in rows} == {4}
    sequences = [row["_sdc_sequence"] for row in rows]
    assert sequences == sorted(set(sequences))
    assert rows[0]["_sdc_deleted_at"] is None


def test_stream_maps_work_in_the_target() -> None:
    """Rows are renamed, filtered, computed and copied; removed streams move the state along."""
    maps = {
        "s": {"__alias__": "t", "__filter__": "record['id'] > 1", "twice": "record['id'] * 2"},
        "copy": {"__source__": "s"},
        "gone": None,
    }
    messages = [schema(), schema("gone"), *[record(n) for n in range(4)], record(1, "gone"), state(1)]
    journal = run(*messages, stream_maps=maps)
    assert [r for s, r in journal.durable if s == "t"] == [{"id": 2, "twice": 4}, {"id": 3, "twice": 6}]
    assert [r["id"] for s, r in journal.durable if s == "copy"] == [0, 1, 2, 3]
    assert {s for s, _ in journal.durable} == {"t", "copy"}
    assert journal.printed == [1]


def test_flattening_works_in_the_target() -> None:
    """Nested objects become columns."""
    body = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "o": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    }
    message = {"type": "RECORD", "stream": "s", "record": {"id": 1, "o": {"a": 2}}}
    journal = run(schema(body=body), message, flattening_enabled=True, flattening_max_depth=1)
    assert journal.durable == [("s", {"id": 1, "o__a": 2})]


def test_a_mapped_stream_keeps_its_metadata() -> None:
    """Extraction times go with the rows when none is left out, else they are the last of the page."""
    maps = {"s": {"__filter__": "record['id'] > 0"}}
    messages = [schema(), *[record(n, time_extracted=f"2026-01-01T00:00:0{n}Z") for n in range(3)]]
    journal = run(*messages, stream_maps=maps, add_record_metadata=True)
    assert [row["_sdc_extracted_at"] for _, row in journal.durable] == ["2026-01-01T00:00:02Z"] * 2


def test_the_garbage_collector_is_put_back() -> None:
    """After a run, and after a failed one, it works as before."""
    import gc

    run(schema(), record(1))
    run_until_error(MessageError, b"x\n")
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
