"""Which file a test tests, and which tests a file has, by how they are named.

Ways to name a test are a table: `{}` stands for what the file is called that it tests.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import NamedTuple

from aigc_lsp.index.paths import Paths, join, split


class _Naming(NamedTuple):
    endings: tuple[str, ...]
    tests: tuple[str, ...]
    folders: tuple[str, ...] = ()
    """Folders whose files are tests, whatever they are called."""


_JAVASCRIPT = (".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs")
_C = (".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx")
_CLASSES = ("{}Test", "{}Tests", "Test{}", "{}TestCase", "{}IT", "{}Spec")
_NAMINGS = (
    _Naming((".py", ".pyi"), ("test_{}", "{}_test", "tests_{}", "{}_tests")),
    _Naming(_JAVASCRIPT, ("{}.test", "{}.spec", "{}-test", "{}-spec", "{}_test", "{}.e2e"), ("__tests__",)),
    _Naming((".java",), _CLASSES),
    _Naming((".cs",), _CLASSES),
    _Naming((".php",), _CLASSES),
    _Naming((".go",), ("{}_test", "{}_internal_test", "{}_integration_test")),
    _Naming((".rs",), ("{}_test", "{}_tests", "test_{}"), ("tests",)),
    _Naming((".rb",), ("{}_spec", "{}_test", "test_{}")),
    _Naming(_C, ("test_{}", "{}_test", "{}_tests", "{}_unittest", "{}Test", "Test{}", "test-{}", "{}-test")),
    _Naming((".sh", ".bash"), ("test_{}", "{}_test", "test-{}", "{}-test")),
)

COMMON = 200
"""Of files with a name that more have than this, only those are looked at that are near."""
_MOST_TESTS = 8

# Folders that say what kind of file is in them, and nothing about its subject.
_KINDS = {"test", "tests", "__tests__", "spec", "specs", "src", "lib", "main", "unit", "integration", "java", "include"}


def subject_of(paths: Paths, test: str) -> str | None:
    """The file that `test` tests, or None: where it is no test, or nothing is named like its subject."""
    naming, folder, stem = _taken_apart(test)
    if naming is None:
        return None
    names = (name + ending for name in _subjects(naming, folder, stem) for ending in naming.endings)
    found = [path for path in _called(paths, folder, names) if path != test and not is_test(path)]
    order = naming.endings.index
    return min(found, key=lambda path: (_distance(test, path), order(posixpath.splitext(path)[1]), path), default=None)


def tests_of(paths: Paths, subject: str) -> list[str]:
    """The tests of a file, the most likely first."""
    naming, folder, stem = _taken_apart(subject)
    if naming is None or is_test(subject):
        return []
    stems = [form.format(stem) for form in naming.tests] + [join(kind, stem) for kind in naming.folders]
    found = _called(paths, folder, (name + ending for name in stems for ending in naming.endings))
    near = sorted(found, key=lambda path: (_distance(subject, path), path))[:_MOST_TESTS]
    return [path for path in near if subject_of(paths, path) == subject]


def is_test(path: str) -> bool:
    """Whether a file is named like a test."""
    naming, folder, stem = _taken_apart(path)
    return naming is not None and bool(_subjects(naming, folder, stem))


def _taken_apart(path: str) -> tuple[_Naming | None, str, str]:
    folder, name = split(path)
    stem, ending = posixpath.splitext(name)
    naming = next((naming for naming in _NAMINGS if ending in naming.endings), None)
    return naming, folder, stem


def _subjects(naming: _Naming, folder: str, stem: str) -> list[str]:
    """What the subject of a test may be called; empty where it is named like none."""
    found = []
    for form in naming.tests:
        head, _, tail = form.partition("{}")
        if stem.startswith(head) and stem.endswith(tail) and len(stem) > len(head) + len(tail):
            found.append(stem[len(head) : len(stem) - len(tail)])
    if not found and split(folder)[1] in naming.folders:
        found.append(stem)
    return found


def _called(paths: Paths, folder: str, names: Iterable[str]) -> set[str]:
    """The files of these names in the folder and beside it; and elsewhere those with a name that few files have."""
    found: set[str] = set()
    for name in names:
        beside = (join(place, name) for place in (folder, split(folder)[0]))
        found.update(path for path in beside if path in paths)
        if paths.count(split(name)[1]) <= COMMON:
            found.update(paths.ending(name))
    return found


def _distance(one: str, other: str) -> int:
    """How different two folders are, those aside that only say what kind of file is in them."""
    left, right = ([name for name in split(path)[0].split("/") if name and name not in _KINDS] for path in (one, other))
    common = 0
    while left and right and left[-1] == right[-1]:
        left.pop()
        right.pop()
        common += 1
    while left and right and left[0] == right[0]:
        del left[0], right[0]
        common += 1
    return len(left) + len(right) - 2 * common
