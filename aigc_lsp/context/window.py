"""The window: the text around the cursor that goes to the model.

Its edges are line starts, where a definition or a paragraph begins if one is near. They follow from the offset and the
lines near the edge, never from the tree: that changes shape with each key. A window that the model has read stays what
it is while one types (invariant 7): the prefix only grows at its end and the suffix stays, so that the model server
reads the typed tokens alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from aigc_lsp.context.closers import LONGEST, withheld
from aigc_lsp.context.head import head, import_lines
from aigc_lsp.context.steady import STRETCH, goes_on, steady_suffix
from aigc_lsp.syntax import Tree
from aigc_lsp.syntax.layouts import layout_of
from aigc_lsp.syntax.place import indent_at, width
from aigc_lsp.text import Text

CHARACTERS_PER_TOKEN = 4
"""Of code, about; the model server, which counts tokens, shortens what has more."""

# What goes on with something that begins above, at the same indentation.
_GOES_ON = re.compile(
    r"[{)\]}]|(?:else|elif|elsif|elseif|except|catch|rescue|finally|ensure|end|case|when|default|then|do|fi|done|esac"
    r"|where)\b"
)


@dataclass(frozen=True, slots=True)
class Window:
    """`prefix` and `suffix` meet at the cursor, `offset` in the document. `path` is for the prompt, or empty.

    head      lines from far above, to be read right before `prefix`; empty, or ends with a line break
    withheld  the rest of the cursor's line where it is only closers and blanks; `suffix` then begins behind it
    start     of `prefix` in the document (in a notebook: in its cells together)
    below     what the model is shown for `suffix`, where it has read that and goes on from there; else None
    """

    prefix: str
    suffix: str
    offset: int
    language: str
    path: str = ""
    head: str = ""
    withheld: str = ""
    start: int = 0
    below: str | None = None

    @property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @property
    def line_after(self) -> str:
        """The rest of the cursor's line as it stands in the document, without its terminator."""
        return self.withheld + self.suffix.partition("\n")[0]


def gather(
    text: Text,
    offset: int,
    *,
    language: str,
    path: str = "",
    prefix_tokens: int,
    suffix_tokens: int,
    tree: Tree | None = None,
    above: str = "",
    below: str = "",
    read: Window | None = None,
) -> Window:
    """The window at `offset` of `text`, a little over the budgets at most; `head` and `prefix` share theirs.

    `tree` is that of `text`; without one there is no head. `above` and `below` are what stands before and after the
    document (a notebook's other cells). `read` is the window that the model has read last here: where somebody types
    on, this one is that, grown at its end (`steady`). The window's line ends are `\\n` whatever the document's are, and
    a byte order mark is left out: that is how code models know code. So offsets in the window are not offsets in the
    document.
    """
    around, lead = text, 0
    if above or below:
        before, behind = above and f"{above}\n", below and f"\n{below}"
        around, lead = Text(before + text.source + behind), len(before)
    at, budget, head_text = lead + offset, prefix_tokens * CHARACTERS_PER_TOKEN, ""
    start = _prefix_start(around, at, budget, language)
    if tree is not None and start > lead:
        share = _head_share(tree, offset, budget)
        start = _prefix_start(around, at, budget - share, language)
        head_text = head(tree, start - lead, share)
    mark = int(around.source.startswith("\ufeff"))
    prefix = _plain(around.source[max(start, mark) : at])
    kept_out = _withheld(around, at, prefix[prefix.rfind("\n") + 1 :])
    end = _suffix_end(around, at, suffix_tokens * CHARACTERS_PER_TOKEN, language)
    suffix = _plain(around.source[max(at + len(kept_out), mark) : end])
    window = Window(prefix, suffix, offset, language, path, head_text, kept_out, max(start, mark))
    if read is None:
        return window
    began = read.start if read.start > 1 else mark  # only a byte order mark is left out above
    return _steady(window, read, began, around.source[began:at], budget)


def _steady(window: Window, read: Window, began: int, source: str, budget: int) -> Window:
    """`window`, or what of `read` goes on there. `source`: from where that `began` to the cursor."""
    below = steady_suffix(window.suffix, read.suffix if read.below is None else read.below)
    if below is None:
        return window
    prefix = _plain(source)
    if len(prefix) > STRETCH * budget or not goes_on(prefix, read.prefix):
        return replace(window, below=below)
    return replace(window, prefix=prefix, start=began, head=read.head, below=below)


def withheld_at(text: Text, offset: int) -> str:
    """What of the rest of the cursor's line the model does not see."""
    return _withheld(text, offset, text.source[text.line_start(text.line_at(offset)) : offset])


def _withheld(text: Text, offset: int, line_before: str) -> str:
    end = text.line_end(text.line_at(offset))
    return withheld(line_before, text.source[offset:end]) if end - offset <= LONGEST else ""


def _plain(source: str) -> str:
    return source.replace("\r\n", "\n").replace("\r", "\n") if "\r" in source else source


def _head_share(tree: Tree, offset: int, budget: int) -> int:
    """What of the prefix's budget is set aside for its head: an eighth, or a quarter where there are many imports."""
    text, last_line = tree.text, tree.text.line_at(max(0, offset - budget // 4))
    length = 0
    for first, last in import_lines(tree):
        if last < last_line and not indent_at(text, first):
            length += text.line_end(last) - text.line_start(first) + 1
    # A sixteenth is for the headers of definitions.
    return budget // 4 if length > budget // 8 - budget // 16 else budget // 8


def _prefix_start(text: Text, offset: int, budget: int, language: str) -> int:
    """A line start that leaves between five eighths of the budget and all of it, moving in steps of a quarter."""
    if offset <= budget:
        return 0
    step = max(1, budget // 4)
    wanted = -(-(offset - budget) // step) * step
    line = text.line_at(wanted)
    if text.line_start(line) < wanted and line + 1 < text.line_count:
        line += 1
    start = text.line_start(line)
    if not wanted <= start <= offset:
        return wanted  # a line longer than the budget (minified code) is cut within
    last = text.line_at(min(start + budget // 8, offset))
    return text.line_start(_boundary(text, range(line, last + 1), language))


def _suffix_end(text: Text, offset: int, budget: int, language: str) -> int:
    """The end of the last line that fits; measured from the end of the cursor's line, which typing does not move."""
    own = text.line_at(offset)
    rest = text.line_end(own)
    if rest - offset > budget:
        return offset + budget  # minified code, again
    limit = min(len(text), rest + budget)
    last = text.line_at(limit)
    if limit == len(text):
        return limit
    if last == own:
        return rest
    first = max(text.line_at(limit - budget // 4), own + 1)
    return text.line_start(_boundary(text, range(last, first - 1, -1), language))


def _boundary(text: Text, lines: range, language: str) -> int:
    """The line where the outermost thing begins, with its comments and decorators if a blank line stands above them;
    of equals the first in `lines`."""
    aside = layout_of(language).aside
    best, least = lines[0], (2, 0, 0)
    for line in lines:
        said = text.line(line).strip()
        if not said or (aside is not None and aside.match(said)):
            continue
        is_below_blank = line == 0 or not text.line(line - 1).strip()
        rank = (int(_GOES_ON.match(said) is not None), width(indent_at(text, line)), int(not is_below_blank))
        if rank < least:
            best, least = line, rank
    return best
