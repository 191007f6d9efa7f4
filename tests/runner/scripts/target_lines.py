"""A target as third parties write them: rows to one file, each STATE printed once the rows before it are there."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--config", "-c", required=True)
config = json.loads(Path(parser.parse_args().config).read_text())

print(config.get("greeting", ""), end="", flush=True)
rows = Path(config["path"]).open("a")  # noqa: SIM115 - until the end
count = 0
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "RECORD":
        rows.write(json.dumps(message["record"]) + "\n")
        count += 1
        if count == config.get("quits_after"):
            if config.get("code"):
                sys.stderr.write("CRITICAL the disk is full\n")
            sys.exit(config.get("code", 0))
    elif message["type"] == "STATE":
        rows.flush()
        os.fsync(rows.fileno())
        wrap = config.get("wraps_states")
        print(json.dumps(message if wrap else message["value"]), flush=True)
rows.flush()
if config.get("leaves_behind"):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
sys.stdout.write(config.get("farewell", ""))
sys.exit(config.get("last_code", 0))
