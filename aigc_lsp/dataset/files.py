"""The files of a source tree that are worth learning from: written by hand, under the tree's own licence, sound."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aigc_lsp.context.secrets import find as find_secrets
from aigc_lsp.dataset.fetch import tracked
from aigc_lsp.dataset.licences import Terms, is_foreign
from aigc_lsp.measure.holes import Source, source_files
from aigc_lsp.syntax import family_of, language_of, parse
from aigc_lsp.text import Span, Text, sanitise

LEAST_LINES, MOST_LINES = 8, 4000
MOST_FAULTS, NEAR_FAULT = 8, 400
"""Faults of a tree, and the characters around each that are left alone."""

VENDORED = ("3rdparty", "deps", "extern", "external", "externals", "subprojects", "third-party", "thirdparty")
"""Folders of what mostly comes from elsewhere, beside those that are never looked into."""

_LONG_LINE, _MEAN_LINE = 1000, 90
_GENERATED = re.compile(
    r"__esModule|sourceMappingURL|@generated|\bauto-?generated|\bmachine generated|\bdo not (?:edit|modify)"
    r"|\bgenerated (?:by|from|file|code|automatically)|\bautomatically generated",
    re.IGNORECASE,
)
_HEAD = 1500  # characters in which a file says that it was generated
_DATA = re.compile(
    r"^\s*(?:[-+\w.]+|[\"'][^\"']*[\"']|[\[\]{}()]+)?(?:\s*[:,]\s*(?:[-+\w.]+|[\"'][^\"']*[\"']))*,?\s*$"
)
_DATA_SHARE = 0.7
_CPP = re.compile(r"\b(?:class|namespace|template)\b")


@dataclass(frozen=True, slots=True)
class File:
    """`path` is relative to its tree; line ends are `\\n`."""

    path: str
    language: str
    text: str


def files(
    root: Path,
    most: int,
    chance: random.Random,
    left_out: Counter[str],
    with_apart: bool = False,
    any_licence: bool = False,
) -> Iterator[File]:
    """Those below `root`, by path, of each language at most `most`; why others were left out is counted in `left_out`.

    A tree may have any number, so it is chosen among them before they are read. Its own licence was asked for before;
    with `any_licence` that of its parts does not matter either.
    """
    terms, named = None if any_licence else Terms(root, with_apart), tracked(root)
    by_language: dict[str, list[Path]] = defaultdict(list)
    for path in source_files(root, exclude=VENDORED):
        if _is_compiled(path):
            left_out["compiled"] += 1
        elif named is not None and path.relative_to(root).as_posix() not in named:
            left_out["ignored by git"] += 1
        elif terms and not terms.takes(path):
            left_out["another licence"] += 1
        else:
            by_language[language_of(path) or ""].append(path)
    chosen: list[Path] = []
    for _, paths in sorted(by_language.items()):
        chosen += chance.sample(paths, most) if len(paths) > most else paths
        left_out["more than enough"] += max(0, len(paths) - most)
    for path in sorted(chosen):
        file = _read(root, path)
        reason = "not UTF-8" if file is None else unfit(file.text)
        if file is not None and not reason and not any_licence and is_foreign(file.text, with_apart):
            reason = "another licence"
        if reason:
            left_out[reason] += 1
        elif file is not None:
            yield file


def _read(root: Path, path: Path) -> File | None:
    """None where it is no UTF-8 text."""
    language = language_of(path) or ""
    try:
        text = sanitise(path.read_text("utf-8-sig")).replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError):
        return None
    if path.suffix == ".h" and family_of(language) == "c" and _CPP.search(text):
        language = "cpp"
    return File(path.relative_to(root).as_posix(), language, text)


def _is_compiled(path: Path) -> bool:
    """Whether a compiler wrote it: what it declares stands beside it."""
    declared = {".js": ".d.ts", ".mjs": ".d.mts", ".cjs": ".d.cts", ".jsx": ".d.ts"}.get(path.suffix)
    return declared is not None and path.with_suffix(declared).exists()


def unfit(text: str) -> str:
    """Why a file is not taken, whatever its licence, or ""."""
    lines = text.split("\n")
    if not LEAST_LINES <= len(lines) <= MOST_LINES:
        return "too short or too long"
    if max(map(len, lines)) > _LONG_LINE or len(text) > _MEAN_LINE * len(lines):
        return "minified"
    if _GENERATED.search(text, 0, _HEAD):
        return "generated"
    if sum(_DATA.match(line) is not None for line in lines) > _DATA_SHARE * len(lines):
        return "data"
    return ""


def source(file: File) -> tuple[Source, Sequence[Span]] | None:
    """The file with its tree, and where that is not to be trusted; None where that is in many places.

    Macros and new syntax leave faults in many a file that is sound but for a line.
    """
    text = Text(file.text)
    tree = parse(file.language, text)
    faults = tree.faults() if tree is not None else None
    if tree is None or faults is None or len(faults) > MOST_FAULTS:
        return None
    return Source(text, tree), [Span(max(0, each.start - NEAR_FAULT), each.end + NEAR_FAULT) for each in faults]


def has_secrets(file: File) -> bool:
    return bool(find_secrets(file.text, file.language))
