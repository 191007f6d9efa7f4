"""Did you mean: the known name that somebody most likely meant to write."""

import re
from collections.abc import Iterable

__all__ = ["nearest"]

_SEPARATORS = re.compile(r"[^a-z0-9]+")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `name` is a slip of, None when there is none.

    A slip is another case or separator (`apiKey`, `api-key`), one for several, or few edits: one in names of
    up to five characters, two in longer ones; swapping neighbours is one edit.
    """
    plain = _plain(name)
    best: tuple[int, str] | None = None
    for candidate in known:
        other = _plain(candidate)
        allowed = 1 if min(len(plain), len(other)) <= 5 else 2
        if abs(len(plain) - len(other)) > allowed:
            continue
        edits = _edits(plain, other)
        if edits <= allowed and (best is None or edits < best[0]):
            best = edits, candidate
    return best[1] if best else None


def _plain(name: str) -> str:
    letters = _SEPARATORS.sub("", name.lower())
    return letters[:-3] + "y" if letters.endswith("ies") else letters


def _edits(a: str, b: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, at the fewest."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        older, before = before, row
        row = [i]
        for j, right in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
