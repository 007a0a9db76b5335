"""Whether open documents may be read as context for others, and completed in: the ignore files that count for each.

What lies in a folder of the workspace is judged by that folder's rules. Anything else is there because somebody opened
it; the rules of the repository, or else the folder, that it lies in count for it. Of a link both count: what it is
called, and what it leads to.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from aigc_lsp.context.hidden import is_secret
from aigc_lsp.index.git import repository_of
from aigc_lsp.index.ignoring import Ignoring


@dataclass(frozen=True, slots=True)
class Judgement:
    """Why not, in a few words, or "": read for others (`hidden`), completed in (`barred`). `is_secret`: by its name."""

    hidden: str = ""
    barred: str = ""
    is_secret: bool = False


def judge(
    paths: Iterable[str], folders: Collection[str], exclude: Sequence[str] = (), *, secret_files: bool = False
) -> dict[str, Judgement]:
    """A judgement of each path. It reads the disk, so it is for a thread; it never raises.

    paths         absolute; another one, of a document that is on no disk, is judged by its name alone
    folders       the workspace's, absolute
    secret_files  whether completions are given in files for secrets
    """
    roots = {*folders, *map(os.path.realpath, folders)}
    rules: dict[str, Ignoring] = {}

    def judged(path: str) -> Judgement:
        root = _root_of(path, roots)
        if root not in rules:
            rules[root] = Ignoring(root, exclude, secret_files=secret_files)
        inside = path[len(root) :].strip(os.sep).replace(os.sep, "/")
        return Judgement(rules[root].hidden(inside), rules[root].barred(inside))

    found = {}
    for path in paths:
        if not os.path.isabs(path):
            secret = is_secret(path)
            found[path] = Judgement(secret, "" if secret_files else secret, bool(secret))
            continue
        try:
            named, real = os.path.normpath(path), os.path.realpath(path)
            one = judged(named)
            other = one if real == named else judged(real)
            is_any = bool(is_secret(named) or is_secret(real))
            found[path] = Judgement(one.hidden or other.hidden, one.barred or other.barred, is_any)
        except (OSError, ValueError):  # ValueError: a NUL in the name
            reason = "what ignore files say of it cannot be read"
            found[path] = Judgement(reason, reason)
    return found


def _root_of(path: str, roots: Iterable[str]) -> str:
    """The innermost folder of the workspace that `path` is in; else the repository, or the folder."""
    around = [root for root in roots if path.startswith(os.path.join(root, ""))]
    if around:
        return max(around, key=len)
    folder = os.path.dirname(path)
    return repository_of(folder) or folder
