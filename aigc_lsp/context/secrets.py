"""Secrets in text: where they are, and the text without them.

Contract
    `redact` is for what enters a prompt, `find` for what comes out of the model. Both look at whole texts: redact first
    and cut afterwards, since half a key is not known as one. No line is added or taken away, redacting again changes
    nothing, and a text without secrets comes back as the same object. Nothing is looked up anywhere.

    Found are tokens with a shape of their own, private keys, passwords in URLs, what is assigned to a name that says
    password, secret, token or key and looks like one, and what was found so wherever else it stands in the text.
    Left alone are words, placeholders, expressions, and hashes, UUIDs and other random data under other names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from aigc_lsp.context import secret_shapes
from aigc_lsp.context.secret_values import PLACEHOLDER, assigned, looks_chosen, looks_random
from aigc_lsp.text import Span

_Place = tuple[int, int]

# What languages call a value without quotes a string in.
_CONFIGURATION = frozenset(
    {"yaml", "dockercompose", "properties", "ini", "dotenv", "toml", "shellscript", "dockerfile", "makefile"}
)


@dataclass(frozen=True, slots=True)
class Redacted:
    """`text` has `PLACEHOLDER` in the place of each of `spans`, which are those that `find` gives."""

    text: str
    spans: tuple[Span, ...]


def redact(text: str, language: str = "", also: Collection[str] = ()) -> Redacted:
    """`text` without its secrets; `language` as in `find`, `also`: what is `telling` in what it was cut from."""
    done, spans = text, list[_Place]()
    # Taking one out can lay another bare, where two are written as one word: so until there is none.
    while found := _search(done, language in _CONFIGURATION, also):
        grown = _merged([*spans, *((_before(start, spans), _before(end, spans)) for start, end in found)])
        if grown == spans:
            break
        done, spans = _without(text, grown), grown
    return Redacted(done, tuple(Span(start, end) for start, end in spans))


def masked(text: str, language: str = "") -> str:
    """`text` with its secrets written over, so that every offset stays: to be cut into pieces afterwards."""
    return written_over(text, find(text, language))


def written_over(text: str, secrets: Iterable[Span]) -> str:
    """As `masked`, where `find` has found them already."""
    done, end = [], 0
    for span in secrets:
        done += [text[end : span.start], PLACEHOLDER[: len(span)].ljust(len(span))]
        end = span.end
    return "".join((*done, text[end:])) if done else text


def telling(text: str, secrets: Iterable[Span]) -> frozenset[str]:
    """Of what `find` found in `text`, what is a secret wherever it stands."""
    values = {text[span.start : span.end] for span in secrets}
    return frozenset(value for value in values if looks_random(value) or looks_chosen(value))


def telling_in(text: str, language: str = "") -> frozenset[str]:
    """The secrets in `text` that are secret wherever they stand. Takes milliseconds for thousands of lines."""
    return telling(text, find(text, language))


def redact_around(before: str, after: str, language: str = "", also: Collection[str] = ()) -> tuple[str, str]:
    """What stands before and after a cursor without secrets, also without one that the cursor is in."""
    at = len(before)
    spans = redact(before + after, language, also).spans
    return (
        _without(before, [(span.start, min(span.end, at)) for span in spans if span.start < at]),
        _without(after, [(max(span.start - at, 0), span.end - at) for span in spans if span.end > at]),
    )


def find(text: str, language: str = "") -> tuple[Span, ...]:
    """Where the secrets are in `text`, in order and without overlaps; none reaches over the end of a line.

    `language` is the Language Server Protocol's name for it: passwords in configuration need no quotes.
    """
    return redact(text, language).spans


def prepare() -> None:
    """Import and compile what the first call would wait for, about a tenth of a second."""
    secret_shapes.detectors()


def _search(text: str, configuration: bool, also: Collection[str] = ()) -> set[_Place]:
    lowered = _lowered(text)
    found = {*secret_shapes.find(text, lowered), *assigned(text, lowered, configuration)}
    for value in {text[start:end] for start, end in found}:
        if looks_random(value) or looks_chosen(value):
            found.update(_elsewhere(text, value))
    for value in also:
        found.update(_elsewhere(text, value))
    return found


def _elsewhere(text: str, value: str) -> Iterator[tuple[int, int]]:
    """Wherever `value` stands, whatever it is called there."""
    start = text.find(value)
    while start >= 0:
        end = start + len(value)
        if not (secret_shapes.is_within(text, start) or secret_shapes.is_within(text, end)):
            yield start, end
        start = text.find(value, end)


def _merged(places: Iterable[_Place]) -> list[_Place]:
    """`places` in order, with those that overlap made one."""
    merged: list[_Place] = []
    for start, end in sorted(places):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _without(text: str, places: Iterable[_Place]) -> str:
    pieces, at = [], 0
    for start, end in places:
        pieces += [text[at:start], PLACEHOLDER]
        at = end
    return "".join((*pieces, text[at:]))


def _before(offset: int, places: Iterable[_Place]) -> int:
    """Where `offset` of the text without `places`, which is in no placeholder, was before they were taken out."""
    shift = 0
    for start, end in places:
        if offset <= start + shift:
            break
        shift += len(PLACEHOLDER) - (end - start)
    return offset - shift


def _lowered(text: str) -> str:
    """`text` in lower case, each character at its place."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)
