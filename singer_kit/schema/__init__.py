"""JSON Schema as data, compiled once to closures.

Judges, shapes and compares records; it must not know messages, files or connectors.
"""
