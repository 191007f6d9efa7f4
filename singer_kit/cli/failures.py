"""How a run ended: an exception to an exit code and to lines that say what to do.

It logs; it must not end the process.
"""

import logging
import traceback
from pathlib import Path

from singer_kit.errors import ExitCode, InterruptedRunError, ReaderGoneError, SingerKitError

__all__ = ["tell"]


def tell(error: BaseException, connector: str, *, debug: bool) -> int:
    """The exit code for `error`, which is told at CRITICAL, one message per line; its traceback at DEBUG.

    A reader that has gone is told to nobody who would read it: at DEBUG only. `debug` shows the traceback
    whatever the level.
    """
    log = logging.getLogger(connector)
    if isinstance(error, SystemExit):
        return _exit_of(error, log)
    if isinstance(error, ReaderGoneError):
        log.debug("%s", error.sentence)
        return int(error.exit_code)
    if isinstance(error, InterruptedRunError):
        log.critical("%s", error.sentence)
        return int(error.exit_code)
    text = str(error) if isinstance(error, SingerKitError) else _unexpected(error, connector, debug=debug)
    for line in text.splitlines():
        log.critical("%s", line)
    trace = "".join(traceback.format_exception(error)).rstrip()
    if debug and not log.isEnabledFor(logging.DEBUG):
        log.critical("%s", trace)
    else:
        log.debug("%s", trace)
    return int(error.exit_code) if isinstance(error, SingerKitError) else int(ExitCode.INTERNAL)


def _exit_of(error: SystemExit, log: logging.Logger) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    log.critical("%s", error.code)
    return int(ExitCode.INTERNAL)


def _unexpected(error: BaseException, connector: str, *, debug: bool) -> str:
    """Type and place of a fault, not its text: that may hold a record."""
    what = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        what += f" ({error.strerror})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "singer_kit" not in Path(frame.filename).parts] or frames
    places = dict.fromkeys(
        f"\n  at {Path(frame.filename).name}:{frame.lineno}, in {frame.name}" for frame in (*own[-1:], *frames[-1:])
    )
    hint = "" if debug else "\n  next: run it again with SINGER_KIT_DEBUG=1 to see the traceback."
    return f"{connector} has a fault of its own: {what}.{''.join(places)}{hint}"
