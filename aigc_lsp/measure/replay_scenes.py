"""What a replay types: files as if written top to bottom, and the changes of a git repository's commits.

A scene is a file as it stood before and the passages that are put into it, in order; whoever plays it jumps from one to
the next. Line ends are `\\n`.
"""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aigc_lsp.errors import UsageError
from aigc_lsp.measure.holes import MAX_BYTES, Source, read_source, source_files
from aigc_lsp.measure.projects import PROJECTS, ROLES, Tree, trees
from aigc_lsp.syntax import has_grammar, language_of
from aigc_lsp.text import Text

GIT_SECONDS = 60.0
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Passage:
    """At `start`, in the text with all passages before it, `removed` characters go and `typed` is typed."""

    start: int
    removed: int
    typed: str


@dataclass(frozen=True, slots=True)
class Scene:
    """`text` is the file before; `root` the folder that the editor has open."""

    name: str
    path: Path
    root: Path
    language: str
    text: str
    passages: tuple[Passage, ...]

    @property
    def characters(self) -> int:
        return sum(len(passage.typed) for passage in self.passages)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`characters`: of whole definitions, about so many of each file; `from_line`: the first of them begins there or
    below, at a quarter of the file where it is None; `is_bare`: nothing stands below what is typed; `per_project`:
    files of each project or folder, all where it is None; `commits`: of each git repository, instead of its files."""

    characters: int = 1500
    from_line: int | None = None
    is_bare: bool = False
    per_project: int | None = None
    commits: int = 0


@contextmanager
def scenes(names: Sequence[str], wanted: Wanted, into: Path) -> Iterator[list[Scene]]:
    """The scenes of `names`: source files, folders, git repositories, projects or a role of `measure/projects`, which
    are fetched below `into`. Raises `UsageError` where there is nothing to type, and `FetchFailed`.

    What a repository held before each commit is laid out in a folder that is there for as long as the block lasts.
    """
    with tempfile.TemporaryDirectory(prefix="aigc-replay-") as scratch:
        found: list[Scene] = []
        for name in names:
            path = Path(name)
            is_project = name in ROLES or any(name == project.name for project in PROJECTS)
            if path.is_file():
                found += filter(None, [of_file(path.resolve(), _root_of(path.resolve()), wanted)])
            elif wanted.commits and not is_project:
                found += of_commits(path, wanted.commits, Path(scratch).resolve(), len(found))
            else:
                for tree in trees([name], into):
                    found += of_tree(tree, wanted)
        if not found:
            raise UsageError(f"There is nothing to type in {', '.join(names)}: it has no file of code that fits.")
        yield found


# Files


def of_tree(tree: Tree, wanted: Wanted) -> list[Scene]:
    """The files of a project that give as much as is wanted, spread over those that do."""
    fit = [scene for path in source_files(tree.root, tree.suffixes) if (scene := of_file(path, tree.root, wanted))]
    enough = [scene for scene in fit if scene.characters >= wanted.characters * 2 // 3] or fit
    count = len(enough) if wanted.per_project is None else min(wanted.per_project, len(enough))
    return [enough[(2 * number + 1) * len(enough) // (2 * count)] for number in range(count)]


def of_file(path: Path, root: Path, wanted: Wanted) -> Scene | None:
    """Whole functions of a file, typed where they stand; None where its syntax is not understood or it has none."""
    source = read_source(path)
    span = _region(source, wanted) if source else None
    if source is None or span is None:
        return None
    start, end = span
    said = source.text.source.replace("\r\n", "\n")
    if len(said) != len(source.text):
        return None  # what was found is counted with other line ends
    behind = "" if wanted.is_bare else said[end:]
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    passage = Passage(start, 0, said[start:end])
    return Scene(f"{root.name}/{name}", path, root, language_of(path) or "", said[:start] + behind, (passage,))


def _region(source: Source, wanted: Wanted) -> tuple[int, int] | None:
    """Where functions that stand one below the other begin and end, about as long together as is wanted."""
    text = source.text
    first = text.line_count // 4 if wanted.from_line is None else min(wanted.from_line - 1, text.line_count - 1)
    least = text.line_start(first)
    found = [each.span for each in source.tree.definitions() if each.kind in ("function", "method")]
    spans = sorted(((span.start, span.end) for span in found if span.start >= least), key=lambda one: (one[0], -one[1]))
    start = end = -1
    for low, high in spans:
        if start < 0:
            if high - low <= 2 * wanted.characters:
                start, end = text.line_start(text.line_at(low)), high
        elif low >= end and end - start < wanted.characters and high - start <= 2 * wanted.characters:
            end = high
        elif low >= end:
            break
    if start < 0:
        return None
    end = text.line_end(text.line_at(end - 1))
    blanks = len(text.source[start:end]) - len(text.source[start:end].lstrip())
    return start + blanks, end


def _root_of(path: Path) -> Path:
    """The folder that somebody who edits the file has open: its repository or package's, else its own."""
    for folder in path.parents:
        if any((folder / mark).exists() for mark in (".git", "pyproject.toml", "package.json", "setup.py")):
            return folder
    return path.parent


# Commits


def of_commits(repository: Path, commits: int, scratch: Path, first: int = 0) -> list[Scene]:
    """What the last `commits` changed, oldest first: a scene for each file that was there before.

    Each has the tree as it was before its commit, below `scratch`: no answer lies anywhere in it. `first` numbers the
    folders.
    """
    hashes = git(repository, "rev-list", "--no-merges", "--min-parents=1", f"--max-count={commits}", "HEAD").split()
    found = []
    for number, commit in enumerate(reversed(hashes), start=first):
        root = scratch / str(number) / repository.resolve().name
        changed = [name for name in _changed(repository, commit) if has_grammar(language_of(name) or "")]
        laid_out = False
        for name in changed:
            old, new = (git(repository, "show", f"{side}:{name}") for side in (f"{commit}^", commit))
            if max(len(old), len(new)) > MAX_BYTES or "\r" in old + new:
                continue
            diff = git(
                repository, "diff", "--unified=0", "--no-color", "--no-ext-diff", f"{commit}^", commit, "--", name
            )
            passages = tuple(passages_of(old, new, diff))
            if any(passage.typed.strip() for passage in passages):
                laid_out = laid_out or _lay_out(repository, f"{commit}^", root)
                scene_name = f"{repository.resolve().name}@{commit[:8]}/{name}"
                found.append(Scene(scene_name, root / name, root, language_of(name) or "", old, passages))
    return found


def passages_of(old: str, new: str, diff: str) -> Iterator[Passage]:
    """The hunks of a diff without context, from the top: the lines that go, and those that are typed."""
    before, after = Text(old), Text(new)
    for line in diff.split("\n"):
        if not (match := _HUNK.match(line)):
            continue
        old_line, new_line = int(match[1]), int(match[3])
        gone, come = int(match[2] or 1), int(match[4] or 1)
        # Of nothing, git names the line above.
        from_old, from_new = old_line - (gone > 0), new_line - (come > 0)
        typed = new[_line(after, from_new) : _line(after, from_new + come)]
        removed = _line(before, from_old + gone) - _line(before, from_old)
        yield Passage(_line(after, from_new), removed, typed)


def git(repository: Path, *arguments: str) -> str:
    """What git says. Raises `UsageError` where it is no repository, or git is not there."""
    return _git(repository, *arguments).decode("utf-8", "replace")


def _git(repository: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git could not read {repository} ({error}).") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"it ended with code {done.returncode}"]
        raise UsageError(f"git could not read {repository}: {said[-1]}.")
    return done.stdout


def _changed(repository: Path, commit: str) -> list[str]:
    """Files that a commit changed and that were there before."""
    said = git(repository, "diff", "--name-only", "-z", "--no-renames", "--diff-filter=M", f"{commit}^", commit)
    return [name for name in said.split("\0") if name]


def _lay_out(repository: Path, commit: str, into: Path) -> bool:
    into.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(_git(repository, "archive", "--format=tar", commit))) as archive:
        archive.extractall(into, filter="data")
    return True


def _line(text: Text, line: int) -> int:
    """Where a line begins; the end of the text for those below it."""
    return text.line_start(line) if line < text.line_count else len(text)
