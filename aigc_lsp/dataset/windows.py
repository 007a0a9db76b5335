"""From a hole to an example: what a model would be shown there, as `context/window` cuts it, in all sizes."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence

from aigc_lsp.context.window import CHARACTERS_PER_TOKEN, Window, gather
from aigc_lsp.dataset.cuts import Cut
from aigc_lsp.dataset.example import Example, Order
from aigc_lsp.measure.holes import Source
from aigc_lsp.prompt.infill import ExtraFile
from aigc_lsp.syntax import Tree
from aigc_lsp.text import Edit

PREFIX_CHARACTERS, SUFFIX_CHARACTERS = 1500, 500
"""The largest windows."""
LEAST_PREFIX = 48

PSM = 0.12
"""So many show the prefix first, so that it is not unlearnt."""
WITHOUT_SUFFIX, WHOLE, SNIPPETS = 0.05, 0.06, 0.25
"""So many have nothing behind the cursor; the largest window; snippets, where there are any: for one in three."""

Find = Callable[[Tree, int, Window], Sequence[ExtraFile]]
"""What other files have to say at an offset of a text, beside a window of it."""


def example(
    project: str, path: str, source: Source, found: Cut, chance: random.Random, find: Find | None = None
) -> Example | None:
    """The hole as a row; None where the syntax of what is left is past reading, or the middle would be blank.

    In front of the cursor stands the text as if the hole had never been written, so that what is cut by its tree (the
    head of the window) is what it was while somebody wrote it.
    """
    span, language = found.span, source.tree.language_id
    edit = Edit(span, "")
    text = source.text.apply(edit)
    tree = source.tree.edit([edit], text)
    prefix, suffix = sizes(chance)
    window = gather(
        text,
        span.start,
        language=language,
        path=path,
        prefix_tokens=prefix // CHARACTERS_PER_TOKEN,
        suffix_tokens=suffix // CHARACTERS_PER_TOKEN,
        tree=tree,
    )
    middle, behind = source.text.slice(span), window.suffix
    if found.shows_closers:
        behind = window.withheld + behind
    else:
        middle = f"{middle}{window.withheld}".rstrip(" \t") if window.withheld else middle
    if not middle.strip() and found.kind != "empty":
        return None
    order: Order = "psm" if chance.random() < PSM else "spm"
    wants_more = chance.random() < SNIPPETS
    snippets = tuple(find(tree, span.start, window)) if wants_more and find is not None and tree is not None else ()
    shown = "" if chance.random() < WITHOUT_SUFFIX and _may_end(behind) and found.kind != "empty" else behind
    place = f"{project}\0{path}\0{span.start}\0{span.end}\0{found.kind}"
    return Example(
        id=hashlib.sha256(place.encode()).hexdigest()[:16],
        project=project,
        path=path,
        language=language,
        kind=found.kind,
        order=order,
        prefix=window.prefix,
        suffix=shown,
        middle=middle,
        snippets=snippets,
        head=window.head,
    )


def sizes(chance: random.Random) -> tuple[int, int]:
    """Characters before and behind the cursor: mostly short, since each token costs, with a long tail."""
    if chance.random() < WHOLE:
        return PREFIX_CHARACTERS, SUFFIX_CHARACTERS
    prefix = min(max(chance.lognormvariate(6.3, 0.75), LEAST_PREFIX), PREFIX_CHARACTERS)
    suffix = min(chance.lognormvariate(5.3, 0.9), SUFFIX_CHARACTERS)
    return int(prefix), int(suffix)


def _may_end(behind: str) -> bool:
    """Whether a text may end at the cursor: its line does."""
    return not behind.partition("\n")[0].strip()
