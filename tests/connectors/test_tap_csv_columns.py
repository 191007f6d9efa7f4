"""A column's type is the narrowest that says all its texts to the letter."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.connectors.tap_csv_columns import Column, Inference, NotOfThisTypeError, kind_of, property_of
from singer_kit.schema.reference import Reference


def inferred(texts: Sequence[str], page: int = 1000) -> str:
    inference = Inference(["NA"])
    for start in range(0, len(texts), page):
        inference.see(["x"], [[text] for text in texts[start : start + page]], frozenset("x"))
    return inference.kind("x")


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "-20", "0", "123456789012345678901234567890"], "integer"),
        (["1", "", "NA"], "integer"),
        (["1", "007"], "string"),
        (["+1"], "string"),
        (["1_000"], "string"),
        (["١"], "string"),
        ([" 1"], "string"),
        (["-0"], "number"),
        (["1", "1.10"], "number"),
        (["1e5", "-1.5E-3"], "number"),
        (["1e5000"], "string"),
        ([".5"], "string"),
        (["1."], "string"),
        (["01.5"], "string"),
        (["NaN"], "string"),
        (["inf"], "string"),
        (["true", "False", "TRUE"], "boolean"),
        (["true", "1"], "string"),
        (["2024-01-31", "2024-02-29"], "date"),
        (["2023-02-29"], "string"),
        (["2024-01-31", "2024-01-31T10:00:00Z"], "string"),
        (["2024-01-31T10:00:00Z", "2024-01-31T10:00:00.123456789+05:30"], "date-time"),
        (["2024-01-31T10:00:00"], "string"),
        (["2024-01-31 10:00:00Z"], "string"),
        (["2024-01-31T24:00:00Z"], "string"),
        (["2024-02-30T10:00:00Z"], "string"),
        (["1\n2"], "string"),
        (["", "NA"], "string"),
        ([], "string"),
    ],
    ids=str,
)
def test_what_is_inferred(texts: list[str], kind: str) -> None:
    """In one page or in many, in either direction."""
    assert inferred(texts) == inferred(texts, 1) == inferred(texts[::-1], 1) == kind


TEXTS = st.one_of(
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.dates().map(str),
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.booleans().map(str),
    st.sampled_from(["", "NA", "007", "-0", "1.0", "1e3", "2024-01-31T10:00:00+14:00", "x"]),
    st.text(max_size=4),
)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.lists(TEXTS, max_size=4), *(st.lists(kind, max_size=4) for kind in (st.integers().map(str), TEXTS)))
)
def test_every_value_is_of_the_inferred_type(texts: list[str]) -> None:
    """What was seen converts without a word lost, and keeps the schema of its column."""
    kind = inferred(texts, 2)
    values = list(Column("x", kind, null_values=["NA"]).values(texts))
    law = Reference({"type": "object", "properties": property_of("x", kind, is_key=False).to_dict()})
    for text, value in zip(texts, values, strict=True):
        assert law.accepts({"x": value})
        if value is None:
            assert text == "NA" or (text == "" and kind != "string")
        elif kind == "integer":
            assert str(value) == text
        elif kind == "number":
            assert value.is_finite()
            assert value == Decimal(text)
        elif kind == "boolean":
            assert str(value).lower() == text.lower()
        else:
            assert value == text


def test_many_distinct_values_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of a column is bounded, and forgetting changes no verdict."""
    monkeypatch.setattr("singer_kit.connectors.tap_csv_columns._MOST_REMEMBERED", 10)
    texts = [str(n) for n in range(100)]
    assert inferred(texts, 7) == "integer"
    column = Column("x", "integer")
    values: list[Any] = []
    for start in range(0, 100, 7):
        values += column.values(texts[start : start + 7])
    assert values == list(range(100))


def test_texts_of_another_type_are_told() -> None:
    """All of them at once, so that their rows can be found."""
    column = Column("x", "date", is_key=True)
    with pytest.raises(NotOfThisTypeError) as caught:
        column.values(["2024-01-31", "2024-02-30", "", "x"])
    assert caught.value.texts == {"2024-02-30", "", "x"}
    assert column.fault == "its 'x' is not a date, and it is a key"
    assert list(column.values(["2024-01-31"])) == ["2024-01-31"]


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "date", "date-time", "decimal", "string"])
def test_the_type_is_found_again_in_a_catalog(kind: str) -> None:
    """The schema of a column says its type, nullable or not."""
    for is_key in (True, False):
        assert kind_of(property_of("x", kind, is_key=is_key).schema) == kind
