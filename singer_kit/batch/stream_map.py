"""`StreamMap`: what one stream becomes, and its rows with it. It must not know how maps are written."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from singer_kit.codec import JSON
from singer_kit.schema.flatten import RowsFunction

__all__ = ["Row", "RowsProgram", "StreamMap"]

Row = dict[str, Any]


class RowsProgram(Protocol):
    """Computes rows, compiled for one map."""

    def run(self, rows: list[Row], companions: list[Any]) -> tuple[list[Row], list[Any]]:
        """New rows for those that pass the filter, and of `companions`, one for each row, theirs."""


class StreamMap:
    """What one stream becomes: `apply` maps rows, `schema` and `key_properties` describe what comes out.

    `stream` is its name after the map and `source` before; `renamed` maps old property names to the new name
    of those that were renamed, and `is_identity` says that rows pass as they are.
    """

    def __init__(
        self,
        source: str,
        stream: str,
        schema: dict[str, JSON],
        key_properties: Sequence[str],
        *,
        program: RowsProgram | None = None,
        flatten: RowsFunction | None = None,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        self.source = source
        self.stream = stream
        self.schema = schema
        self.key_properties = tuple(key_properties)
        self.renamed: dict[str, str] = dict(renamed or {})
        self.is_identity = program is None and flatten is None and stream == source
        self._program = program
        self._flatten = flatten

    def apply(self, rows: list[Row]) -> list[Row]:
        """The rows that pass the filter, mapped, in order. The rows given are not changed.

        Raises `MapError` that names stream, property and expression, never a value.
        """
        return self.apply_with(rows, rows)[0]

    def apply_with(self, rows: list[Row], companions: list[Any]) -> tuple[list[Row], list[Any]]:
        """`apply`, and of `companions`, one for each row, those whose rows pass."""
        if self._program is not None:
            rows, companions = self._program.run(rows, companions)
        return rows if self._flatten is None else self._flatten(rows), companions
