"""The way of a keystroke, from a document and an offset to the text to show. Read this first.

window   what the model sees of this file           context/
snippets and of the others                          gather/, index/
rule     one line or a block, and where it ends     syntax/, polish/
pieces   the model server's answer, as it comes     service/
verdict  stop, and hang up                          polish/
cut      what of it may be shown                    polish/
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.context.late import with_late
from aigc_lsp.context.secrets import redact, redact_around
from aigc_lsp.context.snippet import Gathered, Snippet, blocks
from aigc_lsp.context.window import CHARACTERS_PER_TOKEN, Window, gather
from aigc_lsp.polish.cut import Insertion, has_met_rest, insertion
from aigc_lsp.polish.stop import Rule, rule_for, verdict
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.limits import Limits, length, limits
from aigc_lsp.service.wire import Health, InfillRequest, Usage
from aigc_lsp.syntax import place_without_tree

if TYPE_CHECKING:
    from aigc_lsp.gather.gatherer import Gatherer

LINE_TOKENS = 48
"""A line needs no more; what runs on is no line."""


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` is to be inserted at `offset` of that version of the document, in the place of the `replaces` characters
    behind it (closers only, on the same line); empty when there is nothing to show. `alone` is what to insert where
    nothing can be replaced.

    `stop_reason`: line, block, suffix, repetition, max_lines (the syntax said so), eos, limit, deadline (the model
    server did), or middle of a word (nobody was asked).
    """

    text: str
    replaces: int
    alone: str
    offset: int
    stop_reason: str
    usage: Usage
    total_ms: float


async def complete(
    document: Document,
    offset: int,
    client: Backend,
    config: Config,
    *,
    gatherer: Gatherer | None = None,
    health: Health | None = None,
) -> Completion:
    """What to insert at `offset`. Raises `EngineUnavailable` where no model answers; cancelling it hangs up.

    `gatherer` knows what else there is in the workspace, `health` how fast the model server is.
    """
    began = time.perf_counter()
    reach = limits(health, config.context, config.completion)
    window = gather(
        document.text,
        offset,
        language=document.language,
        path=gatherer.path_of(document) if gatherer else "",
        prefix_tokens=reach.prefix,
        suffix_tokens=reach.suffix,
        tree=document.tree,
        above=document.above,
        below=document.below,
    )
    if document.tree is not None:
        place = document.tree.place(offset)
    else:
        place = place_without_tree(document.text, offset, document.language)
    rule = rule_for(place, window, config.completion.max_lines)
    text, reason, usage, ended, found = "", "word", Usage(), True, Insertion("", 0, "")
    if rule is not None:
        gathered = Gathered()
        if gatherer is not None:
            gathered = await gatherer.gather(document, offset, window, reach.extra * CHARACTERS_PER_TOKEN)
        shown = with_late(window, document, gathered.late)
        request = _request(document, shown, gathered.front, rule, reach, config, health)
        async with client.infill(request) as pieces:
            async for piece in pieces:
                text, usage = text + piece.content, piece.usage
                if end := verdict(text, rule):
                    text, reason = text[: end.keep], end.reason
                    break
                # What was withheld the model may write over; it is heard to the end of its line.
                if (rule.is_block or not window.withheld.strip()) and has_met_rest(text, window):
                    reason = "suffix"
                    break
                if piece.stop_type:
                    reason, ended = piece.stop_type, piece.stop_type == "eos"
        found = insertion(text, rule, window, ended=ended)
    total_ms = (time.perf_counter() - began) * 1e3
    return Completion(found.text, found.replaces, found.alone, offset, reason, usage, total_ms)


def _request(
    document: Document,
    window: Window,
    snippets: Sequence[Snippet],
    rule: Rule,
    reach: Limits,
    config: Config,
    health: Health | None,
) -> InfillRequest:
    asked = config.completion
    # A block is worth waiting for as long as for a file that is read for the first time.
    target = asked.cold_latency_target_ms if rule.is_block else asked.latency_target_ms
    tokens = asked.max_tokens if rule.is_block else min(asked.max_tokens, LINE_TOKENS)
    head, prefix, suffix = window.head, window.prefix, window.suffix
    if config.engine.url:  # what leaves the machine is without secrets, also those of this file
        head = redact(head, document.language).text
        prefix, suffix = redact_around(prefix, suffix, document.language)
    return InfillRequest(
        document=document.uri,
        filename=window.path,
        input_head=head,
        input_prefix=prefix,
        input_suffix=suffix,
        input_extra=tuple(blocks(snippets)),
        n_predict=length(health, target, tokens),
        t_max_predict_ms=asked.time_budget_ms,
        model=config.model,
        prefix_tokens=reach.prefix,
        suffix_tokens=reach.suffix,
        extra_tokens=reach.extra,
    )
