"""Numbers as their decimal text: what a float means here, multiples, whole numbers, decimal strings.

A binary float stands for its shortest decimal text (0.1 is a tenth), because that is what was written.
"""

import re
from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from itertools import repeat
from math import isfinite
from typing import Any, Final, TypeAlias

__all__ = [
    "DECIMAL_TEXT",
    "Exact",
    "are_multiples",
    "exactly",
    "is_decimal_text",
    "is_multiple",
    "is_number",
    "is_whole",
]

Exact: TypeAlias = int | Decimal

DECIMAL_TEXT: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A finite decimal number as text, as a regular expression for the whole of it."""

_PRECISE: Final = Context(prec=60, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[InvalidOperation])
"""Of our own, so that no program's settings can change a verdict."""


def is_decimal_text(text: str) -> bool:
    """Whether `text` is a finite decimal number and nothing else: no blanks, no NaN."""
    return re.fullmatch(DECIMAL_TEXT, text) is not None


def exactly(value: Any) -> Any:
    """`value` with every float in it replaced by the Decimal of its shortest text; itself where there is none.

    Lists and dicts are copied only where they change; NaN and Infinity stay as they are.
    """
    if isinstance(value, float):
        return Decimal(repr(value)) if isfinite(value) else value
    if isinstance(value, dict):
        changed = {name: new for name, old in value.items() if (new := exactly(old)) is not old}
        return {**value, **changed} if changed else value
    if isinstance(value, (list, tuple)):
        items = [exactly(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def is_number(value: object) -> bool:
    """Whether `value` is a JSON number: no boolean, not NaN, not Infinity."""
    if isinstance(value, int):
        return not isinstance(value, bool)
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, float) and isfinite(value)


def is_whole(value: object) -> bool:
    """Whether `value` is a number without a fraction: 1, 1.0 and Decimal("1.0") are."""
    if isinstance(value, int):
        return not isinstance(value, bool)
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, float) and value.is_integer()


def is_multiple(value: Exact | float, divisor: Exact | float) -> bool:
    """Whether `value` is `divisor` times a whole number, by their decimal digits; `divisor` is above zero.

    Costs no more for `1e999999999` than for 1: powers of ten are never written out.
    """
    return are_multiples([exactly(value)], exactly(divisor))


def are_multiples(values: Sequence[Exact], divisor: Exact) -> bool:
    """Whether each of the values is `divisor` times a whole number."""
    try:
        return not any(map(_PRECISE.remainder, values, repeat(divisor)))
    except InvalidOperation:  # a quotient has more digits than fit
        return all(_is_multiple_of_any_size(value, divisor) for value in values)


def _is_multiple_of_any_size(value: Exact, divisor: Exact) -> bool:
    digits, exponent = _scaled(value)
    divisor_digits, divisor_exponent = _scaled(divisor)
    if digits == 0:
        return True
    shift = exponent - divisor_exponent
    if shift >= 0:
        return digits * pow(10, shift, divisor_digits) % divisor_digits == 0
    if -shift > digits.bit_length() // 3 + 1:  # more zeros at its end than it has digits
        return False
    return bool(digits % (divisor_digits * 10**-shift) == 0)


def _scaled(value: Exact) -> tuple[int, int]:
    if isinstance(value, int):
        return value, 0
    sign, digits, exponent = value.as_tuple()
    return int(Decimal((sign, digits, 0))), int(exponent)
