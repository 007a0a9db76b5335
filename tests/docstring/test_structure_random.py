"""Signatures made from a model of parameters: what is read off the tree is exactly the model."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from test_structure import tree_of

from aigc_lsp.docstring.structure import subjects
from aigc_lsp.docstring.subject import Parameter, ParameterKind

# No keyword ends so.
NAMES = st.lists(st.from_regex(r"[a-zäß_][a-z0-9_é]{0,6}[é1_]", fullmatch=True), min_size=8, max_size=8, unique=True)
PYTHON_TYPES = st.sampled_from(["", "int", "list[dict[str, int]]", "'A'", "Callable[[int], str]", "a.B | None", "*Ts"])
PYTHON_DEFAULTS = st.sampled_from(
    [
        "",
        "1",
        "None",
        "(1, 2)",
        "lambda x, *y: x",
        "{'a': [1]}",
        "f(x=1)",
        "'ä, b'",
        "'#'",
    ]
)

WEB_TYPES = st.sampled_from(
    [
        "",
        "number",
        "Array<Map<string, B>>",
        "(x: number, ...y: any[]) => void",
        "{ m(x: A): B; c?: D }",
        "A | B",
        "[a: C, d?: E]",
    ]
)
WEB_DEFAULTS = st.sampled_from(
    [
        "",
        "1",
        "null",
        "{ a: [1] }",
        "(x, y = 2) => x",
        "function (z) { return z; }",
        "'ä, b'",
        "f(1)",
    ]
)
SPACES = st.sampled_from(["", " ", "\n    ", "  # why, a\n    ", "\r\n    "])


@dataclass(frozen=True)
class Made:
    """A signature as text, and what it means."""

    source: str
    parameters: tuple[Parameter, ...]


def python_parameter(draw: st.DrawFn, name: str, kind: ParameterKind, default: str) -> tuple[str, Parameter]:
    type_ = draw(PYTHON_TYPES.filter(lambda type_: kind == "rest" or not type_.startswith("*")))
    mark = {"rest": "*", "keywords": "**"}.get(kind, "")
    said = f"{mark}{name}{f': {type_}' if type_ else ''}{f' = {default}' if default else ''}"
    return said, Parameter(name, type_, default, kind, bool(default))


@st.composite
def python_signatures(draw: st.DrawFn) -> Made:
    names = iter(draw(NAMES))
    kinds: list[ParameterKind] = ["positional"] * draw(st.integers(0, 2))
    kinds += ["plain"] * draw(st.integers(0, 2))
    positional = len(kinds)
    rest, named, keywords = draw(st.booleans()), draw(st.integers(0, 2)), draw(st.booleans())
    first_default = draw(st.integers(0, positional))
    parts, parameters = [], []
    for number, kind in enumerate(kinds):
        default = draw(PYTHON_DEFAULTS.filter(bool)) if number >= first_default else ""
        said, parameter = python_parameter(draw, next(names), kind, default)
        parts.append(said)
        parameters.append(parameter)
        if kind == "positional" and kinds[number + 1 : number + 2] != ["positional"]:
            parts.append("/")
    listed: list[ParameterKind] = ["rest"] if rest else []
    if named and not rest:
        parts.append("*")
    listed += ["keyword"] * named + (["keywords"] if keywords else [])
    for kind in listed:
        said, parameter = python_parameter(draw, next(names), kind, draw(PYTHON_DEFAULTS) if kind == "keyword" else "")
        parts.append(said)
        parameters.append(parameter)
    return Made(joined(draw, parts), tuple(parameters))


def joined(draw: st.DrawFn, parts: list[str]) -> str:
    spaces = [draw(SPACES) for _ in parts]
    said = ",".join(f"{space}{part}" for space, part in zip(spaces, parts, strict=True))
    return said + draw(st.sampled_from(["", ",\n"])) if parts and not parts[-1].startswith("*") else said


@given(made=python_signatures(), is_method=st.booleans(), is_decorated=st.booleans(), is_async=st.booleans())
def test_python(made: Made, is_method: bool, is_decorated: bool, is_async: bool) -> None:
    indent, given_ = ("    ", "self, " if made.source.strip() else "self") if is_method else ("", "")
    header = f"{indent}{'async ' if is_async else ''}def f({given_}{made.source}) -> int:\n{indent}    return 1\n"
    source = f"{'class A:' if is_method else ''}\n{f'{indent}@a.b(1)' if is_decorated else ''}\n{header}"
    compile(source, "made", "exec")
    found = subjects(tree_of(source, "python"))[-1]
    assert found.parameters == made.parameters
    assert (found.returns, found.is_async, found.kind) == ("int", is_async, "method" if is_method else "function")


@st.composite
def web_signatures(draw: st.DrawFn) -> Made:
    names = iter(draw(NAMES))
    parts: list[str] = []
    parameters: list[Parameter] = []
    patterns = 0
    for _ in range(draw(st.integers(0, 4))):
        type_, default = draw(WEB_TYPES), draw(WEB_DEFAULTS)
        tail = f"{f': {type_}' if type_ else ''}{f' = {default}' if default else ''}"
        if draw(st.integers(0, 3)) == 0:
            root = f"root{patterns or ''}"
            patterns += 1
            inner, inner_default = next(names), draw(WEB_DEFAULTS)
            parts.append(f"{{ {inner}{f' = {inner_default}' if inner_default else ''} }}{tail}")
            parameters.append(Parameter(root, type_, default, "plain", bool(default)))
            parameters.append(Parameter(f"{root}.{inner}", "", inner_default, "plain", bool(inner_default)))
        else:
            name, is_optional = next(names), not default and draw(st.booleans())
            parts.append(f"{name}{'?' if is_optional else ''}{tail}")
            parameters.append(Parameter(name, type_, default, "plain", is_optional or bool(default)))
    if draw(st.booleans()):
        name, type_ = next(names), draw(WEB_TYPES)
        parts.append(f"...{name}{f': {type_}' if type_ else ''}")
        parameters.append(Parameter(name, type_, "", "rest"))
    said = ",".join(draw(SPACES).replace("#", "//") + part for part in parts)
    return Made(said, tuple(parameters))


SHAPES = st.sampled_from([
    "export function f({}): T {{ return g(); }}",
    "const f = async ({}): T => g();",
    "class A {{ @dec(1) static f({}): T {{ return g(); }} }}",
    "export default class A {{ f = ({}): T => {{ return g(); }} }}",
    "interface A {{ f({}): T }}",
    "const o = {{ f({}): T {{ return g(); }} }};",
])  # fmt: skip


@given(made=web_signatures(), shape=SHAPES)
def test_typescript(made: Made, shape: str) -> None:
    tree = tree_of(shape.format(made.source), "typescript")
    found = subjects(tree)[-1]
    assert not tree.has_errors
    assert found.parameters == made.parameters
    assert (found.name, found.returns) == ("f", "T")
