"""A tap as third parties write them: a bookmark in singer-python's shape, and settings that ask for trouble."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "note": {"type": "string"}, "extra": {"type": "string"}},
}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def trouble(config, number):
    """What the settings ask to go wrong at this row."""
    if number != config.get("trouble_at"):
        return
    match config["trouble"]:
        case "exit":
            sys.stderr.write("ERROR something small\nINFO in between\nCRITICAL the source is gone\n")
            sys.exit(3)
        case "raise":
            raise RuntimeError("the source is gone")
        case "kill":
            sys.stdout.write('{"type": "RECORD", "stream": "numb')
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(3600)
        case "hang_hard":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(3600)


parser = argparse.ArgumentParser()
parser.add_argument("--config", "-c", action="append", default=[])
parser.add_argument("--state", "-s")
parser.add_argument("--catalog")
parser.add_argument("--discover", action="store_true")
options = parser.parse_args()
config = {}
for path in options.config:
    config |= json.loads(Path(path).read_text())
sys.stderr.buffer.write(config.get("greeting", "INFO hello").encode("latin-1") + b"\n")
if options.discover:
    streams = [
        {"tap_stream_id": name, "stream": name, "schema": SCHEMA, "metadata": []} for name in ("numbers", "letters")
    ]
    print(json.dumps({"streams": streams}) if not config.get("noisy") else "hello, here is the catalog")
    sys.exit(config.get("discover_code", 0))

state = json.loads(Path(options.state).read_text()) if options.state else {}
if config.get("report"):
    catalog = Path(options.catalog) if options.catalog else None
    report = {"argv": sys.argv[1:], "state": state, "catalog": json.loads(catalog.read_text()) if catalog else None}
    with Path(config["report"]).open("a") as file:
        file.write(json.dumps(report | {"mode": oct(catalog.stat().st_mode & 0o777) if catalog else None}) + "\n")
if config.get("rotate"):
    Path(options.config[-1]).write_text(json.dumps(config | {"token": os.urandom(8).hex()}))

say({"type": "SCHEMA", "stream": "numbers", "schema": SCHEMA, "key_properties": ["id"]})
start = state.get("bookmarks", {}).get("numbers", {}).get("id", 0)
number = start
while number < config.get("rows", 10):
    number += 1
    trouble(config, number)
    note = "x" * config.get("note_bytes", 1)
    say({"type": "RECORD", "stream": "numbers", "record": {"id": number, "note": note}})
    if number % config.get("state_every", 1_000_000) == 0:
        say({"type": "STATE", "value": {"bookmarks": {"numbers": {"id": number}}}})
    if config.get("pause"):
        time.sleep(config["pause"])
say({"type": "STATE", "value": {"bookmarks": {"numbers": {"id": number}}}})
point = {"type": "counter", "metric": "record_count", "value": number - start, "tags": {"endpoint": "numbers"}}
sys.stderr.write(f"INFO METRIC: {json.dumps(point)}\n")
if config.get("leaves_behind"):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
