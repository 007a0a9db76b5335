"""Strings that are never closed: what a cursor in half-written code often stands in.

A parser makes an error of them, each grammar another one, and none says where the string began. So the part of
the text that the tree knows no string in is read here, by the little that a language's quotes need.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Inside = Literal["string", "code"]

# How far back an unclosed string is looked for: a minified file is a single line.
REACH = 8_000
_MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Quotes:
    """The quotes of one family of languages.

    begin  matches what opens a string, or what only looks like it (then `mark` is missing). Groups, where a language
           has them: `mark` is the quote itself; `hash` follows it again at the end; `here` is the word that ends a here
           document; `long` makes any mark a long one, `code` lets code be written inside
    long   marks of strings that go on over lines
    code   mark → what begins and ends code inside such a string; "" stands for those with the group `code` or `here`
    raw    marks of strings in which a backslash is nothing special
    """

    begin: re.Pattern[str]
    long: frozenset[str] = frozenset()
    code: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    raw: frozenset[str] = frozenset()


def unclosed(
    source: str, start: int, end: int, quotes: Quotes, known: Sequence[tuple[int, int]]
) -> tuple[int, Inside] | None:
    """Where a string begins in `start..end` that is still open at `end`, and what the end is in: that string, or code
    within it. None where there is none.

    `known` are spans, in order, that are sound strings and comments; `start` is in code.
    """
    at = start
    for span_start, span_end in (*known, (end, end)):
        while at < span_start and (match := quotes.begin.search(source, at, span_start)):
            closed, inside = _read(source, match, end, quotes, 0)
            if closed is None:
                return match.start(), inside
            at = max(closed, match.end())
        at = max(at, span_end)
    return None


def _read(source: str, opening: re.Match[str], end: int, quotes: Quotes, depth: int) -> tuple[int | None, Inside]:
    """Where the string that `opening` begins is closed, None where it is not up to `end`; and what `end` is in."""
    groups = opening.groupdict()
    mark, here = groups.get("mark"), groups.get("here")
    if mark is None and here is None:
        return opening.end(), "code"
    is_long = here is not None or mark in quotes.long or bool(groups.get("long"))
    code = quotes.code.get("" if groups.get("code") else mark or "", ())
    if here is not None:
        closer = rf"^[ \t]*{re.escape(here)}\b"
    else:
        closer = re.escape((mark or "") + (groups.get("hash") or ""))
    escapes = r"|\\." if mark not in quotes.raw else ""
    doubled = "".join(rf"|{re.escape(begin * 2)}" for begin, _ in code if len(begin) == 1)
    openings = "".join(rf"|(?P<code{n}>{re.escape(begin)})" for n, (begin, _) in enumerate(code))
    breaks = "" if is_long else r"|(?P<break>[\r\n])"
    pattern = re.compile(rf"(?P<close>{closer}){escapes}{doubled}{openings}{breaks}", re.M | re.S)
    # A here document begins on the next line.
    at = opening.end() if here is None else source.find("\n", opening.end(), end)
    if at < 0:
        return opening.end(), "code"
    while match := pattern.search(source, at, end):
        at = match.end()
        if match.lastgroup in ("close", "break"):
            return at, "code"
        if match.lastgroup:
            ended, inside = _read_code(source, at, end, code[int(match.lastgroup[4:])], quotes, depth + 1)
            if ended is None:
                return None, inside
            at = ended
    return None, "string"


def _read_code(
    source: str, at: int, end: int, brackets: tuple[str, str], quotes: Quotes, depth: int
) -> tuple[int | None, Inside]:
    """As `_read`, for code inside a string that begins at `at`."""
    begin, close = brackets
    level = 1
    signs = re.compile(rf"({re.escape(close)})|({re.escape(begin[-1])})|{quotes.begin.pattern}")
    while match := signs.search(source, at, end):
        at = match.end()
        if match[1]:
            level -= 1
            if not level:
                return at, "string"
        elif match[2]:
            level += 1
        elif depth < _MAX_DEPTH and (opening := quotes.begin.match(source, match.start(), end)):
            closed, inside = _read(source, opening, end, quotes, depth)
            if closed is None:
                return None, inside
            at = max(closed, at)
    return None, "code"


_HASH = r"#[^\r\n]*"
_SLASHES = r"//[^\r\n]*|/\*.*?\*/"
# A character, or an apostrophe between digits, opens nothing.
_CHARACTER = r"'(?:\\.[^'\r\n]*|[^'\\\r\n])'|(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])"
_PYTHON = Quotes(
    begin=re.compile(rf"{_HASH}|(?P<code>(?i:\b(?:[ft]r?|r[ft])))?(?P<mark>\"\"\"|'''|\"|')"),
    long=frozenset(('"""', "'''")),
    code={"": (("{", "}"),)},
)
_JAVASCRIPT = Quotes(re.compile(rf"{_SLASHES}|(?P<mark>[\"'`])"), frozenset("`"), {"`": (("${", "}"),)})
_JAVA = Quotes(re.compile(rf"{_SLASHES}|{_CHARACTER}|(?P<mark>\"\"\"|[\"'])"), frozenset(('"""',)))
_GO = Quotes(re.compile(rf"{_SLASHES}|{_CHARACTER}|(?P<mark>[\"'`])"), frozenset("`"), raw=frozenset("`"))
_RUST = Quotes(re.compile(rf"{_SLASHES}|{_CHARACTER}|(?:\br(?P<hash>#*))?(?P<mark>\")"), frozenset('"'))
_C = Quotes(re.compile(rf"{_SLASHES}|{_CHARACTER}|(?P<mark>[\"'])"))
_CSHARP = Quotes(
    re.compile(rf"{_SLASHES}|{_CHARACTER}|(?P<long>@)?(?P<code>\$+)?@?(?P<mark>\"\"\"|[\"'])"),
    frozenset(('"""',)),
    {"": (("{", "}"),)},
)
_RUBY = Quotes(
    re.compile(rf"{_HASH}|(?<![\w)])\?[\"'](?!\w)|<<[~-]?[\"'`]?(?P<here>[A-Z_]\w*)[\"'`]?|(?P<mark>[\"'`])"),
    frozenset("\"'`"),
    dict.fromkeys(('"', "`", ""), (("#{", "}"),)),
)
_PHP = Quotes(
    re.compile(rf"{_HASH}|{_SLASHES}|<<<[ \t]*[\"']?(?P<here>\w+)[\"']?(?=[\r\n])|(?P<mark>[\"'`])"),
    frozenset("\"'`"),
    dict.fromkeys(('"', ""), (("{$", "}"), ("${", "}"))),
)
_SHELL = Quotes(
    re.compile(
        r"(?<![^\s;])#[^\r\n]*|\\.|(?<!<)<<(?!<)-?[ \t]*[\"'\\]?(?P<here>\w+)[\"']?|(?P<mark>[\"'])",
    ),
    frozenset("\"'"),
    dict.fromkeys(('"', ""), (("$(", ")"), ("${", "}"))),
    raw=frozenset("'"),
)

_QUOTES = {
    "python": _PYTHON,
    "javascript": _JAVASCRIPT,
    "javascriptreact": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "typescriptreact": _JAVASCRIPT,
    "java": _JAVA,
    "go": _GO,
    "rust": _RUST,
    "c": _C,
    "cpp": _C,
    "csharp": _CSHARP,
    "ruby": _RUBY,
    "php": _PHP,
    "shellscript": _SHELL,
}


def inside_of_line(line: str, language_id: str) -> Inside:
    """What the end of `line` is in, as far as one line tells, where nothing else is known."""
    quotes = _QUOTES.get(language_id) if len(line) <= REACH else None
    found = unclosed(line, 0, len(line), quotes, ()) if quotes is not None else None
    return "code" if found is None else found[1]


def quotes_of(language_id: str) -> Quotes:
    """Raises KeyError for a language without a grammar."""
    return _QUOTES[language_id]
