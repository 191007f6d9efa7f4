"""Logs and metrics: the shape of the lines, what is due when, and no secret in any of them."""

import io
import json
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from singer_kit.telemetry import Counter, Redactor, Timer, current_stream, level_from, logging_to, metric, redacting


def hiding(*secrets: str) -> Redactor:
    redact = Redactor()
    redact.watch(lambda: secrets)
    return redact


@contextmanager
def logs(level: int = logging.INFO, redact: Redactor | None = None, **options: Any) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with logging_to(stream, level=level, redact=redact or Redactor(), **options):
        yield stream


def test_a_line_says_level_logger_and_message() -> None:
    """`LEVEL logger: message`, on each line of a message that has several."""
    with logs() as stream:
        logging.getLogger("tap-x").warning("one\ntwo")
        logging.getLogger("tap-x").debug("below the level")
    assert stream.getvalue() == "WARNING tap-x: one\nWARNING tap-x: two\n"


def test_a_traceback_follows_its_message() -> None:
    """With the same prefix, so that no line of a log stands alone."""
    with logs() as stream:
        try:
            raise ValueError("bad")
        except ValueError:
            logging.getLogger("tap-x").exception("failed")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "ERROR tap-x: failed"
    assert lines[-1] == "ERROR tap-x: ValueError: bad"
    assert all(line.startswith("ERROR tap-x: ") for line in lines)


def test_json_is_one_object_a_line() -> None:
    """ts, level, logger, message, and the stream where it is known."""
    with logs(form="json") as stream:
        logging.getLogger("tap-x").info("one\ntwo", extra={"stream": "orders"})
        token = current_stream.set("items")
        logging.getLogger("tap-x").info("three")
        current_stream.reset(token)
        logging.getLogger("tap-x").info("four")
        metric("counter", "record_count", 3, {"stream": "orders"})
    one, three, four, counted = map(json.loads, stream.getvalue().splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one.pop("ts"))
    assert one == {"level": "INFO", "logger": "tap-x", "message": "one\ntwo", "stream": "orders"}
    assert three["stream"] == "items"
    assert "stream" not in four
    assert counted["metric"] == {"type": "counter", "metric": "record_count", "value": 3, "tags": {"stream": "orders"}}


def test_a_metric_starts_at_the_first_column() -> None:
    """`INFO METRIC: {json}`: what Singer's own parser wants, exactly."""
    with logs() as stream:
        with Timer("job_duration", job_type="sync"):
            pass
        with pytest.raises(ValueError, match="x"), Timer("job_duration"):
            raise ValueError("x")
    good, bad = stream.getvalue().splitlines()
    point = json.loads(good.removeprefix("INFO METRIC: "))
    assert point["type"] == "timer"
    assert point["metric"] == "job_duration"
    assert point["tags"] == {"job_type": "sync", "status": "succeeded"}
    assert isinstance(point["value"], float)
    assert json.loads(bad.removeprefix("INFO METRIC: "))["tags"] == {"status": "failed"}


def values_of(text: str) -> list[int]:
    return [json.loads(line.removeprefix("INFO METRIC: "))["value"] for line in text.splitlines()]


def test_a_counter_tells_what_came_since_its_last_line() -> None:
    """A line every 60 seconds while it counts and one at the end, even 0; their sum is the total."""
    now = [0.0]
    with logs() as stream, Counter("record_count", clock=lambda: now[0], stream="orders") as counter:
        counter.add(5)
        now[0] = 59.9
        counter.add(1)
        assert stream.getvalue() == ""
        now[0] = 60.0
        counter.add(4)
        now[0] = 120.0
        counter.add(2)
    assert values_of(stream.getvalue()) == [10, 2, 0]
    assert counter.total == 12


def test_secrets_are_starred_in_every_form() -> None:
    """In text and JSON, in tracebacks, in arguments of a message."""
    for form in ("text", "json"):
        with logs(form=form, redact=hiding("hunter22")) as stream:  # type: ignore[arg-type]
            logging.getLogger("tap-x").info("login %s", "hunter22")
            try:
                raise ValueError("bad hunter22")
            except ValueError:
                logging.getLogger("tap-x").exception("x")
        assert "hunter22" not in stream.getvalue()
        assert "login ***" in stream.getvalue()


def test_a_secret_that_comes_later_is_starred_from_then_on() -> None:
    """The source is asked again; what was a secret before stays one as long as the source says so."""
    secrets = [("first-secret",)]
    redact = Redactor()
    redact.watch(lambda: secrets[-1])
    assert redact("first-secret second-secret") == "*** second-secret"
    secrets.append(("first-secret", "second-secret"))
    assert redact("first-secret second-secret") == "*** ***"


def test_short_secrets_leave_words_alone() -> None:
    """A secret of one or two letters is starred where it stands alone; the longest secret wins."""
    redact = hiding("ab", "abcdef", "abc")
    assert redact("ab cab abx ab.") == "*** cab abx ***."
    assert redact("abcdefg") == "***g"
    assert hiding("")("nothing to hide") == "nothing to hide"


def test_what_is_printed_to_stderr_is_starred(monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line, so that a secret written in two pieces is found; the last line comes out even when unfinished."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with redacting(hiding("hunter22")):
        print("my hun", file=sys.stderr, end="")
        print("ter22", file=sys.stderr)
        print("unfinished hunter22", file=sys.stderr, end="")
        sys.stderr.writelines(["a\n", "b\n"])
    assert stream.getvalue() == "my ***\nunfinished ***a\nb\n"
    assert sys.stderr is stream


def test_warnings_are_logged() -> None:
    """They look like every other line."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with logs() as stream:
            warnings.warn("old thing", stacklevel=1)
    assert stream.getvalue().startswith("WARNING py.warnings: ")


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, logging.INFO),
        ({"LOGLEVEL": "WARNING"}, logging.WARNING),
        ({"LOGLEVEL": "WARNING", "TAP_X_LOGLEVEL": "debug"}, logging.DEBUG),
        ({"TAP_X_LOGLEVEL": "35"}, 35),
        ({"LOGLEVEL": "loud"}, logging.INFO),
    ],
)
def test_level(environ: dict[str, str], level: int) -> None:
    """TAP_X_LOGLEVEL counts before LOGLEVEL; an unknown word is INFO."""
    assert level_from(environ, "tap-x") == level


def test_a_log_that_cannot_be_written_does_not_end_the_run() -> None:
    """The data matters more."""

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with logging_to(Broken(), redact=Redactor()):
        logging.getLogger("tap-x").info("into the void")


def test_loggers_are_put_back() -> None:
    """After a run in this process its handler and level are gone."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    with logs(logging.DEBUG):
        assert root.level == logging.DEBUG
    assert (root.handlers, root.level) == before
