"""Tables and columns made and changed. Pure text: what runs it, and in which transaction, is the caller's matter."""

from collections.abc import Iterable

from singer_kit.schema.columns import ColumnType
from singer_kit.sql.dialect import Dialect

__all__ = ["add_column", "change_type", "comment_on_table", "create_schema", "create_table", "qualified"]


def qualified(schema: str, table: str, dialect: Dialect) -> str:
    """`schema.table`, both quoted."""
    return f"{dialect.quoted(schema)}.{dialect.quoted(table)}"


def create_schema(schema: str, dialect: Dialect) -> str:
    """Makes the schema unless it is there."""
    return f"CREATE SCHEMA IF NOT EXISTS {dialect.quoted(schema)}"


def create_table(table: str, columns: Iterable[tuple[str, ColumnType]], dialect: Dialect) -> str:
    """Makes `table` (qualified). No column is NOT NULL and there is no primary key: rows outlive their schema."""
    listed = ", ".join(f"{dialect.quoted(name)} {dialect.type_name(kind)}" for name, kind in columns)
    return f"CREATE TABLE {table} ({listed})"


def add_column(table: str, name: str, column_type: ColumnType, dialect: Dialect) -> str:
    """Adds a column; rows that are there have null in it."""
    return f"ALTER TABLE {table} ADD COLUMN {dialect.quoted(name)} {dialect.type_name(column_type)}"


def change_type(table: str, name: str, old: ColumnType, new: ColumnType, dialect: Dialect) -> str:
    """Widens a column and converts what is in it, exactly."""
    column = dialect.quoted(name)
    type_name = dialect.type_name(new)
    converted = dialect.text_of(column, old) if new.kind == "text" else f"CAST({column} AS {type_name})"
    return f"ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {type_name} USING {converted}"


def comment_on_table(table: str, comment: str, dialect: Dialect) -> str:
    """Replaces the table's comment."""
    return f"COMMENT ON TABLE {table} IS {dialect.literal(comment)}"
