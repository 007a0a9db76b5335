"""The rules of a root folder: `context.hidden` with the ignore files that lie on disk.

The rules begin at the repository that the root is in, where there is one above it: its ignore files count, too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from aigc_lsp.context.hidden import AIGC_IGNORE, GIT_EXCLUDE, GIT_IGNORE, MAX_IGNORE_BYTES, IgnoreFile, Rules
from aigc_lsp.index.git import common_folder, repository_of
from aigc_lsp.index.paths import join
from aigc_lsp.index.read import read_bytes

IGNORE_FILES = (AIGC_IGNORE, GIT_IGNORE)
"""The names of files that decide on what is beside and below them."""


class Ignoring:
    """Each ignore file is read once, when something beside or below it is asked about. Belongs to one thread."""

    def __init__(self, root: str, exclude: Sequence[str] = (), *, secret_files: bool = False) -> None:
        self._secret_files = secret_files
        repository = repository_of(root)
        self._begin(root, repository or root, exclude)
        if repository and (common := common_folder(repository)):
            self._take("", GIT_EXCLUDE, os.path.join(common, "info", "exclude"))
        if not self.may_enter("") and not self.broken and not self._rules.is_barred(join(self._prefix, "any")):
            # A folder that git ignores, and that is opened all the same: the repository above has no say in it.
            self._begin(root, root, exclude)

    @property
    def broken(self) -> str:
        """What is wrong with an ignore file or with `exclude`, so that all below it is hidden; or ""."""
        return self._broken

    def hidden(self, path: str) -> str:
        """Why the file at `path`, relative to the root, may not be read, or ""."""
        path = join(self._prefix, path)
        self._learn(path.rpartition("/")[0])
        return self._rules.is_hidden(path)

    def barred(self, path: str) -> str:
        """Why nothing is suggested in the file at `path`, relative to the root, or ""."""
        path = join(self._prefix, path)
        self._learn(path.rpartition("/")[0])
        return self._rules.is_barred(path)

    def may_enter(self, folder: str) -> bool:
        """Whether anything in `folder`, relative to the root, may be read."""
        folder = join(self._prefix, folder)
        self._learn(folder)
        return self._rules.may_enter(folder)

    def _begin(self, root: str, base: str, exclude: Sequence[str]) -> None:
        """Rules for paths relative to `base`, which the root is in."""
        relative = os.path.relpath(root, base)
        self._base = base
        self._prefix = "" if relative == "." else relative.replace(os.sep, "/")
        self._read: set[str] = set()
        self._rules = Rules(
            exclude=exclude, workspace=self._prefix, secret_files=self._secret_files, fold_case=_folds_case(root)
        )
        self._broken = "" if self._rules.may_enter("") else self._rules.is_hidden(join(self._prefix, "any"))

    def _learn(self, folder: str) -> None:
        """Read the ignore files in `folder` and above it."""
        if folder in self._read:
            return
        if folder:
            self._learn(folder.rpartition("/")[0])
        self._read.add(folder)
        for name in IGNORE_FILES:
            self._take(folder, name, os.path.join(self._base, folder, name))

    def _take(self, folder: str, name: str, path: str) -> None:
        try:
            content: bytes | None = read_bytes(path, MAX_IGNORE_BYTES + 1).data
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            content = None  # there, and nobody knows what it hides
        was_open = self._rules.may_enter(folder)
        self._rules = self._rules.adding(IgnoreFile(folder, name, content))
        if was_open and not self._rules.may_enter(folder):  # patterns are for what is in a folder, not for itself
            self._broken = self._broken or self._rules.is_hidden(join(folder, "any"))


def _folds_case(root: str) -> bool:
    """Whether the file system takes `A` and `a` for the same name."""
    name = Path(root).name
    other = name.swapcase()
    if other == name:
        return os.path.normcase("A") == "a"
    try:
        return os.path.samefile(root, os.path.join(os.path.dirname(root), other))
    except OSError:
        return False
