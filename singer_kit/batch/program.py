"""One Python function per stream map, generated from checked expressions; a failing line names its property.

What is compiled comes from `expressions` alone, whose syntax trees hold nothing that is not in the table of
calls. This module must not parse text.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import CodeType, TracebackType
from typing import Any, Final, TypeAlias
from uuid import UUID

from singer_kit.batch.calls import STEPS, TooLargeError
from singer_kit.batch.expressions import NAMESPACE, Expression, evaluator
from singer_kit.codec import JSON, to_builtins
from singer_kit.errors import MapError

__all__ = ["Program", "RowError", "compile_program"]

Row = dict[str, Any]
Run: TypeAlias = Callable[[list[Row], list[Row], list[Any]], tuple[list[Row], list[Any]]]
_FILE: Final = "<stream map>"
_FIRST_LINE: Final = 10
_NATIVE: Final = frozenset({datetime, date, time, timedelta, UUID, dict, list, tuple})
_MISSING: Final = object()


class RowError(Exception):
    """An expression failed on a row; says which, and why without any value."""

    def __init__(self, name: str, text: str, reason: str) -> None:
        super().__init__(name)
        self.name = name
        self.text = text
        self.reason = reason


class Program:
    """Maps rows; `computed` are its computed properties."""

    def __init__(
        self,
        run: Run,
        steps: Sequence[tuple[str, Expression]],
        computed: Sequence[tuple[str, Expression]],
    ) -> None:
        self._run = run
        self._steps = list(steps)
        self.computed = [(name, expression) for name, expression in computed if expression.field is None]
        self._fields = sorted(frozenset().union(*(e.fields for _, e in steps if e.field is None)) if steps else ())
        self._whole = any(expression.reads_record for _, expression in steps)

    @staticmethod
    def constant(expression: Expression) -> Any:
        """What an expression without fields gives."""
        return eval(_expression_code(expression), dict(NAMESPACE), {"record": {}, "left": [STEPS]})  # noqa: S307 - whitelisted

    def run(self, rows: list[Row], companions: list[Any]) -> tuple[list[Row], list[Any]]:
        """New rows for those that pass the filter, and their companions. Raises `RowError`."""
        try:
            return self._run(rows, self._as_sent(rows), companions)
        except (MapError, RowError):
            raise
        except Exception as error:  # noqa: BLE001 - fails closed, whatever it is
            line = _failing_line(error.__traceback__)
            name, expression = self._steps[(line or _FIRST_LINE) - _FIRST_LINE]
            raise RowError(name, expression.text, _reason(error)) from None

    def _as_sent(self, rows: list[Row]) -> list[Row]:
        """The rows as expressions see them: instants.

        Dates and the like as the text that goes on the wire.
        """
        if self._whole:
            if any(_NATIVE.intersection(map(type, row.values())) for row in rows):
                plain: list[Row] = to_builtins(rows, builtin_types=(Decimal,))
                return plain
            return rows
        for name in self._fields:
            column = [row.get(name, _MISSING) for row in rows]
            if _NATIVE.intersection(map(type, column)):
                sent = to_builtins([None if value is _MISSING else value for value in column], builtin_types=(Decimal,))
                rows = [
                    row if value is _MISSING else {**row, name: value} for row, value in zip(rows, sent, strict=True)
                ]
        return rows


def _failing_line(traceback: TracebackType | None) -> int | None:
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _reason(error: Exception) -> str:
    if isinstance(error, TooLargeError):
        return "the result would be too large"
    if isinstance(error, KeyError):
        return "an object lacks the member that is asked for (KeyError)"
    return {
        "TypeError": "a value has a type that the expression does not take, null perhaps (TypeError)",
        "ValueError": "a value is not what the expression takes (ValueError)",
        "IndexError": "a list or a text is shorter than the expression takes (IndexError)",
        "ZeroDivisionError": "division by zero",
        "DivisionByZero": "division by zero",
        "RecursionError": "a value is nested too deeply",
    }.get(type(error).__name__, f"it cannot be computed ({type(error).__name__})")


def _expression_code(expression: Expression) -> CodeType:
    return compile(ast.fix_missing_locations(ast.Expression(expression.code)), _FILE, "eval")


def compile_program(
    properties: Mapping[str, JSON],
    *,
    filter_: Expression | None,
    computed: Sequence[tuple[str, Expression]],
    removed: Sequence[str],
    kept: Sequence[str] | None,
    engine: str = "compiled",
) -> Program:
    """The program of one map; `kept` names what an unmapped row keeps, None everything.

    `engine` is `compiled` or `simpleeval`; both give the same rows.
    """
    steps = [("__filter__", filter_)] if filter_ is not None else []
    named = [*steps, *computed]
    if engine == "simpleeval":
        return Program(_interpreted(properties, filter_, computed, removed, kept), named, computed)
    if engine != "compiled":
        raise MapError(f"stream_maps_engine is 'compiled' or 'simpleeval', not '{engine}'.")
    module = ast.parse(_frame(removed, kept, filters=filter_ is not None), filename=_FILE)
    function = module.body[0]
    assert isinstance(function, ast.FunctionDef)  # noqa: S101 - the frame above is ours
    loop = function.body[-2]
    assert isinstance(loop, ast.For)  # noqa: S101 - the frame above is ours
    body: list[ast.stmt] = list(_loads(properties, [expression for _, expression in named]))
    if any(expression.loops for _, expression in named):
        body += ast.parse(f"left = [{STEPS}]").body
    if filter_ is not None:
        body.append(ast.If(test=ast.UnaryOp(ast.Not(), filter_.code), body=[ast.Continue()], orelse=[]))
    marks = [(body[-1], 0)] if filter_ is not None else []
    last = 1 if filter_ is None else 2
    body += loop.body[:-last]
    for number, (name, expression) in enumerate(computed, start=len(steps)):
        statement = _assignment(name, expression)
        marks.append((statement, number))
        body.append(statement)
    loop.body = [*body, *loop.body[-last:]]
    for node in ast.walk(module):
        node.__dict__.update(lineno=1, end_lineno=1, col_offset=0, end_col_offset=0)
    for statement, number in marks:
        for node in ast.walk(statement):
            node.__dict__.update(lineno=_FIRST_LINE + number, end_lineno=_FIRST_LINE + number)
    return Program(_function(compile(module, _FILE, "exec"), filter_, computed), named, computed)


def _function(code: CodeType, filter_: Expression | None, computed: Sequence[tuple[str, Expression]]) -> Any:
    config = next((e.config for e in [filter_, *(e for _, e in computed)] if e is not None), {})
    namespace = {**NAMESPACE, "config": config, "zip": zip, "dict": dict, "missing": _MISSING}
    exec(code, namespace)  # noqa: S102 - whitelisted syntax trees, no builtins
    return namespace["run"]


def _frame(removed: Sequence[str], kept: Sequence[str] | None, *, filters: bool) -> str:
    """The function around the expressions; the loop is its last statement but one."""
    if kept is None:
        body = ["new = row.copy()", *(f"new.pop({name!r}, None)" for name in removed)]
    else:
        body = ["new = {}", *(f"if {name!r} in row: new[{name!r}] = row[{name!r}]" for name in kept)]
    head, last = "for row, record in zip(rows, records):", "append(new)"
    start = ["out = []", "append = out.append"]
    if filters:
        head, last = "for row, record, mate in zip(rows, records, mates):", "append(new); keep(mate)"
        start += ["kept = []", "keep = kept.append"]
    lines = [*start, head, *(f" {line}" for line in [*body, last]), f"return out, {'kept' if filters else 'mates'}"]
    return "\n".join(["def run(rows, records, mates):", *(f" {line}" for line in lines)])


def _loads(properties: Mapping[str, JSON], expressions: Sequence[Expression]) -> list[ast.stmt]:
    used = frozenset().union(*(e.fields for e in expressions if e.field is None)) if expressions else frozenset()
    source = "\n".join(f"n_{i} = record.get({name!r})" for i, name in enumerate(properties) if name in used)
    return ast.parse(source).body


def _assignment(name: str, expression: Expression) -> ast.stmt:
    """A field that is copied stays absent when it is absent; everything else is computed."""
    if expression.field is None:
        target = ast.Subscript(ast.Name("new", ast.Load()), ast.Constant(name), ast.Store())
        return ast.Assign(targets=[target], value=expression.code)
    source = f"if {expression.field!r} in row: new[{name!r}] = row[{expression.field!r}]\nelse: new.pop({name!r}, None)"
    return ast.parse(source).body[0]


def _interpreted(
    properties: Mapping[str, JSON],
    filter_: Expression | None,
    computed: Sequence[tuple[str, Expression]],
    removed: Sequence[str],
    kept: Sequence[str] | None,
) -> Run:
    config = next((e.config for e in [filter_, *(e for _, e in computed)] if e is not None), {})
    evaluate = evaluator(config)

    def value_of(name: str, expression: Expression, record: Row) -> Any:
        names = {f"n_{i}": record.get(field) for i, field in enumerate(properties) if field in expression.fields}
        try:
            return evaluate(expression, {"record": record, **names})
        except Exception as error:  # noqa: BLE001 - fails closed, whatever it is
            raise RowError(name, expression.text, _reason(error)) from None

    def run(rows: list[Row], records: list[Row], mates: list[Any]) -> tuple[list[Row], list[Any]]:
        out, passed = [], []
        for row, record, mate in zip(rows, records, mates, strict=True):
            if filter_ is not None and not value_of("__filter__", filter_, record):
                continue
            new = row.copy() if kept is None else {name: row[name] for name in kept if name in row}
            for name in removed:
                new.pop(name, None)
            for name, expression in computed:
                if expression.field is None:
                    new[name] = value_of(name, expression, record)
                elif expression.field in row:
                    new[name] = row[expression.field]
                else:
                    new.pop(name, None)
            out.append(new)
            passed.append(mate)
        return out, passed

    return run
