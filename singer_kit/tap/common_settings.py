"""The settings that all taps have. Data only."""

from typing import Any, Final

__all__ = ["COMMON_SETTINGS", "REPLICATION_SETTINGS"]

REPLICATION_SETTINGS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "start_date": {
            "type": ["string", "null"],
            "description": "Where a first read of an incremental stream begins; a bookmark in the state wins over it.",
            "examples": ["2024-01-31", "2024-01-31T09:00:00Z"],
        },
        "end_date": {
            "type": ["string", "null"],
            "description": "Where reads of incremental streams end; now when not given.",
        },
        "lookback": {
            "type": ["string", "null"],
            "description": "How far before its bookmark an incremental read begins, for rows that come late.",
            "examples": ["P1D", "2 hours"],
        },
    },
}

COMMON_SETTINGS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
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
            "description": "A record that breaks its stream's schema ends the run, or goes to the dead-letter file.",
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
        "on_failure": {
            "type": ["string", "object", "null"],
            "description": "`abort` or `continue` when a stream fails, for all or by stream name (`*` for the rest). "
            "A run that went on fails at its end.",
            "examples": ["continue", {"issues": "continue"}],
        },
        "emit_activate_version_messages": {
            "type": "boolean",
            "default": False,
            "description": "After a full table was read, tell the target that rows which are gone may go.",
        },
        "batch_config": {
            "type": ["object", "null"],
            "description": "Write records to files and send their names in BATCH messages.",
            "properties": {
                "encoding": {
                    "type": "object",
                    "properties": {
                        "format": {"type": "string", "enum": ["jsonl"], "default": "jsonl"},
                        "compression": {"type": ["string", "null"], "enum": ["gzip", "none", None], "default": "none"},
                    },
                },
                "storage": {
                    "type": "object",
                    "properties": {
                        "root": {"type": "string", "description": "A folder, or its file:// URL."},
                        "prefix": {"type": ["string", "null"], "description": "What file names begin with."},
                    },
                    "required": ["root"],
                },
                "batch_size": {"type": "integer", "minimum": 1, "default": 10000},
            },
        },
    },
}
