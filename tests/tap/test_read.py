"""The loop: from partitions to messages, parents to children, failures to exit codes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from singer_kit.cli.stop import Stop
from singer_kit.codec import decode
from singer_kit.errors import (
    CatalogError,
    ExitCode,
    InterruptedRunError,
    SchemaError,
    SourceError,
    SourceRecordError,
)
from singer_kit.tap.stream import Stream


class Arrow:
    """As much of an Arrow record batch as a page needs."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows
        self.num_rows = len(rows)

    def slice(self, offset: int, length: int) -> "Arrow":
        return Arrow(self._rows[offset : offset + length])

    def to_pylist(self) -> list[dict[str, Any]]:
        return self._rows


def at(day: int, month: int = 1, year: int = 2024) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def bookmark(state: dict[str, Any], stream: str) -> Any:
    return state["bookmarks"].get(stream, {}).get("replication_key_value")


def test_the_order_of_messages(kit: Any) -> None:
    """SCHEMA, then records, then a final STATE; bookmark properties are named."""
    wire = kit.run(kit.stream("a", [{"id": 1, "updated_at": at(1)}], primary_keys=["id"], replication_key="updated_at"))
    kinds = [message["type"] for message in wire.messages]
    assert kinds[:2] == ["SCHEMA", "RECORD"]
    assert set(kinds[2:]) == {"STATE"}
    schema = wire.messages[0]
    assert (schema["key_properties"], schema["bookmark_properties"]) == (["id"], ["updated_at"])
    assert wire.messages[1]["time_extracted"].endswith("Z")
    assert wire.states[-1] == {
        "bookmarks": {"a": {"replication_key": "updated_at", "replication_key_value": "2024-01-01T00:00:00Z"}}
    }


def test_an_empty_stream_has_its_schema(kit: Any) -> None:
    """A selected stream without rows is announced all the same, and the run ends with a STATE."""
    wire = kit.run(kit.stream("a", []))
    assert [message["type"] for message in wire.messages] == ["SCHEMA", "STATE"]


@pytest.mark.parametrize(
    "shape",
    [
        lambda rows: rows,
        lambda rows: [rows[:2], tuple(rows[2:])],
        lambda rows: [rows[0], rows[1:]],
        lambda rows: [iter(rows)],
        lambda rows: [Arrow(rows[:3]), *rows[3:]],
        Arrow,
    ],
)
def test_rows_pages_and_arrow_batches_are_one(kit: Any, shape: Any) -> None:
    """Whatever get_records gives, the records are the same, in order."""
    rows = [{"id": number} for number in range(5)]
    stream = kit.stream("a", lambda *_: shape(rows))
    assert kit.run(stream).records() == rows


def test_get_records_may_give_nothing(kit: Any) -> None:
    """None is no rows."""
    assert kit.run(kit.stream("a", lambda *_: None)).records() == []


def test_post_process_changes_and_drops(kit: Any) -> None:
    """It is called for each row, with the partition; None drops the row."""
    stream = kit.stream(
        "a", [{"id": 1}, {"id": 2}], post_process=lambda _, row, part: {"id": row["id"] * 10} if row["id"] > 1 else None
    )
    assert kit.run(stream).records() == [{"id": 20}]


def test_partitions_in_every_spelling(kit: Any) -> None:
    """A list, a property or a method; duplicates are read once; values the schema knows are filled in."""
    parts = [{"repo": "a"}, {"repo": "b"}, {"repo": "a"}]
    for spelling in (parts, property(lambda _: parts), lambda _: parts):
        wire = kit.run(kit.stream("a", lambda _, part: [{"id": ord(part["repo"])}], partitions=spelling))
        assert wire.records() == [{"id": 97, "repo": "a"}, {"id": 98, "repo": "b"}]


def test_parents_are_read_once_and_schemas_written_once(kit: Any) -> None:
    """Children follow each page of their parent, grandchildren theirs, with the keys that were passed."""
    reads: list[str] = []
    child_row = {"type": "object", "properties": {"id": {"type": "integer"}, "parent": {"type": "integer"}}}

    def parents(*_: Any) -> Iterator[dict[str, Any]]:
        reads.append("parent")
        yield from ({"id": number} for number in range(3))

    parent = kit.stream("parent", parents, child_keys={"id": "parent"})
    child = kit.stream(
        "child", lambda _, part: [{"id": part["parent"] * 10 + n} for n in range(2)],
        parent_stream_type=parent, schema=child_row, child_keys={"id": "parent"},
    )  # fmt: skip
    grandchild = kit.stream(
        "grandchild", lambda _, part: [{"id": part["parent"] + 100}], parent_stream_type=child, schema=child_row
    )
    wire = kit.run(grandchild, child, parent)
    assert reads == ["parent"]
    assert [schema["stream"] for schema in wire.of("SCHEMA")] == ["parent", "child", "grandchild"]
    assert wire.records("child") == [{"id": p * 10 + n, "parent": p} for p in range(3) for n in range(2)]
    assert [record["id"] for record in wire.records("grandchild")] == [
        p * 10 + n + 100 for p in range(3) for n in range(2)
    ]


def test_a_deselected_parent_is_read_for_its_children(kit: Any) -> None:
    """Its rows stay away, and its children come."""
    parent = kit.stream("parent", [{"id": 1}, {"id": 2}], selected_by_default=False, child_keys={"id": "repo"})
    child = kit.stream(
        "child", lambda _, part: [{"id": part["repo"]}], parent_stream_type=parent,
        schema={"type": "object", "properties": {"id": {"type": "integer"}}},
    )  # fmt: skip
    wire = kit.run(parent, child)
    assert [schema["stream"] for schema in wire.of("SCHEMA")] == ["child"]
    assert wire.records() == [{"id": 1}, {"id": 2}]


def test_a_stream_nobody_selected_is_not_read(kit: Any) -> None:
    """Neither it nor a parent that only it needs."""

    def never(*_: Any) -> list[Any]:
        raise AssertionError

    parent = kit.stream("parent", never, selected_by_default=False)
    child = kit.stream("child", never, selected_by_default=False, parent_stream_type=parent)
    assert [m["type"] for m in kit.run(parent, child).messages] == ["STATE"]


def test_child_contexts_may_be_none_or_several(kit: Any) -> None:
    """None skips a record's children, a list reads each."""
    contexts: dict[int, Any] = {1: None, 2: [{"repo": "x"}, {"repo": "y"}]}
    parent = kit.stream("parent", [{"id": 1}, {"id": 2}], get_child_context=lambda _, row, part: contexts[row["id"]])
    child = kit.stream("child", [{"id": 1}], parent_stream_type=parent)
    assert [record["repo"] for record in kit.run(parent, child).records("child")] == ["x", "y"]


def test_the_parent_s_bookmark_waits_for_its_children(kit: Any) -> None:
    """When a child fails, the next run reads its parent's record again."""
    fails = [True]

    def lines(_: Stream, part: Any) -> list[dict[str, Any]]:
        if part["repo"] == "2" and fails[0]:
            raise SourceError("The source is gone.")
        return [{"id": int(part["repo"])}]

    rows = [{"id": n, "updated_at": at(n)} for n in (1, 2, 3)]
    parent = kit.stream(
        "parent", lambda _, part: [[row] for row in rows if row["updated_at"] >= (part.bookmark or at(1))],
        replication_key="updated_at", is_sorted=True,
        get_child_context=lambda _, row, part: {"repo": str(row["id"])},
    )  # fmt: skip
    child = kit.stream("child", lines, parent_stream_type=parent)
    for policy in ("abort", "continue"):
        fails[0] = True
        wire = kit.Wire()
        with pytest.raises(SourceError):
            kit.run(parent, child, wire=wire, config={"on_failure": policy})
        assert bookmark(wire.states[-1], "parent") == "2024-01-01T00:00:00Z"
        fails[0] = False
        resumed = kit.run(parent, child, state=wire.states[-1])
        assert {2, 3} <= {record["id"] for record in resumed.records("child")}


def test_ignoring_the_parent_s_bookmark_reads_it_whole(kit: Any) -> None:
    """A child may ask for all of its parent's rows in every run."""
    seen: list[Any] = []

    def parents(_: Stream, part: Any) -> list[dict[str, Any]]:
        seen.append(part.bookmark)
        return [{"id": 1, "updated_at": at(1)}]

    parent = kit.stream("parent", parents, replication_key="updated_at")
    child = kit.stream("child", [{"id": 1}], parent_stream_type=parent, ignore_parent_replication_key=True)
    state = kit.run(parent, child).states[-1]
    kit.run(parent, child, state=state)
    assert seen == [None, None]


@pytest.mark.parametrize("is_cycle", [False, True])
def test_a_parent_that_is_not_there_is_named(kit: Any, is_cycle: bool) -> None:
    """As are streams that are each other's parents."""
    a = kit.stream("a", [])
    b = kit.stream("b", [], parent_stream_type=a)
    a.parent_stream_type = b if is_cycle else None
    with pytest.raises(SchemaError, match="each other's parents" if is_cycle else "no stream of this tap"):
        kit.run(*((a, b) if is_cycle else (b,)))


def test_a_failing_stream_stops_the_run_or_not(kit: Any) -> None:
    """`abort` ends at once, `continue` reads the others; both fail, and name what failed."""

    def broken(*_: Any) -> Iterator[dict[str, Any]]:
        yield {"id": 1}
        raise SourceError("The source is gone.")

    streams = (kit.stream("a", broken), kit.stream("b", [{"id": 2}]))
    wire = kit.Wire()
    with pytest.raises(SourceError, match="The source is gone"):
        kit.run(*streams, wire=wire)
    assert wire.records() == [{"id": 1}]
    assert wire.states[-1]["currently_syncing"] == "a"

    for config, on_failure in (
        ({"on_failure": "continue"}, "abort"),
        ({"on_failure": {"a": "continue"}}, "abort"),
        ({}, "continue"),
    ):
        streams[0].on_failure = on_failure
        wire = kit.Wire()
        with pytest.raises(SourceError, match="1 stream failed: a") as caught:
            kit.run(*streams, wire=wire, config=config)
        assert caught.value.exit_code == ExitCode.SOURCE
        assert wire.records() == [{"id": 1}, {"id": 2}]
        assert "currently_syncing" not in wire.states[-1]


def test_a_failing_partition_does_not_hide_the_next(kit: Any) -> None:
    """With `continue` every other partition is read, and only the failed one begins again."""

    def rows(_: Stream, part: Any) -> list[dict[str, Any]]:
        if part["repo"] == "b":
            raise SourceError("Gone.")
        return [{"id": 1, "updated_at": at(5)}]

    stream = kit.stream(
        "a", rows, partitions=[{"repo": r} for r in "abc"], replication_key="updated_at", on_failure="continue"
    )
    wire = kit.Wire()
    with pytest.raises(SourceError):
        kit.run(stream, wire=wire)
    saved = [entry["context"]["repo"] for entry in wire.states[-1]["bookmarks"]["a"]["partitions"]]
    assert saved == ["a", "c"]


def test_a_failure_holds_back_a_bookmark_that_partitions_share(kit: Any) -> None:
    """What the failed partition lacks may lie before what the others gave."""

    def rows(_: Stream, part: Any) -> list[dict[str, Any]]:
        if part["repo"] == "b":
            raise SourceError("Gone.")
        return [{"id": 1, "updated_at": at(5)}]

    more = {"partitions": [{"repo": r} for r in "abc"], "state_partitioning_keys": (), "on_failure": "continue"}
    wire = kit.Wire()
    with pytest.raises(SourceError):
        kit.run(kit.stream("a", rows, replication_key="updated_at", **more), wire=wire)
    assert "a" not in wire.states[-1]["bookmarks"]


def test_a_failed_child_holds_back_the_bookmark_of_an_unsorted_parent(kit: Any) -> None:
    """Also when its page came after one with later rows: the parent's row must come again."""

    def children(_: Stream, part: Any) -> list[dict[str, Any]]:
        if part["id"] == 2:
            raise SourceError("Gone.")
        return [{"id": part["id"]}]

    pages = [[{"id": 1, "updated_at": at(9)}], [{"id": 2, "updated_at": at(3)}], [{"id": 3, "updated_at": at(4)}]]
    parent = kit.stream("a", pages, replication_key="updated_at", primary_keys=("id",))
    child = kit.stream("b", children, parent_stream_type=parent, on_failure="continue")
    wire = kit.Wire()
    with pytest.raises(SourceError):
        kit.run(parent, child, wire=wire)
    assert [record["id"] for record in wire.records("b")] == [1, 3]
    assert "a" not in wire.states[-1]["bookmarks"]


def test_partitions_that_cannot_be_listed_are_a_failure(kit: Any) -> None:
    """Of the stream, under its policy, after the partitions that came before."""

    def parts(_: Stream) -> Iterator[dict[str, Any]]:
        yield {"repo": "a"}
        raise SourceError("No list.")

    streams = (kit.stream("a", [{"id": 1}], partitions=parts), kit.stream("b", [{"id": 2}]))
    wire = kit.Wire()
    with pytest.raises(SourceError, match="1 stream failed: a"):
        kit.run(*streams, wire=wire, config={"on_failure": "continue"})
    assert [record["id"] for record in wire.records()] == [1, 2]


def test_a_bad_record_stops_after_the_good_ones(kit: Any) -> None:
    """Those before it are written, the state covers just them, the error names it."""
    rows = [{"id": n, "updated_at": at(n)} for n in (1, 2)] + [
        {"id": "x", "updated_at": at(3)},
        {"id": 4, "updated_at": at(4)},
    ]
    wire = kit.Wire()
    with pytest.raises(SourceRecordError, match="stream 'a', record 3: 'id' is a string"):
        kit.run(kit.stream("a", rows, replication_key="updated_at", is_sorted=True), wire=wire)
    assert [record["id"] for record in wire.records()] == [1, 2]
    assert bookmark(wire.states[-1], "a") == "2024-01-02T00:00:00Z"


def test_bad_records_may_go_to_a_file(kit: Any, tmp_path: Path) -> None:
    """The others pass; the file says which, why and what; beyond the limit the run ends."""
    path = tmp_path / "bad.jsonl"
    config = {"on_bad_record": "dead-letter", "dead_letter_path": str(path)}
    rows = [{"id": 1}, {"id": "x"}, {"id": 3}, {"id": datetime(2024, 1, 1)}, {"id": 5}]  # noqa: DTZ001
    assert [record["id"] for record in kit.run(kit.stream("a", rows), config=config).records()] == [1, 3, 5]
    letters = [decode(line) for line in path.read_bytes().splitlines()]
    assert [(letter["stream"], letter["record_number"]) for letter in letters] == [("a", 2), ("a", 4)]
    assert letters[0]["record"] == {"id": "x"}
    assert "is a string" in letters[0]["reason"]
    with pytest.raises(SourceRecordError):
        kit.run(kit.stream("a", rows), config={**config, "dead_letter_limit": 1})


def test_a_missing_replication_key_is_named(kit: Any) -> None:
    """An incremental stream's record without it is an error; null is allowed where rows are not sorted."""
    stream = kit.stream("a", [{"id": 1, "updated_at": None}, {"id": 2}], replication_key="updated_at")
    with pytest.raises(SourceRecordError, match="record 2: the replication key 'updated_at' is missing"):
        kit.run(stream)


def test_an_unsorted_row_in_a_sorted_stream_is_refused_before_it_leaves(kit: Any) -> None:
    """Nothing of its page is written, so no bookmark can hide rows."""
    pages = [[{"id": 1, "updated_at": at(1)}], [{"id": 2, "updated_at": at(3)}, {"id": 3, "updated_at": at(2)}]]
    wire = kit.Wire()
    with pytest.raises(SourceRecordError, match="record 3: 'updated_at' is earlier"):
        kit.run(kit.stream("a", pages, replication_key="updated_at", is_sorted=True), wire=wire)
    assert [record["id"] for record in wire.records()] == [1]
    assert bookmark(wire.states[-1], "a") == "2024-01-01T00:00:00Z"


def test_versions_come_last_and_only_for_whole_tables(kit: Any) -> None:
    """ACTIVATE_VERSION follows all records of its version; a stream that failed or is incremental has none."""

    def broken(*_: Any) -> Iterator[dict[str, Any]]:
        yield {"id": 1}
        raise SourceError("Gone.")

    config = {"emit_activate_version_messages": True, "on_failure": "continue"}
    wire = kit.Wire()
    with pytest.raises(SourceError):
        kit.run(
            kit.stream("full", [{"id": 1}, {"id": 2}]), kit.stream("empty", []), kit.stream("broken", broken),
            kit.stream("incremental", [{"id": 1, "updated_at": at(1)}], replication_key="updated_at"),
            wire=wire, config=config,
        )  # fmt: skip
    assert [message["stream"] for message in wire.of("ACTIVATE_VERSION")] == ["full", "empty"]
    (version,) = {message["version"] for message in wire.of("ACTIVATE_VERSION")}
    assert {message.get("version") for message in wire.of("RECORD", "full")} == {version}
    assert {message.get("version") for message in wire.of("RECORD", "incremental")} == {None}
    kinds = [(m["type"], m.get("stream")) for m in wire.messages]
    assert kinds.index(("ACTIVATE_VERSION", "full")) > max(i for i, k in enumerate(kinds) if k == ("RECORD", "full"))


def test_a_child_of_an_incremental_parent_has_no_version(kit: Any) -> None:
    """Only the children of what changed were read: the others must not vanish."""
    parent = kit.stream("parent", [{"id": 1, "updated_at": at(1)}], replication_key="updated_at")
    child = kit.stream("child", [{"id": 1}], parent_stream_type=parent)
    wire = kit.run(parent, child, config={"emit_activate_version_messages": True})
    assert wire.of("ACTIVATE_VERSION") == []


def test_a_stop_ends_between_pages_with_the_last_safe_state(kit: Any) -> None:
    """The pages before it are written and covered, and the run is an interrupted one."""
    stop = Stop()

    def rows(*_: Any) -> Iterator[list[dict[str, Any]]]:
        yield [{"id": 1, "updated_at": at(1)}]
        stop.request(15)
        yield [{"id": 2, "updated_at": at(2)}]

    wire = kit.Wire()
    with pytest.raises(InterruptedRunError):
        kit.run(kit.stream("a", rows, replication_key="updated_at", is_sorted=True), wire=wire, stop=stop)
    assert [record["id"] for record in wire.records()] == [1]
    assert bookmark(wire.states[-1], "a") == "2024-01-01T00:00:00Z"


def test_a_test_reads_one_record_of_each_stream(kit: Any) -> None:
    """And takes no more from the source than it has to."""
    taken: list[int] = []

    def rows(*_: Any) -> Iterator[list[dict[str, Any]]]:
        for number in range(100):
            taken.append(number)
            yield [{"id": number}]

    parent = kit.stream("a", rows, child_keys={"id": "repo"}, schema=kit.ROW)
    wire = kit.run(parent, kit.stream("b", rows), limit=1)
    assert len(wire.records("a")) == len(wire.records("b")) == 1
    assert len(taken) < 40


def test_streams_keep_nothing_of_a_run(kit: Any) -> None:
    """No attribute of a stream is written after it was made."""
    stream = kit.stream(
        "a",
        [{"id": 1, "updated_at": at(1)}],
        partitions=[{"repo": "x"}],
        replication_key="updated_at",
        primary_keys=("id",),
    )
    tap = kit.tap(stream)({"start_date": "2020-01-01"})
    (made,) = tap.made_streams()
    before = dict(vars(made))
    tap.run(kit.Wire())
    assert vars(made) == before


def test_close_is_called_once_also_after_an_error(kit: Any) -> None:
    """Connections are let go of."""
    closed: list[str] = []

    def broken(*_: Any) -> list[Any]:
        raise SourceError("Gone.")

    with pytest.raises(SourceError):
        kit.run(kit.stream("a", broken, close=lambda self: closed.append(self.name)))
    assert closed == ["a"]


def test_words_of_the_meltano_sdk(kit: Any) -> None:
    """Code that took the Meltano SDK's `context` goes on working: falsy without partitions, start values by name."""
    seen: list[Any] = []

    def rows(self: Stream, context: Any) -> list[Any]:
        seen.append(
            (bool(context), self.get_starting_replication_key_value(context), self.get_starting_timestamp(context))
        )
        return []

    kit.run(kit.stream("a", rows, replication_key="updated_at"), config={"start_date": "2024-01-05"})
    assert seen == [(False, "2024-01-05T00:00:00Z", at(5))]


def test_a_catalog_that_selects_strangers_is_refused(kit: Any) -> None:
    """A selected stream that the tap does not have is named."""
    catalog = {
        "streams": [
            {"tap_stream_id": "z", "schema": kit.ROW, "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]}
        ]
    }
    with pytest.raises(CatalogError, match="'z'"):
        kit.run(kit.stream("a", []), catalog=catalog)
