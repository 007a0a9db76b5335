"""Imports of JavaScript and TypeScript: relative ones, aliases of tsconfig.json, and packages of the same workspace."""

from __future__ import annotations

from collections.abc import Iterator

from aigc_lsp.index.paths import above, is_within, join, normal, split
from aigc_lsp.index.projects import Project
from aigc_lsp.index.table import Index, Wanted

_ENDINGS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".d.ts")
# TypeScript imports the file that will be compiled by the name of what it is compiled to.
_COMPILED = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_OURS = ("@/", "~/")
"""What bundlers' templates call the folder `src`."""


def resolve(index: Index, path: str, wanted: Wanted) -> list[str]:
    """The module's file, or none: as Node and TypeScript look for it, then as bundlers do."""
    module = wanted.module.partition("?")[0]
    if module.startswith("."):
        return _file(index, join(split(path)[0], module))
    for place in _places(index, path, module):
        if found := _file(index, place):
            return found
    return []


def _file(index: Index, place: str) -> list[str]:
    """The file that is meant by `place`, with or without an ending, or by a folder of that name."""
    plain = normal(place)
    if plain is None:
        return []
    return [each for each in _candidates(plain) if each in index.paths][:1]


def _candidates(place: str) -> Iterator[str]:
    yield place
    stem, dot, ending = place.rpartition(".")
    yield from (stem + other for other in _COMPILED.get(dot + ending, ()))
    if place:
        yield from (place + each for each in _ENDINGS)
    yield from (join(place, "index") + each for each in _ENDINGS)


def _places(index: Index, path: str, module: str) -> Iterator[str]:
    """Where a module that is no relative path may be, the most likely place first."""
    for project in _around(index, path):
        for pattern, targets in project.aliases:
            if (rest := _matched(pattern, module)) is not None:
                yield from (target.replace("*", rest, 1) for target in targets)
    for prefix in _OURS:
        if module.startswith(prefix):
            yield from (join(join(folder, "src"), module.removeprefix(prefix)) for folder in above(path))
    for project in index.projects.values():
        if project.kind == "node" and project.name and f"{module}/".startswith(f"{project.name}/"):
            yield from _in_package(project, module[len(project.name) + 1 :])


def _around(index: Index, path: str) -> list[Project]:
    """The projects that `path` is in, the innermost first."""
    found = [
        project
        for project in index.projects.values()
        if project.kind in ("typescript", "node") and is_within(path, project.folder)
    ]
    return sorted(found, key=lambda project: -len(project.folder))


def _matched(pattern: str, module: str) -> str | None:
    """What `*` in the pattern stands for; None where it does not match."""
    head, star, tail = pattern.partition("*")
    if not star:
        return "" if module == pattern else None
    if len(module) < len(head) + len(tail) or not (module.startswith(head) and module.endswith(tail)):
        return None
    return module[len(head) : len(module) - len(tail)]


def _in_package(project: Project, rest: str) -> Iterator[str]:
    """Where a package of this workspace begins, or its module `rest`: as it is written rather than as it is built."""
    yield join(join(project.folder, "src"), rest)
    yield from () if rest else project.entries
    yield join(project.folder, rest)
    yield join(join(project.folder, "lib"), rest)
