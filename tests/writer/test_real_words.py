"""Docstrings with the real model's words."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import processes
import pytest
from scripted_words import named, tree_of

from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.docstring import plain_words
from aigc_lsp.docstring.manner import manner_of
from aigc_lsp.docstring.styles import STYLES
from aigc_lsp.service import life
from aigc_lsp.service.client import EngineClient
from aigc_lsp.service.wire import InfillPiece, InfillRequest, Usage
from aigc_lsp.writer import write_docstring

pytestmark = pytest.mark.model

SOURCE = """import csv
from pathlib import Path


def read_rows(path: Path, delimiter: str = ",", limit: int | None = None, *, header: bool = True, encoding="utf-8"):
    if limit is not None and limit < 0:
        raise ValueError("the limit must not be negative")
    rows = []
    with open(path, encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        if header:
            next(reader, None)
        for row in reader:
            if limit is not None and len(rows) >= limit:
                break
            rows.append(row)
    return rows
"""


class Noting(EngineClient):
    """Notes what each request has cost."""

    def __init__(self) -> None:
        super().__init__()
        self.costs: list[Usage] = []

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        async with super().infill(request) as pieces:
            yield self._noted(pieces)

    async def _noted(self, pieces: AsyncIterator[InfillPiece]) -> AsyncIterator[InfillPiece]:
        async for piece in pieces:
            if piece.stop_type:
                self.costs.append(piece.usage)
            yield piece


home = pytest.fixture(processes.home_with_models)


async def test_five_parameters(home: Path) -> None:
    client = Noting()
    tree = tree_of(SOURCE, "python")
    document, subject = Document("file:///a", "/a", "python", 1, tree.text, tree), named(tree, "read_rows")
    try:
        await life.attach(client, {})
        async for _ in life.follow(client, None):
            pass
        edit = await write_docstring(document, subject, manner_of(tree), client, Config())
    finally:
        await life.stop(client)
        await client.close()

    function = ast.parse(tree.text.apply(edit).source).body[2]
    assert isinstance(function, ast.FunctionDef)
    text = ast.get_docstring(function, clean=False)
    assert text is not None
    doc = STYLES["google"].parse(f'"""{text}"""', subject)
    assert [slot.name for slot in doc.parameters] == ["path", "delimiter", "limit", "header", "encoding"]
    assert [slot.name for slot in doc.raises] == ["ValueError"]
    # It has said something of its own nearly everywhere.
    plain = [plain_words.phrase("parameters", slot, subject) + "." for slot in doc.parameters]
    assert sum(slot.phrase != words for slot, words in zip(doc.parameters, plain, strict=True)) >= 3
    assert "row" in doc.summary.lower() or "csv" in doc.summary.lower()
    # The code is read once.
    first, *rest = [cost.prompt_tokens - cost.reused_tokens for cost in client.costs]
    assert first > 100
    assert max(rest) <= 24, rest
