"""Outlet: where one stream's rows become messages: shaped, mapped, encoded, or written as BATCH files.

It must not know partitions or bookmarks.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from singer_kit.codec import Decoder, Struct
from singer_kit.errors import SettingsError
from singer_kit.late import late
from singer_kit.schema.shape import Encoder, Refusal, Shaped, compile_encoder
from singer_kit.spec.messages import BatchEncoding
from singer_kit.tap.discovery import StreamPlan
from singer_kit.wire.encode import MessageWriter

if TYPE_CHECKING:
    from singer_kit.batch.transform import StreamMap

maps = late("singer_kit.batch.transform")
files = late("singer_kit.wire.files")

__all__ = ["BatchSettings", "Outlet"]

_records: Decoder[dict[str, Any]] = Decoder(dict[str, Any])

_DEFAULT_BATCH_ROWS = 10_000
_MOST_BATCH_BYTES = 64 << 20


class BatchSettings(Struct, frozen=True):
    """The setting `batch_config`: how BATCH files are encoded, where they go, and how many rows one holds."""

    encoding: BatchEncoding
    folder: Path
    prefix: str
    rows: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "BatchSettings | None":
        """From `batch_config`, None when it is not set. Raises `SettingsError` for what cannot be written."""
        given = config.get("batch_config")
        if not given:
            return None
        encoding = given.get("encoding") or {}
        storage = given.get("storage") or {}
        compression = str(encoding.get("compression") or "none")
        if encoding.get("format", "jsonl") != "jsonl" or compression not in ("none", "gzip"):
            raise SettingsError(
                "BATCH files can be written as jsonl, plain or gzipped.",
                place="setting: batch_config.encoding",
                next_step='set {"format": "jsonl", "compression": "gzip"}.',
            )
        return cls(
            BatchEncoding("jsonl", compression),
            _folder(str(storage.get("root") or "")),
            str(storage.get("prefix") or ""),
            int(given.get("batch_size") or _DEFAULT_BATCH_ROWS),
        )


def _folder(root: str) -> Path:
    parts = urlsplit(root)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    if "://" in root or not root:
        raise SettingsError(
            "BATCH files go to a folder of this machine.",
            place="setting: batch_config.storage.root",
            next_step="name a folder, such as file:///tmp/batches.",
        )
    return Path(root)


class _Lane:
    """One stream of the output: a stream as it is, or what a stream map makes of it."""

    def __init__(
        self,
        name: str,
        encoder: Encoder,
        writer: MessageWriter,
        batch: BatchSettings | None,
        stream_map: "StreamMap | None",
    ) -> None:
        self.name = name
        self.encoder = encoder
        self.map = stream_map
        self._writer = writer
        self._batch = batch
        self._lines: list[bytes] = []
        self._count = 0
        self._nbytes = 0

    def put(self, lines: bytes, count: int, time_extracted: str, version: int | None) -> None:
        if self._batch is None:
            self._writer.records(self.encoder.messages(lines, time_extracted, version=version), count)
            return
        while count:
            taken = min(count, self._batch.rows - self._count)
            if taken < count:
                *head, rest = lines.split(b"\n", taken)
                piece = b"\n".join(head) + b"\n"
            else:
                piece, rest = lines, b""
            self._lines.append(piece)
            self._count += taken
            self._nbytes += len(piece)
            lines, count = rest, count - taken
            if self._count >= self._batch.rows or self._nbytes >= _MOST_BATCH_BYTES:
                self.flush(version)

    def flush(self, version: int | None) -> None:
        """Rows that wait for their file are written, and the BATCH message names it."""
        if self._batch is None or not self._count:
            return
        suffix = "jsonl.gz" if self._batch.encoding.compression == "gzip" else "jsonl"
        name = "".join(letter if letter.isalnum() or letter in "_.-" else "_" for letter in self.name)
        path = self._batch.folder / f"{self._batch.prefix}{name}-{os.urandom(12).hex()}.{suffix}"
        url = files.write_batch_file(path, self._lines, self._batch.encoding)
        self._writer.batch(
            self.name, self._batch.encoding, [url], count=self._count, nbytes=self._nbytes, version=version
        )
        self._lines, self._count, self._nbytes = [], 0, 0


class Outlet:
    """Writes one stream. Call order: `open`, any number of [`shape`, `put`] and `flush`, then `activate`.

    `shape` judges a page and holds it; `put` writes what is held. Nothing of a page is written before `put`.
    """

    def __init__(
        self, plan: StreamPlan, config: Mapping[str, Any], writer: MessageWriter, *, version: int | None
    ) -> None:
        self.plan = plan
        self.version = version
        undeclared = "keep" if config.get("undeclared_properties") == "keep" else "drop"
        self._writer = writer
        self._source = compile_encoder(
            plan.name,
            plan.schema,
            selected=plan.selected_schema,
            key_properties=plan.key_properties,
            undeclared=undeclared,  # type: ignore[arg-type]  # mypy widens the conditional to str
        )
        batch = BatchSettings.of(config) if plan.is_selected else None
        streams = (
            maps.compile_maps(plan.name, plan.selected_schema, plan.key_properties, config) if plan.is_selected else []
        )
        self._is_plain = len(streams) == 1 and streams[0].is_identity
        self._lanes = [
            _Lane(each.stream, self._source if each.is_identity else _encoder_of(each), writer, batch, each)
            for each in streams
        ]
        self._held: Shaped | None = None

    def open(self) -> None:
        """The SCHEMA of what is written."""
        for lane in self._lanes:
            schema, keys = self.plan.selected_schema, self.plan.key_properties
            if lane.map is not None and not lane.map.is_identity:
                schema, keys = lane.map.schema, lane.map.key_properties
            key = self.plan.replication_key
            bookmarks = (key,) if key and key in schema.get("properties", {}) else ()
            self._writer.schema(lane.name, schema, keys, bookmarks)

    def shape(self, rows: Sequence[Any], first: int) -> tuple[Refusal, ...]:
        """The rows that break the schema, the others being held for `put`; `first` is the first row's number."""
        self._held = self._source.lines(rows, first=first)
        return self._held.refusals

    def put(self, time_extracted: str) -> int:
        """What is held is written; the bytes of its lines."""
        held, self._held = self._held, None
        if held is None or not held.count:
            return 0
        if self._is_plain:
            self._lanes[0].put(held.lines, held.count, time_extracted, self.version)
        elif self._lanes:
            self._put_mapped(held, time_extracted)
        return len(held.lines)

    def _put_mapped(self, held: Shaped, time_extracted: str) -> None:
        rows = _records.decode_lines(held.lines)
        for lane in self._lanes:
            if lane.map is None or lane.map.is_identity:
                lane.put(held.lines, held.count, time_extracted, self.version)
                continue
            shaped = lane.encoder.lines(lane.map.apply(rows))
            for refusal in shaped.refusals:
                raise refusal.error
            if shaped.count:
                lane.put(shaped.lines, shaped.count, time_extracted, self.version)

    def flush(self) -> None:
        """No row waits for its file on return."""
        for lane in self._lanes:
            lane.flush(self.version)

    def activate(self) -> None:
        """The stream was read whole: its rows of older versions are gone from the source."""
        if self.version is not None:
            for lane in self._lanes:
                self._writer.activate_version(lane.name, self.version)


def _encoder_of(stream_map: "StreamMap") -> Encoder:
    return compile_encoder(stream_map.stream, stream_map.schema, key_properties=stream_map.key_properties)
