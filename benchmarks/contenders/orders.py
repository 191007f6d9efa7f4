"""The order record of every benchmark: 12 columns, about 374 bytes as JSON, 60 % with non-ASCII text or escapes.

Standard library only, and the same rows for every contender: it is imported by taps in environments of their own.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "order_number": {"type": ["null", "string"]},
        "status": {"type": ["null", "string"]},
        "notes": {"type": ["null", "string"]},
        "quantity": {"type": ["null", "integer"]},
        "unit_price": {"type": ["null", "number"]},
        "total_amount": {"type": ["null", "string"], "format": "x-singer.decimal", "precision": 12, "scale": 2},
        "is_gift": {"type": ["null", "boolean"]},
        "order_date": {"type": ["null", "string"], "format": "date"},
        "updated_at": {"type": ["null", "string"], "format": "date-time"},
        "customer": {
            "type": ["null", "object"],
            "properties": {
                "id": {"type": ["null", "integer"]},
                "name": {"type": ["null", "string"]},
                "email": {"type": ["null", "string"]},
                "country": {"type": ["null", "string"]},
            },
        },
        "tags": {"type": ["null", "array"], "items": {"type": ["null", "string"]}},
    },
    "required": ["id"],
}
# What taps declare beside it, and the catalog does not select: selection has something to do.
UNSELECTED = {"internal_note": {"type": ["null", "string"]}}

STATE_EVERY = 10_000
_POOL = 1_000
_NAMES = [
    "李小龙",
    "Ana María Peña",
    "Jürgen Groß",
    "Ada Lovelace",
    "Łukasz Żak",
    'Bob "Bobby" Tables',
    "Zoë",
    "John Smith",
]
_NOTES = [
    None,
    None,
    'says "leave at the door"',
    "Bitte klingeln – 2. Stock",
    "gift wrap, please",
    "配達は午後にお願いします",
]
_STATUS = ["paid", "shipped", "new", "cancelled"]
_TAGS = ["priority", "promo-2026", "repeat", "b2b", "fragile"]


def _row(number: int, chance: random.Random) -> dict[str, Any]:
    quantity = chance.randint(1, 9)
    price = Decimal(chance.randint(100, 99999)).scaleb(-2)
    customer = chance.randint(1, 99999)
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=number, microseconds=chance.randint(1, 999999))
    return {
        "id": number,
        "order_number": f"SO-2026-{number:09d}",
        "status": chance.choice(_STATUS),
        "notes": chance.choice(_NOTES),
        "quantity": quantity,
        "unit_price": price,
        "total_amount": str(price * quantity),
        "is_gift": chance.random() < 0.2,
        "order_date": at.date(),
        "updated_at": at,
        "customer": {
            "id": customer,
            "name": chance.choice(_NAMES),
            "email": f"customer.{customer}@example.com",
            "country": chance.choice(["DE", "FR", "CN", "US"]),
        },
        "tags": chance.sample(_TAGS, 3),
    }


def native_rows(count: int, **more: Any) -> Iterator[dict[str, Any]]:
    """`count` rows as a client library gives them: aware datetimes, dates, Decimals; each a dict of its own."""
    chance = random.Random(2026)
    pool = [{**_row(number, chance), **more} for number in range(min(count, _POOL))]
    size = len(pool)
    for number in range(count):
        yield {**pool[number % size], "id": number}


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else float(value)


def write_singer(path: str, count: int, *, streams: int = 1) -> int:
    """A file of messages: SCHEMA, `count` RECORDs, a STATE every 10,000. Rows go round the `streams`."""
    names = ["orders"] if streams == 1 else [f"orders_{number}" for number in range(streams)]
    with Path(path).open("w", encoding="utf-8") as file:
        for name in names:
            message = {"type": "SCHEMA", "stream": name, "schema": SCHEMA, "key_properties": ["id"]}
            file.write(json.dumps({**message, "bookmark_properties": ["updated_at"]}) + "\n")
        chance = random.Random(2026)
        pool = []
        for number in range(min(count, _POOL)):
            text = json.dumps(_row(number, chance), default=_as_json, separators=(",", ":"), ensure_ascii=False)
            pool.append(text.partition(",")[2])
        extracted = '"time_extracted":"2026-11-24T00:00:00.000000+00:00"'
        for number in range(count):
            name = names[number % streams]
            rest = pool[number % len(pool)]
            file.write(f'{{"type":"RECORD","stream":"{name}","record":{{"id":{number},{rest},{extracted}}}\n')
            if number % STATE_EVERY == STATE_EVERY - 1:
                file.write(json.dumps({"type": "STATE", "value": _state(names, number)}) + "\n")
        file.write(json.dumps({"type": "STATE", "value": _state(names, count)}) + "\n")
    return count


def _state(names: list[str], number: int) -> dict[str, Any]:
    return {"bookmarks": {name: {"replication_key": "id", "replication_key_value": number} for name in names}}


def write_long_line(path: str, megabytes: int) -> int:
    """One RECORD whose `notes` is that long, between two ordinary ones."""
    with Path(path).open("w", encoding="utf-8") as file:
        message = {"type": "SCHEMA", "stream": "orders", "schema": SCHEMA, "key_properties": ["id"]}
        file.write(json.dumps(message) + "\n")
        for number, notes in enumerate(("short", "x" * (megabytes << 20), "short")):
            record = {"id": number, "notes": notes}
            file.write(json.dumps({"type": "RECORD", "stream": "orders", "record": record}) + "\n")
        file.write('{"type": "STATE", "value": {"done": true}}\n')
    return 3


def catalog(tap_stream_id: str = "orders") -> dict[str, Any]:
    """A catalog that selects the stream and its 12 columns, and not the thirteenth."""
    properties = {**SCHEMA["properties"], **UNSELECTED}
    fields = [
        {
            "breadcrumb": ["properties", name],
            "metadata": {"inclusion": "automatic" if name == "id" else "available", "selected": name not in UNSELECTED},
        }
        for name in properties
    ]
    return {
        "streams": [
            {
                "tap_stream_id": tap_stream_id,
                "stream": "orders",
                "key_properties": ["id"],
                "schema": {**SCHEMA, "properties": properties},
                "metadata": [
                    {
                        "breadcrumb": [],
                        "metadata": {"inclusion": "available", "selected": True, "table-key-properties": ["id"]},
                    },
                    *fields,
                ],
            }
        ]
    }


if __name__ == "__main__":
    # In a process of its own: a child's peak memory counts what its parent had when it was made.
    destination, what, amount = sys.argv[1:]
    if what == "long-line":
        write_long_line(destination, int(amount))
    else:
        write_singer(destination, int(amount), streams=int(what))
