"""Whatever goes wrong, what came before is kept, no STATE is ahead of it, and everything is closed."""

import errno
import gc
import io
import json
import logging
import os
import signal
import threading
import time
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace
from typing import Any

import pytest

from singer_kit.cli.stop import Stop
from singer_kit.codec import encode_lines
from singer_kit.errors import DestinationError, InterruptedRunError, MessageError, RecordError, SettingsError

memory = SimpleNamespace(**run_path(str(Path(__file__).with_name("memory.py"))))
MemoryTarget, MemorySink, TransactionalTarget = memory.MemoryTarget, memory.MemorySink, memory.TransactionalTarget
schema, record, state, run, run_until_error = (
    memory.schema,
    memory.record,
    memory.state,
    memory.run,
    memory.run_until_error,
)


@pytest.mark.parametrize("kind", [MemoryTarget, TransactionalTarget])
def test_the_seconds_limit_works_while_no_input_comes(kind: Any) -> None:
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
def test_a_signal_drains_and_ends_with_its_error(kind: Any) -> None:
    """SIGTERM: what came is written and committed, its STATE printed, then `InterruptedRunError`."""
    reading, writing = os.pipe()
    stop = Stop()
    target = kind({})
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as tap:
        tap.write(encode_lines([schema(), record(1), state(1)]) + b'{"type":"RECORD","str')
        timer = threading.Timer(0.3, stop.request, [signal.SIGTERM])
        timer.start()
        with pytest.raises(InterruptedRunError) as caught:
            target.run(source, target.journal, stop=stop)
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
def test_what_came_before_a_bad_message_is_kept(kind: Any, bad: bytes) -> None:
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

    def failing(self: Any, *arguments: Any) -> None:
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

    def failing(self: Any) -> None:
        raise DestinationError("lost the connection")

    monkeypatch.setattr(TransactionalTarget, "commit", failing)
    journal, _ = run_until_error(DestinationError, schema(), record(1), state(1), target=TransactionalTarget)
    assert journal.durable == []
    assert journal.printed == []
    assert journal.kinds[-3:] == [("rollback",), ("close", "s"), ("closed",)]


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


@pytest.mark.parametrize("kind", [MemoryTarget, TransactionalTarget])
def test_bad_records_are_durable_before_a_state_covers_them(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A STATE that is printed, and one that is committed with the data: nobody reads them again."""
    path = tmp_path / "letters.jsonl"
    found: list[int] = []

    def look(*_: object) -> None:
        found.append(len(path.read_bytes().splitlines()))

    monkeypatch.setenv("SINGER_KIT_PIPELINE", "p")
    target = kind({"on_bad_record": "dead-letter", "dead_letter_path": str(path)})
    if kind is TransactionalTarget:
        monkeypatch.setattr(target, "commit", look)
    monkeypatch.setattr(target.journal, "write", look)
    target.run(io.BytesIO(encode_lines([schema(), record(1), record("x"), state(1)])), target.journal)
    assert found
    assert set(found) == {1}


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


def test_the_garbage_collector_is_put_back() -> None:
    """After a run, and after a failed one, it works as before."""
    run(schema(), record(1))
    run_until_error(MessageError, b"x\n")
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
