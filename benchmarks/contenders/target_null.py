"""A target of ours whose sink does nothing; counts what arrives."""

import sys

from singer_kit import Sink, Target

arrived = 0


class NullSink(Sink):
    load_methods = ("append",)

    def write(self, batch):
        global arrived  # noqa: PLW0603 - a count for the whole process
        arrived += len(batch)

    def commit(self):
        pass


class TargetNull(Target):
    name = "target-null"
    sink_class = NullSink


if __name__ == "__main__":
    code = TargetNull.cli()
    sys.stderr.write(f"\narrived {arrived}\n")
    sys.exit(code)
