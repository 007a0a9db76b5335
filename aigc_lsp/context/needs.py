"""Which names near the cursor one would look up: what is being called, what stands before the dot, the types around.

Of the tree only the stretch around the cursor is asked, so it costs the same in a long file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aigc_lsp.context.document import Document
from aigc_lsp.syntax import Definition, Role, Tree, Use
from aigc_lsp.text import Span, Text

LINES_ABOVE = 16
LINES_BELOW = 4
MOST = 24
"""Names: more are never looked up at a time."""

LEAST = 0.5
"""Weight: what matters less makes a small model say it where it does not belong."""

_MOST_BACK = 2000
"""Characters that are looked through for the bracket that the cursor is in."""

_SELF = {"self", "this", "cls", "@", "super"}
_RECEIVER = r"(?P<receiver>(?:(?:self|this)\.)?[^\W\d]\w*)[!?]?(?:\.|->|::|\?\.)"
_DOTTED = re.compile(rf"{_RECEIVER}\w*$")
_CALLEE = re.compile(rf"(?:{_RECEIVER})?(?P<name>[^\W\d]\w*)[!?]?(?:<[^<>()]*>)?\s*$")
_CHAIN = re.compile(r"(?<![\w.])((?:self|this)\.\w+)\.$")
_WEIGHTS: dict[Role, float] = {"call": 1.0, "type": 0.9, "attribute": 0.7, "name": 0.6}


@dataclass(frozen=True, slots=True)
class Need:
    """A name to look up. `name` is empty where what `receiver` has is wanted; `weight` is higher for what matters more.

    `role` is that of the use, or "base": the class that the one around the cursor is made from. `receiver` is a name,
    or the member of the class around the cursor (`self.name`).
    """

    name: str
    receiver: str
    role: str
    weight: float

    @property
    def is_own(self) -> bool:
        """Whether it belongs to the class around the cursor."""
        return self.receiver in _SELF


def needs(document: Document, offset: int) -> list[Need]:
    """The most wanted first, each once. Without a tree: what is being called, and what stands before the dot."""
    text, tree = document.text, document.tree
    found: dict[tuple[str, str], Need] = {}
    stretch = [] if tree is None else [*_around(tree, text, offset), *_in_headers(tree, offset)]
    for each in (*at_cursor(text, offset), *stretch):
        known = found.get((each.name, each.receiver))
        if known is None or known.weight < each.weight:
            found[each.name, each.receiver] = each
    ranked = sorted(found.values(), key=lambda each: -each.weight)
    return [each for each in ranked if each.weight >= LEAST][:MOST]


def at_cursor(text: Text, offset: int) -> tuple[Need, ...]:
    """What is being called at the cursor, the innermost call first, and what stands before the dot there."""
    return tuple(_at_cursor(text, offset))


def _at_cursor(text: Text, offset: int) -> Iterator[Need]:
    start = max(0, offset - _MOST_BACK)
    before = text.source[start:offset]
    if dotted := _DOTTED.search(before[-200:]):
        yield Need("", dotted["receiver"], "attribute", 3.0)
    for depth, bracket in enumerate(_open_brackets(before)):
        if callee := _CALLEE.search(before[max(0, bracket - 200) : bracket]):
            yield Need(callee["name"], callee["receiver"] or "", "call", 4.0 - depth)


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


def _around(tree: Tree, text: Text, offset: int) -> Iterator[Need]:
    line = text.line_at(offset)
    start = text.line_start(max(0, line - LINES_ABOVE))
    end = text.line_end(min(text.line_count - 1, line + LINES_BELOW))
    for use in tree.identifiers(start, end):
        distance = text.line_at(use.offset) - line
        near = 2.0 if distance == 0 else 1 / (1 + (distance if distance > 0 else -distance / 3))
        chain = None if use.receiver else _CHAIN.search(text.source, max(0, use.offset - 80), use.offset)
        yield Need(use.name, chain[1] if chain else use.receiver, use.role, near * _WEIGHTS[use.role])


def _in_headers(tree: Tree, offset: int) -> Iterator[Need]:
    for scope in tree.scopes(offset):
        for use in tree.identifiers(scope.header.start, scope.header.end):
            if use.name != scope.name:
                yield _of_header(use, scope)


def _of_header(use: Use, scope: Definition) -> Need:
    if scope.kind == "class":
        return Need(use.name, use.receiver, "base", 1.2)
    return Need(use.name, use.receiver, use.role, 0.9 * _WEIGHTS[use.role])


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
        is_member = source.startswith(_SELVES, at - 5) or source.startswith("@", at - 1)
        if source[at - 1 : at] == "." and not is_member:
            continue
        given = _GIVEN.match(source, at + len(plain)) or _GO.match(source, at + len(plain))
        before = None if is_member else _BEFORE.search(source, max(span.start, at - 80), at)
        said = given[1] if given else (before[1] or before[2]) if before else ""
        found += [word for word in _WORD.findall(said) if word not in _NO_TYPES][:3][::-1]
    return list(dict.fromkeys(reversed(found)))


def _occurrences(name: str, source: str, span: Span) -> Iterator[int]:
    """Where `name` stands as a whole word."""
    at = source.find(name, span.start, span.end)
    while at >= 0 and name:
        end = at + len(name)
        if not (_is_word(source[at - 1 : at]) or _is_word(source[end : end + 1])):
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
