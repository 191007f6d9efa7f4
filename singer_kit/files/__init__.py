"""Find, open and parse files. Must not know streams, messages or state.

`open_append` is for targets; the rest is for taps.
"""

from singer_kit.files.append import AppendFile, open_append

__all__ = ["AppendFile", "open_append"]
