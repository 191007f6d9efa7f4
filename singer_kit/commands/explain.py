"""`singer-kit explain`: what an exit code or an error means. All of it is read from `singer_kit.errors`."""

import inspect
import signal

import click

from singer_kit import errors
from singer_kit.errors import EXIT_CODE_MEANINGS, ExitCode, SingerKitError, UsageError
from singer_kit.nearest import nearest

__all__ = ["NEXT_STEPS", "command", "error_classes", "explanation", "first_line"]

NEXT_STEPS: dict[ExitCode, str] = {
    ExitCode.OK: "nothing; everything that was read is written, and the state covers it.",
    ExitCode.INTERNAL: "run it again with SINGER_KIT_DEBUG=1 for the traceback, and report it.",
    ExitCode.USAGE: "read the last lines on stderr: they name the flag, setting, file or stream.",
    ExitCode.SOURCE: "see that the source answers and the credentials are right, then run again: it resumes.",
    ExitCode.DESTINATION: "see that the destination can be reached and written, then run again: it resumes.",
    ExitCode.MESSAGE: "the lines on stderr name stream, line and field; correct the other connector, or set "
    "`on_bad_record` to `dead-letter`.",
    ExitCode.STATE: "another run may be under way; if the file is damaged, give an earlier one, or start with "
    "`--full-refresh`.",
    ExitCode.STALLED: "see what the named stream waits for; the state covers all that was written.",
    ExitCode.TAP_FAILED: "explain the tap's own code, which the summary names.",
    ExitCode.TARGET_FAILED: "explain the target's own code, which the summary names.",
    ExitCode.BOTH_FAILED: "begin with whichever failed first; the other often only followed.",
    ExitCode.NOTHING_TO_DO: "select a stream: `--select`, or a catalog with `selected: true`.",
    ExitCode.SIGINT: "run it again when you like: it resumes from the last safe state.",
    ExitCode.READER_GONE: "look at the process that read our output: it ended first.",
    ExitCode.SIGTERM: "run it again when you like: it resumes from the last safe state.",
}
"""What to do about each exit code."""


@click.command("explain")
@click.argument("code", required=False, metavar="[CODE]")
def command(code: str | None) -> None:
    """Say what CODE means: an exit code (3, 143) or an error's name (RecordError); without it, all of them."""
    click.echo(explanation(code) if code is not None else _all(), nl=False)


def explanation(code: str) -> str:
    """What `code` means, in lines. Raises `UsageError` when it is neither an exit code nor an error."""
    if code.isdigit():
        return _exit_code(int(code))
    classes = {each.__name__: each for each in error_classes()}
    found = {name.lower(): each for name, each in classes.items()}.get(code.lower())
    if found is None:
        meant = nearest(code, classes)
        raise UsageError(
            f"'{code}' is neither an exit code nor an error" + (f"; did you mean {meant}?" if meant else "."),
            next_step="run `singer-kit explain` for all of them.",
        )
    path = " > ".join(each.__name__ for each in reversed(found.__mro__) if issubclass(each, SingerKitError))
    exit_code = _code_of(found)
    lines = [f"{path}", "", inspect.cleandoc(found.__doc__ or ""), ""]
    if exit_code is None:
        lines += ["exit codes: 130 (SIGINT), 143 (SIGTERM)", f"next: {NEXT_STEPS[ExitCode.SIGTERM]}"]
    else:
        lines += [f"exit code: {exit_code:d}, {EXIT_CODE_MEANINGS[exit_code]}", f"next: {NEXT_STEPS[exit_code]}"]
    return "\n".join(lines) + "\n"


def error_classes() -> list[type[SingerKitError]]:
    """Every error of the house, parents before their children, in the order of `errors.py`."""
    return [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, SingerKitError) and each.__module__ == errors.__name__
    ]


def first_line(documented: type) -> str:
    """The first sentence of a class's docstring."""
    return inspect.cleandoc(documented.__doc__ or "").partition("\n")[0]


def _exit_code(number: int) -> str:
    if number not in {code.value for code in ExitCode}:
        return _foreign(number)
    code = ExitCode(number)
    lines = [f"exit code {number}: {EXIT_CODE_MEANINGS[code]}", ""]
    causes = [each for each in error_classes() if _code_of(each) is code]
    lines += [f"  {each.__name__}: {first_line(each)}" for each in causes]
    if causes:
        lines.append("")
    return "\n".join([*lines, f"next: {NEXT_STEPS[code]}"]) + "\n"


def _foreign(number: int) -> str:
    """Codes that are not ours: a signal that killed the process, or the shell's."""
    if number in (126, 127):
        what = "was found but cannot be executed" if number == 126 else "was not found"
        return f"exit code {number}: the shell's; the command {what}.\n\nnext: check the name and PATH.\n"
    try:
        name = signal.Signals(number - 128).name
    except ValueError:
        raise UsageError(
            f"{number} is no exit code of ours.", next_step="run `singer-kit explain` for all of them."
        ) from None
    hint = "often the system was out of memory; " if name == "SIGKILL" else ""
    return (
        f"exit code {number}: killed by {name}.\n\n"
        f"next: {hint}run it again: it resumes from the last state that was saved.\n"
    )


def _all() -> str:
    lines = ["exit codes:"]
    lines += [f"  {code.value:>3}  {EXIT_CODE_MEANINGS[code]}" for code in ExitCode]
    lines += ["", "errors:"]
    for each in error_classes():
        depth = len([parent for parent in each.__mro__ if issubclass(parent, SingerKitError)]) - 1
        lines.append(f"  {'  ' * depth}{each.__name__}: {first_line(each)}")
    return "\n".join(lines) + "\n"


def _code_of(error: type[SingerKitError]) -> ExitCode | None:
    """The exit code of an error class; None for the one that goes by its signal."""
    return None if error is errors.InterruptedRunError else ExitCode(error.exit_code)
