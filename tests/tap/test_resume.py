"""State: what a run saves, what the next one does with it, and what that costs."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.cli.stop import Stop
from singer_kit.codec import encode
from singer_kit.errors import SettingsError, SourceError, StateError
from singer_kit.tap.discovery import plan_streams
from singer_kit.tap.read import Reading
from singer_kit.tap.stream import Stream


def at(day: int, month: int = 1, year: int = 2024) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def test_each_partition_keeps_a_bookmark(kit: Any) -> None:
    """Bookmarks of partitions do not mix, and come back typed in the next run."""
    seen: list[Any] = []

    def rows(_: Stream, part: Any) -> list[dict[str, Any]]:
        seen.append(part.bookmark)
        return [{"id": 1, "updated_at": at(ord(part["repo"]) - 96)}]

    stream = kit.stream("a", rows, partitions=[{"repo": "a"}, {"repo": "b"}], replication_key="updated_at")
    state = kit.run(stream).states[-1]
    kit.run(stream, state=state)
    assert seen == [None, None, at(1), at(2)]
    assert [entry["context"] for entry in state["bookmarks"]["a"]["partitions"]] == [{"repo": "a"}, {"repo": "b"}]


def test_a_resumed_run_begins_where_the_last_one_was(kit: Any) -> None:
    """`currently_syncing` turns the order of the streams, and is gone at the end."""
    streams = [kit.stream(name, [{"id": 1}]) for name in "abc"]
    wire = kit.run(*streams, state={"bookmarks": {}, "currently_syncing": "b"})
    assert [message["stream"] for message in wire.of("SCHEMA")] == ["b", "c", "a"]
    assert "currently_syncing" not in wire.states[-1]


def test_the_input_state_is_never_lost(kit: Any) -> None:
    """Bookmarks of other streams, unknown members and foreign shapes stay."""
    state = {"bookmarks": {"other": {"lsn": 7}, "a": {"mine": 1}}, "mine": {"x": 1}}
    final = kit.run(kit.stream("a", [{"id": 1}]), state=state).states[-1]
    assert final == state


def test_states_of_older_shapes_are_migrated(kit: Any) -> None:
    """`migrate_state` sees the input state once, and what it gives is what counts."""
    seen: list[Any] = []

    def rows(_: Stream, part: Any) -> list[Any]:
        seen.append(part.bookmark)
        return []

    tap = kit.tap(
        kit.stream("a", rows, replication_key="updated_at"),
        migrate_state=lambda _, state: {"bookmarks": {"a": {"updated_at": state["a"]}}},
    )
    tap({}, state={"a": "2024-01-05"}).run(kit.Wire())
    assert seen == [at(5)]


def test_a_state_that_is_none_is_refused(kit: Any) -> None:
    """With the exit code of states."""
    stream = kit.stream("a", [{"id": 1, "updated_at": at(1)}], replication_key="updated_at")
    with pytest.raises(StateError):
        kit.run(stream, state={"bookmarks": [1]})
    with pytest.raises(StateError, match="'a': its bookmark in the state is not an instant"):
        kit.run(stream, state={"bookmarks": {"a": {"replication_key": "updated_at", "replication_key_value": "soon"}}})


def test_a_bookmark_of_another_key_is_left(kit: Any, caplog: pytest.LogCaptureFixture) -> None:
    """When the replication key changed, the stream is read from its beginning, and the log says so."""
    seen: list[Any] = []
    stream = kit.stream(
        "a",
        lambda _, part: seen.append(part.bookmark) or [{"id": 1, "updated_at": at(1)}],
        replication_key="updated_at",
    )
    with caplog.at_level(logging.WARNING):
        kit.run(stream, state={"bookmarks": {"a": {"replication_key": "id", "replication_key_value": 7}}})
    assert seen == [None]
    assert "not of 'updated_at'" in caplog.text


@pytest.mark.parametrize(
    ("kind", "saved", "row", "later"),
    [
        ({"type": "integer"}, "9", 10, 10),
        ({"type": "integer"}, "9", 8, 9),
        ({"type": "string", "format": "date-time"}, "2024-01-01T00:00", "2024-01-02T00:00:00Z", "2024-01-02T00:00:00Z"),
        ({"type": "string", "format": "date"}, "2024-01-01T00:00", "2024-01-02", "2024-01-02"),
    ],
)
def test_a_bookmark_that_another_tap_spelt_its_way_moves(kit: Any, kind: Any, saved: Any, row: Any, later: Any) -> None:
    """A number as text, an instant without seconds: its order is that of what it means."""
    schema = {"type": "object", "properties": {"k": kind}}
    stream = kit.stream("a", [{"k": row}], schema=schema, replication_key="k")
    state = {"bookmarks": {"a": {"replication_key": "k", "replication_key_value": saved}}}
    assert kit.run(stream, state=state).states[-1]["bookmarks"]["a"]["replication_key_value"] == later


def test_start_date_lookback_and_end_date(kit: Any) -> None:
    """Bounds are typed; the state wins over start_date, lookback goes before the state's bookmark."""
    seen: list[Any] = []
    stream = kit.stream("a", lambda _, part: seen.append((part.bookmark, part.end)) or [], replication_key="updated_at")
    state = {
        "bookmarks": {"a": {"replication_key": "updated_at", "replication_key_value": "2024-02-10T01:00:00+01:00"}}
    }
    config = {"start_date": "2024-01-05", "end_date": "2024-03-01T00:00:00Z"}
    kit.run(stream, config=config)
    kit.run(stream, config={**config, "lookback": "P1D"})
    kit.run(stream, config={**config, "lookback": "P1D"}, state=state)
    assert seen == [(at(5), at(1, 3)), (at(5), at(1, 3)), (at(9, 2), at(1, 3))]
    with pytest.raises(SettingsError, match="start_date"):
        kit.run(stream, config={"start_date": "yesterday"})


# Laws

sources = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), min_size=1, max_size=60)


def source_stream(
    kit: Any, rows: list[tuple[str, int]], *, is_sorted: bool, fail_after: int | None, **more: Any
) -> Any:
    """Rows (partition, minute) of a source that filters by bookmark and breaks after so many."""
    left = [fail_after]

    def get(_: Stream, part: Any) -> Iterator[dict[str, Any]]:
        mine = [(minute, number) for number, (repo, minute) in enumerate(rows) if repo == part.get("repo", repo)]
        for minute, number in sorted(mine) if is_sorted else mine:
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    raise SourceError("The source broke.")
            when = at(1) + timedelta(minutes=minute)
            if part.bookmark is None or when >= part.bookmark:
                yield {"id": number, "updated_at": when}

    return kit.stream("s", get, replication_key="updated_at", is_sorted=is_sorted, **more)


@settings(max_examples=120, deadline=None)
@given(sources, st.booleans(), st.booleans(), st.integers(0, 60), st.booleans())
def test_resuming_from_any_state_loses_nothing(
    kit: Any, rows: list[tuple[str, int]], is_sorted: bool, is_partitioned: bool, fail_after: int, is_shared: bool
) -> None:
    """From every STATE of a run, broken or not: what came before it and what the next run reads is the whole source."""
    more: dict[str, Any] = {"partitions": [{"repo": repo} for repo in "abc"]} if is_partitioned else {}
    if is_shared:
        more["state_partitioning_keys"] = ()
    wire = kit.Wire()
    with suppress(SourceError):
        kit.run(source_stream(kit, rows, is_sorted=is_sorted, fail_after=fail_after, **more), wire=wire)
    written: set[int] = set()
    everything = set(range(len(rows)))
    for message in wire.messages:
        if message["type"] == "RECORD":
            written.add(message["record"]["id"])
        elif message["type"] == "STATE":
            whole = source_stream(kit, rows, is_sorted=is_sorted, fail_after=None, **more)
            resumed = {record["id"] for record in kit.run(whole, state=message["value"]).records()}
            assert written | resumed == everything


@settings(max_examples=50, deadline=None)
@given(sources, st.permutations("abc"))
def test_the_order_of_partitions_does_not_matter(kit: Any, rows: list[tuple[str, int]], order: list[str]) -> None:
    """The same records and the same bookmarks, in whichever order they are read."""

    def outcome(names: Any) -> Any:
        parts = [{"repo": repo} for repo in names]
        wire = kit.run(source_stream(kit, rows, is_sorted=True, fail_after=None, partitions=parts))
        found = wire.states[-1]["bookmarks"].get("s", {}).get("partitions", [])
        return sorted(map(encode, wire.records())), sorted(map(encode, found))

    assert outcome("abc") == outcome(order)


@pytest.mark.parametrize("is_sorted", [True, False])
@pytest.mark.parametrize("parts", [1, 3000])
def test_states_cost_little(kit: Any, is_sorted: bool, parts: int) -> None:
    """Their bytes: at most a tenth of the records' or four times the final state, with one partition or thousands."""
    total = 6000

    def rows(_: Stream, part: Any) -> Iterator[dict[str, Any]]:
        for number in range(total // parts):
            yield {"id": number, "updated_at": at(1) + timedelta(minutes=number), "repo": "r" * 40}

    stream = kit.stream(
        "s", rows, replication_key="updated_at", is_sorted=is_sorted, partitions=[{"n": n} for n in range(parts)]
    )
    wire = kit.run(stream)
    lines = wire.getvalue().splitlines()
    state_bytes = sum(len(line) for line in lines if line.startswith(b'{"type":"STATE"'))
    record_bytes = sum(len(line) for line in lines if line.startswith(b'{"type":"RECORD"'))
    assert len(wire.records()) == total
    assert state_bytes <= max(record_bytes / 10, 4 * len(lines[-1]))
    assert lines[-1].startswith(b'{"type":"STATE"')


def test_a_state_leaves_every_minute(kit: Any) -> None:
    """While rows flow and the bookmark moves, no minute passes without one, however large it is."""
    now = [0.0]

    def rows(_: Stream, part: Any) -> Iterator[list[dict[str, Any]]]:
        for number in range(30):
            now[0] += 20.0
            yield [{"id": number, "updated_at": at(1) + timedelta(minutes=number)}]

    stream = kit.stream("s", rows, replication_key="updated_at", is_sorted=True)
    state = {"bookmarks": {"other": {"large": "x" * 100_000}}}
    tap = kit.tap(stream)({}, state=state)
    wire = kit.Wire()
    plans = plan_streams(tap.made_streams(), tap.catalog, None)
    Reading(plans, tap.config, state, wire, stop=Stop(), clock=lambda: now[0]).read()
    since = 0
    for message in wire.messages:
        since = 0 if message["type"] == "STATE" else since + 1
        assert since <= 3


def test_a_future_row_moves_no_partition_past_now(kit: Any) -> None:
    """Every shape of partition: none, flat, shared, sorted or not."""
    rows = [{"id": 1, "updated_at": at(1, year=2023)}, {"id": 2, "updated_at": at(1, year=2190)}]
    for is_sorted in (True, False):
        for more in (
            {},
            {"partitions": [{"repo": "a"}]},
            {"partitions": [{"repo": "a"}], "state_partitioning_keys": ()},
        ):
            state = kit.run(kit.stream("s", rows, replication_key="updated_at", is_sorted=is_sorted, **more)).states[-1]
            node = state["bookmarks"]["s"]
            value = (node.get("partitions") or [node])[0]["replication_key_value"]
            assert "2023" < value < "2190"
            assert value < datetime.now(UTC).isoformat()


def test_an_unsorted_stream_moves_only_at_its_end(kit: Any) -> None:
    """No STATE of the run holds more than the state it began with, but the last."""
    pages = [[{"id": n, "updated_at": at(n)}] for n in range(1, 20)]
    wire = kit.run(kit.stream("s", pages, replication_key="updated_at"))
    values = [state["bookmarks"].get("s", {}).get("replication_key_value") for state in wire.states]
    assert values[-1] == "2024-01-19T00:00:00Z"
    assert set(values[:-1]) <= {None, values[-1]}
