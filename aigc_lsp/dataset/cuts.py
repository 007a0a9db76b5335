"""Where a text is cut for one example: the kinds of holes, each ending where a person would want the suggestion to end.

Columns may lie anywhere in a line, also inside a word: prefix and middle are tokenised as one text, as a completion is
healed. Nothing here is random but by the generator that is given.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aigc_lsp.context.closers import CLOSERS
from aigc_lsp.dataset.example import Kind
from aigc_lsp.measure.holes import MAX_LINE, Source, is_worth, mask
from aigc_lsp.syntax.parts import Body, Parts
from aigc_lsp.text import Span

MOST_LINES, MOST_CHARACTERS = 10, 600
"""Of a middle."""

SHARES: Mapping[Kind, float] = {
    "rest_of_line": 0.32,
    "block": 0.19,
    "statement": 0.13,
    "lines": 0.10,
    "span": 0.10,
    "argument": 0.05,
    "closers": 0.05,
    "empty": 0.06,
}
"""How often each kind is cut."""

_TRIES = 16
_INDENTED = 0.4  # of single lines so many begin behind the indentation
_PROSE = 0.06  # of single lines so many are comments
_SHOWN = 0.5  # of spans so many show closers that stand behind them
_QUOTED = re.compile(r"[rRuUbBfF]{0,2}[\"'`]")
_GOES_ON = (*"{([,:\\=+-*/&|?<.", "->", "=>")
"""A line that ends so is not complete."""
_BEHIND = re.compile(r"[;,]")


@dataclass(frozen=True, slots=True)
class Cut:
    """`span` is the hole. `shows_closers`: the rest of its line is seen, be it closers alone."""

    kind: Kind
    span: Span
    shows_closers: bool = False


def cut(source: Source, parts: Parts, kind: Kind, chance: random.Random) -> Cut | None:
    """A hole of `kind` in a text made of `parts`; None where a few tries find none."""
    for _ in range(_TRIES):
        found = _CUTS[kind](source, parts, chance)
        if found is not None and _is_fit(source, found.span):
            return found
    return None


def kind_by(chance: random.Random) -> Kind:
    return chance.choices(list(SHARES), list(SHARES.values()))[0]


def _is_fit(source: Source, span: Span) -> bool:
    said = source.text.slice(span)
    lines = said.split("\n")
    return len(said) <= MOST_CHARACTERS and len(lines) <= MOST_LINES and max(map(len, lines)) <= MAX_LINE


def _rest_of_line(source: Source, parts: Parts, chance: random.Random) -> Cut | None:
    if chance.random() < _PROSE:
        return _comment(source, chance)
    span = mask(source, "line" if chance.random() < _INDENTED else "rest", chance)
    return Cut("rest_of_line", span) if span else None


def _comment(source: Source, chance: random.Random) -> Cut | None:
    line = chance.randrange(source.text.line_count)
    content = source.content(line)
    if len(content) < 12 or source.tree.place(content.start + 3).kind == "code":
        return None
    start = chance.randrange(content.start + 3, content.end - 3)
    return Cut("rest_of_line", Span(start, content.end))


def _lines(source: Source, parts: Parts, chance: random.Random) -> Cut | None:
    """Statements that follow one another, on lines of their own; often up to a blank line, or the body's end."""
    body = _body(parts, chance)
    own = [each for each in body.statements if _is_alone(source, each)] if body else []
    if len(own) < 2:
        return None
    first = chance.randrange(len(own))
    start = own[first].start
    ends = [_behind(source, each) for each in own[first:] if _count(source, start, each.end) <= MOST_LINES]
    natural = [end for end in ends if end == ends[-1] or _is_before_blank(source, end)]
    end = chance.choice(natural if natural and chance.random() < 0.6 else ends) if ends else start
    return Cut("lines", Span(start, end)) if _count(source, start, end) > 1 else None


def _block(source: Source, parts: Parts, chance: random.Random) -> Cut | None:
    """The body of a definition, a loop or a branch: from its first statement; from behind what opens it; or, where
    nothing has closed it yet, from there with what closes it."""
    body = _body(parts, chance)
    if body is None or body.is_whole:
        return None
    own = [each for each in body.statements if _is_alone(source, each)]
    if own and _QUOTED.match(source.text.source, own[0].start):
        own = own[1:]  # a docstring, which is there before the body
    if not own:
        return None
    start, end = own[0].start, _behind(source, own[-1])
    above = source.text.line_at(start) - 1
    opened = source.content(above).end if above >= 0 else start
    if chance.random() < 0.4 and source.is_code_at(opened) and not source.text.source[opened:start].strip():
        start = opened
        if body.inside is not None and chance.random() < 0.3 and not _is_alone(source, body.inside):
            end = body.inside.end + 1
            if source.text.source[_behind(source, own[-1]) : end].strip() not in tuple(CLOSERS):
                return None
    return Cut("block", Span(start, end))


def _statement(source: Source, parts: Parts, chance: random.Random) -> Cut | None:
    """From within the first line of a statement to its end; more often one of several lines."""
    body = _body(parts, chance)
    if body is None:
        return None
    long = [each for each in body.statements if _count(source, each.start, each.end) > 1]
    whole = chance.choice(long if long and chance.random() < 0.7 else body.statements)
    first = source.text.line_end(source.text.line_at(whole.start))
    start, end = chance.randrange(whole.start, max(min(first, whole.end - 1), whole.start) + 1), _behind(source, whole)
    is_fit = source.is_code_at(start) and is_worth(source.text.slice(Span(start, end)))
    return Cut("statement", Span(start, end)) if is_fit else None


def _span(source: Source, parts: Parts, chance: random.Random) -> Cut | None:
    span = mask(source, "span", chance)
    return Cut("span", span, chance.random() < _SHOWN) if span else None


def _argument(source: Source, parts: Parts, chance: random.Random) -> Cut | None:
    """From behind a bracket, or from between two of what it holds, to the bracket that closes it."""
    inside = chance.choice(parts.brackets) if parts.brackets else None
    if inside is None or not source.text.slice(inside).strip():
        return None
    starts = [inside.start]
    starts += [at.end() for at in re.compile(r", *").finditer(source.text.source, inside.start, inside.end)]
    start = chance.choice(starts)
    end = inside.end if "\n" not in source.text.slice(inside) else _trimmed(source, inside)
    return Cut("argument", Span(start, end)) if start < end and source.is_code_at(start) else None


def _closers(source: Source, parts: Parts, chance: random.Random) -> Cut | None:
    """Inside brackets that an editor has closed: those of a call, or a body's, with nothing between them yet."""
    body = _body(parts, chance)
    if body is not None and body.inside is not None and not body.is_whole and chance.random() < 0.5:
        span = body.inside
        return Cut("closers", span, shows_closers=True) if "\n" in source.text.slice(span) else None
    inside = chance.choice(parts.brackets) if parts.brackets else None
    if inside is None or not source.text.slice(inside).strip() or not source.is_code_at(inside.start):
        return None
    start = inside.start if chance.random() < 0.5 else chance.randrange(inside.start, inside.end)
    behind = source.text.source[inside.end : source.text.line_end(source.text.line_at(inside.end))]
    return Cut("closers", Span(start, inside.end), shows_closers=True) if not behind.strip(f"{CLOSERS};:, ") else None


def _empty(source: Source, parts: Parts, chance: random.Random) -> Cut | None:
    """The end of a line that is complete, or of what stands in brackets."""
    if parts.brackets and chance.random() < 0.3:
        inside = chance.choice(parts.brackets)
        said = source.text.slice(inside)
        is_full = said.strip() and "\n" not in said and not said.rstrip().endswith(_GOES_ON)
        at = inside.end - len(said) + len(said.rstrip())
        return Cut("empty", Span(at, at), shows_closers=True) if is_full and source.is_code_at(at) else None
    line = chance.randrange(source.text.line_count)
    at = source.content(line).end
    ends = {_behind(source, each) for body in parts.bodies for each in body.statements}
    if at not in ends or source.text.source[:at].endswith(_GOES_ON):
        return None
    return Cut("empty", Span(at, at), shows_closers=True)


_CUTS: Mapping[Kind, Callable[[Source, Parts, random.Random], Cut | None]] = {
    "rest_of_line": _rest_of_line,
    "lines": _lines,
    "block": _block,
    "argument": _argument,
    "statement": _statement,
    "span": _span,
    "empty": _empty,
    "closers": _closers,
}


def _body(parts: Parts, chance: random.Random) -> Body | None:
    return chance.choice(parts.bodies) if parts.bodies else None


def _is_alone(source: Source, span: Span) -> bool:
    """Whether it begins its line."""
    return source.content(source.text.line_at(span.start)).start == span.start


def _behind(source: Source, span: Span) -> int:
    """Where a statement ends, with the `;` or `,` that some grammars leave outside, without the line's end that others
    have inside."""
    end = span.start + len(source.text.slice(span).rstrip())
    return end + 1 if _BEHIND.match(source.text.source, end) else end


def _trimmed(source: Source, span: Span) -> int:
    return span.start + len(source.text.slice(span).rstrip())


def _count(source: Source, start: int, end: int) -> int:
    return source.text.line_at(end) - source.text.line_at(start) + 1


def _is_before_blank(source: Source, offset: int) -> bool:
    line = source.text.line_at(offset) + 1
    return line >= source.text.line_count or not source.text.line(line).strip()
