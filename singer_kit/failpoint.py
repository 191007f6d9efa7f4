"""Named points at which a kill test ends this process; without the variable, a name costs one comparison.

`SINGER_KIT_FAILPOINT=before_commit:3` kills the process with SIGKILL the third time it passes `before_commit`.
This module must not import the house.
"""

import os
import signal

_name, _, _count = os.environ.get("SINGER_KIT_FAILPOINT", "").partition(":")
_left = int(_count) if _count.isdigit() else 1


def failpoint(name: str) -> None:
    """Returns at once, unless the environment names this point: then the process is gone, as by power loss."""
    global _left  # noqa: PLW0603 - a countdown of this process is process-wide by nature
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
