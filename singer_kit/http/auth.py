"""Authenticators as values: how a request shows who asks. Their texts may name settings: `BearerToken("{token}")`."""

from base64 import b64encode
from collections.abc import Callable
from typing import Literal, Protocol

from singer_kit.codec import Struct
from singer_kit.http.client import Request

Fill = Callable[[str], str]
"""Gives a declared text with its `{settings}` filled in; a missing one is a settings error."""


class Authenticator(Protocol):
    """Adds credentials to a request. `apply` is called once for each request, before it is sent."""

    def apply(self, request: Request, fill: Fill) -> Request:
        """The request with the credentials added; the one given is not changed."""
        ...


class BearerToken(Struct, frozen=True):
    """`Authorization: Bearer TOKEN`; another scheme by `prefix` (`Token`, `PRIVATE-TOKEN` is an `APIKey`)."""

    token: str
    prefix: str = "Bearer"

    def apply(self, request: Request, fill: Fill) -> Request:
        """See `Authenticator`."""
        return request.with_header("Authorization", f"{self.prefix} {fill(self.token)}")


class BasicAuth(Struct, frozen=True):
    """`Authorization: Basic ...` of RFC 7617, in UTF-8."""

    user: str
    password: str = ""

    def apply(self, request: Request, fill: Fill) -> Request:
        """See `Authenticator`."""
        pair = f"{fill(self.user)}:{fill(self.password)}".encode()
        return request.with_header("Authorization", "Basic " + b64encode(pair).decode())


class APIKey(Struct, frozen=True):
    """A key in a header or a query parameter of the API's own name."""

    name: str
    value: str
    location: Literal["header", "query"] = "header"

    def apply(self, request: Request, fill: Fill) -> Request:
        """See `Authenticator`."""
        if self.location == "header":
            return request.with_header(self.name, fill(self.value))
        return request.with_parameters({self.name: fill(self.value)})
