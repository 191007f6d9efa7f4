"""Stream maps: the Meltano SDK's language, failing closed, with schemas that the output keeps."""

import copy
import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from singer_kit.batch.transform import compile_maps, unused_maps
from singer_kit.errors import ExitCode, MapError, SettingsError

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": ["null", "string"]},
        "email": {"type": ["null", "string"]},
        "price": {"type": ["null", "number"]},
        "created_at": {"type": ["null", "string"], "format": "date-time"},
        "customer": {
            "type": ["null", "object"],
            "properties": {"name": {"type": "string"}, "city": {"type": ["null", "string"]}},
        },
        "tags": {"type": ["null", "array"], "items": {"type": "string"}},
        "fields": {
            "type": ["null", "array"],
            "items": {"type": "object", "properties": {"id": {"type": "integer"}, "value": {}}},
        },
    },
    "required": ["id"],
}
ROW = {
    "id": 7,
    "name": "Ada",
    "email": "Ada@Example.com",
    "price": Decimal("12.50"),
    "created_at": "2024-02-03T04:05:06Z",
    "customer": {"name": "Lovelace", "city": None},
    "tags": ["a", "b"],
    "fields": [{"id": 1, "value": "x"}, {"id": 2, "value": 9}],
}


def only(definition, *, config=None, engine="compiled", schema=SCHEMA, keys=("id",), **settings):
    (compiled,) = compile_maps(
        "customers",
        schema,
        keys,
        {
            "stream_maps": {"customers": definition},
            "stream_map_config": config,
            "stream_maps_engine": engine,
            **settings,
        },
    )
    return compiled


def value_of(expression, row=ROW, **more):
    (mapped,) = only({"x": expression}, **more).apply([row])
    return mapped["x"]


@pytest.mark.parametrize("engine", ["compiled", "simpleeval"])
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("email.split('@')[-1]", "Example.com"),
        ("email.lower()", "ada@example.com"),
        ("record['email'].lower()", "ada@example.com"),
        ("_['email'].lower()", "ada@example.com"),
        ("md5(config['seed'] + email)", hashlib.md5(b"sAda@Example.com").hexdigest()),
        ("sha256(name)", hashlib.sha256(b"Ada").hexdigest()),
        ("int(datetime.datetime.fromisoformat(created_at).year)", 2024),
        ("datetime.date.fromisoformat(created_at[:10])", "2024-02-03"),
        ("datetime.datetime.strptime('2024', '%Y').replace(tzinfo=datetime.timezone.utc)", "2024-01-01T00:00:00Z"),
        ("datetime.datetime.fromisoformat(created_at) + datetime.timedelta(days=1)", "2024-02-04T04:05:06Z"),
        ("'[masked]'", "[masked]"),
        ("str('[masked]')", "[masked]"),
        ("int('0')", 0),
        ("float('1.5')", 1.5),
        ("bool(tags)", True),
        ("price * 2", Decimal("25.00")),
        ("price * 1.1", Decimal("13.750")),
        ("id / 2", 3.5),
        ("id // 2 if id else None", 3),
        ("dict([(x['id'], x['value']) for x in fields]).get(1)", "x"),
        ("{x['id']: x['value'] for x in fields}[2]", 9),
        ("[t.upper() for t in tags if t != 'a']", ["B"]),
        ("', '.join(tags)", "a, b"),
        ("sum(x for x in [1, 2, 3])", 6),
        ("customer['name']", "Lovelace"),
        ("customer.name", "Lovelace"),
        ("customer.get('country', 'GB')", "GB"),
        ("record.get('nothing')", None),
        ("f'{name}-{id:03d}'", "Ada-007"),
        ("name is not None and name.startswith('A')", True),
        ("email if '@' in email else 'none'", "Ada@Example.com"),
        ("json.dumps(customer)", '{"name": "Lovelace", "city": null}'),
        ("json.dumps({'price': price})", '{"price": 12.50}'),
        ("json.loads('{\"a\": 1.10}')['a']", Decimal("1.10")),
        ("__stream_name__ + '/' + __original_stream_name__", "customers/customers"),
        ("name.replace('A', 'E').zfill(5)", "00Eda"),
        ("1 < id <= 7", True),
        ("-id", -7),
        ("round(price, 1)", Decimal("12.5")),
        ("max(id, 3)", 7),
        ("len(tags)", 2),
        ("(1, 2)", [1, 2]),
    ],
)
def test_language(expression, expected, engine):
    """An expression gives what Python would, in both engines, and its schema is one the value keeps."""
    mapped = only({"x": expression}, config={"seed": "s"}, engine=engine)
    (row,) = mapped.apply([ROW])
    assert row["x"] == expected
    assert type(row["x"]) is type(expected)


def test_self_is_the_own_value():
    """`self` is the value of the property that is mapped."""
    (row,) = only({"name": "self.upper()"}).apply([ROW])
    assert row["name"] == "ADA"


@pytest.mark.parametrize(
    ("expression", "schema"),
    [
        ("email", {"type": ["null", "string"]}),
        ("_['created_at']", {"type": ["null", "string"], "format": "date-time"}),
        ("id", {"type": "integer"}),
        ("int(price)", {"type": ["null", "integer"]}),
        ("float(id)", {"type": ["null", "number"]}),
        ("str(id)", {"type": ["null", "string"]}),
        ("md5(email)", {"type": ["null", "string"]}),
        ("bool(id)", {"type": ["null", "boolean"]}),
        ("json.dumps(record)", {"type": ["null", "string"]}),
        ("id + 1", {"type": ["null", "integer"]}),
        ("id / 2", {"type": ["null", "number"]}),
        ("email.split('@')[-1]", {"type": ["null", "string"]}),
        ("email.split('@')", {"type": ["null", "array"], "items": {"type": ["null", "string"]}}),
        ("datetime.datetime.now()", {"type": ["null", "string"], "format": "date-time"}),
        ("datetime.date.today()", {"type": ["null", "string"], "format": "date"}),
        ("created_at if id else None", {"type": ["null", "string"], "format": "date-time"}),
        ("customer['name']", {"type": ["null", "string"]}),
        ("record", {"type": ["null", "object"]}),
        ("fields[0]['value']", {}),
        ("json.loads(name)", {"type": ["null", "boolean", "number", "string", "array", "object"]}),
        ("'a' if id else 1", {"type": ["null", "integer", "string"]}),
    ],
)
def test_schema_of_an_expression(expression, schema):
    """A type is declared only as narrowly as the expression proves it; a copied field keeps its own."""
    assert only({"x": expression}).schema["properties"]["x"] == schema


def test_removing_a_property():
    """null and "__NULL__" remove a property from rows and schema."""
    for nothing in (None, "__NULL__"):
        mapped = only({"email": nothing})
        assert "email" not in mapped.schema["properties"]
        assert "email" not in mapped.apply([ROW])[0]


def test_else_keeps_keys_and_what_is_mapped():
    """`__else__` null leaves the key properties and the mapped ones."""
    mapped = only({"mail": "email", "__else__": None})
    assert mapped.apply([ROW]) == [{"id": 7, "mail": "Ada@Example.com"}]
    assert list(mapped.schema["properties"]) == ["id", "mail"]
    assert mapped.schema["required"] == ["id"]
    assert mapped.key_properties == ("id",)


def test_an_absent_field_stays_absent_when_copied_and_reads_null_otherwise():
    """A copied field that is absent is absent in the copy; other expressions read it as null."""
    mapped = only({"mail": "email", "name": "email", "known": "email is not None"})
    assert mapped.apply([{"id": 1, "name": "x"}]) == [{"id": 1, "known": False}]


def test_filter():
    """Rows for which the filter is not true are left out, the others keep their order."""
    mapped = only({"__filter__": "id % 2 == 1 and name != 'Ada'"})
    rows = [{"id": i, "name": "n"} for i in range(6)] + [ROW]
    assert [row["id"] for row in mapped.apply(rows)] == [1, 3, 5]
    assert mapped.schema == SCHEMA
    assert not mapped.is_identity
    assert only({"__filter__": "name"}).apply([{"id": 1, "name": ""}, {"id": 2, "name": "x"}]) == [
        {"id": 2, "name": "x"}
    ]


def test_no_maps_is_identity():
    """A stream without a map, and one with an empty map, passes as it is."""
    for settings in (
        {},
        {"stream_maps": None},
        {"stream_maps": {"other": {"x": "1"}}},
        {"stream_maps": {"customers": {}}},
    ):
        (mapped,) = compile_maps("customers", SCHEMA, ["id"], settings)
        assert mapped.is_identity
        assert mapped.schema is SCHEMA
        rows = [ROW]
        assert mapped.apply(rows) is rows


def test_alias_and_source():
    """An alias renames the stream, `__source__` copies it under the name of its key."""
    maps = compile_maps(
        "customers",
        SCHEMA,
        ["id"],
        {
            "stream_maps": {
                "customers": {"__alias__": "people", "email": None},
                "pii": {"__source__": "customers", "email": "email", "__else__": None},
                "other": {"__source__": "orders"},
            }
        },
    )
    assert [(one.source, one.stream) for one in maps] == [("customers", "people"), ("customers", "pii")]
    assert maps[1].apply([ROW]) == [{"id": 7, "email": "Ada@Example.com"}]


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("people", "people"),
        ("my-people", "my-people"),
        ("'v2_' + __stream_name__", "v2_customers"),
        ("__stream_name__.upper()", "CUSTOMERS"),
        ("'quoted'", "quoted"),
    ],
)
def test_alias_may_be_an_expression(alias, name):
    """An alias is a name, or an expression over `__stream_name__`."""
    assert only({"__alias__": alias}).stream == name


def test_removed_streams():
    """null removes a stream, `__else__` every stream without a map; copies stay."""
    assert compile_maps("customers", SCHEMA, ["id"], {"stream_maps": {"customers": None}}) == []
    assert compile_maps("customers", SCHEMA, ["id"], {"stream_maps": {"x": {}, "__else__": "__NULL__"}}) == []
    (copied,) = compile_maps(
        "customers", SCHEMA, ["id"], {"stream_maps": {"customers": None, "c": {"__source__": "customers"}}}
    )
    assert copied.stream == "c"


def test_wildcards_and_exact_names():
    """An exact name wins over wildcards wherever it stands, of wildcards the last wins."""
    maps = {"cust*": {"x": "1"}, "customers": {"x": "2"}, "*": {"x": "3"}}
    (exact,) = compile_maps("customers", SCHEMA, ["id"], {"stream_maps": maps})
    (wild,) = compile_maps("customs", SCHEMA, ["id"], {"stream_maps": maps})
    assert exact.apply([{"id": 1}]) == [{"id": 1, "x": 2}]
    assert wild.apply([{"id": 1}]) == [{"id": 1, "x": 3}]
    assert unused_maps({"stream_maps": {**maps, "costumers": {}, "c": {"__source__": "gone"}}}, ["customers"]) == [
        "costumers",
        "c",
    ]


def test_key_properties_follow_a_rename():
    """A key that is renamed takes its new name; `__key_properties__` overrides; null takes the key away."""
    renamed = only({"customer_id": "id", "id": None})
    assert renamed.key_properties == ("customer_id",)
    assert renamed.schema["required"] == ["customer_id"]
    assert renamed.renamed == {"id": "customer_id"}
    hashed = only({"id": None, "key": "md5(str(id))", "__key_properties__": ["key"]})
    assert hashed.key_properties == ("key",)
    assert only({"id": None, "__key_properties__": None}).key_properties == ()


@pytest.mark.parametrize(
    "definition",
    [
        {"id": None},
        {"id": None, "a": "id", "b": "id"},
        {"id": None, "key": "str(id)"},
        {"__key_properties__": ["nothing"]},
        {"__key_properties__": "id"},
        {"name": None, "__key_properties__": ["name"]},
        {"__else__": "keep"},
        {"__fliter__": "True"},
        {"x": 5},
        {"x": {"nested": "1"}},
        {"x": ""},
        {"x": "nme"},
        {"x": "fake.name()"},
        {"__filter__": "this should raise an er!ror"},
        {"__filter__": 5},
        {"x": "config['sed']"},
        {"__source__": "customers", "__alias__": "a"},
    ],
)
def test_unusable_maps_are_refused(definition):
    """A map that cannot be used is refused before the first row, naming the stream."""
    with pytest.raises(MapError) as caught:
        only(definition, config={"seed": "s"})
    assert "customers" in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("maps", [{"customers": "x"}, {"__elze__": None}, {"__else__": "x"}, [], "x", {"customers": 3}])
def test_unusable_settings_are_refused(maps):
    """stream_maps is an object of objects and nulls."""
    if not maps:
        maps = ["x"]
    with pytest.raises(MapError):
        compile_maps("customers", SCHEMA, ["id"], {"stream_maps": maps})


def test_two_maps_to_one_name_are_refused():
    """Two maps of a stream never give the same name."""
    with pytest.raises(MapError, match="Two maps"):
        compile_maps("a", SCHEMA, ["id"], {"stream_maps": {"b": {"__source__": "a"}, "a": {"__alias__": "b"}}})


@pytest.mark.parametrize("engine", ["compiled", "simpleeval"])
@pytest.mark.parametrize(
    "expression",
    [
        "name.lower() if id else 1",
        "int(name)",
        "name + 1",
        "customer['nothing']",
        "tags[9]",
        "id / 0",
        "price / 0",
        "float('nan')",
        "float('inf')",
        "datetime.datetime.fromisoformat(name)",
        "datetime.datetime(2024, 1, 1)",
        "{1: 2}",
        "{1, 2}",
        "datetime.timedelta(days=1)",
        "md5(id)",
    ],
)
def test_fails_closed_without_the_value(expression, engine):
    """An error stops with stream, property and expression, and never shows a value of the record."""
    secret = "s3cr3t-value"
    row = {**ROW, "name": secret if "lower" not in expression else None, "email": secret}
    with pytest.raises(MapError) as caught:
        only({"x": expression}, engine=engine).apply([ROW | {"name": "Ada"} if "lower" in expression else row, row])
    message = str(caught.value)
    assert secret not in message
    assert "customers" in message
    assert "'x'" in message
    assert expression in message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_failing_property_is_named():
    """Of several properties the one that fails is named, the filter too."""
    definition = {"__filter__": "id < 100", "a": "1", "b": "name", "c": "[x for x in tags]", "d": "int(name)", "e": "2"}
    with pytest.raises(MapError, match="'d'"):
        only(definition).apply([ROW])
    with pytest.raises(MapError, match="'__filter__'"):
        only(definition).apply([{**ROW, "id": None}])
    with pytest.raises(MapError, match="'c'"):
        only(definition).apply([{**ROW, "tags": None}])


def test_nothing_given_is_changed():
    """Rows, schema and settings are as they were, `__else__` too; what comes out shares no list with the settings."""
    settings = {
        "stream_maps": {"customers": {"x": "config['list']", "name": None, "__else__": None}, "__else__": None},
        "stream_map_config": {"list": [1]},
        "flattening_enabled": True,
        "flattening_max_depth": 2,
    }
    before = copy.deepcopy((settings, SCHEMA, ROW))
    for _ in range(2):
        (mapped,) = compile_maps("customers", SCHEMA, ["id"], settings)
        mapped.apply([ROW])
    (row,) = only({"x": "config['list']"}, config=settings["stream_map_config"]).apply([ROW])
    row["x"].append(2)
    assert (settings, SCHEMA, ROW) == before


def test_numbers_are_exact():
    """Decimals keep their digits through copies, sums and products; what would be rounded is an error."""
    digits = Decimal("1234567890123456789012345678901234.5678")
    assert str(value_of("price", {"id": 1, "price": digits})) == str(digits)
    assert str(value_of("price + price", {"id": 1, "price": digits})) == "2469135780246913578024691357802469.1356"
    assert value_of("id * id", {"id": 10**50}) == 10**100
    with pytest.raises(MapError):
        value_of("price + 1", {"id": 1, "price": Decimal("1E-2000")})


def test_native_instants_are_seen_as_text():
    """A tap's own datetimes are read as the text that goes on the wire, and copied as they are."""
    row = {"id": 1, "created_at": datetime(2024, 2, 3, tzinfo=UTC), "customer": {"name": "x", "city": date(2024, 1, 1)}}
    mapped = only(
        {"day": "created_at[:10]", "copy": "created_at", "city": "customer.city", "all": "len(json.dumps(_))"}
    )
    (out,) = mapped.apply([row])
    assert out["day"] == "2024-02-03"
    assert out["copy"] == row["created_at"]
    assert out["city"] == "2024-01-01"
    (out,) = only({"day": "created_at[:10]"}).apply([row])
    assert out["created_at"] == row["created_at"]


def test_combinators_that_may_no_longer_hold_are_dropped():
    """When properties change, keywords that speak of all properties go; without a change all stay."""
    schema = {**SCHEMA, "maxProperties": 8, "anyOf": [{"required": ["email"]}], "additionalProperties": False}
    assert only({"__filter__": "True"}, schema=schema).schema == schema
    mapped = only({"x": "1"}, schema=schema).schema
    assert "maxProperties" not in mapped
    assert "anyOf" not in mapped
    assert mapped["additionalProperties"] is False


def test_flattening_comes_last():
    """Maps see nested objects; what comes out is flat."""
    settings = {"flattening_enabled": True, "flattening_max_depth": 1}
    mapped = only({"who": "customer['name']", "extra": "{'a': [1, price]}"}, **settings)
    (row,) = mapped.apply([ROW])
    assert row["customer__name"] == row["who"] == "Lovelace"
    assert json.loads(row["tags"]) == ["a", "b"]
    assert row["extra"] == '{"a":[1,12.50]}'
    assert "customer" not in row
    assert set(row) <= set(mapped.schema["properties"])


def test_flattening_needs_a_depth():
    """flattening_enabled without a depth is a settings error; depth 0 leaves rows nested."""
    with pytest.raises(SettingsError, match="flattening_max_depth"):
        compile_maps("a", SCHEMA, ["id"], {"flattening_enabled": True})
    (mapped,) = compile_maps("a", SCHEMA, ["id"], {"flattening_enabled": True, "flattening_max_depth": 0})
    assert mapped.is_identity


def test_a_key_that_flattening_takes_apart_is_refused():
    """An object cannot stay a key property when it becomes columns."""
    with pytest.raises(MapError, match="customer"):
        compile_maps("a", SCHEMA, ["customer"], {"flattening_enabled": True, "flattening_max_depth": 1})


def test_a_misspelt_removal_is_warned_about(caplog):
    """Removing a property that is not declared but resembles one is a warning."""
    only({"emial": None})
    assert "did you mean 'email'?" in caplog.text
