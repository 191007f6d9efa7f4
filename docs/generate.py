"""Writes docs/reference/ from the code: exit codes, errors, commands, settings of the built-in connectors.

`python docs/generate.py` writes the pages, `python docs/generate.py --check` only says which of them are out of date.
"""

import inspect
import sys
from importlib import import_module
from pathlib import Path

import click

from singer_kit.cli.about import about_text
from singer_kit.commands.explain import NEXT_STEPS, error_classes, first_line
from singer_kit.commands.main import COMMANDS, cli
from singer_kit.errors import EXIT_CODE_MEANINGS, ExitCode, InterruptedRunError, SingerKitError

FOLDER = Path(__file__).parent / "reference"
CONNECTORS = {
    "tap-csv": "tap_csv:TapCSV",
    "target-jsonl": "target_jsonl:TargetJsonl",
    "target-duckdb": "target_duckdb:TargetDuckDB",
    "mapper-maps": "mapper_maps:MapperMaps",
}
NOTE = "<!-- Written by docs/generate.py; change the code, not this page. -->\n\n"


def exit_codes() -> str:
    """A table of every exit code, its meaning and what to do."""
    lines = [
        "# Exit codes",
        "",
        "What a connector, or `singer-kit`, returns to the shell. `singer-kit explain CODE` says the same.",
        "",
        "| Code | Meaning | What to do |",
        "|---|---|---|",
    ]
    lines += [f"| {code.value} | {EXIT_CODE_MEANINGS[code]} | {NEXT_STEPS[code]} |" for code in ExitCode]
    lines += [
        "",
        "A process that was killed has 128 and the number of the signal, 137 for SIGKILL: then nobody could choose a",
        "code. 126 and 127 are the shell's: the command cannot be executed, or was not found.",
    ]
    return "\n".join(lines) + "\n"


def errors() -> str:
    """The tree of errors with their exit codes and docstrings."""
    lines = [
        "# Errors",
        "",
        "Every error is a sentence, a place and a next step, and never holds a secret. All of them are in",
        "`singer_kit.errors`; a connector raises one to end its run with that exit code.",
        "",
        "```",
        *inspect.cleandoc(inspect.getmodule(SingerKitError).__doc__ or "").split("\n\n")[1].splitlines(),  # type: ignore[union-attr]
        "```",
        "",
    ]
    for each in error_classes():
        code = "130 or 143" if each is InterruptedRunError else str(int(each.exit_code))
        parents = [parent.__name__ for parent in each.__mro__[1:] if issubclass(parent, SingerKitError)]
        lines += [f"## {each.__name__}", ""]
        lines += [first_line(each), "", f"Exit code {code}." + (f" A kind of `{parents[0]}`." if parents else ""), ""]
    return "\n".join(lines).rstrip() + "\n"


def commands() -> str:
    """The help of `singer-kit` and of each of its commands."""
    lines = ["# The `singer-kit` command", "", "```", *_help(cli, "singer-kit"), "```", ""]
    for name in COMMANDS:
        command = import_module(f"singer_kit.commands.{name}").command
        lines += [f"## singer-kit {name}", "", "```", *_help(command, f"singer-kit {name}"), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def settings() -> str:
    """The settings of the connectors that come with the package, as their `--about` tells them."""
    parts = [
        """\
# Settings of the built-in connectors

The same as `NAME --about --format markdown` prints. Later wins: default, `.env`, environment variable, config files in
order; the environment is read with `--config ENV` or when no file is given.
"""
    ]
    for place in CONNECTORS.values():
        module, _, name = place.partition(":")
        connector = getattr(import_module(f"singer_kit.connectors.{module}"), name)
        text = about_text(connector, "markdown").replace("\n## ", "\n### ")
        parts.append(f"#{text}".replace(f" {connector.version}\n", "\n", 1))
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """Every page by its file name."""
    written = {"exit-codes": exit_codes(), "errors": errors(), "commands": commands(), "settings": settings()}
    return {f"{name}.md": NOTE + text for name, text in written.items()}


def _help(command: click.Command, name: str) -> list[str]:
    context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
    return [line.rstrip() for line in command.get_help(context).splitlines()]


def main(arguments: list[str]) -> int:
    """0 when every page is as the code says, after writing them unless `--check`."""
    FOLDER.mkdir(exist_ok=True)
    stale = [
        name
        for name, text in pages().items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != text
    ]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/reference/{name} is out of date: run `python docs/generate.py`")
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).write_text(pages()[name], "utf-8")
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
