"""How this process keeps the memory that pages and chunks take and give back. This module must not import the house."""

from typing import Final

__all__ = ["keep_freed_memory"]

_LARGEST_BUFFER: Final = 16 << 20
"""Above the default batch of 8 MiB: with 4 MiB the limits moved once more in the middle of a run, and a target of five
interleaved streams grew from 62 to 70 MiB there."""


def keep_freed_memory() -> None:
    """From here on glibc keeps what pages of lines took and gave back, instead of asking the kernel for it again.

    Freeing one large block raises its limits to that size. Without it a tap's page of 200 records cost 55 page faults,
    which was a quarter of the whole run; a target loses a twentieth. Elsewhere nothing happens.
    """
    bytes(_LARGEST_BUFFER)
