"""The settings of stream maps and flattening, the same in taps, targets and mappers. Data only."""

from typing import Any, Final

__all__ = ["MAP_SETTINGS"]

MAP_SETTINGS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "stream_maps": {
            "type": ["object", "null"],
            "description": "What becomes of streams and their properties, in the Meltano SDK's language.",
        },
        "stream_map_config": {
            "type": ["object", "null"],
            "description": "Values that the expressions in stream_maps find under `config`.",
        },
        "stream_maps_engine": {
            "type": "string",
            "enum": ["compiled", "simpleeval"],
            "default": "compiled",
            "description": "What evaluates expressions; simpleeval is slower and needs the extra `maps`.",
        },
        "flattening_enabled": {
            "type": "boolean",
            "default": False,
            "description": "Turn nested objects into columns of their own.",
        },
        "flattening_max_depth": {
            "type": ["integer", "null"],
            "minimum": 0,
            "description": "How many levels of objects become columns; what lies deeper becomes JSON text.",
        },
        "flattening_separator": {
            "type": ["string", "null"],
            "description": "What joins the names of levels; two underscores by default.",
        },
        "flattening_max_key_length": {
            "type": ["integer", "null"],
            "minimum": 16,
            "description": "The longest name that flattening makes, 255 by default; longer ones are cut.",
        },
    },
}
