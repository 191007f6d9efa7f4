"""Which state a run starts from: the file's, the one that the target holds, or none.

Pure; it must not read or write.
"""

from typing import Any

from singer_kit.codec import DecodeError, Struct, decode, encode
from singer_kit.errors import StateError
from singer_kit.runner.store import Notes, digest

__all__ = ["Start", "TargetState", "choose", "target_state"]


class TargetState(Struct, frozen=True):
    """What a target answered to `--saved-state`; `run` is 0 and `state` None when it holds nothing.

    `keeps` is false for a target that knows the question but never keeps a state.
    """

    run: int = 0
    state: dict[str, Any] | None = None
    keeps: bool = True


class Start(Struct, frozen=True):
    """The state to hand to the tap, None for a first read, and a sentence on where it comes from."""

    state: bytes | None
    words: str


def target_state(answer: object, pipeline: str) -> TargetState | None:
    """The answer to `--saved-state`, or None when it is no such answer."""
    if answer == {}:
        return TargetState(keeps=False)
    if not isinstance(answer, dict) or answer.get("pipeline") != pipeline:
        return None
    run, state = answer.get("run"), answer.get("state")
    if isinstance(run, int) and not isinstance(run, bool) and isinstance(state, dict if run else dict | None):
        return TargetState(run, state)
    return None


def choose(notes: Notes, found: bytes | None, held: TargetState | None, place: str) -> Start:
    """A state that a hand wrote, or took away, wins; else the one of the later run, the target's if it is one run.

    `found` are the bytes of the state file, `held` is what the target holds, None for a target that holds no
    states. A target that keeps states and has none was replaced: there the file's state would be ahead of the data, and
    the run starts anew. Raises `StateError` when the file holds no state.
    """
    if held is not None and not held.keeps:
        held = None
    if found is not None:
        _check(found, place)
    origin = notes.origin(digest(found or b""))
    if origin is None and found is None and notes.saved is not None:
        return Start(None, f"{place} was removed: starting without a state")
    if origin is None and found is not None:
        edited = notes.saved is not None or (held is not None and held.run > 0)
        words = f"the state in {place}" + (", which was written by hand" if edited else "")
        return _start(found, words)
    if held is not None and held.state and held.run >= (origin or 0):
        return _start(encode(held.state), f"the state that the target holds, of run {held.run}")
    if found is None:
        return Start(None, "no state: a first read")
    if held is not None and not held.run:
        return Start(None, f"the beginning: the target holds no state, so none of the rows that {place} covers")
    words = f"the state of run {origin}"
    if held is not None and held.run < (origin or 0):
        words += (
            f", though the target holds only that of run {held.run}: what it has lost is not read again, "
            "--full-refresh would"
        )
    return _start(found, words)


def _start(state: bytes, words: str) -> Start:
    """An empty state is none: some taps stumble over it."""
    return Start(state, words) if decode(state) else Start(None, "no state: a first read")


def _check(state: bytes, place: str) -> None:
    try:
        value = decode(state)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(
            "The state is not JSON.",
            place=f"file: {place}",
            next_step=f"mend it, take {place}.previous, or delete it to start anew.",
        ) from error
    if not isinstance(value, dict):
        raise StateError(
            f"The state is a {type(value).__name__}, not an object.",
            place=f"file: {place}",
            next_step=f"put in the last line that the target printed, take {place}.previous, or delete it.",
        )
