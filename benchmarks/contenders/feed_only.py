"""The rows alone, made and dropped: what is in every tap's figure before it does anything."""

import os

import orders

for _row in orders.native_rows(int(os.environ.get("BENCH_RECORDS", "0"))):
    pass
