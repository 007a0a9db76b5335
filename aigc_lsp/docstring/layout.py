"""How a docstring is laid out: width, quotes, marks and blank lines; and the width that a project's files ask for."""

from __future__ import annotations

import configparser
import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch

_DEFAULT_WIDTH = {"python": 88, "go": 100, "java": 100, "rust": 100, "csharp": 120, "php": 120}
_OTHER_WIDTH = 80

_SUFFIX = {
    "python": "py", "javascript": "js", "javascriptreact": "jsx", "typescript": "ts", "typescriptreact": "tsx",
    "java": "java", "c": "c", "cpp": "cpp", "csharp": "cs", "go": "go", "rust": "rs", "ruby": "rb", "php": "php",
    "shellscript": "sh",
}  # fmt: skip

_WIDTHS_IN_PYPROJECT = (
    ("tool", "ruff", "lint", "pycodestyle", "max-doc-length"),
    ("tool", "ruff", "line-length"),
    ("tool", "black", "line-length"),
    ("tool", "flake8", "max-line-length"),
    ("tool", "pycodestyle", "max-line-length"),
    ("tool", "autopep8", "max_line_length"),
    ("tool", "yapf", "column_limit"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The habits of a file that any style can have. Widths are columns, the indentation of the docstring included."""

    width: int = 88
    unit: str = "    "
    """One step of indentation inside the docstring."""
    quotes: str = '"""'
    form: str = ""
    """How a comment begins: `/**`, `/*!`, `///`, `//!`, `//` or `#`; "" is what the style has."""
    below: bool = False
    """The summary begins on the line below the opening quotes or mark."""
    blank_end: bool = False
    """A blank line stands before the closing quotes."""
    text_end: bool = False
    """The closing quotes stand behind the last words."""
    one_line: bool = True
    """What fits on one line stands on one, with its quotes or marks."""
    gap: bool = True
    """A blank line stands between the prose and the first tag."""
    types: bool = False
    """The docstring repeats the types of the signature."""
    parameters: bool = False
    """Parameters and returns are told about, also where the style does not ask for it (Rust)."""
    full_stop: bool = True
    """The summary ends with a full stop."""
    capital: bool = True
    """The phrases of slots begin with a capital."""
    phrase_stop: bool = True
    """They end with a full stop."""
    mark: str = "@"
    """Doxygen's: `@` or a backslash."""
    dash: bool = False
    """A dash stands between a parameter's name and its phrase."""
    brief: bool = False
    """Doxygen's summary follows a tag."""
    bars: bool = True
    """Bars of `#` stand above and below a shell function's header."""


def width_of(pyproject: str | None, editorconfig: str | None, language: str) -> int:
    """How wide a line may be, by the texts of a project's files (None where there is none). Never raises."""
    width = _from_pyproject(pyproject) if pyproject and language == "python" else None
    return width or _from_editorconfig(editorconfig or "", language) or _DEFAULT_WIDTH.get(language, _OTHER_WIDTH)


def _from_pyproject(source: str) -> int | None:
    try:
        table: object = tomllib.loads(source)
    except tomllib.TOMLDecodeError:
        return None
    for path in _WIDTHS_IN_PYPROJECT:
        value = table
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _from_editorconfig(source: str, language: str) -> int | None:
    width = _properties(source, language).get("max_line_length", "")
    return int(width) if width.isdigit() and int(width) > 0 else None


def _properties(source: str, language: str) -> dict[str, str]:
    """What an .editorconfig says of a file of `language` in its own folder; later sections win."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=", ":"), allow_no_value=True)
    try:
        parser.read_string(_without_preamble(source))
    except configparser.Error:
        return {}
    found: dict[str, str] = {}
    for section in parser.sections():
        if any(fnmatch(f"a.{_SUFFIX.get(language, 'txt')}", glob) for glob in _globs(section)):
            found.update({key: (value or "").strip().lower() for key, value in parser.items(section)})
    return found


def _without_preamble(source: str) -> str:
    """The sections alone: `root = true` stands above the first, which configparser does not take."""
    start = re.search(r"^\s*\[", source, re.MULTILINE)
    return source[start.start() :] if start else ""


def _globs(pattern: str) -> list[str]:
    """The patterns that one with `{a,b}` stands for."""
    braces = re.search(r"\{([^{}]*)\}", pattern)
    if braces is None:
        return [pattern]
    head, tail = pattern[: braces.start()], pattern[braces.end() :]
    return [glob for choice in braces[1].split(",") for glob in _globs(head + choice.strip() + tail)]
