"""The prompts of `aigc-lsp eval repo`: what the language server would send for a masked file, as the model server
renders it.

Each project's folder is indexed as a workspace. A hole's own file is open in it with the masked text, so that nothing
of it is read from the disk, where the answer stands; no other file is open, and nothing was edited.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from aigc_lsp.catalogue import FileFormat, FileTokens, Model
from aigc_lsp.context.document import Document
from aigc_lsp.context.snippet import Source, blocks
from aigc_lsp.context.window import CHARACTERS_PER_TOKEN, gather
from aigc_lsp.errors import AigcError, UsageError
from aigc_lsp.gather.gatherer import ALL, Gatherer
from aigc_lsp.index.table import EDITED
from aigc_lsp.index.workspace import Workspace
from aigc_lsp.measure.repo import Prompter, Variant
from aigc_lsp.prompt.infill import Encoding, ExtraFile, Hole, Prompt, render
from aigc_lsp.syntax import language_of, parse, symbols_of
from aigc_lsp.text import Text

INDEX_SECONDS = 300.0
"""An index that is not there by then does not come."""


@asynccontextmanager
async def prompts(model: Model, vocabulary: Encoding) -> AsyncIterator[Prompter]:
    """Prompts for a model, as long as it is open. The prompter raises `UsageError` where a variant knows no such source
    or the model no such format, and `AigcError` where a project cannot be indexed."""
    projects: dict[Path, _Project] = {}

    async def prompt(root: Path, path: str, text: Text, offset: int, variant: Variant) -> Prompt:
        sources, files = _sources(variant), _files(model, variant)
        root = root.resolve()
        if root not in projects:
            projects[root] = _Project(root)
            await projects[root].index()
        document = _document(root / path, text)
        gatherer = await projects[root].open(document, sources)
        hole = await _hole(gatherer, document, offset, variant)
        return render(
            hole,
            model.fim,
            files,
            vocabulary,
            prefix_budget=variant.prefix_tokens,
            suffix_budget=variant.suffix_tokens,
            extra_budget=variant.extra_tokens,
        )

    try:
        yield prompt
    finally:
        for project in projects.values():
            await project.workspace.close()


def check(variants: Iterable[Variant], model: Model) -> None:
    """Raises `UsageError` where one of them wants a source or a format that there is not."""
    for variant in variants:
        _sources(variant)
        _files(model, variant)


def _sources(variant: Variant) -> frozenset[Source]:
    if variant.sources == ("all",):
        return ALL
    found = frozenset(source for source in ALL if source in variant.sources)
    if unknown := set(variant.sources) - found:
        raise UsageError(
            f"The variant {variant.label} names no source of context: {', '.join(sorted(unknown))}. "
            f"There are {', '.join(sorted(ALL))}; all; and alone for none."
        )
    return found


def _files(model: Model, variant: Variant) -> FileTokens | None:
    """How other files stand in the prompt."""
    if not variant.format or (variant.format == "comments" and model.files is None):
        return model.files
    if variant.format in ("comments", "tokens") and model.files is not None:
        return replace(model.files, format=cast(FileFormat, variant.format))
    known = "tokens, comments" if model.files else "comments"
    raise UsageError(f"The variant {variant.label} has the format {variant.format}; {model.name} knows {known}.")


class _Project:
    """A folder that is indexed, and the one document that is open in it."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace()
        self._root = root
        self._gatherers: dict[frozenset[Source], Gatherer] = {}
        self._open: tuple[Gatherer, Document] | None = None

    async def index(self) -> None:
        """Return when everything is indexed."""
        await self.workspace.serve([str(self._root)])
        await self._until(lambda: self.workspace.is_complete)

    async def open(self, document: Document, sources: frozenset[Source]) -> Gatherer:
        """A gatherer with those `sources`, to which `document` is all that is open."""
        gatherer = self._gatherers.setdefault(sources, Gatherer(self.workspace, sources))
        if self._open is not None and (self._open[0] is not gatherer or self._open[1].path != document.path):
            await self._close(*self._open)
        self._open = gatherer, document
        gatherer.opened(document)
        gatherer.knows(document, symbols_of(document.language, document.text))
        return gatherer

    async def _close(self, gatherer: Gatherer, document: Document) -> None:
        """Return when the index has the file as it is on disk, so that it does for the next document what it should."""
        gatherer.closed(document)
        if place := self.workspace.locate(document.path):
            indexer, path = place
            await self._until(lambda: (known := indexer.index.files.get(path)) is None or known.stamp != EDITED)

    async def _until(self, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(INDEX_SECONDS):
                while not condition():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            note = self.workspace.note or "That takes too long."
            raise AigcError(f"{self._root} cannot be indexed. {note}") from None


def _document(path: Path, text: Text) -> Document:
    language = language_of(path) or "plaintext"
    return Document(path.as_uri(), str(path), language, 0, text, parse(language, text))


async def _hole(gatherer: Gatherer, document: Document, offset: int, variant: Variant) -> Hole:
    """As `pipeline.complete` asks for it, once everything that it wants is read."""
    window = gather(
        document.text,
        offset,
        language=document.language,
        path=gatherer.path_of(document),
        prefix_tokens=variant.prefix_tokens,
        suffix_tokens=variant.suffix_tokens,
        tree=document.tree,
    )
    room = variant.extra_tokens * CHARACTERS_PER_TOKEN
    gathered = await gatherer.settle(document, offset, window, room)
    extra = tuple(ExtraFile(path, text) for path, text in blocks(gathered.front))
    return Hole(window.prefix, window.suffix, extra, window.path, window.head)
