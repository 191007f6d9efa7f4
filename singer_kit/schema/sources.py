"""Schemas that live in JSON files, read when they are first looked at. Must not know streams.

A relative path starts at the working directory, so a connector says `Path(__file__).parent / "schemas"`.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from singer_kit.errors import SchemaError
from singer_kit.schema.drafts import to_draft_7
from singer_kit.schema.nullable import Schema
from singer_kit.schema.refs import read_schema, resolve_refs


def schema_from_file(path: str | os.PathLike[str], pointer: str = "") -> "SchemaFile":
    """The schema in a JSON file, or the part of it that a pointer such as `/components/schemas/User` names.

    The file is read at the first use, its references inlined, its draft brought to 7.
    """
    return SchemaFile(Path(path), pointer)


def schemas_from_directory(path: str | os.PathLike[str], pattern: str = "*.json") -> "SchemaDirectory":
    """The schemas of a folder by file name without suffix; each is read at its first use."""
    return SchemaDirectory(Path(path), pattern)


class SchemaFile(Mapping[str, Any]):
    """A schema in a file: a mapping that reads itself when first asked. Raises `SchemaError` then."""

    def __init__(self, path: Path, pointer: str = "") -> None:
        self.path = path
        self.pointer = pointer
        self._schema: Schema | None = None

    def to_dict(self) -> Schema:
        """The schema as a dict, with its references inlined."""
        if self._schema is None:
            document = read_schema(self.path)
            resolved = resolve_refs(document, base=self.path, pointer=self.pointer)
            if "$schema" in document:
                resolved.setdefault("$schema", document["$schema"])
            self._schema = to_draft_7(resolved)
        return dict(self._schema)

    def __getitem__(self, keyword: str) -> Any:
        return self.to_dict()[keyword]

    def __iter__(self) -> Iterator[str]:
        return iter(self.to_dict())

    def __len__(self) -> int:
        return len(self.to_dict())

    def __repr__(self) -> str:
        return f"SchemaFile({self.path}{'#' + self.pointer if self.pointer else ''})"


class SchemaDirectory(Mapping[str, SchemaFile]):
    """The schema files of a folder by name; the folder is listed when first asked."""

    def __init__(self, path: Path, pattern: str) -> None:
        self.path = path
        self.pattern = pattern
        self._files: dict[str, SchemaFile] | None = None

    @property
    def files(self) -> dict[str, SchemaFile]:
        """The files by name, sorted. Raises `SchemaError` when there is no such folder."""
        if self._files is None:
            if not self.path.is_dir():
                raise SchemaError(
                    "A folder of schemas is not there.",
                    place=f"folder: {self.path}",
                    next_step="correct the path.",
                )
            self._files = {path.stem: SchemaFile(path) for path in sorted(self.path.glob(self.pattern))}
        return self._files

    def __getitem__(self, name: str) -> SchemaFile:
        try:
            return self.files[name]
        except KeyError:
            raise SchemaError(
                f"There is no schema '{name}'.",
                place=f"folder: {self.path}",
                next_step=f"use one of {', '.join(self.files) or 'none, the folder is empty'}.",
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self.files

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)
