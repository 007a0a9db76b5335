"""The way of a docstring, from what it is about to the edit that writes it.

draft       what has to be told of, what a human has said, and which words are missing   docstring/
prompt      the code, and the docstring up to such a place                               prompt/docstring
words       one phrase from the model, mended, or a plain one                            service/, docstring/words
check       it says what it should, and no code has changed                              docstring/edit

The structure is never the model's: it writes phrases, each alone, and what it says goes no further than its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.context.head import head
from aigc_lsp.context.secrets import masked, redact
from aigc_lsp.docstring import words
from aigc_lsp.docstring.draft import Draft
from aigc_lsp.docstring.fill import Gap
from aigc_lsp.docstring.manner import Manner
from aigc_lsp.docstring.styles.literal import is_several
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.errors import DocstringRefused, Superseded
from aigc_lsp.prompt.docstring import LONGEST, prompt
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import InfillRequest
from aigc_lsp.text import Edit, Span

PHRASE_TOKENS = 40
"""The most that is listened to for a phrase; most take ten."""

PROMPT_TOKENS = 4096
HEAD_CHARACTERS = 800

Progress = Callable[[int, int], None]


async def write_docstring(
    document: Document,
    subject: Subject,
    manner: Manner,
    backend: Backend,
    config: Config,
    *,
    on_progress: Progress | None = None,
    until: float | None = None,
) -> Edit:
    """The edit that gives `subject`, one of `document`'s, its docstring, checked; an empty one where it is right.

    What a human wrote stays; the model is asked for what is missing. `on_progress` hears how many phrases of how many
    are there. At `until`, by the event loop's clock, plain words stand in for what is not said by then. Cancelling
    hangs up. Raises `EngineUnavailable`, and `DocstringRefused` where nothing is to be written.
    """
    if document.tree is None:
        raise DocstringRefused(f"This file cannot be parsed as {document.language}, so no docstring is written.")
    draft = Draft.of(document.tree, subject, manner)
    if draft.doc == draft.existing:
        return Edit(Span(subject.place, subject.place), "")
    if document.language == "python" and subject.existing and is_several(document.tree.text.slice(subject.existing)):
        raise DocstringRefused("This docstring is made of several literals. Make it one, and it can be written.")
    missing = draft.gaps()
    plain = draft.filled_plainly()
    asking = _Asking.about(document, draft, backend, config)
    progressed = on_progress or (lambda done, of: None)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(until):
            for number, gap in enumerate(missing):
                progressed(number, len(missing))
                draft = draft.with_words(gap, await asking.words_for(gap, draft))
    progressed(len(missing), len(missing))
    for each in (draft.filled_plainly(), plain):
        if (edit := await asyncio.to_thread(each.edit, document.tree)) is not None:
            return edit
    raise DocstringRefused("No docstring can be written here without touching more than docstrings.")


@dataclass(frozen=True, slots=True)
class _Asking:
    """What the model is asked about one docstring. `code` stands below `head`, `above` before the docstring."""

    backend: Backend
    config: Config
    language: str
    imperative: bool
    head: str
    code: str
    above: str
    indent: str

    @classmethod
    def about(cls, document: Document, draft: Draft, backend: Backend, config: Config) -> _Asking:
        subject, tree = draft.subject, document.tree
        assert tree is not None
        text = tree.text
        # What leaves the machine is without secrets; every offset stays.
        source = masked(text.source, document.language) if config.engine.url else text.source
        old = subject.existing or Span(subject.place, subject.place)
        start = 0 if subject.kind == "module" else text.line_start(text.line_at(subject.span.start))
        end = subject.span.end
        above = source[min(start, old.start) : old.start] if start <= old.start else ""
        code = (above + source[old.end : end]) if start <= old.start else source[start:end]
        if subject.existing is None and subject.language == "python":
            above = above.rstrip(" \t") + "\n" * subject.is_inline + subject.indent
        elif subject.language != "python":
            above = subject.indent
        return cls(
            backend, config, document.language, draft.manner.imperative, head(tree, start, HEAD_CHARACTERS),
            _lines(code), _lines(above)[-LONGEST:], subject.indent if subject.language != "python" else "",
        )  # fmt: skip

    async def words_for(self, gap: Gap, draft: Draft) -> str:
        """What the model says there, on one line. Where its summary has no verb (it names a thing, began with a tag, or
        spoke of the task) it is asked again, with one to go on with."""
        said = await self._phrase(gap, draft, draft.first_words(gap))
        if gap.kind == "summary" and not draft.has_verb(said):
            again = await self._phrase(gap, draft, draft.verb())
            said = again if draft.sound(gap, again) else said
        return said

    async def _phrase(self, gap: Gap, draft: Draft, first: str) -> str:
        begun = self.above + draft.begun(gap) + first
        said, ended = await self._say(begun)
        said = first + said.lstrip()
        if ended != "limit" and words.is_half(said):  # it broke the line within a sentence
            more, ended = await self._say(f"{begun}{said.removeprefix(first).rstrip()} ")
            said = f"{said.rstrip()} {more.lstrip()}"
        return words.cut(said) if ended == "limit" else said

    async def _say(self, begun: str) -> tuple[str, str]:
        """What it says behind `begun`, and what ended it."""
        is_elsewhere, head = bool(self.config.engine.url), self.head
        if is_elsewhere:  # also what a human wrote, and what stands around it
            head, begun = (redact(text, self.language).text for text in (head, begun.removesuffix(" ")))
        request = InfillRequest(
            input_prefix=prompt(
                head,
                self.code,
                begun,
                language=self.language,
                indent=self.indent,
                imperative=self.imperative,
            ),
            n_predict=PHRASE_TOKENS,
            stop=("\n",),
            model=self.config.model,
            order="prefix",
            # Behind quotes or a colon it is not to begin anew with them: that could end what they begin.
            heal=None if begun.endswith((" ", "\t")) and not is_elsewhere else False,
            prefix_tokens=PROMPT_TOKENS,
        )
        said, ended = "", ""
        async with self.backend.infill(request) as pieces:
            async for piece in pieces:
                said, ended = said + piece.content, piece.stop_type or ""
        if ended == "cancelled":
            raise Superseded("The model server had something newer to do. Ask for the docstring again.")
        return said, ended


def _lines(text: str) -> str:
    return re.sub(r"\r\n?", "\n", text)
