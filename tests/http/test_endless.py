"""A REST stream whose API does not page as its author thinks."""

import io
from typing import Any

import pytest

from singer_kit import RESTStream, SourceError, Tap
from singer_kit.http import PageNumber


class Rows(RESTStream):
    """Counts pages of an API that may not know the parameter."""

    name = "rows"
    url_base = "{url}"
    path = "/rows"
    paginator = PageNumber()
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}  # noqa: RUF012 - a declaration


class TapRows(Tap):
    """One stream."""

    name = "tap-rows"
    config_jsonschema = {"type": "object", "properties": {"url": {"type": "string"}}}  # noqa: RUF012 - a declaration
    streams = (Rows,)


def test_a_page_that_comes_for_ever_ends_the_run(api: Any) -> None:
    """An API that ignores the page's number would be read without end: the same answer five times is an error."""
    api.answer = lambda *_: (200, {}, [{"id": 1}])
    with pytest.raises(SourceError, match="5 pages in a row are the same"):
        TapRows({"url": api.url}).run(io.BytesIO())
    assert len(api.calls) == 5


def test_pages_that_differ_are_read_to_the_end(api: Any) -> None:
    """The first empty page is the last."""
    api.answer = lambda _path, query, _headers: (200, {}, [{"id": int(query["page"]) // 4}] * (int(query["page"]) < 8))
    output = io.BytesIO()
    TapRows({"url": api.url}).run(output)
    assert output.getvalue().count(b'"RECORD"') == 7
