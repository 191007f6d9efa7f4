"""`singer-kit run`: the command line of a run."""

import os
import shlex
import sys
from pathlib import Path

import click

from singer_kit.errors import UsageError
from singer_kit.runner.progress import console_for
from singer_kit.runner.run import Plan, home, run

__all__ = ["command"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("run", short_help="Run a tap into a target.")
@click.argument("tap")
@click.argument("target", required=False, metavar="TARGET")
@click.option("--tap-config", "tap_configs", multiple=True, metavar="FILE", help="The tap's settings; repeatable.")
@click.option(
    "--target-config", "target_configs", multiple=True, metavar="FILE", help="The target's settings; repeatable."
)
@click.option("--catalog", metavar="FILE", help="The catalog to hand to the tap.")
@click.option(
    "--select",
    multiple=True,
    metavar="PATTERN",
    help="Read only this: `stream`, `stream.field`, with * and ?; `!` excludes; repeatable.",
)
@click.option("--full-refresh", is_flag=True, help="Start without a state; the saved one stays until a new one comes.")
@click.option("--id", "pipeline", metavar="NAME", help="The pipeline's name; by default made of tap, target, configs.")
@click.option("--state", type=_FILE, metavar="FILE", help="Read this state, and update it, instead of the kept one.")
@click.option("--state-out", type=_FILE, metavar="FILE", help="Write states to this file and leave the one read alone.")
def command(
    tap: str,
    target: str | None,
    *,
    tap_configs: tuple[str, ...],
    target_configs: tuple[str, ...],
    catalog: str | None,
    select: tuple[str, ...],
    full_refresh: bool,
    pipeline: str | None,
    state: Path | None,
    state_out: Path | None,
) -> int:
    """Run TAP into TARGET, from the last saved state on.

    TAP and TARGET are names of connectors, paths, or whole commands in quotes (`"python my_tap.py"`); any Singer
    executables will do. The state is kept in $SINGER_KIT_HOME or ./.singer-kit, as state/ID.json, and only ever
    comes from the target.

    Exit codes: 0 all well, 20 the tap failed, 21 the target failed, 22 both, 99 nothing is selected,
    2 usage, 6 the state is invalid or locked, 130/143 ended by SIGINT/SIGTERM.
    """
    if target is None:
        raise UsageError(
            f"A run needs a tap and a target, and only {tap!r} was given.",
            next_step=f"name the target as well: `singer-kit run {shlex.quote(tap)} target-jsonl`.",
        )
    if pipeline is not None and not pipeline.strip():
        raise UsageError("The pipeline's id is empty.", next_step="give --id a name, or leave it out.")
    plan = Plan(
        tap=tap,
        target=target,
        home=home(os.environ),
        tap_configs=tap_configs,
        target_configs=target_configs,
        catalog=catalog,
        select=select,
        full_refresh=full_refresh,
        pipeline=pipeline,
        state=state,
        state_out=state_out,
    )
    progress = console_for(sys.stderr, is_json=os.environ.get("SINGER_KIT_LOG", "").lower() == "json")
    try:
        return run(plan, progress)
    finally:
        progress.close()
