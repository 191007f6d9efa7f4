"""Streams of HTTP APIs: an author declares URL, parameters, authentication and paging; the pages come by themselves."""

from collections import ChainMap
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from singer_kit.errors import SettingsError, SourceError
from singer_kit.http.auth import Authenticator
from singer_kit.http.client import Client, Request, Response, without_query
from singer_kit.http.jsonpath import compile_path
from singer_kit.http.paginate import Paginator, SinglePage
from singer_kit.http.retry import RetryPolicy
from singer_kit.http.template import (
    RESERVED,
    Template,
    parse_template,
    parse_templates,
    render_parameters,
    render_path,
    render_text,
)
from singer_kit.spec.partition import Partition
from singer_kit.tap.stream import Stream

if TYPE_CHECKING:
    from singer_kit.tap.tap import Tap

_MOST_EQUAL_PAGES: Final = 5
"""An API that does not know the parameter that counts pages sends its first page for ever."""


class RESTStream(Stream):
    """A stream whose records come from an HTTP API, page by page.

    `url_base` and `path` make the URL; in these, in `params`, `headers`, `body` and in the authenticator's texts
    `{name}` is looked up in the partition, then in the settings, and `{bookmark}`, `{start}`, `{end}` are the bounds
    of the read. A parameter whose only field has no value is left out. Every attribute may be a property.
    """

    url_base: str = ""
    path: str = ""
    http_method: str = "GET"
    params: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}
    body: Mapping[str, Any] | None = None
    records_jsonpath: str = "$[*]"
    authenticator: Authenticator | None = None
    paginator: Paginator = SinglePage()
    retry: RetryPolicy = RetryPolicy()
    timeout_seconds: float = 300.0

    def __init__(self, tap: "Tap", **options: Any) -> None:
        super().__init__(tap, **options)
        _refuse_reserved(self.config, "setting")
        self._client = Client(user_agent=self.user_agent, retry=self.retry, timeout_seconds=self.timeout_seconds)

    @property
    def user_agent(self) -> str:
        """The setting `user_agent`, else the tap's name and version."""
        return str(self.config.get("user_agent") or f"{self.tap.name}/{self.tap.version}")

    def get_url_params(self, part: Partition) -> Mapping[str, Any]:
        """Query parameters for one partition, before paging adds its own; by default `params`, filled in."""
        return render_parameters(parse_templates(self.params), self._values(part))

    def parse_response(self, response: Response) -> Sequence[dict[str, Any]]:
        """The records of one answer, in order; by default what `records_jsonpath` finds.

        An answer without them is an empty page when it is a list or an object; anything else raises `SourceError`.
        """
        value = response.json()
        if not isinstance(value, (list, dict)):
            raise SourceError(
                f"stream {self.name!r}: the answer is a {type(value).__name__}, not an object or a list.",
                place=f"url: {without_query(response.url)}",
                next_step="correct path, or override parse_response.",
            )
        return compile_path(self.records_jsonpath)(value)

    def get_records(self, part: Partition) -> Iterator[Sequence[dict[str, Any]]]:
        """Pages in the API's order. Raises `SourceError` when a page leads to one already read."""
        paginator = self.paginator
        request: Request | None = paginator.first(self.request_for(part))
        seen: set[tuple[str, str]] = set()
        last = b""
        times = 0
        while request is not None:
            mark = (request.url, repr(sorted(request.params.items())))
            if mark in seen:
                raise SourceError(
                    f"stream {self.name!r}: paging goes in a circle.",
                    place=f"url: {without_query(request.url)}",
                    next_step="choose the paginator that this API needs.",
                )
            seen.add(mark)
            response = self._client.send(self._with_credentials(request, part))
            if response is None:
                return
            rows = self.parse_response(response)
            times = times + 1 if rows and response.content == last else 1
            if times == _MOST_EQUAL_PAGES:
                raise SourceError(
                    f"stream {self.name!r}: {times} pages in a row are the same, so they have no end.",
                    place=f"url: {without_query(request.url)}",
                    next_step="this API does not page as declared: choose another paginator, or none.",
                )
            last = response.content
            yield rows
            request = paginator.next(request, response, rows)

    def request_for(self, part: Partition) -> Request:
        """The first request for a partition, without credentials; a missing name is a settings error here."""
        values = self._values(part)
        body = None if self.body is None else render_parameters(parse_templates(self.body), values)
        headers = {
            name: render_text(value, values) if isinstance(value, Template) else value
            for name, value in parse_templates(self.headers).items()
        }
        return Request(
            method=self.http_method,
            url=render_text(parse_template(self.url_base), values).rstrip("/")
            + render_path(parse_template(self.path), values),
            params=dict(self.get_url_params(part)),
            headers=headers,
            json=body,
        )

    def close(self) -> None:
        """Closes the stream's connections."""
        self._client.close()

    def _with_credentials(self, request: Request, part: Partition) -> Request:
        if self.authenticator is None:
            return request
        values = self._values(part)
        return self.authenticator.apply(request, lambda text: render_text(parse_template(text), values))

    def _values(self, part: Partition) -> Mapping[str, Any]:
        _refuse_reserved(part, "partition key")
        bounds = {"bookmark": part.bookmark, "start": part.bookmark, "end": part.end}
        return ChainMap(bounds, dict(part), dict(self.config))


def _refuse_reserved(names: Container[str], what: str) -> None:
    for name in RESERVED:
        if name in names:
            raise SettingsError(
                f"The {what} {name!r} is reserved: in texts {{{name}}} means the read's own bound.",
                next_step=f"give the {what} another name.",
            )
