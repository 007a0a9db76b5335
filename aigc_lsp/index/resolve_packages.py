"""Imports by package: Go, Java, C#, PHP."""

from __future__ import annotations

from aigc_lsp.index.paths import is_within, join, nearest, split
from aigc_lsp.index.table import Imported, Index

MOST_FILES = 64
"""Of a package; more of them are no help."""


def go(index: Index, path: str, wanted: Imported) -> list[str]:
    """The files of the package, tests aside: its path begins with the name of a module whose go.mod is here."""
    modules = [each for each in index.projects.values() if each.kind == "go" and is_within(wanted.module, each.name)]
    if not modules:
        return []
    module = max(modules, key=lambda each: len(each.name))
    folder = join(module.folder, wanted.module[len(module.name) + 1 :])
    return [each for each in _files(index, folder, ".go") if not each.endswith("_test.go")]


def java(index: Index, path: str, wanted: Imported) -> list[str]:
    """The class's file, or all of a package; of a member, the file of the class that has it."""
    tail = wanted.module.removesuffix(".*").replace(".", "/")
    while "/" in tail:
        if found := index.paths.ending(tail + ".java"):
            return nearest(path, found)[:1]
        if wanted.module.endswith("*") and (folders := index.paths.folders_ending(tail)):
            return [each for folder in nearest(path, folders) for each in _files(index, folder, ".java")]
        tail = split(tail)[0]
    return []


def csharp(index: Index, path: str, wanted: Imported) -> list[str]:
    """The files that declare the namespace; of a class (`using static`), its own."""
    definers = {each.path for each in index.definitions(wanted.module) if each.kind in ("namespace", "module")}
    if definers:
        return nearest(path, definers)[:MOST_FILES]
    tail = wanted.module.replace(".", "/")
    return nearest(path, index.paths.ending(split(tail)[1] + ".cs"))[:1] if "/" in tail else []


def php(index: Index, path: str, wanted: Imported) -> list[str]:
    """The class's file: by the folders that composer.json names, else by the end of its path. Of a file, that file."""
    tail = wanted.module.strip("\\").replace("\\", "/")
    if tail.endswith(".php"):
        beside = join(split(path)[0], tail.lstrip("./"))
        return [beside] if beside in index.paths else nearest(path, index.paths.ending(tail.lstrip("./")))[:1]
    for project in index.projects.values():
        for pattern, targets in project.aliases if project.kind == "php" else ():
            prefix = pattern.removesuffix("*")
            for target in targets if tail.startswith(prefix) else ():
                place = target.replace("*", tail[len(prefix) :]) + ".php"
                if place in index.paths:
                    return [place]
    return nearest(path, index.paths.ending(f"{'/'.join(tail.split('/')[-2:])}.php"))[:1] if "/" in tail else []


def _files(index: Index, folder: str, ending: str) -> list[str]:
    return [each for each in index.paths.files_in(folder) if each.endswith(ending)][:MOST_FILES]
