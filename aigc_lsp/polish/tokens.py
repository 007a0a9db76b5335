"""A suggestion as tokens: words, marks, strings and comments, told apart by a table and not by a parser.

What the model says is often no whole statement, so no tree of it alone is to be had. The table knows how strings and
comments look in the languages that have a grammar; a text that begins inside a string is read wrongly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

TokenKind = Literal["word", "number", "string", "comment", "mark"]


@dataclass(frozen=True, slots=True)
class Token:
    """`text` begins at `start`; `closer` would end it: a string, comment or here document that is not closed."""

    kind: TokenKind
    text: str
    start: int
    closer: str = ""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def quoting_of(language_id: str) -> str:
    """The name of a way to write strings and comments, which several languages share; "" without a grammar."""
    return _QUOTING_OF.get(language_id, "")


def tokens(text: str, language_id: str) -> tuple[Token, ...]:
    """All but the blanks; nothing for a language without a grammar."""
    pattern = _pattern(quoting_of(language_id))
    if pattern is None:
        return ()
    return tuple(_token(match) for match in pattern.finditer(text))


def _token(match: re.Match[str]) -> Token:
    kind, closer, said = match.lastgroup or "", "", match[0]
    if kind == "open":
        groups = match.groupdict()
        closer = groups["quote"] or groups["quote_of_line"] or f"\n{groups['here']}\n"
        kind = "string"
    elif kind == "comment":
        is_long = said.startswith("/*")
        closer = "\n" if not is_long else "" if len(said) > 3 and said.endswith("*/") else "*/"
    return Token(cast(TokenKind, kind), said, match.start(), closer)


_QUOTING_OF = {
    language: family
    for family, languages in {
        "python": "python",
        "web": "javascript javascriptreact typescript typescriptreact",
        "c": "c cpp java csharp",
        "go": "go",
        "rust": "rust",
        "ruby": "ruby",
        "php": "php",
        "shell": "shellscript",
    }.items()
    for language in languages.split()
}

_SLASHES = r"//[^\n]*|/\*(?s:.*?)(?:\*/|\Z)"
_HASH = r"\#[^\n]*"
_BARE_HASH = r"(?<![^\s;(`])\#[^\n]*"
# A pattern between slashes stands where a value does.
_REGEX = r"(?<=[=(,:!&|?\[{;\n])[ ]*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*"
_CHARACTER = r"'(?:\\[^'\n]*|[^'\\\n])'"


def _closed(mark: str, *, long: bool = False, raw: bool = False, tripled: bool = False) -> str:
    escape = "" if raw else r"\\(?s:.)|"
    barred = ("" if raw else r"\\") + ("" if long else r"\n")
    inner = f"[^{barred}]" if barred else "(?s:.)"
    return f"{mark}{f'(?!{mark}{mark})' if tripled else ''}(?:{escape}(?!{mark}){inner})*{mark}"


# Family → comments, closed strings, what opens a string that goes on over lines, what opens one that does not.
_TABLE: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "python": (
        _HASH,
        tuple(
            rf"(?i:\b[rbuft]{{1,2}})?{_closed(mark, long=len(mark) > 1, tripled=len(mark) == 1)}"
            for mark in ('"""', "'''", '"', "'")
        ),
        "\"\"\"|'''",
        "\"|'",
    ),
    "web": (_SLASHES, (_closed('"'), _closed("'"), _closed("`", long=True), _REGEX), "`", "\"|'"),
    "c": (_SLASHES, (_closed('"""', long=True), _CHARACTER, r"\$?@?" + _closed('"', tripled=True)), '"""', '"'),
    "go": (_SLASHES, (_closed("`", long=True, raw=True), _CHARACTER, _closed('"')), "`", '"'),
    "rust": (_SLASHES, (r'r\#"(?s:.*?)"\#', _CHARACTER, _closed('"', long=True)), '"', "(?!)"),
    "ruby": (_HASH, (_closed('"', long=True), _closed("'", long=True), _REGEX), "\"|'", "(?!)"),
    "php": (rf"{_SLASHES}|\#(?!\[)[^\n]*", (_closed('"', long=True), _closed("'", long=True)), "\"|'", "(?!)"),
    "shell": (_BARE_HASH, (_closed('"', long=True), _closed("'", long=True, raw=True), r"\\."), "\"|'", "(?!)"),
}
_HERE = {"ruby": r"<<[~-]", "shell": r"(?<!<)<<-?[ ]*(?=[\w'\"])", "php": r"<<<[ ]*"}
_MARK = r"->|=>|::|\?\.|[=!<>]=|&&|\|\||:=|\.\.\.|<<|>>|[^\s\w]"


@cache
def _pattern(family: str) -> re.Pattern[str] | None:
    if family not in _TABLE:
        return None
    comment, strings, long, short = _TABLE[family]
    here = rf"{_HERE.get(family, '(?!)')}[\"']?(?P<%s>[A-Z_a-z]\w*)[\"']?(?s:.*?)"
    strings = (*strings, here % "word_here" + r"\n[ \t]*(?P=word_here)\b")
    left_open = rf"{here % 'here'}\Z|(?P<quote>{long})(?s:.*)|(?P<quote_of_line>{short})[^\n]*"
    return re.compile(
        rf"(?P<comment>{comment})|(?P<string>{'|'.join(strings)})|(?P<open>{left_open})"
        rf"|(?P<number>\b\d[\w.]*)|(?P<word>[$@]{{0,2}}[^\W\d]\w*)|(?P<mark>{_MARK})"
    )
