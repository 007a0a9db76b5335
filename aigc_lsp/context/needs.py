"""What one would look up at a cursor: what is being called there, and what has the member that is to come.

Read off the text alone, so it is there without a tree and in broken code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aigc_lsp.text import Span, Text

_MOST_BACK = 2000
"""Characters that are looked through for the bracket that the cursor is in."""

_RECEIVER = r"(?P<receiver>(?:(?:self|this)\.)?[^\W\d]\w*)[!?]?(?:\.|->|::|\?\.)"
_DOTTED = re.compile(rf"{_RECEIVER}\w*$")
_CALLEE = re.compile(rf"(?:{_RECEIVER})?(?P<name>[^\W\d]\w*)[!?]?(?:<[^<>()]*>)?\s*$")


# A bracket stands behind them, and they call nothing.
_NO_CALLEES = frozenset(
    (
        *(
            "if",
            "elif",
            "elsif",
            "else",
            "while",
            "until",
            "unless",
            "for",
            "foreach",
            "switch",
            "case",
            "when",
            "match",
        ),
        *("catch", "except", "rescue", "return", "yield", "await", "throw", "raise", "assert", "del", "delete", "new"),
        *("not", "and", "or", "in", "is", "function", "func", "fn", "fun", "def", "class", "lambda", "async", "with"),
        *("sizeof", "typeof", "instanceof", "using", "lock", "synchronized", "import", "from", "print", "super"),
    )
)


@dataclass(frozen=True, slots=True)
class Need:
    """A name to look up; it is empty where what `receiver` has is wanted. `receiver` is a name, or the member of the
    class around the cursor (`self.name`), or empty."""

    name: str
    receiver: str


def at_cursor(text: Text, offset: int) -> tuple[Need, ...]:
    """What stands before the dot at the cursor, then what is being called there, the innermost call first."""
    return tuple(_at_cursor(text, offset))


def _at_cursor(text: Text, offset: int) -> Iterator[Need]:
    start = max(0, offset - _MOST_BACK)
    before = text.source[start:offset]
    if dotted := _DOTTED.search(before[-200:]):
        yield Need("", dotted["receiver"])
    for bracket in _open_brackets(before):
        callee = _CALLEE.search(before[max(0, bracket - 200) : bracket])
        if callee and callee["name"] not in _NO_CALLEES:
            yield Need(callee["name"], callee["receiver"] or "")


def _open_brackets(before: str) -> Iterator[int]:
    """Where the `(` stand that are open at the end of `before`, the innermost first, two at most."""
    closed, found = 0, 0
    for at in range(len(before) - 1, -1, -1):
        character = before[at]
        if character in ")]}":
            closed += 1
        elif character in "([{":
            closed -= 1
            if closed < 0:
                if character == "{":
                    return
                closed = 0
                if character == "(":
                    yield at
                    found += 1
                    if found == 2:
                        return


_WORD = re.compile(r"[^\W\d]\w*(?:(?:\.|::)[^\W\d]\w*)*")
_NO_TYPES = {
    *("new", "await", "return", "in", "of", "mut", "const", "let", "var", "final"),
    *("async", "not", "is", "else", "case", "yield", "def", "class", "func", "function", "fn", "fun"),
    *("public", "private", "protected", "static", "export", "default", "abstract", "override", "virtual", "void"),
}
_SELVES = ("self.", "this.", "@")

# What stands behind a variable that is declared or made, and what stands before it.
_GIVEN = re.compile(r"\??\s*(?::(?![:=])|:?=(?!=))\s*((?:(?:await|new|mut)\s+|[&*])*[\w.:]+(?:[\[<][^\]>\n]{0,60})?)")
_GO = re.compile(r"[ \t]+\*?((?:\w+\.)?[A-Z]\w*)\b(?!\s*\()")
_BEFORE = re.compile(r"(?:\b([A-Z]\w*)(?:<[^<>\n]*>)?(?:\[\])?[ \t*&]+|([\w.]+)\([^()\n]*\)\s+as\s+)$")


def types_of(name: str, source: str, span: Span) -> list[str]:
    """What may be the type of the variable `name`, by how it is declared or made in `span`; the latest first.

    Read off the text alone: `name: T`, `name = T(…)`, `T name`, `name T` of Go, `T(…) as name`. A name that is no type
    may be what it was made with, which the caller knows or not. `self.name` is looked for as a member, too.
    """
    plain = name.rpartition(".")[2]
    found: list[str] = []
    for at in _occurrences(plain, source, span):
        before = source[max(0, at - 5) : at]
        is_member = before.endswith(_SELVES)
        if before.endswith(".") and not is_member:
            continue
        given = _GIVEN.match(source, at + len(plain)) or _GO.match(source, at + len(plain))
        typed = None if is_member else _BEFORE.search(source, max(span.start, at - 80), at)
        said = given[1] if given else (typed[1] or typed[2]) if typed else ""
        found += [word for word in _WORD.findall(said) if word not in _NO_TYPES][:3][::-1]
    return list(dict.fromkeys(reversed(found)))


def _occurrences(name: str, source: str, span: Span) -> Iterator[int]:
    """Where `name` stands as a whole word."""
    at = source.find(name, span.start, span.end)
    while at >= 0 and name:
        end = at + len(name)
        if not (_is_word(source[max(0, at - 1) : at]) or _is_word(source[end : end + 1])):
            yield at
        at = source.find(name, end, span.end)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


# `-> T:`, `(): T`, `func f() *T`.
_RETURNED = re.compile(r"->\s*([^{]+?):?\s*$|\)\s*:\s*([^{]+?)\s*$|^func\b.*\)\s*([^(){]+?)\s*$", re.DOTALL)
_BEFORE_NAME = r"([\w.:]+)(?:<[^()]*>)?(?:\[\])?[\s*&]+(?:\w+::)*{}\s*\("


def returned(header: str, name: str) -> list[str]:
    """The names in the type that the function `name` says to return."""
    match = _RETURNED.search(header) or re.search(_BEFORE_NAME.replace("{}", re.escape(name)), header)
    said = next(filter(None, match.groups()), "") if match else ""
    return [word for word in _WORD.findall(said) if word not in _NO_TYPES]


def bases(header: str, name: str) -> list[str]:
    """The names behind a class's own in its header."""
    words = _WORD.findall(header)
    return words[words.index(name) + 1 :] if name in words else []
