"""What an import means: the files of the workspace that it names, and the definitions that come with it.

Pure: it looks at the paths that there are, at what the projects' files say, and at the file that imports. What is not in
the workspace is nothing, and a guess is made only where one file fits better than all others.
"""

from __future__ import annotations

from collections.abc import Callable

from aigc_lsp.index import resolve_packages, resolve_paths, resolve_python, resolve_rust, resolve_web
from aigc_lsp.index.table import Defined, Imported, Index

Resolver = Callable[[Index, str, Imported], list[str]]

HOPS = 4
"""Through so many files a name is followed that is handed on."""

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


def resolve(index: Index, path: str, language: str, wanted: Imported) -> list[str]:
    """The files that an import in `path` means, the most likely first."""
    resolver = _RESOLVERS.get(language)
    found = resolver(index, path, wanted) if resolver else []
    return [each for each in dict.fromkeys(found) if each != path]


def imported(index: Index, path: str, language: str, wanted: Imported, name: str) -> list[Defined]:
    """The definitions of `name` that an import in `path` brings, also where a file hands on what it imports itself."""
    waiting, met = resolve(index, path, language, wanted), {path}
    for _ in range(HOPS):
        handed_on: list[str] = []
        for file in waiting:
            if found := index.named_in(file, name):
                return found
            met.add(file)
            handed_on += _handed_on(index, file, name)
        waiting = [file for file in handed_on if file not in met]
    return []


def _handed_on(index: Index, path: str, name: str) -> list[str]:
    """The files from which `path` imports `name`, or everything."""
    language = index.files[path].language
    return [
        file
        for each in index.imports(path)
        if name in each.names or "*" in each.names
        for file in resolve(index, path, language, each)
    ]
