"""Discovery and selection: what a tap says it has, and what a catalog chooses of it."""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

import pytest

from singer_kit.errors import CatalogError, SchemaError
from singer_kit.spec.catalog import Catalog
from singer_kit.tap.tap import Tap

NESTED = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "owner": {"type": ["object", "null"], "properties": {"login": {"type": "string"}, "mail": {"type": "string"}}},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"sku": {"type": "string"}, "cost": {"type": "number"}}},
        },
    },
    "required": ["id"],
}
ROWS = [
    {
        "id": 1, "name": "n", "at": datetime(2024, 1, 1, tzinfo=UTC), "owner": {"login": "l", "mail": "m"},
        "lines": [{"sku": "s", "cost": 1.5}],
    }
]  # fmt: skip


def tap_of(kit: Any, **attributes: Any) -> Tap:
    stream = kit.stream("a", ROWS, schema=NESTED, primary_keys=["id"], **attributes)
    made: Tap = kit.tap(stream)({})
    return made


def chosen(catalog: dict[str, Any], **verdicts: bool) -> dict[str, Any]:
    """The catalog with some fields (dots as double underscores) selected or not."""
    catalog = copy.deepcopy(catalog)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            path = "__".join(step for step in item["breadcrumb"] if step not in ("properties", "items"))
            if path in verdicts:
                item["metadata"]["selected"] = verdicts[path]
            elif not path:
                item["metadata"]["selected"] = True
    return catalog


def test_the_catalog_has_full_metadata(kit: Any) -> None:
    """A breadcrumb for every field at every depth, with its inclusion; keys are automatic."""
    (entry,) = tap_of(kit, replication_key="at").catalog.to_json()["streams"]
    metadata = {tuple(item["breadcrumb"]): item["metadata"] for item in entry["metadata"]}
    assert metadata[()] == {
        "inclusion": "available", "selected-by-default": True, "table-key-properties": ["id"],
        "forced-replication-method": "INCREMENTAL", "valid-replication-keys": ["at"],
    }  # fmt: skip
    assert metadata[("properties", "id")]["inclusion"] == "automatic"
    assert metadata[("properties", "at")]["inclusion"] == "automatic"
    assert metadata[("properties", "lines", "items", "properties", "cost")]["inclusion"] == "available"
    assert len(metadata) == 10
    assert (entry["tap_stream_id"], entry["stream"], entry["schema"]) == ("a", "a", NESTED)


def test_a_discovered_catalog_comes_back(kit: Any) -> None:
    """Unchanged but for `selected`, it gives the same messages as no catalog."""
    catalog = chosen(tap_of(kit).catalog.to_json())
    assert Catalog.from_json(catalog).to_json() == catalog
    stream = kit.stream("a", ROWS, schema=NESTED, primary_keys=["id"])
    assert kit.run(stream, catalog=catalog).records() == kit.run(stream).records()
    assert kit.run(stream, catalog=catalog).of("SCHEMA") == kit.run(stream).of("SCHEMA")


def test_deselected_fields_are_in_neither_schema_nor_record(kit: Any) -> None:
    """At every depth; automatic fields stay whatever is said."""
    stream = kit.stream("a", ROWS, schema=NESTED, primary_keys=["id"], replication_key="at")
    catalog = chosen(
        tap_of(kit, replication_key="at").catalog.to_json(),
        id=False, at=False, name=False, owner__mail=False, lines__cost=False,
    )  # fmt: skip
    wire = kit.run(stream, catalog=catalog)
    assert wire.records() == [{"id": 1, "at": "2024-01-01T00:00:00Z", "owner": {"login": "l"}, "lines": [{"sku": "s"}]}]
    properties = wire.of("SCHEMA")[0]["schema"]["properties"]
    assert set(properties) == {"id", "at", "owner", "lines"}
    assert set(properties["owner"]["properties"]) == {"login"}


def test_a_stream_that_the_catalog_lacks_or_deselects_is_not_read(kit: Any) -> None:
    """With a catalog, what is not selected stays away."""
    stream = kit.stream("a", ROWS, schema=NESTED)
    catalog = tap_of(kit).catalog.to_json()
    assert kit.run(stream, catalog={"streams": []}).of("SCHEMA") == []
    assert kit.run(stream, catalog=chosen(catalog) | {"streams": []}).of("SCHEMA") == []
    deselected = copy.deepcopy(catalog)
    deselected["streams"][0]["metadata"][0]["metadata"]["selected"] = False
    assert kit.run(stream, catalog=deselected).of("SCHEMA") == []


def test_a_catalog_chooses_method_and_key(kit: Any) -> None:
    """FULL_TABLE turns bookmarks off; a replication key the stream lacks is refused; `stream` renames messages."""
    stream = kit.stream("a", ROWS, schema=NESTED, primary_keys=["id"], replication_key="at")
    catalog = chosen(tap_of(kit, replication_key="at").catalog.to_json())
    root = catalog["streams"][0]["metadata"][0]["metadata"]
    root["replication-method"] = "FULL_TABLE"
    catalog["streams"][0]["stream"] = "renamed"
    wire = kit.run(stream, catalog=catalog)
    assert wire.states == [{"bookmarks": {}}]
    assert {message["stream"] for message in wire.of("RECORD")} == {"renamed"}
    root["replication-method"] = "INCREMENTAL"
    root["replication-key"] = "id"
    wire = kit.run(stream, catalog=catalog)
    assert wire.states[-1]["bookmarks"] == {"a": {"replication_key": "id", "replication_key_value": 1}}
    root["replication-key"] = "nothing"
    with pytest.raises(CatalogError, match="'nothing' is no property"):
        kit.run(stream, catalog=catalog)


def test_a_field_that_an_older_catalog_lacks_stays_away_without_a_word(
    kit: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It is declared by the stream, so it is no surprise; and it was not selected."""
    catalog = chosen(tap_of(kit).catalog.to_json())
    del catalog["streams"][0]["schema"]["properties"]["name"]
    (record,) = kit.run(kit.stream("a", ROWS, schema=NESTED), catalog=catalog).records()
    assert "name" not in record
    assert not [entry for entry in caplog.records if entry.levelname == "WARNING"]


class Typed(TypedDict):
    id: int


@dataclass
class Data:
    id: int


def test_schemas_in_every_spelling(kit: Any, tmp_path: Path) -> None:
    """A dict, a typed class, a path and a property say the same."""
    path = tmp_path / "schema.json"
    path.write_text('{"type": "object", "properties": {"id": {"type": "integer"}}}')
    for declared in (Typed, Data, path, str(path), property(lambda _: Typed)):
        assert kit.run(kit.stream("a", [{"id": 1}], schema=declared)).records() == [{"id": 1}]


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"schema": None}, "stream 'a' has no schema"),
        ({"schema": {"type": "object"}}, "declares no properties"),
        ({"primary_keys": ("nope",)}, "'nope' is a primary key but no property"),
        ({"primary_keys": "id"}, "primary_keys is a text"),
        ({"replication_key": "nope"}, "'nope' is the replication key but no property"),
    ],
)
def test_a_stream_that_cannot_be_is_refused_at_once(kit: Any, attributes: dict[str, Any], words: str) -> None:
    """Discovery names the stream and what is wrong."""
    with pytest.raises(SchemaError, match=words):
        kit.run(kit.stream("a", [], **attributes))


def test_two_streams_of_one_name_are_refused(kit: Any) -> None:
    """As is one without a name."""
    with pytest.raises(SchemaError, match="Two streams are named 'a'"):
        kit.run(kit.stream("a", []), kit.stream("a", []))
    with pytest.raises(SchemaError, match="has no name"):
        kit.run(kit.stream("", []))


def test_streams_may_share_a_class(kit: Any) -> None:
    """`discover_streams` may make as many as it likes, each with its name and schema."""
    shared = kit.stream("shared", lambda self, _: [{"id": len(self.name)}])
    tap = kit.tap(discover_streams=lambda self: [shared(self, name=name, schema=kit.ROW) for name in ("x", "yy")])
    wire = kit.Wire()
    tap({}).run(wire)
    assert [(message["stream"], message["record"]["id"]) for message in wire.of("RECORD")] == [("x", 1), ("yy", 2)]
