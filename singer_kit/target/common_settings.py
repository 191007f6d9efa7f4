"""The settings that all targets have. Data only."""

from typing import Any, Final

from singer_kit.batch.limits import BatchLimits

__all__ = ["COMMON_SETTINGS"]

_LIMITS: Final = BatchLimits()

COMMON_SETTINGS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "load_method": {
            "type": "string",
            "enum": ["append", "append-only", "upsert", "overwrite"],
            "description": "What becomes of rows that are there already; when not given the target chooses.",
        },
        "add_record_metadata": {
            "type": "boolean",
            "default": False,
            "description": "Add the `_sdc_*` columns: when a row was extracted, received, written, and so on.",
        },
        "batch_size_rows": {
            "type": "integer",
            "minimum": 1,
            "default": _LIMITS.rows,
            "description": "A batch is written when it has this many rows.",
        },
        "batch_size_bytes": {
            "type": "integer",
            "minimum": 1,
            "default": _LIMITS.nbytes,
            "description": "A batch is written when it has this many bytes; all together hold four times that.",
        },
        "batch_wait_limit_seconds": {
            "type": "number",
            "minimum": 0,
            "default": int(_LIMITS.seconds),
            "description": "A batch is written when its first row is this old, even if no more input comes.",
        },
        "validate_records": {
            "type": "boolean",
            "default": True,
            "description": "Check every record against its schema; when off, only keys are checked.",
        },
        "undeclared_properties": {
            "type": "string",
            "enum": ["drop", "keep"],
            "default": "drop",
            "description": "What becomes of fields of a record that its schema does not declare.",
        },
        "on_bad_record": {
            "type": "string",
            "enum": ["stop", "dead-letter"],
            "default": "stop",
            "description": "A record that breaks its schema ends the run, or goes to the dead-letter file.",
        },
        "dead_letter_path": {
            "type": "string",
            "default": "dead-letter.jsonl",
            "description": "The file that takes bad records: one JSON line each, with reason, place and record.",
        },
        "dead_letter_limit": {
            "type": "integer",
            "minimum": 0,
            "default": 1000,
            "description": "The run ends when there are more bad records than this.",
        },
        "nan": {
            "type": "string",
            "enum": ["error", "null"],
            "default": "error",
            "description": "NaN and Infinity, which are no JSON, make a bad record, or are read as null.",
        },
        "strict": {
            "type": "boolean",
            "default": False,
            "description": "Refuse blank lines, unknown message types, and types that are not in upper case.",
        },
    },
}
