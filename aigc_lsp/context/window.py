"""The window: the text around the cursor that goes to the model.

Its edges are line starts, and they move in steps (invariant 7): while one types, the prefix only grows at its end and
the suffix stays what it is, so that the model server reads the typed tokens alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from aigc_lsp.text import Text

CHARACTERS_PER_TOKEN = 3
"""Low for code (3 to 4), so that the model server, which counts tokens, seldom has to shorten further."""


@dataclass(frozen=True, slots=True)
class Window:
    """`prefix` and `suffix` meet at the cursor, `offset` in the document. `path` is for the prompt, or empty."""

    prefix: str
    suffix: str
    offset: int
    language: str
    path: str = ""

    @property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @property
    def line_after(self) -> str:
        """The rest of the cursor's line, without its terminator."""
        return self.suffix.partition("\n")[0]


def gather(text: Text, offset: int, *, language: str, path: str = "", prefix_tokens: int, suffix_tokens: int) -> Window:
    """The window at `offset` of `text`, a little over the budgets at most.

    Its line ends are `\\n` whatever the document's are, and a byte order mark is left out: that is how code models
    know code. So offsets in the window are not offsets in the document.
    """
    start = _prefix_start(text, offset, prefix_tokens * CHARACTERS_PER_TOKEN)
    end = _suffix_end(text, offset, suffix_tokens * CHARACTERS_PER_TOKEN)
    mark = int(text.source.startswith("\ufeff"))
    prefix, suffix = text.source[max(start, mark) : offset], text.source[max(offset, mark) : end]
    return Window(_plain(prefix), _plain(suffix), offset, language, path)


def _plain(source: str) -> str:
    return source.replace("\r\n", "\n").replace("\r", "\n") if "\r" in source else source


def _prefix_start(text: Text, offset: int, budget: int) -> int:
    """A line start that leaves between three quarters of the budget and all of it, moving in steps of a quarter."""
    if offset <= budget:
        return 0
    step = max(1, budget // 4)
    wanted = -(-(offset - budget) // step) * step
    line = text.line_at(wanted)
    start = text.line_start(line)
    if start < wanted and line + 1 < text.line_count:
        start = text.line_start(line + 1)
    # A line longer than the budget (minified code) is cut within.
    return start if wanted <= start <= offset else wanted


def _suffix_end(text: Text, offset: int, budget: int) -> int:
    """The end of the last line that fits; measured from the end of the cursor's line, which typing does not move."""
    rest = text.line_end(text.line_at(offset))
    if rest - offset > budget:
        return offset + budget  # minified code, again
    limit = min(len(text), rest + budget)
    return limit if limit == len(text) else max(rest, text.line_start(text.line_at(limit)))
