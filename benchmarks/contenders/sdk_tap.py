"""The orders as a tap of the Meltano Singer SDK; `--fast` takes its msgspec writer."""

import os
import sys

import orders
from singer_sdk import Stream, Tap

COUNT = int(os.environ.get("BENCH_RECORDS", "0"))
FAST = os.environ.get("BENCH_FAST") == "1"


class Orders(Stream):
    name = "orders"
    primary_keys = ("id",)
    replication_key = None
    schema = {**orders.SCHEMA, "properties": {**orders.SCHEMA["properties"], **orders.UNSELECTED}}  # noqa: RUF012 - as an author writes it

    def get_records(self, context):  # noqa: ARG002 - the peer's signature
        yield from orders.native_rows(COUNT, internal_note="not selected")


class TapOrders(Tap):
    name = "tap-orders"
    config_jsonschema = {"type": "object", "properties": {}}  # noqa: RUF012 - as an author writes it

    def discover_streams(self):
        return [Orders(self)]


if FAST:
    from singer_sdk.contrib.msgspec import MsgSpecWriter

    TapOrders.message_writer_class = MsgSpecWriter

if __name__ == "__main__":
    sys.exit(TapOrders.cli())
