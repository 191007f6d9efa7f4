"""Records that came mixed, sorted by stream: each stream's in their order. This module must not read bytes."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from singer_kit.batch.rows import Rows
from singer_kit.wire.records import BadRecord, RecordReader, one_or_all

__all__ = ["Group", "grouped"]


class Group:
    """Records of one stream and version that follow each other, on their way to become `Rows`.

    Fill `raws`, `numbers` and `times` (which may stay empty), then call `judge`, perhaps `end_before`, and
    `rows`. `message_line` is the line of the BATCH message whose file, `source`, the numbers count in.
    """

    __slots__ = ("_bad", "_end", "message_line", "numbers", "raws", "reader", "source", "times", "version")

    def __init__(
        self,
        reader: RecordReader,
        version: int | None,
        raws: list[Any],
        numbers: Sequence[int],
        times: list[Any] | tuple[()] = (),
        *,
        source: str = "",
        message_line: int = 0,
    ) -> None:
        self.reader = reader
        self.version = version
        self.source = source
        self.message_line = message_line
        self.raws = raws
        self.numbers = numbers
        self.times = times
        self._bad: dict[int, BadRecord] = {}
        self._end: int | None = None

    def judge(self) -> list[BadRecord]:
        """The records that will not be among the rows."""
        self._bad = self.reader.read_records(self.raws, self.numbers, source=self.source)
        return list(self._bad.values())

    def end_before(self, number: int) -> None:
        """Nothing from line `number` on will be among the rows."""
        self._end = bisect_left(self.numbers, number)

    def rows(self) -> Rows | None:
        """The valid records, None when there are none."""
        raws, numbers, times = self.raws, self.numbers, self.times
        if self._bad or self._end is not None:
            good = [place for place in range(len(raws))[: self._end] if place not in self._bad]
            raws = [raws[place] for place in good]
            numbers = [numbers[place] for place in good]
            times = [times[place] for place in good] if times else times
        if not raws:
            return None
        return Rows(
            self.reader.stream,
            self.reader.lines(raws),
            len(raws),
            self.message_line or numbers[0],
            self.message_line or numbers[-1],
            version=self.version,
            extracted_at=one_or_all(times) if times else None,
        )


def grouped(
    readers: Mapping[str, RecordReader],
    *,
    streams: Sequence[str],
    versions: Sequence[int | None],
    raws: list[Any],
    numbers: Sequence[int],
    times: list[Any],
) -> list[Group]:
    """The records as groups; a stream whose version changes has several, in order. One list, one value a record."""
    if streams and len(set(streams)) == len(set(versions)) == 1:
        return [Group(readers[streams[0]], versions[0], raws, numbers, times)]
    latest: dict[str, tuple[int | None, list[int]]] = {}
    chosen: list[list[int]] = []
    for place, (stream, version) in enumerate(zip(streams, versions, strict=True)):
        known = latest.get(stream)
        if known is None or known[0] != version:
            known = latest[stream] = (version, [])
            chosen.append(known[1])
        known[1].append(place)
    return [
        Group(
            readers[streams[places[0]]],
            versions[places[0]],
            [raws[place] for place in places],
            [numbers[place] for place in places],
            [times[place] for place in places],
        )
        for places in chosen
    ]
