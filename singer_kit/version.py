"""The version, a constant: reading it costs no look-up of package metadata."""

__version__ = "0.1.0"
