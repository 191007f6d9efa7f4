"""The command line of a connector: its flags, its help, what was asked for.

Parsing only; it must not read files or settings.
"""

import argparse
import os
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from singer_kit.cli.connector import Connector, Flag
from singer_kit.codec import encode
from singer_kit.errors import UsageError
from singer_kit.nearest import nearest
from singer_kit.settings.declared import Setting

__all__ = ["help_text", "parse", "parser_of"]

_EXIT_CODES = """\
exit codes:
  0 all well, 1 a fault of ours, 2 usage, settings, catalog, 3 source failed, 4 destination failed,
  5 bad message or record from the other side, 6 state invalid or locked, 7 stalled or timed out,
  130/143 ended by SIGINT/SIGTERM, 141 the reader of our output has gone
"""


class _Parser(argparse.ArgumentParser):
    """Raises `UsageError` instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"The command line is not understood: {message}.",
            next_step=f"run `{self.prog} --help` for its flags.",
        )


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal. argparse makes one for each flag, and would load shutil to measure the terminal."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_width())

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """`--catalog, --properties, -p FILE`, as Python 3.13 and later write it."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        metavar = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {metavar}"


def _width() -> int:
    try:
        return max(40, int(os.environ.get("COLUMNS") or os.get_terminal_size().columns) - 2)
    except (ValueError, OSError):
        return 98


def parser_of(connector: type[Connector]) -> argparse.ArgumentParser:
    """The parser of a connector's command line."""
    parser = _Parser(prog=connector.name, formatter_class=_Formatter, allow_abbrev=False, add_help=False)
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        metavar="FILE|ENV",
        help="A JSON file of settings; of several the later wins. ENV reads the environment and ./.env too, "
        "which is also what happens without --config.",
    )
    for flag in connector.flags:
        _add(parser, flag)
    parser.add_argument("--about", action="store_true", help="Describe the connector and its settings, and end.")
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown"),
        help="How --about is written: text (the default), json or markdown.",
    )
    parser.add_argument("--version", action="store_true", help="Print the version and end.")
    parser.add_argument("-h", "--help", action="store_true", help="Print this text and end.")
    return parser


def help_text(connector: type[Connector]) -> str:
    """What `--help` prints: the flags, the settings, the exit codes."""
    parser = parser_of(connector)
    parser.description = connector.about().get("description") or None
    parser.epilog = _settings_help(connector.settings().describe()) + "\n" + _EXIT_CODES
    return parser.format_help()


def parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> dict[str, Any]:
    """The options by name. Raises `UsageError`, with the flag that was meant if there is one like it."""
    options, unknown = parser.parse_known_args(list(argv))
    if unknown:
        word = unknown[0].partition("=")[0]
        meant = nearest(word, (name for name in parser._option_string_actions if name.startswith("--")))
        no_flag = f"has no flag {word}" + (f"; did you mean {meant}?" if meant else ".")
        raise UsageError(  # a word that is no flag may be a secret that lost its flag
            f"{parser.prog} {no_flag if word.startswith('-') else 'takes flags only, no further words.'}",
            next_step=f"run `{parser.prog} --help` for its flags.",
        )
    return vars(options)


def _add(parser: argparse.ArgumentParser, flag: Flag) -> None:
    names = [flag.name, *flag.aliases]
    if not flag.metavar and not flag.choices:
        parser.add_argument(*names, dest=flag.key, action="store_true", help=flag.help)
        return
    details: dict[str, Any] = {"dest": flag.key, "help": flag.help, "metavar": flag.metavar or None}
    if flag.choices:
        details["choices"] = flag.choices
    if flag.optional_value:
        details |= {"nargs": "?", "const": flag.optional_value}
    if flag.repeatable:
        details |= {"action": "append", "default": []}
    parser.add_argument(*names, **details)


def plain(value: object) -> str:
    """A setting's value as a config file would have it, texts without their quotes."""
    return value if isinstance(value, str) else encode(value).decode()


def _settings_help(settings: Sequence[Setting]) -> str:
    if not settings:
        return ""
    lines = ["settings (in the config file, or as environment variables):"]
    for setting in settings:
        words = " or ".join(setting.types) or "anything"
        notes = [words] + ["required"] * setting.required + ["secret"] * setting.secret
        if setting.default is not None:
            notes.append(f"default {plain(setting.default)}")
        text = setting.description
        if setting.allowed_values:
            text += f" One of {', '.join(map(plain, setting.allowed_values))}."
        lines.append(f"  {setting.name} ({', '.join(notes)})  {setting.variable}")
        lines += textwrap.wrap(text.strip(), 98, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"
