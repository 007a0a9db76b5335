"""A buffer that somebody types into, completed by a model that says what the test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from harness import is_read_on

from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.pipeline import Asked, Completion, complete
from aigc_lsp.reuse.memory import Memory
from aigc_lsp.service.wire import InfillPiece, InfillRequest
from aigc_lsp.syntax import parse
from aigc_lsp.text import Text


class Model:
    """Says `pieces`, each after it was let (`let`), or all at once. What it was asked `then`, once it had ended a line
    itself, it answers with the pieces of each in turn, and then with nothing. `requests` is what was asked, `read`
    counts the pieces."""

    def __init__(
        self,
        *pieces: str,
        stop_type: str = "eos",
        logprobs: Sequence[float] = (),
        then: Sequence[Sequence[str]] = (),
    ) -> None:
        self.pieces, self.stop_type, self.logprobs = pieces, stop_type, logprobs
        self.then = list(then)
        self.requests: list[InfillRequest] = []
        self.read = self.hung_up = 0
        self._gate = asyncio.Semaphore(10**6)

    @property
    def asked(self) -> int:
        return len(self.requests)

    def hold(self) -> None:
        self._gate = asyncio.Semaphore(0)

    async def let(self, count: int = 1) -> None:
        """Say the next `count` pieces, and let everybody hear them."""
        for _ in range(count):
            self._gate.release()
        for _ in range(10):
            await asyncio.sleep(0)

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        reads_on = bool(self.requests) and is_read_on(request.to_json(), self.requests[-1].to_json())
        self.requests.append(request)
        then = self.then.pop(0) if reads_on and self.then else ()
        try:
            yield self._pieces(then if reads_on else self.pieces)
        except asyncio.CancelledError:
            self.hung_up += 1
            raise

    async def _pieces(self, pieces: Sequence[str]) -> AsyncIterator[InfillPiece]:
        for number, piece in enumerate(pieces):
            await self._gate.acquire()
            self.read += 1
            yield InfillPiece(piece, logprobs=(self.logprobs[number] if self.logprobs else -0.1,))
        await self._gate.acquire()
        yield InfillPiece("", stop_type=self.stop_type)


class Buffer:
    """`$0` is the cursor."""

    def __init__(self, source: str, model: Model, language: str = "python") -> None:
        self.model, self.language = model, language
        self.memory = Memory()
        self.set(source)

    def set(self, source: str) -> None:
        before, after = source.split("$0")
        self.offset, self.text = len(before), Text(before + after)
        self.memory.typed(self.text, self.offset)

    def type(self, text: str, closer: str = "") -> None:
        """Type `text` at the cursor; the editor puts `closer` behind it."""
        source = self.text.source
        self.set(f"{source[: self.offset]}{text}$0{closer}{source[self.offset :]}")

    def over(self, count: int = 1) -> None:
        """Type over what stands behind the cursor."""
        source = self.text.source
        self.set(f"{source[: self.offset + count]}$0{source[self.offset + count :]}")

    def back(self, count: int = 1) -> None:
        source = self.text.source
        self.set(f"{source[: self.offset - count]}$0{source[self.offset :]}")

    async def ask(self, config: Config = Config(), *, least: float = 0.0) -> Completion:
        document = Document("file:///x", "", self.language, 1, self.text, parse(self.language, self.text))
        client: Any = self.model
        return await complete(document, self.offset, client, config, memory=self.memory, asked=Asked(least=least))

    async def accept(self) -> None:
        """Take what is suggested."""
        found, source = await self.ask(), self.text.source
        self.set(f"{source[: self.offset]}{found.text}$0{source[self.offset + found.replaces :]}")

    async def shows(self, text: str, source: str) -> None:
        found = await self.ask()
        assert (found.text, found.source) == (text, source)
