"""One pass over a part of a root: what has changed there since `known`. For the worker, and for a thread of ours.

What would take longer than `MOST_SECONDS` of a processor or go beyond `MOST_FILES` is left, and said to be.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from aigc_lsp.index.ignoring import Ignoring
from aigc_lsp.index.paths import split
from aigc_lsp.index.projects import is_project_file, project_from, project_of
from aigc_lsp.index.read import read_source
from aigc_lsp.index.table import Entry, entry_of, unpacked
from aigc_lsp.index.walk import walk
from aigc_lsp.syntax import has_grammar, language_of, symbols_of
from aigc_lsp.text import Text

MOST_FILES = 50_000
MOST_SECONDS = 300.0
MOST_FILE_SECONDS = 3.0
"""Of a processor, too: a file that takes longer to parse defines nothing."""
HANDFUL_SEEN, HANDFUL_READ, HANDFUL_BYTES = 200, 16, 16_000
"""What a thread of the language server may do. Few bytes: tree-sitter holds Python's lock while it parses. And only in
languages that are in use: to load a grammar takes up to 0.15 s with that lock held."""
NEVER = -1
"""A stamp that no file has: what is known with it is read again."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to look at, and what need not be.

    scope      the paths to look at, and below; "" is the root
    others     absolute paths of roots within this one, which are left out
    skip       files that are not read: they ended a worker before
    languages  those whose grammar this process has in use
    known      what is indexed in the scope, with the stamps
    """

    root: str
    scope: Sequence[str] = ("",)
    exclude: Sequence[str] = ()
    others: Sequence[str] = ()
    skip: Sequence[str] = ()
    languages: Sequence[str] = ()
    known: Mapping[str, int] = field(default_factory=dict)

    def ignoring(self) -> Ignoring:
        return Ignoring(self.root, self.exclude)


class Finding(NamedTuple):
    """What is new about `path`.

    file     it was read: its entry
    project  what it says about the project in its folder; "no project": nothing of use
    gone     it is not there, or of no use, any more
    folder   its stamp and that of its ignore files, from before the files in it
    reading  it is read next: should that end the process, it is known by what
    stopped  not everything was looked at: why, in a sentence for the user
    done     the end
    """

    kind: Literal["file", "project", "no project", "gone", "folder", "reading", "stopped", "done"]
    path: str = ""
    value: Any = None

    def packed(self) -> list[Any]:
        """As JSON can have it."""
        return [self.kind, self.path, self.value.packed() if isinstance(self.value, Entry) else self.value]


def finding_from(fields: list[Any]) -> Finding:
    """The finding that `packed` was made from."""
    kind, path, value = fields
    if kind == "file":
        value = unpacked(value)
    elif kind == "project":
        value = project_from(value)
    elif kind == "folder":
        value = tuple(value)
    return Finding(kind, path, value)


def scan(task: Task, ignoring: Ignoring) -> Iterator[Finding]:
    """Everything that is not as `task.known` has it."""
    files, began = 0, time.thread_time()
    unseen = dict(task.known)
    for seen in walk(task.root, task.scope, ignoring, task.others):
        if seen.is_folder:
            yield Finding("folder", seen.path, (seen.stamp, seen.rules))
            continue
        files += 1
        if reason := _enough(files, time.thread_time() - began):
            yield Finding("stopped", value=reason)
            break
        before = unseen.pop(seen.path, None)
        if before != seen.stamp:
            yield Finding("reading", seen.path)
            yield from _read(task, seen.path, before)
    for path in unseen:
        yield Finding("gone", path)
    if ignoring.broken:
        yield Finding("stopped", value=f"{ignoring.broken}.")
    yield Finding("done")


def scan_handful(task: Task) -> list[Finding] | None:
    """What `scan` finds, where there is little to look at and to read; None where there may be more."""
    ignoring = task.ignoring()
    files, size = 0, 0
    for number, seen in enumerate(walk(task.root, task.scope, ignoring, task.others)):
        if not seen.is_folder and task.known.get(seen.path) != seen.stamp:
            files, size = files + 1, size + seen.size
            if (language := _language(seen.path)) and language not in task.languages:
                return None
        if number > HANDFUL_SEEN or files > HANDFUL_READ or size > HANDFUL_BYTES:
            return None
    return list(scan(task, ignoring))


def _language(path: str) -> str | None:
    """The language of a file that has definitions."""
    language = language_of(path)
    return language if language is not None and has_grammar(language) else None


def _enough(files: int, seconds: float) -> str:
    """Why a scan ends here, or ""."""
    if files > MOST_FILES:
        return f"Only the first {MOST_FILES:,} files of this folder are indexed. Leave some out with `exclude`."
    if seconds > MOST_SECONDS:
        return f"Indexing stopped after {MOST_SECONDS:.0f} s of work, {files:,} files into this folder."
    return ""


def _read(task: Task, path: str, before: int | None) -> Iterator[Finding]:
    source = None if path in task.skip else read_source(task.root, path)
    if source is None:
        if before is not None:
            yield Finding("gone", path)
        return
    if is_project_file(split(path)[1]):
        project = project_of(path, source.text)
        yield Finding("project", path, project) if project else Finding("no project", path)
    if language := _language(path):
        began = time.thread_time()
        symbols = symbols_of(language, Text(source.text), lambda: time.thread_time() - began < MOST_FILE_SECONDS)
        yield Finding("file", path, entry_of(path, language, source.stamp, symbols))
