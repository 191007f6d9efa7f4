"""Writing a rotated token back: into the last file that held it, atomically, or a warning."""

import json
import logging
import stat
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from singer_kit.settings import Settings

SCHEMA: dict[str, Any] = {
    "properties": {
        "refresh_token": {"type": "string"},
        "oauth": {"type": "object", "properties": {"token": {}, "scope": {}}},
        "rate": {"type": "number"},
    }
}
SETTINGS = Settings.declare("tap-x", SCHEMA)


def test_the_last_file_that_held_it_is_changed(tmp_path: Path) -> None:
    """Only that file and only that member; order, other values, digits, indentation and mode stay."""
    first, second, third = (tmp_path / f"{number}.json" for number in "123")
    first.write_text('{"refresh_token": "older"}')
    second.write_text('{\n  "z": 1,\n  "refresh_token": "old",\n  "rate": 0.10000000000000000001\n}\n')
    third.write_text('{"oauth": {}}')
    second.chmod(0o640)
    config = SETTINGS.load([first, second, third])
    assert config.write_back({"refresh_token": "new"})
    assert config["refresh_token"] == "new"
    assert second.read_text() == '{\n  "z": 1,\n  "refresh_token": "new",\n  "rate": 0.10000000000000000001\n}\n'
    assert stat.S_IMODE(second.stat().st_mode) == 0o640
    assert first.read_text() == '{"refresh_token": "older"}'
    assert third.read_text() == '{"oauth": {}}'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.json", "2.json", "3.json"]


def test_a_change_made_meanwhile_is_kept(tmp_path: Path) -> None:
    """The file is read again before it is written; somebody's edit of another member survives."""
    path = tmp_path / "c.json"
    path.write_text('{"refresh_token":"old"}')
    config = SETTINGS.load([path])
    path.write_text('{"refresh_token":"old","added":true}')
    config.write_back({"refresh_token": "new"})
    assert path.read_text() == '{"refresh_token":"new","added":true}\n'


def test_objects_are_changed_member_by_member(tmp_path: Path) -> None:
    """What is not mentioned inside of an object stays."""
    path = tmp_path / "c.json"
    path.write_text('{"oauth": {"token": "old", "scope": "all"}}')
    config = SETTINGS.load([path])
    config.write_back({"oauth": {"token": "new"}})
    assert json.loads(path.read_text()) == {"oauth": {"token": "new", "scope": "all"}}
    assert config["oauth"] == {"token": "new", "scope": "all"}


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The link stays a link; what it points to is replaced."""
    target = tmp_path / "real.json"
    target.write_text('{"refresh_token": "old"}')
    link = tmp_path / "link.json"
    link.symlink_to(target)
    SETTINGS.load([link]).write_back({"refresh_token": "new"})
    assert link.is_symlink()
    assert json.loads(target.read_text())["refresh_token"] == "new"


def test_without_a_file_there_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on with the new token, and it is said that it will be lost; the token is not said."""
    config = SETTINGS.load((), {"TAP_X_REFRESH_TOKEN": "old-token"}, "/nowhere")
    with caplog.at_level(logging.WARNING):
        assert not config.write_back({"refresh_token": "new-token"})
    assert config["refresh_token"] == "new-token"
    assert "refresh_token" in caplog.text
    assert "new-token" not in caplog.text


def test_a_file_that_cannot_be_replaced_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on; the file is as it was."""
    path = tmp_path / "c.json"
    path.write_text('{"refresh_token": "old"}')
    config = SETTINGS.load([path])
    path.write_text("no longer JSON")
    with caplog.at_level(logging.ERROR):
        assert not config.write_back({"refresh_token": "new"})
    assert "refresh_token" in caplog.text
    assert path.read_text() == "no longer JSON"


def test_old_and_new_are_secret(tmp_path: Path) -> None:
    """Both tokens are kept out of every output from then on."""
    path = tmp_path / "c.json"
    path.write_text('{"refresh_token": "old-token", "rate": 1}')
    config = SETTINGS.load([path])
    before = config.secrets()
    assert before == ("old-token",)
    assert config.secrets() is before
    config.write_back({"refresh_token": "new-token", "rate": Decimal("1.5")})
    assert set(config.secrets()) == {"old-token", "new-token"}
