"""The orders by singer-python's write_record, a message at a time."""

import os

import orders
import singer
from singer import utils

COUNT = int(os.environ.get("BENCH_RECORDS", "0"))

singer.write_schema("orders", orders.SCHEMA, ["id"])
for row in orders.native_rows(COUNT):
    row["updated_at"] = utils.strftime(row["updated_at"])
    row["order_date"] = row["order_date"].isoformat()
    singer.write_record("orders", row)
singer.write_state({"bookmarks": {"orders": {"replication_key_value": COUNT}}})
