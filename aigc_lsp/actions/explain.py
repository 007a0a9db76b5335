"""Explain the selection. Nothing is changed."""

from __future__ import annotations

from aigc_lsp.actions.answer import chatted
from aigc_lsp.actions.outcome import Shown
from aigc_lsp.actions.prompts import conversation
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.errors import ActionRefused
from aigc_lsp.service.backend import Backend
from aigc_lsp.text import Span

MOST_TOKENS = 240
MOST_CHARACTERS = 6000
"""Of what is explained; the rest is left out, and the answer says so."""

TITLE = "Explanation"


async def explain(document: Document, span: Span, backend: Backend, config: Config) -> Shown:
    """Raises `EngineUnavailable`, and `ActionRefused` where the model says nothing."""
    code = document.text.slice(span).replace("\r\n", "\n").strip("\n")
    messages = conversation("explain", language=document.language, code=code[:MOST_CHARACTERS])
    said = await chatted(backend, config, messages, about=document, most_tokens=MOST_TOKENS)
    text = said.text.strip()
    if not text:
        raise ActionRefused("The model has nothing to say of this.")
    if not said.ended:
        text = _whole_sentences(text)
    if len(code) > MOST_CHARACTERS:
        text += "\n\n*Only the beginning of the selection was read.*"
    return Shown(TITLE, text)


def _whole_sentences(text: str) -> str:
    """`text` without the sentence in which it was broken off; as it is where there is no whole one."""
    end = max(text.rfind(mark) for mark in (". ", ".\n", "! ", "? "))
    return text[: end + 1] if end > 0 else text + " …"
