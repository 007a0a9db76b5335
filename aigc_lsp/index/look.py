"""A look at the disk for what no client told of: a branch switched, files made or renamed in a terminal.

It costs a `stat` for each known folder, and the list of those that changed. What was written in place shows only where
git did it, or when the file is read the next time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from aigc_lsp.index.git import Signature, signature
from aigc_lsp.index.paths import join
from aigc_lsp.index.read import stamp_of
from aigc_lsp.index.walk import is_indexed


@dataclass(frozen=True, slots=True)
class Changed:
    """A folder that is not as it was: its stamp (None: it is gone), and what is worth looking at in it now."""

    folder: str
    stamp: int | None
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sight:
    git: Signature
    changed: tuple[Changed, ...]


def look(root: str, stamps: Mapping[str, int]) -> Sight:
    """What is different from `stamps` (folder → stamp), and git's signature."""
    seen = signature(root)
    return Sight(seen, tuple(filter(None, (_changed(root, folder, stamp) for folder, stamp in stamps.items()))))


def _changed(root: str, folder: str, before: int) -> Changed | None:
    full = os.path.join(root, folder)
    try:
        stamp = stamp_of(os.stat(full))
        if stamp == before:
            return None
        with os.scandir(full) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return Changed(folder, None)
    folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    files = [entry.name for entry in entries if is_indexed(entry.name)]
    return Changed(
        folder, stamp, tuple(join(folder, name) for name in files), tuple(join(folder, name) for name in folders)
    )
