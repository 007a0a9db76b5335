"""Which files of a root there are to index.

Left out are hidden files and folders, links (what they lead to in the root is met there, what is elsewhere is not
ours), roots of their own, what is too large, and what there is nothing to say about. What cannot be read is not there.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from aigc_lsp.index.ignoring import IGNORE_FILES, Ignoring
from aigc_lsp.index.paths import join, split
from aigc_lsp.index.projects import is_project_file
from aigc_lsp.index.read import MAX_BYTES, stamp_of
from aigc_lsp.syntax import has_grammar, language_of

MOST_DEPTH = 100
"""Folders one in another; deeper are no person's."""


class Seen(NamedTuple):
    """A file, or a folder of which the files follow. A folder's stamps are from before it was listed, and before its
    ignore files were read; `rules` is that of these, as `rules_in` says."""

    path: str
    stamp: int
    size: int
    is_folder: bool = False
    rules: int = 0


def walk(root: str, scope: Sequence[str], ignoring: Ignoring, others: Collection[str] = ()) -> Iterator[Seen]:
    """What there is at and below the paths of `scope` ("" is the root), the nearest first, in an order that repeats.

    `others` are absolute paths of roots within this one. A path of `scope` that lies behind a link is not there.
    """
    waiting: deque[str] = deque()
    for path in scope:
        found = _look(root, path)
        if found is None or path.count("/") > MOST_DEPTH or os.path.join(root, path) in others:
            continue
        if stat.S_ISDIR(found.st_mode):
            waiting.append(path)
        elif stat.S_ISREG(found.st_mode) and is_indexed(path):
            yield from _visible(path, found, ignoring)
    while waiting:
        folder = waiting.popleft()
        rules = rules_in(os.path.join(root, folder))
        if ignoring.may_enter(folder):
            yield from _listed(root, folder, rules, ignoring, others, waiting)


def is_indexed(path: str) -> bool:
    """Whether a file of this name has something to say."""
    language = language_of(path)
    return (language is not None and has_grammar(language)) or is_project_file(split(path)[1])


def rules_in(folder: str) -> int:
    """Another number when an ignore file right in `folder`, a full path, is another; 0 where there is none."""
    found = 0
    for name in IGNORE_FILES:
        with contextlib.suppress(OSError):
            found += stamp_of(os.stat(os.path.join(folder, name)))
    return found


def _listed(
    root: str, folder: str, rules: int, ignoring: Ignoring, others: Collection[str], waiting: deque[str]
) -> Iterator[Seen]:
    full = os.path.join(root, folder)
    try:
        stamp = stamp_of(os.stat(full))
        with os.scandir(full) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    yield Seen(folder, stamp, 0, is_folder=True, rules=rules)
    for entry in entries:
        path = join(folder, entry.name)
        try:
            if entry.is_dir(follow_symlinks=False):
                if entry.path not in others and path.count("/") < MOST_DEPTH:
                    waiting.append(path)
            elif is_indexed(path) and entry.is_file(follow_symlinks=False):
                yield from _visible(path, entry.stat(follow_symlinks=False), ignoring)
        except OSError:
            continue


def _visible(path: str, found: os.stat_result, ignoring: Ignoring) -> Iterator[Seen]:
    if found.st_size <= MAX_BYTES and not ignoring.hidden(path):
        yield Seen(path, stamp_of(found), found.st_size)


def _look(root: str, path: str) -> os.stat_result | None:
    """The state of what lies at `path`; None where nothing does, or a link is on the way to it."""
    try:
        found = os.lstat(os.path.join(root, path) if path else os.path.realpath(root))
        folder = split(path)[0]
        while folder:
            if stat.S_ISLNK(os.lstat(os.path.join(root, folder)).st_mode):
                return None
            folder = split(folder)[0]
    except (OSError, ValueError):
        return None
    return found
