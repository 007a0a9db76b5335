"""Where words are missing in a docstring, and the docstring as far as it is written before each such place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

from aigc_lsp.docstring.doc import SLOT_KINDS, Doc, Slot, SlotKind, bare, skeleton
from aigc_lsp.docstring.stale import findings, is_inherited, last_name, mended, names_in, with_missing
from aigc_lsp.docstring.subject import Subject

_MARK = "\ue000"
"""Stands for missing words while a docstring is rendered: of private use, and nothing that a style looks at."""

_MARKED = re.compile(f"{_MARK}([0-9]+){_MARK}")

Render = Callable[[Doc], str]
"""A style's `render` for one subject and layout."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A place without words: the summary, or the slot at `index` among those of a kind."""

    kind: SlotKind | Literal["summary"]
    index: int = 0

    def slot(self, doc: Doc) -> Slot:
        """What is told about there; of the summary an empty one."""
        return Slot() if self.kind == "summary" else doc.slots(self.kind)[self.index]

    def filled(self, doc: Doc, words: str) -> Doc:
        """`doc` with these words there."""
        if self.kind == "summary":
            return replace(doc, summary=words)
        slots = list(doc.slots(self.kind))
        slots[self.index] = replace(slots[self.index], phrase=words)
        return doc.with_slots(self.kind, slots)


def wanted(subject: Subject, existing: Doc | None, asks: Collection[SlotKind], body: str = "") -> Doc:
    """The docstring that `subject` is to have, where words may be missing: a new one has all that its style asks for.

    What is stale in an `existing` one is mended, and no more is done to that; where nothing is stale, it gets what it
    leaves out. `body` as in `stale.findings`.
    """
    if existing is None:
        return skeleton(subject, asks)
    if is_inherited(existing):
        return existing
    if findings(subject, existing, body):
        return mended(subject, existing, body)
    return _completed(existing, subject, skeleton(subject, asks))


def _completed(doc: Doc, subject: Subject, whole: Doc) -> Doc:
    """`doc` with the slots of `whole` that it does not have; what it tells in prose alone is told."""
    for kind in SLOT_KINDS:
        slots, others = doc.slots(kind), whole.slots(kind)
        if slots and (kind in ("returns", "yields") or any(not slot.name for slot in slots)):
            continue
        names = names_in(subject, doc) if kind == "parameters" else [bare(each.name) for each in others]
        told = {_known(kind, name, subject) for slot in slots for name in slot.names}
        missing = [name for name in names if _known(kind, name, subject) not in told]
        if not slots:
            doc = doc.with_new(kind, others)
        elif others and missing:
            doc = doc.with_slots(kind, with_missing(list(slots), missing, names))
    return doc


def _known(kind: SlotKind, name: str, subject: Subject) -> str:
    """What a docstring has to name so that `name` is told of: of what is destructured the whole is enough, and Rust's
    errors come together below one heading."""
    if kind != "raises":
        return bare(name).partition(".")[0]
    if subject.language == "rust":
        return "panic" if "panic" in name.lower() else ""
    return last_name(name)


def gaps(doc: Doc, render: Render) -> tuple[Gap, ...]:
    """The places without words, in the order in which they are written. The summary comes first where it is missing."""
    found: list[Gap] = [] if doc.summary else [Gap("summary")]
    for kind in SLOT_KINDS:
        found += [Gap(kind, index) for index, slot in enumerate(doc.slots(kind)) if not slot.phrase]
    marked = doc
    for number, gap in enumerate(found):
        marked = gap.filled(marked, f"{_MARK}{number}{_MARK}")
    places = [int(match[1]) for match in _MARKED.finditer(render(marked))]
    return tuple(found[number] for number in dict.fromkeys(places))


def begun(doc: Doc, gap: Gap, render: Render) -> str:
    """What is written before the words of `gap`; what stands there of them is left out."""
    return render(gap.filled(doc, _MARK)).partition(_MARK)[0]
