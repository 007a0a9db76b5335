"""The way of a keystroke, from a document and an offset to the text to show. Read this first.

window   what the model sees                        context/
rule     one line or a block, and where it ends     syntax/, polish/
pieces   the model server's answer, as it comes     service/
verdict  stop, and hang up                          polish/
cut      what of it may be shown                    polish/
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from aigc_lsp.config import Config
from aigc_lsp.context.window import gather
from aigc_lsp.polish.cut import cut, has_met_rest
from aigc_lsp.polish.stop import Rule, rule_for, verdict
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.wire import InfillRequest, Usage
from aigc_lsp.syntax import Tree, place_without_tree
from aigc_lsp.text import Text

LINE_TOKENS = 48
"""A line needs no more; what runs on is no line."""


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one buffer. `tree` is None where there is no grammar or nothing to parse."""

    uri: str
    path: str
    language: str
    version: int
    text: Text
    tree: Tree | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` is to be inserted at `offset` of that version of the document; empty when there is nothing to show.

    `stop_reason`: line, block, suffix, repetition, max_lines (the syntax said so), eos, limit, deadline (the model
    server did), or middle of a word (nobody was asked).
    """

    text: str
    offset: int
    stop_reason: str
    usage: Usage
    total_ms: float


async def complete(document: Document, offset: int, client: Backend, config: Config) -> Completion:
    """What to insert at `offset`. Raises `EngineUnavailable` where no model answers; cancelling it hangs up."""
    began = time.perf_counter()
    window = gather(
        document.text,
        offset,
        language=document.language,
        path=document.path,
        prefix_tokens=config.context.prefix_tokens,
        suffix_tokens=config.context.suffix_tokens,
    )
    if document.tree is not None:
        place = document.tree.place(offset)
    else:
        place = place_without_tree(document.text, offset, document.language)
    rule = rule_for(place, window, config.completion.max_lines)
    text, reason, usage, ended = "", "word", Usage(), True
    if rule is not None:
        async with client.infill(_request(document.uri, window.prefix, window.suffix, rule, config)) as pieces:
            async for piece in pieces:
                text, usage = text + piece.content, piece.usage
                if end := verdict(text, rule):
                    text, reason = text[: end.keep], end.reason
                    break
                if has_met_rest(text, window):
                    reason = "suffix"
                    break
                if piece.stop_type:
                    reason, ended = piece.stop_type, piece.stop_type == "eos"
        text = cut(text, rule, window, ended=ended)
    return Completion(text, offset, reason, usage, (time.perf_counter() - began) * 1e3)


def _request(uri: str, prefix: str, suffix: str, rule: Rule, config: Config) -> InfillRequest:
    asked = config.completion
    tokens = asked.max_tokens
    return InfillRequest(
        document=uri,
        input_prefix=prefix,
        input_suffix=suffix,
        n_predict=tokens if rule.is_block else min(tokens, LINE_TOKENS),
        t_max_predict_ms=config.completion.time_budget_ms,
        model=config.model,
        prefix_tokens=config.context.prefix_tokens,
        suffix_tokens=config.context.suffix_tokens,
        # A block is worth waiting for as long as for a file that is read for the first time.
        latency_target_ms=asked.cold_latency_target_ms if rule.is_block else asked.latency_target_ms,
        cold_latency_target_ms=asked.cold_latency_target_ms,
    )
