"""Rows of a staging relation into a table: appended, or put in the place of those with the same key.

Pure text. Keys are compared column by column, so a composite key is a tuple and never a joined string.
"""

from collections.abc import Sequence

from singer_kit.sql.dialect import Dialect

__all__ = ["delete_matching", "insert_from", "last_of_each_key"]


def insert_from(table: str, columns: Sequence[tuple[str, str]], source: str, dialect: Dialect) -> str:
    """Appends every row of `source`; `columns` are the table's names, each with its expression over `source`."""
    names = ", ".join(dialect.quoted(name) for name, _ in columns)
    expressions = ", ".join(expression for _, expression in columns)
    return f"INSERT INTO {table} ({names}) SELECT {expressions} FROM {source}"  # noqa: S608 - names are quoted


def delete_matching(table: str, keys: Sequence[tuple[str, str]], source: str, dialect: Dialect) -> str:
    """Deletes the rows of `table` whose key is that of a row of `source`; `keys` as `columns` of `insert_from`."""
    names = [dialect.quoted(name) for name, _ in keys]
    selected = ", ".join(
        f"{expression} AS {dialect.quoted(f'key_{place}')}" for place, (_, expression) in enumerate(keys)
    )
    matches = " AND ".join(
        f"target.{name} = incoming.{dialect.quoted(f'key_{place}')}" for place, name in enumerate(names)
    )
    incoming = f"(SELECT DISTINCT {selected} FROM {source}) AS incoming"  # noqa: S608 - names are quoted
    return f"DELETE FROM {table} AS target USING {incoming} WHERE {matches}"  # noqa: S608 - names are quoted


def last_of_each_key(source: str, keys: Sequence[str], order: str, dialect: Dialect) -> str:
    """A relation with the last row of each key, by `order`, a column of `source`; `keys` are expressions over it."""
    partition = ", ".join(keys)
    newest_first = f"PARTITION BY {partition} ORDER BY {dialect.quoted(order)} DESC"
    return f"(SELECT * FROM {source} QUALIFY row_number() OVER ({newest_first}) = 1)"  # noqa: S608 - names are quoted
