"""Source files as they are on disk: found, read with their encoding and line ends, and put back with both.

A file is written whole or not at all, and not where somebody else has changed it since it was read.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import re
import shutil
import tempfile
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aigc_lsp.context.hidden import HEAD_BYTES, is_unfit
from aigc_lsp.docstring_files.public import is_test
from aigc_lsp.errors import AigcError, UsageError
from aigc_lsp.index.git import repository_of
from aigc_lsp.index.ignoring import Ignoring
from aigc_lsp.index.judging import judge
from aigc_lsp.index.read import MAX_BYTES
from aigc_lsp.index.walk import walk
from aigc_lsp.syntax import has_grammar, language_of

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A file, and lines of it (from 1) where only what is there is meant. `is_test`: its name says so."""

    path: Path
    language: str
    lines: tuple[int, ...] = ()
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A file as read: `text` without the byte order mark, all line ends as they are."""

    path: Path
    text: str
    data: bytes
    encoding: str
    bom: bytes


class Unreadable(AigcError):
    """Of one file; another can be."""


def targets(named: Sequence[str], exclude: Sequence[str] = ()) -> list[Target]:
    """The files that `named` (PATH or PATH:LINE, also folders) mean, each once with all its lines, in order.

    In folders, what ignore files or the globs of `exclude` hide is left out, and what tools have written. A file that
    is named is meant unless the user's own rules (.aigcignore, `exclude`, secrets) bar it. Raises `UsageError`.
    """
    found: dict[str, Target] = {}
    for target in (target for each in named for target in _meant(each, exclude)):
        name = os.path.realpath(target.path)
        known = found.setdefault(name, target)
        is_whole = not known.lines or not target.lines
        found[name] = replace(known, lines=() if is_whole else tuple(dict.fromkeys((*known.lines, *target.lines))))
    return list(found.values())


def _meant(named: str, exclude: Sequence[str]) -> Iterator[Target]:
    path, line = Path(named), None
    if not path.exists() and (parts := re.fullmatch(r"(.+):([0-9]{1,9})", named, re.DOTALL)):
        path, line = Path(parts[1]), int(parts[2])
    if path.is_dir():
        if line is not None:
            raise UsageError(f"{path} is a folder, so it has no line {line}.")
        yield from _below(path, exclude)
        return
    if not path.exists():
        raise UsageError(f"{path} does not exist. What is asked for is PATH or PATH:LINE, such as src/app.py:12.")
    language = language_of(path)
    if language is None or not has_grammar(language):
        raise UsageError(f"{path} is in no language that docstrings are written for.")
    full = os.path.abspath(path)
    if reason := judge([full], [], exclude)[full].barred:
        raise UsageError(f"{path} is left alone: {reason}.")
    yield Target(path, language, () if line is None else (line,), is_test(_in_project(full, named)))


def _below(folder: Path, exclude: Sequence[str]) -> Iterator[Target]:
    root = os.path.abspath(folder)
    ignoring = Ignoring(root, exclude)
    if ignoring.broken:
        raise UsageError(f"{folder} cannot be looked through: {ignoring.broken}.")
    for seen in sorted(each.path for each in walk(root, [""], ignoring) if not each.is_folder):
        language = language_of(seen)
        if language is not None and has_grammar(language) and not _is_made(os.path.join(root, seen), seen):
            yield Target(folder / seen, language, (), is_test(_in_project(os.path.join(root, seen), seen)))


def _in_project(full: str, path: str) -> str:
    """Where a file lies in its repository; without one `path`, or its name alone where that is absolute."""
    if top := repository_of(os.path.dirname(full)):
        return os.path.relpath(full, top)
    return os.path.basename(path) if os.path.isabs(path) else path


def _is_made(full: str, path: str) -> bool:
    """Whether a tool wrote it, or nobody can read it."""
    try:
        with open(full, "rb") as file:
            return is_unfit(path, file.read(HEAD_BYTES), 0) != ""
    except OSError:
        return True


def read(path: Path, language: str) -> Source:
    """Raises `Unreadable`."""
    try:
        if not path.is_file():
            raise Unreadable(f"{path} is no regular file.")
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable(f"{path} has more than {MAX_BYTES:,} bytes, more than is written by hand.")
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from error
    bom = next((mark for mark in _BOMS if data.startswith(mark)), b"")
    encoding = _BOMS[bom] if bom else _declared(data, path) if language == "python" else "utf-8"
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path} is not {encoding} text (byte {error.start + len(bom)}).") from error
    if "\0" in text:
        raise Unreadable(f"{path} is a binary file.")
    return Source(path, text, data, encoding, bom)


def _declared(data: bytes, path: Path) -> str:
    """The encoding that a Python file declares in a comment."""
    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError:
        raise Unreadable(f"{path} is not UTF-8 text, and declares no other encoding that is known.") from None


def write(source: Source, text: str) -> None:
    """Put `text` in the place of what was read. Raises `Unreadable`, or `OSError` where it cannot be written."""
    try:
        data = source.bom + text.encode(source.encoding)
    except UnicodeEncodeError as error:
        character = text[error.start]
        raise Unreadable(
            f"{source.path} is {source.encoding} text, which has no {character!r}, so nothing was written to it."
        ) from error
    real = Path(os.path.realpath(source.path))  # of a link, what it leads to
    if real.read_bytes() != source.data:
        raise Unreadable(f"{source.path} has been changed meanwhile, so nothing was written to it. Try again.")
    handle, fresh = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        shutil.copymode(real, fresh)
        os.replace(fresh, real)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise
