"""The one door to msgspec: bytes to values and back, exact numbers, typed decoders.

Numbers keep their digits: an untyped decimal number becomes `Decimal`, an integer `int` of any size. This module
knows JSON and types; it must not know Singer.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from types import GenericAlias
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from singer_kit.late import late

__all__ = [
    "UNSET",
    "DecodeError",
    "Decoder",
    "EncodeError",
    "Meta",
    "Raw",
    "Struct",
    "UnsetType",
    "ValidationError",
    "astuple",
    "convert",
    "decode",
    "define_struct",
    "dict_of",
    "encode",
    "encode_exactly",
    "encode_lines",
    "field",
    "holds_decimals",
    "list_of",
    "pretty",
    "to_builtins",
    "why_not_json",
]

json = late("json")

T = TypeVar("T")
JSON: TypeAlias = Any
"""A JSON value as Python sees it: dict, list, str, int, Decimal, bool, None."""

DecodeError: TypeAlias = msgspec.DecodeError
ValidationError: TypeAlias = msgspec.ValidationError
EncodeError: Final = (TypeError, ValueError, OverflowError, UnicodeEncodeError)
"""What `encode` raises for a value that JSON cannot say: an unknown type, a lone surrogate."""

convert = msgspec.convert
to_builtins = msgspec.to_builtins
define_struct = msgspec.defstruct
astuple = msgspec.structs.astuple


def _encodes_more(value: object) -> object:
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    if hasattr(value, "items"):
        return dict(value.items())
    raise TypeError(f"{type(value).__name__} has no JSON form")


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_encodes_more)
_quoting_encoder = msgspec.json.Encoder(decimal_format="string", enc_hook=_encodes_more)
_sorted_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_encodes_more, order="deterministic")


class Decoder(Generic[T]):
    """Decodes JSON as `type_`, numbers exact where the type leaves them open.

    `exact=False` makes open decimal numbers floats: half the cost, for when their digits do not matter.
    """

    __slots__ = ("decode", "decode_lines")

    def __init__(self, type_: Any = Any, *, exact: bool = True, dec_hook: Callable[..., Any] | None = None) -> None:
        decoder = msgspec.json.Decoder(type_, float_hook=Decimal if exact else None, dec_hook=dec_hook)
        self.decode: Callable[[bytes], T] = decoder.decode
        self.decode_lines: Callable[[bytes], list[T]] = decoder.decode_lines
        """All values of newline-separated JSON; blank lines are passed over."""


_decoder: Decoder[Any] = Decoder()


def decode(data: bytes | str) -> JSON:
    """The JSON value in `data`, numbers exact. Raises `DecodeError`."""
    return _decoder.decode(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)


def list_of(item: Any) -> Any:
    """The type of lists of a type that is known at run time only."""
    return GenericAlias(list, (item,))


def dict_of(value: Any) -> Any:
    """The type of objects whose values are of a type that is known at run time only."""
    return GenericAlias(dict, (str, value))


def encode(value: object) -> bytes:
    """Compact JSON of `value`; Decimals as numbers, instants as RFC 3339.

    Raises one of `EncodeError` for what JSON cannot say. NaN and Infinity become null and naive instants lose
    their missing offset: whoever takes values from strangers refuses those first (`encode_exactly` does).
    """
    return _encoder.encode(value)


def encode_lines(values: Iterable[object]) -> bytes:
    """`encode` of each value, each followed by a newline; one buffer for all of them."""
    return _encoder.encode_lines(values)


def holds_decimals(value: object) -> bool:
    """Whether there is a Decimal anywhere in `value`: its text with quotes around decimals is longer than without.

    For where msgspec would silently make a float of it. Costs two encodings; raises what `encode` raises.
    """
    return len(_encoder.encode(value)) != len(_quoting_encoder.encode(value))


def encode_exactly(value: object, *, sort_keys: bool = False) -> bytes:
    """`encode`, but NaN, Infinity and `Decimal("NaN")` raise `ValueError` instead of becoming null."""
    _refuse_non_finite(value)
    return (_sorted_encoder if sort_keys else _encoder).encode(value)


def _refuse_non_finite(value: object) -> None:
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - the test for NaN
            raise ValueError(f"{value} is not a JSON number")
    elif isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is not a JSON number")
    elif isinstance(value, dict):
        for item in value.values():
            _refuse_non_finite(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_non_finite(item)


def pretty(value: object) -> str:
    """JSON of `value` for people: two spaces a level, text as it is."""
    return msgspec.json.format(_encoder.encode(value), indent=2).decode()


Unreadable = Literal["nan", "surrogate", "bom", "truncated", "not-json", "too-deep"]


def why_not_json(line: bytes) -> tuple[Unreadable, str]:
    """Why a line that `decode` refused is no JSON we take: a kind and a few words.

    The standard library reads it a second time and so tells legal-elsewhere (`NaN`, a lone surrogate, a byte order
    mark) from plain damage.
    """
    if line.startswith(b"\xef\xbb\xbf"):
        return "bom", "it begins with a byte order mark"
    try:
        decode(line)
    except RecursionError:
        return "too-deep", "it is nested too deeply, about a thousand levels are read"
    except (DecodeError, UnicodeDecodeError):
        pass
    constants: list[str] = []
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return "not-json", f"byte {error.start} is not UTF-8"
    try:
        json.loads(text, parse_constant=constants.append)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or "Unterminated" in error.msg:
            return "truncated", "it ends in the middle"
        return "not-json", f"{error.msg} at column {error.colno}"
    except (RecursionError, ValueError) as error:
        return "not-json", str(error)
    if constants:
        return "nan", f"it holds {constants[0]}, which is not JSON"
    return "surrogate", "it holds half a surrogate pair, which is not Unicode text"
