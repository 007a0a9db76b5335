"""What the files around one say of how docstrings are written there, read off the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

from aigc_lsp.docstring.manner import ProjectHabits, docstrings_of
from aigc_lsp.docstring.styles import OF_LANGUAGE
from aigc_lsp.index.git import repository_of
from aigc_lsp.index.ignoring import Ignoring
from aigc_lsp.index.read import read_bytes, read_source
from aigc_lsp.index.walk import walk
from aigc_lsp.syntax import language_of, parse
from aigc_lsp.text import Text

MOST_FILES, MOST_DOCSTRINGS, MOST_LOOKED_AT = 8, 40, 2_000
"""Of the neighbours: so many are read, until so many docstrings are found, among so many names."""

MOST_BYTES = 256 * 1024
"""Of a file of settings; a longer one is no person's."""

_OF_USE = re.compile(r"^\s*\[tool\.(?:ruff|black|flake8|pycodestyle|autopep8|yapf|pydocstyle)\b", re.MULTILINE)
_RUFF = (".ruff.toml", "ruff.toml")
_PYDOCSTYLE = ("setup.cfg", "tox.ini", ".pydocstyle", ".pydocstyle.ini", ".pydocstylerc", ".pydocstylerc.ini")
_CONVENTION = re.compile(r"^\[pydocstyle\][^\[]*?^convention\s*=\s*(\w+)", re.MULTILINE)
_PROJECT = ("pyproject.toml", "setup.py", "setup.cfg", "package.json", "Cargo.toml", "go.mod", "pom.xml")
_DECIDING = (*_RUFF, "pyproject.toml", *_PYDOCSTYLE, ".editorconfig", ".gitignore", ".aigcignore", "")
_HAS_DOCSTRING = re.compile(r"\"\"\"|'''|/\*[*!]|///|//|#")


def habits_of(folder: str, language: str, exclude: Sequence[str] = (), within: str = "") -> ProjectHabits:
    """The habits of the project that `folder`, an absolute path, is in. It reads the disk, so it is for a thread.

    Settings count up to the top of the repository, and nothing is read outside of `within`, an absolute path that
    `folder` begins with; without one, outside of the project. `exclude` are the user's globs; what they or ignore files
    hide is not read. Never raises.
    """
    folder, within = os.path.normpath(folder), os.path.normpath(within) if within else ""
    top = repository_of(folder) or within or _project_of(folder)
    top = top if _is_in(top, within or top) else within
    return _habits(folder, language, tuple(exclude), top, _stamps(folder, top))


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))


def _project_of(folder: str) -> str:
    """The nearest folder with a project's file, else itself."""
    for place in (folder, *map(str, Path(folder).parents)):
        if any(os.path.isfile(os.path.join(place, name)) for name in _PROJECT):
            return place
    return folder


def _stamps(folder: str, top: str) -> tuple[int, ...]:
    """Others as soon as settings or the files beside are others; what lies further off may be old for that long."""
    deciding = [os.path.join(place, name) for place in _upward(folder, top) for name in _DECIDING]
    try:
        with os.scandir(folder) as entries:
            beside = [entry.path for entry in islice(entries, MOST_LOOKED_AT)]
    except OSError:
        beside = []
    return tuple(map(_changed_at, (*deciding, *beside)))


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except (OSError, ValueError):
        return 0


@lru_cache(maxsize=8)
def _habits(folder: str, language: str, exclude: tuple[str, ...], top: str, stamps: tuple[int, ...]) -> ProjectHabits:
    folders = list(_upward(folder, top))
    pyproject = next(filter(None, map(_python_settings, folders)), None) if language == "python" else None
    return ProjectHabits(pyproject, _editorconfig(folders), _docstrings(folder, top, language, exclude))


def _upward(folder: str, top: str) -> Iterator[str]:
    for place in (folder, *map(str, Path(folder).parents)):
        yield place
        if place == top:
            return


def _read(folder: str, name: str) -> str | None:
    try:
        return read_bytes(os.path.join(folder, name), MOST_BYTES, follow=False).data.decode("utf-8-sig")
    except (OSError, ValueError):
        return None


def _python_settings(folder: str) -> str | None:
    """What linters read in a folder, in the shape of a pyproject.toml; None where nothing there is for them."""
    for name in _RUFF:
        if (said := _read(folder, name)) is not None:  # its tables are those below [tool.ruff]
            return "[tool.ruff]\n" + re.sub(r"^\s*(\[\[?)", r"\1tool.ruff.", said, flags=re.MULTILINE)
    said = _read(folder, "pyproject.toml")
    if said is not None and _OF_USE.search(said):
        return said
    for name in _PYDOCSTYLE:
        if found := _CONVENTION.search(_read(folder, name) or ""):
            return f'[tool.pydocstyle]\nconvention = "{found[1]}"\n'
    return None


def _editorconfig(folders: Sequence[str]) -> str | None:
    """All that count, the nearest last, since what is said later wins."""
    found: list[str] = []
    for folder in folders:
        if (said := _read(folder, ".editorconfig")) is not None:
            found.insert(0, said)
            if re.search(r"^\s*root\s*=\s*true\s*$", said, re.MULTILINE | re.IGNORECASE):
                break
    return "\n".join(found) if found else None


def _docstrings(folder: str, top: str, language: str, exclude: Sequence[str]) -> tuple[str, ...]:
    """Those of the nearest files that are written alike: in the folder and below it, else in the rest of `top`."""
    alike = {each for each, styles in OF_LANGUAGE.items() if styles == OF_LANGUAGE.get(language)} | {language}
    roots = list(dict.fromkeys((folder, top)))
    found: list[str] = []
    for root in roots:
        files = 0
        for number, seen in enumerate(walk(root, [""], Ignoring(root, exclude))):
            if files >= MOST_FILES or len(found) >= MOST_DOCSTRINGS or number >= MOST_LOOKED_AT:
                break
            named = language_of(seen.path)
            if seen.is_folder or named not in alike:
                continue
            source = read_source(root, seen.path)
            if source is None or not _HAS_DOCSTRING.search(source.text):
                continue
            files += 1
            text = Text(source.text)
            tree = parse(named, text)
            found += [said for said, _ in docstrings_of(tree)] if tree is not None else []
        if found:
            break
    return tuple(found[:MOST_DOCSTRINGS])
