"""Imports of Rust: `crate::`, `self::`, `super::`, `mod x;`, and crates of the same workspace.

A module is named by the folder that its own modules are in: `src/a` is that of `src/a.rs` and of `src/a/mod.rs`, `src`
that of `src/lib.rs` and of `src/main.rs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aigc_lsp.index.paths import above, join, split
from aigc_lsp.index.table import Index, Wanted

_ROOTS = ("lib.rs", "main.rs")


def resolve(index: Index, path: str, wanted: Wanted) -> list[str]:
    """The files of the modules among the names, then that of the innermost module on the path to them."""
    for start, rest in _starts(index, path, wanted.module.split("::")):
        below = [file for name, _ in wanted.names for file in _module(index, start, [*rest, name], whole=True)]
        if found := below + _module(index, start, rest):
            return found
    return []


def _starts(index: Index, path: str, names: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """The modules that a path may begin at, and what remains of it there."""
    first, rest = names[0], names[1:]
    own = _folder_of(path)
    if first in ("self", "super"):
        while first == "super":
            own = split(own)[0]
            first, rest = (rest[0], rest[1:]) if rest and rest[0] == "super" else ("", rest)
        yield own, rest
        return
    crates = [each for each in index.projects.values() if each.kind == "rust" and each.name == first]
    if first == "crate":
        manifests = (join(folder, "Cargo.toml") for folder in above(path))
        crates = [index.projects[each] for each in manifests if each in index.projects][:1]
    for crate in crates:
        yield from ((split(root)[0], rest) for root in crate.entries if root in index.paths)
    if _file(index, join(own, first)):
        yield own, names


def _folder_of(file: str) -> str:
    folder, name = split(file)
    return folder if name in (*_ROOTS, "mod.rs") else join(folder, name.removesuffix(".rs"))


def _module(index: Index, start: str, names: Sequence[str], whole: bool = False) -> list[str]:
    """The file of the innermost module on the way from `start` along `names`; of the `whole` way, or none."""
    folder, file = start, _file(index, start)
    for name in names:
        inner = _file(index, join(folder, name))
        if not inner:
            return [] if whole else file
        folder, file = join(folder, name), inner
    return file


def _file(index: Index, folder: str) -> list[str]:
    places = (f"{folder}.rs", *(join(folder, name) for name in ("mod.rs", *_ROOTS)))
    return [place for place in places if place in index.paths][:1]
