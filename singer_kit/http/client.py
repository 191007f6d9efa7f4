"""Sends requests and reads answers: the one door to requests, which is loaded with the first call.

Every call has a timeout; an answer that may be better next time is tried again by the policy; no query string, no
header and no body ever reaches a log line or an error.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_kit.codec import DecodeError, Struct, decode, field
from singer_kit.errors import SourceError
from singer_kit.http.retry import Action, RetryPolicy, TryAgainError, retry_after_seconds

if TYPE_CHECKING:
    import requests

logger = logging.getLogger("singer_kit.http")


class Request(Struct, frozen=True):
    """What will be asked. A frozen value: the `with_` methods return another."""

    method: str
    url: str
    params: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None

    def with_header(self, name: str, value: str) -> "Request":
        """The same request with one header set."""
        return Request(self.method, self.url, self.params, {**self.headers, name: value}, self.json)

    def with_parameters(self, more: Mapping[str, Any]) -> "Request":
        """The same request with query parameters set."""
        return Request(self.method, self.url, {**self.params, **more}, self.headers, self.json)

    def to_url(self, url: str) -> "Request":
        """The same request for a URL that already holds its whole query."""
        return Request(self.method, url, {}, self.headers, self.json)

    @property
    def place(self) -> str:
        """Method and URL without the query, for messages."""
        return f"{self.method} {without_query(self.url)}"


class Response(Struct, frozen=True):
    """What came back: status, headers (names in lower case), the undecoded body, and the final URL."""

    status: int
    headers: dict[str, str]
    content: bytes
    url: str
    links: dict[str, str]
    """Relation to URL, from the `Link` header."""

    def json(self) -> Any:
        """The body as JSON, numbers exact. Raises `SourceError` when it is none."""
        try:
            return decode(self.content)
        except (DecodeError, UnicodeDecodeError):
            kind = self.headers.get("content-type", "of no declared type")
            raise SourceError(
                f"The answer is not JSON: {len(self.content)} bytes, {kind}.",
                place=f"url: {without_query(self.url)}",
                next_step="check the URL and the credentials; a login page often answers so.",
            ) from None


class Client:
    """One pool of connections with a timeout, a retry policy and a user agent. Close it when the run is over."""

    def __init__(self, *, user_agent: str, retry: RetryPolicy | None = None, timeout_seconds: float = 300.0) -> None:
        self.user_agent = user_agent
        self.retry = retry or RetryPolicy()
        self.timeout_seconds = timeout_seconds
        self._session: requests.Session | None = None

    def send(self, request: Request) -> Response | None:
        """The answer to `request`; None when the policy says that its status means there is nothing to read.

        Raises `SourceError` for an answer that is refused for good, `SourceUnavailableError` when tries ran out.
        """
        return self.retry.call(
            lambda: self._send_once(request),
            lambda error, seconds: logger.warning("%s Trying again in %.1f s.", error.sentence, seconds),
        )

    def close(self) -> None:
        """Closes the connections; the client may be used again."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _send_once(self, request: Request) -> Response | None:
        import requests  # noqa: PLC0415 - the door: 100 ms that a tap without HTTP need not pay

        if self._session is None:
            self._session = requests.Session()
        try:
            answer = self._session.request(
                request.method,
                request.url,
                params=request.params or None,
                headers={"User-Agent": self.user_agent, **request.headers},
                json=request.json,
                timeout=self.timeout_seconds,
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
            raise SourceError(
                "The URL is not one.",
                place=f"request: {request.place}",
                next_step="correct url_base or path.",
            ) from error
        except requests.exceptions.RequestException as error:
            raise TryAgainError(
                f"{request.place} got no answer: {type(error).__name__}.", place=f"request: {request.place}"
            ) from None
        return self._judge(request, answer)

    def _judge(self, request: Request, answer: "requests.Response") -> Response | None:
        if answer.status_code < 400:
            return Response(
                status=answer.status_code,
                headers={name.lower(): value for name, value in answer.headers.items()},
                content=answer.content,
                url=answer.url,
                links={relation: link["url"] for relation, link in answer.links.items() if "url" in link},
            )
        sentence = f"{request.place} was answered with {answer.status_code} {answer.reason or ''}".rstrip() + "."
        match self.retry.action(answer.status_code):
            case Action.RETRY:
                wait = retry_after_seconds(answer.headers.get("Retry-After"), datetime.now(UTC))
                raise TryAgainError(sentence, wait_seconds=wait)
            case Action.SKIP:
                logger.warning("%s Nothing is read from it.", sentence)
                return None
            case Action.FAIL:
                raise SourceError(sentence, next_step=_ADVICE.get(answer.status_code, _ADVICE[0]))


_ADVICE = {
    0: "look up what the status means for this API; retry = RetryPolicy({STATUS: Action.SKIP}) passes over it.",
    401: "check the credentials in the config.",
    403: "check what the credentials may read.",
    404: "check the path, and the names that were filled into it.",
}


def without_query(url: str) -> str:
    """The URL without user, query and fragment: what may be shown."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
