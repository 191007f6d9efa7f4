"""Paginators as values: given a request and its answer, the request for the next page, or None at the end.

A page that leads to one already read is an error that names the URL: a read must end.
"""

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urljoin

from singer_kit.codec import Struct
from singer_kit.http.client import Request, Response
from singer_kit.http.jsonpath import first_match


class Paginator(Protocol):
    """Finds the next page. It remembers nothing: what it needs is in the request and the answer."""

    def first(self, request: Request) -> Request:
        """The request for the first page."""
        ...

    def next(self, request: Request, response: Response, rows: Sequence[Any]) -> Request | None:
        """The request for the page after the one that `request` fetched, or None when that was the last."""
        ...


class SinglePage(Struct, frozen=True):
    """All rows come in one answer."""

    def first(self, request: Request) -> Request:
        """See `Paginator`."""
        return request

    def next(self, _request: Request, _response: Response, _rows: Sequence[Any]) -> Request | None:
        """See `Paginator`."""
        return None


class LinkHeader(Struct, frozen=True):
    """The next page is the `Link` header's `rel="next"` (RFC 8288)."""

    relation: str = "next"

    def first(self, request: Request) -> Request:
        """See `Paginator`."""
        return request

    def next(self, request: Request, response: Response, _rows: Sequence[Any]) -> Request | None:
        """See `Paginator`."""
        url = response.links.get(self.relation)
        return request.to_url(urljoin(response.url, url)) if url else None


class NextURL(Struct, frozen=True):
    """The next page's URL stands in the body, at a JSONPath such as `$.links.next`; absent or null ends."""

    path: str

    def first(self, request: Request) -> Request:
        """See `Paginator`."""
        return request

    def next(self, request: Request, response: Response, _rows: Sequence[Any]) -> Request | None:
        """See `Paginator`."""
        url = first_match(self.path, response.json())
        return request.to_url(urljoin(response.url, str(url))) if url else None


class PageNumber(Struct, frozen=True):
    """A parameter counts pages from `start`; an empty page, or one shorter than `size`, is the last."""

    parameter: str = "page"
    start: int = 1
    size_parameter: str | None = None
    size: int | None = None

    def first(self, request: Request) -> Request:
        """See `Paginator`."""
        more: dict[str, Any] = {self.parameter: self.start}
        if self.size_parameter is not None and self.size is not None:
            more[self.size_parameter] = self.size
        return request.with_parameters(more)

    def next(self, request: Request, _response: Response, rows: Sequence[Any]) -> Request | None:
        """See `Paginator`."""
        if not rows or (self.size is not None and len(rows) < self.size):
            return None
        return request.with_parameters({self.parameter: int(request.params[self.parameter]) + 1})
