"""Whole lines come out of pieces of any size."""

from hypothesis import given
from hypothesis import strategies as st

from singer_kit.wire.lines import Lines, line_count


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=20))
def test_nothing_is_lost_or_changed(data: bytes, cuts: list[int]) -> None:
    """Chunks are whole lines, the rest is what no newline ends, and together they are the input."""
    lines = Lines()
    chunks, start = [], 0
    for cut in [*cuts, len(data)]:
        chunks += list(lines.feed(data[start : start + cut]))
        start += cut
    assert all(chunk.endswith(b"\n") for chunk in chunks)
    rest = lines.rest()
    assert b"\n" not in rest
    assert b"".join(chunks) + rest == data
    assert lines.rest() == b""
    assert sum(map(line_count, chunks)) == data.count(b"\n")


def test_large_pieces_are_cut_to_size() -> None:
    """So that a file read at once costs no more memory than a pipe; a long line stays whole."""
    data = b"".join(b"x" * (size % 1000) + b"\n" for size in range(3000)) + b"y" * 500_000 + b"\nz\n"
    chunks = list(Lines().feed(data))
    assert b"".join(chunks) == data
    assert sorted(map(len, chunks))[-2] <= 65536
    assert max(map(len, chunks)) == 500_001
