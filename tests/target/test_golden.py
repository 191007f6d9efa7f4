"""A message file with a bit of everything: what lands, byte for byte, and which states come out."""

import io
from pathlib import Path
from typing import Any, ClassVar

from singer_kit.batch.batch import Batch
from singer_kit.target.sink import Sink
from singer_kit.target.target import Target

GOLDEN = Path(__file__).parents[1] / "golden"


class Landing(Sink):
    """Notes what lands, line by line, and what becomes of the sink."""

    target: "LandingTarget"

    def open(self) -> None:
        self.target.landed += f"{self.stream} opens with {', '.join(self.schema['properties'])}\n".encode()

    def write(self, batch: Batch) -> None:
        self.target.landed += b"".join(b"%b %b\n" % (self.stream.encode(), line) for line in batch.jsonl().splitlines())

    def activate_version(self, version: int) -> None:
        self.target.landed += f"{self.stream} has version {version}\n".encode()

    def close(self) -> None:
        self.target.landed += f"{self.stream} closes\n".encode()


class LandingTarget(Target):
    """Keeps what lands, and the states between, as one text."""

    name = "target-landing"
    sink_class: ClassVar[type[Sink]] = Landing

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.landed = b""

    def write(self, data: bytes) -> None:
        """The standard output."""
        self.landed += b"state " + data

    def flush(self) -> None:
        """Nothing is buffered."""


def test_a_tour_of_the_protocol() -> None:
    """`target_tour.singer` becomes `target_tour.landed`."""
    target = LandingTarget({})
    target.run(io.BytesIO((GOLDEN / "target_tour.singer").read_bytes()), target)  # type: ignore[arg-type]
    assert target.landed.decode() == (GOLDEN / "target_tour.landed").read_text("utf-8")
