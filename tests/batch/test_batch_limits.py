"""A batch is full by rows or by bytes, whichever comes first."""

import pytest

from singer_kit.batch.limits import BatchLimits


@pytest.mark.parametrize(
    ("rows", "nbytes", "is_full"), [(0, 0, False), (9, 99, False), (10, 0, True), (0, 100, True), (11, 101, True)]
)
def test_either_limit_fills_it(rows: int, nbytes: int, is_full: bool) -> None:
    """Neither waits for the other."""
    assert BatchLimits(rows=10, nbytes=100, seconds=1).are_reached(rows=rows, nbytes=nbytes) is is_full


def test_defaults_bound_memory() -> None:
    """A batch of the default size is a few megabytes, and never older than a minute."""
    assert BatchLimits().nbytes <= 16 * 1024 * 1024
    assert BatchLimits().seconds <= 60
