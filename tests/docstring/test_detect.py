"""Which style and which habits a file has."""

from __future__ import annotations

import pytest
from each_row import each_row
from style_samples import subject

from aigc_lsp.docstring.detect import detect
from aigc_lsp.docstring.layout import Layout

GOOGLE = '"""S.\n\n    Args:\n        x: The x.\n    """'
NUMPY = '"""S.\n\n    Parameters\n    ----------\n    x : int\n        The x.\n    """'
SPHINX = '"""S.\n\n    :param x: The x.\n    """'
EPYTEXT = '"""S.\n\n    @param x: The x.\n    """'
PROSE = '"""S."""'
JSDOC = "/**\n * S.\n * @param {int} x - The x.\n */"
TSDOC = "/**\n * S.\n *\n * @param x - The x.\n */"


def style(language: str, *texts: str, project: tuple[str, ...] = (), setting: str = "") -> str:
    about = subject("x", language=language)
    return detect([(text, about) for text in texts], language, project, setting).style


@each_row(("language", "texts", "project", "setting", "expected"), [
    ("python", (), (), "", "google"),
    ("python", (GOOGLE,), (), "", "google"),
    ("python", (NUMPY,), (), "", "numpy"),
    ("python", (SPHINX,), (), "", "sphinx"),
    ("python", (EPYTEXT,), (), "", "epytext"),
    ("python", (NUMPY.replace("\n", "\r\n"),), (), "", "numpy"),
    ("python", (SPHINX, GOOGLE, SPHINX), (), "", "sphinx"),
    ("python", (PROSE,), (NUMPY,), "", "numpy"),
    ("python", (GOOGLE,), (NUMPY, NUMPY), "", "google"),
    ("python", (GOOGLE, NUMPY), (NUMPY,), "", "numpy"),
    ("python", (GOOGLE,), (GOOGLE,), "sphinx", "sphinx"),
    ("python", (NUMPY,), (), "reST", "sphinx"),
    ("python", (NUMPY,), (), "jsdoc", "numpy"),
    ("python", (PROSE,) * 3, (), "", "google"),
    ("python", (PROSE,) * 4, (), "", "plain"),
    ("python", (PROSE,) * 4, (SPHINX,), "", "sphinx"),
    ("javascript", (), (), "", "jsdoc"),
    ("javascript", (TSDOC,), (), "", "tsdoc"),
    ("typescript", (), (), "", "tsdoc"),
    ("typescript", (JSDOC, TSDOC, JSDOC), (), "", "jsdoc"),
    ("typescriptreact", (), (), "", "tsdoc"),
    ("typescriptreact", (JSDOC,), (), "", "jsdoc"),
    ("typescriptreact", (), (), "jsdoc", "jsdoc"),
    ("javascriptreact", (), (), "", "jsdoc"),
    ("javascriptreact", (), (), "tsdoc", "tsdoc"),
    ("java", (JSDOC,), (), "", "javadoc"),
    ("c", (), (), "", "doxygen"), ("cpp", (), (), "", "doxygen"), ("csharp", (), (), "", "csharp"),
    ("go", (), (), "", "go"), ("rust", (), (), "", "rustdoc"), ("ruby", (), (), "", "yard"),
    ("php", (), (), "", "phpdoc"), ("shellscript", (), (), "", "shell"), ("kotlin", (), (), "", "kdoc"),
])  # fmt: skip
def test_the_style(
    language: str, texts: tuple[str, ...], project: tuple[str, ...], setting: str, expected: str
) -> None:
    assert style(language, *texts, project=project, setting=setting) == expected


def layout(language: str, *texts: str, project: tuple[str, ...] = ()) -> Layout:
    about = subject("x", language=language)
    return detect([(text, about) for text in texts], language, project).layout


@each_row(("habit", "expected", "language", "texts"), [
    ("quotes", '"""', "python", (PROSE,)),
    ("quotes", "'''", "python", ("'''S.'''", "r'''T.'''", PROSE)),
    ("below", True, "python", ('"""\n    S.\n\n    More.\n    """', PROSE)),
    ("below", False, "python", (GOOGLE, '"""\n    S.\n    """', GOOGLE)),
    ("blank_end", True, "python", ('"""S.\n\n    More.\n\n    """',)),
    ("blank_end", False, "python", (GOOGLE,)),
    ("one_line", True, "python", (PROSE, GOOGLE)),
    ("one_line", False, "python", ('"""\n    S.\n    """', GOOGLE)),
    ("one_line", False, "java", ("/**\n * S.\n */",)),
    ("unit", "  ", "python", ('"""S.\n\n  Args:\n    x: The x.\n  """',)),
    ("unit", "\t", "python", ('"""S.\n\n\tArgs:\n\t\tx: The x.\n\t"""',)),
    ("types", False, "python", (GOOGLE,)),
    ("types", True, "python", (GOOGLE.replace("x:", "x (int):"), PROSE)),
    ("types", True, "javascript", (JSDOC,)),
    ("types", False, "javascript", ("/**\n * S.\n * @param x - The x.\n * @returns {int} It.\n */",)),
    ("full_stop", True, "python", ('"""S"""', '"""T"""', PROSE)),
    ("full_stop", False, "javascript", ("/** S */", "/** T */", "/** U. */")),
    ("full_stop", True, "javascript", ("/** S. */",)),
    ("gap", False, "javascript", (JSDOC,)),
    ("gap", True, "typescript", (TSDOC,)),
    ("dash", True, "java", (TSDOC,)),
    ("dash", False, "java", ("/**\n * S.\n * @param x the x\n */",)),
    ("mark", "\\", "cpp", ("/// \\brief S.\n/// \\param x The x.",)),
    ("mark", "@", "cpp", ("/// @param x The x.",)),
    ("brief", False, "cpp", ("/// S.\n///\n/// @param x The x.",)),
    ("brief", True, "cpp", ("/// @brief S.",)),
    ("form", "///", "cpp", ("/// S.", "/** S. */", "/// T.")),
    ("form", "//!", "cpp", ("//! S.",)),
    ("form", "/*!", "c", ("/*!\n * S.\n */",)),
    ("parameters", True, "rust", ("/// S.\n///\n/// # Arguments\n///\n/// * `x` - The x.",)),
    ("parameters", False, "rust", ("/// S.",)),
    ("bars", False, "shellscript", ("# S.\n# Arguments:\n#   $1 - The x.",)),
    ("bars", True, "shellscript", ("#####\n# S.\n#####",)),
])  # fmt: skip
def test_a_habit(habit: str, expected: object, language: str, texts: tuple[str, ...]) -> None:
    assert getattr(layout(language, *texts), habit) == expected


def test_the_project_tells_the_habits_of_a_file_without_docstrings() -> None:
    assert layout("python", project=("'''S.'''", "'''T.'''")).quotes == "'''"
    assert layout("python", PROSE, project=("'''S.'''", "'''T.'''")).quotes == '"""'


def test_the_width_is_what_is_given_or_the_language_s() -> None:
    assert detect([], "python", width=72).layout.width == 72
    assert detect([], "python").layout.width == 88


@pytest.mark.parametrize(("texts", "kind", "expected"), [
    ((), "function", True),
    (('"""Return it."""', '"""Pass it."""'), "function", True),
    (('"""Returns it."""', '"""Makes it."""', '"""Return it."""'), "function", False),
    (('"""Options of it."""',), "class", True),
])  # fmt: skip
def test_the_mood_of_summaries(texts: tuple[str, ...], kind: str, expected: bool) -> None:
    habits = detect([(text, subject(kind=kind)) for text in texts], "python")
    assert habits.imperative is expected
