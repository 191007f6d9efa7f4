"""State is never ahead of data."""

from hypothesis import given
from hypothesis import strategies as st

from singer_kit.spec.ledger import NOTHING, Ledger

streams = st.sampled_from(["a", "b", "c", "d"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("wrote"), streams),
        st.tuples(st.just("saw"), st.none()),
        st.tuples(st.just("committed"), streams),
        st.tuples(st.just("release"), st.none()),
    ),
    max_size=60,
)


class Oracle:
    """The definition, kept row by row."""

    def __init__(self):
        self.rows = []  # [stream, is it durable]
        self.states = []  # how many rows preceded it
        self.released = -1

    def newest_safe(self):
        """The number of the newest state all of whose rows are durable."""
        safe = [n for n, rows in enumerate(self.states) if all(durable for _, durable in self.rows[:rows])]
        return max(safe, default=-1)


@given(steps)
def test_states_leave_exactly_when_their_rows_are_durable(todo):
    """For any interleaving: never early, always the newest safe one, never twice, and the last one always
    comes.
    """
    ledger, oracle = Ledger(), Oracle()

    def check_release():
        wanted = oracle.newest_safe()
        got = ledger.release()
        if wanted > oracle.released:
            assert got == {"state": wanted}
            oracle.released = wanted
        else:
            assert got is NOTHING

    for step, stream in todo:
        match step:
            case "wrote":
                oracle.rows.append([stream, False])
                ledger.wrote(stream)
            case "saw":
                oracle.states.append(len(oracle.rows))
                ledger.saw({"state": len(oracle.states) - 1})
            case "committed":
                for row in oracle.rows:
                    row[1] = row[1] or row[0] == stream
                ledger.committed(stream)
            case _:
                check_release()
        dirty = {stream for stream, durable in oracle.rows if not durable}
        assert set(ledger.uncommitted) == dirty
        assert len(ledger._waiting) <= len(dirty) + 1
    for stream in "abcd":
        for row in oracle.rows:
            row[1] = True
        ledger.committed(stream)
    check_release()
    assert oracle.released == len(oracle.states) - 1
    assert not ledger.is_waiting


def test_a_slow_stream_does_not_make_the_ledger_grow():
    """A thousand commits of one stream while another waits leave at most three states in memory."""
    ledger = Ledger()
    ledger.wrote("slow")
    for number in range(1000):
        ledger.wrote("quick")
        ledger.saw(number)
        ledger.committed("quick")
        assert ledger.release() is NOTHING
    assert len(ledger._waiting) <= 3
    ledger.committed("slow")
    assert ledger.release() == 999


def test_a_null_state_is_a_state():
    """A released null is told from no release."""
    ledger = Ledger()
    ledger.saw(None)
    assert ledger.release() is None
    assert ledger.release() is NOTHING
