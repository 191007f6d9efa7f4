"""Whether a file may still change unnoticed, told by the file system's clock. Must not open files.

A file system stamps a change with a coarse clock: two changes within one tick carry one stamp. A reader who remembers
the stamp of what it read would miss the second. So a file is read only once its stamp is older than a tick, and
looked at again afterwards.
"""

import time
from typing import Final

from singer_kit.files.find import FoundFile, look_at

_TICK_NS: Final = 20_000_000
"""Longer than the tick of Linux, macOS and Windows file systems that keep parts of a second: 4 to 16 ms."""
_COARSE_TICK_NS: Final = 2_000_000_000
"""The tick of FAT; a stamp without parts of a second may come from such a file system."""


def wait_until_settled(file: FoundFile) -> FoundFile:
    """The file as it is once a further change would change its stamp; waits at most about two seconds.

    A stamp in the future cannot settle and is taken as it is.
    """
    while True:
        tick = _TICK_NS if file.modified_ns % 1_000_000_000 else _COARSE_TICK_NS
        age = time.time_ns() - file.modified_ns
        if age > tick or age < 0:
            return file
        time.sleep((tick - age) / 1e9)
        again = look_at(file.path)
        if again is None or again == file:
            return file
        file = again


def has_changed(file: FoundFile) -> bool:
    """Whether the file is no longer as it was found: another size, another stamp, or gone."""
    return look_at(file.path) != file
