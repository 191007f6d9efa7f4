"""tap-csv's columns: which type the text of a column has, and how a page of text becomes values of it.

A type is inferred only where it keeps the text's meaning to the letter: `007` and `+1` are no numbers, `1.10` keeps
its digits, an instant has an offset. Both directions work on the distinct values of a page, never value by value.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, partial
from typing import Any, Final

from singer_kit import typing as th

KINDS: Final = ("integer", "number", "boolean", "date", "date-time", "decimal", "string")
"""The types of columns, in the order in which they are preferred; `decimal` is never inferred."""

_MOST_REMEMBERED: Final = 50_000
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
_OFFSET: Final = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_TYPES: Final[Mapping[str, Callable[[], th.JSONType]]] = {
    "integer": th.IntegerType,
    "number": th.NumberType,
    "boolean": th.BooleanType,
    "date": th.DateType,
    "date-time": th.DateTimeType,
    "decimal": th.SingerDecimalType,
    "string": th.StringType,
}
_FORMATS: Final = {"date": "date", "date-time": "date-time", "singer.decimal": "decimal", "x-singer.decimal": "decimal"}


class _Reading:
    """How the text of one type looks, and what it becomes; `cast` may raise `ValueError` for what is only shaped so.

    `is_shape_enough` is true when it never does.
    """

    def __init__(self, pattern: str, cast: Callable[[str], Any], *, is_shape_enough: bool = True) -> None:
        self._pattern = pattern
        self._cast = cast
        self._is_shape_enough = is_shape_enough

    @cached_property
    def _all(self) -> Callable[[str], object]:
        # Compiled when used: all of them together cost two milliseconds at each start.
        return re.compile(rf"(?:(?:{self._pattern})\n)*+", re.ASCII).fullmatch

    @cached_property
    def _one(self) -> Callable[[str], object]:
        return re.compile(self._pattern, re.ASCII).fullmatch

    def values(self, texts: Sequence[str]) -> list[Any] | None:
        """What the texts become, None unless all of them are of this type."""
        joined = "\n".join(texts) + "\n"
        if self._all(joined) is None or joined.count("\n") != len(texts):
            return None
        try:
            return list(map(self._cast, texts))
        except ValueError:
            return None

    def fits(self, texts: Sequence[str]) -> bool:
        """Whether all the texts are of this type."""
        if not self._is_shape_enough:
            return self.values(texts) is not None
        joined = "\n".join(texts) + "\n"
        return self._all(joined) is not None and joined.count("\n") == len(texts)

    def is_one(self, text: str) -> bool:
        """Whether one text is of this type."""
        if self._one(text) is None:
            return False
        try:
            self._cast(text)
        except ValueError:
            return False
        return True


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


def _instant(text: str) -> str:
    datetime.fromisoformat(text)
    return text


_INFERRED: Final[dict[str, _Reading]] = {
    "integer": _Reading(r"0|-?[1-9][0-9]*", int),
    "number": _Reading(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?", Decimal),
    "boolean": _Reading("true|false|True|False|TRUE|FALSE", lambda text: text[0] in "tT"),
    "date": _Reading(_DAY, _day, is_shape_enough=False),
    "date-time": _Reading(f"{_DAY}T{_CLOCK}{_OFFSET}", _instant, is_shape_enough=False),
}
_DECIMAL: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_YES: Final = frozenset({"true", "t", "yes", "y", "1"})
_DECLARED: Final[dict[str, _Reading]] = {
    "integer": _Reading(r"[+-]?[0-9]+", int),
    "number": _Reading(_DECIMAL, Decimal),
    "boolean": _Reading("(?i:true|t|yes|y|1|false|f|no|n|0)", lambda text: text.lower() in _YES),
    "date": _Reading(_DAY, _day, is_shape_enough=False),
    "decimal": _Reading(_DECIMAL, str),
}


def _declared_instants(timezone: str | None) -> _Reading:
    """date-times as people write them: a blank for the T, no seconds, and no offset when `timezone` gives one."""
    shape = re.compile(
        rf"({_DAY})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9])(:[0-5][0-9](?:\.[0-9]+)?)?({_OFFSET})?", re.ASCII
    )

    def cast(text: str) -> str:
        found = shape.fullmatch(text)
        if found is None:
            raise ValueError("no date-time")
        return _instant(f"{found[1]}T{found[2]}{found[3] or ':00'}{found[4] or offset}")

    offset = "Z" if timezone == "UTC" else timezone
    pattern = rf"{_DAY}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?{_OFFSET}"
    return _Reading(pattern + ("?" if timezone else ""), cast, is_shape_enough=False)


class Inference:
    """The types that all values of a file's columns have had so far; the order of files and rows does not matter."""

    def __init__(self, null_values: Iterable[str]) -> None:
        self._nulls = frozenset(null_values) | {""}
        self._kinds: dict[str, list[str]] = {}
        self._seen: dict[str, set[str]] = {}

    def see(self, header: Sequence[str], rows: Sequence[Sequence[str]], wanted: frozenset[str]) -> None:
        """Takes the values of the wanted columns into account."""
        columns: Iterable[tuple[str, ...]] = zip(*rows, strict=True) if rows else [()] * len(header)
        for name, column in zip(header, columns, strict=True):
            if name in wanted:
                kinds = self._kinds.setdefault(name, list(_INFERRED))
                if kinds:
                    self._narrow(name, kinds, column)

    def _narrow(self, name: str, kinds: list[str], column: Sequence[str]) -> None:
        seen = self._seen.setdefault(name, set(self._nulls))
        new = list(set(column) - seen)
        if not new:
            return
        narrowest = kinds[0]
        if not _INFERRED[narrowest].fits(new):
            kinds[:] = [kind for kind in kinds[1:] if _INFERRED[kind].fits(new)]
        elif len(kinds) > 1:
            kinds[:] = [kind for kind in kinds if kind == narrowest or (narrowest, kind) == ("integer", "number")]
        if len(seen) > _MOST_REMEMBERED or not kinds:
            self._seen[name] = set(self._nulls)
        else:
            seen.update(new)

    def kind(self, name: str) -> str:
        """The type of a column: the narrowest that all its values have, `string` for one without values."""
        kinds = self._kinds.get(name)
        if not kinds or len(kinds) == len(_INFERRED):
            return "string"
        return kinds[0]


def kind_of(schema: Mapping[str, Any]) -> str:
    """The type of the column that a property's schema describes."""
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    for kind in ("integer", "number", "boolean"):
        if kind in types:
            return kind
    return _FORMATS.get(schema.get("format", ""), "string")


def property_of(name: str, kind: str, *, is_key: bool) -> th.Property:
    """The property of a column: a key has a value in every row, the others may be null."""
    return th.Property(name, _TYPES[kind](), required=is_key)


class NotOfThisTypeError(Exception):
    """Some texts of a column are not of its type; `texts` holds them, for finding the rows."""

    def __init__(self, texts: set[str]) -> None:
        super().__init__()
        self.texts = texts


class Column:
    """One column: `values` turns a page of its text into values, to be gone through once, before the next page.

    Texts in `null_values` become null, in columns that are not text the empty text too; a key is never null. Texts of
    a `declared` column may be written freely (`+1`, `007`, `yes`), those of others only as they were inferred.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        null_values: Iterable[str] = (),
        is_key: bool = False,
        is_declared: bool = False,
        timezone: str | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self._nulls = frozenset(null_values) | (frozenset() if kind == "string" else {""})
        self._is_key = is_key
        self._read: _Reading | None = None
        if kind == "date-time" and is_declared:
            self._read = _declared_instants(timezone)
        elif kind != "string":
            self._read = _DECLARED[kind] if is_declared or kind == "decimal" else _INFERRED[kind]
        self._known: dict[str, Any] = {}
        self.values: Callable[[Sequence[str]], Iterable[Any]] = (
            self._texts if self._read is None else partial(self._converted, self._read)
        )

    @property
    def fault(self) -> str:
        """What is wrong with a row whose text in this column is refused."""
        kind = {"integer": "an integer", "string": "a value"}.get(self.kind, f"a {self.kind}")
        return f"its '{self.name}' is not {kind}" + (", and it is a key" if self._is_key else "")

    def _texts(self, column: Sequence[str]) -> Sequence[Any]:
        if self._nulls.isdisjoint(column):
            return column
        if self._is_key:
            raise NotOfThisTypeError(set(self._nulls))
        return [None if text in self._nulls else text for text in column]

    def _converted(self, read: _Reading, column: Sequence[str]) -> Iterable[Any]:
        known = self._known
        new = set(column).difference(known)
        if new:
            if len(known) > _MOST_REMEMBERED:
                known.clear()
                new = set(column)
            self._learn(read, new)
        return map(known.__getitem__, column)

    def _learn(self, read: _Reading, new: set[str]) -> None:
        nulls = new & self._nulls
        texts = list(new - nulls)
        values = read.values(texts)
        bad = {text for text in texts if not read.is_one(text)} if values is None else set()
        if self._is_key:
            bad |= nulls
        if bad:
            raise NotOfThisTypeError(bad)
        self._known.update(dict.fromkeys(nulls))
        self._known.update(zip(texts, values or (), strict=True))
