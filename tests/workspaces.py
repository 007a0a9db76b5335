"""Small workspaces for tests: their index without a disk, their files on one, and an indexer at work on them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from aigc_lsp.index import scan
from aigc_lsp.index.build import Indexer
from aigc_lsp.index.projects import is_project_file, project_of
from aigc_lsp.index.table import Index, entry_of
from aigc_lsp.syntax import has_grammar, language_of, symbols_of
from aigc_lsp.text import Text

PATIENCE = 20.0
"""Seconds: a hang, not a slow machine."""


MORE_THAN_A_HANDFUL = scan.HANDFUL_READ + 4


def numbered(count: int, name: str = "f") -> dict[str, str]:
    return {f"pkg/{name}{number}.py": f"def {name}_{number}(): pass\n" for number in range(count)}


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


def git(root: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", *arguments],
        cwd=root,
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        await asyncio.sleep(0.02)


async def found_here(task: scan.Task) -> AsyncIterator[scan.Finding]:
    """In place of `build.found_by_worker`: what the worker finds, without a process that costs a tenth of a second."""
    for found in await asyncio.to_thread(lambda: list(scan.scan(task, task.ignoring()))):
        yield found


@asynccontextmanager
async def indexing(root: Path) -> AsyncIterator[Indexer]:
    """An indexer that has scanned everything once; no process of it is left behind."""
    indexer = Indexer(str(root))
    indexer.start()
    try:
        await until(lambda: indexer.is_complete, "the first scan")
        yield indexer
    finally:
        await indexer.close()
    assert not workers()


def workers() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "aigc_lsp.index.worker" in each.cmdline()]
