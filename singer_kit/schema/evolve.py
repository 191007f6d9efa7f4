"""How columns widen: a lattice with text at its top, in which nothing that was stored is ever rounded or lost.

Pure functions of column types. This module must not know how a database changes a column.
"""

from singer_kit.codec import Struct
from singer_kit.schema.columns import HUGEINT, NUMBER, TEXT, ColumnType, decimal

__all__ = ["DigitsNeeded", "Limits", "accommodating", "joined", "widened"]

_BIGINT_DIGITS = 19
_HUGEINT_DIGITS = 39
_HUGEINT_BITS = 127
_SCALES = (NUMBER.scale, 15, 20, 25, 30)
"""How far a scale grows at a time, so that a column is not rewritten for each further digit."""


class Limits(Struct, frozen=True):
    """How wide the numbers of a database get before only text holds them."""

    decimal_digits: int = 38
    has_hugeint: bool = True


class DigitsNeeded(Struct, frozen=True):
    """What room some numbers need: digits before the point, digits after it, and the bits of the largest integer."""

    integer_digits: int
    scale: int
    bits: int = 0


def joined(left: ColumnType, right: ColumnType, limits: Limits) -> ColumnType:
    """The narrowest type that holds exactly what either holds.

    Commutative and idempotent; associative too but for `double`, which absorbs every number because somebody asked
    for it. Numbers widen among numbers while their digits fit; all else meets in text.
    """
    if left == right:
        return left
    kinds = {left.kind, right.kind}
    if not kinds <= {"bigint", "hugeint", "decimal", "double"}:
        return TEXT
    if "double" in kinds:
        return left if left.kind == "double" else right
    if kinds == {"bigint", "hugeint"}:
        return HUGEINT if limits.has_hugeint else TEXT
    integer_digits = max(_integer_digits(left), _integer_digits(right))
    scale = max(left.scale, right.scale)
    return decimal(integer_digits + scale, scale) if integer_digits + scale <= limits.decimal_digits else TEXT


def _integer_digits(column_type: ColumnType) -> int:
    match column_type.kind:
        case "bigint":
            return _BIGINT_DIGITS
        case "hugeint":
            return _HUGEINT_DIGITS
        case _:
            return column_type.precision - column_type.scale


def accommodating(existing: ColumnType, natural: ColumnType, limits: Limits) -> ColumnType:
    """What a column of type `existing` becomes before values of a schema whose own type is `natural` are put in it.

    As `joined`, but a decimal stays as it is for other numbers: the schema does not tell their digits, and values
    that do not fit are met by `widened`. A double that nobody asks for any more becomes text, for it would round.
    """
    if existing.kind == "decimal" and natural.kind in {"bigint", "decimal", "double"}:
        return existing
    if existing.kind == "double" and natural.kind == "decimal":
        return TEXT
    return joined(existing, natural, limits)


def widened(current: ColumnType, needed: DigitsNeeded | None, stored_integer_digits: int, limits: Limits) -> ColumnType:
    """The type that `current` becomes for values that it cannot hold: always another one, at last text.

    `needed` is the room that they need as numbers, None when they are no numbers. `stored_integer_digits` is the most
    that a value in the column has before its point: a decimal gives up room there that nothing uses.
    """
    wider = TEXT
    if needed is not None and current.kind in {"bigint", "hugeint"} and needed.scale == 0:
        if not limits.has_hugeint:
            digits = limits.decimal_digits
            wider = decimal(digits, 0) if needed.integer_digits <= digits else TEXT
        elif needed.bits <= _HUGEINT_BITS:
            wider = HUGEINT
    elif needed is not None and current.kind == "decimal":
        integer_digits = max(needed.integer_digits, stored_integer_digits)
        scale = max(current.scale, needed.scale)
        room = limits.decimal_digits - integer_digits
        if scale > current.scale:
            scale = next((step for step in _SCALES if scale <= step <= room), scale)
        wider = decimal(limits.decimal_digits, scale) if scale <= room else TEXT
    return wider if wider != current else TEXT
