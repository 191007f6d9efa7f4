"""State: the merge and the index."""

import copy
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.codec import decode, encode
from singer_kit.errors import StateError
from singer_kit.spec.instants import order_key
from singer_kit.spec.partition import Partition
from singer_kit.spec.state import Bookmark, Bookmarks, merge

names = st.sampled_from(["a", "b", "c"])
values = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.decimals(-3, 3, places=1),
    st.sampled_from(["2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01T02:00:00+02:00", "2024-01-02T00:00:00Z", "x"]),
)
anything = st.recursive(values, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2))


def members(**given_):
    """Objects with any subset of these members."""
    return st.fixed_dictionaries({}, optional=given_)


entries = st.one_of(
    anything,
    members(
        context=st.one_of(values, st.dictionaries(names, st.integers(0, 1), max_size=2)),
        replication_key=names,
        replication_key_value=values,
        offset=anything,
        partitions=anything,
    ),
)
nodes = st.one_of(
    anything,
    members(
        replication_key=names,
        replication_key_value=values,
        partitions=st.one_of(values, st.lists(entries, max_size=3)),
        updated_at=values,
        offset=anything,
    ),
)
states = members(
    bookmarks=st.one_of(values, st.dictionaries(names, nodes, max_size=3)),
    currently_syncing=st.none() | names,
    project_1=anything,
)
own_states = members(
    bookmarks=st.dictionaries(
        names,
        members(
            replication_key=names,
            replication_key_value=values,
            partitions=st.lists(
                members(replication_key=names, replication_key_value=values).map(
                    lambda entry: {"context": {"n": entry.pop("replication_key_value", 1)}, **entry}
                ),
                max_size=3,
                unique_by=lambda entry: encode(entry["context"]),
            ),
        ),
        max_size=3,
    ),
    currently_syncing=names,
)


@given(states, states)
def test_merge_is_commutative(a, b):
    """Which state came first does not matter, and neither is changed."""
    before = copy.deepcopy((a, b))
    assert merge(a, b) == merge(b, a)
    assert (a, b) == before


@given(states, states, states)
def test_merge_is_associative(a, b, c):
    """How states are grouped does not matter."""
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(states, states)
def test_merge_is_idempotent(a, b):
    """Merging a state in twice changes nothing, and a merged state merged with itself is itself."""
    once = merge(a, b)
    assert merge(once, b) == once
    assert merge(once, a) == once
    assert merge(once, once) == once


@given(states, states)
def test_merge_survives_a_state_file(a, b):
    """The result does not depend on whether the states went through JSON."""
    assert merge(decode(encode(a)), decode(encode(b))) == merge(a, b)


def test_the_later_bookmark_wins_whole():
    """Per stream and partition the later value wins with its key, by instant and number and never by text."""
    a = {
        "bookmarks": {
            "n": {"replication_key": "id", "replication_key_value": 9},
            "t": {"replication_key": "at", "replication_key_value": "2024-01-01T23:00:00-05:00"},
            "p": {"partitions": [{"context": {"r": "x"}, "replication_key": "id", "replication_key_value": 1}]},
            "only_a": {"replication_key": "id", "replication_key_value": 1},
            "sp": {"updated_at": "2024-01-01T00:00:00Z", "offset": {"page": 3}},
        },
        "tap_gitlab_project_1": "2024-01-01T00:00:00Z",
    }
    b = {
        "bookmarks": {
            "n": {"replication_key": "id", "replication_key_value": 10},
            "t": {"replication_key": "at", "replication_key_value": "2024-01-02T03:00:00Z"},
            "p": {
                "partitions": [
                    {"context": {"r": "y"}, "replication_key": "id", "replication_key_value": 7},
                    {"context": {"r": "x"}, "replication_key": "id", "replication_key_value": 2},
                ]
            },
            "sp": {"updated_at": "2024-01-03T00:00:00Z"},
        },
        "tap_gitlab_project_1": "2023-01-01T00:00:00Z",
    }
    assert merge(a, b) == {
        "bookmarks": {
            "n": {"replication_key": "id", "replication_key_value": 10},
            "t": {"replication_key": "at", "replication_key_value": "2024-01-01T23:00:00-05:00"},
            "p": {
                "partitions": [
                    {"context": {"r": "x"}, "replication_key": "id", "replication_key_value": 2},
                    {"context": {"r": "y"}, "replication_key": "id", "replication_key_value": 7},
                ]
            },
            "only_a": {"replication_key": "id", "replication_key_value": 1},
            "sp": {"updated_at": "2024-01-03T00:00:00Z", "offset": {"page": 3}},
        },
        "tap_gitlab_project_1": "2024-01-01T00:00:00Z",
    }


@given(states.filter(lambda state: isinstance(state.get("bookmarks", {}), (dict, type(None)))))
def test_nothing_of_the_input_state_is_lost(state):
    """An index that nobody wrote to gives the state back, but for empty lists and repeated partitions."""
    before = copy.deepcopy(state)
    index = Bookmarks(state)
    assert not index.changed
    again = index.to_state()
    assert state == before
    assert merge(again, {}) == merge(without_empty_partitions(state), {})


def without_empty_partitions(state):
    """`state` without what says nothing."""
    nodes_ = state.get("bookmarks")
    if nodes_ is None:
        return {name: value for name, value in state.items() if name != "bookmarks"}
    kept = {}
    for stream, node in nodes_.items():
        kept[stream] = node
        if isinstance(node, dict) and node.get("partitions") == []:
            kept[stream] = {name: value for name, value in node.items() if name != "partitions"}
    return {**state, "bookmarks": kept}


@given(own_states, names, st.none() | st.dictionaries(names, st.integers(0, 2), max_size=2), names, values)
def test_what_is_put_is_found(state, stream, partition, key, value):
    """A bookmark is found by its partition, before and after a state file, and the others stay as they
    were.
    """
    index = Bookmarks(state)
    had = Bookmarks(copy.deepcopy(state))
    changed = index.put(stream, partition, key, value)
    assert index.changed == changed
    again = Bookmarks(decode(encode(index.to_state())))
    for found in (index.get(stream, Partition(partition)), again.get(stream, partition)):
        assert found is not None
        assert (found.key, order_key(found.value)) == (key, order_key(value))
    assert index.put(stream, partition, key, value) is False
    for other in "abc":
        if other != stream:
            assert index.get(other, None) == had.get(other, None)


@given(own_states, st.lists(st.tuples(names, st.integers(0, 5), values), max_size=8))
def test_the_size_is_known_without_encoding(state, puts):
    """`size_hint` stays close to the encoded size."""
    index = Bookmarks(state)
    for stream, part, value in puts:
        index.put(stream, {"n": part}, "id", value)
    assert abs(index.size_hint - len(encode(index.to_state()))) <= 40 * (len(puts) + 1)


def test_members_of_a_run_in_flight_are_dropped():
    """What another tool's interrupted run left behind is not taken for a bookmark, nor written on."""
    index = Bookmarks(
        {
            "bookmarks": {
                "s": {
                    "starting_replication_value": None,
                    "replication_key_signpost": "2024-01-05",
                    "progress_markers": {"replication_key": "at", "replication_key_value": "2024-01-04"},
                    "partitions": [{"context": {"n": 1}, "progress_markers": {"replication_key_value": 5}}],
                }
            }
        }
    )
    assert index.get("s", None) is None
    assert index.get("s", {"n": 1}) is None
    assert index.to_state() == {"bookmarks": {"s": {"partitions": [{"context": {"n": 1}}]}}}


def test_members_of_others_are_kept_and_shown():
    """Another tool's bookmark by its own name is shown in `extra` and survives a `put`."""
    index = Bookmarks({"bookmarks": {"s": {"updated_at": "2024-01-01"}}, "mine": 1})
    assert index.get("s", None) == Bookmark(None, None, {"updated_at": "2024-01-01"})
    index.put("s", None, "at", datetime(2024, 1, 2, tzinfo=UTC))
    index.put("t", {"day": date(2024, 1, 2)}, None, Decimal("1.50"))
    assert decode(encode(index.to_state())) == {
        "bookmarks": {
            "s": {
                "updated_at": "2024-01-01",
                "replication_key": "at",
                "replication_key_value": "2024-01-02T00:00:00Z",
            },
            "t": {"partitions": [{"context": {"day": "2024-01-02"}, "replication_key_value": Decimal("1.50")}]},
        },
        "mine": 1,
    }


def test_a_released_state_is_not_changed_by_later_puts():
    """`to_state` gives a value of its own."""
    index = Bookmarks(None)
    assert index.to_state() == {}
    index.put("s", {"n": 1}, "id", 1)
    first = index.to_state()
    kept = copy.deepcopy(first)
    index.put("s", {"n": 1}, "id", 2)
    index.put("s", None, "id", 2)
    index.start("s")
    assert first == kept


def test_which_stream_is_being_read():
    """`currently_syncing` is set and taken away, and that counts as a change."""
    index = Bookmarks({"bookmarks": {}, "currently_syncing": "a"})
    index.start("a")
    assert not index.changed
    index.start(None)
    assert index.changed
    assert index.to_state() == {"bookmarks": {}}
    index.start("b")
    assert index.to_state()["currently_syncing"] == "b"


@pytest.mark.parametrize("state", [[], "x", 1, {"bookmarks": []}, {"bookmarks": "x"}])
def test_what_is_no_state_is_refused(state):
    """A list, a string, a number, or bookmarks that are no object are a state error with a next step."""
    with pytest.raises(StateError) as caught:
        Bookmarks(state)
    assert caught.value.next_step
