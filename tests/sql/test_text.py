"""SQL text."""

from singer_kit.schema import columns as kinds
from singer_kit.schema.columns import decimal
from singer_kit.sql import ddl, upsert
from singer_kit.sql.dialect import DUCKDB

EVIL = 'a"; DROP TABLE t; --'


def test_names_and_literals_are_quoted():
    """A name cannot end its own quotes."""
    assert DUCKDB.quoted(EVIL) == '"a""; DROP TABLE t; --"'
    assert DUCKDB.literal("it's") == "'it''s'"
    assert ddl.qualified('s"', EVIL, DUCKDB) == '"s""".' + DUCKDB.quoted(EVIL)


def test_tables_are_made_and_changed():
    """No NOT NULL, no primary key; a widened column converts what it holds."""
    table = ddl.qualified("main", "t", DUCKDB)
    assert (
        ddl.create_table(table, [("id", kinds.BIGINT), ("n", decimal(38, 10))], DUCKDB)
        == 'CREATE TABLE "main"."t" ("id" BIGINT, "n" DECIMAL(38,10))'
    )
    assert ddl.add_column(table, "j", kinds.JSON, DUCKDB) == 'ALTER TABLE "main"."t" ADD COLUMN "j" JSON'
    assert (
        ddl.change_type(table, "id", kinds.BIGINT, kinds.HUGEINT, DUCKDB)
        == 'ALTER TABLE "main"."t" ALTER COLUMN "id" SET DATA TYPE HUGEINT USING CAST("id" AS HUGEINT)'
    )
    assert "USING rtrim(rtrim(" in ddl.change_type(table, "n", decimal(38, 10), kinds.TEXT, DUCKDB)
    assert "rtrim" not in ddl.change_type(table, "n", decimal(38, 0), kinds.TEXT, DUCKDB)
    assert ddl.create_schema("s", DUCKDB) == 'CREATE SCHEMA IF NOT EXISTS "s"'


def test_keys_are_compared_column_by_column():
    """A composite key is a tuple: ("x,y", "z") is not ("x", "y,z")."""
    keys = [("a", "c0"), ("b", "c1")]
    assert upsert.delete_matching("t", keys, "incoming", DUCKDB) == (
        'DELETE FROM t AS target USING (SELECT DISTINCT c0 AS "key_0", c1 AS "key_1" FROM incoming) AS incoming '
        'WHERE target."a" = incoming."key_0" AND target."b" = incoming."key_1"'
    )
    assert upsert.insert_from("t", keys, "incoming", DUCKDB) == 'INSERT INTO t ("a", "b") SELECT c0, c1 FROM incoming'
    assert upsert.last_of_each_key("incoming", ["c0", "c1"], "n", DUCKDB) == (
        '(SELECT * FROM incoming QUALIFY row_number() OVER (PARTITION BY c0, c1 ORDER BY "n" DESC) = 1)'
    )
