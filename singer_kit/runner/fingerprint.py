"""What a tap was told, without keeping it: a fingerprint per setting, and the secrets to hide in its logs.

It reads config files; it must not store or show a value.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from singer_kit.codec import DecodeError, decode, encode_exactly
from singer_kit.errors import SettingsError
from singer_kit.settings.secrets import secret_values

__all__ = ["changed_settings", "check_configs", "fingerprints", "secrets_in"]

_WHOLE = "(the whole file)"


def check_configs(paths: Sequence[str], connector: str) -> None:
    """Every config file can be read; raises `SettingsError` for one that cannot. `ENV` is no file."""
    for path in paths:
        try:
            _read(path)
        except OSError as error:
            raise SettingsError(
                f"A config of {connector} cannot be read: {error.strerror or error}.",
                place=f"file: {path}",
                next_step="give the path of a file that is there and readable.",
            ) from error


def fingerprints(paths: Sequence[str]) -> dict[str, str]:
    """Per top-level setting a few digits that change with its value; too few to guess the value from."""
    found: dict[str, str] = {}
    for path in paths:
        content = _read(path)
        settings = _settings(content)
        values: Mapping[str, Any] = (
            settings if settings is not None else {f"{_WHOLE} {path}": content.decode("latin-1")}
        )
        found |= {name: _mark(value) for name, value in values.items()}
    return found


def changed_settings(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The names of the settings that were added, taken away or changed."""
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def secrets_in(paths: Sequence[str]) -> tuple[str, ...]:
    """The values of settings whose names say that they are secret."""
    found: list[str] = []
    for path in paths:
        settings = _settings(_read(path))
        values: Iterable[str] = secret_values({}, {}, settings) if settings is not None else ()
        found += values
    return tuple(found)


def _read(path: str) -> bytes:
    return b"{}" if path == "ENV" else Path(path).read_bytes()


def _settings(content: bytes) -> dict[str, Any] | None:
    try:
        settings = decode(content)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None  # no JSON: its reader will say so
    return settings if isinstance(settings, dict) else None


def _mark(value: Any) -> str:
    return hashlib.sha256(encode_exactly(value, sort_keys=True)).hexdigest()[:8]
