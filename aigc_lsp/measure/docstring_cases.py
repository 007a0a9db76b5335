"""Documented functions of public packages, with the docstring taken out: what `aigc-lsp eval docstring` asks for.

Packages come as `projects` fetches them: pinned, unpacked, never run. What is picked depends on the packages, the count
and the seed alone. Python's are found and cut with its own `ast`, not with the code that is measured.
"""

from __future__ import annotations

import ast
import inspect
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aigc_lsp.docstring.structure import subjects
from aigc_lsp.measure import docstring_facts
from aigc_lsp.measure.projects import Project
from aigc_lsp.syntax import language_of, parse
from aigc_lsp.text import Text

Convention = Literal["google", "numpy", "sphinx", "jsdoc"]

MOST_LINES = 60
"""Of a function: more is no reading for a model of this size."""

MOST_BYTES = 120_000
PER_FILE = 5
"""Cases at most."""

_LEFT_OUT = re.compile(r"(^|/)_?tests?(/|_)|_test\.|(^|/)_vendor/|\.min\.")

_TOLD = re.compile(r"[:@]\w|\w[\w ]*:\s*\n")

WITH_FIVE = 6
"""Every so many-th case has five parameters: those that the time is told of."""


@dataclass(frozen=True, slots=True)
class Package:
    """A project, and the style that its people write."""

    project: Project
    convention: Convention


# fmt: off
PACKAGES = (
    Package(Project("langchain-core", "pip", "1.8.2",
                    "11f1047c4b243df746c01c10208082f580bb55f5fbf17bdb38355b6b63c4f63b", "MIT", "docstring", ("py",)),
            "google"),
    Package(Project("google-auth", "pip", "2.62.2",
                    "e9bcdb0679b6a4369ac327c5c59f06d92f7b4cd2624e7100294c14632f55a36b", "Apache-2.0", "docstring",
                    ("py",)), "google"),
    Package(Project("textual", "pip", "8.2.8",
                    "267375fd402dc8d981457212efa71f0e3365fd17bba144ba9bb3ed7563cb374a", "MIT", "docstring", ("py",)),
            "google"),
    Package(Project("networkx", "pip", "3.6.1",
                    "d47fbf302e7d9cbbb9e2555a0d267983d2aa476bac30e90dfbe5669bd57f3762", "BSD-3-Clause", "docstring",
                    ("py",)), "numpy"),
    Package(Project("pvlib", "pip", "0.16.1",
                    "4e61b5228a13f782413d7cf8cc48eb6e62e7bf55d155958fa9fd72420b63603d", "BSD-3-Clause", "docstring",
                    ("py",)), "numpy"),
    Package(Project("scikit-base", "pip", "1.2.0",
                    "85cca5a1c917651f3ec5bf0d17bec7e6449b908cbc92c6a4c0857df9cc271042", "BSD-3-Clause", "docstring",
                    ("py",)), "numpy"),
    Package(Project("alembic", "pip", "1.20.1",
                    "9970712cfb81ea26c8658d378aaa5b8f6ff9146e5bb111d70497c164016cf598", "MIT", "docstring", ("py",)),
            "sphinx"),
    Package(Project("werkzeug", "pip", "3.1.9",
                    "6392e50c78460ba618e5b21f08a71f59c99ce99cdc6cf6e3dd7e6ccca8754fab", "BSD-3-Clause", "docstring",
                    ("py",)), "sphinx"),
    Package(Project("pyTelegramBotAPI", "pip", "4.37.1",
                    "6d1741c6a3b66c2fb8fbfb5b64cc9f06824408a5c7811d9fe3e5fadd51c37d15", "GPL-2.0", "docstring",
                    ("py",)), "sphinx"),
    Package(Project("eslint", "npm", "10.15.0",
                    "8cb5e45fb5b1174e4216d546b69d37c0ac5cb5d9ba8342946a04af1f59605edb", "MIT", "docstring", ("js",)),
            "jsdoc"),
    Package(Project("webpack", "npm", "5.112.2",
                    "fb618a5eba0f16fa43ed720cc4634df4e88c65d594c0e0ad2c5c0c9be4057dfe", "MIT", "docstring", ("js",)),
            "jsdoc"),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Case:
    """A function without its docstring.

    `source` is the whole file with that one taken out, `line` (from 1) that of its name there; `human` the docstring as
    written, without quotes or marks; `original` the file with it; `code` the function alone, not indented.
    """

    id: str
    project: str
    path: str
    language: str
    convention: Convention
    name: str
    line: int
    parameters: int
    source: str
    original: str
    human: str
    code: str


def cases(package: Package, root: Path, count: int, seed: int) -> list[Case]:
    """So many cases of a package, or as many as it has; every `WITH_FIVE`-th has five parameters, if it can be."""
    found = [case for path in _files(root, package.project.suffixes) for case in _of_file(package, root, path)]
    random.Random(seed).shuffle(found)
    five = [case for case in found if case.parameters == 5][: -(-count // WITH_FIVE)]
    kept, in_file = list[Case](), dict[str, int]()
    for case in [*five, *(case for case in found if case not in five)]:
        if len(kept) < count and in_file.get(case.path, 0) < PER_FILE:
            kept.append(case)
            in_file[case.path] = in_file.get(case.path, 0) + 1
    return kept


def shares(packages: Sequence[Package], count: int) -> list[int]:
    """How many of `count` each package gives: each style as many, and of a style each package."""
    conventions = list(dict.fromkeys(package.convention for package in packages))
    given = []
    for package in packages:
        mine = [each for each in packages if each.convention == package.convention]
        whole = _share(count, len(conventions), conventions.index(package.convention))
        given.append(_share(whole, len(mine), mine.index(package)))
    return given


def _share(count: int, parts: int, at: int) -> int:
    return count // parts + (at < count % parts)


def _files(root: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        is_left_out = _LEFT_OUT.search(path.relative_to(root).as_posix())
        if path.suffix[1:] in suffixes and not is_left_out and path.is_file() and path.stat().st_size <= MOST_BYTES:
            yield path


def _of_file(package: Package, root: Path, path: Path) -> Iterator[Case]:
    try:
        source = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return
    of = _python if package.convention != "jsdoc" else _javascript
    yield from of(package, path.relative_to(root).as_posix(), source)


def _python(package: Package, path: str, source: str) -> Iterator[Case]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    lines = source.splitlines(keepends=True)
    for node, is_method in docstring_facts.functions(tree):
        human = ast.get_docstring(node)
        if not human or not _is_of_use(node, human, package.convention):
            continue
        doc, below = node.body[0], node.body[1]
        if doc.end_lineno is None or below.lineno <= doc.end_lineno or doc.lineno <= node.lineno:
            continue
        first, last = doc.lineno - 1, doc.end_lineno
        while not lines[last].strip():
            last += 1
        decorated = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
        code = "".join(lines[decorated:first] + lines[last : node.end_lineno])
        yield Case(
            id=f"{package.project.name}/{path}:{node.lineno}",
            project=package.project.name,
            path=path,
            language="python",
            convention=package.convention,
            name=node.name,
            line=node.lineno,
            parameters=len(docstring_facts.parameters(node, is_method)),
            source="".join(lines[:first] + lines[last:]),
            original=source,
            human=human,
            code=inspect.cleandoc("\n" + code),
        )


def _is_of_use(node: docstring_facts.Function, human: str, convention: Convention) -> bool:
    """Whether it is documented in its package's style, and has a body to read."""
    decorators = {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
    if decorators & {"property", "cached_property", "setter", "overload", "abstractmethod", "deleter"}:
        return False
    if len(node.body) < 2 or (node.end_lineno or 0) - node.body[1].lineno + 1 not in range(2, MOST_LINES + 1):
        return False
    if any(isinstance(each, ast.Raise) and "NotImplementedError" in ast.unparse(each) for each in node.body):
        return False
    told = docstring_facts.told(human, convention)
    return told is not None and bool(told.parameters) and bool(summary_of(human))


def _javascript(package: Package, path: str, source: str) -> Iterator[Case]:
    text = Text(source)
    tree = parse(language_of(path) or "javascript", text)
    if tree is None or tree.has_errors:
        return
    for subject in subjects(tree):
        if subject.kind not in ("function", "method") or subject.existing is None or subject.body is None:
            continue
        written = text.slice(subject.existing)
        inside = range(2, MOST_LINES + 1)
        if not written.startswith("/**") or not re.search(r"@param\b", written) or len(subject.body) > 6000:
            continue
        if text.line_at(subject.body.end) - text.line_at(subject.body.start) not in inside:
            continue
        first = text.line_start(text.line_at(subject.existing.start))
        last = text.line_start(text.line_at(subject.span.start))
        between = source[first : subject.existing.start] + source[subject.existing.end : last]
        human = unmarked(written)
        if (
            between.strip()
            or re.search(r"@(?:inherit|override|overload|template|this\b)", written)
            or not summary_of(human)
        ):
            continue
        cut = source[:first] + source[last:]
        header = text.line_at(subject.header.start) - (text.line_at(last) - text.line_at(first))
        yield Case(
            id=f"{package.project.name}/{path}:{text.line_at(subject.header.start) + 1}",
            project=package.project.name,
            path=path,
            language="javascript",
            convention="jsdoc",
            name=subject.name,
            line=header + 1,
            parameters=len(subject.parameters),
            source=cut,
            original=source,
            human=human,
            code=inspect.cleandoc("\n" + source[text.line_start(text.line_at(subject.span.start)) : subject.span.end]),
        )


def unmarked(comment: str) -> str:
    """What a `/** … */` comment says."""
    lines = comment.removeprefix("/**").removesuffix("*/").splitlines()
    return "\n".join(re.sub(r"^\s*\*? ?", "", line).rstrip() for line in lines).strip()


def summary_of(docstring: str) -> str:
    """The first sentence of a docstring without its quotes or marks, on one line; "" where it begins with a heading or
    a tag."""
    text = docstring.strip()
    if _TOLD.match(text):
        return ""
    first = re.split(r"\n\s*\n|\n\s*(?=[:@]\w)|\n(?=\w[\w ]*:\s*\n)", text, maxsplit=1)[0]
    return re.split(r"(?<=[a-z)`\"'][.!?])\s+(?=[A-Z`])", " ".join(first.split()), maxsplit=1)[0]
