"""What the files of package managers and compilers say about imports: names of packages, and aliases of folders.

Pure: contents come in. A file that cannot be read as what it should be says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from aigc_lsp.index.paths import join, normal, split

# A file's name → what reads it. tsconfig.base.json and the like count, too.
_TYPESCRIPT = re.compile(r"[jt]sconfig(?:\.[\w-]+)*\.json")
_GO_MODULE = re.compile(r'^module\s+"?([^\s"]+)', re.MULTILINE)
# Strings are kept; comments, and commas before a closing bracket, are not JSON.
_NOT_JSON = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
_ENTRY_FIELDS = ("source", "types", "typings", "module", "main")


class Project(NamedTuple):
    """What one file says; all paths are relative to the root of the index.

    folder   where the file stands
    aliases  (pattern, the paths that it stands for); `*` is the same in both
    entries  the files that the bare name may mean, the most likely first
    """

    kind: str  # go, node, php, python, rust, typescript
    folder: str
    name: str = ""
    aliases: tuple[tuple[str, tuple[str, ...]], ...] = ()
    entries: tuple[str, ...] = ()


def is_project_file(name: str) -> bool:
    return name in _READERS or _TYPESCRIPT.fullmatch(name) is not None


def project_of(path: str, text: str) -> Project | None:
    """What the file at `path`, which holds `text`, says; None where it says nothing of use."""
    folder, name = split(path)
    try:
        return _READERS.get(name, _typescript)(folder, text)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None  # not in the form that it should have


def project_from(fields: list[Any]) -> Project:
    """A `Project` that went through JSON."""
    kind, folder, name, aliases, entries = fields
    pairs = tuple((pattern, tuple(targets)) for pattern, targets in aliases)
    return Project(kind, folder, name, pairs, tuple(entries))


def _go(folder: str, text: str) -> Project | None:
    found = _GO_MODULE.search(text)
    return Project("go", folder, found[1]) if found else None


def _node(folder: str, text: str) -> Project | None:
    said = json.loads(text)
    given = [said.get(field) for field in _ENTRY_FIELDS]
    exports = said.get("exports")
    given += _strings(exports.get(".", exports) if isinstance(exports, dict) else exports)
    imports = said.get("imports")
    aliases = imports.items() if isinstance(imports, dict) else ()
    return Project(
        "node",
        folder,
        str(said.get("name") or ""),
        tuple((pattern, _inside(folder, _strings(targets))) for pattern, targets in aliases),
        _inside(folder, given),
    )


def _typescript(folder: str, text: str) -> Project | None:
    options = json.loads(_NOT_JSON.sub(r"\1", text.removeprefix("\ufeff"))).get("compilerOptions") or {}
    base = options.get("baseUrl")
    start = join(folder, base) if isinstance(base, str) else folder
    paths = options.get("paths")
    aliases = [(pattern, _inside(start, targets)) for pattern, targets in paths.items()] if paths else []
    if isinstance(base, str):
        aliases.append(("*", _inside(start, ["*"])))
    return Project("typescript", folder, aliases=tuple(aliases)) if aliases else None


def _php(folder: str, text: str) -> Project | None:
    said = json.loads(text)
    aliases = []
    for section in ("autoload", "autoload-dev"):
        for prefix, targets in ((said.get(section) or {}).get("psr-4") or {}).items():
            given = [targets] if isinstance(targets, str) else targets
            aliases.append(
                (prefix.replace("\\", "/") + "*", _inside(folder, [f"{each.rstrip('/')}/*" for each in given]))
            )
    return Project("php", folder, aliases=tuple(aliases))


def _rust(folder: str, text: str) -> Project | None:
    import tomllib

    said = tomllib.loads(text)
    name = (said.get("package") or {}).get("name")
    library = said.get("lib") or {}
    return (
        Project(
            "rust",
            folder,
            str(library.get("name") or name).replace("-", "_"),
            entries=_inside(folder, [library.get("path"), "src/lib.rs", "src/main.rs"]),
        )
        if name
        else None
    )


def _python(folder: str, text: str) -> Project | None:
    return Project("python", folder)


_READERS = {
    "go.mod": _go,
    "package.json": _node,
    "composer.json": _php,
    "Cargo.toml": _rust,
    "pyproject.toml": _python,
    "setup.cfg": _python,
    "setup.py": _python,
}


def _strings(value: object) -> list[str]:
    """The strings in nested conditions, in their order."""
    return list(_each_string(value))


def _each_string(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _each_string(each)
    elif isinstance(value, list):
        for each in value:
            yield from _each_string(each)


def _inside(folder: str, given: list[Any]) -> tuple[str, ...]:
    """The paths in `given` that are none out of the root, relative to it."""
    paths = (normal(join(folder, each.lstrip("/"))) for each in given if isinstance(each, str) and each)
    return tuple(dict.fromkeys(path for path in paths if path))
