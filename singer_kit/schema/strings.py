"""`th.StringType` and the string formats. Must not judge a string: formats.py does."""

from typing import Any, ClassVar

from singer_kit.schema.jsontype import JSONType, said
from singer_kit.schema.nullable import Schema


class StringType(JSONType):
    """Text; the subclasses name a format."""

    string_format: ClassVar[str | None] = None

    def __init__(
        self,
        *,
        min_length: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.min_length = min_length
        self.max_length = max_length
        self.pattern = pattern

    def keywords(self) -> Schema:
        return {
            "type": ["string"],
            **said(
                format=self.string_format,
                minLength=self.min_length,
                maxLength=self.max_length,
                pattern=self.pattern,
            ),
        }


class DateTimeType(StringType):
    """An instant: RFC 3339 with an offset."""

    string_format = "date-time"


class DateType(StringType):
    """A day: `2026-01-31`."""

    string_format = "date"


class TimeType(StringType):
    """A time of day, with an offset: `23:20:50Z`."""

    string_format = "time"


class DurationType(StringType):
    """An ISO 8601 duration: `P3DT2H`."""

    string_format = "duration"


class EmailType(StringType):
    """An e-mail address."""

    string_format = "email"


class IDNEmailType(StringType):
    """An e-mail address in any script."""

    string_format = "idn-email"


class HostnameType(StringType):
    """A host name."""

    string_format = "hostname"


class IDNHostnameType(StringType):
    """A host name in any script."""

    string_format = "idn-hostname"


class IPv4Type(StringType):
    """An IPv4 address."""

    string_format = "ipv4"


class IPv6Type(StringType):
    """An IPv6 address."""

    string_format = "ipv6"


class UUIDType(StringType):
    """A UUID in its usual form of 36 characters."""

    string_format = "uuid"


class URIType(StringType):
    """An absolute URI."""

    string_format = "uri"


class URIReferenceType(StringType):
    """A URI or a relative reference."""

    string_format = "uri-reference"


class IRIType(StringType):
    """An absolute URI in any script."""

    string_format = "iri"


class IRIReferenceType(StringType):
    """A URI or a relative reference in any script."""

    string_format = "iri-reference"


class URITemplateType(StringType):
    """A URI template: `/issues/{id}`."""

    string_format = "uri-template"


class JSONPointerType(StringType):
    """A JSON pointer: `/a/0`."""

    string_format = "json-pointer"


class RelativeJSONPointerType(StringType):
    """A relative JSON pointer: `1/a`."""

    string_format = "relative-json-pointer"


class RegexType(StringType):
    """A regular expression."""

    string_format = "regex"


class SingerDecimalType(StringType):
    """A number as exact text, `singer.decimal`, for targets that would round a JSON number.

    `precision` is the number of digits, `scale` how many of them follow the point; a target may size its
    column by them.
    """

    string_format = "singer.decimal"

    def __init__(self, *, precision: int | None = None, scale: int | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.precision = precision
        self.scale = scale

    def keywords(self) -> Schema:
        return {**super().keywords(), **said(precision=self.precision, scale=self.scale)}
