"""The work of `aigc-lsp docstring`: looking for problems, and writing what is missing or stale.

All edits of a file are made against the text that was read, and applied together or not at all.
"""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aigc_lsp.context.document import Document
from aigc_lsp.docstring.edit import Edit, checked
from aigc_lsp.docstring.manner import Manner, ProjectHabits, manner_of
from aigc_lsp.docstring.structure import subjects, subjects_at
from aigc_lsp.docstring.styles import OF_LANGUAGE, STYLES
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.docstring_files.files import Source, Target, Unreadable, read
from aigc_lsp.docstring_files.problems import Problem, Which, line_of, path_of, problems
from aigc_lsp.docstring_project import habits_of
from aigc_lsp.errors import AigcError, DocstringRefused, EngineUnavailable, UsageError
from aigc_lsp.syntax import Tree, parse
from aigc_lsp.text import Text

Say = Callable[[str], None]

Writer = Callable[[Document, Subject, Manner], Awaitable[Edit]]
"""Who writes one docstring: `writer.write_docstring` with its model."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be written: which docstrings of which files, in a style or "auto". `exclude` are the user's globs."""

    targets: Sequence[Target]
    style: str = "auto"
    which: Which = "public"
    exclude: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a file; `path` as the user would write it."""

    path: Path
    problems: tuple[Problem, ...]

    def lines(self) -> list[str]:
        return [f"{self.path}:{each.line}: {each.message}" for each in self.problems]


@dataclass(frozen=True, slots=True)
class Docstring:
    """A new docstring, with its indentation. `line` is that of what it is about, before anything was written."""

    line: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """A file with its new docstrings, not on disk yet."""

    source: Source
    text: str
    docstrings: tuple[Docstring, ...]

    def lines(self) -> list[str]:
        return [f"{self.source.path}:{each.line}: `{each.name}` has a new docstring." for each in self.docstrings]

    def shown(self, *, bare: bool = False) -> str:
        """The docstrings, each below where it belongs; `bare`: without that."""
        if bare:
            return "".join(f"{each.text}\n" for each in self.docstrings)
        return "".join(f"{self.source.path}:{each.line}: {each.name}\n{each.text}\n\n" for each in self.docstrings)

    def diff(self) -> str:
        """A unified diff, as `patch -p1` and `git apply` take it."""
        name = os.path.relpath(self.source.path).replace(os.sep, "/")
        lines = difflib.unified_diff(_lines(self.source.text), _lines(self.text), f"a/{name}", f"b/{name}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(source: str) -> list[str]:
    """With their ends; what git takes for lines."""
    return [line + "\n" for line in source.split("\n")[:-1]] + [last for last in source.split("\n")[-1:] if last]


def check(found: Iterable[Target], which: Which, failed: Say) -> Iterator[Checked]:
    """What is wrong in each file; `failed` hears of those that cannot be looked at. Needs no model."""
    for target in found:
        try:
            tree = _tree(read(target.path, target.language), target)
        except Unreadable as error:
            failed(str(error))
            continue
        wrong = problems(tree, which, is_test=target.is_test)
        if target.lines:
            meant = {each.span for each in _at(tree, target)}
            wrong = [each for each in wrong if each.subject.span in meant]
        yield Checked(target.path, tuple(wrong))


async def written(asked: Asked, writer: Writer, failed: Say, say: Say) -> AsyncIterator[Written]:
    """Each file that gets new docstrings, with them: those of its problems, or those at the target's lines, also
    where they are neither missing nor stale. Nothing is on disk yet.

    `failed` hears of what cannot be written, `say` of what is being written. Raises `EngineUnavailable`, `UsageError`.
    """
    habits: dict[tuple[str, str], ProjectHabits] = {}
    for target in asked.targets:
        try:
            source = read(target.path, target.language)
            tree = _tree(source, target)
            meant = _at(tree, target) if target.lines else _wrong(tree, target, asked.which)
            if not meant:
                continue
            key = (os.path.dirname(os.path.abspath(target.path)), target.language)
            if key not in habits:
                habits[key] = await asyncio.to_thread(habits_of, *key, asked.exclude)
            manner = manner_of(tree, asked.style, habits[key])
            if made := await _edits(tree, target, meant, manner, writer, failed, say):
                yield _put(source, tree, made)
        except Unreadable as error:
            failed(str(error))
        except DocstringRefused as error:
            failed(f"{target.path}: {error}")


def check_style(style: str, languages: Iterable[str]) -> None:
    """Raises `UsageError` where there is no style of that name, or none of `languages` can have it."""
    if style != "auto" and style not in STYLES:
        raise UsageError(f"There is no style {style!r}; there are auto, {', '.join(STYLES)}.")
    languages = sorted(set(languages))
    theirs = {name for language in languages for name in OF_LANGUAGE.get(language, ("kdoc",))}
    if style != "auto" and languages and style not in theirs:
        raise UsageError(f"{style} is no style of {' or '.join(languages)}; {', '.join(sorted(theirs))} are.")


def _tree(source: Source, target: Target) -> Tree:
    tree = parse(target.language, Text(source.text))
    if tree is None:
        raise Unreadable(f"{target.path} could not be parsed.")
    return tree


def _wrong(tree: Tree, target: Target, which: Which) -> list[Subject]:
    found = problems(tree, which, is_test=target.is_test)
    return list(dict.fromkeys(each.subject for each in found))


def _at(tree: Tree, target: Target) -> list[Subject]:
    """What the lines of `target` are in, in order of place. Raises `UsageError`."""
    found = {each.span: each for line in target.lines for each in _at_line(tree, line, target)}
    return sorted(found.values(), key=lambda each: (each.span.start, -each.span.end))


def _at_line(tree: Tree, line: int, target: Target) -> Sequence[Subject]:
    """What has its header or its docstring there, or else the innermost definition around it."""
    text = tree.text
    if not 1 <= line <= text.line_count:
        raise UsageError(f"{target.path} has {text.line_count} lines, so there is no line {line}. Lines count from 1.")
    start, end = text.line_start(line - 1), text.line_end(line - 1)
    start += len(text.line(line - 1)) - len(text.line(line - 1).lstrip())
    if found := subjects_at(tree, min(start, end), min(start, end)):
        return found
    around = [each for each in subjects(tree) if each.span.start < end and start < each.span.end]
    inner = min((each for each in around if each.kind != "module"), key=lambda each: len(each.span), default=None)
    if inner is None:
        raise UsageError(f"There is nothing to document at line {line} of {target.path}.")
    return [inner]


async def _edits(
    tree: Tree, target: Target, meant: Sequence[Subject], manner: Manner, writer: Writer, failed: Say, say: Say
) -> list[tuple[Subject, Edit]]:
    """The edits that change something."""
    text = tree.text
    document = Document(target.path.resolve().as_uri(), str(target.path.resolve()), target.language, 0, text, tree)
    made: list[tuple[Subject, Edit]] = []
    for subject in meant:
        where = f"{target.path}:{line_of(text, subject)}"
        say(f"{where} {path_of(subject)}")
        try:
            edit = await writer(document, subject, manner)
        except EngineUnavailable:
            raise
        except AigcError as error:
            failed(f"{where}: {error}")
            continue
        if text.slice(edit.span) != edit.new_text:
            made.append((subject, edit))
    return made


def _put(source: Source, tree: Tree, made: Sequence[tuple[Subject, Edit]]) -> Written:
    """Raises `DocstringRefused`."""
    after = checked(tree, tuple(edit for _, edit in made))
    # The code is the same, so what is documented comes in the same order.
    pairs = zip(subjects(tree), subjects(after), strict=True)
    new = {old.span: subject for old, subject in pairs}
    docstrings = []
    for subject, _ in made:
        written = new[subject.span].existing
        if written is not None:
            said = after.text.slice(written)
            docstrings.append(Docstring(line_of(tree.text, subject), path_of(subject), subject.indent + said))
    return Written(source, after.text.source, tuple(docstrings))
