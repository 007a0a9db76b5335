"""What a repository's own files say: where it begins, and when something may have changed its working tree."""

from __future__ import annotations

import os
from pathlib import Path

Signature = tuple[tuple[int, int, int], ...]


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


def signature(folder: str) -> Signature:
    """Differs after git has changed files in the working tree that `folder` is in; equal where it is in none.

    Git replaces `HEAD` and `index` as it switches, pulls, resets, restores and stashes; it does so as well for
    `git add` and `git commit`, where nothing has changed.
    """
    repository = repository_of(folder)
    kept_in = git_folder(repository) if repository else ""
    return tuple(_stat(os.path.join(kept_in, name)) for name in ("HEAD", "index")) if kept_in else ()


def _stat(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
