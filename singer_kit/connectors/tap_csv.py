"""tap-csv: rows of CSV files, typed; a file is read again only when it was modified."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import Any

from singer_kit import Partition, SettingsError, SourceRecordError, Stream, Tap, files
from singer_kit import typing as th
from singer_kit.connectors.tap_csv_columns import Column, NotOfThisTypeError
from singer_kit.connectors.tap_csv_entity import ENTITY, LINE, MODIFIED, SOURCE_FILE, Entity

MOST_WARNINGS = 20


class CSVStream(Stream):
    """The rows of one entity. Each file is a partition; its bookmark is the time at which it was last modified."""

    bookmark_is_a_mark = True

    def __init__(self, tap: "TapCSV", entity: Entity, kinds: Mapping[str, str]) -> None:
        super().__init__(tap, name=entity.name, schema=entity.properties(kinds))
        self.entity = entity
        self.kinds = kinds
        self.primary_keys = entity.keys
        self.replication_key = MODIFIED if entity.is_incremental else None

    def partitions(self) -> list[dict[str, str]]:
        """The files, by path."""
        start = _start_date(self.config.get("start_date")) if self.entity.is_incremental else None
        return [{SOURCE_FILE: path} for path in self.entity.due(start)]

    def get_records(self, part: Partition) -> Iterator[list[dict[str, Any]]]:
        """The rows of one file, unless it is as it was when it was read before, or was modified after `end_date`."""
        found = files.wait_until_settled(self.entity.files[part[SOURCE_FILE]])
        modified = found.modified.isoformat().replace("+00:00", "Z")
        if part.bookmark == found.modified or (part.end is not None and found.modified >= part.end):
            self.logger.debug("%s is passed over, modified %s.", found.path, modified)
            return
        self.logger.info("%s is read: %s bytes, modified %s.", found.path, f"{found.size:,}", modified)
        on_bad_line = self._skipping() if self.entity.skips_bad_lines else self._stop
        constants = {SOURCE_FILE: repeat(found.path), MODIFIED: repeat(modified)}
        with self.entity.open(found.path) as file:
            names = [*file.header, *self.entity.metadata]
            columns = self.entity.columns(file.header, self.kinds)
            for page in file.pages(on_bad_line):
                for values, good in _converted(columns, page, found.path, on_bad_line):
                    added = [good.lines if name == LINE else constants[name] for name in self.entity.metadata]
                    yield [dict(zip(names, row, strict=True)) for row in zip(*values, *added, strict=False)]
        if files.has_changed(found):
            self.logger.warning("%s changed while it was read; the next run reads it again.", found.path)

    def _stop(self, bad: "files.BadLine") -> None:
        raise SourceRecordError(
            f"stream '{self.name}': a line cannot be read: {bad.reason}.",
            place=f"file: {bad.path}, line {bad.line}",
            next_step="correct the line, declare the column's type in `types`, or set on_bad_line to skip.",
        )

    def _skipping(self) -> "Callable[[files.BadLine], None]":
        """Leaves bad lines out, and says so for the first of them."""
        count = 0

        def skip(bad: "files.BadLine") -> None:
            nonlocal count
            count += 1
            if count < MOST_WARNINGS:
                self.logger.warning("%s, line %s is left out: %s.", bad.path, bad.line, bad.reason)
            elif count == MOST_WARNINGS:
                self.logger.warning("%s: further bad lines are left out without a word.", bad.path)

        return skip


def _converted(
    columns: Sequence[Column], page: "files.CSVPage", path: str, on_bad_line: "Callable[[files.BadLine], None]"
) -> "Iterator[tuple[list[Iterable[Any]], files.CSVPage]]":
    """The page's columns as values; where a row has a bad one, the rows before it come before its verdict."""
    try:
        values = [column.values(texts) for column, texts in zip(columns, zip(*page.rows, strict=True), strict=True)]
    except NotOfThisTypeError:
        faults = _faults(columns, page.rows)
    else:
        yield values, page
        return
    rows, lines = page.rows, page.lines
    first = min(faults)
    if first:
        yield from _converted(columns, files.CSVPage(rows[:first], 0, lines[:first]), path, on_bad_line)
    for place, reason in sorted(faults.items()):
        on_bad_line(files.BadLine(path, lines[place], reason))
    rest = [place for place in range(first, len(rows)) if place not in faults]
    if rest:
        good = files.CSVPage([rows[place] for place in rest], 0, [lines[place] for place in rest])
        yield from _converted(columns, good, path, on_bad_line)


def _faults(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """What is wrong with which rows, by place."""
    faults: dict[int, str] = {}
    for column, texts in zip(columns, zip(*rows, strict=True), strict=True):
        try:
            column.values(texts)
        except NotOfThisTypeError as error:
            for place, text in enumerate(texts):
                if text in error.texts:
                    faults.setdefault(place, column.fault)
    return faults


def _start_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            "start_date is no date.", place="setting: start_date", next_step="write it as 2024-01-31."
        ) from error
    return start if start.tzinfo else start.replace(tzinfo=UTC)


class TapCSV(Tap):
    """Rows of CSV files, typed; a file is read again only when it was modified."""

    name = "tap-csv"
    config_jsonschema = th.PropertiesList(
        th.Property(
            "files",
            th.ArrayType(ENTITY),
            description=f"The streams, one object each: {', '.join(name for name, _ in ENTITY.items())}.",
        ),
        th.Property(
            "csv_files_definition",
            th.StringType,
            description="A JSON file that holds the list of `files`, or an object with it.",
        ),
        th.Property(
            "add_metadata_columns",
            th.BooleanType,
            default=False,
            description=f"Add `{SOURCE_FILE}`, `{MODIFIED}` and `{LINE}` to every row.",
        ),
    )

    def discover_streams(self) -> Iterable[Stream]:
        """A stream for each entity. Without a catalog this reads all its files, to learn the types."""
        known = {} if self.given_catalog is None else {each.tap_stream_id: each for each in self.given_catalog.streams}
        streams: dict[str, CSVStream] = {}
        for entry in self._entries():
            entity = Entity(entry, add_metadata_columns=self.config["add_metadata_columns"])
            if entity.name in streams:
                raise SettingsError(
                    f"The entity '{entity.name}' is there twice.",
                    place="setting: files",
                    next_step="give each a name of its own; several files of one entity are a pattern or a folder.",
                )
            schema = known[entity.name].schema if entity.name in known else {}
            streams[entity.name] = CSVStream(self, entity, entity.kinds(schema.get("properties")))
        return streams.values()

    def _entries(self) -> list[dict[str, Any]]:
        definition = self.config.get("csv_files_definition")
        entries = self.config.get("files") or []
        if definition is not None:
            entries = [*entries, *self.settings().from_mapping({"files": _defined(Path(definition))})["files"]]
        if not entries:
            raise SettingsError(
                "There is nothing to read.", place="setting: files", next_step="give files or csv_files_definition."
            )
        return entries


def _defined(path: Path) -> list[Any]:
    """The list that a definition file holds."""
    try:
        value = files.read_json(path.expanduser())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or f"it is not JSON: {error}"
        raise SettingsError(
            f"The definition of the files cannot be read: {reason}.",
            place=f"setting: csv_files_definition\nfile: {path}",
            next_step="correct the path or the file.",
        ) from error
    entries = value.get("files") if isinstance(value, dict) else value
    if not isinstance(entries, list):
        raise SettingsError(
            "The definition of the files is no list.",
            place=f"setting: csv_files_definition\nfile: {path}",
            next_step='write [{"entity": ..., "path": ..., "keys": [...]}].',
        )
    return entries


main = TapCSV.cli
