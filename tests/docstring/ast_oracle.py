"""What Python's own `ast` says about functions: written apart from the code under test, to be held against it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field

NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass
class Facts:
    """Of one function: the line and column of its `def`, parameters without self, and what leaves it."""

    line: int
    name: str
    parameters: list[str]
    returns: bool
    yields: bool
    raises: list[str] = field(default_factory=list)


def facts(source: str) -> list[Facts]:
    found: list[Facts] = []
    _visit(ast.parse(source), None, found)
    return sorted(found, key=lambda fact: (fact.line, fact.name))


def _visit(node: ast.AST, around: ast.AST | None, found: list[Facts]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(_facts(child, isinstance(around, ast.ClassDef)))
        nearest = child if isinstance(child, NESTED) else around
        _visit(child, nearest, found)


def _facts(node: ast.FunctionDef | ast.AsyncFunctionDef, is_method: bool) -> Facts:
    given = node.args
    named = [each.arg for each in [*given.posonlyargs, *given.args]]
    is_static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in node.decorator_list)
    if is_method and not is_static:
        named = named[1:]
    if given.vararg:
        named.append(given.vararg.arg)
    named += [each.arg for each in given.kwonlyargs]
    if given.kwarg:
        named.append(given.kwarg.arg)
    own = list(_own(node))
    values = [each.value for each in own if isinstance(each, ast.Return) and each.value is not None]
    returns = any(not (isinstance(value, ast.Constant) and value.value is None) for value in values)
    is_maker = is_method and node.name == "__init__"
    if is_maker or (node.returns is not None and ast.unparse(node.returns) in ("None", "NoReturn", "Never")):
        returns = False
    if node.returns is not None and not returns and all(_says_nothing(each) for each in node.body):
        returns = ast.unparse(node.returns) not in ("None", "NoReturn", "Never")
    yields = any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own)
    raises = list(dict.fromkeys(_raised(node.body, [], {}, _bound(own))))
    return Facts(node.lineno, node.name, named, returns, yields, raises)


def _says_nothing(node: ast.stmt) -> bool:
    """Of a body that is to be written by others: what it declares counts."""
    if isinstance(node, ast.Raise):
        return node.exc is not None and ast.unparse(node.exc).startswith("NotImplementedError")
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, NESTED):
            yield from _own(child)


def _bound(own: list[ast.AST]) -> list[tuple[int, str, str]]:
    made = []
    for each in own:
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call):
            name = _class(each.value.func)
            made += [(each.lineno, target.id, name) for target in each.targets if isinstance(target, ast.Name) and name]
    return made


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _class(node: ast.AST) -> str:
    """The class named by an expression, if it looks like one."""
    if isinstance(node, ast.Attribute) and node.attr == "with_traceback" and isinstance(node.value, ast.Call):
        return _class(node.value.func)
    name = _dotted(node)
    parts = name.split(".")
    if parts[0] in ("self", "cls") and len(parts) > 1:
        parts = parts[1:]
    last = parts[-1]
    bare = last.lstrip("_")
    is_class = bare[:1].isupper() or last in ("error", "timeout", "herror", "gaierror", "failureException")
    return ".".join(parts) if name and is_class else ""


def _types(handler: ast.ExceptHandler) -> list[str]:
    if handler.type is None:
        return []
    listed = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [_dotted(each) for each in listed]


def _raised(
    body: list[ast.stmt],
    handlers: list[list[str]],
    caught: dict[str, list[str]],
    bound: list[tuple[int, str, str]],
) -> Iterator[str]:
    """`handlers` are around; `caught` has what the handler around got, by its name, and by "" for the innermost."""
    for node in body:
        if isinstance(node, NESTED):
            continue
        if isinstance(node, ast.Raise):
            for name in _names(node, caught, bound):
                if not any(_takes(types, name) for types in handlers):
                    yield name
        elif isinstance(node, ast.Try | ast.TryStar):
            own = [_types(each) for each in node.handlers]
            yield from _raised(node.body, [*handlers, *own], caught, bound)
            for each in node.handlers:
                known = {**caught, "": _types(each)}
                if each.name:
                    known[each.name] = _types(each)
                yield from _raised(each.body, handlers, known, bound)
            yield from _raised([*node.orelse, *node.finalbody], handlers, caught, bound)
        else:
            for name in ("body", "orelse"):
                yield from _raised(getattr(node, name, []), handlers, caught, bound)
            for case in getattr(node, "cases", []):
                yield from _raised(case.body, handlers, caught, bound)


def _names(node: ast.Raise, caught: dict[str, list[str]], bound: list[tuple[int, str, str]]) -> list[str]:
    if node.exc is None:
        return [name for name in caught.get("", []) if name]
    value = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if isinstance(value, ast.Attribute) and value.attr == "with_traceback" and isinstance(value.value, ast.Name):
        value = value.value
    is_called = isinstance(node.exc, ast.Call) and value is node.exc.func
    if isinstance(value, ast.Name) and (not is_called or value.id in caught):
        if value.id in caught:
            return [name for name in caught[value.id] if name]
        made = [name for line, target, name in bound if target == value.id and line < node.lineno]
        if made:
            return made
    name = _class(value)
    return [name] if name else []


def _takes(types: list[str], name: str) -> bool:
    """Whether a handler for `types` takes `name`; a bare one takes all."""
    if not types:
        return True
    last = name.rsplit(".", 1)[-1]
    raised = getattr(builtins, last, None)
    for each in types:
        other = each.rsplit(".", 1)[-1]
        taken = getattr(builtins, other, None)
        if last == other or other == "BaseException":
            return True
        if isinstance(raised, type) and isinstance(taken, type):
            if issubclass(raised, taken):
                return True
        elif other == "Exception" and last not in ("CancelledError",):
            return True
    return False
