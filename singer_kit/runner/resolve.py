"""From the words TAP and TARGET to programs: beside this interpreter, then on PATH.

It looks for files; it must not run them.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from singer_kit.codec import Struct
from singer_kit.errors import UsageError
from singer_kit.nearest import nearest

__all__ = ["Command", "resolve"]


class Command(Struct, frozen=True):
    """A program with its arguments, and the short name by which people know it."""

    name: str
    argv: tuple[str, ...]

    def files(self) -> dict[str, int]:
        """The files that the command names, with their times of change: another program has others."""
        return {word: Path(word).stat().st_mtime_ns for word in self.argv if Path(word).is_file()}


def resolve(text: str, kind: str) -> Command:
    """The command that `text` says: a connector's name, a path, or a whole command line such as `python my_tap.py`.

    Raises `UsageError` when there is no such program, with the name that was meant if one is near.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        sentence = f"The {kind} {text!r} is no command: {error}."
        raise UsageError(sentence, next_step="close the quotes.") from error
    if not words:
        raise UsageError(f"The {kind} has no name.", next_step=f"name one, such as {kind}-csv.")
    program = _program(words[0])
    if program is None:
        meant = nearest(words[0], _known(kind)) if "/" not in words[0] else None
        raise UsageError(
            f"There is no {kind} {words[0]!r}" + (f"; did you mean {meant!r}?" if meant else "."),
            place="looked: beside this Python, then on PATH",
            next_step="install it, give its path, or give the whole command in quotes.",
        )
    return Command(_short_name(words), (program, *words[1:]))


def _program(word: str) -> str | None:
    if os.sep in word:
        return shutil.which(os.path.expanduser(word))  # noqa: PTH111 - `./tap` must keep its dot
    return shutil.which(word, path=str(Path(sys.executable).parent)) or shutil.which(word)


def _known(kind: str) -> Iterator[str]:
    """The programs that a connector of this kind could be."""
    places = [str(Path(sys.executable).parent), *os.environ.get("PATH", "").split(os.pathsep)]
    for place in dict.fromkeys(places):
        try:
            yield from (entry.name for entry in os.scandir(place or ".") if entry.name.startswith(f"{kind}-"))
        except OSError:
            continue


def _short_name(words: list[str]) -> str:
    """`tap-csv` for itself and for a path to it, `my_tap` for `python my_tap.py` and `python -m my_tap`."""
    name = Path(words[0]).name
    if name.startswith(("python", "sh", "bash", "env", "node")):
        name = next((Path(word).stem for word in words[1:] if not word.startswith("-")), name)
    return name
