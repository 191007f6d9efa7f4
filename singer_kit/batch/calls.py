"""What a stream map's expression may call: pure functions, methods and operators, each bounded.

Every one takes and gives JSON values, instants and dates; none reaches a module, a file or an attribute. The
table is the whole reach of an expression: what is not in it is refused when the map is compiled. This module
must not know streams or schemas.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Any, Final

__all__ = ["ATTRIBUTES", "FUNCTIONS", "METHODS", "OPERATORS", "STEPS", "TooLargeError", "settle"]

MOST_DIGITS: Final = 1000
"""Exact decimal arithmetic carries this many digits; a result that needs more is an error, never rounded."""
MOST_BITS: Final = 4096
MOST_CHARACTERS: Final = 100_000
"""The most a repetition, a padding or a replacement may make out of less."""
LONGEST_TEXT: Final = 1 << 26
"""The longest text that texts may be put together to: records may hold long ones, but none may grow by doubling."""
MOST_PARTS: Final = 2_000_000
"""Values in a list or an object that becomes text or leaves: shared parts count as often as they would be written."""
STEPS: Final = 100_000
"""Rounds of all the loops in one expression, for one record."""

_exact = Context(prec=MOST_DIGITS, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_rounding = Context(prec=34, traps=[InvalidOperation, DivisionByZero, Overflow])


class TooLargeError(ValueError):
    """A result would be larger than an expression may make."""


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Both as Decimal when one is: a float joins with the digits it is written with."""
    if type(a) is Decimal:
        return a, Decimal(repr(b)) if type(b) is float else Decimal(b)
    return Decimal(repr(a)) if type(a) is float else Decimal(a), b


def _is_decimal_sum(a: Any, b: Any) -> bool:
    return (type(a) is Decimal and type(b) in _NUMBERS) or (type(b) is Decimal and type(a) in _NUMBERS)


_NUMBERS: Final = frozenset({int, float, bool, Decimal})


def add(a: Any, b: Any) -> Any:
    """`a + b`; decimals exact, texts and lists bounded."""
    if isinstance(a, (str, list, tuple)):
        if len(a) + len(b) > LONGEST_TEXT:
            raise TooLargeError
    elif _is_decimal_sum(a, b):
        return _exact.add(*_alike(a, b))
    return a + b


def subtract(a: Any, b: Any) -> Any:
    """`a - b`; decimals exact."""
    if _is_decimal_sum(a, b):
        return _exact.subtract(*_alike(a, b))
    return a - b


def multiply(a: Any, b: Any) -> Any:
    """`a * b`; decimals exact, repetition bounded."""
    if _is_decimal_sum(a, b):
        return _exact.multiply(*_alike(a, b))
    if type(a) is int and type(b) is int:
        if a.bit_length() + b.bit_length() > MOST_BITS:
            raise TooLargeError
        return a * b
    for many, times in ((a, b), (b, a)):
        if isinstance(many, (str, list, tuple)) and (
            len(many) * int(times) > MOST_CHARACTERS or weigh(many) * int(times) > MOST_PARTS
        ):
            raise TooLargeError
    return a * b


def divide(a: Any, b: Any) -> Any:
    """`a / b`; a quotient of decimals has 34 digits at most."""
    if _is_decimal_sum(a, b):
        return _rounding.divide(*_alike(a, b))
    return a / b


def floor_divide(a: Any, b: Any) -> Any:
    """`a // b`, rounded down for decimals too, as Python does for integers and floats."""
    if _is_decimal_sum(a, b):
        a, b = _alike(a, b)
        quotient, rest = _exact.divide_int(a, b), _exact.remainder(a, b)
        return quotient - 1 if rest and (rest < 0) != (b < 0) else quotient
    return a // b


def modulo(a: Any, b: Any) -> Any:
    """`a % b` of numbers, with the sign of `b`."""
    if _is_decimal_sum(a, b):
        a, b = _alike(a, b)
        rest = _exact.remainder(a, b)
        return rest + b if rest and (rest < 0) != (b < 0) else rest
    if isinstance(a, (str, bytes)):
        raise TypeError
    return a % b


def power(a: Any, b: Any) -> Any:
    """`a ** b` of numbers, as long as the result stays small."""
    if type(a) not in _NUMBERS or type(b) not in _NUMBERS:
        raise TypeError
    if _is_decimal_sum(a, b):
        a, b = _alike(a, b)
        if abs(b) > MOST_BITS:
            raise TooLargeError
        return (_exact if b == int(b) and b >= 0 else _rounding).power(a, b)
    if type(a) is not float and type(b) is not float and (abs(b) > MOST_BITS or a.bit_length() * abs(b) > MOST_BITS):
        raise TooLargeError
    result = a**b
    if type(result) is complex:
        raise ValueError
    return result


def weigh(value: Any) -> int:
    """How many values `value` holds, written out. Raises `TooLargeError` when they are too many or too long."""
    if not isinstance(value, (dict, list, tuple)):
        return 1
    pending, parts, characters = [value], 0, 0
    while pending:
        one = pending.pop()
        parts += len(one)
        if parts > MOST_PARTS or characters > LONGEST_TEXT:
            raise TooLargeError
        for item in one.values() if isinstance(one, dict) else one:
            if isinstance(item, str):
                characters += len(item)
            elif isinstance(item, (dict, list, tuple)):
                pending.append(item)
    return parts


OPERATORS: Final[dict[str, Callable[..., Any]]] = {
    "Add": add,
    "Sub": subtract,
    "Mult": multiply,
    "Div": divide,
    "FloorDiv": floor_divide,
    "Mod": modulo,
    "Pow": power,
}
"""Binary operators by the name of their syntax node; comparisons and logic are Python's own."""


def _digest(name: str) -> Callable[[str], str]:
    make = getattr(hashlib, name)

    def digest(text: str) -> str:
        return str(make(str.encode(text), usedforsecurity=False).hexdigest())

    return digest


def hmac_sha256(key: str, text: str) -> str:
    """The keyed hash of `text`, in hexadecimal: who lacks the key cannot try likely values."""
    return hmac.new(str.encode(key), str.encode(text), "sha256").hexdigest()


def to_int(value: Any, base: int = 10) -> int:
    """`int(value)`; a text with `base`. NaN and infinities are errors."""
    if type(value) is str:
        return int(value, base)
    if type(value) is Decimal and value.adjusted() > MOST_DIGITS:
        raise TooLargeError
    return int(value)


def to_str(value: Any = "") -> str:
    """`str(value)` of a number, text, truth value or instant; a decimal as it is written."""
    if isinstance(value, (set, frozenset)):
        raise TypeError
    weigh(value)
    return str(value)


def rounded(value: Any, digits: int | None = None) -> Any:
    """`round(value, digits)`."""
    if digits is not None and abs(digits) > MOST_DIGITS:
        raise TooLargeError
    return round(value) if digits is None else round(value, digits)


def total(values: Iterable[Any], start: Any = 0) -> Any:
    """`sum(values, start)`; decimals exact."""
    for value in values:
        start = add(start, value)
    return start


def span(*bounds: int) -> list[int]:
    """`range(...)` as a list, no longer than the loops of an expression may run."""
    values = range(*bounds)
    if len(values) > STEPS:
        raise TooLargeError
    return list(values)


def bounded(values: Iterable[Any], left: list[int]) -> list[Any]:
    """`values` for a loop; `left` counts down what the loops of this evaluation may still take."""
    values = list(values)
    left[0] -= len(values)
    if left[0] < 0:
        raise TooLargeError
    return values


def format_text(value: Any, spec: str = "") -> str:
    """A part of an f-string."""
    weigh(value)
    return format(value, spec)


def join_texts(*parts: str) -> str:
    """The parts of an f-string, together."""
    if sum(map(len, parts)) > LONGEST_TEXT:
        raise TooLargeError
    return "".join(parts)


def json_loads(text: str) -> Any:
    """The JSON value in `text`, numbers exact."""
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(_: str) -> Any:
    raise ValueError


def json_dumps(value: Any, *, indent: int | None = None, sort_keys: bool = False, ensure_ascii: bool = True) -> str:
    """JSON text as Python's `json.dumps` spaces it; decimals keep their digits, NaN is an error."""
    if indent is not None and not 0 <= indent <= 16:
        raise TooLargeError
    weigh(value)
    found: list[str] = []
    mark = f"\u0000{random.random()}\u0000"  # noqa: S311 - a text that no record holds

    def known(item: Any) -> str:
        if isinstance(item, (Decimal, date, time)):
            if isinstance(item, Decimal) and not item.is_finite():
                raise ValueError
            found.append(str(item) if isinstance(item, Decimal) else json.dumps(item.isoformat()))
            return mark
        raise TypeError

    text = json.dumps(
        value, indent=indent, sort_keys=sort_keys, ensure_ascii=ensure_ascii, allow_nan=False, default=known
    )
    if not found:
        return text
    parts = text.split(json.dumps(mark, ensure_ascii=ensure_ascii))
    return "".join(part + digits for part, digits in zip(parts, [*found, ""], strict=True))


def now(zone: Any = None) -> datetime:
    """The instant now, in UTC unless `zone` says otherwise; always aware."""
    return datetime.now(UTC if zone is None else zone)


def from_timestamp(seconds: Any, zone: Any = None) -> datetime:
    """The instant that many seconds after 1970, in UTC unless `zone` says otherwise; always aware."""
    return datetime.fromtimestamp(float(seconds), UTC if zone is None else zone)


def parse_time(text: str, spec: str) -> datetime:
    """`datetime.strptime(text, spec)`, which imports a module when first called and so needs a frame of ours."""
    return datetime.strptime(text, spec)  # noqa: DTZ007 - the expression says the offset


def today() -> date:
    """The date now, in UTC."""
    return datetime.now(UTC).date()


FUNCTIONS: Final[dict[str, tuple[Callable[..., Any], str]]] = {
    "abs": (abs, "number?"),
    "all": (all, "boolean"),
    "any": (any, "boolean"),
    "bool": (bool, "boolean"),
    "datetime.date": (date, "date"),
    "datetime.date.fromisoformat": (date.fromisoformat, "date"),
    "datetime.date.today": (today, "date"),
    "datetime.datetime": (datetime, "instant"),
    "datetime.datetime.combine": (datetime.combine, "instant"),
    "datetime.datetime.fromisoformat": (datetime.fromisoformat, "instant"),
    "datetime.datetime.fromtimestamp": (from_timestamp, "instant"),
    "datetime.datetime.now": (now, "instant"),
    "datetime.datetime.strptime": (parse_time, "instant"),
    "datetime.datetime.today": (now, "instant"),
    "datetime.datetime.utcfromtimestamp": (from_timestamp, "instant"),
    "datetime.datetime.utcnow": (now, "instant"),
    "datetime.time": (time, "any"),
    "datetime.time.fromisoformat": (time.fromisoformat, "any"),
    "datetime.timedelta": (timedelta, "span"),
    "dict": (dict, "object"),
    "float": (float, "number"),
    "hmac_sha256": (hmac_sha256, "string"),
    "int": (to_int, "integer"),
    "json.dumps": (json_dumps, "string"),
    "json.loads": (json_loads, "any"),
    "len": (len, "integer"),
    "list": (list, "array"),
    "max": (max, "any"),
    "md5": (_digest("md5"), "string"),
    "min": (min, "any"),
    "rand": (random.random, "number"),
    "randint": (lambda top: int(random.random() * top), "integer"),  # noqa: S311 - for samples, not for secrets
    "range": (span, "array"),
    "round": (rounded, "number?"),
    "set": (set, "set"),
    "sha256": (_digest("sha256"), "string"),
    "sha512": (_digest("sha512"), "string"),
    "sorted": (sorted, "array"),
    "str": (to_str, "string"),
    "sum": (total, "number?"),
    "tuple": (tuple, "array"),
}
"""Functions by name, each with what it gives; `number?` is an integer for integers."""


def _fits(size: int) -> None:
    if size > MOST_CHARACTERS:
        raise TooLargeError


def _pad(method: Callable[..., str]) -> Callable[..., str]:
    def pad(text: str, width: int, *fill: str) -> str:
        _fits(width)
        return method(text, width, *fill)

    return pad


def replace(value: Any, *args: Any, **changes: Any) -> Any:
    """`replace` of a text, a date, a time or an instant; a text grows only so far."""
    if type(value) is str:
        if len(args) == 2 and len(args[1]) > max(len(args[0]), 1):
            _fits(str.count(value, args[0]) * len(args[1]))
        return str.replace(value, *args)
    if isinstance(value, (date, time)):
        return value.replace(*args, **changes)
    raise TypeError


def join(separator: str, parts: Iterable[str]) -> str:
    """`separator.join(parts)`."""
    parts = list(parts)
    if len(separator) > 1:
        _fits(len(separator) * len(parts))
    if sum(map(len, parts)) > LONGEST_TEXT:
        raise TooLargeError
    return str.join(separator, parts)


def expand_tabs(text: str, tabsize: int = 8) -> str:
    """`text.expandtabs(tabsize)`."""
    _fits(tabsize * max(str.count(text, "\t"), 1))
    return str.expandtabs(text, tabsize)


def _by_type(*kinds: Any, name: str) -> Callable[..., Any]:
    table = {kind: getattr(kind, name) for kind in kinds}

    def call(value: Any, *args: Any, **named: Any) -> Any:
        method = table.get(type(value))
        if method is None:
            raise TypeError
        return method(value, *args, **named)

    return call


def _listed(method: Callable[..., Iterable[Any]]) -> Callable[..., list[Any]]:
    def call(value: dict[str, Any]) -> list[Any]:
        return [list(pair) if type(pair) is tuple else pair for pair in method(value)]

    return call


def is_integer(value: Any) -> bool:
    """Whether a number has no fraction."""
    return bool(value == int(value))


_TEXT_METHODS: Final = {
    "string": ("capitalize", "casefold", "lower", "lstrip", "removeprefix", "removesuffix", "rstrip", "strip",
               "swapcase", "title", "upper"),
    "boolean": ("endswith", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric",
                "isprintable", "isspace", "istitle", "isupper", "startswith"),
    "integer": ("find", "rfind", "rindex"),
    "strings": ("partition", "rpartition", "rsplit", "split", "splitlines"),
}  # fmt: skip

METHODS: Final[dict[str, tuple[Callable[..., Any], str]]] = {
    **{name: (getattr(str, name), kind) for kind, names in _TEXT_METHODS.items() for name in names},
    "astimezone": (_by_type(datetime, name="astimezone"), "instant"),
    "center": (_pad(str.center), "string"),
    "count": (_by_type(str, list, tuple, name="count"), "integer"),
    "date": (_by_type(datetime, name="date"), "date"),
    "expandtabs": (expand_tabs, "string"),
    "get": (dict.get, "any"),
    "index": (_by_type(str, list, tuple, name="index"), "integer"),
    "is_integer": (is_integer, "boolean"),
    "isoformat": (_by_type(datetime, date, time, name="isoformat"), "string"),
    "isoweekday": (_by_type(datetime, date, name="isoweekday"), "integer"),
    "items": (_listed(dict.items), "array"),
    "join": (join, "string"),
    "keys": (_listed(dict.keys), "array"),
    "ljust": (_pad(str.ljust), "string"),
    "replace": (replace, "replaced"),
    "rjust": (_pad(str.rjust), "string"),
    "strftime": (_by_type(datetime, date, time, name="strftime"), "string"),
    "timestamp": (_by_type(datetime, name="timestamp"), "number"),
    "total_seconds": (_by_type(timedelta, name="total_seconds"), "number"),
    "values": (_listed(dict.values), "array"),
    "weekday": (_by_type(datetime, date, name="weekday"), "integer"),
    "zfill": (_pad(str.zfill), "string"),
}
"""Methods by name, called with the value first; each refuses a value of another type with `TypeError`."""


def _attribute(name: str, *kinds: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is dict:
            return value[name]
        if type(value) not in kinds:
            raise TypeError
        return getattr(value, name)

    return read


ATTRIBUTES: Final[dict[str, Callable[[Any], Any]]] = {
    **{name: _attribute(name, datetime, date) for name in ("year", "month", "day")},
    **{name: _attribute(name, datetime, time) for name in ("hour", "minute", "second", "microsecond")},
    **{name: _attribute(name, timedelta) for name in ("days", "seconds", "microseconds")},
}
"""Attributes of dates, times, instants and spans of time; of an object, the member of that name."""


def settle(value: Any) -> Any:
    """`value` as JSON knows it: instants and dates as RFC 3339 text, tuples as lists.

    Raises `TypeError` for what JSON cannot say and `ValueError` for NaN, infinities and an instant without
    offset.
    """
    weigh(value)
    return _settled(value)


def _settled(value: Any) -> Any:
    kind = type(value)
    if kind in (str, int, bool, type(None)):
        return value
    if kind is float or kind is Decimal:
        if value - value != 0:
            raise ValueError("it is not a finite number")
        return value
    if kind is datetime:
        if value.tzinfo is None:
            raise ValueError("it is an instant without offset; say `.replace(tzinfo=datetime.timezone.utc)`")
        return value.isoformat().replace("+00:00", "Z")
    if kind is date:
        return value.isoformat()
    if kind is dict:
        if not all(type(name) is str for name in value):
            raise TypeError("it is an object with a name that is no text")
        return {name: _settled(item) for name, item in value.items()}
    if kind is list or kind is tuple:
        return [_settled(item) for item in value]
    raise TypeError(f"a {kind.__name__} has no JSON form")
