"""A backend that says what the test put there, and documents with a marked place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aigc_lsp.context.document import Document
from aigc_lsp.service.wire import ChatRequest, InfillPiece, InfillRequest, PromptRequest
from aigc_lsp.syntax import language_of, parse
from aigc_lsp.text import Edit, Span, Text

Say = Callable[[Any], str] | str


class Scripted:
    """`filled` is said to a hole, `chatted` to a conversation: texts, or functions of the request. Said in pieces of
    four characters; `limit` ends it as a limit on its length does."""

    def __init__(self, filled: Say = "", chatted: Say = "", *, limit: bool = False) -> None:
        self._filled, self._chatted, self._limit = filled, chatted, limit
        self.holes: list[InfillRequest] = []
        self.chats: list[ChatRequest] = []
        self.heard = ""
        """What was listened to of the last answer."""

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        self.holes.append(request)
        text = _said(self._filled, request)
        for stop in request.stop:
            text = text.partition(stop)[0]
        yield self._pieces(text)

    @asynccontextmanager
    async def write(self, request: PromptRequest | ChatRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        assert isinstance(request, ChatRequest)
        self.chats.append(request)
        yield self._pieces(_said(self._chatted, request))

    async def _pieces(self, text: str) -> AsyncIterator[InfillPiece]:
        self.heard = ""
        for at in range(0, len(text), 4):
            self.heard += text[at : at + 4]
            yield InfillPiece(text[at : at + 4])
        yield InfillPiece("", stop_type="limit" if self._limit else "eos")

    async def watch(self) -> AsyncIterator[Any]:
        raise AssertionError("nobody watches here")
        yield

    async def close(self) -> None:
        raise AssertionError("whoever was lent it does not close it")


def _said(say: Say, request: Any) -> str:
    return say if isinstance(say, str) else say(request)


def document(source: str, name: str = "shop/till.py") -> tuple[Document, Span]:
    """The document, and the span between its two `¦`; the place of the only one."""
    first = source.find("¦")
    source = source.replace("¦", "", 1)
    second = source.find("¦")
    source = source.replace("¦", "", 1)
    text, language = Text(source), language_of(name) or "plaintext"
    made = Document(f"file:///work/{name}", f"/work/{name}", language, 1, text, parse(language, text))
    return made, Span(max(first, 0), second if second >= 0 else max(first, 0))


def applied(text: Text, edits: tuple[Edit, ...]) -> str:
    """Edits are in order, each in terms of `text`."""
    for edit in reversed(edits):
        text = text.apply(edit)
    return text.source
