"""From what the model has said to what is shown of it: cut and mended, without secrets, parsing no worse, and as much
as is worth showing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from aigc_lsp.context.document import Document
from aigc_lsp.context.secrets import PLACEHOLDER, find
from aigc_lsp.context.window import Window
from aigc_lsp.polish.cut import Insertion, insertion
from aigc_lsp.polish.gate import gated
from aigc_lsp.polish.names import unknown_names
from aigc_lsp.polish.show import Pieces, offer
from aigc_lsp.polish.stop import Rule
from aigc_lsp.syntax import GoOn

NOTHING = Insertion("", 0, "")


@dataclass(frozen=True, slots=True)
class Finished:
    """`withheld` says why the insertion is empty, where the model has said something."""

    insertion: Insertion
    confidence: float | None = None
    withheld: str = ""
    faulty_at: int | None = None
    """From there on it does not parse."""
    sound_to: int = 0
    """So many characters of what was said were seen to parse."""


def finished(
    text: str,
    pieces: Pieces,
    rule: Rule,
    window: Window,
    document: Document,
    offset: int,
    *,
    ended: bool,
    goes_on: bool = False,
    asked: bool = False,
    never: Collection[str] = (),
    known: Callable[[str], bool] = lambda name: True,
    go_on: GoOn | None = None,
    sound_to: int = 0,
) -> Finished:
    """What to show of `text`, which a verdict has ended, or (`ended`) the model itself;
    `goes_on`: it was not heard to the end of its line.

    `asked`: somebody has asked for it, so all of it is shown. `never`: texts that no suggestion may hold. `known` says
    whether a name stands in the document or is defined in the workspace. `go_on` bounds the parsing; the first
    `sound_to` characters are known to parse.
    """
    found = insertion(text, rule, window, ended=ended)
    if not found.text:
        return Finished(NOTHING, withheld="cut" if text.strip() else "")
    if PLACEHOLDER in found.text or find(window.line_before + found.text, document.language):
        return Finished(NOTHING, withheld="secret")
    if any(each in found.text for each in never):
        return Finished(NOTHING, withheld="never")
    is_said = text.startswith(found.text)
    if not is_said or sound_to < len(found.text):
        sound = gated(document.tree, offset, found.text, found.replaces, go_on)
        sound_to = sound if is_said and document.tree is not None else 0
    else:
        sound = len(found.text)
    faulty_at = sound if sound < len(found.text) and is_said else None
    found = shortened(found, sound)
    if not found.text:
        return Finished(NOTHING, withheld="syntax", faulty_at=faulty_at, sound_to=sound_to)
    unknown = unknown_names(found.text, document.language, known, window.line_before)
    made = offer(found.text, pieces, is_comment=rule.kind == "comment", unknown=bool(unknown), goes_on=goes_on)
    if not asked:
        found = shortened(found, made.keep)
    return Finished(found, made.confidence, "", faulty_at, sound_to)


def shortened(found: Insertion, keep: int) -> Insertion:
    """The first `keep` characters of it; where it replaces closers, less than the first of them. A line break that it
    ends with, before what stands behind the cursor, stays."""
    if not found.text[keep:].strip():
        return found
    text = (found.alone if found.replaces else found.text)[:keep].rstrip()
    tail = found.text[len(found.text.rstrip()) :]
    text += tail if text and "\n" in tail else ""
    return Insertion(text, 0, text)
