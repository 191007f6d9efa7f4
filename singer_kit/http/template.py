"""Texts with `{fields}`: looked up in the partition, then in the settings, and put in their place safely.

`{name}` is a value, `{bookmark:%Y-%m-%d}` and `{bookmark:epoch}` format an instant, `{name:path}` leaves slashes as
they are, `{{` and `}}` are braces.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from string import Formatter
from typing import Any
from urllib.parse import quote

from singer_kit.codec import Struct, encode
from singer_kit.errors import SettingsError
from singer_kit.spec.instants import format_instant

RESERVED = ("bookmark", "start", "end")
"""Names that always mean the read's own bounds; a setting or a partition key may not be called so."""


class Field(Struct, frozen=True):
    """One `{name:style}` of a text."""

    name: str
    style: str


class Template(Struct, frozen=True):
    """A text cut once into literal pieces and fields, in order."""

    source: str
    pieces: tuple[str | Field, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields in order of appearance."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Field))

    @property
    def only_field(self) -> Field | None:
        """The field, when the text is nothing but that one field."""
        return self.fields[0] if len(self.pieces) == 1 and self.fields else None


def parse_template(source: str) -> Template:
    """The template in `source`. Raises `SettingsError` for an unclosed brace or a field without a name."""
    pieces: list[str | Field] = []
    try:
        for literal, name, style, conversion in Formatter().parse(source):
            if literal:
                pieces.append(literal)
            if name is None:
                continue
            if not name or conversion:
                raise ValueError("a field needs a plain name")
            pieces.append(Field(name, style or ""))
    except ValueError as error:
        raise SettingsError(
            f"The text {source!r} is no template: {error}.",
            next_step="write {{ for a brace that is meant as one.",
        ) from None
    return Template(source, tuple(pieces))


def render_path(template: Template, values: Mapping[str, Any]) -> str:
    """The text with every value percent-encoded, slashes too unless the field says `:path`."""

    def escape(field: Field, text: str) -> str:
        return quote(text, safe="/" if field.style == "path" else "")

    return _render(template, values, escape)


def render_text(template: Template, values: Mapping[str, Any]) -> str:
    """The text with every value as it is; a missing one is a `SettingsError`."""
    return _render(template, values, lambda _field, text: text)


def render_parameters(templates: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Query parameters or the members of a JSON body; texts are templates, other values stay as they are.

    A value that is one field keeps the type of what it names, and is left out when that has no value.
    """
    rendered: dict[str, Any] = {}
    for name, value in templates.items():
        if not isinstance(value, Template):
            rendered[name] = value
            continue
        only = value.only_field
        if only is None:
            rendered[name] = render_text(value, values)
        elif (found := values.get(only.name)) is not None:
            typed = isinstance(found, (bool, int, float, Decimal, list, dict)) and not only.style
            rendered[name] = found if typed else _text_of(only, found, value)
    return rendered


def parse_templates(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with each text that has a field or an escaped brace made a `Template`."""
    return {
        name: parse_template(value) if isinstance(value, str) and ("{" in value or "}" in value) else value
        for name, value in values.items()
    }


def _render(template: Template, values: Mapping[str, Any], place: Callable[[Field, str], str]) -> str:
    texts = []
    for piece in template.pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        found = values.get(piece.name)
        if found is None:
            raise SettingsError(
                f"{{{piece.name}}} has no value: it is neither a key of the partition nor a setting that is given.",
                place=f"in: {template.source!r}",
                next_step=f"give the setting {piece.name!r}, or correct the name.",
            )
        texts.append(place(piece, _text_of(piece, found, template)))
    return "".join(texts)


def _text_of(field: Field, value: Any, template: Template) -> str:
    style = "" if field.style == "path" else field.style
    if style:
        return _formatted(field, value, style, template)
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return format_instant(value)
    return encode(value).decode().strip('"')


def _formatted(field: Field, value: Any, style: str, template: Template) -> str:
    if not isinstance(value, date):
        raise SettingsError(
            f"{{{field.name}:{field.style}}} formats an instant, but the value is a {type(value).__name__}.",
            place=f"in: {template.source!r}",
            next_step=f"write {{{field.name}}}, or declare the replication key as a date-time.",
        )
    instant = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    if style == "epoch":
        return str(int(instant.timestamp()))
    if style == "epoch_ms":
        return str(int(instant.timestamp() * 1000))
    return instant.strftime(style)
