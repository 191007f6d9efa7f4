"""A target of the Meltano Singer SDK whose sink does nothing; counts what arrives."""

import os
import sys

from singer_sdk import Target
from singer_sdk.sinks import BatchSink

arrived = 0


class NullSink(BatchSink):
    max_size = 10_000

    def process_batch(self, context):
        global arrived  # noqa: PLW0603 - a count for the whole process
        arrived += len(context["records"])


class TargetNull(Target):
    name = "target-null"
    config_jsonschema = {"type": "object", "properties": {}}  # noqa: RUF012 - as an author writes it
    default_sink_class = NullSink


if os.environ.get("BENCH_FAST") == "1":
    from singer_sdk.contrib.msgspec import MsgSpecReader

    TargetNull.message_reader_class = MsgSpecReader

if __name__ == "__main__":
    try:
        TargetNull.cli()
    finally:
        sys.stderr.write(f"\narrived {arrived}\n")
