"""Random signatures, and a model that says anything: the structure is exact, and no code changes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from scripted_words import Scripted, named, tree_of, written

from aigc_lsp.docstring.detect import detect
from aigc_lsp.docstring.styles import STYLES

SAID = st.one_of(
    st.text(max_size=60),
    st.text(st.sampled_from("\"'`\\*/<>:@-#()[]{}\n\r\t .aB_$%|=~"), max_size=40),
    st.sampled_from([
        "", '"""', "'''", "*/", "</summary>", "@param x y", ":param x: y", "Args:", "    x: y", "int",
        "x (int): The x.", "Returns:\n    it",
        "TODO", '"""\n    import os\n    """', "\\", "ends with a backslash\\", "# Errors", "- one",
        "The same with a docstring that says what it does, in the imperative:", "Parameters\n----------", "Note: it.",
        "This function returns the sum", "a\u2028b", "\ue0000\ue000", "\x00", "e.g. this, i.e. that", "1. one",
        ">>> f()",
    ]),
)  # fmt: skip
NAMES = st.lists(st.from_regex(r"[a-z_][a-z0-9_é]{0,6}[é1]", fullmatch=True), min_size=6, max_size=6, unique=True)
ERRORS = st.lists(st.sampled_from(["ValueError", "OSError", "LookupError"]), unique=True, max_size=2)


@dataclass(frozen=True)
class Made:
    """A function named f, and what its docstring has to name, with its stars."""

    source: str
    names: tuple[str, ...]
    gives: str
    errors: tuple[str, ...]


@st.composite
def python_functions(draw: st.DrawFn) -> Made:
    names = iter(draw(NAMES))
    plain = [next(names) for _ in range(draw(st.integers(0, 3)))]
    rest = [f"*{next(names)}"] if draw(st.booleans()) else []
    keywords = [f"**{next(names)}"] if draw(st.booleans()) else []
    errors, gives = draw(ERRORS), draw(st.sampled_from(["", "return", "yield"]))
    body = [f"if a: raise {error}()" for error in errors] + [f"{gives} 1" if gives else "pass"]
    indent = draw(st.sampled_from(["    ", "\t", "  "]))
    decorated, asyncs = draw(st.sampled_from(["", "@cache\n"])), draw(st.sampled_from(["", "async "]))
    typed = [f"{name}: int = 1" for name in plain]
    header = f"{decorated}{asyncs}def f({', '.join([*typed, *rest, *keywords])}):"
    end = draw(st.sampled_from(["\n", "\r\n"]))
    source = "\n".join([header, *(f"{indent}{line}" for line in body), ""]).replace("\n", end)
    return Made(source, (*plain, *rest, *keywords), gives, tuple(errors))


def undocumented(source: str) -> str:
    tree = ast.parse(source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    if ast.get_docstring(function) is not None:
        del function.body[0]
    return ast.dump(tree)


def google_section(docstring: str, title: str) -> list[str]:
    """What stands before the colon of each entry."""
    found = re.search(rf"^{title}:\n((?:[ \t]+.*\n?|\n)*)", docstring, re.MULTILINE)
    indent = re.match(r"\s*", found[1])[0] if found else ""  # type: ignore[index]
    return re.findall(rf"^{indent}(\*{{0,2}}\w+):", found[1], re.MULTILINE) if found else []


@given(made=python_functions(), says=st.lists(SAID, min_size=1, max_size=8))
async def test_python(made: Made, says: list[str]) -> None:
    done = await written(made.source, "python", Scripted(says), style="google")
    assert undocumented(done) == undocumented(made.source)
    function = ast.parse(done).body[0]
    docstring = ast.get_docstring(function)  # type: ignore[arg-type]
    assert docstring is not None
    assert google_section(docstring, "Args") == list(made.names)
    assert google_section(docstring, "Raises") == list(made.errors)
    assert ("Returns:\n" in docstring, "Yields:\n" in docstring) == (made.gives == "return", made.gives == "yield")
    summary = docstring.partition("\n")[0]
    assert summary.endswith(".")
    assert "TODO" not in docstring


@given(
    names=NAMES,
    count=st.integers(0, 4),
    says=st.lists(SAID, min_size=1, max_size=8),
    style=st.sampled_from(["jsdoc", "tsdoc"]),
    throws=st.booleans(),
)
async def test_typescript(names: list[str], count: int, says: list[str], style: str, throws: bool) -> None:
    plain, inner = names[:count], names[5]
    parameters = [*(f"{name}: number" for name in plain), f"{{ {inner} }}: Props", "...rest: string[]"]
    body = f"{'if (rest) throw new RangeError(); ' * throws}return 1;"
    source = f"class A {{\n\tf({', '.join(parameters)}): number {{ {body} }}\n}}\n"
    done = await written(source, "typescript", Scripted(says), style=style)
    comment = re.search(r"\t/\*\*.*?\*/\n", done, re.DOTALL)
    assert comment is not None
    assert done.replace(comment[0], "", 1) == source
    assert re.findall(r"^\t \* @param (?:\{[^}]*\} )?([\w.]+)", comment[0], re.MULTILINE) == [
        *plain, "props", f"props.{inner}", "rest",
    ]  # fmt: skip
    assert ("@throws" in comment[0]) is throws
    assert comment[0].count("@returns") == 1


SOURCES = {
    "java": "class A {\n  <T> int f(int a, T b) throws IOException { return 1; }\n}\n",
    "go": "package a\n\nfunc f(a int) (int, error) { return a, nil }\n",
    "rust": "pub fn f(a: i32) -> Result<i32, E> { if a { panic!() } Err(E) }\n",
    "c": "int f(int a, char *b) { return a; }\n",
    "cpp": "template <class T>\nint f(T a) { throw std::runtime_error(\"\"); }\n",
    "csharp": "class A {\n  public int f<T>(int a, T b) { throw new IOException(); }\n}\n",
    "ruby": "def f(a, b = 1, *c, &d)\n  raise ArgumentError if a\n  a\nend\n",
    "php": "<?php\nfunction f(int $a, ...$b): int { throw new E(); }\n",
    "shellscript": 'f() {\n  local a="$1"\n  return 3\n}\n',
    "python": "class A:\n    @property\n    def f(self): return self._f\n",
    "javascript": "export const f = async (a, b = 1) => { return b; };\n",
}  # fmt: skip


@given(language=st.sampled_from(sorted(SOURCES)), says=st.lists(SAID, min_size=1, max_size=8))
async def test_every_language_has_the_same_slots_whatever_is_said(language: str, says: list[str]) -> None:
    source = SOURCES[language]
    mute, done = await written(source, language, Scripted()), await written(source, language, Scripted(says))
    style = STYLES[detect([], language).style]
    told = []
    for each in (mute, done):
        subject = named(tree_of(each, language), "f")
        assert subject.existing is not None
        doc = style.parse(each[subject.existing.start : subject.existing.end], subject)
        told.append({kind: [(slot.name, slot.type) for slot in doc.slots(kind)] for kind in style.tells})
        assert doc.summary
        assert not doc.others
    assert told[0] == told[1]
