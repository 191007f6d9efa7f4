"""Settings declared once give parsing, environment, JSON Schema, `--about` and docs.

It must not know what a connector does with them, and prints nothing.
"""

from singer_kit.settings.config import Config
from singer_kit.settings.declared import Setting, Settings

__all__ = ["Config", "Setting", "Settings"]
