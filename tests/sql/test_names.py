"""Names for tables and columns."""

from hypothesis import given
from hypothesis import strategies as st

from singer_kit.sql.dialect import DUCKDB, Dialect
from singer_kit.sql.names import column_names, fitted, told_apart

SHORT = Dialect("short", {}, {}, DUCKDB.limits, name_bytes=20, folds_case=False)

names = st.text(max_size=30) | st.sampled_from(["foo", "FOO", "Foo", "", 'a"b', "a\0b", "é" * 30])


@given(st.lists(names, unique=True), st.lists(names, unique=True), st.sampled_from([DUCKDB, SHORT]))
def test_no_two_properties_share_a_column(properties, existing, dialect):
    """Whatever the names and whatever the table has; every name fits, and asking again gives the same."""
    if dialect.folds_case:
        existing = list({name.lower(): name for name in existing}.values())
    placed = column_names(properties, existing, dialect)
    folded = [name.lower() if dialect.folds_case else name for name in placed.values()]
    assert list(placed) == properties
    assert len(set(folded)) == len(folded)
    assert all(name and "\0" not in name for name in placed.values() if name not in existing)
    assert placed == column_names(properties, existing, dialect)


@given(st.lists(names, unique=True), st.randoms())
def test_the_next_run_finds_the_same_columns(properties, random):
    """A table made for some properties serves them again, in any order."""
    placed = column_names(properties, [], DUCKDB)
    shuffled = list(properties)
    random.shuffle(shuffled)
    assert column_names(shuffled, placed.values(), DUCKDB) == placed


def test_names_that_differ_in_case_are_told_apart_by_a_hash():
    """The first keeps its name; the other's mark depends on its own name alone."""
    placed = column_names(["foo", "FOO"], [], DUCKDB)
    assert placed == {"foo": "foo", "FOO": told_apart("FOO", "FOO", DUCKDB)}
    assert placed["FOO"].startswith("FOO_")
    assert column_names(["FOO"], ["foo"], DUCKDB) == {"FOO": placed["FOO"]}
    assert column_names(["foo", "FOO"], [], SHORT) == {"foo": "foo", "FOO": "FOO"}


def test_an_attacker_cannot_take_a_marked_name():
    """A property that is called like another's marked name gets a column of its own."""
    marked = told_apart("FOO", "FOO", DUCKDB)
    placed = column_names(["foo", marked, "FOO"], [], DUCKDB)
    assert len(set(placed.values())) == 3


def test_names_too_long_are_cut_and_marked():
    """In bytes, never inside a character, and two that begin alike stay apart."""
    one, two = fitted("é" * 30 + "1", SHORT), fitted("é" * 30 + "2", SHORT)
    assert one != two
    assert max(len(one.encode()), len(two.encode())) <= 20
    assert fitted("x" * 5000, DUCKDB) == "x" * 5000
