"""How columns widen."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_kit.schema import columns as kinds
from singer_kit.schema.columns import NUMBER, TEXT, ColumnType, decimal
from singer_kit.schema.digits import digits_of_decimals, digits_of_integers, plain
from singer_kit.schema.evolve import DigitsNeeded, Limits, accommodating, joined, widened

LIMITS = Limits()
NARROW = Limits(decimal_digits=0, has_hugeint=False)

decimals = st.tuples(st.integers(1, 38), st.integers(0, 38)).map(lambda d: decimal(max(d), d[1]))
exact_types = (
    st.sampled_from(
        [
            ColumnType(kind)
            for kind in ("boolean", "bigint", "hugeint", "date", "time", "instant", "uuid", "json", "text")
        ]
    )
    | decimals
)


@given(exact_types, exact_types, exact_types)
def test_joining_is_a_lattice_with_text_at_its_top(a, b, c):
    """Commutative, associative, idempotent, and nothing is wider than text: streams may change in any order."""
    assert joined(a, b, LIMITS) == joined(b, a, LIMITS)
    assert joined(a, joined(b, c, LIMITS), LIMITS) == joined(joined(a, b, LIMITS), c, LIMITS)
    assert joined(a, a, LIMITS) == a
    assert joined(a, TEXT, LIMITS) == TEXT
    upper = joined(a, b, LIMITS)
    assert joined(upper, a, LIMITS) == upper


def holds(column, value):
    """True when the column stores this number exactly."""
    match column.kind:
        case "text":
            return True
        case "bigint":
            return value == int(value) and -(2**63) <= value < 2**63
        case "hugeint":
            return value == int(value) and -(2**127) <= value < 2**127
        case "decimal":
            needed = digits_of_decimals([value])
            return needed.scale <= column.scale and needed.integer_digits <= column.precision - column.scale


numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**45), max_value=10**45)


@given(numbers, numbers, st.sampled_from([NUMBER, decimal(12, 2), decimal(38, 30), decimal(5, 5)]))
def test_a_widened_decimal_holds_what_was_there_and_what_came(stored, came, start):
    """Widening never loses a digit of either."""
    if not holds(start, stored):
        return
    if holds(start, came):
        return
    wider = widened(start, digits_of_decimals([came]), digits_of_decimals([stored]).integer_digits, LIMITS)
    assert holds(wider, came)
    assert holds(wider, stored)


@given(st.integers(-(10**45), 10**45) | st.sampled_from([2**63, -(2**63) - 1, 2**127, -(2**127) - 1]))
def test_a_widened_integer_holds_what_came(value):
    """BIGINT, then HUGEINT, then text; each as late as can be."""
    if -(2**63) <= value < 2**63:
        return
    wider = widened(kinds.BIGINT, digits_of_integers([value]), 0, LIMITS)
    assert holds(wider, Decimal(value))
    if -(2**127) <= value < 2**127:
        assert wider == kinds.HUGEINT


@pytest.mark.parametrize(
    ("current", "needed", "stored", "becomes"),
    [
        (NUMBER, DigitsNeeded(3, 12), 5, decimal(38, 15)),
        (NUMBER, DigitsNeeded(3, 33), 5, decimal(38, 33)),
        (NUMBER, DigitsNeeded(3, 33), 6, TEXT),
        (NUMBER, DigitsNeeded(28, 12), 0, TEXT),
        (decimal(12, 2), DigitsNeeded(20, 1), 10, decimal(38, 2)),
        (decimal(38, 25), DigitsNeeded(14, 2), 3, TEXT),
        (kinds.BOOLEAN, DigitsNeeded(1, 0), 0, TEXT),
        (kinds.BIGINT, None, 0, TEXT),
        (NUMBER, DigitsNeeded(1, 0), 0, TEXT),
    ],
)
def test_a_decimal_gives_up_room_that_nothing_uses(current, needed, stored, becomes):
    """The scale grows in steps while the digits that are stored allow it."""
    assert widened(current, needed, stored, LIMITS) == becomes


def test_databases_without_wide_numbers_go_to_text():
    """What a database has decides how far numbers stay numbers."""
    needed = DigitsNeeded(20, 0, 65)
    assert widened(kinds.BIGINT, needed, 0, NARROW) == TEXT
    assert widened(kinds.BIGINT, needed, 0, Limits(has_hugeint=False)) == decimal(38, 0)
    assert joined(kinds.BIGINT, decimal(12, 2), NARROW) == TEXT


@pytest.mark.parametrize(
    ("existing", "natural", "becomes"),
    [
        (kinds.BIGINT, NUMBER, NUMBER),
        (kinds.BIGINT, decimal(12, 2), decimal(21, 2)),
        (decimal(38, 25), NUMBER, decimal(38, 25)),
        (decimal(38, 25), kinds.BIGINT, decimal(38, 25)),
        (decimal(12, 2), kinds.DOUBLE, decimal(12, 2)),
        (kinds.DOUBLE, NUMBER, TEXT),
        (kinds.BIGINT, TEXT, TEXT),
        (TEXT, kinds.BIGINT, TEXT),
        (kinds.DATE, kinds.INSTANT, TEXT),
        (kinds.JSON, TEXT, TEXT),
    ],
)
def test_a_column_accommodates_a_changed_schema_without_coercing(existing, natural, becomes):
    """int to number widens; a decimal waits for the values; everything else that differs meets in text."""
    assert accommodating(existing, natural, LIMITS) == becomes


@given(numbers)
def test_plain_is_one_text_for_one_number(value):
    """However a number is written, its text is the same, and says the same number."""
    assert Decimal(plain(value)) == value
    if digits_of_decimals([value]).integer_digits < 30 and value.as_tuple().exponent > -20:
        assert plain(value) == plain(value.scaleb(3).scaleb(-3)) or len(value.as_tuple().digits) > 28


def test_plain_texts():
    """No zeros at the end; an exponent only where the digits would be very many."""
    assert [plain(Decimal(t)) for t in ("1.10", "100", "1E+2", "-0.0", "0.00", "1E+400")] == [
        "1.1",
        "100",
        "100",
        "0",
        "0",
        "1E+400",
    ]
