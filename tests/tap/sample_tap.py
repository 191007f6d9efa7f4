"""A tap as an author writes it, run as a process by the tests."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from singer_kit import Stream, Tap
from singer_kit import typing as th


class Orders(Stream):
    name = "orders"
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("day", th.DateType),
        th.Property("total", th.NumberType),
        th.Property("updated_at", th.DateTimeType),
        th.Property("customer", th.ObjectType(th.Property("name", th.StringType), th.Property("vip", th.BooleanType))),
    )
    primary_keys = ("id",)
    replication_key = "updated_at"
    is_sorted = True
    child_keys = {"id": "order_id"}  # noqa: RUF012 - as authors write it

    def get_records(self, part: Any) -> Iterator[dict[str, Any]]:
        for number in range(self.config["rows"]):
            at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number)
            if part.bookmark and at < part.bookmark:
                continue
            if number == self.config.get("break_at"):
                raise OSError("the source broke")
            if number == self.config.get("term_at"):
                os.kill(os.getpid(), signal.SIGTERM)
            print("a stray print")
            yield {
                "id": number,
                "day": date(2024, 1, 1),
                "total": Decimal(number) / 8,
                "updated_at": at,
                "customer": {"name": "Zoë\n“x”", "vip": None},
            }
            time.sleep(self.config.get("sleep", 0))


class Lines(Stream):
    name = "lines"
    parent_stream_type = Orders
    schema = th.PropertiesList(
        th.Property("order_id", th.IntegerType, required=True), th.Property("number", th.IntegerType, required=True)
    )
    primary_keys = ("order_id", "number")

    def get_records(self, part: Any) -> list[dict[str, Any]]:
        return [{"number": number} for number in range(part["order_id"] % 3)]


class TapSample(Tap):
    """Orders and their lines."""

    name = "tap-sample"
    config_jsonschema = th.PropertiesList(
        th.Property("rows", th.IntegerType, default=5),
        th.Property("break_at", th.IntegerType),
        th.Property("term_at", th.IntegerType),
        th.Property("sleep", th.NumberType, default=0),
        th.Property("token", th.StringType, secret=True),
    )
    streams = (Orders, Lines)


if __name__ == "__main__":
    sys.exit(TapSample.cli())
