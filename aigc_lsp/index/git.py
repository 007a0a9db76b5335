"""Where a repository begins, and where git keeps its own files."""

from __future__ import annotations

import os
from pathlib import Path

from aigc_lsp.index.read import read_bytes


def repository_of(folder: str) -> str:
    """The top of the working tree that `folder` is in, or "" where it is in none."""
    for place in (Path(folder), *Path(folder).parents):
        if (place / ".git").exists():
            return str(place)
    return ""


def common_folder(repository: str) -> str:
    """Where git keeps what all working trees of a repository share; "" where that cannot be told."""
    folder = _own_folder(repository)
    return os.path.normpath(os.path.join(folder, _line_in(os.path.join(folder, "commondir")))) if folder else ""


def _own_folder(repository: str) -> str:
    """Where git keeps what belongs to this working tree; "" where that cannot be told."""
    place = os.path.join(repository, ".git")
    if os.path.isdir(place):
        return place
    said = _line_in(place)
    if not said.startswith("gitdir:"):
        return ""
    return os.path.normpath(os.path.join(repository, said.removeprefix("gitdir:").strip()))


def _line_in(path: str) -> str:
    """What a short file says, or ""."""
    try:
        return os.fsdecode(read_bytes(path, 4096).data).strip()
    except OSError:
        return ""
