"""`--about`: what a connector is, can do and can be told, as text, JSON or Markdown.

Text only; it must not read anything.
"""

import textwrap
from typing import Any

from singer_kit.cli.arguments import plain
from singer_kit.cli.connector import Connector
from singer_kit.codec import pretty
from singer_kit.settings.declared import Setting
from singer_kit.version import __version__

__all__ = ["about_of", "about_text"]


def about_of(connector: type[Connector]) -> dict[str, Any]:
    """All that `--about` says, in the words of the Meltano SDK where it has them; no secret among it."""
    facts = {
        "name": connector.name,
        "description": "",
        "version": connector.version,
        "kind": connector.kind,
        "sdk": "singer_kit",
        "sdk_version": __version__,
        "capabilities": [],
    }
    return {**facts, **connector.about(), "settings": connector.settings().public_schema()}


def about_text(connector: type[Connector], form: str) -> str:
    """`about_of` as `json`, `markdown` or `text`."""
    facts = about_of(connector)
    if form == "json":
        return pretty(facts) + "\n"
    settings = connector.settings().describe()
    return _markdown(facts, settings) if form == "markdown" else _plain(facts, settings)


def _plain(facts: dict[str, Any], settings: list[Setting]) -> str:
    lines = [
        f"{_label(name)}: {', '.join(map(str, value)) if isinstance(value, (list, tuple)) else value}"
        for name, value in facts.items()
        if name != "settings" and value not in ("", [], (), None)
    ]
    lines.append("Settings:")
    for setting in settings:
        lines.append(f"  {setting.name} ({', '.join(_notes(setting))})")
        lines += textwrap.wrap(setting.description, 98, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines) + "\n"


def _markdown(facts: dict[str, Any], settings: list[Setting]) -> str:
    lines = [f"# {facts['name']} {facts['version']}", ""]
    if facts["description"]:
        lines += [str(facts["description"]), ""]
    if facts["capabilities"]:
        lines += ["Capabilities: " + ", ".join(f"`{word}`" for word in facts["capabilities"]) + ".", ""]
    lines += ["## Settings", ""]
    lines += [
        "| Setting | Type | Required | Default | Environment | Description |",
        "|---|---|---|---|---|---|",
    ]
    for setting in settings:
        cells = [
            f"`{setting.name}`",
            " or ".join(setting.types) or "anything",
            "yes" if setting.required else "no",
            "" if setting.default is None else f"`{plain(setting.default)}`",
            f"`{setting.variable}`",
            _described(setting),
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _notes(setting: Setting) -> list[str]:
    notes = [" or ".join(setting.types) or "anything"]
    notes += ["required"] * setting.required + ["secret"] * setting.secret
    if setting.default is not None:
        notes.append(f"default {plain(setting.default)}")
    if setting.allowed_values:
        notes.append(f"one of {', '.join(map(plain, setting.allowed_values))}")
    return [*notes, setting.variable]


def _described(setting: Setting) -> str:
    text = setting.description
    if setting.allowed_values:
        text += f" One of {', '.join(map(plain, setting.allowed_values))}."
    return (text + " Secret." if setting.secret else text).strip()


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
