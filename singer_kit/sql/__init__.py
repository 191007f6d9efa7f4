"""SQL text as pure functions of a dialect value; drivers at the edge. Must not connect to anything."""
