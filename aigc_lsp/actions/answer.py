"""What the model says, heard until it is enough, and the code in it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from aigc_lsp.actions.prompts import Message
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.context.secrets import redact, redact_around, telling_in
from aigc_lsp.errors import ActionRefused
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import WHOLE, ChatRequest, InfillRequest

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.M | re.S)
_OPENED = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.M)

NO_CODE = "The model answered without code that could be used, so nothing was changed."
BROKE_OFF = "The model's answer got too long and broke off, so nothing was changed. Try it with less code."


@dataclass(frozen=True, slots=True)
class Said:
    """`ended`: by itself or because it was enough, and not by a limit."""

    text: str
    ended: bool


def turn_of(document: Document) -> str:
    """What a request says it is about: not the document itself, or the next key typed in it would end the request."""
    return f"{document.uri}#action"


async def chatted(
    backend: Backend,
    config: Config,
    messages: Sequence[Message],
    *,
    about: Document,
    most_tokens: int,
    is_enough: Callable[[str], bool] = lambda text: False,
) -> Said:
    """The answer to a conversation. Raises `EngineUnavailable`."""
    shown = tuple(messages)
    if config.engine.url:
        secret = await secrets_of(about)
        shown = tuple((role, redact(content, also=secret).text) for role, content in messages)
    request = ChatRequest(messages=shown, n_predict=most_tokens, model=config.model, document=turn_of(about))
    text = ""
    async with backend.write(request) as pieces:
        async for piece in pieces:
            text += piece.content
            if piece.stop_type:
                return Said(text, piece.stop_type == "eos")
            if is_enough(text):
                return Said(text, ended=True)
    return Said(text, ended=False)


async def filled_in(
    backend: Backend,
    config: Config,
    request: InfillRequest,
    *,
    about: Document,
    is_enough: Callable[[str], bool] = lambda text: False,
) -> Said:
    """What goes into a hole. Raises `EngineUnavailable`."""
    if config.engine.url:
        secret, language = await secrets_of(about), about.language
        prefix, suffix = redact_around(request.input_prefix, request.input_suffix, language, secret)
        head = redact(request.input_head, language, secret).text
        request = replace(request, input_head=head, input_prefix=prefix, input_suffix=suffix)
    text = ""
    async with backend.infill(request) as pieces:
        async for piece in pieces:
            text += piece.content
            if piece.stop_type:
                return Said(text, piece.stop_type in WHOLE)
            if is_enough(text):
                return Said(text, ended=True)
    return Said(text, ended=False)


async def secrets_of(about: Document) -> frozenset[str]:
    """What leaves the machine is without these, wherever else they stand."""
    return await asyncio.to_thread(telling_in, about.text.source, about.language)


def has_code(answer: str) -> bool:
    """Whether a whole fence has been said: what follows is of no interest."""
    found = _FENCE.search(answer)
    return found is not None and found.end() < len(answer)


def code_in(said: Said) -> str:
    """The code in the first fence of an answer, with a line end. Raises `ActionRefused` where there is none that is
    whole."""
    found = _FENCE.search(said.text)
    if found is None:
        raise ActionRefused(BROKE_OFF if not said.ended and _OPENED.search(said.text) else NO_CODE)
    code = found[2].strip("\n")
    if not code.strip():
        raise ActionRefused(NO_CODE)
    return code + "\n"


def likeness(one: str, other: str) -> float:
    """How alike two texts are, from 0 to 1."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
