"""The cost of STATE: bounded in bytes, and never silent for a minute while rows flow."""

from hypothesis import given
from hypothesis import strategies as st

from singer_kit.tap.pace import Pace

steps = st.lists(
    st.tuples(st.integers(0, 5_000), st.integers(0, 300), st.booleans(), st.floats(0, 0.01)), min_size=1, max_size=300
)


@given(steps)
def test_states_stay_below_the_bound(pages: list[tuple[int, int, bool, float]]) -> None:
    """All of them, the last included: at most a tenth of the record bytes or four times the final state."""
    now = 0.0
    pace = Pace(now)
    records = states = 0
    size = 40
    for nbytes, growth, moved, seconds in pages:
        records, size, now = records + nbytes, size + growth, now + seconds
        if moved and pace.is_due(now, state_bytes=states, record_bytes=records, next_bytes=size):
            states += size
            pace.wrote(now)
    states += size
    assert states <= max(records // 10, 4 * size)


def test_one_is_due_every_minute() -> None:
    """However little was read since."""
    pace = Pace(0.0)
    pace.wrote(100.0)
    assert not pace.is_due(120.0, state_bytes=2000, record_bytes=10, next_bytes=1000)
    assert pace.is_due(151.0, state_bytes=2000, record_bytes=10, next_bytes=1000)
