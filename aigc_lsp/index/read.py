"""Reading a workspace's files: never out of its root, never for ever, never more than is of use."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from aigc_lsp.context.hidden import HEAD_BYTES, is_unfit

MAX_BYTES = 500_000
"""A larger file is left out: it is seldom written by hand, and takes long to parse."""

_SIZE_BITS = 32
# A pipe is not waited for; a link in the place of a file is an error.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class Bytes:
    """The first bytes of a file, and its stamp from before they were read."""

    data: bytes
    stamp: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text, and its stamp from before it was read: if it changed meanwhile, it has another by now."""

    text: str
    stamp: int


def stamp_of(found: os.stat_result) -> int:
    """Changes when a file does."""
    return found.st_mtime_ns << _SIZE_BITS | found.st_size & (1 << _SIZE_BITS) - 1


def read_bytes(path: str, limit: int, *, follow: bool = True) -> Bytes:
    """At most `limit` bytes of a regular file. Raises `OSError`, also for what is no regular file."""
    handle = os.open(path, _FLAGS | (0 if follow else _NO_LINK))
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"not a regular file: {path}")
        return Bytes(file.read(limit), stamp_of(found))


def read_source(root: str, path: str) -> Source | None:
    """The text of `path`, relative to `root`; None where there is none of use: it is too large, binary, generated, …

    What is not UTF-8 has U+FFFD in the place of wrong bytes. Whether the file may be read is the caller's to know.
    """
    full = os.path.join(root, path)
    try:
        if not _is_inside(root, full):
            return None
        found = read_bytes(full, MAX_BYTES + 1, follow=False)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    if is_unfit(path, found.data[:HEAD_BYTES], len(found.data), max_bytes=MAX_BYTES):
        return None
    return Source(found.data.decode("utf-8", "replace"), found.stamp)


def _is_inside(root: str, full: str) -> bool:
    """Whether the folder of a file is in the root, wherever links lead."""
    top, folder = os.path.realpath(root), os.path.realpath(os.path.dirname(full))
    return folder == top or folder.startswith(os.path.join(top, ""))
