"""Rows of one stream and one schema, held as raw lines, dicts or Arrow; each view is made at most once.

This room must not read input, write output or look at a clock.
"""
