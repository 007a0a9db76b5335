"""A model that says what a test wants, and what it takes to have a docstring written with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.docstring.manner import manner_of
from aigc_lsp.docstring.structure import subjects
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.service.wire import InfillPiece, InfillRequest
from aigc_lsp.syntax import Tree, parse
from aigc_lsp.text import Text
from aigc_lsp.writer import write_docstring


class Scripted:
    """A backend. `says`: one thing after the other, from the beginning again behind the last; or a function of the
    request. It ends as `ended`; where the function gives None it says nothing at all and never ends."""

    def __init__(self, says: Sequence[str] | Callable[[InfillRequest], str | None] = (), ended: str = "eos") -> None:
        self._says, self._ended = says, ended
        self.asked: list[InfillRequest] = []
        self.open = 0

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        self.asked.append(request)
        self.open += 1
        try:
            yield self._pieces(request)
        finally:
            self.open -= 1

    async def _pieces(self, request: InfillRequest) -> AsyncIterator[InfillPiece]:
        if callable(self._says):
            said = self._says(request)
        else:
            said = self._says[(len(self.asked) - 1) % len(self._says)] if self._says else ""
        if said is None:
            await asyncio.Event().wait()
        assert said is not None
        middle = len(said) // 2
        yield InfillPiece(said[:middle])
        yield InfillPiece(said[middle:])
        yield InfillPiece("", stop_type=self._ended)

    @property
    def prompts(self) -> list[str]:
        return [request.input_prefix for request in self.asked]


def tree_of(source: str, language: str) -> Tree:
    tree = parse(language, Text(source))
    assert tree is not None
    return tree


def named(tree: Tree, name: str) -> Subject:
    """The one of that name; the file itself is called "file"."""
    return next(each for each in subjects(tree) if each.name == name or (name == "file" and each.kind == "module"))


async def written(
    source: str,
    language: str,
    model: Scripted,
    name: str = "f",
    style: str = "auto",
    config: Config | None = None,
    progress: Callable[[int, int], None] | None = None,
    until: float | None = None,
) -> str:
    """`source` with the docstring of `name`."""
    tree = tree_of(source, language)
    document = Document("file:///p/a", "/p/a", language, 1, tree.text, tree)
    subject, manner = named(tree, name), manner_of(tree, style)
    backend: Any = model
    edit = await write_docstring(
        document, subject, manner, backend, config or Config(), on_progress=progress, until=until
    )
    return tree.text.apply(edit).source
