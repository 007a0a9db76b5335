"""Where the test of a file goes, by how the project has its tests: the file that tests it already, or a new one.

Pure: paths are relative to a folder of the workspace, with `/`, and `Paths` says which there are.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from aigc_lsp.index.paths import Paths, join, split
from aigc_lsp.index.subjects import is_test, tests_of
from aigc_lsp.syntax import family_of, language_of
from aigc_lsp.text import Text

LANGUAGES = frozenset(
    ("python", "go", "java", "rust", "javascript", "javascriptreact", "typescript", "typescriptreact")
)

_WEB = (".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs")
_FOLDERS = ("tests", "test")
_SOURCES = ("src", "lib")


@dataclass(frozen=True, slots=True)
class PlaceOfTest:
    """`path` is absolute, `relative` the same in its folder, as is `subject`. `before` is the text that is there, None
    where the file is to be made. `module` is the dotted name under which a test imports the subject (Python);
    `manifest` is the text of the package.json that counts, or ""."""

    path: str
    relative: str
    subject: str
    before: Text | None = None
    module: str = ""
    manifest: str = ""


def is_testable(path: str, language: str) -> bool:
    """Whether a test can be written for what is in a file: it is none itself, nor a notebook, and its language has a
    convention."""
    is_source = family_of(language_of(path) or "") == family_of(language)
    return language in LANGUAGES and is_source and not is_test(path.replace("\\", "/"))


def place_of(paths: Paths, subject: str, language: str) -> str:
    """The file for tests of `subject`; in Rust the subject itself, where unit tests stand."""
    if language == "rust":
        return subject
    ending = posixpath.splitext(subject)[1]
    known = next((path for path in tests_of(paths, subject) if posixpath.splitext(path)[1] == ending), None)
    return known or _new_place(paths, subject, ending)


def _new_place(paths: Paths, subject: str, ending: str) -> str:
    folder, name = split(subject)
    stem = name.removesuffix(ending)
    if ending == ".go":
        return join(folder, f"{stem}_test.go")
    if ending == ".java":
        return join(folder.replace("src/main/java", "src/test/java", 1), f"{stem}Test.java")
    if ending in _WEB:
        return _new_web_place(paths, folder, stem, ending)
    home = next((home for home in _homes(paths, folder) if _has_tests(paths, home)), None)
    if home is None or _is_tested_beside(paths, folder):
        return join(folder, f"test_{stem}.py")
    return join(_mirrored(paths, home, folder), f"test_{stem}.py")


def _new_web_place(paths: Paths, folder: str, stem: str, ending: str) -> str:
    if paths.has_folder(join(folder, "__tests__")):
        return join(folder, f"__tests__/{stem}.test{ending}")
    word = "spec" if _count(paths, ".spec") > _count(paths, ".test") else "test"
    home = next((home for home in _homes(paths, folder) if _has_tests(paths, home)), None)
    if home is not None and not _is_tested_beside(paths, folder):
        return join(_mirrored(paths, home, folder), f"{stem}.{word}{ending}")
    return join(folder, f"{stem}.{word}{ending}")


def _homes(paths: Paths, folder: str) -> Iterator[str]:
    """Folders of tests, the nearest first: `tests` of the folder and of those above it."""
    while True:
        yield from (join(folder, name) for name in _FOLDERS if paths.has_folder(join(folder, name)))
        if not folder:
            return
        folder = split(folder)[0]


def _has_tests(paths: Paths, home: str) -> bool:
    return any(is_test(path) for path in _some(paths.below(home)))


def _is_tested_beside(paths: Paths, folder: str) -> bool:
    return any(is_test(path) for path in paths.files_in(folder))


def _mirrored(paths: Paths, home: str, folder: str) -> str:
    """The folder in `home` for tests of `folder`: the one with the longest same end that is there."""
    parts = folder.split("/")
    for first in range(len(parts)):
        tail = "/".join(parts[first:])
        if tail and tail not in _SOURCES and paths.has_folder(join(home, tail)):
            return join(home, tail)
    return home


def _count(paths: Paths, word: str) -> int:
    return sum(posixpath.splitext(path)[0].endswith(word) for path in _some(paths.below("")))


def _some(files: Iterator[str]) -> Iterator[str]:
    """As many as tell how a project does it."""
    for _, path in zip(range(5000), files, strict=False):
        yield path


def module_of(paths: Paths, subject: str) -> str:
    """The dotted name of a Python file, from the topmost package around it, or from where sources lie."""
    folder, name = split(subject)
    parts = [] if name == "__init__.py" else [posixpath.splitext(name)[0]]
    is_package = join(folder, "__init__.py") in paths
    while folder:
        folder, last = split(folder)
        if (is_package and join(join(folder, last), "__init__.py") not in paths) or last in _SOURCES:
            break
        parts.insert(0, last)
    return ".".join(parts)


def manifests(subject: str) -> Iterator[str]:
    """Where the package.json that counts for a file may be, the nearest first."""
    folder = split(subject)[0]
    while True:
        yield join(folder, "package.json")
        if not folder:
            return
        folder = split(folder)[0]
