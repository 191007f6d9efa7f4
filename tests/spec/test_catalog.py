"""The catalog loses nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.codec import decode, encode
from singer_kit.errors import CatalogError
from singer_kit.spec.catalog import Catalog, CatalogEntry, fields, standard_metadata

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(text, json_values, max_size=3)


@st.composite
def catalogs(draw):
    streams = []
    for name in draw(st.lists(text.filter(bool), unique=True, max_size=3)):
        breadcrumbs = draw(st.lists(st.lists(text, max_size=3), unique_by=tuple, max_size=3))
        entry = {
            "tap_stream_id": name,
            "stream": draw(text),
            "schema": draw(objects),
            "metadata": [{"breadcrumb": at, "metadata": draw(objects)} for at in breadcrumbs],
            **draw(objects),
        }
        members = draw(st.permutations(sorted(entry)))
        streams.append({member: entry[member] for member in members})
    return {"streams": streams} | draw(objects.filter(lambda extra: "streams" not in extra))


@given(catalogs())
def test_a_catalog_survives_reading_and_writing(value):
    """Every member of the catalog comes back, byte for byte within the streams: keywords and order too."""
    written = Catalog.from_json(decode(encode(value))).to_json()
    assert written == value
    assert encode(written["streams"]) == encode(value["streams"])
    assert Catalog.from_json(written) == Catalog.from_json(value)


def test_no_keyword_is_lost():
    """enum, const, oneOf, allOf, $ref, required and definitions survive, which singer-python drops."""
    schema = {
        "type": "object",
        "required": ["a"],
        "definitions": {"d": {"type": "string"}},
        "properties": {
            "a": {"enum": [1, 2]},
            "b": {"const": None},
            "c": {"oneOf": [{"$ref": "#/definitions/d"}, {"allOf": [{"minLength": 1}]}]},
        },
    }
    value = {"streams": [{"tap_stream_id": "s", "schema": schema, "stream_alias": "t", "is_view": False}]}
    assert Catalog.from_json(value).to_json() == value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "list of streams"),
        ([], "list of streams"),
        ({}, "list of streams"),
        ({"streams": {}}, "list of streams"),
        ({"streams": ["s"]}, "streams[0] is not an object"),
        ({"streams": [{"schema": {}}]}, "streams[0] has no 'tap_stream_id'"),
        ({"streams": [{"stream": 1, "schema": {}}]}, "streams[0] has no 'tap_stream_id'"),
        ({"streams": [{"stream": "s"}]}, "streams[0] ('s') has no 'schema'"),
        ({"streams": [{"stream": "s", "schema": {}}] * 2}, "streams[1] is a second stream named 's'"),
        ({"streams": [{"stream": "s", "schema": {}, "metadata": {}}]}, "metadata is not a list"),
        ({"streams": [{"stream": "s", "schema": {}, "metadata": [{}]}]}, "metadata[0] has no 'breadcrumb'"),
        (
            {"streams": [{"stream": "s", "schema": {}, "metadata": [{"breadcrumb": []}]}]},
            "metadata[0] has no 'metadata'",
        ),
    ],
)
def test_a_broken_catalog_is_named_by_place(value, words):
    """Whatever is wrong is a catalog error that says where."""
    with pytest.raises(CatalogError) as caught:
        Catalog.from_json(value)
    assert words in str(caught.value)
    assert caught.value.next_step


def entry(root=None, **extra):
    """A stream with this metadata and these other members."""
    return Catalog.from_json(
        {"streams": [{"stream": "s", "schema": {}, "metadata": [{"breadcrumb": [], "metadata": root or {}}], **extra}]}
    ).streams[0]


def test_the_names_of_a_stream():
    """Each of the two names stands in for the other."""
    assert (entry().tap_stream_id, entry().stream) == ("s", "s")
    both = entry(tap_stream_id="db-s")
    assert (both.tap_stream_id, both.stream) == ("db-s", "s")
    catalog = Catalog((both,))
    assert catalog.get("db-s") is both
    assert catalog.get("s") is None


def test_keys_and_methods_come_from_metadata_then_members():
    """What was chosen comes before what the tap says, metadata before the older members."""
    assert entry().key_properties == ()
    assert entry({"table-key-properties": ["id"]}, key_properties=["x"]).key_properties == ("id",)
    assert entry(key_properties=["x"]).key_properties == ("x",)
    view = {"is-view": True, "view-key-properties": ["v"], "table-key-properties": []}
    assert entry(view).key_properties == ("v",)
    forced = {"forced-replication-method": "INCREMENTAL", "valid-replication-keys": ["at"]}
    assert (entry(forced).replication_method, entry(forced).replication_key) == ("INCREMENTAL", "at")
    assert entry(forced).replication_keys == ("at",)
    chosen = forced | {"replication-method": "FULL_TABLE"}
    assert (entry(chosen).replication_method, entry(chosen).replication_key) == ("FULL_TABLE", None)
    assert entry(replication_key=["a", "b"], replication_method="INCREMENTAL").replication_key == "a"
    assert entry().replication_method is None
    assert entry().replication_key is None


SCHEMA = {
    "properties": {
        "id": {"type": "integer"},
        "at": {"type": "string"},
        "who": {"type": "object", "properties": {"name": {}, "mail": {"type": "string"}}},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {}}}},
        "any": {"anyOf": [{"type": "object", "properties": {"x": {}}}, {"type": "null"}]},
    }
}


def test_every_field_has_a_breadcrumb():
    """Nested objects, the items of arrays and the branches of anyOf are reached, parents first."""
    assert [".".join(at) for at in fields(SCHEMA)] == [
        "properties.id",
        "properties.at",
        "properties.who",
        "properties.who.properties.name",
        "properties.who.properties.mail",
        "properties.lines",
        "properties.lines.items.properties.sku",
        "properties.any",
        "properties.any.properties.x",
    ]
    assert list(fields({"properties": {"a": True}, "items": [True, {"properties": {"b": {}}}]})) == [
        ("properties", "a"),
        ("items", "properties", "b"),
    ]


def test_standard_metadata_marks_every_field():
    """Keys and the replication key are automatic, the rest available, and a tap may say otherwise."""
    nested = ("properties", "who", "properties", "mail")
    metadata = standard_metadata(
        SCHEMA,
        key_properties=("id",),
        replication_key="at",
        replication_method="INCREMENTAL",
        selected_by_default=False,
        inclusion={nested: "unsupported"},
    )
    assert metadata[()] == {
        "inclusion": "available",
        "selected-by-default": False,
        "table-key-properties": ["id"],
        "forced-replication-method": "INCREMENTAL",
        "valid-replication-keys": ["at"],
    }
    assert list(metadata)[1:] == list(fields(SCHEMA))
    said = {at[-1]: values["inclusion"] for at, values in metadata.items() if at}
    assert said.pop("mail") == "unsupported"
    assert said.pop("id") == said.pop("at") == "automatic"
    assert set(said.values()) == {"available"}
    made = CatalogEntry("s", "s", SCHEMA, metadata)
    assert made.key_properties == ("id",)
    assert made.replication_key == "at"
    assert list(made.to_json()) == ["tap_stream_id", "stream", "schema", "metadata"]
    assert Catalog.from_json({"streams": [made.to_json()]}).streams[0].metadata == metadata
