"""The limit of a tap: msgspec's `encode_lines` over envelopes of dict rows, one write a page, nothing else."""

import os
import sys
from itertools import islice

import msgspec
import orders

COUNT = int(os.environ.get("BENCH_RECORDS", "0"))
encoder = msgspec.json.Encoder(decimal_format="number")
write = sys.stdout.buffer.write

write(encoder.encode({"type": "SCHEMA", "stream": "orders", "schema": orders.SCHEMA, "key_properties": ["id"]}) + b"\n")
rows = orders.native_rows(COUNT)
extracted = "2026-11-24T00:00:00.000000Z"
while page := list(islice(rows, 1000)):
    write(
        encoder.encode_lines(
            [{"type": "RECORD", "stream": "orders", "record": row, "time_extracted": extracted} for row in page]
        )
    )
write(encoder.encode({"type": "STATE", "value": {"orders": COUNT}}) + b"\n")
sys.stdout.flush()
