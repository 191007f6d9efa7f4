"""The loop messages -> batches -> commit -> state keeps its promises, whatever the order and the limits."""

import io
import logging
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.codec import encode_lines
from singer_kit.target.sink import Sink
from singer_kit.target.target import SavedState

memory = SimpleNamespace(**run_path(str(Path(__file__).with_name("memory.py"))))
MemoryTarget, TransactionalTarget, SCHEMA = memory.MemoryTarget, memory.TransactionalTarget, memory.SCHEMA
schema, record, state, activate, run = memory.schema, memory.record, memory.state, memory.activate, memory.run

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
    messages: list[Any], kind: Any, rows: int, nbytes: int, seconds: int
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
        sink_class: ClassVar[type[Sink]] = memory.VersionedSink

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
    target.run(io.BytesIO(encode_lines([schema(), record(1), state(1), state(2), record(2)])), target.journal)
    assert target.state == SavedState(7, 2)
    monkeypatch.delenv("SINGER_KIT_PIPELINE")
    other = TransactionalTarget({})
    other.run(io.BytesIO(encode_lines([schema(), state(1)])), other.journal)
    assert other.state is None
    assert other.journal.printed == [1]


def test_metadata_columns_are_added_when_asked_for() -> None:
    """To schema and rows alike; the sequence grows over batches."""
    schemas: list[Any] = []

    class Looking(memory.MemorySink):
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


def test_rows_written_are_counted_per_stream(caplog: pytest.LogCaptureFixture) -> None:
    """As `record_count` metrics, whose sum is the rows that the sinks took."""
    caplog.set_level(logging.INFO)
    run(schema("a"), schema("b"), *[record(n, "a") for n in range(5)], schema("a", keys=()), record(5, "a"))
    points = [r.metric for r in caplog.records if hasattr(r, "metric")]
    counted = {stream: sum(p["value"] for p in points if p["tags"] == {"stream": stream}) for stream in "ab"}
    assert counted == {"a": 6, "b": 0}
