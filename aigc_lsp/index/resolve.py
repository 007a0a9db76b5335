"""What an import means: the files of the workspace that it names, and the definitions that come with it.

Pure: it looks at the paths that there are, at what the projects' files say, and at the file that imports. What is not
in the workspace is nothing, and a guess is made only where one file fits better than all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from aigc_lsp.context.outline import dotted
from aigc_lsp.index import resolve_packages, resolve_paths, resolve_python, resolve_rust, resolve_web
from aigc_lsp.index.paths import split
from aigc_lsp.index.table import Defined, Imported, Index, Wanted

Resolver = Callable[[Index, str, Wanted], list[str]]

MOST_FILES = 64
"""So many files are looked into for one name."""
HOPS = 4
"""A name is followed through so many files that hand it on."""

_RESOLVERS: dict[str, Resolver] = {
    "python": resolve_python.resolve,
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), resolve_web.resolve),
    "go": resolve_packages.go,
    "java": resolve_packages.java,
    "csharp": resolve_packages.csharp,
    "php": resolve_packages.php,
    "rust": resolve_rust.resolve,
    **dict.fromkeys(("c", "cpp"), resolve_paths.c),
    "ruby": resolve_paths.ruby,
    "shellscript": resolve_paths.bash,
}
# An import of a whole module brings all its names.
_OPEN = {"c", "cpp", "csharp", "ruby", "shellscript"}
_SEPARATOR = re.compile(r"[./\\:]+")
_GO_VERSION = re.compile(r"v\d+")


def resolve(index: Index, path: str, language: str, wanted: Wanted) -> list[str]:
    """The files that an import in `path` means, the most likely first."""
    resolver = _RESOLVERS.get(language)
    found = resolver(index, path, wanted) if resolver else []
    return [each for each in dict.fromkeys(found) if each != path]


def meant(
    index: Index, path: str, language: str, imports: Iterable[Wanted], name: str, receiver: str = ""
) -> list[Defined]:
    """The definitions that `name`, or `receiver.name`, in `path` stands for by the `imports` there.

    Where a file hands on what it imports itself, those in the file that has them.
    """
    imports = list(imports)
    if not receiver:
        return _first(
            _brought(index, path, language, each, target) for each, target in _bringing(language, imports, name)
        )
    owners = meant(index, path, language, imports, receiver)
    if owners:
        return [found for owner in owners for found in index.named_in(owner.path, name) if _is_in(found, owner)]
    return _first(_brought(index, path, language, each, name) for each in _modules(imports, receiver))


def _first(found: Iterable[list[Defined]]) -> list[Defined]:
    return next(filter(None, found), [])


def _bringing(language: str, imports: Iterable[Wanted], name: str) -> list[tuple[Wanted, str]]:
    """The imports that bring `name`, each with what it is called where it comes from; those that name it first."""
    found = [(each, target, by_name) for each in imports for target, by_name in _targets(language, each, name)]
    return [(each, target) for each, target, _ in sorted(found, key=lambda one: not one[2])]


def _targets(language: str, wanted: Wanted, name: str) -> list[tuple[str, bool]]:
    """What `name` is called in the module that `wanted` imports, and whether the import names it; empty or one."""
    for original, local in wanted.names:
        if (local or original) == name:
            return [(original, True)]
    if not wanted.names and _called(wanted) == name:
        return [(_last(wanted.module), True)]
    return [(name, False)] if wanted.alias == "*" or (language in _OPEN and not wanted.names) else []


def _modules(imports: Iterable[Wanted], receiver: str) -> list[Wanted]:
    """The imports by which `receiver` is a module."""
    found: list[Wanted] = []
    for each in imports:
        found += [
            Imported(each.module, ((original, ""),), "")
            for original, local in each.names
            if (local or original) == receiver
        ]
        if not each.names and _called(each) == receiver:
            found.append(each)
    return found


def _brought(
    index: Index, path: str, language: str, wanted: Wanted, name: str, hops: int = HOPS, met: set[str] | None = None
) -> list[Defined]:
    """The definitions of `name` in the module that an import in `path` means, or where that has it from."""
    met = {path} if met is None else met
    files = [file for file in resolve(index, path, language, wanted) if file not in met][:MOST_FILES]
    for file in files:
        if found := _defined(index, file, name):
            return found
    met.update(files)
    for file in files if hops else ():
        there = index.files[file].language
        for each, target in _bringing(there, index.imports(file), name):
            if len(met) < MOST_FILES and (found := _brought(index, file, there, each, target, hops - 1, met)):
                return found
    return []


def _defined(index: Index, path: str, name: str) -> list[Defined]:
    """The definitions of `name` in a file, as seen from outside; of JavaScript's "default", what the file is called."""
    if name == "default":
        stem = split(path)[1].partition(".")[0].lower()
        outer = [each for each in index.in_file(path) if not each.parent and each.kind in ("class", "function")]
        return [each for each in outer if each.name.lower() == stem] or (outer if len(outer) == 1 else [])
    found = index.named_in(path, name)
    return [each for each in found if each.kind != "method"] or found


def _is_in(found: Defined, owner: Defined) -> bool:
    return found.parent == dotted(owner)


def _called(wanted: Wanted) -> str:
    """The name that an import of a whole module gives it."""
    return wanted.alias or _last(wanted.module)


def _last(module: str) -> str:
    """The last name in a module's own."""
    names = [name for name in _SEPARATOR.split(module) if name] or [""]
    return names[-2] if len(names) > 1 and _GO_VERSION.fullmatch(names[-1]) else names[-1]
