"""Which files are most like one: those that import the same, are called the same, and lie beside it.

What is written in one file is often written alike in its kin, and a small model copies better than it invents.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from aigc_lsp.index.paths import split
from aigc_lsp.index.table import Imported, Index

MOST = 12
MOST_LOOKED_AT = 4000
"""Files; a larger workspace is looked at beside and above this file only."""

_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def kin_of(index: Index, path: str, language: str) -> list[str]:
    """Files of the same language, the most alike first."""
    own_imports, own_name, folder = _imported(index.imports(path)), _words(path), split(path)[0]
    scored = []
    for other in _candidates(index, path):
        entry = index.files[other]
        if other == path or entry.language != language:
            continue
        imports = _imported(index.imports(other))
        score = 2 * len(own_imports & imports) / (len(own_imports | imports) or 1)
        name = _words(other)
        score += len(own_name & name) / (len(own_name | name) or 1)
        score += (split(other)[0] == folder) + 0.5 * (split(folder)[0] == split(split(other)[0])[0])
        scored.append((-score, other))
    return [other for _, other in sorted(scored)[:MOST]]


def importers_of(index: Index, path: str, name: str) -> list[str]:
    """The files that import `name` from anywhere, those of the nearest folders first."""
    found = [
        other
        for other, entry in index.files.items()
        if other != path and any(name in each for each in entry.imports)
        if any(name in (original, local) for each in index.imports(other) for original, local in each.names)
    ]
    return sorted(found, key=lambda other: (-len(posixpath.commonpath([f"/{other}", f"/{path}"])), other))[:MOST]


def _candidates(index: Index, path: str) -> Iterator[str]:
    if len(index) <= MOST_LOOKED_AT:
        yield from list(index.files)
        return
    folder = split(path)[0]
    for place in dict.fromkeys((folder, *index.paths.folders_in(split(folder)[0]), *index.paths.folders_in(folder))):
        yield from (each for each in index.paths.files_in(place) if each in index.files)


def _imported(imports: list[Imported]) -> set[str]:
    found = set()
    for each in imports:
        found.add(each.module)
        found.update(f"{each.module}:{name}" for name, _ in each.names)
    return found


def _words(path: str) -> set[str]:
    return {word.lower() for word in _NAME.findall(posixpath.splitext(split(path)[1])[0])}
