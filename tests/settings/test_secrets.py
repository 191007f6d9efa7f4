"""Secrets: which settings are secret, and in which spellings a secret may turn up."""

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.codec import encode
from singer_kit.settings import Settings
from singer_kit.settings.secrets import is_secret, spellings
from singer_kit.telemetry import Redactor

SECRET_NAMES = [
    "password",
    "db_password",
    "userPassword",
    "pwd",
    "passphrase",
    "token",
    "api_token",
    "accessToken",
    "refresh_token",
    "secret",
    "client_secret",
    "clientSecret",
    "api_key",
    "apiKey",
    "apikey",
    "api-key",
    "access_key_secret",
    "aws_secret_access_key",
    "private_key",
    "service_account_key",
    "storage_account_key",
    "credentials",
    "credentials_json",
    "authorization",
    "pin",
    "dsn",
    "cookie",
    "jwt",
    "session_cookie",
    "bearer",
    "signing_key",
    "encryption_key",
    "aws_access_key_id_token",
]
PLAIN_NAMES = [
    "user",
    "username",
    "host",
    "port",
    "path",
    "primary_key",
    "primary_keys",
    "key",
    "keys",
    "key_properties",
    "partition_key",
    "replication_key",
    "token_url",
    "token_endpoint",
    "token_expiry",
    "password_file",
    "secret_name",
    "passenger",
    "passport",
    "spin",
    "pins_per_page",
    "private_key_path",
    "tokens_per_minute",
    "api_key_header",
    "start_date",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_credentials_are_known_by_name(name: str) -> None:
    """Most connectors leave one of their credentials unmarked; it is hidden all the same."""
    assert is_secret(name, {"type": "string"})


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_other_settings_are_shown(name: str) -> None:
    """Names that only hold such a word in another sense are no secrets."""
    assert not is_secret(name, {"type": "string"})


@pytest.mark.parametrize(
    ("name", "schema", "verdict"),
    [
        ("note", {"secret": True}, True),
        ("note", {"writeOnly": True}, True),
        ("note", {"format": "password"}, True),
        ("token", {"secret": False}, False),
    ],
)
def test_a_mark_decides(name: str, schema: dict[str, Any], verdict: bool) -> None:
    """What the author says of a setting counts more than its name."""
    assert is_secret(name, schema) is verdict


def test_secrets_are_found_at_every_depth() -> None:
    """In objects, lists, unknown members and inside of URLs; whole objects that are marked, leaf by leaf."""
    schema = {
        "properties": {
            "url": {"type": "string"},
            "accounts": {"type": "array", "items": {"properties": {"password": {}}}},
            "service": {"type": "object", "secret": True},
            "pin": {"type": "integer"},
        }
    }
    config = Settings.declare("tap-x", schema).from_mapping(
        {
            "url": "postgresql://ann:in-url@db/x",
            "accounts": [{"password": "one", "user": "ann"}, {"password": "two"}],
            "service": {"id": 5, "deep": ["three", True, None]},
            "pin": 1234,
            "stranger": {"api_key": "four"},
        }
    )
    assert set(config.secrets()) == {"in-url", "one", "two", "5", "three", "1234", "four"}
    assert config.public()["pin"] == "(hidden)"
    assert config.public()["url"].startswith("postgresql")


@given(st.text(min_size=4).filter(lambda text: len(text.strip()) >= 4))
def test_every_usual_spelling_is_covered(secret: str) -> None:
    """A secret in a URL, in JSON, in a Python repr, in base64: none of them gets through."""
    redact = Redactor()
    redact.watch(lambda values=(secret,): values, spellings)  # type: ignore[misc]
    texts = [secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]]
    texts += [encode(secret).decode()[1:-1], repr(secret)[1:-1]]
    texts += [base64.b64encode(secret.encode()).decode()]
    for text in texts:
        assert text.strip() not in redact(f"before <{text}> after")


def test_every_line_of_a_key_is_covered() -> None:
    """A private key is printed line by line as often as whole."""
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n"
    assert "MIIEvQIBADANBg" in spellings(key)
