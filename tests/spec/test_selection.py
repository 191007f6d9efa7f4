"""What of a catalog is read."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.spec.catalog import Catalog, fields, standard_metadata
from singer_kit.spec.selection import is_stream_selected, select, selected_schema, unmatched

SCHEMA = {
    "type": "object",
    "required": ["id", "who", "lines"],
    "properties": {
        "id": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
        "who": {
            "type": ["object", "null"],
            "required": ["name", "mail"],
            "properties": {"name": {"type": "string"}, "mail": {"type": "string"}},
        },
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"sku": {}, "n": {}}, "required": ["sku"]},
        },
        "any": {"anyOf": [{"type": "object", "properties": {"x": {}, "y": {}}, "required": ["x"]}, {"type": "null"}]},
    },
}
WHO, MAIL = ("properties", "who"), ("properties", "who", "properties", "mail")
SKU = ("properties", "lines", "items", "properties", "sku")


def entry(metadata=None, *, schema=None, standard=True, **extra):
    """One stream `s` keyed by `id`, with `metadata` on top of the standard one."""
    schema = SCHEMA if schema is None else schema
    known = standard_metadata(schema, key_properties=["id"], replication_key="at") if standard else {}
    for at, values in (metadata or {}).items():
        known[at] = {**known.get(at, {}), **values}
    items = [{"breadcrumb": list(at), "metadata": values} for at, values in known.items()]
    item = {"tap_stream_id": "s", "stream": "s", "schema": schema, "metadata": items, **extra}
    return Catalog.from_json({"streams": [item]}).streams[0]


def paths(schema):
    """The dotted names of the fields in a schema."""
    return {".".join(part for part in at if part not in ("properties", "items")) for at in fields(schema)}


ALL = paths(SCHEMA)


@pytest.mark.parametrize("has_catalog", [True, False])
def test_a_stream_is_selected_by_what_is_said_first(has_catalog):
    """Metadata, then the stream's member, then the schema's mark, then the default; only true selects."""

    def verdict(*args, **kwargs):
        return is_stream_selected(entry(*args, **kwargs), has_catalog=has_catalog)

    assert verdict({(): {"selected": True, "selected-by-default": False}})
    assert not verdict({(): {"selected": False}}, selected=True)
    assert verdict({(): {"selected-by-default": False}}, selected=True)
    assert verdict({(): {"selected-by-default": False}}, schema={**SCHEMA, "selected": True})
    assert not verdict({(): {"selected": "false"}})
    assert verdict({(): {"selected": "true"}})
    assert not verdict({(): {"selected": 1}})
    assert verdict()
    assert not verdict({(): {"selected-by-default": False}})
    assert not verdict({(): {"inclusion": "unsupported", "selected": True}})
    assert verdict({(): {"inclusion": "automatic", "selected": False}})


def test_without_a_word_a_stream_is_read_unless_there_is_a_catalog():
    """A catalog that says nothing of a stream does not select it; without one everything is read."""
    assert is_stream_selected(entry(standard=False), has_catalog=False)
    assert not is_stream_selected(entry(standard=False), has_catalog=True)


def test_a_field_says_so_itself_or_goes_with_its_parent():
    """selected, then selected-by-default, then the parent; false of a parent beats true of a child."""
    assert paths(selected_schema(entry())) == ALL
    assert paths(selected_schema(entry({MAIL: {"selected": False}}))) == ALL - {"who.mail"}
    assert paths(selected_schema(entry({MAIL: {"selected-by-default": False}}))) == ALL - {"who.mail"}
    assert paths(selected_schema(entry({MAIL: {"selected-by-default": False, "selected": True}}))) == ALL
    gone = ALL - {"who", "who.name", "who.mail"}
    assert paths(selected_schema(entry({WHO: {"selected": False}, MAIL: {"selected": True}}))) == gone
    assert paths(selected_schema(entry({WHO: {"selected": "false"}}))) == gone
    assert paths(selected_schema(entry({SKU: {"selected": False}}))) == ALL - {"lines.sku"}
    assert paths(selected_schema(entry({("properties", "any", "properties", "x"): {"selected": False}}))) == ALL - {
        "any.x"
    }


def test_automatic_is_always_in_and_unsupported_never():
    """Keys and what is marked automatic stay, with the way to them; unsupported goes whatever is said."""
    said = {("properties", name): {"selected": False} for name in SCHEMA["properties"]}
    assert paths(selected_schema(entry(said))) == {"id", "at"}
    assert paths(selected_schema(entry(said | {MAIL: {"inclusion": "automatic"}}))) == {"id", "at", "who", "who.mail"}
    assert paths(selected_schema(entry({WHO: {"inclusion": "unsupported", "selected": True}}))) == ALL - {
        "who",
        "who.name",
        "who.mail",
    }
    no_metadata = entry({("properties", "id"): {"selected": False}}, standard=False, key_properties=["id"])
    assert "id" in paths(selected_schema(no_metadata))


def test_required_names_only_what_is_left():
    """At every depth `required` loses the names that are gone, and goes when it is empty."""
    any_x = ("properties", "any", "properties", "x")
    trimmed = selected_schema(entry({MAIL: {"selected": False}, SKU: {"selected": False}, any_x: {"selected": False}}))
    assert trimmed["required"] == ["id", "who", "lines"]
    assert trimmed["properties"]["who"]["required"] == ["name"]
    assert "required" not in trimmed["properties"]["lines"]["items"]
    assert "required" not in trimmed["properties"]["any"]["anyOf"][0]
    branches = {"properties": {"id": {}, "b": {}}, "anyOf": [{"required": ["b", "id"]}, {"properties": {"c": {}}}]}
    trimmed = selected_schema(entry({("properties", "b"): {"selected": False}}, schema=branches))
    assert trimmed == {"properties": {"id": {}}, "anyOf": [{"required": ["id"]}, {"properties": {"c": {}}}]}


def test_the_older_marks_in_the_schema_count():
    """`selected` and `inclusion` inside the schema are read, as --properties files have them; metadata wins."""
    schema = copy.deepcopy(SCHEMA)
    schema["properties"]["who"]["selected"] = False
    schema["properties"]["any"]["inclusion"] = "unsupported"
    legacy = entry(schema=schema, standard=False)
    assert paths(selected_schema(legacy)) == {"id", "at", "lines", "lines.sku", "lines.n"}
    assert "who" in paths(selected_schema(entry({WHO: {"selected": True}}, schema=schema, standard=False)))
    field_named_selected = {"properties": {"selected": {"properties": {"selected": {}, "inclusion": {}}}}}
    assert paths(selected_schema(entry(schema=field_named_selected))) == {
        "selected",
        "selected.selected",
        "selected.inclusion",
    }


@given(
    st.dictionaries(
        st.sampled_from(list(fields(SCHEMA))),
        st.fixed_dictionaries(
            {},
            optional={
                "selected": st.sampled_from([True, False, None, "false"]),
                "selected-by-default": st.booleans(),
                "inclusion": st.sampled_from(["available", "automatic", "unsupported"]),
            },
        ),
    )
)
def test_selection_laws(said):
    """For any metadata: automatic is in unless its parent is unsupported, unsupported is out, a child has its parent,
    `required` is declared, and nothing is changed in place."""
    stream = entry(said)
    before = copy.deepcopy(stream.schema)
    schema = selected_schema(stream)
    assert stream.schema == before
    left = set(fields(schema))
    for at in fields(SCHEMA):
        inclusion = stream.metadata[at]["inclusion"]
        parent = at[: -3 if at[-3:-2] == ("items",) else -2]
        if inclusion == "unsupported":
            assert at not in left
        if inclusion == "automatic" and (not parent or stream.metadata[parent]["inclusion"] != "unsupported"):
            assert at in left
        if at in left and parent:
            assert parent in left
        if at not in left and inclusion == "available" and (not parent or parent in left) and at not in said:
            assert parent  # only a parent that stayed for an automatic child takes silent fields with it
            assert said[parent].get("selected") is not True

    def check(node):
        if isinstance(node, dict):
            for name in node.get("required", ()):
                assert name in node["properties"]
            for inner in node.values():
                check(inner)
        elif isinstance(node, list):
            for inner in node:
                check(inner)

    check(schema)


CATALOG = Catalog.from_json(
    {
        "streams": [
            entry().to_json(),
            {**entry().to_json(), "tap_stream_id": "public.orders", "stream": "orders"},
            {**entry({(): {"selected-by-default": False}}).to_json(), "tap_stream_id": "logs", "stream": "logs"},
        ]
    }
)


def chosen(*patterns):
    """What the patterns choose: the streams and their fields, `automatic` apart."""
    found = {}
    for stream in select(CATALOG, patterns).streams:
        if is_stream_selected(stream, has_catalog=True):
            found[stream.tap_stream_id] = paths(selected_schema(stream)) - {"id", "at"}
    return found


REST = ALL - {"id", "at"}


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        (["s"], {"s": REST}),
        (["s.*"], {"s": REST}),
        (["s.who"], {"s": {"who", "who.name", "who.mail"}}),
        (["s.who.mail"], {"s": {"who", "who.mail"}}),
        (["s.lines.sku"], {"s": {"lines", "lines.sku"}}),
        (["s.who", "!s.who.mail"], {"s": {"who", "who.name"}}),
        (["!s.who.mail", "s"], {"s": REST - {"who.mail"}}),
        (["*", "!logs"], {"s": REST, "public.orders": REST}),
        (["*.*", "!*.who"], dict.fromkeys(("s", "public.orders", "logs"), REST - {"who", "who.name", "who.mail"})),
        (["public.orders"], {"public.orders": REST}),
        ([r"public\.orders.any"], {"public.orders": {"any", "any.x", "any.y"}}),
        (["orders.any"], {"public.orders": {"any", "any.x", "any.y"}}),
        (["s.l*.[sn]*"], {"s": {"lines", "lines.sku", "lines.n"}}),
        (["s.any.?", "!s.any.y"], {"s": {"any", "any.x"}}),
        (["s", "!s.*"], {"s": set()}),
        (["s.id"], {"s": set()}),
        (["!s.who"], {"s": REST - {"who", "who.name", "who.mail"}, "public.orders": REST}),
        (["nothing"], {}),
    ],
)
def test_patterns_choose(patterns, wanted):
    """Streams and fields by glob; a nested field brings its parents, an exclusion always wins, keys stay in."""
    assert chosen(*patterns) == wanted


def test_a_chosen_catalog_says_so_everywhere():
    """The choice stands in metadata and on the stream; in a catalog without metadata in the schema as well."""
    stream = select(CATALOG, ["s.who"]).get("s")
    assert stream.root["selected"] is True
    assert stream.to_json()["selected"] is True
    assert stream.metadata[("properties", "lines")]["selected"] is False
    assert "selected" not in stream.schema
    legacy = Catalog((entry(standard=False),))
    old = select(legacy, ["s.who"]).streams[0]
    assert old.schema["selected"] is True
    assert old.schema["properties"]["who"]["selected"] is True
    assert old.schema["properties"]["lines"]["selected"] is False
    assert "selected" not in legacy.streams[0].schema


def test_patterns_that_match_nothing_are_told():
    """A pattern that finds no stream or no field is named, excluding ones too."""
    patterns = ["s", "s.who.*", "x", "s.x", "!logs.zz", "!logs", "*.sku", r"public\.orders.id"]
    assert unmatched(CATALOG, patterns) == ["x", "s.x", "!logs.zz", "*.sku"]
