"""How a database spells names, types and conversions: one frozen value a database. Must not hold a connection."""

from typing import Final

from singer_kit.codec import Struct
from singer_kit.schema.columns import ColumnType
from singer_kit.schema.evolve import Limits

__all__ = ["DUCKDB", "Dialect"]


class Dialect(Struct, frozen=True):
    """What SQL text needs to know of a database.

    `types` spells every kind of column but `decimal`. `as_text` gives, for each kind, the expression that turns a
    stored value `{0}` into the text that a record would have held; kinds not named are cast. `name_bytes` is the
    longest name in UTF-8 bytes (0: any), and names that differ in case only are the same when `folds_case`.
    """

    name: str
    types: dict[str, str]
    as_text: dict[str, str]
    limits: Limits
    name_bytes: int = 0
    folds_case: bool = True

    def quoted(self, name: str) -> str:
        """`name` as an identifier, whatever it holds."""
        return '"' + name.replace('"', '""') + '"'

    def literal(self, text: str) -> str:
        """`text` as a string literal."""
        return "'" + text.replace("'", "''") + "'"

    def type_name(self, column_type: ColumnType) -> str:
        """The column type in SQL."""
        if column_type.kind == "decimal":
            return f"DECIMAL({column_type.precision},{column_type.scale})"
        return self.types[column_type.kind]

    def text_of(self, expression: str, column_type: ColumnType) -> str:
        """`expression`, of that type, as text; decimals without the zeros that only their scale adds."""
        if column_type.kind == "decimal" and column_type.scale == 0:
            return f"CAST({expression} AS {self.types['text']})"
        template = self.as_text.get(column_type.kind, f"CAST({{0}} AS {self.types['text']})")
        return template.format(expression)


DUCKDB: Final = Dialect(
    name="DuckDB",
    types={
        "boolean": "BOOLEAN",
        "bigint": "BIGINT",
        "hugeint": "HUGEINT",
        "double": "DOUBLE",
        "date": "DATE",
        "time": "TIME",
        "instant": "TIMESTAMP WITH TIME ZONE",
        "uuid": "UUID",
        "json": "JSON",
        "text": "VARCHAR",
    },
    as_text={
        "decimal": "rtrim(rtrim(CAST({0} AS VARCHAR), '0'), '.')",
        "instant": (
            "regexp_replace(strftime({0} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%f'), '\\.000000$', '') || 'Z'"
        ),
        "json": "CASE json_type({0}) WHEN 'VARCHAR' THEN {0} ->> '$' ELSE CAST({0} AS VARCHAR) END",
    },
    limits=Limits(decimal_digits=38, has_hugeint=True),
)
