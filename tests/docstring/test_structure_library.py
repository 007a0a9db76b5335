"""Modules of Python's own library: what the tree says is what `ast` says, for every function."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from ast_oracle import facts
from test_structure import tree_of

from aigc_lsp.docstring.structure import subjects
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.text import Text

MODULES = """
    argparse asyncio.tasks collections contextlib dataclasses email.message functools http.client inspect
    json.decoder logging pathlib random shutil socket ssl statistics subprocess
    tarfile tempfile threading typing unittest.mock urllib.request zipfile
"""


def source_of(module: str) -> str:
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES.split())
def test_a_module(module: str) -> None:
    source = source_of(module)
    text = Text(source)
    known: dict[tuple[int, str], Subject] = {
        (text.line_at(each.header.start) + 1, each.name): each
        for each in subjects(tree_of(source, "python"))
        if each.kind not in ("class", "module")
    }
    told = facts(source)
    assert len(told) == len(known)
    for fact in told:
        found = known[fact.line, fact.name]
        assert [each.name for each in found.parameters] == fact.parameters
        assert (found.yields is not None) == fact.yields, fact
        assert list(found.raises) == fact.raises, fact
        assert (found.returns is not None) == fact.returns, fact
