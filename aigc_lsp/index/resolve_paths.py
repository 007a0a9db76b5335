"""Imports by path: C and C++, Ruby, Bash."""

from __future__ import annotations

import re

from aigc_lsp.index.paths import above, join, nearest, normal, split
from aigc_lsp.index.table import Index, Wanted

# What a script puts before the name of a file beside it: "$DIR/", "${HERE}/", "$(dirname "$0")/", "`dirname $0`/".
_FOLDER_IN_BASH = re.compile(r"^(?:\$\{[^}]*\}|\$\((?:[^()]|\([^()]*\))*\)|\$\w+|`[^`]*`)/+")


def c(index: Index, path: str, wanted: Wanted) -> list[str]:
    """The header: beside the file, or where its path fits. `<name.h>` is the system's unless an `include` has it."""
    name = wanted.module.strip('"<> ')
    if not wanted.module.startswith("<") and (beside := _at(index, join(split(path)[0], name))):
        return beside
    plain = normal(name)
    if not plain:
        return []
    found = index.paths.ending(plain)
    if wanted.module.startswith("<") and "/" not in plain:
        found = [each for each in found if split(split(each)[0])[1] == "include"]
    return nearest(path, found)[:1]


def ruby(index: Index, path: str, wanted: Wanted) -> list[str]:
    """Beside the file (`require_relative`), else in a folder `lib`."""
    name = wanted.module if wanted.module.endswith(".rb") else f"{wanted.module}.rb"
    if beside := _at(index, join(split(path)[0], name)):
        return beside
    plain = normal(name)
    return nearest(path, index.paths.ending(join("lib", plain)))[:1] if plain else []


def bash(index: Index, path: str, wanted: Wanted) -> list[str]:
    """Beside the script, else below a folder that it is in; what a variable holds is taken for one of these."""
    name = _FOLDER_IN_BASH.sub("", wanted.module.strip("\"'"))
    return next(filter(None, (_at(index, join(folder, name)) for folder in above(path))), [])


def _at(index: Index, place: str) -> list[str]:
    plain = normal(place)
    return [plain] if plain is not None and plain in index.paths else []
