"""target-jsonl: one file of JSON lines per stream."""

from datetime import UTC, datetime
from pathlib import Path

from singer_kit import Batch, Sink, Target
from singer_kit import typing as th
from singer_kit.files import open_append


class JsonlSink(Sink):
    """Appends the rows of one stream to its file."""

    load_methods = ("append",)

    def open(self) -> None:
        """The folder and the file are there; a last line that a crash left torn is cut off."""
        suffix = f"-{datetime.now(UTC):%Y%m%dT%H%M%S}" if self.config["do_timestamp_file"] else ""
        folder = Path(self.config["destination_path"])
        self.file = open_append(folder / f"{self.safe_name}{suffix}.jsonl")

    def write(self, batch: Batch) -> None:
        """Takes the lines, byte for byte as they came when nothing has to change."""
        self.file.write(batch.jsonl())

    def commit(self) -> None:
        """Everything written is on the disk."""
        self.file.sync()

    def close(self) -> None:
        """The file is let go."""
        self.file.close()


class TargetJsonl(Target):
    """Appends the rows of every stream to a file of JSON lines of its own."""

    name = "target-jsonl"
    config_jsonschema = th.PropertiesList(
        th.Property("destination_path", th.StringType, default="output", description="The folder of the files."),
        th.Property(
            "do_timestamp_file",
            th.BooleanType,
            default=False,
            description="Give every run files of its own: STREAM-20260131T235959.jsonl.",
        ),
    )
    sink_class = JsonlSink


main = TargetJsonl.cli
