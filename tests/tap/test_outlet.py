"""Outlets: stream maps and BATCH files change where rows go, never which values they hold."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from singer_kit.codec import decode, encode
from singer_kit.errors import MapError, SettingsError

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "mail": {"type": ["string", "null"]},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "price": {"type": ["number", "null"]},
    },
}
ROWS = [
    {"id": n, "mail": f"{n}@x", "at": datetime(2024, 1, 1, n % 24, tzinfo=UTC), "price": Decimal(n) / 4, "stray": n}
    for n in range(1000)
]


def rows_of(batches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for batch in batches:
        for url in batch["manifest"]:
            data = Path(urlsplit(url).path).read_bytes()
            if batch["encoding"]["compression"] == "gzip":
                data = gzip.decompress(data)
            rows += [decode(line) for line in data.splitlines()]
    return rows


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"stream_maps": {"a": {"mail": None, "double": "id * 2", "__filter__": "id > 3"}}},
        {"stream_maps": {"a": {"__alias__": "b"}}},
        {"stream_maps": {"a": None}},
    ],
)
def test_batch_rows_are_record_rows(kit: Any, tmp_path: Path, compression: str, more: dict[str, Any]) -> None:
    """For any selection and maps, the files hold what RECORD messages would have held, and say how they are written."""
    stream = kit.stream("a", ROWS, schema=SCHEMA, primary_keys=["id"])
    config: dict[str, Any] = {
        **more,
        "batch_config": {
            "encoding": {"format": "jsonl", "compression": compression},
            "storage": {"root": tmp_path.as_uri(), "prefix": "p-"},
            "batch_size": 300,
        },
    }
    plain, batched = kit.run(stream, config=more), kit.run(stream, config=config)
    batches = batched.of("BATCH")
    assert rows_of(batches) == plain.records()
    assert batched.of("RECORD") == []
    assert batched.of("SCHEMA") == plain.of("SCHEMA")
    assert {batch["encoding"]["compression"] for batch in batches} <= {compression}
    assert all(Path(urlsplit(url).path).name.startswith("p-") for batch in batches for url in batch["manifest"])
    assert more or len(batches) == 4


def test_a_state_follows_the_files_it_covers(kit: Any, tmp_path: Path) -> None:
    """No STATE leaves while rows it covers wait for their file."""
    stream = kit.stream("a", [[row] for row in ROWS[:20]], schema=SCHEMA, replication_key="id", is_sorted=True)
    config = {"batch_config": {"storage": {"root": str(tmp_path)}, "batch_size": 7}}
    wire = kit.run(stream, config=config)
    rows = 0
    for message in wire.messages:
        if message["type"] == "BATCH":
            rows += len(rows_of([message]))
        elif message["type"] == "STATE":
            value = message["value"]["bookmarks"].get("a", {}).get("replication_key_value", -1)
            assert value < rows
    assert rows == 20


@pytest.mark.parametrize(
    "batch_config",
    [
        {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": "s3://bucket"}},
        {"encoding": {"format": "parquet"}, "storage": {"root": "/tmp"}},
        {"encoding": {"format": "jsonl"}},
    ],
)
def test_files_that_cannot_be_written_are_refused_at_once(kit: Any, batch_config: dict[str, Any]) -> None:
    """Before the first row is read."""

    def never(*_: Any) -> list[Any]:
        raise AssertionError

    with pytest.raises(SettingsError):
        kit.run(kit.stream("a", never), config={"batch_config": batch_config})


def test_maps_see_what_a_mapper_would_see(kit: Any) -> None:
    """Shaped rows: selected, plain JSON values, so that a tap's map and a stand-alone mapper agree."""
    config = {"stream_maps": {"a": {"kind": "type(at).__name__", "mail": "md5(mail)"}}}
    stream = kit.stream("a", ROWS[:2], schema=SCHEMA)
    try:
        records = kit.run(stream, config=config).records()
    except MapError:  # `type` is not among the functions: maps fail closed
        records = kit.run(stream, config={"stream_maps": {"a": {"mail": "md5(mail)"}}}).records()
    assert all(len(record["mail"]) == 32 and record["at"].endswith("Z") for record in records)
    assert "stray" not in records[0]


def test_copies_and_bookmarks(kit: Any) -> None:
    """A stream may go out several times; the bookmark is that of the source's rows, though a map hides the key."""
    config = {"stream_maps": {"a": {"at": None}, "copy": {"__source__": "a", "id": "id"}}}
    stream = kit.stream("a", ROWS[:3], schema=SCHEMA, replication_key="at")
    wire = kit.run(stream, config=config)
    assert len(wire.records("a")) == len(wire.records("copy")) == 3
    assert "at" not in wire.records("a")[0]
    assert wire.states[-1]["bookmarks"]["a"]["replication_key_value"] == "2024-01-01T02:00:00Z"
    assert "bookmark_properties" not in wire.of("SCHEMA", "a")[0]
    assert wire.of("SCHEMA", "copy")[0]["bookmark_properties"] == ["at"]


def test_flattening(kit: Any) -> None:
    """Nested objects become columns when asked for."""
    schema = {"type": "object", "properties": {"o": {"type": "object", "properties": {"a": {"type": "integer"}}}}}
    wire = kit.run(
        kit.stream("a", [{"o": {"a": 1}}], schema=schema),
        config={"flattening_enabled": True, "flattening_max_depth": 1},
    )
    assert encode(wire.records()) == b'[{"o__a":1}]'


def test_a_removed_stream_is_not_read(kit: Any) -> None:
    """A map that leaves nothing of a stream spares its source; its children are read all the same."""

    def never(*_: Any) -> list[Any]:
        raise AssertionError

    config = {"stream_maps": {"a": None}}
    assert [message["type"] for message in kit.run(kit.stream("a", never), config=config).messages] == ["STATE"]
    parent = kit.stream("a", [{"id": 7}], child_keys={"id": "id"})
    child = kit.stream("b", lambda _, part: [{}], parent_stream_type=parent)
    assert kit.run(parent, child, config=config).records() == [{"id": 7}]
