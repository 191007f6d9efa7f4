"""Where a pipeline's state lies between runs: `state/ID.json` as the tap takes it, `runs/ID.json` beside it.

Both files are whole at any moment, whatever is killed. This module must not decide which state a run starts from.
"""

import contextlib
import hashlib
import os
import re
import stat
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from singer_kit.codec import DecodeError, Decoder, Struct, ValidationError, field, pretty
from singer_kit.errors import StateError
from singer_kit.failpoint import failpoint

__all__ = ["Notes", "Saved", "Store", "changed", "digest", "write_durably"]

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]")


class Saved(Struct, frozen=True):
    """A state file as some run left it; `sha256` is None when there was none."""

    run: int
    sha256: str | None


class Notes(Struct, frozen=True):
    """What the runner knows about a pipeline beside its state.

    `run` is the last run's number; `saved` and `before` are the state file as it is to be and as it was, for
    they cannot change in one step; `settings` are fingerprints of the tap's settings; `programs` is what was
    found out about programs; `last` is the last run's record.
    """

    run: int = 0
    saved: Saved | None = None
    before: Saved | None = None
    settings: dict[str, str] = field(default_factory=dict)
    programs: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)

    def origin(self, sha256: str | None) -> int | None:
        """The number of the run that left a state file with this digest; None when a hand did."""
        for known in (self.saved, self.before):
            if known is not None and known.sha256 == sha256:
                return known.run
        return None


class Store:
    """The files of one pipeline under one folder. Whoever writes holds the lock."""

    def __init__(self, home: Path, pipeline: str, *, state: Path | None = None, state_out: Path | None = None) -> None:
        """`state` is read, and written, instead of the pipeline's own file; `state_out` is only written."""
        stem = _stem(pipeline)
        own = home / "state" / f"{stem}.json"
        self.state_path = state or own
        self.output_path = state_out or self.state_path
        self.notes_path = home / "runs" / f"{stem}.json"
        self.lock_path = home / "locks" / f"{stem}.lock"
        self.notes = Notes()
        self._kept_previous = False

    def load_notes(self) -> str:
        """`notes` are what the last run left; words of warning when they cannot be read, "" otherwise."""
        try:
            self.notes = Decoder(Notes).decode(self.notes_path.read_bytes())
        except FileNotFoundError:
            self.notes = Notes()
        except (OSError, DecodeError, ValidationError, UnicodeDecodeError) as error:
            self.notes = Notes()
            return f"{self.notes_path} cannot be read ({error}): the state file is taken as it stands"
        return ""

    def read_state(self) -> bytes | None:
        """The bytes of the state file, None when there is none or it is empty. Raises `StateError`."""
        try:
            return self.state_path.read_bytes().strip() or None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(
                f"The state cannot be read: {error.strerror or error}.",
                place=f"file: {self.state_path}",
                next_step="make the file readable, or name another one with --state.",
            ) from error

    def file_digest(self, path: Path) -> str | None:
        """The digest of the state file at `path`, None when there is none or it is empty."""
        try:
            return digest(path.read_bytes().strip())
        except OSError:
            return None

    def note(self, notes: Notes) -> None:
        """`notes` are on disk on return. Raises `StateError`."""
        write_durably(self.notes_path, pretty(notes).encode() + b"\n", mode=0o600)
        self.notes = notes

    def save(self, state: bytes, run: int) -> None:
        """`state` is on disk on return, and the one that this run found lies beside it. Raises `StateError`.

        The notes come first: a crash in between leaves a state file that they still know as `before`.
        """
        notes = self.notes
        before = Saved(notes.saved.run if notes.saved else 0, self.file_digest(self.output_path))
        if not self._kept_previous:
            self._keep_previous()
        failpoint("run_before_state_note")
        if self.output_path == self.state_path:  # of a state that is only read, the notes know as much as before
            self.note(changed(notes, saved=Saved(run, digest(state)), before=before))
        failpoint("run_before_state_rename")
        write_durably(self.output_path, state + b"\n")
        failpoint("run_after_state_rename")

    def _keep_previous(self) -> None:
        """The state that this run found is kept as `ID.json.previous`."""
        self._kept_previous = True
        with contextlib.suppress(OSError):
            found = self.output_path.read_bytes()
            write_durably(self.output_path.with_name(self.output_path.name + ".previous"), found)

    def sweep(self) -> None:
        """What killed runs left half written is gone. Only while the lock is held."""
        for path in (self.notes_path, self.state_path):
            for leftover in path.parent.glob(f".{path.name}.*.tmp") if path.parent.is_dir() else ():
                with contextlib.suppress(OSError):
                    leftover.unlink()


def write_durably(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """`path` holds `data` on return, or what it held before: never a part. Makes its folders.

    An existing file keeps its mode. Raises `StateError`.
    """
    try:
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with contextlib.suppress(FileNotFoundError):
            mode = stat.S_IMODE(path.stat().st_mode)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666 if mode is None else mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise StateError(
            f"The state cannot be written: {error.strerror or error}.",
            place=f"file: {path}",
            next_step="make room, or make the folder writable; the state saved before is untouched.",
        ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest(state: bytes) -> str | None:
    """What tells one state file from another, white space around it aside; None for an empty one."""
    state = state.strip()
    return hashlib.sha256(state).hexdigest() if state else None


def _stem(pipeline: str) -> str:
    """A file name for the id: itself where it can be one, else with a checksum so that no two ids share it."""
    safe = _UNSAFE.sub("_", pipeline).lstrip(".")[:150]
    return safe if safe == pipeline else f"{safe}-{zlib.crc32(pipeline.encode('utf-8', 'surrogatepass')):08x}"


def changed(notes: Notes, **changes: Any) -> Notes:
    """`notes` with these members changed."""
    known: Mapping[str, Any] = {name: getattr(notes, name) for name in notes.__struct_fields__}
    return Notes(**{**known, **changes})
