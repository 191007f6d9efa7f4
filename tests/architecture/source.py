"""The package's source as data: modules, what each imports and where."""

import ast
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "singer_kit"


class Import(NamedTuple):
    """One imported module. `names` are what a `from` takes; a type checker's imports are not run."""

    module: str
    names: tuple[str, ...]
    line: int
    in_function: bool
    for_types_only: bool


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(module: str) -> tuple[Import, ...]:
    """What a module imports, at once or `late`; `from package import module` is told as the module it means."""
    found: list[Import] = []

    def visit(node: ast.AST, in_function: bool, for_types: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inside = in_function or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            types = for_types or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test))
            if isinstance(child, ast.Import):
                found.extend(Import(name.name, (), child.lineno, inside, types) for name in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{module}:{child.lineno}: relative import"
                base = child.module or ""
                submodules = [name.name for name in child.names if f"{base}.{name.name}" in modules()]
                others = tuple(name.name for name in child.names if name.name not in submodules)
                found.extend(Import(f"{base}.{name}", (), child.lineno, inside, types) for name in submodules)
                if others:
                    found.append(Import(base, others, child.lineno, inside, types))
            elif isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == "late":
                assert isinstance(child.args[0], ast.Constant), f"{module}:{child.lineno}: late() without a name"
                # Loaded later, but imported all the same; inside of a function it would be hidden from readers.
                found.append(Import(str(child.args[0].value), (), child.lineno, in_function, types))
            elif isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == "late":
                target = child.args[0]
                assert isinstance(target, ast.Constant), f"{module}:{child.lineno}: late() takes a literal name"
                found.append(Import(str(target.value), (), child.lineno, inside, types))
            visit(child, inside, types)

    visit(ast.parse(modules()[module].read_text("utf-8")), in_function=False, for_types=False)
    return tuple(found)


def top(module: str) -> str:
    """The distribution-level name: `jsonschema` of `jsonschema.validators`."""
    return module.partition(".")[0]


def is_third_party(module: str) -> bool:
    """Neither the standard library's nor ours."""
    return top(module) not in sys.stdlib_module_names and top(module) != "singer_kit"


def room(module: str) -> str:
    """`schema` of `singer_kit.schema.validate`; "" for the front door."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""
