"""The client against a real server: what is tried again, what is not, and what is never shown."""

from datetime import UTC, datetime
from typing import Any

import pytest

from singer_kit.errors import SourceError, SourceUnavailableError
from singer_kit.http import APIKey, BasicAuth, BearerToken, Client, LinkHeader, NextURL, PageNumber, Request
from singer_kit.http.retry import Action, RetryPolicy, retry_after_seconds


def make_client(**policy: Any) -> Client:
    """A client that waits as told, with few tries."""
    return Client(user_agent="test/1", retry=RetryPolicy(**{"max_tries": 3, **policy}), timeout_seconds=5)


def test_a_busy_server_is_asked_again_after_the_pause_it_named(api: Any) -> None:
    """429 with Retry-After 0 twice, then the answer."""
    answers = iter([(429, {"Retry-After": "0"}, {}), (503, {"Retry-After": "0"}, {}), (200, {}, [{"id": 1}])])
    api.answer = lambda *_: next(answers)
    response = make_client().send(Request("GET", api.url + "/rows"))
    assert response is not None
    assert response.json() == [{"id": 1}]
    assert len(api.calls) == 3
    assert api.calls[0][2]["user-agent"] == "test/1"


def test_tries_run_out_as_unavailable(api: Any) -> None:
    """After the last try the error says that a later run may work."""
    api.answer = lambda *_: (500, {"Retry-After": "0"}, {})
    with pytest.raises(SourceUnavailableError, match="500"):
        make_client().send(Request("GET", api.url + "/rows"))
    assert len(api.calls) == 3


def test_a_pause_beyond_the_bound_fails_at_once(api: Any) -> None:
    """A server that asks for an hour does not hold the run."""
    api.answer = lambda *_: (429, {"Retry-After": "3600"}, {})
    with pytest.raises(SourceUnavailableError):
        make_client().send(Request("GET", api.url + "/rows"))
    assert len(api.calls) == 1


def test_an_ordinary_refusal_is_never_asked_again_and_shows_no_query(api: Any) -> None:
    """404 fails at once; the key in the query does not reach the message."""
    request = Request("GET", api.url + "/gone", {"api_key": "s3cret"})
    with pytest.raises(SourceError, match="404") as caught:
        make_client().send(request)
    assert "s3cret" not in str(caught.value)
    assert len(api.calls) == 1


def test_a_table_makes_a_status_mean_nothing_to_read(api: Any) -> None:
    """SKIP gives None."""
    api.answer = lambda *_: (403, {}, {})
    assert make_client(table={403: Action.SKIP}).send(Request("GET", api.url)) is None


def test_no_server_is_unavailable() -> None:
    """A refused connection is transient by nature."""
    with pytest.raises(SourceUnavailableError, match="no answer"):
        make_client(max_tries=1).send(Request("GET", "http://127.0.0.1:9/x"))


def test_html_is_named_as_what_it_is(api: Any) -> None:
    """A login page is no JSON; the message says its type and size."""
    api.answer = lambda *_: (200, {"Content-Type": "text/html"}, b"<html>")
    response = make_client().send(Request("GET", api.url))
    assert response is not None
    with pytest.raises(SourceError, match="text/html"):
        response.json()


def test_numbers_keep_their_digits(api: Any) -> None:
    """Bodies are read with exact numbers."""
    api.answer = lambda *_: (200, {}, b'{"n":12345678901234567890.123456789}')
    response = make_client().send(Request("GET", api.url))
    assert response is not None
    assert str(response.json()["n"]) == "12345678901234567890.123456789"


def test_authenticators_add_what_they_say() -> None:
    """Bearer, basic and keys, with texts filled in."""
    request = Request("GET", "http://x/")
    fill = {"{t}": "T"}.__getitem__
    assert BearerToken("{t}").apply(request, fill).headers == {"Authorization": "Bearer T"}
    assert APIKey("X-Key", "{t}").apply(request, fill).headers == {"X-Key": "T"}
    assert APIKey("key", "{t}", location="query").apply(request, fill).params == {"key": "T"}
    pair = BasicAuth("Aladdin", "open sesame").apply(request, lambda text: text).headers["Authorization"]
    assert pair == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_paginators_find_the_next_page(api: Any) -> None:
    """Link header, URL in the body, and counted pages."""
    api.answer = lambda *_: (200, {"Link": '</rows?page=2>; rel="next"'}, {"next": "/rows?cursor=b"})
    client = make_client()
    request = Request("GET", api.url + "/rows")
    response = client.send(request)
    assert response is not None
    following = LinkHeader().next(request, response, [])
    assert following is not None
    assert following.url == api.url + "/rows?page=2"
    following = NextURL("$.next").next(request, response, [])
    assert following is not None
    assert following.url == api.url + "/rows?cursor=b"
    pages = PageNumber(size_parameter="per_page", size=2)
    first = pages.first(request)
    assert first.params == {"page": 1, "per_page": 2}
    second = pages.next(first, response, [1, 2])
    assert second is not None
    assert second.params["page"] == 2
    assert pages.next(second, response, [3]) is None


def test_retry_after_is_seconds_or_a_date() -> None:
    """Both forms of RFC 9110; what is unreadable is no order."""
    now = datetime(2024, 1, 1, tzinfo=UTC)
    assert retry_after_seconds("12", now) == 12
    assert retry_after_seconds("Mon, 01 Jan 2024 00:00:30 GMT", now) == 30
    assert retry_after_seconds("Sun, 31 Dec 2023 00:00:30 GMT", now) == 0
    assert retry_after_seconds("soon", now) is None
    assert retry_after_seconds(None, now) is None
