"""tap-csv's entities: what one entry of `files` says, the files it means, and the columns they have."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from singer_kit import SettingsError, SourceError, files
from singer_kit import typing as th
from singer_kit.connectors.tap_csv_columns import KINDS, Column, Inference, kind_of, property_of

logger = logging.getLogger("tap-csv")

SUFFIXES: Final = (".csv", ".tsv", ".txt")
SOURCE_FILE: Final = "_sdc_source_file"
MODIFIED: Final = "_sdc_source_file_mtime"
LINE: Final = "_sdc_source_lineno"

ENTITY: Final = th.ObjectType(
    th.Property("entity", th.StringType(min_length=1), required=True, description="The stream's name."),
    th.Property(
        "path",
        th.StringType(min_length=1),
        required=True,
        description="A file, a pattern such as `data/*.csv` (`**` for any depth), or a folder. Files may be packed "
        "with gzip, bzip2, xz or zip.",
    ),
    th.Property("keys", th.ArrayType(th.StringType), default=[], description="The columns that identify a row."),
    th.Property("delimiter", th.StringType, default=",", description="What separates the fields; `\\t` is a tab."),
    th.Property("encoding", th.StringType, default="utf-8", description="The text's encoding, as Python names it."),
    th.Property("quotechar", th.StringType, default='"', description="What encloses a field; empty for nothing."),
    th.Property("escapechar", th.StringType, description="What takes the meaning from the character after it."),
    th.Property("doublequote", th.BooleanType, default=True, description="A quote within quotes is written twice."),
    th.Property("skipinitialspace", th.BooleanType, default=False, description="Blanks after a delimiter are no data."),
    th.Property(
        "strict",
        th.BooleanType,
        default=True,
        description="Text after a closing quote, and a quote that is never closed, make a bad line.",
    ),
    th.Property(
        "types",
        th.ObjectType(additional_properties=th.StringType(allowed_values=KINDS)),
        default={},
        description="Types of columns by name, instead of inferred ones. A declared type reads freely written values "
        "(`+1`, `007`, `yes`); `decimal` keeps a number as text.",
    ),
    th.Property(
        "infer_types",
        th.BooleanType,
        default=True,
        description="Columns without a declared type get the narrowest type that all their values have, over all "
        "files. Otherwise they are text.",
    ),
    th.Property(
        "null_values",
        th.ArrayType(th.StringType),
        default=[],
        description="Texts that mean null, such as `NA`. An empty field is null in columns that are not text; in text "
        "columns it stays an empty string unless it is listed here.",
    ),
    th.Property(
        "timezone",
        th.StringType(pattern="^(UTC|[+-][0-9]{2}:[0-9]{2})$"),
        description="The offset of values in `date-time` columns that carry none.",
        examples=["UTC", "+02:00"],
    ),
    th.Property(
        "on_bad_line",
        th.StringType(allowed_values=["stop", "skip"]),
        default="stop",
        description="A line with too few or too many fields, or a value that is not of its column's type, ends the run "
        "or is left out with a warning. Both name file and line.",
    ),
    th.Property(
        "incremental",
        th.BooleanType,
        default=True,
        description="Read only files that are new or were modified since the last run. Rows then carry "
        f"`{MODIFIED}`. A modified file is read again as a whole.",
    ),
)


class Entity:
    """One entry of `files`: a stream, its files and its columns. Making one finds the files.

    Raises `SettingsError` when no file is found.
    """

    def __init__(self, entry: Mapping[str, Any], *, add_metadata_columns: bool) -> None:
        self.name: str = entry["entity"]
        self.path: str = entry["path"]
        self.keys: list[str] = entry["keys"] or []
        self.encoding: str = files.check_encoding(entry["encoding"] or "utf-8")
        self.form = files.CSVFormat(
            delimiter="\t" if entry["delimiter"] == "\\t" else entry["delimiter"] or ",",
            quotechar=entry["quotechar"],
            escapechar=entry.get("escapechar"),
            doublequote=entry["doublequote"] is not False,
            skipinitialspace=bool(entry["skipinitialspace"]),
            strict=entry["strict"] is not False,
        )
        self.types: dict[str, str] = {name: kind for name, kind in (entry["types"] or {}).items() if kind}
        self.infers = entry["infer_types"] is not False
        self.null_values: list[str] = entry["null_values"] or []
        self.timezone: str | None = entry.get("timezone")
        self.skips_bad_lines = entry["on_bad_line"] == "skip"
        self.is_incremental = entry["incremental"] is not False
        self.metadata = [SOURCE_FILE, MODIFIED, LINE] if add_metadata_columns else [MODIFIED] * self.is_incremental
        self.files = self._found()

    def _found(self) -> "dict[str, files.FoundFile]":
        found = files.find_files(self.path, SUFFIXES)
        if not found:
            raise SettingsError(
                f"stream '{self.name}': no file is found.",
                place=f"setting: files, path {self.path}",
                next_step="correct the path; a relative one starts at the working directory.",
            )
        return {file.path: file for file in found}

    def open(self, path: str) -> "files.CSVFile":
        """A file of this entity, its header read and checked."""
        file = files.CSVFile(path, self.form, self.encoding)
        try:
            for name in file.header:
                if name in self.metadata:
                    raise SourceError(
                        f"stream '{self.name}': column '{name}' has the name of a column that tap-csv adds.",
                        place=f"file: {path}, line 1",
                        next_step="rename it, or set add_metadata_columns and incremental to false.",
                    )
            for key in self.keys:
                if key not in file.header:
                    raise SettingsError(
                        f"stream '{self.name}': the key '{key}' is no column.",
                        place=f"file: {path}, line 1",
                        next_step=f"choose keys from {', '.join(file.header)}.",
                    )
        except BaseException:
            file.close()
            raise
        return file

    def kinds(self, known: Mapping[str, Any] | None) -> dict[str, str]:
        """The types of the columns of all files, in the order in which the files name them first.

        `known` are the properties of a catalog: with them the files' headers are enough, without them the files are
        read once from beginning to end, unless every type is declared.
        """
        inference = Inference(self.null_values)
        names: dict[str, None] = {}
        for file in self.files.values():
            if file.size:
                names |= dict.fromkeys(self._look_at(file.path, inference if known is None else None))
        if not names:
            raise SourceError(
                f"stream '{self.name}': its files are all empty.",
                place=f"setting: files, path {self.path}",
                next_step="give at least one a header.",
            )
        self._check_declared(names)
        return {name: self._kind(name, inference, known) for name in names}

    def _look_at(self, path: str, inference: Inference | None) -> list[str]:
        with self.open(path) as file:
            wanted = frozenset(file.header).difference(self.types)
            if inference is not None and self.infers and wanted:
                for page in file.pages(on_bad_line=_pass_over):
                    inference.see(file.header, page.rows, wanted)
            return file.header

    def _check_declared(self, names: Mapping[str, None]) -> None:
        for name in self.types:
            if name not in names:
                raise SettingsError(
                    f"stream '{self.name}': a type is declared for '{name}', which is no column.",
                    place=f"setting: files, path {self.path}",
                    next_step=f"correct the name; the columns are {', '.join(names)}.",
                )

    def _kind(self, name: str, inference: Inference, known: Mapping[str, Any] | None) -> str:
        if name in self.types:
            return self.types[name]
        if known is not None:
            return kind_of(known[name]) if name in known else "string"
        return inference.kind(name)

    def properties(self, kinds: Mapping[str, str]) -> th.PropertiesList:
        """The schema of the rows: the columns, then what tap-csv adds."""
        added = {SOURCE_FILE: "string", MODIFIED: "date-time", LINE: "integer"}
        return th.PropertiesList(
            *(property_of(name, kind, is_key=name in self.keys) for name, kind in kinds.items()),
            *(property_of(name, added[name], is_key=False) for name in self.metadata),
        )

    def columns(self, header: Sequence[str], kinds: Mapping[str, str]) -> list[Column]:
        """What turns the text of each column of a file into values."""
        return [
            Column(
                name,
                kinds.get(name, "string"),
                null_values=self.null_values,
                is_key=name in self.keys,
                is_declared=name in self.types,
                timezone=self.timezone,
            )
            for name in header
        ]

    def due(self, start_date: datetime | None) -> Iterator[str]:
        """The paths of the files that may be read, those not modified since `start_date` left out."""
        for file in self.files.values():
            if file.size and (start_date is None or file.modified >= start_date):
                yield file.path


def _pass_over(_: "files.BadLine") -> None:
    """A bad line is told of when its file is read, not when it is looked at."""
