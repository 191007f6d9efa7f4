"""A tap made of what a test says, and what it wrote."""

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from singer_kit.codec import decode
from singer_kit.tap.stream import Stream
from singer_kit.tap.tap import Tap

ROW = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "updated_at": {"type": ["string", "null"], "format": "date-time"},
        "repo": {"type": ["string", "null"]},
    },
    "required": ["id"],
}


class Wire(io.BytesIO):
    """What a tap wrote, message by message."""

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [decode(line) for line in self.getvalue().splitlines()]

    def of(self, kind: str, stream: str | None = None) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["type"] == kind and stream in (None, m.get("stream"))]

    def records(self, stream: str | None = None) -> list[dict[str, Any]]:
        return [message["record"] for message in self.of("RECORD", stream)]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [message["value"] for message in self.of("STATE")]


Rows = Callable[[Any, Any], Iterable[Any]] | Iterable[Any]


def make_stream(name: str, rows: Rows, **attributes: Any) -> type[Stream]:
    """A stream class whose rows are a list, or what a function of (stream, part) gives."""

    def get_records(self: Stream, part: Any) -> Iterable[Any]:
        return rows(self, part) if callable(rows) else list(rows)

    return type(name.title(), (Stream,), {"name": name, "schema": ROW, "get_records": get_records, **attributes})


def make_tap(*streams: type[Stream], settings: Mapping[str, Any] | None = None, **attributes: Any) -> type[Tap]:
    return type(
        "TapX", (Tap,), {"name": "tap-x", "streams": streams, "config_jsonschema": dict(settings or {}), **attributes}
    )


def run(
    *streams: type[Stream],
    config: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    catalog: Mapping[str, Any] | None = None,
    wire: Wire | None = None,
    **options: Any,
) -> Wire:
    """What a tap of these streams writes."""
    wire = wire or Wire()
    make_tap(*streams)(config or {}, state=state, catalog=catalog).run(wire, **options)
    return wire


class Kit:
    """The helpers above, for tests that import nothing."""

    ROW = ROW
    Wire = Wire
    stream = staticmethod(make_stream)
    tap = staticmethod(make_tap)
    run = staticmethod(run)


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit
