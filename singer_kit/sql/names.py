"""Names of tables and columns for names that strangers chose: injective, deterministic, within the database's limits.

This module must not quote: `Dialect.quoted` does, wherever a name enters SQL text.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from singer_kit.sql.dialect import Dialect

__all__ = ["column_names", "fitted", "told_apart"]

_UNUSABLE = str.maketrans({"\0": "\N{REPLACEMENT CHARACTER}"})


def fitted(name: str, dialect: Dialect) -> str:
    """`name` itself where the database takes it, else a shortened one with a hash of the whole.

    A name depends on nothing but itself, so that every run finds the same one.
    """
    usable = name.translate(_UNUSABLE)
    if usable == name != "" and (not dialect.name_bytes or len(name.encode()) <= dialect.name_bytes):
        return name
    return told_apart(usable, name, dialect)


def told_apart(usable: str, name: str, dialect: Dialect) -> str:
    """`usable` and a hash of `name`, together within the database's limits."""
    mark = "_" + sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    if dialect.name_bytes:
        usable = usable.encode()[: dialect.name_bytes - len(mark)].decode("utf-8", "ignore")
    return usable + mark


def column_names(names: Sequence[str], existing: Iterable[str], dialect: Dialect) -> dict[str, str]:
    """The column of each property: its own name, or that and a hash where another column has it in another case.

    A column that exists under a property's exact name is that property's. Then the first of several names that the
    database takes for one keeps it. No two properties ever share a column.
    """
    columns = set(existing)
    taken = {_folded(column, dialect) for column in columns}
    wanted = {name: fitted(name, dialect) for name in names}
    chosen = {name: column for name, column in wanted.items() if column in columns}
    for name, column in wanted.items():
        if name in chosen:
            continue
        placed = column
        if _folded(placed, dialect) in taken:
            placed = told_apart(column, name, dialect)
            if placed in columns and placed not in chosen.values():
                chosen[name] = placed
                continue
        while _folded(placed, dialect) in taken:
            placed = told_apart(column, placed, dialect)
        taken.add(_folded(placed, dialect))
        chosen[name] = placed
    return {name: chosen[name] for name in names}


def _folded(name: str, dialect: Dialect) -> str:
    return name.lower() if dialect.folds_case else name
