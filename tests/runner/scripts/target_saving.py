"""A target that keeps each pipeline's state beside the rows, in one file that is replaced whole."""

import argparse
import json
import os
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--config", required=True)
parser.add_argument("--saved-state", action="store_true")
options = parser.parse_args()
config = json.loads(Path(options.config).read_text())
path = Path(config["path"])
pipeline, run = os.environ["SINGER_KIT_PIPELINE"], int(os.environ["SINGER_KIT_RUN"])
store = json.loads(path.read_text()) if path.exists() else {"rows": [], "states": {}}

if options.saved_state:
    if config.get("broken"):
        sys.stderr.write("CRITICAL the database is locked\n")
        sys.exit(4)
    held = store["states"].get(pipeline)
    print(json.dumps({"pipeline": pipeline, **held} if held else {}))
    sys.exit()
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "RECORD":
        store["rows"].append(message["record"]["id"])
    elif message["type"] == "STATE":
        store["states"][pipeline] = {"run": run, "state": message["value"]}
        new = path.with_suffix(".new")
        new.write_text(json.dumps(store))
        new.replace(path)
        if config.get("dies_before_printing"):
            sys.exit(9)
        print(json.dumps(message["value"]), flush=True)
