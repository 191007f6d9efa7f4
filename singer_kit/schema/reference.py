"""The law of validation, and the one door to jsonschema: whether a record keeps its schema, in words if not.

The law is `jsonschema` with format checks, and what exact numbers ask for: a Decimal is a number; a number without a
fraction is an integer in every draft; `multipleOf` goes by decimal digits, and a float in a schema or record stands
for its shortest decimal text. A tuple is an array, as which it is encoded. Every format of Draft 2020-12 is checked
in every draft, and so are `singer.decimal` and `x-singer.decimal`: finite decimal text; `precision` and `scale`
beside them describe a column and are not checked. References are never fetched.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from singer_kit.codec import Struct
from singer_kit.errors import SchemaError
from singer_kit.schema.dialect import Draft, draft_of, without_dialect
from singer_kit.schema.iri import late_rfc3987_syntax
from singer_kit.schema.numbers import exactly, is_decimal_text, is_multiple, is_number, is_whole
from singer_kit.schema.wording import words

__all__ = ["FORMATS", "Problem", "Reference", "check_schema", "conforms", "problems"]

DECIMAL_FORMATS: Final = ("singer.decimal", "x-singer.decimal")
FORMATS: Final = frozenset(
    (  # noqa: SIM905 - a column of quotes reads worse
        "date date-time duration email hostname idn-email idn-hostname ipv4 ipv6 iri iri-reference json-pointer "
        "regex relative-json-pointer time uri uri-reference uri-template uuid"
    ).split()
) | frozenset(DECIMAL_FORMATS)
"""The formats that are checked; any other is a remark."""


class Problem(Struct, frozen=True):
    """What is wrong with one value of a record: where it stands, what the schema says there, in words.

    `path` is the way to the value (`customer.id`, `tags.0`), empty for the record itself; `schema_path` the way to
    the schema that refused it, without the keyword. The message names types, never a value of the record.
    """

    path: str
    schema_path: str
    keyword: str
    message: str

    def __str__(self) -> str:
        return f"'{self.path}' {self.message}" if self.path else f"the record {self.message}"


class _Engine(NamedTuple):
    """What is needed of jsonschema, changed as the module's docstring says."""

    validators: dict[Draft, Any]
    formats: Any
    registry: Any
    schema_errors: tuple[type[Exception], ...]
    reference_errors: tuple[type[Exception], ...]


@cache
def _engine() -> _Engine:
    late_rfc3987_syntax()
    import jsonschema  # noqa: PLC0415 - a tenth of a second, and most runs never need it
    import referencing  # noqa: PLC0415 - comes with jsonschema
    from jsonschema.validators import extend  # noqa: PLC0415

    def multiple_of(_validator: Any, divisor: Any, instance: Any, _schema: Any) -> Iterator[Any]:
        if is_number(instance) and not is_multiple(instance, divisor):
            yield jsonschema.ValidationError("not a multiple")

    def extended(stock: Any) -> Any:
        changed: dict[str, Any] = {"multipleOf": multiple_of}
        if "additionalItems" in stock.VALIDATORS:
            additional_items = stock.VALIDATORS["additionalItems"]

            def beside_a_list(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
                # jsonschema 4.26 raises TypeError when `items` is true or false.
                if isinstance(schema.get("items"), list):
                    yield from additional_items(validator, value, instance, schema)

            changed["additionalItems"] = beside_a_list
        types = stock.TYPE_CHECKER.redefine_many(
            {
                "number": lambda _, value: is_number(value),
                "integer": lambda _, value: is_whole(value),
                "array": lambda _, value: isinstance(value, (list, tuple)),
            }
        )
        return extend(stock, validators=changed, type_checker=types)  # type: ignore[no-untyped-call]

    formats = jsonschema.FormatChecker(formats=())
    formats.checkers = {
        name: jsonschema.Draft202012Validator.FORMAT_CHECKER.checkers[name]
        for name in FORMATS.difference(DECIMAL_FORMATS)
        if name in jsonschema.Draft202012Validator.FORMAT_CHECKER.checkers
    }
    for name in DECIMAL_FORMATS:
        formats.checkers[name] = (lambda text: not isinstance(text, str) or is_decimal_text(text), ())
    return _Engine(
        validators={
            "4": extended(jsonschema.Draft4Validator),
            "6": extended(jsonschema.Draft6Validator),
            "7": extended(jsonschema.Draft7Validator),
            "2019-09": extended(jsonschema.Draft201909Validator),
            "2020-12": extended(jsonschema.Draft202012Validator),
        },
        formats=formats,
        registry=referencing.Registry(),
        schema_errors=(jsonschema.SchemaError,),
        reference_errors=(referencing.exceptions.Unresolvable,),
    )


def conforms(format_name: str, text: str) -> bool:
    """Whether `text` has this format, as the reference sees it; True for a format that is not checked."""
    return bool(_engine().formats.conforms(text, format_name))


def check_schema(schema: dict[str, Any]) -> None:
    """Returns if `schema` is a valid JSON Schema of its own draft. Raises `SchemaError` with the place otherwise."""
    engine = _engine()
    try:
        engine.validators[draft_of(schema)].check_schema(schema)
    except engine.schema_errors as error:
        place = ".".join(map(str, error.absolute_path))  # type: ignore[attr-defined]
        raise SchemaError(
            f"The schema is no valid JSON Schema: '{place or '(root)'}' {words(error)}.",
            place=f"schema: {place or '(root)'}",
            next_step="correct the schema where it is declared.",
        ) from None


def problems(schema: dict[str, Any], record: Any, limit: int = 1) -> list[Problem]:
    """At most `limit` things that are wrong with one exactly decoded record; none when it keeps its schema."""
    return Reference(schema).problems(record, limit)


class Reference:
    """One schema under the law; slow (some 70 microseconds a record) and always right.

    Raises `SchemaError` when the schema is not valid, unless `check=False`: then only when the invalid part is met.
    """

    __slots__ = ("_validator",)

    def __init__(self, schema: dict[str, Any], *, check: bool = True) -> None:
        if check:
            check_schema(schema)
        engine = _engine()
        draft = draft_of(schema)
        self._validator = engine.validators[draft](
            exactly(_mended(without_dialect(schema), draft)), format_checker=engine.formats, registry=engine.registry
        )

    def problems(self, record: Any, limit: int = 1) -> list[Problem]:
        """At most `limit` problems of `record`, in the order the schema is written."""
        found: list[Problem] = []
        try:
            for error in self._validator.iter_errors(exactly(record)):
                found.extend(_worded(error))
                if len(found) >= limit:
                    break
        except RecursionError:
            raise SchemaError(
                "The schema refers to itself without end.",
                next_step="let the circular $ref pass through a property or an item.",
            ) from None
        except _engine().reference_errors as error:
            raise SchemaError(
                f"A reference in the schema leads nowhere: {error}.",
                next_step="put what it refers to into the schema itself; references are never fetched.",
            ) from None
        except (re.error, TypeError) as error:
            raise SchemaError(
                f"The schema cannot be used: {error}.", next_step="correct the schema where it is declared."
            ) from None
        return found[:limit]

    def accepts(self, record: Any) -> bool:
        """Whether `record` keeps the schema."""
        return not self.problems(record)


def _worded(error: Any) -> Iterator[Problem]:
    path = ".".join(map(str, error.absolute_path))
    steps = [str(step) for step in error.absolute_schema_path]
    keyword = "false" if error.validator is None or _is_false(error) else error.validator
    schema_path = ".".join(steps if error.validator is None else steps[:-1])
    if keyword == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        # jsonschema gives one error a name, told apart by its message only.
        name = next((one for one in missing if error.message.startswith(f"{one!r} ")), missing[0])
        yield Problem(f"{path}.{name}" if path else name, schema_path, keyword, "is required and missing")
    elif keyword == "additionalProperties" and error.validator_value is False:
        declared = error.schema.get("properties", {})
        patterns = error.schema.get("patternProperties", {})
        extra = [name for name in error.instance if name not in declared and not _matches(patterns, name)]
        for name in extra or [""]:
            message = "is not declared, and the schema allows nothing else"
            yield Problem(".".join(filter(None, (path, name))), schema_path, keyword, message)
    else:
        message = "is present, and the schema says false" if keyword == "false" else words(error)
        yield Problem(path, schema_path, keyword, message)


def _mended(schema: Any, draft: Draft) -> Any:
    """`schema` without two things that jsonschema 4.26 trips over, put in other words.

    It loses the place of a property that is plainly false, and does not expect a boolean for `items` beside
    `unevaluatedItems` in Draft 2019-09.
    """
    if isinstance(schema, list):
        return [_mended(one, draft) for one in schema]
    if not isinstance(schema, dict):
        return schema
    mended: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in ("enum", "const"):
            mended[keyword] = value
        elif keyword in ("properties", "patternProperties") and isinstance(value, dict):
            mended[keyword] = {
                name: {"not": {}} if one is False else _mended(one, draft) for name, one in value.items()
            }
        elif keyword == "items" and isinstance(value, bool) and draft == "2019-09":
            mended[keyword] = {} if value else {"not": {}}
        else:
            mended[keyword] = _mended(value, draft)
    return mended


def _is_false(error: Any) -> bool:
    return bool(error.validator == "not" and error.validator_value == {})


def _matches(patterns: Iterable[str], name: str) -> bool:
    return any(re.search(pattern, name) for pattern in patterns)
