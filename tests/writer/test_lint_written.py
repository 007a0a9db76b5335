"""What ruff's pydocstyle rules say of files that were written to, whatever the model's manner of speaking."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scripted_words import Scripted, tree_of, written

from aigc_lsp.docstring.structure import subjects

RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")

SOURCE = """import os


def joined(path: str, *parts, deep=False, **options):

    if not path:
        raise ValueError(path)
    return os.path.join(path, *parts)


class Box:
    size: int = 1

    def __init__(self, size): self.size = size

    @property
    def is_large(self):
        return self.size > 3

    async def each(self):

        def inner(a):
            return a

        yield inner(self.size)


def nothing(): pass
"""
SAYINGS = [
    "This function joins the path with all the parts that are given, and what else there is to be said, at length",
    "Returns the joined path", "A helper that is used for joining", "Joining paths", "joined(path, parts) joins",
    "what",
    "The path", '"""', "", "Optionally joins what `is", "Gets it:", "path: str", "Getter for the path...", "1. First",
    "URL, e.g. of a page. More", "Note that it is slow!", "Simple wrapper around the thing",
]  # fmt: skip


@pytest.mark.process
@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
@pytest.mark.parametrize(
    ("style", "convention"), [("google", "google"), ("numpy", "numpy"), ("sphinx", "pep257"), ("plain", "pep257")]
)
async def test_pydocstyle_has_nothing_to_say(style: str, convention: str, tmp_path: Path) -> None:
    names = [each.name or "file" for each in subjects(tree_of(SOURCE, "python"))]
    assert names == ["file", "joined", "Box", "__init__", "is_large", "each", "inner", "nothing"]
    for number in range(len(SAYINGS)):
        says, source = SAYINGS[number:] + SAYINGS[:number], SOURCE
        for name in names:
            source = await written(source, "python", Scripted(says), name, style)
        (tmp_path / f"written_{number}.py").write_text(source)
    options = ["--isolated", "--no-cache", "--select", "D,W291,W293,E501", "--ignore", "D105", "--line-length", "88"]
    setting = f'lint.pydocstyle.convention="{convention}"'
    command = [str(RUFF), "check", *options, "--config", setting, str(tmp_path)]
    found = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
