"""A look at the disk for what no client told of: a branch switched, files made or renamed in a terminal.

It costs a `stat` for each folder, and a list of those that changed. Git shows in them whatever it does, since it never
writes a file in place; so do programs that save by renaming. What is written in place shows when it is read next.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from aigc_lsp.index.paths import join
from aigc_lsp.index.read import stamp_of
from aigc_lsp.index.walk import is_indexed, rules_in

Stamps = tuple[int, int]
"""Of a folder, and of the ignore files in it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A folder that is not as it was: its stamps, and what is worth looking at in it now."""

    folder: str
    stamps: Stamps
    files: tuple[str, ...]
    folders: tuple[str, ...]


def look(root: str, stamps: Iterable[tuple[str, Stamps]]) -> list[Changed]:
    """Those of the folders in `stamps` that have other stamps by now."""
    return [found for folder, stamp in stamps if (found := _changed(root, folder, stamp))]


def _changed(root: str, folder: str, before: Stamps) -> Changed | None:
    full = os.path.join(root, folder)
    try:
        stamp = stamp_of(os.stat(full))
        # An ignore file that is new, or gone, shows in the folder's own stamp.
        rules = rules_in(full) if before[1] or stamp != before[0] else 0
        if (stamp, rules) == before:
            return None
        with os.scandir(full) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return None  # where it is gone, the folder that it was in has changed
    folders = tuple(join(folder, entry.name) for entry in entries if entry.is_dir(follow_symlinks=False))
    files = tuple(join(folder, entry.name) for entry in entries if is_indexed(entry.name))
    return Changed(folder, (stamp, rules), files, folders)
