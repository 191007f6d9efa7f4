"""The `_sdc_*` columns: their names, types and values. This module must not look at a clock."""

import logging
from datetime import datetime
from typing import Any, Final

from singer_kit.codec import Struct
from singer_kit.schema.formats import format_check, format_predicate

__all__ = ["METADATA_PROPERTIES", "Stamp", "metadata_columns", "missing_properties", "with_metadata"]

logger = logging.getLogger("singer_kit.batch")

_INSTANT: Final = {"type": ["null", "string"], "format": "date-time"}
_INTEGER: Final = {"type": ["null", "integer"]}

METADATA_PROPERTIES: Final[dict[str, dict[str, Any]]] = {
    "_sdc_extracted_at": {**_INSTANT, "description": "When the tap read the record (its `time_extracted`)."},
    "_sdc_received_at": {**_INSTANT, "description": "When the first row of its batch reached the target."},
    "_sdc_batched_at": {**_INSTANT, "description": "When its batch was closed and written."},
    "_sdc_deleted_at": {
        **_INSTANT,
        "description": "When the source deleted the row, as the tap says; else null.",
    },
    "_sdc_sequence": {
        **_INTEGER,
        "description": "Grows with every row: microseconds since 1970 plus its place.",
    },
    "_sdc_table_version": {**_INTEGER, "description": "The `version` of its RECORD message; else null."},
}


class Stamp(Struct, frozen=True):
    """What metadata columns are made of: two instants in RFC 3339 and the number of the first row."""

    received_at: str
    batched_at: str
    sequence: int

    @classmethod
    def at(cls, received_at: datetime, batched_at: datetime, sequence: int) -> "Stamp":
        """The stamp of a batch whose first row came at `received_at`."""
        return cls(_rfc3339(received_at), _rfc3339(batched_at), sequence)


def _rfc3339(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def with_metadata(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` and the metadata columns, those that it declares itself left as they are."""
    return {**schema, "properties": {**schema.get("properties", {}), **missing_properties(schema)}}


def missing_properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The metadata columns that `schema` does not declare: a column that a stream sends is its own."""
    declared = schema.get("properties", {})
    return {name: column for name, column in METADATA_PROPERTIES.items() if name not in declared}


def metadata_columns(
    schema: dict[str, Any], stamp: Stamp, *, extracted_at: list[str | None], versions: list[int | None]
) -> dict[str, Any]:
    """A scalar, or a list with a value a row, for each metadata column that `schema` does not declare.

    Of `extracted_at` what is no RFC 3339 instant with an offset becomes null, with a warning.
    """
    count = len(versions)
    columns: dict[str, Any] = {
        "_sdc_extracted_at": _instants(extracted_at),
        "_sdc_received_at": stamp.received_at,
        "_sdc_batched_at": stamp.batched_at,
        "_sdc_deleted_at": None,
        "_sdc_sequence": list(range(stamp.sequence, stamp.sequence + count)),
        "_sdc_table_version": versions,
    }
    return {name: columns[name] for name in missing_properties(schema)}


def _instants(texts: list[str | None]) -> list[str | None]:
    distinct = {text for text in texts if text is not None}
    check, is_instant = format_check("date-time"), format_predicate("date-time")
    if not distinct or check is None or check(list(distinct)):
        return texts
    wrong = {text for text in distinct if not is_instant(text)}
    logger.warning(
        "%d records were extracted at what is no RFC 3339 instant; their _sdc_extracted_at is null.",
        sum(text in wrong for text in texts),
    )
    return [None if text in wrong else text for text in texts]
