"""Settings: declared once, read from files and the environment, cast, completed, judged, handed out read-only."""

import json
import logging
import os
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.codec import encode
from singer_kit.errors import SchemaError, SettingsError
from singer_kit.nearest import nearest
from singer_kit.schema.reference import problems
from singer_kit.settings import Config, Settings
from singer_kit.settings.cast import cast
from singer_kit.settings.fits import fits

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "token": {"type": "string", "secret": True},
        "port": {"type": "integer", "default": 5432},
        "ratio": {"type": ["number", "null"]},
        "verbose": {"type": "boolean", "default": False},
        "repositories": {"type": "array", "items": {"type": "string"}},
        "ids": {"type": "array", "items": {"type": "integer"}},
        "start_date": {"type": ["string", "null"], "format": "date-time"},
        "mode": {"type": "string", "enum": ["fast", "slow"]},
        "auth": {
            "type": "object",
            "properties": {
                "user": {"type": "string"},
                "password": {"type": "string"},
                "retry": {"type": "object", "properties": {"times": {"type": "integer", "default": 3}}},
            },
        },
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "tables": {
            "type": "array",
            "items": {"type": "object", "properties": {"name": {"type": "string"}, "size": {"default": 10}}},
        },
    },
    "required": ["token"],
}
SETTINGS = Settings.declare("tap-x", SCHEMA)


def load(*files: Path | str, dotenv_dir: Path | str = "/nowhere", **variables: str) -> Config:
    return SETTINGS.load(files, variables, dotenv_dir)


def write(path: Path, values: Any) -> Path:
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    return path


def refusal(*files: Path | str, **variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(*files, **variables)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_later_wins(tmp_path: Path) -> None:
    """A default gives way to `.env`, that to the environment, that to the first file, that to the second."""
    write(tmp_path / ".env", "TAP_X_TOKEN=dotenv\nTAP_X_MODE=slow\nTAP_X_PORT=1\nexport TAP_X_RATIO=0.5\n")
    one = write(tmp_path / "one.json", {"token": "one", "mode": "fast"})
    two = write(tmp_path / "two.json", {"token": "two"})
    environment = {"TAP_X_TOKEN": "environment", "TAP_X_PORT": "2"}
    config = load("ENV", one, two, dotenv_dir=tmp_path, **environment)
    assert (config["token"], config["mode"], config["port"], config["ratio"]) == ("two", "fast", 2, 0.5)
    assert config["verbose"] is False
    assert load(dotenv_dir=tmp_path, **environment)["token"] == "environment"


def test_environment_is_read_only_when_asked(tmp_path: Path) -> None:
    """With a file and without ENV neither the environment nor `.env` is looked at."""
    write(tmp_path / ".env", "TAP_X_PORT=1\n")
    config = load(write(tmp_path / "c.json", {"token": "t"}), dotenv_dir=tmp_path, TAP_X_PORT="2")
    assert config["port"] == 5432


def test_dotenv_is_not_exported(tmp_path: Path) -> None:
    """What stands in `.env` never reaches this process's environment, nor that of its children."""
    write(tmp_path / ".env", "TAP_X_TOKEN=from-dotenv\n")
    assert load(dotenv_dir=tmp_path)["token"] == "from-dotenv"
    assert "TAP_X_TOKEN" not in os.environ


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("PORT", "17", "port", 17),
        ("PORT", " 17 ", "port", 17),
        ("PORT", "17.0", "port", 17),
        ("PORT", "", "port", 5432),
        ("RATIO", "0.25", "ratio", 0.25),
        ("RATIO", "12345678901234567890.123456789", "ratio", Decimal("12345678901234567890.123456789")),
        ("RATIO", "3", "ratio", 3),
        ("RATIO", "null", "ratio", None),
        ("RATIO", "", "ratio", None),
        ("VERBOSE", "yes", "verbose", True),
        ("VERBOSE", "TRUE", "verbose", True),
        ("VERBOSE", "1", "verbose", True),
        ("VERBOSE", "off", "verbose", False),
        ("VERBOSE", "0", "verbose", False),
        ("TOKEN", "007", "token", "007"),
        ("TOKEN", " kept ", "token", " kept "),
        ("TOKEN", "true", "token", "true"),
        ("REPOSITORIES", "a/b, c/d,", "repositories", ["a/b", "c/d"]),
        ("REPOSITORIES", '["a,b"]', "repositories", ["a,b"]),
        ("IDS", "1,2", "ids", [1, 2]),
        ("HEADERS", '{"A": "b"}', "headers", {"A": "b"}),
        ("HEADERS__A", "1", "headers", {"a": "1"}),
        ("AUTH__USER", "ann", "auth", {"user": "ann"}),
        ("AUTH__RETRY__TIMES", "9", "auth", {"retry": {"times": 9}}),
        ("TABLES", '[{"name": "t"}]', "tables", [{"name": "t", "size": 10}]),
    ],
)
def test_text_becomes_every_json_type(variable: str, text: str, name: str, value: Any) -> None:
    """A variable's text turns into what the setting takes; an empty one that is no text counts as not given."""
    config = load(**{"TAP_X_TOKEN": "t", f"TAP_X_{variable}": text})
    assert config.get(name) == value
    assert type(config.get(name)) is type(value)


def test_deep_variable_changes_a_part() -> None:
    """TAP_X_A__B lands inside what TAP_X_A gives."""
    config = load(TAP_X_TOKEN="t", TAP_X_AUTH='{"user": "ann", "password": "p"}', TAP_X_AUTH__USER="bob")
    assert config["auth"] == {"user": "bob", "password": "p"}


JSON_OF_TYPE = {
    "integer": st.integers(),
    "boolean": st.booleans(),
    "null": st.none(),
    "object": st.dictionaries(st.text(), st.integers()),
    "array": st.lists(st.none() | st.text() | st.integers()),
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
}


@given(st.sampled_from(sorted(JSON_OF_TYPE)).flatmap(lambda kind: st.tuples(st.just(kind), JSON_OF_TYPE[kind])))
def test_cast_reads_what_json_writes(case: tuple[str, Any]) -> None:
    """For each type but text, casting a value's JSON gives the value back."""
    kind, value = case
    assert cast({}, {"type": kind}, encode(value).decode()) == value


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    """A number from a file is an ordinary float if that prints the same digits, else a Decimal."""
    config = load(write(tmp_path / "c.json", '{"token": "t", "ratio": 0.1}'))
    assert config["ratio"] == 0.1
    config = load(write(tmp_path / "c.json", '{"token": "t", "ratio": 0.10000000000000000001}'))
    assert config["ratio"] == Decimal("0.10000000000000000001")


def test_callers_values_are_never_touched() -> None:
    """Defaults are filled into a copy, at every depth, and the config hands out copies."""
    given_values = {"token": "t", "auth": {"retry": {}}, "tables": [{"name": "a"}]}
    before = json.dumps(given_values)
    config = SETTINGS.from_mapping(given_values)
    assert config["auth"] == {"retry": {"times": 3}}
    assert config["tables"] == [{"name": "a", "size": 10}]
    config["auth"]["retry"]["times"] = 99
    config["tables"].append({})
    assert config["auth"] == {"retry": {"times": 3}}
    assert len(config["tables"]) == 1
    assert json.dumps(given_values) == before
    assert "default" in SCHEMA["properties"]["port"]


def test_config_is_read_only() -> None:
    """Nothing can be assigned or deleted; it has a JSON form, can be pickled and copied into a dict."""
    config = SETTINGS.from_mapping({"token": "sentinel-token"})
    with pytest.raises(TypeError):
        config["token"] = "other"  # type: ignore[index]
    with pytest.raises(KeyError):
        config["start_date"]
    assert config.get("start_date") is None
    assert json.loads(encode(config)) == dict(config)
    assert dict(pickle.loads(pickle.dumps(config))) == dict(config)
    assert "sentinel" not in repr(config)
    assert SETTINGS.from_mapping(config) is config


def test_an_object_that_is_not_given_stays_away() -> None:
    """Defaults inside of an optional object do not switch it on."""
    assert "auth" not in SETTINGS.from_mapping({"token": "t"})


def test_objects_of_two_files_are_merged(tmp_path: Path) -> None:
    """An object that declares settings is merged member by member, one that takes any name is replaced."""
    one = write(tmp_path / "1.json", {"token": "t", "auth": {"user": "ann"}, "headers": {"A": "1"}})
    two = write(tmp_path / "2.json", {"auth": {"password": "p"}, "headers": {"B": "2"}})
    config = load(one, two)
    assert config["auth"] == {"user": "ann", "password": "p"}
    assert config["headers"] == {"B": "2"}


def test_what_is_wrong_is_said_with_place_and_next_step(tmp_path: Path) -> None:
    """One fault is one sentence with file and next step; the value itself is not shown."""
    text = refusal(write(tmp_path / "c.json", {"token": "t", "port": "54321"}))
    assert text.splitlines() == [
        "Setting 'port' of tap-x is a string but tap-x takes integer.",
        f"  config: {tmp_path / 'c.json'}",
        f"  next: write it without quotes in {tmp_path / 'c.json'}.",
    ]
    text = refusal(TAP_X_TOKEN="t", TAP_X_PORT="many")
    assert "TAP_X_PORT" in text
    assert "many" not in text
    text = refusal(write(tmp_path / "c.json", {"port": 1}))
    assert "'token' of tap-x is missing" in text
    assert "TAP_X_TOKEN" not in text
    assert "set TAP_X_TOKEN" in refusal()
    assert "fast, slow" in refusal(write(tmp_path / "c.json", {"token": "t", "mode": "odd"}))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Several faults are one error with a line for each."""
    text = refusal(write(tmp_path / "c.json", {"port": "x", "auth": {"user": 1}, "start_date": "soon"}))
    assert text.startswith("4 settings of tap-x are not right.")
    assert all(f"'{name}'" in text for name in ("token", "port", "auth.user", "start_date"))


@pytest.mark.parametrize("start", ["2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00", None])
def test_a_date_will_do_for_an_instant(start: str | None) -> None:
    """Settings of format date-time take a date alone and a missing offset, as configs in the field have them."""
    assert SETTINGS.from_mapping({"token": "t", "start_date": start})["start_date"] == start


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("[]", "holds a JSON array, not an object"),
        ("null", "holds a JSON null"),
        ('{"token": "t",\n "port": 1,}', "line 2"),
        ('{"port": NaN}', "NaN"),
        ('{"port"', "not JSON"),
    ],
)
def test_a_file_that_is_no_config(tmp_path: Path, text: str, says: str) -> None:
    """It is named, with what is wrong in it."""
    path = write(tmp_path / "c.json", text)
    told = refusal(path)
    assert says in told
    assert str(path) in told


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and a folder are named, with what to check."""
    assert "No such file" in refusal(tmp_path / "none.json")
    assert "Is a directory" in refusal(tmp_path)
    (tmp_path / "c.json").write_bytes(b'{"token": "\xff"}')
    assert "UTF-8" in refusal(tmp_path / "c.json")


def test_a_dotenv_that_cannot_be_read(tmp_path: Path) -> None:
    """It is named; it is no fault of ours."""
    (tmp_path / ".env").write_bytes(b"TAP_X_TOKEN=\xff\n")
    with pytest.raises(SettingsError, match=r"\.env cannot be read: it is not UTF-8"):
        load(dotenv_dir=tmp_path)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """Editors write it; the file is read all the same."""
    (tmp_path / "c.json").write_bytes(b'\xef\xbb\xbf{"token": "t"}')
    assert load(tmp_path / "c.json")["token"] == "t"


@pytest.mark.parametrize("name", ["prot", "PORT", "Start-Date", "repository", "repositorys", "startDate", "verbos"])
def test_a_slip_is_an_error(tmp_path: Path, name: str) -> None:
    """A name that is nearly a known one ends the run, with the name that was meant."""
    text = refusal(write(tmp_path / "c.json", {"token": "t", name: "x"}))
    assert f"'{name}' of tap-x is unknown (did you mean" in text


def test_a_stranger_is_told_and_kept_out_of_the_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A name that nobody could have meant as one of ours gives one warning: configs carry over between connectors."""
    with caplog.at_level(logging.WARNING):
        load(write(tmp_path / "c.json", {"token": "t", "batch_storage": 1, "auth": {"kind": 2}}))
    assert [record.getMessage() for record in caplog.records] == [
        "settings that tap-x does not have are ignored: batch_storage, auth.kind"
    ]


def test_a_known_setting_that_is_given_is_not_meant_twice(tmp_path: Path) -> None:
    """`ports` beside `port` is a stranger, no slip."""
    assert load(write(tmp_path / "c.json", {"token": "t", "port": 1, "ports": [1]}))["port"] == 1


def test_a_variable_like_a_setting_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """The environment belongs to everyone: a near miss is a warning, anything else is nobody's business."""
    with caplog.at_level(logging.WARNING):
        load(TAP_X_TOKEN="t", TAP_X_PROT="1", TAP_X_SOMETHING_ELSE="2", TAP_X_LOGLEVEL="debug")
    assert [record.getMessage() for record in caplog.records] == [
        "environment variable TAP_X_PROT is no setting of tap-x; did you mean TAP_X_PORT?"
    ]


def test_common_settings_come_after_and_give_way() -> None:
    """The base's settings are added; one that the connector declares itself is the connector's."""
    common = {"properties": {"port": {"type": "string"}, "flatten": {"default": True}}, "required": ["port", "flatten"]}
    merged = Settings.declare("tap-x", SCHEMA, common)
    assert [*merged.json_schema["properties"]][-1] == "flatten"
    assert merged.json_schema["required"] == ["token", "flatten"]
    assert merged.from_mapping({"token": "t"})["port"] == 5432


def test_references_into_the_schema_are_followed() -> None:
    """Casting, defaults and secrets see through `$ref`."""
    schema = {
        "properties": {"login": {"$ref": "#/$defs/login"}},
        "$defs": {"login": {"type": "object", "properties": {"pin": {"type": "integer"}, "tries": {"default": 3}}}},
    }
    config = Settings.declare("tap-x", schema).load((), {"TAP_X_LOGIN__PIN": "123456"}, "/nowhere")
    assert config["login"] == {"pin": 123456, "tries": 3}
    assert config.secrets() == ("123456",)


def test_settings_are_described() -> None:
    """Each setting has its type, default, variable; secrets keep their default to themselves."""
    schema = {"properties": {"api_key": {"type": ["string", "null"], "default": "hush"}, **SCHEMA["properties"]}}
    settings = Settings.declare("tap-x", schema)
    described = {setting.name: setting for setting in settings.describe()}
    assert described["api_key"].secret
    assert described["api_key"].default == "(hidden)"
    assert described["auth.retry.times"].variable == "TAP_X_AUTH__RETRY__TIMES"
    assert described["port"].types == ("integer",)
    assert "hush" not in json.dumps(settings.public_schema())
    assert settings.public_schema()["properties"]["api_key"]["secret"] is True
    assert "hush" in json.dumps(settings.json_schema)


SMALL_SCHEMAS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "object", "array", ["integer", "null"]]),
        "enum": st.lists(st.text(max_size=2) | st.integers(0, 3) | st.none(), min_size=1),
        "minimum": st.integers(0, 3) | st.just(1.5),
        "maximum": st.integers(0, 3),
        "minLength": st.integers(0, 2),
        "exclusiveMinimum": st.integers(0, 3) | st.booleans(),
        "exclusiveMaximum": st.integers(0, 3),
        "maxLength": st.integers(0, 2),
        "minItems": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "pattern": st.sampled_from(["^x", "a.b", "^$"]),
        "const": st.sampled_from(["x", 1]),
        "format": st.sampled_from(["uri", "email", "date", "password"]),
        "oneOf": st.sampled_from(
            [
                [{"type": "string"}, {"type": "integer"}],
                [{"type": "number"}, {"type": "integer"}],
                [{}, {"type": "null"}],
            ]
        ),
        "items": st.sampled_from([{"type": "string"}, {"minimum": 2}, {}]),
        "properties": st.sampled_from([{"a": {"type": "integer"}}, {"b": {"enum": ["x"]}}]),
        "required": st.sampled_from([["a"], ["b", "c"]]),
        "additionalProperties": st.sampled_from([True, False, {"type": "null"}]),
        "anyOf": st.sampled_from([[{"type": "string"}, {"minimum": 1}]]),
        "not": st.sampled_from([{"type": "string"}]),
        "$schema": st.just("http://json-schema.org/draft-04/schema#"),
    },
)
SMALL_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 4)
    | st.sampled_from([1.0, 1.5, "", "x", "http://a.b/c", "a@b", "http:", "2026-02-28", "2026-02-29"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=250, deadline=None)
@given(SMALL_SCHEMAS, SMALL_VALUES)
def test_the_first_look_never_passes_what_the_reference_refuses(schema: dict[str, Any], value: Any) -> None:
    """What `fits` accepts the reference accepts."""
    try:
        found = problems(schema, value)
    except SchemaError:  # no schema at all in its draft
        return
    assert found == [] or not fits(schema, schema, value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("port", "port"), ("ports", "port"), ("host", None), ("strat_date", "start_date"), ("end_date", None)],
)
def test_nearest(name: str, meant: str | None) -> None:
    """A slip is few edits away; other words are other words."""
    assert nearest(name, ["start_date", "port", "token"]) == meant
