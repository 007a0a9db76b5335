"""Where a repository begins, and where git keeps its own files."""

from __future__ import annotations

import os
from pathlib import Path


def repository_of(folder: str) -> str:
    """The top of the working tree that `folder` is in, or "" where it is in none."""
    for place in (Path(folder), *Path(folder).parents):
        if (place / ".git").exists():
            return str(place)
    return ""


def git_folder(repository: str) -> str:
    """Where git keeps what belongs to this working tree; "" where that cannot be told."""
    place = os.path.join(repository, ".git")
    if os.path.isdir(place):
        return place
    try:
        said = Path(place).read_bytes()[:4096].decode("utf-8", "surrogateescape")
    except OSError:
        return ""
    if not said.startswith("gitdir:"):
        return ""
    return os.path.normpath(os.path.join(repository, said.removeprefix("gitdir:").strip()))


def common_folder(repository: str) -> str:
    """Where git keeps what all working trees of a repository share; "" where that cannot be told."""
    folder = git_folder(repository)
    if not folder:
        return ""
    try:
        said = Path(folder, "commondir").read_bytes()[:4096].decode("utf-8", "surrogateescape").strip()
    except OSError:
        return folder
    return os.path.normpath(os.path.join(folder, said))
