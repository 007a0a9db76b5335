"""Imports of Python: `from .a import b`, `import a.b`, packages, `src` layouts.

An absolute import begins at a folder on Python's path. Which those are nobody tells us: it is a folder that is no
package itself, most likely one that the importing file is in, or one that looks like the top of a distribution.
"""

from __future__ import annotations

import sys

from aigc_lsp.index.paths import is_within, join, shared, split
from aigc_lsp.index.table import Index, Wanted

_ENDINGS = (".py", "/__init__.py", ".pyi", "/__init__.pyi")
_TOPS = {"src", "lib", "python", "source"}


def resolve(index: Index, path: str, wanted: Wanted) -> list[str]:
    """The modules that are imported: those among the names first, then the one that has the other names."""
    module = wanted.module.lstrip(".")
    level = len(wanted.module) - len(module)
    tail = module.replace(".", "/")
    places = [_above(path, level, tail)] if level else _absolute(index, path, tail)
    for place in places:
        submodules = [found for name, _ in wanted.names for found in _module(index, join(place, name))]
        if found := submodules + _module(index, place):
            return found
    return []


def _above(path: str, level: int, tail: str) -> str:
    folder = path
    for _ in range(level):
        folder = split(folder)[0]
    return join(folder, tail) if tail else folder


def _module(index: Index, place: str) -> list[str]:
    """The file of the module at `place`, a path without its ending."""
    return [place + ending for ending in _ENDINGS if place + ending in index.paths][:1]


def _absolute(index: Index, path: str, tail: str) -> list[str]:
    """Where a module may be that is called `tail`, the most likely place first."""
    if not tail:
        return []
    files = [found.removesuffix(ending) for ending in (".py", ".pyi") for found in index.paths.ending(tail + ending)]
    places = {place: place[: len(place) - len(tail)].rstrip("/") for place in files + index.paths.folders_ending(tail)}
    likely = {place: root for place, root in places.items() if _is_top(index, path, root, tail)}
    return sorted(likely, key=lambda place: _unlikeness(path, likely[place], place))


def _is_top(index: Index, path: str, root: str, tail: str) -> bool:
    """Whether Python may look for `tail` in `root` when it runs `path`."""
    if join(root, "__init__.py") in index.paths:
        return False
    if is_within(path, root):
        return True
    if tail.partition("/")[0] in sys.stdlib_module_names:
        return False  # it is far more likely the one that comes with Python
    # One name alone fits many a file that is on nobody's path.
    return (
        "/" in tail
        or split(root)[1] in _TOPS
        or any(join(root, name) in index.projects for name in ("pyproject.toml", "setup.py", "setup.cfg"))
    )


def _unlikeness(path: str, root: str, place: str) -> tuple[bool, int, int, str]:
    """Least for the deepest folder that `path` is in, then for the one that has most in common with it."""
    return not is_within(path, root), -shared(path, root) if root else 0, root.count("/"), place
