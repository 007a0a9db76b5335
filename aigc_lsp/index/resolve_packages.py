"""Imports by package: Go, Java, C#, PHP."""

from __future__ import annotations

from aigc_lsp.index.paths import is_within, join, nearest, normal, split
from aigc_lsp.index.table import Index, Wanted

MOST_FILES = 64
"""Of a package; more of them are no help."""


def go(index: Index, path: str, wanted: Wanted) -> list[str]:
    """The files of the package, tests aside: its path begins with the name of a module whose go.mod is here."""
    modules = [each for each in index.projects.values() if each.kind == "go" and is_within(wanted.module, each.name)]
    if not modules:
        return []
    module = max(modules, key=lambda each: len(each.name))
    folder = join(module.folder, wanted.module[len(module.name) + 1 :])
    return [each for each in _files(index, folder, ".go") if not each.endswith("_test.go")]


def java(index: Index, path: str, wanted: Wanted) -> list[str]:
    """The class's file, or all of a package; of a member, the file of the class that has it."""
    tail = wanted.module.replace(".", "/")
    if wanted.alias == "*" and (folders := index.paths.folders_ending(tail)):
        return [each for folder in nearest(path, folders) for each in _files(index, folder, ".java")]
    while "/" in tail:
        if found := index.paths.ending(tail + ".java"):
            return nearest(path, found)[:1]
        tail = split(tail)[0]
    return []


def csharp(index: Index, path: str, wanted: Wanted) -> list[str]:
    """The files that declare the namespace, or the class (`using static`)."""
    parent, _, name = wanted.module.rpartition(".")
    found = {each.path for each in index.definitions(name) if each.parent == parent and each.path.endswith(".cs")}
    return nearest(path, found)[:MOST_FILES]


def php(index: Index, path: str, wanted: Wanted) -> list[str]:
    """The classes' files: by the folders that composer.json names, else by how their paths end. Of a file, itself."""
    module = wanted.module.replace("\\", "/").lstrip("/")
    if module.endswith(".php"):
        beside = normal(join(split(path)[0], module)) or ""
        return [beside] if beside in index.paths else nearest(path, index.paths.ending(module))[:1]
    tails = [join(module, name.replace("\\", "/")) for name, _ in wanted.names] or [module]
    return [file for tail in tails for file in _php_class(index, path, tail)]


def _php_class(index: Index, path: str, tail: str) -> list[str]:
    for project in index.projects.values():
        for pattern, targets in project.aliases if project.kind == "php" else ():
            prefix = pattern.removesuffix("*")
            places = [target.replace("*", tail[len(prefix) :]) for target in targets if tail.startswith(prefix)]
            if found := [f"{place}.php" for place in places if f"{place}.php" in index.paths]:
                return found
    # Namespaces begin anywhere; of one that has no folder of its own, two names are enough to tell.
    return nearest(path, index.paths.ending("/".join(tail.split("/")[-2:]) + ".php"))[:1] if "/" in tail else []


def _files(index: Index, folder: str, ending: str) -> list[str]:
    return [each for each in index.paths.files_in(folder) if each.endswith(ending)][:MOST_FILES]
