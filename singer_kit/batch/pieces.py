"""The cells of a batch, column by column and some thousand rows at a time. This module must not know Arrow."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from singer_kit.batch.rows import Rows
from singer_kit.codec import Raw, ValidationError, astuple, define_struct
from singer_kit.schema.columns import Column

if TYPE_CHECKING:
    from singer_kit.batch.batch import Batch

__all__ = ["NULL", "Cells", "Piece"]

NULL: Final = Raw(b"null")
_PIECE_ROWS: Final = 4096
_ARRIVES_AS: Final[dict[str, tuple[Any, Any]]] = {
    "integer": (int | None, None),
    "boolean": (bool | None, None),
    "string": (str | None, None),
    "number": (Raw, NULL),
    "any": (Raw, NULL),
}
"""How a column's values are decoded, and what stands for an absent one. A `Raw` keeps a value's own bytes."""

_RAW_RECORD: Final = dict[str, Raw]
_UNSPEAKABLE: Final = re.compile(r'[\x00-\x1f"\\]')


class Piece:
    """Some rows, column by column: the cells of each property, and what the envelopes said.

    The cells are of the Python type as which the column arrives, `Raw` for numbers and for what may be anything; all
    of them are `Raw` when `is_raw`.
    """

    __slots__ = ("cells", "count", "is_raw", "times", "versions")

    def __init__(self, width: int, *, is_raw: bool = False) -> None:
        self.cells: list[list[Any]] = [[] for _ in range(width)]
        self.count = 0
        self.is_raw = is_raw
        self.times: list[str | None] = []
        self.versions: list[int | None] = []

    def add(self, cells: Iterable[Sequence[Any]], count: int, times: Sequence[str | None], version: int | None) -> None:
        """Appends `count` rows, at least one: the cells of each property, and what their envelopes said."""
        for column, more in zip(self.cells, cells, strict=True):
            column.extend(more)
        self.count += count
        self.times.extend(times)
        self.versions.extend([version] * count)


class Cells:
    """Takes batches of one schema apart. `has_times`: the pieces say when each record was extracted."""

    def __init__(self, properties: Sequence[Column], *, has_times: bool) -> None:
        self._properties = tuple(properties)
        self._has_times = has_times
        self._record_type = _record_type(properties)

    def pieces(self, batch: "Batch") -> Iterator[Piece]:
        """The whole batch, in order.

        It is taken part by part, while the decoded records are still in the processor's cache.
        """
        width = len(self._properties)
        piece = Piece(width)
        for part in batch.parts:
            decoded = self._decoded(part)
            if decoded is None:
                if piece.count:
                    yield piece
                yield self._raw_piece(part)
                piece = Piece(width)
                continue
            records, times = decoded
            piece.add(zip(*map(astuple, records), strict=True), len(records), times, part.version)
            if piece.count >= _PIECE_ROWS:
                yield piece
                piece = Piece(width)
        if piece.count:
            yield piece

    def _raw_piece(self, part: Rows) -> Piece:
        """The careful way: for 1.0 in an integer, rows that nobody validated, names that no decoder takes."""
        records, times = self._read(part, _RAW_RECORD)
        piece = Piece(len(self._properties), is_raw=True)
        cells = [[record.get(column.name, NULL) for record in records] for column in self._properties]
        piece.add(cells, len(records), times, part.version)
        return piece

    def _decoded(self, part: Rows) -> tuple[list[Any], list[str | None]] | None:
        """Records and their times; None if they are not what the columns expect."""
        if self._record_type is None:
            return None
        try:
            return self._read(part, self._record_type)
        except ValidationError:
            return None

    def _read(self, part: Rows, record_type: Any) -> tuple[list[Any], list[str | None]]:
        return part.timed_records(record_type) if self._has_times else (part.records(record_type), [])


def _record_type(columns: Sequence[Column]) -> Any:
    """A type with a field a column; None where a property's name is not one that a decoder can be told."""
    if any(_UNSPEAKABLE.search(column.name) for column in columns):
        return None
    return define_struct(
        "Record",
        [(f"c{place}", *_ARRIVES_AS[column.arrives]) for place, column in enumerate(columns)],
        rename={f"c{place}": column.name for place, column in enumerate(columns)},
        gc=False,
    )
