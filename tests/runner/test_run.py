"""`singer-kit run` with real processes: state, catalogs, configs, what it says."""

import json
import re
import sys

import pytest


def state_of(number):
    """The state after that row."""
    return {"bookmarks": {"numbers": {"id": number}}}


def test_rows_pass_and_the_state_is_kept(pipeline):
    """A good run ends with 0, all rows are there, and the state file is the raw state, as the target printed it."""
    said = pipeline.run()
    assert pipeline.rows == list(range(1, 11))
    assert pipeline.state_path.read_text() == '{"bookmarks": {"numbers": {"id": 10}}}\n'
    assert "run 1 of p: good" in said
    assert re.search(r"numbers +10\n", said)
    assert "state saved once" in said
    assert "tap | INFO hello" in said


def test_the_next_run_goes_on_from_the_state(pipeline):
    """A second run hands the state to the tap, which reads only what is new; the state before is kept beside it."""
    pipeline.run()
    pipeline.tap_config({"rows": 15})
    said = pipeline.run()
    assert pipeline.rows == list(range(1, 16))
    assert pipeline.reports[0]["state"] == {}
    assert pipeline.reports[1]["state"] == state_of(10)
    assert "the settings of tap_numbers have changed since run 1: rows" in said
    assert json.loads(pipeline.state_path.with_name("p.json.previous").read_text()) == state_of(10)
    assert pipeline.notes["last"]["rows_read"] == {"numbers": 5}


def test_a_full_refresh_starts_anew(pipeline):
    """--full-refresh reads from the start, and the new state replaces the old one."""
    pipeline.run()
    pipeline.run("--full-refresh")
    assert pipeline.rows == [*range(1, 11), *range(1, 11)]
    assert "--state" not in pipeline.reports[1]["argv"]
    assert pipeline.state == state_of(10)


@pytest.mark.parametrize("content", ["", " \n", "{}"])
def test_an_empty_state_is_not_passed(pipeline, content):
    """A state file that holds nothing is no state: the tap gets none."""
    pipeline.state_path.parent.mkdir(parents=True)
    pipeline.state_path.write_text(content)
    pipeline.run()
    assert "--state" not in pipeline.reports[0]["argv"]
    assert len(pipeline.rows) == 10


@pytest.mark.parametrize("content", ['{"bookmarks": ', "[]", '"x"', "\x00\x00"])
def test_a_broken_state_stops_the_run(pipeline, content):
    """Garbage in the state file is exit code 6 before anything starts, with file and next step; it stays as it was."""
    pipeline.state_path.parent.mkdir(parents=True)
    pipeline.state_path.write_text(content)
    said = pipeline.run(code=6)
    assert str(pipeline.state_path) in said
    assert "next:" in said
    assert pipeline.rows == []
    assert pipeline.state_path.read_text() == content


def test_a_state_file_of_ones_own(pipeline):
    """--state is read and updated, and need not be there at first; the kept state is left alone."""
    mine = pipeline.folder / "mine.json"
    pipeline.run("--state", str(mine))
    assert json.loads(mine.read_text()) == state_of(10)
    mine.write_text(json.dumps(state_of(7)))
    pipeline.run("--state", str(mine))
    assert pipeline.rows == [*range(1, 11), 8, 9, 10]
    assert not pipeline.state_path.exists()


def test_a_state_file_that_is_only_read(pipeline):
    """With --state-out the state that was read stays as it is."""
    mine, out = pipeline.folder / "mine.json", pipeline.folder / "out.json"
    mine.write_text(json.dumps(state_of(7)))
    for _ in range(2):
        pipeline.run("--state", str(mine), "--state-out", str(out))
    assert pipeline.rows == [8, 9, 10, 8, 9, 10]
    assert json.loads(mine.read_text()) == state_of(7)
    assert json.loads(out.read_text()) == state_of(10)


def test_what_is_selected_is_read(pipeline):
    """--select asks the tap what there is and hands it a private catalog with the choice; keys stay."""
    said = pipeline.run("--select", "numbers.note", "--select", "!*.extra", "--select", "nosuch.*")
    report = pipeline.reports[-1]
    numbers, letters = report["catalog"]["streams"]
    assert (numbers["selected"], letters["selected"]) == (True, False)
    fields = {tuple(item["breadcrumb"]): item["metadata"]["selected"] for item in numbers["metadata"]}
    assert fields == {
        (): True,
        ("properties", "id"): False,
        ("properties", "note"): True,
        ("properties", "extra"): False,
    }
    assert report["mode"] == "0o600"
    assert "--select nosuch.* matches nothing" in said


def test_a_catalog_is_passed_on_and_chosen_from(pipeline):
    """--catalog goes to the tap as it is; with --select the choice is made from it."""
    catalog = pipeline.folder / "catalog.json"
    stream = {"tap_stream_id": "numbers", "schema": {"properties": {"id": {"const": 1}}}}
    catalog.write_text(json.dumps({"streams": [stream], "mine": 1}))
    pipeline.run("--catalog", "catalog.json")
    assert pipeline.reports[-1]["argv"][-2:] == ["--catalog", "catalog.json"]
    pipeline.run("--catalog", "catalog.json", "--select", "*")
    chosen = pipeline.reports[-1]["catalog"]
    assert chosen["mine"] == 1
    assert chosen["streams"][0]["schema"]["properties"]["id"]["const"] == 1
    assert chosen["streams"][0]["selected"] is True
    assert "There is no such catalog" in pipeline.run("--catalog", "other.json", code=2)


def test_nothing_selected_is_nothing_to_do(pipeline):
    """When the patterns choose no stream the run ends with 99 and starts neither tap nor target."""
    said = pipeline.run("--select", "nosuch", code=99)
    assert "nothing to do" in said
    assert not pipeline.rows_path.exists()


def test_a_tap_that_cannot_discover(pipeline):
    """A catalog that is no JSON, or a failed discovery, is the tap's failure, in its words."""
    pipeline.tap_config({"noisy": True})
    assert "no JSON; it begins: 'hello, here" in pipeline.run("--select", "*", code=20)
    pipeline.tap_config({"discover_code": 3, "greeting": "CRITICAL who are you"})
    assert "CRITICAL who are you" in pipeline.run("--select", "*", code=20)


def test_an_old_tap_gets_properties(make_pipeline):
    """A tap whose help knows --properties alone gets the catalog under that name, with marks where it looks."""
    pipeline = make_pipeline(tap="tap_old")
    pipeline.run("--select", "b")
    assert pipeline.rows == [1]


def test_settings_that_changed_are_named(pipeline):
    """A changed setting is named at the next run, a token that the tap itself rotated is not; no value is shown."""
    pipeline.tap_config({"rows": 1, "rotate": True, "token": "secret-1"})
    pipeline.run()
    assert "have changed" not in pipeline.run()
    config = json.loads((pipeline.folder / "tap.json").read_text())
    pipeline.tap_config(config | {"rows": 2, "color": "crimson"})
    said = pipeline.run()
    assert "have changed since run 2: color, rows" in said
    assert "crimson" not in said
    assert "have changed" not in pipeline.run()


def test_secrets_do_not_reach_the_log(pipeline):
    """What a connector of others logs passes without the values of settings that are secret by name."""
    pipeline.tap_config({"api_token": "s3cr3t-sentinel", "greeting": "CRITICAL denied for s3cr3t-sentinel"})
    said = pipeline.run()
    assert "s3cr3t-sentinel" not in said
    assert "CRITICAL denied for ***" in said
    assert "s3cr3t-sentinel" not in (pipeline.folder / "home" / "runs" / "p.json").read_text()


def test_any_bytes_may_be_logged(pipeline):
    """A log that is not UTF-8 is shown all the same."""
    pipeline.tap_config({"greeting": "INFO caf\u00e9"})
    assert r"tap | INFO caf\xe9" in pipeline.run()


def test_a_target_that_talks(pipeline):
    """What a target prints beside states is shown and not taken for one; null and {} do not wipe a state."""
    pipeline.target_config({"greeting": "welcome\n", "farewell": "null\n{}\n", "wraps_states": True})
    said = pipeline.run()
    assert "no state) welcome" in said
    assert pipeline.state == state_of(10)


def test_logs_as_objects(pipeline):
    """With SINGER_KIT_LOG=json every line on the standard error is an object with its source."""
    said = pipeline.run(environ={"SINGER_KIT_LOG": "json"})
    objects = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert ("tap", "INFO", "INFO hello") in [(each["source"], each["level"], each["message"]) for each in objects]
    assert {each["source"] for each in objects} == {"run", "tap"}


def test_commands_in_words(pipeline):
    """A whole command line in quotes is split as a shell would; a wrong word is told with the right one."""
    pipeline.tap = f"'{sys.executable}' -u {pipeline.tap.split()[1]}"
    pipeline.run()
    pipeline.tap = "tap-cvs"
    assert "did you mean 'tap-csv'?" in pipeline.run(code=2)
    pipeline.tap = "./nothing here"
    assert "There is no tap './nothing'" in pipeline.run(code=2)
    pipeline.tap = "'"
    assert "is no command" in pipeline.run(code=2)


def test_configs_that_are_not_there(pipeline):
    """A config that cannot be read is a settings error before anything starts."""
    (pipeline.folder / "target.json").unlink()
    said = pipeline.run(code=2)
    assert "file: target.json" in said
    assert not pipeline.report_path.exists()


def test_the_default_id_tells_pipelines_apart(pipeline):
    """Without --id the state belongs to tap, target and the paths of their configs."""
    command = [word for word in pipeline.command() if word not in ("--id", "p")]
    pipeline.command = lambda *more: [*command, *more]
    pipeline.run()
    assert "first read" not in pipeline.run()
    (pipeline.folder / "other.json").write_text((pipeline.folder / "tap.json").read_text())
    command[command.index("tap.json")] = "other.json"
    assert "first read" in pipeline.run()
    names = sorted(path.name for path in (pipeline.folder / "home" / "state").glob("*.json"))
    assert len(names) == 2
    assert all(name.startswith("tap_numbers-to-target_lines-") for name in names)


def test_one_name_is_not_enough(pipeline):
    """A tap without a target is a usage error that says what to name."""
    command = pipeline.command()
    pipeline.command = lambda *more: [*command[:3], *more]
    assert "A run needs a tap and a target" in pipeline.run(code=2)
