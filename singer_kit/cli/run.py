"""Runs a connector as a program: what was asked for is done, and the exit code says how it went.

It knows neither tap nor target, only the `Connector` protocol.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Literal

from singer_kit.cli.connector import Connector
from singer_kit.cli.pipes import IO, standard_io
from singer_kit.cli.stop import Stop, stop_on_signals
from singer_kit.errors import UsageError
from singer_kit.late import late
from singer_kit.telemetry import Redactor, level_from, logging_to, redacting

__all__ = ["run"]

about = late("singer_kit.cli.about")
failures = late("singer_kit.cli.failures")
parsing = late("singer_kit.cli.arguments")
secrets = late("singer_kit.settings.secrets")


def run(connector: type[Connector], argv: Sequence[str] | None = None) -> int:
    """The exit code of one run of `connector` with the arguments `argv`, by default the process's own.

    Everything it changes in the process (signals, streams, loggers) is put back on return.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    environ = os.environ
    redact = Redactor()
    debug = environ.get("SINGER_KIT_DEBUG", "") not in ("", "0")
    form: Literal["text", "json"] = "json" if environ.get("SINGER_KIT_LOG", "").lower() == "json" else "text"
    with ExitStack() as stack:
        stop = Stop()
        stack.callback(stop.close)
        stderr = stack.enter_context(redacting(redact))
        stack.enter_context(logging_to(stderr, level=level_from(environ, connector.name), form=form, redact=redact))
        io = stack.enter_context(standard_io(stop, stray=stderr))
        stack.enter_context(stop_on_signals(stop))
        try:
            _do(connector, arguments, io, stop, redact)
            stop.check()
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place that can tell it
            code = int(failures.tell(error, connector.name or connector.__name__, debug=debug))
            return 128 + stop.signum if stop.signum is not None else code
    return 0


def _do(connector: type[Connector], arguments: Sequence[str], io: IO, stop: Stop, redact: Redactor) -> None:
    if not connector.name:
        raise UsageError(
            f"{connector.__name__} has no name.",
            place=f"class: {connector.__module__}.{connector.__name__}",
            next_step=f'give the class one: name = "{connector.kind}-x".',
        )
    version = f"{connector.name} {connector.version}\n".encode()
    if list(arguments) == ["--version"]:
        io.write(version)
        return
    parser = parsing.parser_of(connector)
    options: Mapping[str, Any] = parsing.parse(parser, arguments)
    if options["help"]:
        io.write(parsing.help_text(connector).encode())
    elif options["version"]:
        io.write(version)
    elif options["about"]:
        io.write(about.about_text(connector, options["format"] or "text").encode())
    elif options["format"]:
        raise UsageError("--format goes with --about.", next_step=f"run `{connector.name} --about --format json`.")
    else:
        config = connector.settings().load(options["config"] or ())
        redact.watch(config.secrets, secrets.spellings)
        connector.execute(config, options, io, stop)
