"""When a batch is full. This module must not hold rows or look at a clock."""

from singer_kit.codec import Struct

__all__ = ["BatchLimits"]


class BatchLimits(Struct, frozen=True):
    """A batch is written when it has `rows` rows, `nbytes` bytes, or a first row that is `seconds` old."""

    rows: int = 50_000
    nbytes: int = 8 * 1024 * 1024
    seconds: float = 60.0

    def are_reached(self, *, rows: int, nbytes: int) -> bool:
        """True when a batch of this size is full; its age is for whoever has a clock."""
        return rows >= self.rows or nbytes >= self.nbytes
