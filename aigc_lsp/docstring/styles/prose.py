"""Lines and words: taking indentation off, wrapping to a width.

A line never begins, by wrapping, with what a style could read as something else: a bullet, a tag, a heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_BREAK = re.compile(r"\r\n?|\n")
_TAB = 4

OF = r"(?:\[(?:[^\[\]]|\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*+\])*+\])*+\])*+\])?"
"""What a type is of, `[str, list[int]]`, as part of a regular expression: brackets in pairs, four deep, so that a line
with many of them can be read in one way alone."""
_WORD_MAY_BEGIN_LINE = re.compile(r"(?!\d+[.)]$)(?:[^\W_]|[\"'(`]).*(?<!:)$", re.DOTALL)
_PROSE = re.compile(r"(?!\d+[.)]\s)[\w\"'(`\[]")


def lines_of(text: str) -> list[str]:
    """The lines of a text, without what ends them and without blanks at their ends."""
    return [line.rstrip() for line in _BREAK.split(text)]


def columns(text: str) -> int:
    """How wide a text is; a tab counts to the next multiple of four."""
    return len(text.expandtabs(_TAB))


def indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def dedented(lines: Sequence[str]) -> list[str]:
    """`lines` without the indentation that all of them have."""
    indents = [indentation(line) for line in lines if line.strip()]
    if not indents:
        return ["" for _ in lines]
    shortest = min(indents, key=len)
    common = next(n for n in range(len(shortest), -1, -1) if all(each.startswith(shortest[:n]) for each in indents))
    return [line[common:] if line.strip() else "" for line in lines]


def trimmed(lines: Sequence[str]) -> list[str]:
    """`lines` without blank ones at either end."""
    filled = [n for n, line in enumerate(lines) if line.strip()]
    return list(lines[filled[0] : filled[-1] + 1]) if filled else []


def ended(lines: Sequence[str]) -> list[str]:
    """`lines` without blank ones at their end."""
    return list(lines[: next((n + 1 for n in range(len(lines) - 1, -1, -1) if lines[n].strip()), 0)])


def spans(starts: Sequence[int], end: int) -> list[tuple[int, int]]:
    """From each of `starts` to the next, the last up to `end`."""
    return list(zip(starts, [*starts[1:], end], strict=False))


def hung(lines: Sequence[str]) -> str:
    """A phrase: its first line, and the others without the indentation that they share."""
    return "\n".join(trimmed([line.strip() for line in lines[:1]] + dedented(lines[1:])))


def paragraphs(lines: Sequence[str]) -> tuple[str, str]:
    """The first paragraph of `lines`, and all that follows it."""
    text = trimmed(lines)
    end = next((n for n, line in enumerate(text) if not line.strip()), len(text))
    return "\n".join(text[:end]), "\n".join(trimmed(text[end:]))


def grouped(entries: Sequence[Sequence[str]], *, is_added: bool) -> list[str]:
    """The lines of entries that stand together. Where one was added at the end, the blank line that ended the group
    ends it still."""
    ending = [n for n, entry in enumerate(entries) if entry and not entry[-1]]
    if not is_added or len(ending) != 1:
        return [line for entry in entries for line in entry]
    return [*(line for n, entry in enumerate(entries) for line in entry[: -1 if n in ending else None]), ""]


def filled(text: str, width: int, taken: int = 0, hang: str = "") -> list[str]:
    """The lines of `text`, at most `width` columns wide where that can be had.

    The first begins behind `taken` columns, which are not in it; the others begin with `hang`. Paragraphs whose lines
    fit keep them; lists, code and tables always do.
    """
    lines: list[str] = []
    for is_prose, run in _runs(text.split("\n")):
        room = width - (columns(hang) if lines else taken)
        fits = columns(run[0]) <= room and all(columns(line) <= width - columns(hang) for line in run[1:])
        lines += run if fits or not is_prose else _wrapped(" ".join(run), room, width - columns(hang))
    return [lines[0], *(hang + line if line else "" for line in lines[1:])]


def _wrapped(text: str, first: int, width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for chunk in _chunks(text):
        room = width if lines else first
        if line and columns(line) + 1 + columns(chunk) > room:
            lines.append(line)
            line = chunk
        else:
            line = f"{line} {chunk}" if line else chunk
    return [*lines, line]


def _chunks(text: str) -> Iterator[str]:
    """The words of a text; one that must not begin a line comes together with the one before it."""
    chunk = ""
    for word in re.split(r"(?<=\S) (?=\S)", text):
        if chunk and _WORD_MAY_BEGIN_LINE.match(word):
            yield chunk
            chunk = word
        else:
            chunk = f"{chunk} {word}" if chunk else word
    yield chunk


def _runs(lines: Sequence[str]) -> Iterator[tuple[bool, list[str]]]:
    """Lines that belong together, and whether they are prose, which may be wrapped anew."""
    run: list[str] = []
    was_prose = fenced = example = False
    for line in lines:
        fence = line.lstrip().startswith(("```", "~~~"))
        example = bool(line.strip()) and (example or line.startswith((">>>", "$ ")))
        is_prose = bool(_PROSE.match(line)) and not (fence or fenced or example)
        fenced ^= fence
        if run and is_prose != was_prose:
            yield was_prose, run
            run = []
        run.append(line)
        was_prose = is_prose
    yield was_prose, run


def stopped(summary: str, full_stop: bool) -> str:
    """A summary that nobody wrote by hand, with or without its full stop."""
    if full_stop:
        return summary if not summary or summary.endswith((".", "!", "?", ":", "。")) else f"{summary}."
    return summary[:-1] if summary.endswith(".") and not summary.endswith("..") else summary
