"""The way of a keystroke, from a document and an offset to the text to show. Read this first.

kept     what was shown, typed through              reuse/
window   what the model sees of this file           context/
rule     one line or a block, and where it ends     syntax/, polish/
stream   what the model says already, or else       reuse/
snippets and the request for it                     gather/, index/, service/
verdict  stop, and hang up                          polish/
cut      what of it may be shown, and whether       polish/
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from aigc_lsp.config import Config
from aigc_lsp.context.document import Document
from aigc_lsp.context.late import with_late
from aigc_lsp.context.secrets import redact, redact_around, telling_in
from aigc_lsp.context.snippet import Gathered, Snippet, blocks
from aigc_lsp.context.steady import STRETCH
from aigc_lsp.context.window import CHARACTERS_PER_TOKEN, Window, gather, withheld_at
from aigc_lsp.polish.cut import Insertion, has_met_rest
from aigc_lsp.polish.finish import NOTHING, finished
from aigc_lsp.polish.lines import is_word_character
from aigc_lsp.polish.show import PROSE, is_decided, is_prose, offer
from aigc_lsp.polish.stop import Rule, rule_for, verdict
from aigc_lsp.reuse.anchor import Anchor
from aigc_lsp.reuse.memory import Memory
from aigc_lsp.reuse.stream import Stream
from aigc_lsp.reuse.suggestion import Suggestion
from aigc_lsp.service.backend import Backend
from aigc_lsp.service.limits import Limits, length, limits
from aigc_lsp.service.wire import WHOLE, Health, InfillRequest, Usage
from aigc_lsp.syntax import GoOn, Place, place_without_tree

if TYPE_CHECKING:
    from aigc_lsp.gather.gatherer import Gatherer

LINE_TOKENS = 48
"""A line needs no more; what runs on is no line."""

AHEAD_TOKENS = 24
"""And so many for the line after it."""

PARSE_SECONDS, KEPT_PARSE_SECONDS = 0.03, 0.003
"""Of a processor, to see whether a suggestion parses: one that was waited for, and one that is to be there at once."""

Choice = tuple[Insertion, float | None]
"""And how sure it is."""

Source = Literal["kept", "under way", "model", "none"]


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` is to be inserted at `offset` of that version of the document, in the place of the `replaces` characters
    behind it (closers only, on the same line); empty when there is nothing to show. `alone` is what to insert where
    nothing can be replaced; `more` are other choices.

    `source`: kept (it was known), under way (the model says or has said it to an earlier keystroke), model (it was
    asked), none (nobody needed to be). `stop_reason`: line, block, suffix, repetition, chatter, max_lines (the text
    said so), doubt (what follows would not be shown), eos, limit, deadline (the model server did), kept, or word (in
    the middle of one nobody is asked, and in prose not behind half a word that was not foreseen).
    """

    text: str
    replaces: int
    alone: str
    offset: int
    stop_reason: str
    usage: Usage
    total_ms: float
    source: Source = "model"
    withheld: str = ""
    """What kept it back, where the model has said something: cut (nothing was left of it), secret, never (a text that
    the user never wants), syntax, unsure."""
    confidence: float | None = None
    """How sure it is to be what will be typed, from 0 to 1, also where it was kept back; None where nobody knows."""
    pieces: tuple[tuple[str, float], ...] = ()
    """What the model has said to `offset`, with the log-probability of each piece."""
    more: tuple[Insertion, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """How it is asked.

    choices   so many are wanted, by hand; then nothing is held back for being unsure
    least     how sure a suggestion must be to be shown, from 0 to 1
    hold      waited for before the model is asked
    go_on     bounds what parses a suggestion, to so many seconds
    """

    choices: int = 1
    least: float = 0.0
    hold: Callable[[], Awaitable[None]] | None = None
    go_on: Callable[[float], GoOn] | None = None

    @property
    def by_hand(self) -> bool:
        return self.choices > 1


async def complete(
    document: Document,
    offset: int,
    client: Backend,
    config: Config,
    *,
    gatherer: Gatherer | None = None,
    health: Health | None = None,
    memory: Memory | None = None,
    asked: Asked = Asked(),
    parsed: Callable[[], Document] | None = None,
) -> Completion:
    """What to insert at `offset`. Raises `EngineUnavailable` where no model answers.

    `gatherer` knows what else there is in the workspace, `health` how fast the model server is, `memory` what was said
    in this document: what the model is saying goes on for it though this is cancelled. Without one, cancelling hangs
    up. `document` may come without its tree, which `parsed` then brings where it is needed.
    """
    began = time.perf_counter()
    scratch = Memory()
    memory = scratch if memory is None else memory
    try:
        way = Way(memory, asked, config, gatherer, health, began)
        if found := _known(document, offset, way):
            return found
        spot = _look(document if parsed is None else parsed(), offset, way)
        if spot is None:
            return _completion(offset, [], began, "word", "none")
        known = None if asked.by_hand else memory.stream(document.text, offset, len(spot.window.withheld))
        if known and (heard := _heard(*known, spot, asked.least)):
            return _settled(heard, spot, known, way, "kept")
        # A line's stream is heard one line further and no more: a block behind it is asked for at once.
        is_line = known is not None and not known[0].place.opens_block
        if known and not (is_line and spot.rule.is_block) and (heard := await _hear(*known, spot, asked.least)):
            return _settled(heard, spot, known, way, "under way")
        if not asked.by_hand and is_prose(spot.rule) and is_word_character(spot.window.prefix[-1:]):
            # In the middle of a word that it did not foresee, a model guesses at each key, and mostly wrong.
            return _completion(offset, [], began, "word", "none")
        if asked.hold is not None:
            await asked.hold()
        request = await _request(spot, config, gatherer, asked)
        memory.read = spot.window
        stream = Stream(Anchor.at(document.text, offset, len(spot.window.withheld)), spot.place)
        memory.begin(stream)
        stream.begin(client, request)
        heard = await (_hear_all(stream) if asked.by_hand else _hear(stream, "", spot, asked.least))
        return _settled(heard, spot, (stream, ""), way, "model")
    finally:
        scratch.hang_up()


@dataclass(frozen=True, slots=True)
class Way:
    """What goes along."""

    memory: Memory
    asked: Asked
    config: Config
    gatherer: Gatherer | None
    health: Health | None
    began: float


def _known(document: Document, offset: int, way: Way) -> Completion | None:
    """What needs neither the model nor a tree: the rest of a suggestion, or of a line that the model has said."""
    if kept := _kept(way.memory, document, offset, way.asked):
        return _completion(offset, kept, way.began, "kept", "kept")
    if way.asked.by_hand:
        return None
    known = way.memory.stream(document.text, offset, len(withheld_at(document.text, offset)))
    if known is None or known[0].place.opens_block or any(mark in known[1] for mark in _MOVES):
        return None
    spot = _look(replace(document, tree=None), offset, way, known[0].place)
    heard = None if spot is None else _heard(*known, spot, way.asked.least)
    if spot is None or heard is None or not heard.text.strip():
        return None
    stream, typed = known
    if stream.faulty_at is None and stream.sound_to < len(typed) + len(heard.text.rstrip()):
        return None  # nobody has seen yet whether that parses
    return _settled(heard, spot, known, way, "kept")


_MOVES = "\n\"'`#/"
"""What leads to another kind of place than that where the model was asked: another line, a string, a comment."""


def _kept(memory: Memory, document: Document, offset: int, asked: Asked) -> list[Choice]:
    """What was shown and leads on from here: the last, or all choices that were asked for."""
    found = memory.suggestions(document.text, offset)
    if asked.by_hand and not any(suggestion.asked for suggestion, _ in found):
        return []
    made = {left.text: (Insertion(left.text, left.replaces, left.alone), each.confidence) for each, left in found}
    return list(made.values())[: asked.choices]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place, and what is asked about it: at most `most` tokens, and so many `ahead` of the next line, for when this
    one is taken. `reads_on`: what is not to be shown is heard all the same, for when it is typed."""

    document: Document
    offset: int
    window: Window
    place: Place
    rule: Rule
    reach: Limits
    most: int
    ahead: int
    reads_on: bool


def _look(document: Document, offset: int, way: Way, place: Place | None = None) -> Spot | None:
    """None where nothing should be written. `place` is read off the tree where it is not known."""
    config, gatherer = way.config, way.gatherer
    reach = limits(way.health, config.context, config.completion)
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
        read=way.memory.read,
    )
    if place is None and document.tree is not None:
        place = document.tree.place(offset)
    elif place is None:
        place = place_without_tree(document.text, offset, document.language)
    rule = rule_for(place, window, config.completion.max_lines)
    if rule is None:
        return None
    asked = config.completion
    # A block is worth waiting for as long as for a file that is read for the first time.
    target = asked.cold_latency_target_ms if rule.is_block else asked.latency_target_ms
    most = length(way.health, target, asked.max_tokens if rule.is_block else min(asked.max_tokens, LINE_TOKENS))
    reads_on = not config.engine.url  # elsewhere nobody is to pay for what may not be wanted
    is_at_end = not rule.before_code and not window.suffix.partition("\n")[0].strip()
    ahead = AHEAD_TOKENS if reads_on and is_at_end and not rule.is_block else 0
    return Spot(document, offset, window, place, rule, reach, most, ahead, reads_on)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the model has said to a spot. `ended`: by itself or by the rule, not by a limit."""

    text: str
    reason: str
    ended: bool
    usage: Usage
    pieces: tuple[tuple[str, float], ...]
    more: tuple[tuple[str, bool], ...] = ()
    """Other choices, and whether they have ended."""


async def _hear(stream: Stream, typed: str, spot: Spot, least: float) -> Heard | None:
    """Listen until it is enough for what is shown if it is `least` sure. None where `stream` says something else than
    was `typed`, or broke off before."""
    async with aclosing(stream.follow()) as growth:
        async for _ in growth:
            if not stream.agrees(typed):
                return None
            if found := _heard(stream, typed, spot, least):
                return found
    return None


def _heard(stream: Stream, typed: str, spot: Spot, least: float) -> Heard | None:
    """What `stream` has said behind what was `typed`, where that is enough; None where more is to come."""
    rule, window, start = spot.rule, spot.window, len(typed)
    if len(stream.text) < start or not stream.agrees(typed):
        return None
    text, pieces = stream.text[start:], stream.pieces(start)

    def heard(text: str, reason: str, ended: bool = True) -> Heard:
        return Heard(text, reason, ended, stream.usage, pieces)

    if end := verdict(text, rule):
        made = heard(text[: end.keep], end.reason)
        if end.reason == "line" and spot.ahead and _is_sure(made, least):
            stream.run_on(start + end.keep + 1, 1)
        else:
            stream.hang_up()
        return made
    # What was withheld the model may write over; it is heard to the end of its line.
    if (rule.is_block or not window.withheld.strip()) and has_met_rest(text, window):
        stream.hang_up()
        return heard(text, "suffix")
    if stream.stop_type is not None:
        # Where it was cut off the model would go on, and behind a line that it has ended a block may begin.
        if typed and (not stream.has_ended or (rule.is_block and not text.strip())):
            return None
        return heard(text, stream.stop_type, stream.has_ended)
    if is_decided(text, pieces, least, is_comment=rule.kind == "comment", is_block=rule.is_block):
        if spot.reads_on:
            stream.run_on(start, 1)
        else:
            stream.hang_up()
        return heard(text, "doubt", ended=False)
    if stream.usage.generated_tokens >= spot.most and not typed:
        stream.hang_up()
        return heard(text, "limit", ended=False)
    return None


def _is_sure(heard: Heard, least: float) -> bool:
    sure = offer(heard.text, heard.pieces).confidence
    return sure is None or sure >= least


async def _hear_all(stream: Stream) -> Heard | None:
    """Listen to the end, and to every choice."""
    async with aclosing(stream.follow()) as growth:
        async for _ in growth:
            if stream.stop_type is not None:
                more = tuple((choice.content, choice.stop_type in WHOLE) for choice in stream.choices[1:])
                ended = stream.has_ended
                return Heard(stream.text, stream.stop_type, ended, stream.usage, stream.pieces(0), more)
    return None


def _settled(heard: Heard | None, spot: Spot, said: tuple[Stream, str], way: Way, source: Source) -> Completion:
    """What of it is shown; it is remembered. `said`: the stream that it is from, and what of that was typed."""
    if heard is None:
        return _completion(spot.offset, [], way.began, "cancelled", source)
    document, asked, gatherer = spot.document, way.asked, way.gatherer
    stream, start = said[0], len(said[1])
    shown: dict[str, Choice] = {}
    if asked.by_hand:  # what is there already comes first
        shown |= {choice[0].text: choice for choice in _kept(way.memory, document, spot.offset, Asked())}
    withheld, confidence = "", None
    least = max(asked.least, PROSE) if asked.least and is_prose(spot.rule) else asked.least

    def known(name: str) -> bool:
        is_here = re.search(rf"\b{re.escape(name)}\b", document.text.source) is not None
        return is_here or (gatherer is not None and gatherer.defines(name))

    for number, (text, ended) in enumerate(((heard.text, heard.ended), *heard.more)):
        found = finished(
            text[: max(0, stream.faulty_at - start)] if stream.faulty_at is not None and not number else text,
            heard.pieces if not number else (),
            spot.rule,
            spot.window,
            document,
            spot.offset,
            ended=ended,
            goes_on=not ended and "\n" not in text,
            asked=asked.by_hand,
            never=way.config.completion.never,
            known=known,
            go_on=asked.go_on and asked.go_on(KEPT_PARSE_SECONDS if source == "kept" else PARSE_SECONDS),
            sound_to=0 if number else stream.sound_to - start,
        )
        made, sure = found.insertion, found.confidence
        is_unsure = made.text and not asked.by_hand and sure is not None and sure < least
        if not number and found.faulty_at is not None:
            stream.faulty_at = start + found.faulty_at
        if not number:
            stream.sound_to = max(stream.sound_to, start + found.sound_to)
            withheld, confidence = "unsure" if is_unsure else found.withheld, sure
        if made.text and not is_unsure:
            shown.setdefault(made.text, (made, sure))
    is_all_shown = any(text.rstrip() == heard.text.rstrip() for text in shown)
    if stream.stop_type == "eos" and is_all_shown and spot.ahead and not asked.by_hand:
        stream.read_on(spot.ahead)
    for made, sure in reversed(shown.values()):
        anchor = Anchor.at(document.text, spot.offset)
        way.memory.keep(Suggestion(anchor, made.text, made.replaces, made.alone, sure, asked.by_hand))
    done = _completion(spot.offset, list(shown.values()), way.began, heard.reason, source)
    usage = heard.usage if source == "model" else Usage()
    return replace(done, usage=usage, withheld=withheld, confidence=confidence, pieces=heard.pieces)


def _completion(offset: int, shown: Sequence[Choice], began: float, reason: str, source: Source) -> Completion:
    first, sure = shown[0] if shown else (NOTHING, None)
    more = tuple(made for made, _ in shown[1:])
    ms = (time.perf_counter() - began) * 1e3
    return Completion(first.text, first.replaces, first.alone, offset, reason, Usage(), ms, source, "", sure, (), more)


async def _request(spot: Spot, config: Config, gatherer: Gatherer | None, asked: Asked) -> InfillRequest:
    document = spot.document
    gathered = Gathered()
    if gatherer is not None:
        characters = spot.reach.extra * CHARACTERS_PER_TOKEN
        gathered = await gatherer.gather(document, spot.offset, spot.window, characters)
    shown = replace(spot, window=with_late(spot.window, document, gathered.late))
    # What leaves the machine is without secrets, also those that only another place of this file shows to be one.
    source, language = document.text.source, document.language
    secret = await asyncio.to_thread(telling_in, source, language) if config.engine.url else ()
    request = _worded(shown, gathered.front, config, secret)
    if not asked.by_hand:
        return request
    return replace(request, n=asked.choices, n_predict=spot.most, stop=() if spot.rule.is_block else ("\n",))


def _worded(spot: Spot, snippets: Sequence[Snippet], config: Config, secret: Collection[str]) -> InfillRequest:
    document, window, reach = spot.document, spot.window, spot.reach
    head, prefix, suffix = window.head, window.prefix, window.suffix if window.below is None else window.below
    if config.engine.url:
        head = redact(head, document.language, secret).text
        prefix, suffix = redact_around(prefix, suffix, document.language, secret)
    return InfillRequest(
        document=document.uri,
        filename=window.path,
        input_head=head,
        input_prefix=prefix,
        input_suffix=suffix,
        input_extra=tuple(blocks(snippets)),
        n_predict=spot.most + spot.ahead,
        t_max_predict_ms=config.completion.time_budget_ms,
        model=config.model,
        prefix_tokens=reach.prefix * (1 if window.below is None else STRETCH),
        suffix_tokens=reach.suffix,
        extra_tokens=reach.extra,
    )
