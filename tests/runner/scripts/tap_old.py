"""A tap from before catalogs: it knows --properties alone, and reads `selected` inside the schema."""

import argparse
import json
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--config")
parser.add_argument("--state")
parser.add_argument("--properties")
parser.add_argument("--discover", action="store_true")
options = parser.parse_args()
schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
if options.discover:
    print(json.dumps({"streams": [{"stream": name, "tap_stream_id": name, "schema": schema} for name in "ab"]}))
else:
    for stream in json.loads(Path(options.properties).read_text())["streams"]:
        if stream["schema"].get("selected"):
            name = stream["stream"]
            print(json.dumps({"type": "SCHEMA", "stream": name, "schema": schema, "key_properties": []}))
            print(json.dumps({"type": "RECORD", "stream": name, "record": {"id": 1}}))
