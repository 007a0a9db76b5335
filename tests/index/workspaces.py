"""Small workspaces for tests: their index without a disk, and their files on one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from aigc_lsp.index.projects import is_project_file, project_of
from aigc_lsp.index.table import Index, entry_of
from aigc_lsp.syntax import has_grammar, language_of, symbols_of
from aigc_lsp.text import Text

PATIENCE = 20.0
"""Seconds: a hang, not a slow machine."""


def indexed(files: Mapping[str, str]) -> Index:
    index = Index("/w")
    for path, source in files.items():
        if is_project_file(Path(path).name) and (project := project_of(path, source)):
            index.projects[path] = project
        language = language_of(path)
        if language and has_grammar(language):
            index.put(entry_of(path, language, 1, symbols_of(language, Text(source))))
    return index


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        await asyncio.sleep(0.02)
