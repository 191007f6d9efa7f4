"""`singer-kit`: its commands by name, how errors are told, and the exit code.

A command's module is imported when it is called; its click command is named `command` there.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from singer_kit.errors import ExitCode, SingerKitError
from singer_kit.nearest import nearest
from singer_kit.version import __version__

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS: dict[str, str] = {
    "run": "Pipe a tap into a target and keep the state between runs.",
    "infer": "Write a schema from JSON lines or captured Singer messages.",
    "diff": "Compare two captured streams or JSON lines files, whatever their order.",
    "explain": "Say what an exit code or an error means and what to do.",
}
"""Every command and its line in the help; the module `singer_kit.commands.NAME` holds it."""


class _Commands(click.Group):
    """A group that knows its commands' names without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"singer_kit.commands.{cmd_name.replace('-', '_')}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            meant = nearest(args[0], COMMANDS)
            hint = f" Did you mean '{meant}'?" if meant else ""
            raise click.UsageError(f"No such command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="singer-kit", message="%(prog)s %(version)s")
def cli() -> None:
    """Run, compare and understand Singer connectors."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of one call of `singer-kit` with `argv`, by default the process's own arguments.

    A command returns its exit code, or None for 0. Errors are told on stderr: sentence, place, next step.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        # Not `cli.main`: it ends with 1 when the reader of our output has gone.
        with cli.make_context("singer-kit", arguments) as context:
            result = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return int(ExitCode.SIGINT)
    except SingerKitError as error:
        click.echo(f"Error: {error}", err=True)
        return int(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone; what Python still holds for it must not fail a second time at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.READER_GONE)
    return result if isinstance(result, int) else 0
