"""`singer-kit run TAP TARGET`: a pipeline once, from its last state to its next.

It puts the parts together; it must not move data.
"""

import hashlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final, TextIO

from singer_kit.cli.stop import Stop
from singer_kit.codec import Struct, decode, pretty
from singer_kit.errors import CatalogError, ExitCode, ReaderGoneError
from singer_kit.runner.ask import ConnectorError, ask, known_flags
from singer_kit.runner.children import Family
from singer_kit.runner.choose import Start, TargetState, choose, target_state
from singer_kit.runner.fingerprint import changed_settings, check_configs, fingerprints, secrets_in
from singer_kit.runner.lock import Lock
from singer_kit.runner.pipe import Outcome, Pipe
from singer_kit.runner.progress import Progress
from singer_kit.runner.report import exit_code, summary
from singer_kit.runner.resolve import Command, resolve
from singer_kit.runner.store import Notes, Store, changed
from singer_kit.settings.secrets import spellings
from singer_kit.spec.catalog import Catalog
from singer_kit.spec.selection import is_stream_selected, select, unmatched
from singer_kit.telemetry import Redactor

__all__ = ["Plan", "home", "run"]

_DISCOVERY_SECONDS: Final = 3_600.0
_SAVED_STATE_SECONDS: Final = 120.0


class Plan(Struct, frozen=True):
    """What a run is asked to do, in the words of its command line."""

    tap: str
    target: str
    home: Path
    tap_configs: tuple[str, ...] = ()
    target_configs: tuple[str, ...] = ()
    catalog: str | None = None
    select: tuple[str, ...] = ()
    full_refresh: bool = False
    pipeline: str | None = None
    state: Path | None = None
    state_out: Path | None = None


def home(environ: Mapping[str, str]) -> Path:
    """Where states lie: `$SINGER_KIT_HOME`, or `.singer-kit` in the working directory."""
    return Path(environ.get("SINGER_KIT_HOME") or ".singer-kit")


def run(plan: Plan, progress: Progress, *, output: TextIO | None = None) -> int:
    """The exit code of one run, its summary written to `output`, by default the standard output.

    Raises `UsageError`, `StateError` and the like for what stops it before it starts, or when a state cannot be
    saved. No process that it started is left on return.
    """
    tap, target = resolve(plan.tap, "tap"), resolve(plan.target, "target")
    check_configs(plan.tap_configs, tap.name)
    check_configs(plan.target_configs, target.name)
    if plan.catalog is not None and not Path(plan.catalog).is_file():
        raise CatalogError(
            "There is no such catalog.",
            place=f"file: {plan.catalog}",
            next_step=f"give the path of a file that `{tap.name} --discover` wrote.",
        )
    pipeline = plan.pipeline or _default_id(plan, tap, target)
    store = Store(plan.home, pipeline, state=plan.state, state_out=plan.state_out)
    with ExitStack() as stack:
        lock = stack.enter_context(Lock(store.lock_path, pipeline))
        family = stack.enter_context(Family())
        stop = Stop()
        stack.callback(stop.close)
        stack.enter_context(_stopping_on_signals(stop, family))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="singer-kit-")))
        session = _Session(
            plan=plan,
            tap=tap,
            target=target,
            pipeline=pipeline,
            store=store,
            family=family,
            stop=stop,
            progress=progress,
            folder=folder,
        )
        return session.run(lock.descriptor, sys.stdout if output is None else output)


class _Session:
    """One run, from lock to summary."""

    def __init__(
        self,
        *,
        plan: Plan,
        tap: Command,
        target: Command,
        pipeline: str,
        store: Store,
        family: Family,
        stop: Stop,
        progress: Progress,
        folder: Path,
    ) -> None:
        self._plan = plan
        self._tap = tap
        self._target = target
        self._pipeline = pipeline
        self._store = store
        self._family = family
        self._stop = stop
        self._progress = progress
        self._folder = folder
        self._redact = Redactor()
        secrets = (*secrets_in(plan.tap_configs), *secrets_in(plan.target_configs))
        self._redact.watch(lambda: secrets, spellings)

    def run(self, lock: int, output: TextIO) -> int:
        warning = self._store.load_notes()
        if warning:
            self._say(warning)
        self._store.sweep()
        held = self._held_state()
        start = self._start(held)
        number = max(self._store.notes.run, held.run if held is not None else 0) + 1
        self._store.note(changed(self._store.notes, run=number))
        self._say(f"run {number} of {self._pipeline}: {self._tap.name} into {self._target.name}, from {start.words}")
        flags = self._tap_flags(start)
        if flags is None:
            self._say("nothing is selected: there is nothing to do")
            return ExitCode.NOTHING_TO_DO
        began = datetime.now(UTC)
        pipe = Pipe(
            self._family,
            self._stop,
            self._progress,
            on_state=lambda state: self._store.save(state, number),
            redact=self._redact,
        )
        try:
            outcome = pipe.run(
                Command(self._tap.name, (*self._tap.argv, *flags)),
                Command(self._target.name, (*self._target.argv, *_configs(self._plan.target_configs))),
                environ=self._environ(number),
                inherits=(lock,),
            )
        finally:
            self._progress.close()
        code = exit_code(outcome)
        self._store.note(self._record(outcome, number, began, code))
        where = self._store.output_path
        saved = (
            f"state saved {_times(outcome.states)}: {where}"
            if outcome.states
            else f"no new state; {where} is as it was"
            if where.exists()
            else f"no new state; {where} is not there yet"
        )
        text = summary(outcome, self._tap, self._target, pipeline=self._pipeline, run=number, saved=saved)
        try:
            output.write(_painted(self._redact(text), code) if output.isatty() else self._redact(text))
            output.flush()
        except BrokenPipeError as error:
            raise ReaderGoneError("Whoever read the summary has gone.") from error
        return code

    def _held_state(self) -> TargetState | None:
        """What the target itself has saved, None when it does not save states. Raises `ConnectorError`."""
        if "--saved-state" not in self._known(self._target, ["--saved-state"]):
            return None
        flags = [*_configs(self._plan.target_configs), "--saved-state"]
        answer = ask(
            self._family,
            self._target,
            flags,
            stop=self._stop,
            seconds=_SAVED_STATE_SECONDS,
            environ=self._environ(self._store.notes.run),
        )
        held = target_state(answer.json(), self._pipeline)
        if answer.exit_code == 0 and held is not None:
            return held
        raise ConnectorError(
            f"{self._target.name} cannot say which state it has saved.",
            ExitCode.TARGET_FAILED,
            place=self._redact(answer.error) or f"exit code: {answer.exit_code}",
            next_step="mend what it complains of; nothing was read or written yet.",
        )

    def _known(self, command: Command, flags: Sequence[str]) -> list[str]:
        """Those of `flags` that the program's help names; remembered until one of its files changes."""
        programs = self._store.notes.programs
        asked = hashlib.sha256("\0".join(command.argv).encode()).hexdigest()[:16]  # arguments may be secrets
        files = command.files()
        found = programs.get(asked)
        if not (isinstance(found, dict) and found.get("files") == files and set(flags) <= set(found.get("asked", ()))):
            known = known_flags(self._family, command, flags, stop=self._stop)
            found = {"files": files, "asked": list(flags), "known": known}
            self._store.note(changed(self._store.notes, programs={**programs, asked: found}))
        return [flag for flag in flags if flag in found.get("known", ())]

    def _start(self, held: TargetState | None) -> Start:
        if self._plan.full_refresh:
            return Start(None, "the beginning, as asked: the saved state is left alone until a new one comes")
        start = choose(self._store.notes, self._store.read_state(), held, str(self._store.state_path))
        names = changed_settings(self._store.notes.settings, fingerprints(self._plan.tap_configs))
        if start.state is not None and self._store.notes.last and names:
            self._say(
                f"the settings of {self._tap.name} have changed since run {self._store.notes.run}: {', '.join(names)}; "
                "the saved state is used all the same, --full-refresh would start anew"
            )
        return start

    def _tap_flags(self, start: Start) -> list[str] | None:
        """The tap's command line, its state and catalog in private files; None when nothing is selected."""
        flags = _configs(self._plan.tap_configs)
        if start.state is not None:
            flags += ["--state", self._write("state.json", start.state)]
        catalog = self._plan.catalog
        if self._plan.select:
            selected = self._selected()
            if selected is None:
                return None
            catalog = self._write("catalog.json", selected)
        if catalog is not None:
            known = self._known(self._tap, ["--catalog", "--properties"])
            flags += ["--properties" if known == ["--properties"] else "--catalog", catalog]
        return flags

    def _selected(self) -> bytes | None:
        """The catalog with what the patterns choose, None when they choose no stream."""
        if self._plan.catalog is not None:
            value = decode(Path(self._plan.catalog).read_bytes())
        else:
            flags = [*_configs(self._plan.tap_configs), "--discover"]
            answer = ask(self._family, self._tap, flags, stop=self._stop, seconds=_DISCOVERY_SECONDS)
            value = answer.json()
            if answer.exit_code != 0:
                raise self._no_catalog(self._redact(answer.error) or f"exit code: {answer.exit_code}")
            if value is None:
                begin = self._redact(answer.output[:60].decode("utf-8", "replace"))
                raise self._no_catalog(f"its standard output is no JSON; it begins: {begin!r}")
        catalog = Catalog.from_json(value)
        for pattern in unmatched(catalog, self._plan.select):
            self._say(f"--select {pattern} matches nothing in the catalog")
        chosen = select(catalog, self._plan.select)
        if not any(is_stream_selected(entry, has_catalog=True) for entry in chosen.streams):
            return None
        return pretty(chosen.to_json()).encode()

    def _no_catalog(self, place: str) -> ConnectorError:
        return ConnectorError(
            f"{self._tap.name} cannot say what there is to read.",
            ExitCode.TAP_FAILED,
            place=place,
            next_step=f"see what `{self._tap.name} --discover` prints: it must be one JSON object.",
        )

    def _write(self, name: str, content: bytes) -> str:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return str(path)

    def _environ(self, number: int) -> dict[str, str]:
        return {
            **os.environ,
            "SINGER_KIT_PIPELINE": self._pipeline,
            "SINGER_KIT_RUN": str(number),
            "SINGER_KIT_METRIC_SECONDS": str(self._progress.metric_seconds),
        }

    def _record(self, outcome: Outcome, number: int, began: datetime, code: ExitCode) -> Notes:
        """The notes with this run's record.

        Fingerprints are taken at the end, for a tap may rotate its tokens. What was before the last save is over.
        """
        last = {
            "run": number,
            "began": began.isoformat(timespec="seconds"),
            "seconds": round(outcome.seconds, 3),
            "exit_code": int(code),
            "tap_exit_code": outcome.tap_code,
            "target_exit_code": outcome.target_code,
            "rows_read": outcome.tap.rows,
            "rows_loaded": outcome.target.rows,
            "states": outcome.states,
        }
        return changed(self._store.notes, before=None, last=last, settings=fingerprints(self._plan.tap_configs))

    def _say(self, text: str) -> None:
        self._progress.line("run", text)


def _configs(paths: Sequence[str]) -> list[str]:
    return [word for path in paths for word in ("--config", path)]


def _default_id(plan: Plan, tap: Command, target: Command) -> str:
    """Tap, target and the absolute paths of their configs, short enough for a file name."""
    paths = [path if path == "ENV" else str(Path(path).resolve()) for path in (*plan.tap_configs, *plan.target_configs)]
    whole = "\0".join((plan.tap, plan.target, str(len(plan.tap_configs)), *paths))
    return f"{tap.name}-to-{target.name}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def _painted(text: str, code: ExitCode) -> str:
    """The summary with its verdict in green or red, for a terminal that wants colours (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    verdict, newline, rest = text.partition("\n")
    return f"\x1b[1;{32 if code == ExitCode.OK else 31}m{verdict}\x1b[0m{newline}{rest}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


@contextmanager
def _stopping_on_signals(stop: Stop, family: Family) -> Iterator[None]:
    """Inside, the first SIGTERM or SIGINT asks the run to end; the second ends all of it at once."""

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape that `signal` calls
        if stop.requested:
            family.kill()
            os._exit(128 + signum)
        stop.request(signum)

    previous = {}
    if threading.current_thread() is threading.main_thread():
        previous = {signum: signal.signal(signum, ask_to_stop) for signum in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler)
