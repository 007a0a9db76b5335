"""The worker: it runs nothing of the user's, and its end is not the end of the index."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from workspaces import MORE_THAN_A_HANDFUL, indexing, numbered, until, workers, write

from aigc_lsp.index.build import Indexer
from aigc_lsp.syntax import symbols_of
from aigc_lsp.text import Text

pytestmark = pytest.mark.process


async def test_a_worker_runs_nothing_of_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, numbered(MORE_THAN_A_HANDFUL))
    write(tmp_path, dict.fromkeys(("json.py", "aigc_lsp/__init__.py"), "raise SystemExit\n"))
    monkeypatch.chdir(tmp_path)
    async with indexing(tmp_path) as indexer:
        assert len(indexer.index) == MORE_THAN_A_HANDFUL + 2


POISON = """
import os, sys, time
if "aigc_lsp.index.worker" in " ".join(sys.orig_argv):
    from aigc_lsp.index import scan
    parse = scan.symbols_of
    def poisoned(language, text, *more):
        if "POISON" in text.source:
            os.kill(os.getpid(), 9)
        if "HANG" in text.source:
            time.sleep(600)
        return parse(language, text, *more)
    scan.symbols_of = poisoned
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """More than a handful of files, and a worker that dies of a file with POISON in it and hangs in one with HANG."""
    write(tmp_path, {"site/sitecustomize.py": POISON})
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    )
    return write(tmp_path / "root", numbered(MORE_THAN_A_HANDFUL))


async def test_a_worker_that_is_killed_is_started_again(workspace: Path) -> None:
    write(workspace, {"pkg/f10.py": "# POISON\n"})
    async with indexing(workspace) as indexer:
        assert set(indexer.index.files) == set(numbered(MORE_THAN_A_HANDFUL)) - {"pkg/f10.py"}
        assert indexer.note == ""


async def test_a_worker_that_hangs_is_killed(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aigc_lsp.index.process.SILENT_SECONDS", 2.0)
    write(workspace, {"pkg/f10.py": "# HANG\n"})
    async with indexing(workspace) as indexer:
        assert set(indexer.index.files) == set(numbered(MORE_THAN_A_HANDFUL)) - {"pkg/f10.py"}


async def test_a_worker_that_is_killed_twice_leaves_the_index_as_it_is(workspace: Path) -> None:
    write(workspace, {"pkg/f10.py": "# POISON\n", "pkg/f11.py": "# POISON\n"})
    async with indexing(workspace) as indexer:
        assert set(indexer.index.files) == {"pkg/f0.py", "pkg/f1.py"}
        assert "failed twice" in indexer.note
        write(workspace, {"pkg/f10.py": "", "pkg/f11.py": ""})
        indexer.rescan()
        await until(lambda: len(indexer.index) == MORE_THAN_A_HANDFUL and not indexer.note, "the rest")


@pytest.mark.parametrize("program", ["/missing/python", "/bin/echo"])
async def test_a_worker_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Or that speaks another language."""
    write(tmp_path, numbered(MORE_THAN_A_HANDFUL))
    monkeypatch.setattr(sys, "executable", program)
    async with indexing(tmp_path) as indexer:
        assert len(indexer.index) == 0
        assert "failed twice" in indexer.note
        write(tmp_path, {"a.py": ""})
        indexer.opened("open.py", "python", symbols_of("python", Text("")))
        indexer.changed(["a.py"])
        await until(lambda: "a.py" in indexer.index, "what needs no worker")


async def test_a_worker_ends_with_its_indexer(workspace: Path) -> None:
    write(workspace, {"pkg/f10.py": "# HANG\n"})
    indexer = Indexer(str(workspace))
    indexer.start()

    await until(lambda: bool(indexer.index) and bool(workers()), "the worker")
    await indexer.close()
    assert not workers()
