"""The expressions of stream maps: checked against a whitelist, typed, and turned into plain Python.

The one door to simpleeval, which evaluates the same expressions slowly (setting `stream_maps_engine:
simpleeval`). A checked expression holds only operators, comparisons, subscripts, loops of bounded length and
calls of the table in `calls`; it has no attribute and reaches no object but JSON values. This module must not
know what a map is.
"""

import ast
from collections.abc import Callable, Mapping
from datetime import UTC
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from singer_kit.batch import calls
from singer_kit.batch.kinds import (
    ANY,
    KINDS,
    Kind,
    either,
    kind_if_only,
    kind_of,
    kind_of_arithmetic,
    kind_of_item,
    kind_of_result,
    kind_of_value,
)
from singer_kit.codec import JSON, Struct
from singer_kit.errors import MapError

__all__ = ["NAMESPACE", "Expression", "Scope", "evaluator", "parse_expression"]

LONGEST: Final = 10_000
"""Characters an expression may have."""
_RECORD_NAMES: Final = frozenset({"record", "_"})
_OPERATOR_SIGNS: Final = {
    "BitOr": "|",
    "BitAnd": "&",
    "BitXor": "^",
    "LShift": "<<",
    "RShift": ">>",
    "MatMult": "@",
}


def _flat(name: str) -> str:
    return name.replace(".", "__")


NAMESPACE: Final[dict[str, Any]] = {
    "__builtins__": {},
    **{f"o_{name}": operator for name, operator in calls.OPERATORS.items()},
    **{f"f_{_flat(name)}": function for name, (function, _) in calls.FUNCTIONS.items()},
    **{f"m_{name}": method for name, (method, _) in calls.METHODS.items()},
    **{f"a_{name}": read for name, read in calls.ATTRIBUTES.items()},
    "item": dict.__getitem__,
    "loop": calls.bounded,
    "shown": calls.format_text,
    "joined": calls.join_texts,
    "utc": UTC,
}
"""The names that checked expressions use for what they call.

`n_0`, `n_1` ... are the fields, `v_x` a loop's x.
"""


class Scope(Struct, frozen=True):
    """What an expression may name: the stream's declared fields and the constants of its map."""

    stream: str
    source: str
    schema: dict[str, JSON]
    config: Mapping[str, JSON]
    target: str = ""

    @property
    def properties(self) -> dict[str, JSON]:
        """The declared properties."""
        declared = self.schema.get("properties")
        return declared if isinstance(declared, dict) else {}

    def kind_of_field(self, name: str) -> Kind:
        """The kind that an expression reads for a declared field."""
        required = self.schema.get("required")
        return kind_of(self.properties[name], may_be_absent=not (isinstance(required, list) and name in required))

    def aimed_at(self, name: str) -> "Scope":
        """This scope for the map of one property, whose own value is `self`."""
        return Scope(self.stream, self.source, self.schema, self.config, name)

    def local(self, name: str) -> str:
        """The name a field's value has inside compiled code."""
        return f"n_{list(self.properties).index(name)}"


class Expression(Struct, frozen=True):
    """A checked expression: `code` is its lowered syntax tree, `kind` what it gives."""

    text: str
    code: ast.expr
    kind: Kind
    fields: frozenset[str]
    """The declared fields it reads."""
    reads_record: bool
    """Whether it reads the record as a whole."""
    loops: bool
    field: str | None
    """The declared field whose value it is, untouched; None when it computes."""
    config: Mapping[str, JSON]


def parse_expression(text: str, scope: Scope, *, may_copy: bool = True) -> Expression:
    """`text`, checked and typed. Raises `MapError` that says what is not offered and what is.

    With `may_copy` an expression that only names a declared field is marked as a copy of it.
    """
    if len(text) > LONGEST:
        _refuse(f"it is longer than {LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        lowering = _Lowering(scope)
        code, kind = lowering.lower(tree.body)
    except (SyntaxError, ValueError):
        raise MapError("it is not an expression") from None
    except (RecursionError, MemoryError):
        raise MapError("it is nested too deeply") from None
    return Expression(
        text=text,
        code=code,
        kind=kind,
        fields=frozenset(lowering.fields),
        reads_record=lowering.reads_record,
        loops=lowering.loops,
        field=_plain_field(tree.body, scope) if may_copy else None,
        config=scope.config,
    )


def _plain_field(node: ast.expr, scope: Scope) -> str | None:
    name: object = None
    if isinstance(node, ast.Name):
        name = scope.target if node.id == "self" else node.id
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in _RECORD_NAMES:
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
    return name if isinstance(name, str) and name in scope.properties else None


def _refuse(reason: str) -> NoReturn:
    raise MapError(reason)


def _nearest(name: str, offered: Any) -> str:
    found = get_close_matches(name, list(offered), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def _call(function: str, *args: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    return ast.Call(func=ast.Name(id=function, ctx=ast.Load()), args=list(args), keywords=keywords or [])


Lowered = tuple[ast.expr, Kind]


class _Lowering:
    """One walk over the syntax tree: refuses what is not offered, rewrites the rest.

    And says what it gives.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.fields: set[str] = set()
        self.reads_record = False
        self.loops = False
        self.variables: dict[str, Kind] = {}

    def lower(self, node: ast.expr) -> Lowered:
        method: Callable[[Any], Lowered] | None = getattr(self, f"_lower_{type(node).__name__.lower()}", None)
        if method is None:
            _refuse(f"{_NODE_WORDS.get(type(node).__name__, type(node).__name__)} is not offered in expressions")
        return method(node)

    def _all(self, nodes: list[ast.expr]) -> list[ast.expr]:
        return [self.lower(node)[0] for node in nodes]

    def _lower_constant(self, node: ast.Constant) -> Lowered:
        value = node.value
        if value is None or isinstance(value, (bool, str)):
            pass
        elif isinstance(value, int):
            if value.bit_length() > calls.MOST_BITS:
                _refuse("it holds an integer that is too large")
        elif not isinstance(value, float) or value - value != 0:
            _refuse("it holds a constant that JSON cannot say")
        return ast.Constant(value=value), kind_of_value(value)

    def _lower_name(self, node: ast.Name) -> Lowered:
        name, scope = node.id, self.scope
        if name in self.variables:
            return ast.Name(id=f"v_{name}", ctx=ast.Load()), self.variables[name]
        if name == "self" and scope.target in scope.properties:
            return self._field(scope.target)
        if name in _RECORD_NAMES:
            self.reads_record = True
            return ast.Name(id="record", ctx=ast.Load()), KINDS["object"]
        if name == "config":
            return ast.Name(id="config", ctx=ast.Load()), KINDS["object"]
        if name in ("__stream_name__", "__original_stream_name__"):
            text = scope.stream if name == "__stream_name__" else scope.source
            return ast.Constant(value=text), KINDS["string"]
        if name in scope.properties:
            return self._field(name)
        if name == "fake":
            _refuse("it makes up data with `fake`, which is not offered; hash or mask the value instead")
        if name == "self":
            _refuse(f"`self` is the value of '{scope.target}', which the stream does not declare")
        if name in calls.FUNCTIONS or name in ("datetime", "json"):
            _refuse(f"'{name}' is a function: it needs its call")
        _refuse(f"the stream has no property '{name}'{_nearest(name, scope.properties)}")

    def _field(self, name: str) -> Lowered:
        self.fields.add(name)
        return ast.Name(id=self.scope.local(name), ctx=ast.Load()), self.scope.kind_of_field(name)

    def _lower_subscript(self, node: ast.Subscript) -> Lowered:
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(node.value, ast.Name) and node.value.id not in self.variables:
            if node.value.id in _RECORD_NAMES and isinstance(key, str) and key in self.scope.properties:
                return self._field(key)
            if node.value.id == "config" and isinstance(key, str):
                if key not in self.scope.config:
                    _refuse(f"stream_map_config has no '{key}'{_nearest(key, self.scope.config)}")
                kind = kind_of_value(self.scope.config[key])
                return self._subscript(self.lower(node.value)[0], ast.Constant(value=key)), kind
        value, kind = self.lower(node.value)
        if isinstance(node.slice, ast.Slice):
            parts = [None if part is None else self.lower(part)[0] for part in _parts_of(node.slice)]
            lowered = ast.Slice(lower=parts[0], upper=parts[1], step=parts[2])
            same = kind.is_only("string", "array", "null")
            return self._subscript(value, lowered), Kind(kind.types - {"null"}, items=kind.items) if same else ANY
        return self._subscript(value, self.lower(node.slice)[0]), kind_of_item(kind, key)

    @staticmethod
    def _subscript(value: ast.expr, key: ast.expr) -> ast.expr:
        return ast.Subscript(value=value, slice=key, ctx=ast.Load())

    def _lower_attribute(self, node: ast.Attribute) -> Lowered:
        if _dotted(node) == "datetime.timezone.utc" and "datetime" not in self.scope.properties:
            return ast.Name(id="utc", ctx=ast.Load()), ANY
        if node.attr.startswith("_"):
            _refuse(f"'.{node.attr}' is not offered")
        if node.attr in calls.METHODS:
            _refuse(f"'.{node.attr}' is a method: it needs its call")
        if isinstance(node.value, ast.Name) and node.value.id in _RECORD_NAMES and node.attr in self.scope.properties:
            return self._field(node.attr)
        value, kind = self.lower(node.value)
        if node.attr in calls.ATTRIBUTES:
            known = kind.is_only("date", "instant", "span")
            return _call(f"a_{node.attr}", value), KINDS["integer"] if known else ANY
        return _call("item", value, ast.Constant(value=node.attr)), kind_of_item(kind, node.attr)

    def _lower_call(self, node: ast.Call) -> Lowered:
        if any(isinstance(argument, ast.Starred) for argument in node.args) or any(
            keyword.arg is None for keyword in node.keywords
        ):
            _refuse("a call with * or ** is not offered")
        arguments = [self.lower(argument) for argument in node.args]
        keywords = [ast.keyword(arg=keyword.arg, value=self.lower(keyword.value)[0]) for keyword in node.keywords]
        codes, kinds = [code for code, _ in arguments], [kind for _, kind in arguments]
        name = _dotted(node.func)
        if name in calls.FUNCTIONS and ("." not in name or name.split(".")[0] not in self.scope.properties):
            gives = calls.FUNCTIONS[name][1]
            return _call(f"f_{_flat(name)}", *codes, keywords=keywords), kind_of_result(name, gives, kinds)
        if name.startswith(("datetime.", "json.")) and name.split(".")[0] not in self.scope.properties:
            _refuse(f"'{name}' is not offered{_nearest(name, calls.FUNCTIONS)}")
        if isinstance(node.func, ast.Attribute):
            method = node.func.attr
            if method not in calls.METHODS:
                _refuse(f"the method '.{method}' is not offered{_nearest(method, calls.METHODS)}")
            value, kind = self.lower(node.func.value)
            gives = calls.METHODS[method][1]
            return _call(f"m_{method}", value, *codes, keywords=keywords), self._kind_of_method(
                node, method, gives, kind
            )
        if isinstance(node.func, ast.Name):
            if name == "fake":
                self.lower(node.func)
            _refuse(f"the function '{name}' is not offered{_nearest(name, calls.FUNCTIONS)}")
        _refuse("only functions and methods can be called")

    def _kind_of_method(self, node: ast.Call, method: str, gives: str, kind: Kind) -> Kind:
        if gives == "replaced":
            return kind if kind.is_only("date") or kind.is_only("instant") else kind_if_only(kind, "string")
        if (
            method == "get"
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.func, ast.Attribute)
        ):
            key = node.args[0].value
            whole = isinstance(node.func.value, ast.Name) and node.func.value.id in _RECORD_NAMES
            if whole and isinstance(key, str) and key in self.scope.properties:
                found = self.scope.kind_of_field(key)
            else:
                found = kind_of_item(kind, key)
            default = self.lower(node.args[1])[1] if len(node.args) > 1 else KINDS["null"]
            return either(found, default)
        return KINDS[gives]

    def _lower_binop(self, node: ast.BinOp) -> Lowered:
        name = type(node.op).__name__
        if name not in calls.OPERATORS:
            _refuse(f"the operator {_OPERATOR_SIGNS.get(name, name)} is not offered")
        (left, a), (right, b) = self.lower(node.left), self.lower(node.right)
        return _call(f"o_{name}", left, right), kind_of_arithmetic(name, a, b)

    def _lower_unaryop(self, node: ast.UnaryOp) -> Lowered:
        value, kind = self.lower(node.operand)
        if isinstance(node.op, ast.Not):
            return ast.UnaryOp(op=ast.Not(), operand=value), KINDS["boolean"]
        if isinstance(node.op, ast.Invert):
            _refuse("the operator ~ is not offered")
        return ast.UnaryOp(op=node.op, operand=value), kind_of_arithmetic("Sub", kind, kind)

    def _lower_boolop(self, node: ast.BoolOp) -> Lowered:
        lowered = [self.lower(value) for value in node.values]
        kind = lowered[0][1]
        for _, other in lowered[1:]:
            kind = either(kind, other)
        return ast.BoolOp(op=node.op, values=[code for code, _ in lowered]), kind

    def _lower_compare(self, node: ast.Compare) -> Lowered:
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.Is, ast.IsNot)) and not (
                isinstance(right, ast.Constant) and (right.value is None or isinstance(right.value, bool))
            ):
                _refuse("`is` compares with None, True or False only; say `==`")
        left = self.lower(node.left)[0]
        return ast.Compare(left=left, ops=node.ops, comparators=self._all(node.comparators)), KINDS["boolean"]

    def _lower_ifexp(self, node: ast.IfExp) -> Lowered:
        test = self.lower(node.test)[0]
        (body, a), (orelse, b) = self.lower(node.body), self.lower(node.orelse)
        return ast.IfExp(test=test, body=body, orelse=orelse), either(a, b)

    def _lower_list(self, node: ast.List) -> Lowered:
        return ast.List(elts=self._all(node.elts), ctx=ast.Load()), KINDS["array"]

    def _lower_tuple(self, node: ast.Tuple) -> Lowered:
        return ast.Tuple(elts=self._all(node.elts), ctx=ast.Load()), KINDS["array"]

    def _lower_set(self, node: ast.Set) -> Lowered:
        return ast.Set(elts=self._all(node.elts)), KINDS["set"]

    def _lower_dict(self, node: ast.Dict) -> Lowered:
        keys = [key for key in node.keys if key is not None]
        if len(keys) < len(node.keys):
            _refuse("** in an object is not offered")
        return ast.Dict(keys=list(self._all(keys)), values=self._all(node.values)), KINDS["object"]

    def _lower_joinedstr(self, node: ast.JoinedStr) -> Lowered:
        return _call("joined", *self._all(node.values)), KINDS["string"]

    def _lower_formattedvalue(self, node: ast.FormattedValue) -> Lowered:
        if node.conversion not in (-1, ord("s")):
            _refuse("!r and !a in an f-string are not offered")
        value = _call("f_str", self.lower(node.value)[0]) if node.conversion == ord("s") else self.lower(node.value)[0]
        if node.format_spec is None:
            return _call("shown", value), KINDS["string"]
        parts = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else [node.format_spec]
        if not all(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts):
            _refuse("a computed format in an f-string is not offered")
        spec = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
        if any(int(digits) > calls.MOST_DIGITS for digits in _numbers_in(spec)):
            _refuse("a format in an f-string is too wide")
        return _call("shown", value, ast.Constant(value=spec)), KINDS["string"]

    def _lower_listcomp(self, node: ast.ListComp | ast.GeneratorExp) -> Lowered:
        outer = dict(self.variables)
        generators = self._generators(node.generators)
        element, kind = self.lower(node.elt)
        self.variables = outer
        return ast.ListComp(elt=element, generators=generators), Kind(frozenset({"array"}), items=kind)

    _lower_generatorexp = _lower_listcomp

    def _lower_dictcomp(self, node: ast.DictComp) -> Lowered:
        outer = dict(self.variables)
        generators = self._generators(node.generators)
        key, value = self.lower(node.key)[0], self.lower(node.value)[0]
        self.variables = outer
        return ast.DictComp(key=key, value=value, generators=generators), KINDS["object"]

    def _generators(self, nodes: list[ast.comprehension]) -> list[ast.comprehension]:
        self.loops = True
        lowered = []
        for node in nodes:
            if node.is_async:
                _refuse("async is not offered")
            values, kind = self.lower(node.iter)
            target = self._target(node.target, kind.items if kind.is_only("array") and kind.items else ANY)
            lowered.append(
                ast.comprehension(
                    target=target,
                    iter=_call("loop", values, ast.Name(id="left", ctx=ast.Load())),
                    ifs=self._all(node.ifs),
                    is_async=0,
                )
            )
        return lowered

    def _target(self, node: ast.expr, kind: Kind) -> ast.expr:
        if isinstance(node, ast.Name):
            if node.id.startswith("__"):
                _refuse("a loop's name does not begin with __")
            self.variables[node.id] = kind
            return ast.Name(id=f"v_{node.id}", ctx=ast.Store())
        if isinstance(node, (ast.Tuple, ast.List)):
            return ast.Tuple(elts=[self._target(part, ANY) for part in node.elts], ctx=ast.Store())
        _refuse("a loop names its values plainly")


_NODE_WORDS: Final = {
    "Lambda": "lambda",
    "NamedExpr": ":=",
    "Await": "await",
    "Yield": "yield",
    "Starred": "*",
}


def _dotted(node: ast.expr) -> str:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def _parts_of(node: ast.Slice) -> tuple[ast.expr | None, ast.expr | None, ast.expr | None]:
    return node.lower, node.upper, node.step


def _numbers_in(spec: str) -> list[str]:
    return "".join(sign if sign.isdigit() else " " for sign in spec).split()


def evaluator(config: Mapping[str, JSON]) -> Callable[[Expression, Mapping[str, Any]], Any]:
    """A function that evaluates checked expressions with simpleeval: slower, for comparison and distrust.

    Its second argument holds the values of `record` and the fields by their local names.
    """
    try:
        import simpleeval  # noqa: PLC0415 - its door; an extra, used only when asked for
    except ImportError:
        raise MapError("The engine simpleeval is not installed.", next_step="pip install 'singer-kit[maps]'") from None

    class Engine(simpleeval.EvalWithCompoundTypes):  # type: ignore[misc]  # simpleeval has no types
        """simpleeval without its walk through every value for modules: a checked tree can reach none."""

        def _check_disallowed_items(self, item: Any) -> None:
            """All that is here comes from the record, the settings or the table of calls."""

    engine = Engine(functions={name: value for name, value in NAMESPACE.items() if callable(value)})

    def evaluate(expression: Expression, names: Mapping[str, Any]) -> Any:
        engine.names = {**names, "config": config, "utc": UTC, "left": [calls.STEPS]}
        return engine.eval(expression.text, previously_parsed=expression.code)

    return evaluate
