"""What a record type cannot say, judged a column at a time after decoding.

Each check takes all values of one place at once. It must not look at records one by one.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Any, TypeAlias

from singer_kit.schema.formats import ColumnCheck, format_check
from singer_kit.schema.kinds import Array, Boolean, Number, Object, Text
from singer_kit.schema.numbers import are_multiples, is_whole

__all__ = [
    "are_whole",
    "array_check",
    "boolean_check",
    "field_check",
    "mapping_check",
    "number_check",
    "struct_check",
    "text_check",
]

Types: TypeAlias = tuple[type, ...]


def text_check(spec: Text) -> ColumnCheck | None:
    """The check of a column of str."""
    checks: list[ColumnCheck] = []
    if spec.allowed is not None:
        checks.append(spec.allowed.issuperset)
    if spec.shortest or spec.longest is not None:
        checks.append(_length_check(spec.shortest, spec.longest))
    checks += filter(None, map(format_check, sorted(spec.formats)))
    checks += [_pattern_check(pattern) for pattern in sorted(spec.patterns)]
    return _all_of(checks)


def _length_check(fewest: int, most: int | None) -> ColumnCheck:
    def check(values: list[Any]) -> bool:
        lengths = set(map(len, values))
        return min(lengths) >= fewest and (most is None or max(lengths) <= most)

    return check


def _pattern_check(pattern: str) -> ColumnCheck:
    search = re.compile(pattern).search
    return lambda values: all(map(search, set(values)))


def number_check(spec: Number) -> ColumnCheck | None:
    """The check of a column of int and Decimal; that they are whole is not looked at."""
    checks: list[ColumnCheck] = []
    if spec.allowed is not None:
        checks.append(spec.allowed.issuperset)
    checks += [_BOUNDS[keyword](limit) for keyword, limit in spec.bounds]
    checks += [partial(_are_multiples, divisor) for divisor in spec.multiples]
    return _all_of(checks)


_BOUNDS: Mapping[str, Callable[[int | Decimal], ColumnCheck]] = {
    "minimum": lambda limit: lambda values: bool(min(values) >= limit),
    "exclusiveMinimum": lambda limit: lambda values: bool(min(values) > limit),
    "maximum": lambda limit: lambda values: bool(max(values) <= limit),
    "exclusiveMaximum": lambda limit: lambda values: bool(max(values) < limit),
}


def are_whole(values: list[Any]) -> bool:
    """Whether a column of numbers has no fraction in it."""
    return all(map(is_whole, values))


def _are_multiples(divisor: int | Decimal, values: list[Any]) -> bool:
    return are_multiples(values, divisor)


def boolean_check(spec: Boolean) -> ColumnCheck | None:
    """The check of a column of bool."""
    return None if spec == Boolean() else spec.allowed.issuperset


def array_check(spec: Array, item_check: ColumnCheck | None) -> ColumnCheck | None:
    """The check of a column of lists; `item_check` gets all their items as one column."""
    checks: list[ColumnCheck] = []
    if spec.fewest or spec.most is not None:
        checks.append(_length_check(spec.fewest, spec.most))
    if item_check is not None:
        checks.append(_on_all(item_check))
    if spec.is_unique:  # after the items: they are scalars now, and so have a hash
        checks.append(lambda values: all(len(set(value)) == len(value) for value in values))
    return _all_of(checks)


def mapping_check(spec: Object, value_check: ColumnCheck | None) -> ColumnCheck | None:
    """The check of a column of dicts that declare no properties."""
    checks: list[ColumnCheck] = []
    if spec.required:
        checks.append(lambda values: all(map(spec.required.issubset, values)))
    if spec.fewest or spec.most is not None:
        checks.append(_length_check(spec.fewest, spec.most))
    if value_check is not None:
        on_all = _on_all(value_check)
        checks.append(lambda values: on_all([mapping.values() for mapping in values]))
    return _all_of(checks)


def _on_all(check: ColumnCheck) -> ColumnCheck:
    def flattened(values: list[Any]) -> bool:
        items = list(chain.from_iterable(values))
        return not items or check(items)

    return flattened


def struct_check(fields: Iterable[tuple[str, ColumnCheck]]) -> ColumnCheck | None:
    """The check of a column of structs: each named attribute is a column of its own."""
    columns = [(attrgetter(name), check) for name, check in fields]
    if not columns:
        return None

    def check_columns(values: list[Any]) -> bool:
        return all(check(list(map(get, values))) for get, check in columns)

    return check_columns


def field_check(
    parts: Iterable[tuple[Types, ColumnCheck | None]], allowed: frozenset[type] | None
) -> ColumnCheck | None:
    """The check of a column of mixed types: each part gets the values of its own types.

    `allowed` lists the types that may occur, or is None when decoding has seen to that.
    """
    checks: list[ColumnCheck] = []
    if allowed is not None:
        checks.append(lambda values: allowed.issuperset(map(type, values)))
    checks += [_on_types(types, check) for types, check in parts if check is not None]
    return _all_of(checks)


def _on_types(types: Types, check: ColumnCheck) -> ColumnCheck:
    if len(types) == 1:
        (only,) = types

        def check_one(values: list[Any]) -> bool:
            chosen = [value for value in values if type(value) is only]
            return not chosen or check(chosen)

        return check_one

    def check_several(values: list[Any]) -> bool:
        chosen = [value for value in values if type(value) in types]
        return not chosen or check(chosen)

    return check_several


def _all_of(checks: list[ColumnCheck]) -> ColumnCheck | None:
    if len(checks) < 2:
        return checks[0] if checks else None
    return lambda values: all(check(values) for check in checks)
