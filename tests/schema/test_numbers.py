"""Numbers go by their decimal digits."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from singer_kit.schema.numbers import are_multiples, exactly, is_decimal_text, is_multiple, is_number, is_whole

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=None)
divisors = st.integers(1, 10**6) | st.decimals("0.0001", "1000", places=4)


@given(decimals | st.integers(), divisors)
def test_a_multiple_is_what_fractions_say(value: Decimal | int, divisor: Decimal | int) -> None:
    """Whatever the digits of both."""
    expected = (Fraction(value) / Fraction(divisor)).denominator == 1
    assert is_multiple(value, divisor) is expected
    assert are_multiples([divisor, value, 0], divisor) is expected


@given(st.integers(-(10**6), 10**6), divisors)
def test_each_product_is_a_multiple(times: int, divisor: Decimal | int) -> None:
    """Of its factor."""
    assert is_multiple(times * divisor, divisor)


def test_huge_exponents_cost_nothing() -> None:
    """No power of ten is written out."""
    assert is_multiple(Decimal("1E+999999999"), 2)
    assert is_multiple(Decimal("1E+999999999"), Decimal("0.01"))
    assert not is_multiple(Decimal("1E+999999999"), 3)
    assert not is_multiple(Decimal("1E-999999999"), 3)
    assert is_multiple(Decimal("0E-999999999"), 3)
    assert is_multiple(Decimal("9" * 5000), 3)
    assert is_whole(Decimal("1E+999999999"))
    assert not is_whole(Decimal("1E-999999999"))


def test_what_counts_as_a_number() -> None:
    """Booleans and NaN do not; 1.0 is whole."""
    assert all(map(is_number, (1, 1.5, Decimal("1.5"), 2**70)))
    assert not any(map(is_number, (True, "1", None, float("nan"), float("inf"), Decimal("NaN"))))
    assert all(map(is_whole, (1, 1.0, Decimal("1.0"), Decimal("1E+2"), Decimal("-0.0"))))
    assert not any(map(is_whole, (True, 1.5, Decimal("1.5"), "1", float("inf"), Decimal("Infinity"))))


def test_a_float_is_its_shortest_text() -> None:
    """At any depth; what holds no float is the very same object, and NaN stays NaN."""
    assert exactly({"a": [0.1, {"b": 1.5}], "c": 1}) == {"a": [Decimal("0.1"), {"b": Decimal("1.5")}], "c": 1}
    untouched = {"a": [1, "x", {"b": None}]}
    assert exactly(untouched) is untouched
    assert exactly((0.5, 1)) == [Decimal("0.5"), 1]
    assert exactly(float("inf")) == float("inf")


@given(decimals)
def test_every_finite_decimal_is_decimal_text(value: Decimal) -> None:
    """As Python writes it."""
    assert is_decimal_text(str(value))


@given(st.text(alphabet="0123456789+-.eE_ \nNa٣", max_size=8))
def test_decimal_text_is_what_python_reads_without_frills(text: str) -> None:
    """Anything that is decimal text is a finite Decimal."""
    if is_decimal_text(text):
        assert Decimal(text).is_finite()
        assert text.strip() == text
        assert "_" not in text
