"""The limit of target-duckdb: DuckDB reads the lines itself into a typed table; nothing is checked or merged."""

import sys

import duckdb

source, path = sys.argv[1:3]
connection = duckdb.connect(path)
connection.execute("SET threads=1")
connection.execute(
    """
    CREATE TABLE orders AS SELECT record.* FROM read_json(?, format='newline_delimited', maximum_object_size=1073741824,
    columns={type: 'VARCHAR', record: 'STRUCT(id BIGINT, order_number VARCHAR, status VARCHAR, notes VARCHAR,
    quantity BIGINT, unit_price DECIMAL(18,2), total_amount DECIMAL(18,2), is_gift BOOLEAN, order_date DATE,
    updated_at TIMESTAMPTZ, customer JSON, tags JSON)'}) WHERE type = 'RECORD'
    """,
    [source],
)
connection.close()
