"""What connectors say on their standard error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.runner.told import Lines, Told


@given(st.lists(st.binary(max_size=6)), st.lists(st.integers(1, 9)))
def test_lines_do_not_depend_on_the_pieces(parts, cuts):
    """However the bytes come, the lines are those of the whole."""
    data = b"\n".join(parts)
    lines, got, at = Lines(), [], 0
    for cut in cuts:
        got += lines.feed(data[at : at + cut])
        at += cut
    got += lines.feed(data[at:])
    got += lines.rest()
    assert got == (data.removesuffix(b"\n").split(b"\n") if data else [])
    assert lines.rest() == []


def test_a_line_without_end_does_not_fill_the_memory():
    """A line longer than the limit is given in pieces."""
    lines = Lines(longest=10)
    assert lines.feed(b"x" * 8) == []
    assert lines.feed(b"x" * 8) == [b"x" * 16]
    assert lines.feed(b"y\nz") == [b"y"]
    assert lines.rest() == [b"z"]


def told(*lines):
    """Someone who heard these lines."""
    heard = Told()
    for line in lines:
        heard.hear(line)
    return heard


def test_rows_are_counted_from_metrics():
    """Counters of all kinds of connectors are summed per stream; other metrics and broken ones count nothing."""
    heard = told(
        'INFO METRIC: {"type": "counter", "metric": "record_count", "value": 3, "tags": {"endpoint": "a"}}',
        '2026-01-01 00:00:00,000 | INFO | singer_sdk.metrics | METRIC: {"type": "counter", "metric": "record_count", '
        '"value": 4, "tags": {"stream": "a", "pid": 1}}',
        '{"level": "INFO", "metric": {"metric": "record_count", "value": 5, "tags": {"stream": "b"}}}',
        'INFO METRIC: {"type": "timer", "metric": "job_duration", "value": 9.5, "tags": {}}',
        'INFO METRIC: {"type": "counter", "metric": "record_count", "value": "many", "tags": {"endpoint": "a"}}',
        'INFO METRIC: {"type": "counter", "metric": "record_cou',
        'INFO METRIC: {"type": "counter", "metric": "record_count", "value": 1, "tags": null}',
    )
    assert heard.rows == {"a": 7, "b": 5}


@pytest.mark.parametrize(
    ("line", "is_metric"),
    [
        ('INFO METRIC: {"type": "timer", "metric": "x", "value": 1, "tags": {}}', True),
        ("INFO METRIC: nothing", False),
        ('{"metric": {"metric": "x", "value": 1}}', True),
        ('{"message": "x"}', False),
        ("[1]", False),
        ("", False),
    ],
)
def test_metrics_are_told_from_words(line, is_metric):
    """A metric is a METRIC line with a point in it, or an object that holds one."""
    assert Told().hear(line) == is_metric


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ((), ""),
        (("INFO a",), "INFO a"),
        (("ERROR a", "INFO b", "CRITICAL c", "CRITICAL   d"), "CRITICAL c\nCRITICAL   d"),
        (("CRITICAL c", "INFO bye"), "CRITICAL c"),
        (("2026-01-01 | ERROR    | tap-x | broken", "bye"), "2026-01-01 | ERROR    | tap-x | broken"),
        (('{"level": "error", "message": "broken"}', '{"level": "info", "message": "bye"}'), "broken"),
        (("Traceback (most recent call last):", '  File "x"', "KeyError: 'a'", "bye"), "KeyError: 'a'"),
        (("my.own.ConfigError: no", ""), "my.own.ConfigError: no"),
        (("INFO no ERRORS here",), "INFO no ERRORS here"),
    ],
)
def test_the_reason_is_found(lines, error):
    """The last lines at ERROR or above that came together, else the last exception, else the last line."""
    assert told(*lines).error == error


def test_a_flood_of_errors_is_cut():
    """Of a thousand error lines together the first dozen are kept."""
    assert len(told(*["ERROR x"] * 1000).error.splitlines()) == 12
