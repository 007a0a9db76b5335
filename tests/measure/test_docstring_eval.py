"""`aigc-lsp eval docstring`: what it asks for, how it judges, what it keeps. No model: words are scripted."""

from __future__ import annotations

import ast
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from each_row import each_row

from aigc_lsp.config import Config
from aigc_lsp.errors import DocstringRefused, UsageError
from aigc_lsp.measure import docstring, docstring_facts, docstring_lint, projects
from aigc_lsp.measure.docstring import Answer, Log, Outcome, inserted, judge, report, run
from aigc_lsp.measure.docstring_cases import PACKAGES, Case, Package, cases, shares, summary_of
from aigc_lsp.service.wire import InfillPiece
from aigc_lsp.text import Edit, Span

SOURCE = '''"""M."""


class Store:
    def other(self):
        """Not me."""

    @cache
    def take(self, name, *rest, limit: int = 1, **more):
        """Take what is there.

        Args:
            name: The name.
            *rest: The rest.
            limit: The limit.
            **more: More.

        Returns:
            What was taken.

        Raises:
            KeyError: If it is not there.
        """

        if name in self:
            raise KeyError(name)
        return self[name]
'''

CUT = SOURCE[: SOURCE.index('        """Take')] + SOURCE[SOURCE.index("        if name in") :]

HUMAN = """Take what is there.

Args:
    name: The name.
    *rest: The rest.
    limit: The limit.
    **more: More.

Returns:
    What was taken.

Raises:
    KeyError: If it is not there."""


def case(**changed: Any) -> Case:
    found = Case(
        id="p/a.py:9", project="p", path="a.py", language="python", convention="google", name="take", line=9,
        parameters=4, source=CUT, original=SOURCE, human=HUMAN, code="def take(): ...",
    )  # fmt: skip
    return replace(found, **changed)


def with_docstring(text: str) -> str:
    """The file of the case with another docstring."""
    return SOURCE.replace(HUMAN.replace("\n", "\n        ").replace("        \n", "\n"), text)


# What is asked for


def package(convention: Any) -> Package:
    return Package(replace(PACKAGES[0].project, name="p", suffixes=("py", "js")), convention)


def test_a_case_is_the_file_without_one_docstring(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    (found,) = cases(package("google"), tmp_path, 10, seed=1)
    assert (found.source, found.human, found.name, found.line, found.parameters) == (CUT, HUMAN, "take", 9, 4)
    assert found.code.startswith("@cache\ndef take(self, name")
    assert '"""' not in found.code
    assert ast.parse(found.source)


def test_of_javascript_too(tmp_path: Path) -> None:
    source = (
        "'use strict';\n\n/**\n * Add them.\n * @param {number} a One.\n * @returns {number} The sum.\n */\n"
        "function add(a) {\n    const b = a;\n    return b;\n}\n\n/** Without its parameters. */\n"
        "function no(a) {\n  a();\n  return a;\n}\n"
    )
    (tmp_path / "a.js").write_text(source)
    (found,) = cases(package("jsdoc"), tmp_path, 10, seed=1)
    assert found.source == source.replace(source[source.index("/**\n") : source.index("function add")], "")
    assert (found.name, found.line, found.human.split("\n")[0]) == ("add", 3, "Add them.")


@pytest.mark.parametrize(("old", "new"), [
    ("    @cache", "    @property"),
    ("    @cache", "    @typing.overload"),
    ("Args:", "Things:"),
    ("            raise KeyError(name)", "            raise KeyError(name)" + "\n            pass" * 60),
    ('        """Take what is there.\n\n        Args:', '        """Args:'),
])  # fmt: skip
def test_what_is_no_case(tmp_path: Path, old: str, new: str) -> None:
    assert old in SOURCE
    (tmp_path / "a.py").write_text(SOURCE.replace(old, new))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.py").write_text(SOURCE)
    assert cases(package("google"), tmp_path, 10, seed=1) == []


def test_some_have_five_parameters_and_the_same_seed_picks_the_same(tmp_path: Path) -> None:
    for number in range(40):
        text = SOURCE.replace("limit:", "limit=0, fifth:").replace("            limit:", "            fifth:\n", 1)
        (tmp_path / f"a{number}.py").write_text(SOURCE if number < 30 else text)
    first, again, other = (cases(package("google"), tmp_path, 12, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert sum(each.parameters == 5 for each in first) >= 2


def test_each_style_has_as_many(tmp_path: Path) -> None:
    given = shares(PACKAGES, 101)
    assert sum(given) == 101
    by_style: dict[str, int] = {}
    for each, share in zip(PACKAGES, given, strict=True):
        by_style[each.convention] = by_style.get(each.convention, 0) + share
    assert set(by_style) == {"google", "numpy", "sphinx", "jsdoc"}
    assert max(by_style.values()) - min(by_style.values()) <= 1


@pytest.mark.parametrize(("text", "summary"), [
    ("Do it.\n\nMore.", "Do it."),
    ("Do it\nall.\n\nMore.", "Do it all."),
    ("Do it. Then `that`. More.", "Do it."),
    ("Do 1.5 of it.", "Do 1.5 of it."),
    ("Do it (all). `x` is done.", "Do it (all)."),
    ("Do it.\nArgs:\n    a: A.", "Do it."),
    ("Do it.\n:param a: A.", "Do it."),
    ("Do it.\n@param a A.", "Do it."),
    ("Do it: now.", "Do it: now."),
    (":param a: A.", ""),
    ("Args:\n    a: A.", ""),
    ("", ""),
])  # fmt: skip
def test_the_summary_is_the_first_sentence(text: str, summary: str) -> None:
    assert summary_of(text) == summary


# How it is judged

BODIES = {
    "def f(a, b=1): pass": [],
    "def f(a): pass": ["parameters a, b instead of a"],
    "def f(b, a): pass": ["parameters a, b instead of b, a"],
    "def f(a, /, *, b): return None": [],
    "def f(a, *b):\n if a: return b": ["returns something"],
    "def f(a, **b) -> None: return g()": [],
    "def f(a, b): yield a": ["yields something"],
    "def f(a, b): return lambda: 1": ["returns something"],
    "def f(a, b):\n def g(): return 1": [],
    "def f(a, b): raise KeyError(a)": ["raises KeyError"],
    "def f(a, b):\n try:\n  raise KeyError\n except KeyError: pass": [],
    "def f(a, b):\n def g(): raise KeyError(a)": [],
    "def f(a, b): raise a.b": [],
}


@each_row("source", list(BODIES))
@pytest.mark.parametrize(("convention", "said"), [
    ("google", "Do it.\n\nArgs:\n    a: The a.\n    *b: The b."),
    ("numpy", "Do it.\n\nParameters\n----------\na : int\n    The a.\n**b\n    The b."),
    ("sphinx", "Do it.\n\n:param a: The a.\n:param b: The b."),
])  # fmt: skip
def test_structure_is_held_against_the_code(source: str, convention: str, said: str) -> None:
    node, is_method = next(docstring_facts.functions(ast.parse(source)))
    assert docstring_facts.wrong(node, is_method, said, convention) == BODIES[source]


@pytest.mark.parametrize(("said", "wrong"), [
    ("Do it.\n\nReturns:\n    It.", ["returns nothing"]),
    ("Do it.\n\nYields:\n    It.", ["yields nothing"]),
    ("Do it.\n\nRaises:\n    KeyError: Never.", ["never raises KeyError"]),
    ("Do it.\n\nRaises:\n    a.OSError: Sometimes.", []),
])  # fmt: skip
def test_what_a_docstring_makes_up_is_found(said: str, wrong: list[str]) -> None:
    tree = ast.parse("class C:\n def f(self):\n  try: g()\n  except (a.OSError, ValueError): raise")
    (node, is_method) = next(docstring_facts.functions(tree))
    assert docstring_facts.wrong(node, is_method, said, "google") == wrong


@pytest.mark.process
@pytest.mark.skipif(docstring_lint.ruff_path() is None, reason="ruff is not installed")
@pytest.mark.parametrize(("after", "structure", "is_same", "lint"), [
    (SOURCE, [], True, ["D202"]),
    (CUT, ["none is there"], False, ["none"]),
    (CUT + "(", ["does not parse"], False, ["does"]),
    (with_docstring("take it"), ["parameters none instead of name, rest, limit, more", "returns something",
                                 "raises KeyError"], True, ["D200", "D202", "D403", "D415"]),
    (SOURCE.replace("return self[name]", "return self[name, 1]"), [], False, ["D202"]),
])  # fmt: skip
def test_judged_in_its_file(after: str, structure: list[str], is_same: bool, lint: list[str]) -> None:
    found = judge(case(), after, Answer("", "", seconds=2.0), None)
    assert (list(found.structure), found.is_code_same, found.seconds) == (structure, is_same, 2.0)
    assert sorted(said.split()[0] for said in found.lint) == lint
    assert (found.chrf == pytest.approx(100.0)) == (found.summary == "Take what is there.")


ESLINT = projects.default_folder() / "-".join(f"{name}-{version}" for name, version in docstring_lint.ESLINT.items())


@pytest.mark.process
@pytest.mark.skipif(not ESLINT.is_dir(), reason="`aigc-lsp eval docstring jsdoc` has not fetched ESLint here")
@pytest.mark.parametrize(("comment", "code", "structure", "is_same", "lint"), [
    (" * Add.\n * @param {number} a - A.\n * @returns {number} B.\n * @throws {Error} If.", "a + 1", [], True, []),
    (" * Add.\n * @param {number} a - A.\n * @param {number} b - B.", "a + 1",
     ["check-param-names", "require-returns", "require-throws"], True, ["check-param-names", "require-returns"]),
    (" * Add.\n * @param {number} a - A.\n * @returns {number} B.\n * @throws {Error} If.", "a - 1", [], False, []),
])  # fmt: skip
def test_javascript_is_judged_by_eslint(
    comment: str, code: str, structure: list[str], is_same: bool, lint: list[str]
) -> None:
    source = "const x = 1;\nfunction add(a) {\n  if (!a) throw new Error();\n  return a + 1;\n}\nfunction bare(b) {}\n"
    asked = case(language="javascript", convention="jsdoc", source=source, line=2)
    after = source.replace("function add", f"/**\n{comment}\n */\nfunction add").replace("a + 1", code)
    found = judge(asked, after, Answer("", ""), ESLINT)
    rules = [sorted(said.split()[0].removeprefix("jsdoc/") for said in each) for each in (found.structure, found.lint)]
    assert (rules, found.is_code_same) == ([structure, lint], is_same)
    assert found.summary == "Add."


def test_none_written_is_wrong_in_everything() -> None:
    found = judge(case(), CUT, Answer("", "", error="refused"), None)
    assert found.structure
    assert found.lint
    assert found.chrf == 0.0


@pytest.mark.parametrize("said", [
    'Here it is:\n```python\ndef take(self):\n    """Take it.\n\n    More.\n    """\n    return 1\n```\nDone.',
    '"""Take it.\n\nMore.\n"""',
    "```\nTake it.\n\nMore.\n```",
    "Take it.\n\nMore.",
    '"""Take it.\n\nMore.',
])  # fmt: skip
def test_a_plain_answer_is_put_into_the_file_as_it_is(said: str) -> None:
    after = inserted(case(), said)
    expected = '        """Take it.\n\n        More.\n        """\n        if name in self:'
    assert expected in after
    assert after.replace(expected, "        if name in self:") == CUT


@pytest.mark.parametrize("said", ["```js\n/**\n * Take it.\n */\nfunction take() {}\n```", "Take it."])
def test_also_above_a_javascript_function(said: str) -> None:
    asked = case(language="javascript", convention="jsdoc", source="class A {\n  take(a) {\n  }\n}\n", line=2)
    assert inserted(asked, said) == "class A {\n  /**\n   * Take it.\n   */\n  take(a) {\n  }\n}\n"


# What is kept


def outcome(number: int, **changed: Any) -> Outcome:
    good = Answer("Take it.", "Take it.", chrf=60.0, seconds=2.0)
    poor = replace(good, structure=("raises KeyError",), lint=("D415",), chrf=40.0, seconds=3.0)
    return replace(Outcome(f"p/{number}", "p", f"{number}.py", "google", 5, good, poor, good), **changed)


def test_outcomes_are_kept_and_those_of_other_settings_refused(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.jsonl"
    log = Log(path, {"model": "m"})
    log.add(outcome(1))
    with path.open("a") as file:
        file.write('{"id": "cut o')
    assert Log(path, {"model": "m"}).outcomes() == {"p/1": outcome(1)}
    assert path.read_text().count("\n") == 1, "half a line is gone"
    with pytest.raises(UsageError, match="other settings"):
        Log(path, {"model": "other"})
    path.write_text("{}\n")
    with pytest.raises(UsageError, match="Line 1"):
        Log(path, {"model": "m"})


def test_the_rows_that_are_asked_for() -> None:
    rows = [outcome(number) for number in range(99)]
    rows.append(outcome(99, parameters=1, ours=Answer("", "", ("x",), False, ("D1",), 0.0, 9.0)))
    found = {each.name: each for each in report(rows, {}).figures}
    assert (found["structure right"].ours, found["structure right"].peer, found["structure right"].met) == (
        99,
        0,
        False,
    )
    assert (found["code unchanged"].ours, found["code unchanged"].met) == (99, False)
    assert (found["linters clean"].ours, found["linters clean"].met) == (99, True)
    assert found["summary, chrF"].ours == pytest.approx(59.4)
    assert found["summary, chrF"].met
    assert (found["seconds, five parameters, p50"].ours, found["seconds, five parameters, p50"].met) == (2.0, True)
    assert found["google: structure right"].ours == 99
    worse = report([replace(rows[0], plain=rows[0].ours, ours=rows[0].plain)], {}).figures
    assert {each.name: each.met for each in worse}["summary, chrF"] is False
    assert json.loads(json.dumps(report(rows, {}).to_json()))["machine"] == {"cases": 100}


class Scripted:
    """A backend that says the same to every plain prompt."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @contextlib.asynccontextmanager
    async def write(self, request: Any) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        self.asked.append(request.messages[0][1])

        async def pieces() -> AsyncIterator[InfillPiece]:
            yield InfillPiece('"""Take')
            yield InfillPiece(' it."""')

        yield pieces()


@pytest.mark.process
async def test_a_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def write(document: Any, subject: Any, *rest: Any) -> Edit:
        if document.path == "refused.py":
            raise DocstringRefused("Not here.")
        at = SOURCE.index('        """Take')
        return Edit(Span(at, at), SOURCE[at : SOURCE.index("\n        if name in")])

    monkeypatch.setattr(docstring, "write_docstring", write)
    asked = [case(id="1"), case(id="2", path="refused.py")]
    path, backend = tmp_path / "out.jsonl", Scripted()

    async def once(wanted: list[Case]) -> list[Outcome]:
        return await run(wanted, backend, Config(), Log(path, {}), None, lambda rows, said: rows)  # type: ignore[arg-type]

    (first,) = await once(asked[:1])
    assert (first.ours.structure, first.ours.is_code_same, first.ours.lint) == ((), True, ())
    assert first.plain.structure
    assert first.plain.docstring == "Take it."
    assert "google style docstring for this python function" in backend.asked[0]
    assert "def take(): ..." in backend.asked[0]
    both = await once(asked)
    assert both[0] == first
    assert both[1].ours.error == "Not here."
    assert both[1].ours.structure == ("none is written",)
    assert len(backend.asked) == 2, "what is known is not asked again"
