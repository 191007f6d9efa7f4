"""Expressions: what is refused, and that both engines and an independent evaluator agree on the rest."""

import hashlib
import time
from fractions import Fraction

import hypothesis.strategies as st
import jsonschema
import pytest
import simpleeval
from hypothesis import given, settings

from singer_kit.batch.transform import compile_maps
from singer_kit.errors import MapError

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "ratio": {"type": "number"},
        "name": {"type": ["null", "string"]},
        "mail": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "who": {"type": ["null", "object"], "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}},
        "flag": {"type": "boolean"},
    },
    "required": ["id", "ratio", "mail", "tags", "flag", "who", "name"],
}


@pytest.mark.parametrize(
    "expression",
    [
        "().__class__",
        "''.__class__.__mro__[1].__subclasses__()",
        "name.__len__()",
        "_.__class__",
        "record._x",
        "'{0.__class__}'.format(name)",
        "name.format_map(record)",
        "name.encode()",
        "tags.append('x')",
        "record.pop('id')",
        "record.update(id=1)",
        "record.setdefault('x', 1)",
        "__import__('os')",
        "open('/etc/passwd')",
        "eval('1')",
        "exec('1')",
        "getattr(name, 'lower')",
        "type(name)",
        "globals()",
        "lambda: 1",
        "(lambda x: x)(1)",
        "[x := 1]",
        "(x := 1)",
        "await name",
        "f'{name!r}'",
        "f'{name:{id}}'",
        "f'{name:>1000000000}'",
        "md5",
        "datetime.sys",
        "datetime.datetime.__subclasses__()",
        "json.decoder",
        "json.load(name)",
        "json.dumps",
        "max(*tags)",
        "dict(**who)",
        "{**who}",
        "[*tags]",
        "id | 1",
        "id << 100",
        "~id",
        "name is mail",
        "9" * 2000,
        "1e999",
        "b'x'",
        "1j",
        "...",
        "a = 1",
        "1; 2",
        "import os",
        "",
        "   ",
        "tags[",
        "[__x for __x in tags]",
        "[tags[0] for record.x in tags]",
        "fake.email()",
        "fake",
        "nothing",
        "nothing.lower()",
        "[x for x in tags] + x",
        "'a' 'b' if",
        "(" * 500 + ")" * 500,
        "-" * 5000 + "1",
        "x" * 20000,
        "name\x00",
    ],
)
def test_refused_when_compiled(expression):
    """What the whitelist does not hold is refused before the first row."""
    with pytest.raises(MapError):
        compile_maps("s", SCHEMA, ["id"], {"stream_maps": {"s": {"x": expression}}})


# Each level doubles the text: 2 ** 40 characters.
DOUBLING = "['ab']"
for _ in range(40):
    DOUBLING = f"[? for x in {DOUBLING}]"


@pytest.mark.parametrize("engine", ["compiled", "simpleeval"])
@pytest.mark.parametrize(
    "expression",
    [
        "9 ** 9 ** 9",
        "id ** 100000",
        "2.0 ** 100000",
        "(-8) ** 0.5",
        "'a' * 10 ** 9",
        "10 ** 9 * 'a'",
        "[0] * 10 ** 9",
        "'a'.ljust(10 ** 9)",
        "'a'.zfill(10 ** 9)",
        "'a'.center(10 ** 9)",
        "'a\\t'.expandtabs(10 ** 9)",
        "('a' * 1000).replace('a', 'b' * 1000)",
        "('b' * 100000).join(tags * 1000)",
        "'%1000000000d' % id",
        "range(10 ** 12)",
        "[x for x in range(99999) for y in range(99999)]",
        "[[y for y in range(99999)] for x in range(99999)]",
        "round(5, -10 ** 9)",
        "10 ** 4000",
        "int('9' * 5000)",
        "int(float('1e400'))",
        "json.loads('[' * 100000)",
        "json.dumps(record, indent=10 ** 9)",
        "sum(range(10), [])",
        DOUBLING.replace("?", "x + x"),
        DOUBLING.replace("?", "f'{x}{x}'"),
        DOUBLING.replace("?", "''.join([x, x])"),
        "json.dumps([[[['a'] * 1000] * 1000] * 1000])",
        "str([[[['a'] * 1000] * 1000] * 1000])",
        "f'{[[[[id] * 1000] * 1000] * 1000]}'",
        "[[[id] * 1000] * 1000] * 1000",
        "datetime.datetime(9999, 12, 31) + datetime.timedelta(days=10 ** 9)",
    ],
)
def test_costly_expressions_stop_at_once(expression, engine):
    """Powers, repetitions, paddings and loops are bounded: each of these is an error within two seconds of work."""
    (mapped,) = compile_maps(
        "s", SCHEMA, ["id"], {"stream_maps": {"s": {"x": expression}}, "stream_maps_engine": engine}
    )
    started = time.process_time()
    with pytest.raises(MapError):
        mapped.apply([{"id": 7, "tags": ["a"]}])
    assert time.process_time() - started < 2.0


numbers = st.one_of(
    st.sampled_from(["id", "ratio", "who['age']", "len(tags)", "len(mail)", "0", "1", "-3", "2.5"]),
)
texts = st.sampled_from(
    ["name", "mail", "tags[0]", "who['name']", "'x'", "''", "record['mail']", "_['name']", "who.name"]
)
lists = st.sampled_from(["tags", "mail.split('@')", "[id, 1]", "[x.upper() for x in tags]", "[x for x in tags if x]"])


def _grow(children):
    numeric, text, boolean = children
    numeric = st.one_of(
        st.tuples(numeric, st.sampled_from(["+", "-", "*", "/", "//", "%"]), numeric).map(
            lambda p: f"({p[0]} {p[1]} {p[2]})"
        ),
        text.map(lambda t: f"len({t})"),
        numeric.map(lambda n: f"int({n})"),
        numeric.map(lambda n: f"float({n})"),
        numeric.map(lambda n: f"(-{n})"),
        st.tuples(numeric, boolean, numeric).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        text.map(lambda t: f"{t}.count('a')"),
    )
    text = st.one_of(
        st.tuples(text, text).map(lambda p: f"({p[0]} + {p[1]})"),
        st.tuples(text, st.sampled_from(["lower", "upper", "strip", "title"])).map(lambda p: f"{p[0]}.{p[1]}()"),
        text.map(lambda t: f"{t}[1:]"),
        text.map(lambda t: f"{t}.split('@')[-1]"),
        text.map(lambda t: f"{t}.replace('a', 'bb')"),
        text.map(lambda t: f"md5({t})"),
        numeric.map(lambda n: f"str({n})"),
        lists.map(lambda v: f"'-'.join({v})"),
        numeric.map(lambda n: n if '"' in n else f'f"<{{{n}:>4}}>"'),
        st.tuples(text, text).map(lambda p: f"({p[0]} or {p[1]})"),
        st.tuples(text, boolean).map(lambda p: f"({p[0]} if {p[1]} else None)"),
    )
    boolean = st.one_of(
        st.tuples(numeric, st.sampled_from(["<", "<=", "==", "!="]), numeric).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(text, text).map(lambda p: f"({p[0]} in {p[1]})"),
        text.map(lambda t: f"({t} is not None)"),
        text.map(lambda t: f"{t}.startswith('a')"),
        boolean.map(lambda b: f"(not {b})"),
        st.tuples(boolean, boolean).map(lambda p: f"({p[0]} and {p[1]})"),
        text.map(lambda t: f"bool({t})"),
    )
    return numeric, text, boolean


def _expressions(depth=3):
    level = (numbers, texts, st.sampled_from(["flag", "True", "bool(tags)", "id > 1"]))
    for _ in range(depth):
        grown = _grow(level)
        level = tuple(st.one_of(old, new) for old, new in zip(level, grown, strict=True))
    return st.one_of(*level, lists)


words = st.text(alphabet="ab@ É", max_size=6)
rows = st.fixed_dictionaries(
    {
        "id": st.integers(-5, 50),
        "ratio": st.sampled_from([0.5, -1.25, 0.0, 3.0]),
        "name": st.none() | words,
        "mail": words,
        "tags": st.lists(words, max_size=3),
        "who": st.none() | st.fixed_dictionaries({"name": words, "age": st.integers(0, 9)}),
        "flag": st.booleans(),
    }
)

ORACLE_FUNCTIONS = {
    **simpleeval.DEFAULT_FUNCTIONS,
    "bool": bool,
    "len": len,
    "md5": lambda text: hashlib.md5(text.encode()).hexdigest(),
}


def outcome(function):
    """What the function gives, or that it fails."""
    try:
        return "value", function()
    except Exception:  # noqa: BLE001 - any failure is a failure
        return "error", None


@settings(max_examples=300, deadline=None)
@given(_expressions(), rows)
def test_compiled_equals_simpleeval_and_keeps_its_schema(expression, row):
    """The compiled function, simpleeval on the lowered tree and simpleeval on the text agree, errors included.

    What they give is valid under the schema that was derived from the text alone.
    """

    def through(engine):
        maps = {"stream_maps": {"s": {"x": expression}}, "stream_maps_engine": engine}
        (mapped,) = compile_maps("s", SCHEMA, ["id"], maps)
        return mapped, outcome(lambda: mapped.apply([dict(row)])[0]["x"])

    mapped, compiled = through("compiled")
    _, interpreted = through("simpleeval")
    names = {**row, "record": row, "_": row}
    oracle = outcome(lambda: simpleeval.EvalWithCompoundTypes(names=names, functions=ORACLE_FUNCTIONS).eval(expression))
    assert compiled == interpreted
    assert compiled == oracle
    if compiled[0] == "value":
        jsonschema.validate(compiled[1], mapped.schema["properties"]["x"])


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=3),
)
@settings(max_examples=100, deadline=None)
def test_decimal_arithmetic_is_exact(a, b):
    """Sums, differences and products of decimals are exact; floor and remainder go together as with integers."""
    schema = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}}
    maps = {"s": {"sum": "a + b", "less": "a - b", "times": "a * b"}}
    if b:
        maps["s"] |= {"floor": "a // b", "rest": "a % b"}
    (mapped,) = compile_maps("s", schema, [], {"stream_maps": maps})
    (row,) = mapped.apply([{"a": a, "b": b}])
    left, right = Fraction(a), Fraction(b)
    assert Fraction(row["sum"]) == left + right
    assert Fraction(row["less"]) == left - right
    assert Fraction(row["times"]) == left * right
    if b:
        assert Fraction(row["floor"]) == left // right
        assert Fraction(row["rest"]) == left % right
