"""How wide a docstring may be, by a project's files."""

from __future__ import annotations

import pytest

from aigc_lsp.docstring.layout import width_of

EDITORCONFIG = """
root = true

[*]
indent_style = space
indent_size = 2
max_line_length = 100

[*.{py,pyi}]
indent_size = 4
max_line_length = 72

[Makefile]
indent_style = tab

[*.go]
indent_style = tab
max_line_length = off
"""


@pytest.mark.parametrize(("pyproject", "editorconfig", "language", "expected"), [
    (None, None, "python", 88),
    (None, None, "java", 100),
    (None, None, "javascript", 80),
    (None, None, "cobol", 80),
    ("[tool.ruff]\nline-length = 120", None, "python", 120),
    ("[tool.black]\nline-length = 100", None, "python", 100),
    ("[tool.black]\nline-length = 100\n[tool.ruff]\nline-length = 90", None, "python", 90),
    ("[tool.ruff]\nline-length = 120\n[tool.ruff.lint.pycodestyle]\nmax-doc-length = 76", None, "python", 76),
    ("[tool.flake8]\nmax-line-length = 99", None, "python", 99),
    ("[tool.pycodestyle]\nmax-line-length = 98", None, "python", 98),
    ("[tool.ruff]\nline-length = 120", EDITORCONFIG, "python", 120),
    ("[tool.ruff]\nline-length = 120", EDITORCONFIG, "javascript", 100),
    ("[project]\nname = 'x'", EDITORCONFIG, "python", 72),
    ("[tool.ruff]\nline-length = 'wide'", None, "python", 88),
    ("[tool]\nruff = 3", None, "python", 88),
    ("[tool.ruff", None, "python", 88),
    ("", "", "python", 88),
    (None, EDITORCONFIG, "go", 100),
    (None, "max_line_length = 5", "python", 88),
    (None, "[*\nmax_line_length", "python", 88),
    (None, "[*]\nmax_line_length", "python", 88),
    (None, "[*.py]\r\nmax_line_length = 60\r\n", "python", 60),
    (None, "[*.{ts,tsx}]\nmax_line_length = 61\n", "typescriptreact", 61),
    (None, "[*.jsx]\nmax_line_length = 62\n", "javascriptreact", 62),
])  # fmt: skip
def test_the_width(pyproject: str | None, editorconfig: str | None, language: str, expected: int) -> None:
    assert width_of(pyproject, editorconfig, language) == expected
