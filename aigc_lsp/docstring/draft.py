"""A docstring under way: from what has to be told of, gap by gap, to the edit that writes it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aigc_lsp.docstring import plain_words, words
from aigc_lsp.docstring.detect import habits_of
from aigc_lsp.docstring.doc import SLOT_KINDS, Doc, Slot
from aigc_lsp.docstring.edit import checked, edit_for
from aigc_lsp.docstring.fill import Gap, begun, gaps, wanted
from aigc_lsp.docstring.manner import Manner, manner_for
from aigc_lsp.docstring.structure import subjects
from aigc_lsp.docstring.styles import STYLES
from aigc_lsp.docstring.styles.typed import declared
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.docstring.verbs import looks_like_verb
from aigc_lsp.errors import DocstringRefused
from aigc_lsp.syntax import Tree
from aigc_lsp.text import Edit


@dataclass(frozen=True, slots=True)
class Draft:
    """`doc` has words as far as they are known, `existing` is what a human has written."""

    subject: Subject
    manner: Manner
    doc: Doc
    existing: Doc | None

    @classmethod
    def of(cls, tree: Tree, subject: Subject, manner: Manner) -> Draft:
        """A new one has all that the style asks for; what a human has written keeps its own style, and is mended where
        it is stale, else completed."""
        if subject.existing is None:
            manner = manner_for(subject, manner)
            return cls(subject, manner, wanted(subject, None, STYLES[manner.style].asks), None)
        text = tree.text.slice(subject.existing)
        manner = habits_of(text, subject, manner)
        style = STYLES[manner.style]
        existing = style.parse(text, subject)
        body = tree.text.slice(subject.body) if subject.body is not None else ""
        return cls(subject, manner, wanted(subject, existing, style.asks, body), existing)

    def gaps(self) -> tuple[Gap, ...]:
        return gaps(self.doc, self.render)

    def render(self, doc: Doc) -> str:
        return STYLES[self.manner.style].render(doc, self.subject, self.manner.layout)

    def begun(self, gap: Gap) -> str:
        """The docstring up to `gap`, as a model is to go on with it."""
        doc = self.doc
        if self.manner.style == "numpy" and gap.kind in ("returns", "yields"):
            # Where a type should stand and nobody knows it, a model would say it, and no more.
            doc = doc.with_slots(gap.kind, map(self._typed, doc.slots(gap.kind)))
        return begun(doc, gap, self.render)

    def _typed(self, slot: Slot) -> Slot:
        kind = "yields" if self.subject.yields is not None else "returns"
        return replace(slot, type=declared(slot, kind, self.subject) or "result")

    def first_words(self, gap: Gap) -> str:
        """What the words of `gap` begin with in any case: when an error is raised, and not what it is."""
        if gap.kind != "raises" or self.manner.style == "rustdoc":
            return ""
        return "If " if self.manner.layout.capital else "if "

    def has_verb(self, said: str) -> bool:
        """Whether a summary that is said is one, and begins as that of its kind does."""
        found = self.sound(Gap("summary"), said)
        is_named = self.subject.kind in ("class", "module", "property")
        return bool(found) and (is_named or looks_like_verb(found.partition(" ")[0]))

    def verb(self) -> str:
        """What the summary may begin with, by the name."""
        return _plain(Gap("summary"), self.doc, self.subject, self.manner).partition(" ")[0] + " "

    def with_words(self, gap: Gap, said: str) -> Draft:
        """With what of `said` can stand at `gap`, or plain words where nothing can."""
        plain = self._with(gap, _plain(gap, self.doc, self.subject, self.manner))
        filled = self._with(gap, found) if (found := self.sound(gap, said)) else plain
        return filled if filled.structure() == plain.structure() else plain

    def sound(self, gap: Gap, said: str) -> str:
        """What of `said` can stand at `gap`, as words alone; "" where nothing can."""
        if gap.kind == "summary":
            return words.summary(said, self.subject, self.manner)
        return words.phrase(said, gap.kind, gap.slot(self.doc), self.subject, self.manner)

    def filled_plainly(self) -> Draft:
        """With plain words in all its gaps."""
        draft = self
        for gap in self.gaps():
            draft = draft._with(gap, _plain(gap, self.doc, self.subject, self.manner))
        return draft

    def _with(self, gap: Gap, said: str) -> Draft:
        return replace(self, doc=gap.filled(self.doc, said))

    def structure(self) -> object:
        """What is told of, as it is read again from what is written: all but the words."""
        return _structure(self._read(self.render(self.doc)))

    def _is_in(self, tree: Tree, edit: Edit) -> bool:
        """Whether the docstring stands in `tree`, which `edit` has led to, and is its subject's."""
        subject = self.subject
        grown = len(edit.new_text) - len(edit.span) if edit.span.start <= subject.header.start else 0
        at = None if subject.kind == "module" else subject.header.start + grown
        same = (each for each in subjects(tree) if (each.kind, each.name) == (subject.kind, subject.name))
        found = next((each.existing for each in same if at is None or each.header.start == at), None)
        return found is not None and _structure(self._read(tree.text.slice(found))) == self.structure()

    def edit(self, tree: Tree) -> Edit | None:
        """The edit of the subject's `tree` that writes it; None where it would touch code, or is not read again as it
        was meant."""
        edit = edit_for(tree.text, self.subject, self.render(self.doc))
        try:
            return edit if self._is_in(checked(tree, [edit]), edit) else None
        except DocstringRefused:
            return None

    def _read(self, text: str) -> Doc:
        return STYLES[self.manner.style].parse(text, self.subject)


def _structure(doc: Doc) -> object:
    slots = [[(slot.names, slot.type, bool(slot.phrase)) for slot in doc.slots(kind)] for kind in SLOT_KINDS]
    prose = " ".join(doc.description.split())
    return slots, prose, bool(doc.summary), [section.title for section in doc.others], doc.directives


def _plain(gap: Gap, doc: Doc, subject: Subject, manner: Manner) -> str:
    if gap.kind == "summary":
        return words.summary(plain_words.summary(subject), subject, manner) or plain_words.summary(subject)
    return words.worded(plain_words.phrase(gap.kind, gap.slot(doc), subject), manner.layout)
