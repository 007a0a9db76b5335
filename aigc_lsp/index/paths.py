"""The paths of one workspace folder: which there are, and which end in given components.

A path is relative to its root, with `/` between its components on every system; the root itself is "".
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from aigc_lsp.index.postings import Postings


class Paths:
    """A set of files and, by them, of folders. Changes cost the depth of a path."""

    def __init__(self) -> None:
        self._files: dict[str, set[str]] = {}  # folder → names of the files in it
        self._folders: dict[str, set[str]] = {}  # folder → names of the folders in it
        self._homes = Postings()  # a file's name → the folders that have one
        self._parents = Postings()  # a folder's name → the folders that have one

    def add(self, path: str) -> None:
        folder, name = split(path)
        self._files.setdefault(folder, set()).add(name)
        self._homes.add(name, folder)
        while folder:
            parent, name = split(folder)
            siblings = self._folders.setdefault(parent, set())
            if name in siblings:
                break
            siblings.add(name)
            self._parents.add(name, parent)
            folder = parent

    def discard(self, path: str) -> None:
        folder, name = split(path)
        if name not in self._files.get(folder, ()):
            return
        _remove(self._files, folder, name)
        self._homes.discard(name, folder)
        while folder and not self.has_folder(folder):
            parent, name = split(folder)
            _remove(self._folders, parent, name)
            self._parents.discard(name, parent)
            folder = parent

    def __contains__(self, path: str) -> bool:
        folder, name = split(path)
        return name in self._files.get(folder, ())

    def has_folder(self, folder: str) -> bool:
        return folder in self._files or folder in self._folders

    def files_in(self, folder: str) -> list[str]:
        """The files right in `folder`, sorted."""
        return [join(folder, name) for name in sorted(self._files.get(folder, ()))]

    def folders_in(self, folder: str) -> list[str]:
        """The folders right in `folder` with a file at some depth, sorted."""
        return [join(folder, name) for name in sorted(self._folders.get(folder, ()))]

    def below(self, folder: str) -> Iterator[str]:
        """Every file in `folder`, however deep."""
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            yield from self.files_in(folder)
            waiting += self.folders_in(folder)

    def ending(self, tail: str) -> list[str]:
        """The files whose last components are those of `tail`, sorted."""
        head, name = split(tail)
        return sorted(join(home, name) for home in self._homes.of(name) if ends_in(home, head))

    def count(self, name: str) -> int:
        """How many files are called `name`."""
        return self._homes.count(name)

    def folders_ending(self, tail: str) -> list[str]:
        """The folders whose last components are those of `tail`, sorted."""
        head, name = split(tail)
        return sorted(join(home, name) for home in self._parents.of(name) if ends_in(home, head))


def split(path: str) -> tuple[str, str]:
    """The folder and the name of a path."""
    folder, _, name = path.rpartition("/")
    return folder, name


def join(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder and path else folder or path


def above(path: str) -> Iterator[str]:
    """The folders that a path is in, the innermost first, the root last."""
    while path:
        path = split(path)[0]
        yield path


def normal(path: str) -> str | None:
    """`path` without `.` and `..`; None where it leaves the root."""
    plain = posixpath.normpath(path)
    if plain == ".." or plain.startswith(("../", "/")):
        return None
    return "" if plain == "." else plain


def ends_in(path: str, tail: str) -> bool:
    """Whether the last components of `path` are those of `tail`."""
    return not tail or path == tail or path.endswith("/" + tail)


def is_within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or in it."""
    return not folder or path == folder or path.startswith(folder + "/")


def shared(one: str, other: str) -> int:
    """How many leading components two paths have in common."""
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count


def nearest(path: str, found: Iterable[str]) -> list[str]:
    """Sorted by how much of their beginning they have in common with `path`."""
    return sorted(found, key=lambda each: (-shared(path, each), each.count("/"), each))


def _remove(sets: dict[str, set[str]], key: str, value: str) -> None:
    held = sets.get(key)
    if held is not None:
        held.discard(value)
        if not held:
            del sets[key]
