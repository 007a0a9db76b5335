"""Whole prompts, as a person can read them, from a document in a workspace to what the model is shown.

Each is a folder in `situations/`: a workspace with the cursor (▏) in one of its files, and the prompt. Those are
written anew with `AIGC_LSP_GOLDENS=write`, to be read before they are committed.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tiny_model import control_tokens, tiny_tokenizer
from workspaces import until, write

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.gather.gatherer import Gatherer
from aigc_lsp.index.workspace import Workspace
from aigc_lsp.pipeline import complete
from aigc_lsp.prompt.infill import ExtraFile, Hole, render
from aigc_lsp.service.wire import Health, InfillPiece, InfillRequest
from aigc_lsp.syntax import language_of, parse
from aigc_lsp.text import Text

SITUATIONS = sorted((Path(__file__).parent / "situations").iterdir())
PROMPT = "prompt.txt"
MODEL = catalogue.load("qwen2.5-coder-0.5b")
VOCABULARY = Vocabulary(tiny_tokenizer())
TWO_CORES = Health("ready", "m", prefill_per_second=1114, step_ms=25)


class Listener:
    """A model server that only hears."""

    def __init__(self) -> None:
        self.requests: list[InfillRequest] = []

    @asynccontextmanager
    async def infill(self, request: InfillRequest) -> AsyncIterator[AsyncIterator[InfillPiece]]:
        self.requests.append(request)

        async def nothing() -> AsyncIterator[InfillPiece]:
            yield InfillPiece("", stop_type="eos")

        yield nothing()


def shown(tokens: Sequence[int]) -> str:
    """The prompt as one reads it, control tokens by their names."""
    names = {VOCABULARY.control(token): token.encode() for token in control_tokens()}
    return b"".join(names.get(token) or VOCABULARY.bytes_of(token) for token in tokens).decode()


async def prompt_for(root: Path, files: dict[str, str]) -> str:
    own = next(path for path, source in files.items() if "▏" in source)
    marked = files[own]
    source = marked.replace("▏", "")
    write(root, {**files, own: source})
    workspace, listener = Workspace(), Listener()
    try:
        await workspace.serve([str(root)])
        await until(lambda: workspace.is_complete, "the index")
        gatherer = Gatherer(workspace)
        text, language = Text(source), language_of(own) or ""
        document = Document((root / own).as_uri(), str(root / own), language, 1, text, parse(language, text))
        gatherer.opened(document)
        if document.tree is not None:
            gatherer.knows(document, document.tree.symbols())
        for _ in range(3):  # what has to be read from disk is there a moment later
            await complete(document, marked.index("▏"), listener, Config(), gatherer=gatherer, health=TWO_CORES)  # type: ignore[arg-type]
            await gatherer.read()
    finally:
        await workspace.close()
    wire = listener.requests[-1]
    prompt = render(
        Hole(
            wire.input_prefix,
            wire.input_suffix,
            tuple(ExtraFile(*each) for each in wire.input_extra),
            wire.filename,
            wire.input_head,
        ),
        MODEL.fim,
        MODEL.files,
        VOCABULARY,
        prefix_budget=10_000,  # the tiny tokenizer has more tokens for a text than a real one
        suffix_budget=10_000,
        extra_budget=10_000,
    )
    return f"{shown(prompt.tokens)}{prompt.heal.decode()}▏\n"


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda path: path.name)
async def test_prompt(tmp_path: Path, situation: Path) -> None:
    paths = (path for path in sorted(situation.rglob("*")) if path.is_file() and path.name != PROMPT)
    files = {path.relative_to(situation).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    found = await prompt_for(tmp_path, files)
    golden = situation / PROMPT
    if os.environ.get("AIGC_LSP_GOLDENS") == "write":
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
