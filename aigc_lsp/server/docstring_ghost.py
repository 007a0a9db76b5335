"""The whole docstring as ghost text, where one is begun: quotes below a header, `/**` or `///` above a definition.

Contract
    `begun_at` looks at lines alone. What was begun is taken out of the text, which then parses as it did before; the
    docstring is written for that as any other is (`writer`), and what is not typed yet is suggested: only where that
    leads to the text that the writer has checked, but for blank lines below it. It is remembered with the document, as
    any suggestion is.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aigc_lsp.errors import DocstringRefused
from aigc_lsp.server.docstrings import manner_in
from aigc_lsp.server.session import OPEN_SECONDS, within
from aigc_lsp.text import Edit, Span

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.docstring.manner import Manner
    from aigc_lsp.docstring.subject import Subject
    from aigc_lsp.pipeline import Completion, Source
    from aigc_lsp.server.app import Server
    from aigc_lsp.service.backend import Backend
    from aigc_lsp.text import Text

CHECK_SECONDS = 0.5
"""What is written is checked in so much time, on a machine that is at work."""

_QUOTED = re.compile(r"([ \t]*)([\"'])\2\2")
_STARRED = re.compile(r"([ \t]*)/\*\* ?")
_SLASHED = re.compile(r"([ \t]*)(///|//!) ?")
_STAR = re.compile(r"[ \t]*\* ?")
_OPENED = re.compile(r"([ \t]*)/\*\*[ \t]*")
_CLOSED = re.compile(r"[ \t]*\*/[ \t]*")


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun of a docstring: the `lines` from the first's beginning to behind the last's end, of which the
    first is `indent` and `opener`. The editor has put `closer` behind the cursor."""

    lines: Span
    indent: str
    opener: str
    closer: str
    is_below: bool = False
    """The cursor is on the line below the opener."""


def begun_at(text: Text, offset: int, language: str) -> Begun | None:
    """What stands around `offset`, where that may be the beginning of a docstring, and nothing more."""
    line = text.line_at(offset)
    start, end = text.line_start(line), text.line_end(line)
    before, rest = text.source[start:offset], text.source[offset:end]
    closer = rest.rstrip()
    if language == "python":
        found = _QUOTED.fullmatch(before)
        quotes = found[2] * 3 if found else ""
        is_begun = found is not None and closer in ("", quotes)
        return Begun(_lines(text, line, line), found[1], quotes, closer) if found and is_begun else None
    if (found := _SLASHED.fullmatch(before)) and not closer:
        around = [text.line(each).strip() for each in (line - 1, line + 1) if 0 <= each < text.line_count]
        is_alone = not any(each.startswith(found[2]) for each in around)
        return Begun(_lines(text, line, line), found[1], found[2], "") if is_alone else None
    if (found := _STARRED.fullmatch(before)) and closer.lstrip() in ("", "*/"):
        return Begun(_lines(text, line, line), found[1], "/**", closer)
    if _STAR.fullmatch(before) and line and (found := _OPENED.fullmatch(text.line(line - 1))):
        is_closed = line + 1 < text.line_count and _CLOSED.fullmatch(text.line(line + 1)) is not None
        if not closer or (closer.lstrip() == "*/" and not is_closed):
            return Begun(_lines(text, line - 1, line + is_closed), found[1], "/**", closer, is_below=True)
    return None


async def suggested(
    server: Server,
    document: Document,
    offset: int,
    backend: Backend,
    hold: Callable[[], Awaitable[None]],
    until: float,
) -> Completion | None:
    """The rest of a docstring that is begun at `offset`; None where there is none, or none to be written.

    `hold` is waited for before the model is asked. It is there by `until`, by the event loop's clock: what the model
    has not said by then has plain words. Raises `EngineUnavailable`.
    """
    from aigc_lsp.reuse.anchor import Anchor
    from aigc_lsp.reuse.suggestion import Suggestion
    from aigc_lsp.writer import write_docstring

    began, config, memory = time.perf_counter(), server.session.config, server.session.memory(document.uri)
    begun = begun_at(document.text, offset, document.language) if config.docstring.ghost else None
    if begun is None:
        return None
    for _, left in memory.suggestions(document.text, offset):
        return _completion(left.text, left.replaces, left.alone, offset, began, "kept")
    place = await asyncio.to_thread(_place, document, begun)
    manner = _as_begun(await manner_in(server, place.bare), begun) if place is not None else None
    if place is None or manner is None or not _begins_so(place.subject, manner, begun):
        return None
    await hold()
    try:
        until -= CHECK_SECONDS
        edit = await write_docstring(place.bare, place.subject, manner, backend, config, until=until)
    except DocstringRefused:
        return None
    rest = _rest(document.text, offset, begun, place, edit)
    if not rest or not rest.endswith(begun.closer):
        return None
    alone = rest.removesuffix(begun.closer)
    memory.keep(Suggestion(Anchor.at(document.text, offset), rest, len(begun.closer), alone))
    return _completion(rest, len(begun.closer), alone, offset, began, "model")


def _completion(text: str, replaces: int, alone: str, offset: int, began: float, source: Source) -> Completion:
    from aigc_lsp.pipeline import Completion
    from aigc_lsp.service.wire import Usage

    ms = (time.perf_counter() - began) * 1e3
    return Completion(text, replaces, alone, offset, "block", Usage(), ms, source)


# Whose docstring it is


@dataclass(frozen=True, slots=True)
class _Place:
    """A document without what was begun in it, whose docstring that is, and what stands there instead."""

    bare: Document
    subject: Subject
    filler: str


def _place(document: Document, begun: Begun) -> _Place | None:
    bare = _without(document, begun, "")
    subject = _subject(bare, begun)
    if document.language == "python" and begun.indent and (subject is None or _lacks_body(subject)):
        # A function that has nothing in it yet does not parse.
        filler = f"{begun.indent}pass\n"
        bare = _without(document, begun, filler)
        subject = _subject(bare, begun)
    else:
        filler = ""
    if bare is None or subject is None or subject.existing is not None or subject.is_inline:
        return None
    start = begun.lines.start + (0 if document.language == "python" else len(begun.indent))
    if subject.place != start or (subject.kind == "module" and begun.indent):
        return None
    return _Place(bare, replace(subject, indent=begun.indent), filler)


def _lacks_body(subject: Subject) -> bool:
    return subject.kind != "module" and not subject.body


def _without(document: Document, begun: Begun, filler: str) -> Document | None:
    from aigc_lsp.syntax import parse

    text = document.text.apply(Edit(begun.lines, filler))
    tree = parse(document.language, text, within(OPEN_SECONDS))
    return replace(document, text=text, tree=tree) if tree is not None else None


def _subject(bare: Document | None, begun: Begun) -> Subject | None:
    """What stands right above or below what was begun."""
    from aigc_lsp.docstring.structure import subjects_at

    if bare is None or bare.tree is None:
        return None
    text = bare.text
    line = text.line_at(begun.lines.start)
    if bare.language != "python":
        at = begun.lines.start + len(begun.indent)
    elif line:
        above = text.line(line - 1)
        at = text.line_start(line - 1) + len(above) - len(above.lstrip())
    else:
        at = 0
    found = subjects_at(bare.tree, at, at)
    return found[0] if len(found) == 1 else None


# What is left of it to be typed


def _as_begun(manner: Manner, begun: Begun) -> Manner:
    """`manner` with the quotes or marks that were typed."""
    layout = manner.layout
    if begun.opener[0] in "\"'":
        return replace(manner, layout=replace(layout, quotes=begun.opener))
    layout = replace(layout, form=begun.opener)
    if begun.is_below:
        layout = replace(layout, below=True, one_line=False)
    return replace(manner, layout=layout)


def _begins_so(subject: Subject, manner: Manner, begun: Begun) -> bool:
    """Whether the style has such quotes or marks: no model is asked for what would not fit."""
    from aigc_lsp.docstring.doc import Doc
    from aigc_lsp.docstring.manner import manner_for
    from aigc_lsp.docstring.styles import STYLES

    manner = manner_for(subject, manner)
    return STYLES[manner.style].render(Doc("Words."), subject, manner.layout).startswith(begun.opener)


def _rest(text: Text, offset: int, begun: Begun, place: _Place, edit: Edit) -> str | None:
    """What comes between `offset` and what is behind the closer, so that the text is that which `edit` makes of the
    bare one, without the filler, and with the blank lines that are there. None where that takes more than to insert."""
    bare, filler = place.bare.text, place.filler
    start, end = edit.span.start, edit.span.start + len(filler)
    if bare.source[start : edit.span.end].strip():
        return None
    wanted = _plain_ends(bare.source[:start] + edit.new_text + bare.source[end:])
    before, after = _plain_ends(text.source[:offset]), _plain_ends(text.source[offset + len(begun.closer) :])
    if not wanted.startswith(before) or not wanted.endswith(after) or len(before) + len(after) > len(wanted):
        return None
    rest = wanted[len(before) : len(wanted) - len(after)]
    return rest.rstrip("\n")


def _plain_ends(source: str) -> str:
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _lines(text: Text, first: int, last: int) -> Span:
    end = text.line_start(last + 1) if last + 1 < text.line_count else len(text)
    return Span(text.line_start(first), end)
