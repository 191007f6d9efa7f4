"""How many digits some numbers need, and how a decimal is written as text. Must not know a column or a batch."""

from collections.abc import Iterable
from decimal import Decimal

from singer_kit.schema.evolve import DigitsNeeded

__all__ = ["digits_of_decimals", "digits_of_integers", "plain"]

_LONGEST_PLAIN = 64


def digits_of_integers(values: Iterable[int]) -> DigitsNeeded:
    """The room that all of `values` need. The bits are those of a signed integer without its sign."""
    low = high = 0
    for value in values:
        low, high = min(low, value), max(high, value)
    digits = len(Decimal(max(high, -low)).as_tuple().digits)
    return DigitsNeeded(digits, 0, max(high.bit_length(), (-low - 1).bit_length() if low else 0))


def digits_of_decimals(values: Iterable[Decimal]) -> DigitsNeeded:
    """The room that all of `values`, finite each, need; zeros at the end need none."""
    integer_digits = scale = 0
    for value in values:
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int) or not any(digits):
            continue
        last = len(digits)
        while digits[last - 1] == 0:
            last -= 1
        exponent += len(digits) - last
        scale = max(scale, -exponent)
        integer_digits = max(integer_digits, last + exponent)
    return DigitsNeeded(integer_digits, scale)


def plain(value: Decimal) -> str:
    """One text for one number, however it was written: no zeros at the end, an exponent only if it is very long."""
    if not value:
        return "0"
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return str(value)
    if len(digits) + abs(exponent) > _LONGEST_PLAIN:
        return str(value.normalize()) if len(digits) <= 28 else str(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
