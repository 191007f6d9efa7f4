"""Find, open and parse files. Must not know streams, messages or state.

`open_append` is for targets; `find_files`, `open_text`, `CSVFile`, `read_jsonl` and `wait_until_settled` are for
taps.
"""

from typing import TYPE_CHECKING

from singer_kit.late import late_names

if TYPE_CHECKING:
    from singer_kit.files.append import AppendFile, open_append
    from singer_kit.files.find import FoundFile, find_files
    from singer_kit.files.formats import (
        BadLine,
        CSVFile,
        CSVFormat,
        CSVPage,
        OnBadLine,
        read_json,
        read_jsonl,
        stop_at_bad_line,
    )
    from singer_kit.files.open import check_encoding, open_bytes, open_text
    from singer_kit.files.watch import has_changed, wait_until_settled

__all__ = [
    "AppendFile",
    "BadLine",
    "CSVFile",
    "CSVFormat",
    "CSVPage",
    "FoundFile",
    "OnBadLine",
    "check_encoding",
    "find_files",
    "has_changed",
    "open_append",
    "open_bytes",
    "open_text",
    "read_json",
    "read_jsonl",
    "stop_at_bad_line",
    "wait_until_settled",
]

__getattr__ = late_names(
    __name__,
    {
        "AppendFile": "append",
        "BadLine": "formats",
        "CSVFile": "formats",
        "CSVFormat": "formats",
        "CSVPage": "formats",
        "FoundFile": "find",
        "OnBadLine": "formats",
        "check_encoding": "open",
        "find_files": "find",
        "has_changed": "watch",
        "open_append": "append",
        "open_bytes": "open",
        "open_text": "open",
        "read_json": "formats",
        "read_jsonl": "formats",
        "stop_at_bad_line": "formats",
        "wait_until_settled": "watch",
    },
)
