"""What a Python function has, by Python's own `ast`, and what a docstring tells, by docstring_parser.

Written apart from the code that is measured, so that the two can differ. Where the code alone does not settle which
errors leave a function there are bounds: what must be told, and what may be.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef

_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_NOTHING = ("None", "NoReturn", "Never", "typing.NoReturn", "t.NoReturn")


@dataclass(frozen=True, slots=True)
class Told:
    """What a docstring says there is. Names are without stars; an error's is its last part."""

    parameters: tuple[str, ...]
    returns: bool
    yields: bool
    raises: tuple[str, ...]


def functions(tree: ast.Module) -> Iterator[tuple[Function, bool]]:
    """Every function of a file, and whether it is a method, in order of place."""

    def below(node: ast.AST) -> Iterator[tuple[Function, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                yield child, isinstance(node, ast.ClassDef)
            yield from below(child)

    yield from sorted(below(tree), key=lambda found: found[0].lineno)


def parameters(node: Function, is_method: bool) -> tuple[str, ...]:
    """The names of its parameters, without what a method is called on."""
    given = node.args
    named = [each.arg for each in (*given.posonlyargs, *given.args)]
    if is_method and not any(ast.unparse(each) == "staticmethod" for each in node.decorator_list):
        named = named[1:]
    rest = [given.vararg, *given.kwonlyargs, given.kwarg]
    return (*named, *(each.arg for each in rest if each is not None))


def told(docstring: str, convention: str) -> Told | None:
    """What a docstring without its quotes says in a style; None where it cannot be read."""
    from docstring_parser import DocstringStyle, ParseError, parse

    styles = {"google": DocstringStyle.GOOGLE, "numpy": DocstringStyle.NUMPYDOC, "sphinx": DocstringStyle.REST}
    try:
        found = parse(docstring, styles[convention])
    except ParseError:
        return None
    params = [each for each in found.params if each.args[0] not in ("attribute", "attr")]
    names = [name.strip().lstrip("*\\").strip() for each in params for name in each.arg_name.split(",")]
    results = found.many_returns or []
    return Told(
        tuple(names),
        any(not each.is_generator for each in results),
        any(each.is_generator for each in results),
        tuple(_last(each.type_name or "") for each in found.raises),
    )


def wrong(node: Function, is_method: bool, docstring: str, convention: str) -> list[str]:
    """What a docstring says wrongly of the structure of a function, or leaves out; a few words each."""
    found = told(docstring, convention)
    if found is None:
        return ["cannot be read"]
    said = []
    has = parameters(node, is_method)
    if found.parameters != has:
        said.append(f"parameters {', '.join(found.parameters) or 'none'} instead of {', '.join(has) or 'none'}")
    own = list(_own(node))
    yields = any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own)
    if found.yields != yields:
        said.append("yields nothing" if found.yields else "yields something")
    returns = not yields and _returns(node, own)
    if found.returns != returns:
        said.append("returns nothing" if found.returns else "returns something")
    must, may = _raised(node)
    said += [f"raises {name}" for name in sorted(must - set(found.raises))]
    said += [f"never raises {name or 'that'}" for name in found.raises if name not in may]
    return said


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a function, and in none within it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _NESTED):
            yield from _own(child)


def _returns(node: Function, own: list[ast.AST]) -> bool:
    values = [each.value for each in own if isinstance(each, ast.Return) and each.value is not None]
    declared = ast.unparse(node.returns).strip("\"'") if node.returns is not None else ""
    is_something = any(not (isinstance(value, ast.Constant) and value.value is None) for value in values)
    return is_something and declared not in _NOTHING and node.name != "__init__"


def _raised(node: Function) -> tuple[set[str], set[str]]:
    """The errors that must be told: those that are made where they are raised, outside of any `try`. And all that may
    be: whatever a `raise` or an `except` names, or is made and given a name."""
    must: set[str] = set()
    may: set[str] = set()

    def look(at: ast.AST, is_tried: bool) -> None:
        if isinstance(at, ast.Raise) and at.exc is not None:
            made = at.exc.func if isinstance(at.exc, ast.Call) else at.exc
            name = _last(ast.unparse(made))
            may.add(name)
            if (
                not is_tried
                and isinstance(at.exc, ast.Call)
                and re.match(r"_*[A-Z]\w*(Error|Exception|Warning)$", name)
            ):
                must.add(name)
        elif isinstance(at, ast.ExceptHandler) and at.type is not None:
            listed = at.type.elts if isinstance(at.type, ast.Tuple) else [at.type]
            may.update(_last(ast.unparse(each)) for each in listed)
        elif isinstance(at, ast.Assign) and isinstance(at.value, ast.Call):
            may.add(_last(ast.unparse(at.value.func)))
        tried = is_tried or isinstance(at, ast.Try | ast.TryStar | ast.With | ast.AsyncWith)
        for child in ast.iter_child_nodes(at):
            if not isinstance(child, _NESTED):
                look(child, tried)

    for statement in node.body:
        if not isinstance(statement, _NESTED):
            look(statement, False)
    return must, may


def _last(name: str) -> str:
    return name.rpartition(".")[2].strip("`~! ")
