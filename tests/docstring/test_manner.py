"""In which manner a file's docstrings are written."""

from __future__ import annotations

import pytest
from test_structure import tree_of

from aigc_lsp.docstring.manner import ProjectHabits, manner_for, manner_of
from aigc_lsp.docstring.structure import subjects

BARE = "def f(a): pass\n"
NUMPY = 'def f(a):\n    """Do.\n\n    Parameters\n    ----------\n    a\n        It.\n    """\n'
PARAM = '"""Do.\n\n    :param a: It.\n    """'
RUFF = '[tool.ruff]\nline-length = 72\n[tool.ruff.lint.pydocstyle]\nconvention = "{}"\n'


@pytest.mark.parametrize(("source", "style", "project", "expected"), [
    (BARE, "auto", ProjectHabits(), "google"),
    (BARE, "sphinx", ProjectHabits(), "sphinx"),
    (BARE, "javadoc", ProjectHabits(), "google"),
    (NUMPY, "auto", ProjectHabits(docstrings=(PARAM,)), "numpy"),
    (NUMPY, "sphinx", ProjectHabits(), "sphinx"),
    (BARE, "auto", ProjectHabits(docstrings=(PARAM,)), "sphinx"),
    (BARE, "auto", ProjectHabits(pyproject=RUFF.format("numpy")), "numpy"),
    (BARE, "auto", ProjectHabits(pyproject=RUFF.format("pep257")), "google"),
    (BARE, "auto", ProjectHabits(pyproject='[tool]\nruff = 1\npydocstyle = {convention = "numpy"}'), "numpy"),
    (BARE, "auto", ProjectHabits(pyproject="no = = toml"), "google"),
])  # fmt: skip
def test_the_style(source: str, style: str, project: ProjectHabits, expected: str) -> None:
    assert manner_of(tree_of(source, "python"), style, project).style == expected


TABS = "class A:\n\tx = 1\n\n\tdef f(self, a):\n\t\treturn a\n"


@pytest.mark.parametrize(("source", "unit"), [
    ("def f(a):\n    return a\n", "    "),
    ("def f(a):\n  return a\n", "  "),
    ("x = 1\n", "    "),
    (TABS, "\t"),
    (TABS.replace("return a", 'pass\n\n\tdef g(self, b):\n\t\t"""Do.\n\n\t\tArgs:\n\t\t  b: It.\n\t\t"""'), "  "),
])  # fmt: skip
def test_the_step_of_indentation(source: str, unit: str) -> None:
    """That of the docstrings that are there, else the code's."""
    assert manner_of(tree_of(source, "python")).layout.unit == unit


BELOW = '"""\n    {}\n    """'
LONG = 'def g(a):\n    """Do.\n\n    Args:\n        a: It.\n    """\n'


@pytest.mark.parametrize(("source", "is_below"), [
    (f"def f():\n    {BELOW.format('Do.')}\n", True),
    (f"def f():\n    {BELOW.format('Do.')}\n\n\ndef h():\n    {BELOW.format('Do.')}\n\n\n{LONG}", False),
    (f"{BELOW.format('A file.').replace('    ', '')}\n\n\n{BARE}", False),
])  # fmt: skip
def test_where_a_summary_begins(source: str, is_below: bool) -> None:
    assert manner_of(tree_of(source, "python")).layout.below == is_below


def test_the_project_s_width() -> None:
    assert manner_of(tree_of(BARE, "python"), "auto", ProjectHabits(RUFF.format("google"))).layout.width == 72


def test_rust_marks_the_docs_of_a_file_otherwise() -> None:
    tree = tree_of("//! It.\n//! More.\n\n/// A.\nfn f() {}\n//! x\n", "rust")
    file, function = subjects(tree)[:2]
    manner = manner_of(tree)
    assert manner_for(file, manner).layout.form == "//!"
    assert manner_for(function, manner).layout.form in ("", "///")
