"""tap-source: three streams whose rows are known in advance, read slowly enough to be killed in the middle."""

import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from singer_kit import Partition, Stream, Tap
from singer_kit import typing as th

START = datetime(2024, 1, 1, tzinfo=UTC)
PAGE = 50
SORTED, PARTS, WHOLE = 1500, 400, 300


def row(number: int) -> dict[str, Any]:
    """The row with this number, the same in every run."""
    return {
        "id": number,
        "name": f"row {number} \u00e9\u4e2d",
        "total": Decimal(number) / 100,
        "updated_at": START + timedelta(seconds=number),
    }


class Slow(Stream):
    """What the three streams share: the columns, and a pause after each page."""

    primary_keys = ("id",)
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("name", th.StringType),
        th.Property("part", th.StringType),
        th.Property("total", th.NumberType),
        th.Property("updated_at", th.DateTimeType),
    )

    def pages(self, numbers: list[int], more: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """The rows of these numbers, a page at a time."""
        for at in range(0, len(numbers), PAGE):
            yield [{**row(number), **more} for number in numbers[at : at + PAGE]]
            time.sleep(self.config["pause_seconds"])


class Sorted(Slow):
    """Rows in the order of their replication key: a killed run goes on in the middle."""

    name = "sorted"
    replication_key = "updated_at"
    is_sorted = True

    def get_records(self, part: Partition) -> Iterator[list[dict[str, Any]]]:
        """From the bookmark on."""
        begin = 0 if part.bookmark is None else int((part.bookmark - START).total_seconds())
        return self.pages(list(range(begin, SORTED)), {})


class Parts(Slow):
    """Two partitions in no order: a bookmark moves when a partition is done."""

    name = "parts"
    replication_key = "updated_at"
    primary_keys = ("part", "id")

    def partitions(self) -> list[dict[str, str]]:
        """Two."""
        return [{"part": "a"}, {"part": "b"}]

    def get_records(self, part: Partition) -> Iterator[list[dict[str, Any]]]:
        """Backwards, from the bookmark on."""
        begin = 0 if part.bookmark is None else int((part.bookmark - START).total_seconds())
        return self.pages(list(range(PARTS - 1, begin - 1, -1)), part)


class Whole(Slow):
    """No replication key: read whole in every run."""

    name = "whole"

    def get_records(self, _part: Partition) -> Iterator[list[dict[str, Any]]]:
        """All rows."""
        return self.pages(list(range(WHOLE)), {})


class TapSource(Tap):
    """The source of the kill tests."""

    name = "tap-source"
    config_jsonschema = th.PropertiesList(th.Property("pause_seconds", th.NumberType, default=0.0))
    streams = (Sorted, Parts, Whole)


main = TapSource.cli

if __name__ == "__main__":
    sys.exit(main())
