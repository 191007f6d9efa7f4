"""JSON Schema as data, compiled once to closures. Must not know messages, batches or I/O on the record path."""
