"""A mapper of one's own: the base class and what it needs."""

import io
import json

from singer_kit.batch.transform import StreamMap
from singer_kit.mapper.mapper import Mapper

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}}


class Doubling(StreamMap):
    """Sends every row twice."""

    def __init__(self, stream, schema):
        super().__init__(stream, stream, schema, ())
        self.is_identity = False

    def apply_with(self, rows, companions):
        return [row for row in rows for _ in range(2)], [one for one in companions for _ in range(2)]


class Twice(Mapper):
    name = "mapper-twice"
    config_jsonschema = {"type": "object", "properties": {"only": {"type": "string", "default": "a"}}}  # noqa: RUF012

    def maps(self, stream, schema, key_properties):
        return (
            [Doubling(stream, schema)]
            if stream == self.config["only"]
            else super().maps(stream, schema, key_properties)
        )


def lines():
    for stream in ("a", "b"):
        yield json.dumps({"type": "SCHEMA", "stream": stream, "schema": SCHEMA, "key_properties": []}).encode() + b"\n"
        yield json.dumps({"type": "RECORD", "stream": stream, "record": {"id": 1}}).encode() + b"\n"


def test_an_author_overrides_maps():
    """`maps` decides for each stream; the base class's maps are there for the rest."""
    out = io.BytesIO()
    Twice({"stream_maps": {"b": {"x": "id + 1"}}}).run(lines(), out.write)
    found = [json.loads(text) for text in out.getvalue().splitlines()]
    assert [(m["stream"], m["record"]) for m in found if m["type"] == "RECORD"] == [
        ("a", {"id": 1}),
        ("a", {"id": 1}),
        ("b", {"id": 1, "x": 2}),
    ]


def test_it_runs_as_a_program(capsys):
    """`cli` prints the version, the name from the class."""
    assert Twice.cli(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mapper-twice ")
