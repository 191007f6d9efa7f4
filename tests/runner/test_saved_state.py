"""Which state a run starts from, when the target keeps states too."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.codec import decode
from singer_kit.errors import StateError
from singer_kit.runner.choose import TargetState, choose, target_state
from singer_kit.runner.store import Notes, Saved, digest

OLD, NEW, EDITED = b'{"id": 1}', b'{"id": 2}', b'{"id": 7}'


def notes(saved=None, before=None):
    """Notes of these saves."""
    as_saved = {
        name: Saved(value[0], digest(value[1] or b""))
        for name, value in (("saved", saved), ("before", before))
        if value
    }
    return Notes(run=max((value[0] for value in (saved, before) if value), default=0), **as_saved)


def chosen(known, found, held=None):
    """The state that is chosen."""
    state = choose(known, found, held, "p.json").state
    return decode(state) if state is not None else None


def test_the_later_run_wins():
    """The target's state wins when its run is later or the same, the file's when its run is later."""
    known = notes(saved=(5, OLD), before=(4, None))
    assert chosen(known, OLD) == {"id": 1}
    assert chosen(known, OLD, TargetState(4, {"id": 9})) == {"id": 1}
    assert chosen(known, OLD, TargetState(5, {"id": 9})) == {"id": 9}
    assert chosen(known, OLD, TargetState(6, {"id": 9})) == {"id": 9}
    assert chosen(notes(), None, TargetState(6, {"id": 9})) == {"id": 9}
    assert chosen(notes(), None, TargetState()) is None
    assert chosen(notes(), None) is None


def test_a_target_that_has_lost_rows_is_named():
    """It was put back as it was some runs ago: the file's state still wins, but the run says so."""
    known = notes(saved=(5, OLD))
    assert "only that of run 4" in choose(known, OLD, TargetState(4, {"id": 9}), "p.json").words
    assert "though" not in choose(known, OLD, TargetState(5, {"id": 9}), "p.json").words
    assert "though" not in choose(known, OLD, None, "p.json").words


def test_a_target_that_was_replaced_is_filled_anew():
    """One that keeps states and has none does not have the rows either, whatever the file says."""
    known = notes(saved=(5, OLD))
    assert chosen(known, OLD, TargetState()) is None
    assert "holds no state" in choose(known, OLD, TargetState(), "p.json").words
    assert chosen(known, EDITED, TargetState()) == {"id": 7}


def test_a_target_that_never_keeps_states_leaves_the_choice_to_the_file():
    """It answers `{}`, which is no word about its rows."""
    never = target_state({}, "p")
    assert chosen(notes(saved=(5, OLD)), OLD, never) == {"id": 1}
    assert target_state({"pipeline": "p", "run": 0, "state": None}, "p") == TargetState()
    assert target_state({"pipeline": "p", "run": 3, "state": None}, "p") is None


def test_a_hand_wins():
    """A file that no run wrote wins over the target, and so does a file that was taken away."""
    known = notes(saved=(5, OLD))
    assert chosen(known, EDITED, TargetState(9, {"id": 9})) == {"id": 7}
    assert chosen(known, None, TargetState(9, {"id": 9})) is None
    assert chosen(notes(), EDITED, TargetState(9, {"id": 9})) == {"id": 7}
    assert "removed" in choose(known, None, None, "p.json").words
    assert "by hand" in choose(known, EDITED, None, "p.json").words


def test_a_crash_between_note_and_state_is_no_hand():
    """A file that is still as it was before the last save belongs to the run that wrote it."""
    assert chosen(notes(saved=(5, NEW), before=(4, OLD)), OLD, TargetState(4, {"id": 9})) == {"id": 9}
    assert chosen(notes(saved=(5, NEW), before=(4, OLD)), OLD, TargetState(3, {"id": 9})) == {"id": 1}
    assert chosen(notes(saved=(5, NEW), before=(0, None)), None, TargetState(5, {"id": 9})) == {"id": 9}
    assert chosen(notes(saved=(5, NEW), before=(0, None)), None) is None


@pytest.mark.parametrize("found", [b"[]", b"{", b"\xff", b"1"])
def test_what_is_no_state_is_refused(found):
    """Whatever the target holds, garbage in the file is a state error that names the file."""
    with pytest.raises(StateError, match=r"file: p\.json"):
        choose(notes(), found, TargetState(9, {"id": 9}), "p.json")


@given(st.none() | st.booleans() | st.text() | st.lists(st.integers()) | st.dictionaries(st.text(), st.integers()))
def test_only_the_agreed_answer_is_taken(answer):
    """Anything but `{}` or an object of this pipeline with a run and a state is no answer."""
    assert target_state(answer, "p") == (TargetState(keeps=False) if answer == {} else None)


def test_the_agreed_answers():
    """An object of the pipeline with run and state is taken; of another pipeline it is not."""
    assert target_state({"pipeline": "p", "run": 3, "state": {"a": 1}}, "p") == TargetState(3, {"a": 1})
    assert target_state({"pipeline": "q", "run": 3, "state": {}}, "p") is None
    assert target_state({"pipeline": "p", "run": True, "state": {}}, "p") is None
    assert target_state({"pipeline": "p", "run": 3, "state": []}, "p") is None


@pytest.fixture
def saving(make_pipeline):
    """A pipeline into a target that keeps states, which holds three rows of two states each."""
    return make_pipeline(target="target_saving")


def held(pipeline):
    """What the target holds."""
    return json.loads(pipeline.rows_path.read_text())


def test_a_target_that_was_ahead_is_asked(saving):
    """A target that saved a state and died before telling it is asked, and no row comes twice."""
    saving.tap_config({"rows": 10, "state_every": 5, "trouble": "hang", "trouble_at": 6})
    saving.target_config({"dies_before_printing": True})
    saving.run(code=21)
    assert saving.state is None
    saving.tap_config({"rows": 10})
    saving.target_config({})
    said = saving.run()
    assert "the state that the target holds, of run 1" in said
    assert held(saving)["rows"] == list(range(1, 11))
    assert held(saving)["states"]["p"]["run"] == 2


def test_a_lost_home_goes_on_from_the_target(saving):
    """Without state and notes the target's state is taken, and the run's number is higher than the target's."""
    saving.run()
    saving.run()
    for path in (saving.folder / "home").rglob("*.json"):
        path.unlink()
    saving.tap_config({"rows": 12})
    saving.run()
    assert held(saving)["rows"] == list(range(1, 13))
    assert held(saving)["states"]["p"]["run"] == 3
    assert saving.notes["run"] == 3


def test_a_state_that_goes_elsewhere_is_none_taken_away(saving):
    """With --state-out the pipeline's own file is only read; that it is not there means nothing: the target knows."""
    for _ in range(2):
        said = saving.run("--state-out", str(saving.folder / "out.json"))
    assert "removed" not in said
    assert "the state that the target holds, of run 1" in said
    assert "the state that the target holds, of run 2" in saving.run()


def test_a_state_written_by_hand_wins(saving):
    """Whoever deletes the state file starts anew, after a first run too; whoever edits it is obeyed."""
    saving.run()
    saving.state_path.unlink()
    assert "was removed: starting without a state" in saving.run()
    assert held(saving)["rows"] == [*range(1, 11), *range(1, 11)]
    saving.state_path.write_text('{"bookmarks": {"numbers": {"id": 8}}}')
    assert "written by hand" in saving.run()
    assert held(saving)["rows"][20:] == [9, 10]


def test_a_target_that_cannot_say(saving):
    """A target that knows the flag and fails is not run past: its own state might be the later one."""
    saving.target_config({"broken": True})
    said = saving.run(code=21)
    assert "cannot say which state it has saved" in said
    assert "the database is locked" in said
    assert not saving.report_path.exists()


def test_what_was_found_out_is_remembered(saving):
    """A program is asked for its help once, until one of its files changes."""
    saving.run()
    (found,) = saving.notes["programs"].values()
    assert found["known"] == ["--saved-state"]
    saving.run()
    assert list(saving.notes["programs"].values()) == [found]
