"""argv, environment, signals, exit codes, `--about`: runs anything that has the `Connector` protocol.

It knows neither tap nor target. `singer_kit.cli.run.run` is the entry.
"""
