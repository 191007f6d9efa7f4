"""Formats: a column is accepted just when the reference accepts each of its values."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from singer_kit.schema.formats import format_check, format_predicate
from singer_kit.schema.reference import FORMATS, conforms

GOOD: dict[str, tuple[str, ...]] = {
    "date": ("2026-01-31", "2024-02-29", "0001-01-01", "9999-12-31", "2026-04-30", "2000-02-29"),
    "date-time": (
        *("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00", "2026-01-01t00:00:00z", "2024-02-29T23:59:59.9-23:59"),
        *("2026-01-01T00:00:00.123456789123Z", "0001-01-01T00:00:00-23:00", "9999-12-31T23:59:59-01:00"),
        *("2026-01-01T00:00:00-00:00", "2026-12-31T12:30:00.000000+05:30"),
    ),
    "time": ("12:00:00Z", "23:59:59.999+01:00", "00:00:00z"),
    "duration": ("P1D", "PT1H", "P1Y2M3DT4H5M6S", "P2W"),
    "email": ("a@b", "joe@example.com", "@"),
    "idn-email": ("실례@실례.테스트",),
    "hostname": ("example.com", "a", "a-b.c", "x" * 63 + ".com", "EXAMPLE.com."),
    "idn-hostname": ("mañana.example", "example.com"),
    "ipv4": ("127.0.0.1", "255.255.255.255", "0.0.0.0"),
    "ipv6": ("::1", "fe80::1", "2001:db8::8a2e:370:7334", "::ffff:1.2.3.4"),
    "uri": (
        "http://example.com",
        "https://a.b:80/c/d?e=f#g",
        "urn:isbn:1",
        "mailto:a@b",
        "http://[::1]/",
        "HTTP://x/%20",
    ),
    "uri-reference": ("/a/b", "#x", "", "http://example.com/?q", "a"),
    "iri": ("http://example.com/ü", "http://example.com/a"),
    "iri-reference": ("/ü", "http://example.com/a"),
    "uri-template": ("http://x/{y}", "/a"),
    "json-pointer": ("", "/a", "/a/b~0c~1d", "/"),
    "relative-json-pointer": ("0", "1/a", "0#"),
    "regex": ("a+", "", "[a-z]"),
    "uuid": ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"),
    "singer.decimal": ("1", "-1.50", "+1", "1e5", "1E-7", ".5", "5.", "0", "-0.0", "9" * 60),
    "x-singer.decimal": ("100.08",),
}
BAD: dict[str, tuple[str, ...]] = {
    "date": (
        *(
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-04-31",
            "2026-1-1",
            "20260101",
            "0000-01-01",
            "",
            "2026-01-01\n",
        ),
        *("2026-01-01T00:00:00Z", " 2026-01-01", "٢٠٢٦-01-01", "2026-00-01", "2026-01-00", "2026-01-32", "+2026-01-01"),
    ),
    "date-time": (
        *("2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z"),
        *("2026-01-01T00:00:60Z", "2026-02-29T00:00:00Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0000"),
        *("2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+00", "0000-01-01T00:00:00Z", "2026-01-01T00:00Z", ""),
        *(
            "2026-01-01T00:00:00+01:60",
            "2026-01-01T00:00:00,5Z",
            "٢٠٢٦-01-01T00:00:00Z",
            "2026-01-01T00:00:00ZZ",
            "now",
        ),
    ),
    "time": ("12:00:00", "24:00:00Z", "12:00Z", "12:60:00Z", ""),
    "duration": ("1D", "P1", "", "PT1"),
    "email": ("joe", ""),
    "idn-email": ("joe",),
    "hostname": ("", "-a.com", "a-.com", "a_b.com", "x" * 64, ".".join(["x" * 50] * 6), "a..b", "ü.de"),
    "idn-hostname": ("", "-a"),
    "ipv4": ("1.2.3", "256.1.1.1", "01.2.3.4", "1.2.3.4.5", "1.2.3.4\n", "::1", "１.2.3.4"),
    "ipv6": ("::1%eth0", "1.2.3.4", ":::", ""),
    "uri": ("/a", "http://ex ample", "http://x/ü", "", "http://x/%2", "http://x#a#b", "http://a[b/"),
    "uri-reference": ("a b", "%", "ü"),
    "iri": ("a b", "/a"),
    "iri-reference": ("a b",),
    "uri-template": ("{", "{a"),
    "json-pointer": ("a", "/~2", "/a~", "#/a"),
    "relative-json-pointer": ("", "a", "01/a", "-1"),
    "regex": ("(", "[", "*"),
    "uuid": (
        "6ba7b8109dad11d180b400c04fd430c8",
        "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
        "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
        "",
    ),
    "singer.decimal": ("", "NaN", "Infinity", " 1", "1 ", "1_000", "1,5", "--1", "1e", ".", "1\n", "٣", "0x1"),
    "x-singer.decimal": ("a",),
}
KNOWN = sorted(FORMATS)


def check(name: str, values: list[str]) -> bool:
    found = format_check(name)
    assert found is not None
    return found(values)


def test_the_tables_cover_every_format() -> None:
    """Each checked format has values that are good and values that are not."""
    assert GOOD.keys() == BAD.keys() == FORMATS


@pytest.mark.parametrize("name", KNOWN)
def test_good_values_pass_alone_and_together(name: str) -> None:
    """The reference and the column check accept them."""
    for value in GOOD[name]:
        assert conforms(name, value), value
        assert check(name, [value]), value
    assert check(name, list(GOOD[name]) * 3)


@pytest.mark.parametrize("name", KNOWN)
def test_one_bad_value_spoils_its_column(name: str) -> None:
    """The reference and the column check refuse it, alone and among good ones."""
    for value in BAD[name]:
        assert not conforms(name, value), value
        assert not check(name, [value]), value
        assert not check(name, [*GOOD[name], value, *GOOD[name]]), value


@pytest.mark.parametrize("name", KNOWN)
def test_a_line_break_does_not_make_two_values_of_one(name: str) -> None:
    """Two good values with a line break between them are judged as the one text they are."""
    for one in GOOD[name]:
        for text in (f"{one}\n{one}", f"{one}\n", f"\n{one}"):
            assert check(name, [one, text]) is conforms(name, text), text


def test_an_unknown_format_is_a_remark() -> None:
    """No check, and the reference lets anything pass."""
    assert format_check("unheard-of") is None
    assert conforms("unheard-of", "anything")


CHARACTERS = "0123456789٣-+:.TZtz /\\%~#?@[]{}()eE_aAfxPYMDHWSü\n\r\u2028\u0130ſ"


def near_misses(name: str) -> st.SearchStrategy[str]:
    """A good value with a few characters changed, put in or left out."""

    def spoil(value: str, edits: list[tuple[int, str, int]]) -> str:
        for place, new, width in edits:
            at = place % (len(value) + 1)
            value = value[:at] + new + value[at + width :]
        return value

    edit = st.tuples(st.integers(0, 40), st.sampled_from(["", *CHARACTERS]), st.integers(0, 2))
    return st.builds(spoil, st.sampled_from(GOOD[name] + BAD[name]), st.lists(edit, max_size=2))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # Python's word on `[[` in an expression
@pytest.mark.parametrize("name", KNOWN)
def test_a_column_is_accepted_just_when_each_value_is(name: str) -> None:
    """Whatever the text, quick shapes and reference never differ."""
    slow = name in ("iri", "iri-reference", "idn-hostname")

    @settings(max_examples=20 if slow else 120, deadline=None)
    @given(st.lists(near_misses(name), min_size=1, max_size=3))
    def judge(values: list[str]) -> None:
        verdicts = [conforms(name, value) for value in values]
        assert check(name, values) is all(verdicts)
        assert [format_predicate(name)(value) for value in values] == verdicts

    judge()


@settings(max_examples=300)
@given(st.datetimes(), st.integers(-1439, 1439), st.sampled_from("Tt "), st.integers(0, 12))
def test_any_instant_of_rfc_3339_is_good(when: Any, offset: int, between: str, digits: int) -> None:
    """Every date, time, offset and number of digits; only the letter between date and time may spoil it."""
    sign, minutes = ("-" if offset < 0 else "+"), abs(offset)
    fraction = "." + "1" * digits if digits else ""
    text = f"{when:%H:%M:%S}{fraction}{sign}{minutes // 60:02}:{minutes % 60:02}"
    value = f"{when.year:04}-{when:%m-%d}{between}{text}"
    assert check("date-time", [value]) is conforms("date-time", value) is (between != " ")
