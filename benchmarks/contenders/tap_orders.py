"""The orders as a tap of ours: the same rows, one dict at a time, through everything that is on by default."""

import os
import sys

import orders

from singer_kit import Stream, Tap

COUNT = int(os.environ.get("BENCH_RECORDS", "0"))


class Orders(Stream):
    name = "orders"
    primary_keys = ("id",)
    schema = {**orders.SCHEMA, "properties": {**orders.SCHEMA["properties"], **orders.UNSELECTED}}  # noqa: RUF012 - as an author writes it

    def get_records(self, part):  # noqa: ARG002 - the author's signature
        yield from orders.native_rows(COUNT, internal_note="not selected")


class TapOrders(Tap):
    name = "tap-orders"
    streams = (Orders,)


if __name__ == "__main__":
    sys.exit(TapOrders.cli())
