"""What the other cells of a notebook say to one of them.

Cells of one language are one program: those above stand before the cell as if all were one file, those below behind
it. What a markdown cell above says comes as a few lines of comment. A cell that IPython hands to another language
(`%%bash`) is in that language, whatever the client says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aigc_lsp.syntax import comment_marks

_CELL_MAGIC = re.compile(r"\s*%%(\S*)")

# Cell magics that run the rest of the cell as it is.
_IN_PLACE = frozenset(("capture", "memit", "prun", "time", "timeit"))

_LANGUAGES = {
    "bash": "shellscript",
    "html": "html",
    "HTML": "html",
    "javascript": "javascript",
    "js": "javascript",
    "latex": "latex",
    "markdown": "markdown",
    "perl": "perl",
    "R": "r",
    "ruby": "ruby",
    "sh": "shellscript",
    "sql": "sql",
}

_MOST_LINES = 3
_MOST_CHARACTERS = 100
"""Of a markdown cell: its heading and what follows at once say what the code is for."""

# Where a markdown cell begins to show something instead of saying it.
_SHOWN = ("```", "~~~", "$$", "<", "![", "|", "---", "===")


@dataclass(frozen=True, slots=True)
class Cell:
    """`language` is the client's word; `is_markup` tells prose from code."""

    source: str
    language: str
    is_markup: bool = False


def language_in(cell: Cell) -> str:
    """The language that `cell` is written in, or "" where a cell magic takes it for something else."""
    magic = _CELL_MAGIC.match(cell.source) if cell.language == "python" else None
    if magic is None or magic[1] in _IN_PLACE:
        return cell.language
    return _LANGUAGES.get(magic[1], "")


def around(
    cell: Cell, above: Iterable[Cell], below: Iterable[Cell], most_above: int, most_below: int
) -> tuple[str, str]:
    """What stands before and behind `cell`, each at most so many characters: whole lines, one blank one between cells.

    `above` and `below` are the other cells, the nearest first; no more of them is read than needed. What stands before
    ends in a newline and what stands behind begins with one, where they are not empty.
    """
    language = language_in(cell)
    if not language:
        return "", ""
    before = _nearest((_said_above(each, language) for each in above), most_above, _last_lines)
    behind = _nearest((_code(each, language) for each in below), most_below, _first_lines)
    return "".join(f"{text}\n\n" for text in reversed(before))[:-1], "".join(f"\n\n{text}" for text in behind)[1:]


def _nearest(texts: Iterable[str], most: int, clip: Callable[[str, int], str]) -> list[str]:
    """The first of `texts`, as far as they fit into `most` characters."""
    found = []
    for text in texts:
        if most <= 0:
            break
        if text:
            found.append(clip(text, most))
            most -= len(text) + len("\n\n")
    return list(filter(None, found))


def _last_lines(text: str, most: int) -> str:
    return text if len(text) <= most else text[-most:].partition("\n")[2]


def _first_lines(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rpartition("\n")[0]


def _said_above(cell: Cell, language: str) -> str:
    if cell.is_markup and cell.language != language:
        return _commented(cell.source, language)
    return _code(cell, language)


def _code(cell: Cell, language: str) -> str:
    """The text of a cell in `language`; nothing of another, and nothing binary."""
    if language_in(cell) != language or "\0" in cell.source or not cell.source.strip():
        return ""
    return cell.source.strip("\r\n")


def _commented(source: str, language: str) -> str:
    """The first lines of prose as comments; nothing where we know of no comment that ends with its line."""
    marks = comment_marks(language)
    if marks is None or marks[1]:
        return ""
    lines = [line.strip() for line in source[: 10 * _MOST_LINES * _MOST_CHARACTERS].split("\n")]
    shown = next((n for n, line in enumerate(lines) if line.startswith(_SHOWN)), len(lines))
    said = [line for line in lines[:shown] if line]
    return "\n".join(f"{marks[0]} {line[:_MOST_CHARACTERS]}" for line in said[:_MOST_LINES])
