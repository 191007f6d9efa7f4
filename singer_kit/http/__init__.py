"""REST parts around one transport: what authors name in a stream's declarations. Knows neither tap nor Singer."""

from singer_kit.http.auth import APIKey, Authenticator, BasicAuth, BearerToken
from singer_kit.http.client import Client, Request, Response
from singer_kit.http.paginate import LinkHeader, NextURL, PageNumber, Paginator, SinglePage
from singer_kit.http.retry import Action, RetryPolicy

__all__ = [
    "APIKey",
    "Action",
    "Authenticator",
    "BasicAuth",
    "BearerToken",
    "Client",
    "LinkHeader",
    "NextURL",
    "PageNumber",
    "Paginator",
    "Request",
    "Response",
    "RetryPolicy",
    "SinglePage",
]
