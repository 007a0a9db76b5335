"""Whether what was suggested parses: the longest beginning of it that makes the buffer no worse.

The buffer is nearly always broken where one types, so what counts is a comparison: errors and missing tokens with the
suggestion, closed where it leaves something open, against those of the same place without it. Where neither can be
trusted, everything stays: a right suggestion that is not shown costs more than a wrong one that is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from aigc_lsp.context.closers import PAIRS
from aigc_lsp.polish.closing import closers_of
from aigc_lsp.polish.tokens import Token, tokens
from aigc_lsp.syntax import GoOn, Tree
from aigc_lsp.text import Edit, Span

MAX_PARSES = 48
"""For one suggestion. One or two where it is sound, which it mostly is."""

LONGEST = 20_000
"""Characters. What is longer no model of ours says."""

_NAME = "x"
# C before its preprocessor is not C: no grammar reads `T * RESTRICT x` or a brace that is opened in both branches.
_PREPROCESSED = re.compile(
    r"\b[A-Z][A-Z0-9_]{2,}[ \t]+[\"\w*&]|\"[ \t]+[A-Z_]\w*[ \t]*[\",);]|^[ \t]*#[ \t]*(?:if|else|elif|endif)", re.M
)
_WITHOUT_LONG_COMMENTS = frozenset(("ruby", "shellscript"))
_BODIES = {"python": ":"} | dict.fromkeys(
    (
        "javascript",
        "javascriptreact",
        "typescript",
        "typescriptreact",
        "java",
        "c",
        "cpp",
        "csharp",
        "go",
        "rust",
        "php",
    ),
    " {}",
)
_REACH = 8_000
_C = frozenset(("c", "cpp", "csharp"))
_ENDS_STATEMENT = frozenset(("c", "cpp", "csharp", "java", "php", "rust"))
_CLOSES = frozenset(";)]}")
_ENDS_EXPRESSION = _CLOSES | frozenset("{:")


def gated(tree: Tree | None, offset: int, text: str, replaces: int, go_on: GoOn | None = None) -> int:
    """How many characters of `text` may be inserted at `offset` of the tree's text, in the place of `replaces`.

    The cuts are where a line ends, or in the first line where a token does. All of it where there is no tree, where the
    tree tells nothing here, or where `go_on` says that there is no time.
    """
    if tree is None or not text.strip() or len(text) > LONGEST:
        return len(text)
    trial = _Trial(tree, offset, replaces, go_on)
    try:
        if trial.is_sound(text) or trial.is_in_long_text(text) or trial.is_preprocessed(text):
            return len(text)
    except _CannotTell:
        return len(text)
    return _longest(text, trial)


class _CannotTell(Exception):
    pass


def _longest(text: str, trial: _Trial) -> int:
    """The longest sound beginning that is shorter than `text`."""
    lines = [at for at, mark in enumerate(text) if mark == "\n" and text[:at].strip()]
    if kept := _last_sound(lines, text, trial):
        return kept
    found = tokens(text[: lines[0]] if lines else text, trial.language_id)
    # Half a line ends in a value or closes something, and is more than one word.
    least = 1 if trial.line_before.strip() else 2
    return _last_sound([token.end for token in found[least - 1 : -1] if _may_end(token)], text, trial)


def _may_end(token: Token) -> bool:
    return token.kind in ("word", "number", "string") or token.text in _CLOSES


def _last_sound(ends: Sequence[int], text: str, trial: _Trial) -> int:
    """By halves, since what is wrong at one end is mostly wrong at the next."""
    low, high, kept = 0, len(ends), 0
    while low < high:
        middle = (low + high) // 2
        try:
            # Where a closer behind the cursor is replaced, the text has to bring its own.
            is_sound = trial.is_sound(text[: ends[middle]], most=1 if trial.replaces else 3)
        except _CannotTell:
            break
        if is_sound:
            low, kept = middle + 1, ends[middle]
        else:
            high = middle
    return kept


class _Count(NamedTuple):
    """Faults in the whole buffer, and those of them that lie in the suggestion alone."""

    total: int
    inside: int


_RUBBLE = _Count(1_000_000, 1_000_000)


@dataclass(slots=True)
class _Trial:
    """One place, in which texts are tried."""

    tree: Tree
    offset: int
    replaces: int
    go_on: GoOn | None
    parses: int = 0
    _limit: int | None = None

    @property
    def language_id(self) -> str:
        return self.tree.language_id

    def is_sound(self, text: str, most: int = 8) -> bool:
        """Whether it adds no fault, followed by one of so many endings. Raises _CannotTell."""
        seen = []
        for ending in islice(self._endings(text), most):
            seen.append(self._faults(text, ending))
            if not seen[-1].total:
                return True
        limit = self.limit
        return any(not found.inside and found.total <= limit for found in seen)

    def is_in_long_text(self, text: str) -> bool:
        """Whether a comment or string of many lines is open here that is not closed below, or not where it was."""
        if not self.tree.has_errors and "*/" not in text:
            return False
        source, start = self.tree.text.source, max(self.offset - _REACH, 0)
        if self.language_id == "python":
            return any(source.count(mark, 0, self.offset) % 2 for mark in ('"""', "'''"))
        if self.language_id in _WITHOUT_LONG_COMMENTS:
            return False
        return source.rfind("/*", start, self.offset) > source.rfind("*/", start, self.offset)

    def is_preprocessed(self, text: str) -> bool:
        return self.language_id in _C and _PREPROCESSED.search(self.line_before + text) is not None

    @property
    def line_before(self) -> str:
        text = self.tree.text
        return text.source[text.line_start(text.line_at(self.offset)) : self.offset]

    @property
    def limit(self) -> int:
        """How many faults there are without the suggestion. Raises _CannotTell."""
        if self._limit is None:
            self._limit = self._without()
        return self._limit

    def _without(self) -> int:
        text = self.tree.text
        line = text.line_at(self.offset)
        start, end = text.line_start(line), text.line_end(line)
        before = self.tree.faults()
        if before is None:
            raise _CannotTell
        # What was wrong on this line before the last word was typed nobody blames on the suggestion.
        said = tokens(text.source[start : self.offset], self.language_id)
        last = start + said[-1].start if said else start
        own = sum(start <= fault.start and fault.end <= last for fault in before)
        least = len(before)
        if least and (without := self._tried(start, end, "")) is not None:
            least = min(least, len(without) + own)
        for ending in islice(self._endings(_NAME), 1, None):
            if least > own:
                least = min(least, self._faults(_NAME, ending).total)
        if least > own and any(fault.start < start and self.offset < fault.end for fault in before):
            raise _CannotTell  # in the middle of an error the parser makes errors of anything
        return least

    def _endings(self, text: str) -> Iterator[str]:
        """What the text may be followed by one day, so that it is whole; nothing first."""
        source, language_id = self.tree.text, self.language_id
        after = source.source[self.offset + self.replaces : source.line_end(source.line_at(self.offset))]
        due = "".join(token.text for token in tokens(after, language_id) if token.text in PAIRS)
        mine, whole = closers_of(text, language_id), closers_of(self.line_before + text, language_id, due)
        stop = ";" if language_id in _ENDS_STATEMENT else ""
        mine, whole = (re.sub(r"\)(?=\})", f"){stop}", closers) for closers in (mine, whole))
        name = _NAME if _lacks_operand(tokens(text, language_id)) else ""
        # Where it ends in the middle of a header, the header ends and has a body.
        body = _BODIES.get(language_id, "")
        headers = (whole + body, name + whole + body) if body else ()
        yield from dict.fromkeys(("", whole + stop, mine, whole, name + mine, name + whole + stop, *headers))

    def _faults(self, text: str, ending: str) -> _Count:
        found = self._tried(self.offset, self.offset + self.replaces, text + ending)
        if found is None:
            return _RUBBLE
        end = self.offset + len(text)
        return _Count(len(found), sum(self.offset <= fault.start < end and fault.end <= end for fault in found))

    def _tried(self, start: int, end: int, new_text: str) -> tuple[Span, ...] | None:
        """The faults with `new_text` in the place of `start..end`; None for too many."""
        self.parses += 1
        if self.parses > MAX_PARSES or not (self.go_on is None or self.go_on()):
            raise _CannotTell
        edit = Edit(Span(start, end), new_text)
        tree = self.tree.edit((edit,), self.tree.text.apply(edit), self.go_on)
        if tree is None:
            raise _CannotTell
        return tree.faults()


def _lacks_operand(said: Sequence[Token]) -> bool:
    last = said[-1] if said else None
    return last is not None and last.kind != "comment" and last.text not in _ENDS_EXPRESSION
