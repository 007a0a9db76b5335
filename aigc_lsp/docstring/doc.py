"""What a docstring says, apart from how it is written: a summary, prose, and a phrase for each slot.

All words are kept as they stand in the docstring, with their line breaks and without the indentation and the marks
around them. What `compare=False` marks tells how a human wrote it; it lets the same docstring be written again without
touching what nobody changed, and is no part of what is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aigc_lsp.docstring.subject import Subject

SlotKind = Literal["generics", "attributes", "parameters", "yields", "returns", "raises"]

SLOT_KINDS: tuple[SlotKind, ...] = ("generics", "attributes", "parameters", "returns", "yields", "raises")


@dataclass(frozen=True, slots=True)
class Written:
    """How a slot stood in a docstring: in which style, below which heading or tag, in which lines, and what it said."""

    style: str
    title: str
    lines: tuple[str, ...]
    said: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that is told about. `name` has no stars, `$` or brackets, and is "" for what is returned."""

    name: str = ""
    type: str = ""
    phrase: str = ""
    written: Written | None = field(default=None, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """All that it tells of: NumPy's `x, y : float` are two."""
        return tuple(name.strip() for name in self.name.split(",") if name.strip())

    def lines_in(self, style: str) -> tuple[str, ...]:
        """Its lines as a human wrote them in this style, or none where it says something else by now."""
        written = self.written
        unchanged = written is not None and (written.style, written.said) == (
            style,
            (self.name, self.type, self.phrase),
        )
        return written.lines if written is not None and unchanged else ()


def read(style: str, title: str, lines: Sequence[str], name: str = "", type: str = "", phrase: str = "") -> Slot:
    """The slot that these lines of a docstring in `style` say."""
    return Slot(name, type, phrase, Written(style, title, tuple(lines), (name, type, phrase)))


@dataclass(frozen=True, slots=True)
class Section:
    """What is told beside the slots, such as examples: `title` as written (`Examples`, `@deprecated`), or ""."""

    title: str
    text: str
    of: SlotKind | None = field(default=None, compare=False)
    """Of an empty one, the slots that are to stand below."""


@dataclass(frozen=True, slots=True)
class Heading:
    """That a group of slots, or (`kind` "others") a section, stood here, and what it was called."""

    kind: SlotKind | Literal["others"]
    title: str = ""
    is_tight: bool = False
    """No blank line stands above it."""


@dataclass(frozen=True, slots=True)
class Doc:
    """A docstring. `directives` are comments for tools that stand in it (`//go:generate …`, `# shellcheck …`)."""

    summary: str = ""
    description: str = ""
    generics: tuple[Slot, ...] = ()
    attributes: tuple[Slot, ...] = ()
    parameters: tuple[Slot, ...] = ()
    returns: tuple[Slot, ...] = ()
    yields: tuple[Slot, ...] = ()
    raises: tuple[Slot, ...] = ()
    others: tuple[Section, ...] = ()
    directives: tuple[str, ...] = ()
    order: tuple[Heading, ...] = field(default=(), compare=False)
    is_written: bool = field(default=False, compare=False)
    """By a human: neither its line breaks nor its quotes are ours to choose."""
    prefix: str = field(default="", compare=False)
    """What stood before the quotes of a literal (`r`), or before the summary (`@brief`)."""

    def slots(self, kind: SlotKind) -> tuple[Slot, ...]:
        slots: tuple[Slot, ...] = getattr(self, kind)
        return slots

    def with_slots(self, kind: SlotKind, slots: Iterable[Slot]) -> Doc:
        """The same with these slots of a kind and no others of it."""
        changed: dict[str, Any] = {kind: tuple(slots)}
        return replace(self, **changed)

    def and_slots(self, kind: SlotKind, slots: Iterable[Slot], title: str = "", is_tight: bool = False) -> Doc:
        """The same with a heading more, and slots below it; without any the heading alone is kept, as a section."""
        slots = tuple(slots)
        if not slots:
            return self.and_section(title, "", is_tight, kind)
        doc = replace(self, order=(*self.order, Heading(kind, title, is_tight)))
        return doc.with_slots(kind, (*self.slots(kind), *slots))

    def with_new(self, kind: SlotKind, slots: Iterable[Slot]) -> Doc:
        """As `with_slots`, of a kind that it has none of: they come below the heading that was begun for them."""
        doc, sections = self.with_slots(kind, slots), iter(self.others)
        if not doc.slots(kind):
            return doc
        order, others = list[Heading](), list[Section]()
        for heading in self.order:
            section = next(sections, None) if heading.kind == "others" else None
            if section is not None and section.of == kind:
                order.append(replace(heading, kind=kind))
                continue
            order.append(heading)
            others += [section] if section is not None else []
        return replace(doc, order=tuple(order), others=(*others, *sections))

    def and_section(self, title: str, text: str, is_tight: bool = False, of: SlotKind | None = None) -> Doc:
        """The same with a section more."""
        others = (*self.others, Section(title, text, of))
        return replace(self, others=others, order=(*self.order, Heading("others", title, is_tight)))


@dataclass(frozen=True, slots=True)
class Part:
    """What stands below one heading: slots of one kind, or one section."""

    kind: SlotKind | Literal["others"]
    title: str = ""
    slots: tuple[Slot, ...] = ()
    section: Section | None = None
    is_tight: bool = False


def skeleton(subject: Subject, asks: Collection[str]) -> Doc:
    """A docstring with every slot that `subject` has and the style asks for, and no words.

    A property is told about like an attribute, by its summary alone.
    """
    property_like = subject.kind == "property"
    slots: dict[SlotKind, tuple[Slot, ...]] = {
        "generics": tuple(Slot(name) for name in subject.generics),
        "attributes": tuple(Slot(each.name) for each in subject.attributes),
        "parameters": tuple(Slot(each.name) for each in subject.parameters) if not property_like else (),
        "returns": (Slot(),) if subject.returns is not None and subject.yields is None and not property_like else (),
        "yields": (Slot(),) if subject.yields is not None else (),
        "raises": tuple(Slot(name) for name in subject.raises),
    }
    doc = Doc()
    for kind, each in slots.items():
        doc = doc.with_slots(kind, each if kind in asks else ())
    return doc


def in_order(slots: tuple[Slot, ...], names: Iterable[str]) -> tuple[Slot, ...]:
    """`slots` in the order of `names`; one that is not among them stays behind the one it follows."""
    rank = {bare(name): index for index, name in enumerate(names)}
    keyed: list[tuple[int, int, Slot]] = []
    last = -1
    for index, slot in enumerate(slots):
        last = next((rank[bare(name)] for name in slot.names if bare(name) in rank), last)
        keyed.append((last, index, slot))
    return tuple(slot for _, _, slot in sorted(keyed, key=lambda each: each[:2]))


def bare(name: str) -> str:
    """A parameter's name without what languages and styles put around it: stars, `$`, `&`, `...`, brackets, ticks."""
    stripped = name.replace("\\", "").strip("`[]<>").lstrip("*&$.").rstrip("?")
    return stripped or name


def parts(doc: Doc, subject: Subject, standard: Sequence[str]) -> Iterator[Part]:
    """The headings of a docstring in the order a human gave them.

    `standard` has the kinds that the style tells, in its order; a new heading comes where that has it. Slots of one
    kind come together, at the first of their headings, in the subject's order (a human's docstring keeps its own);
    where they stood below several headings ("Args", "Keyword Args") each stays below its own.
    """
    others = list(doc.others)
    headings = [each for each in doc.order if each.kind == "others" or (each.kind in standard and doc.slots(each.kind))]
    for kind in SLOT_KINDS:
        if kind in standard and doc.slots(kind) and all(each.kind != kind for each in headings):
            before = standard[: standard.index(kind)]
            at = max((n + 1 for n, each in enumerate(headings) if each.kind in before), default=0)
            headings.insert(at, Heading(kind))
    told: set[tuple[str, str]] = set()
    for heading in headings:
        if heading.kind == "others":
            if others:
                yield Part("others", others[0].title, section=others.pop(0), is_tight=heading.is_tight)
            continue
        titles = [each.title for each in headings if each.kind == heading.kind]
        ordered = doc.slots(heading.kind)
        if not doc.is_written:
            ordered = in_order(ordered, _names(subject, heading.kind))
        slots = _below(heading.title, titles, ordered)
        if slots and (heading.kind, heading.title) not in told:
            told.add((heading.kind, heading.title))
            yield Part(heading.kind, heading.title, slots, is_tight=heading.is_tight)
    for section in others:
        yield Part("others", section.title, section=section)


def _below(title: str, titles: Sequence[str], slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Those of `slots` that stood below `title`; the first heading takes those that stood nowhere."""

    def own(slot: Slot) -> str:
        return slot.written.title if slot.written and slot.written.title in titles else titles[0]

    return tuple(slot for slot in slots if own(slot) == title)


def _names(subject: Subject, kind: SlotKind) -> tuple[str, ...]:
    if kind == "generics":
        return subject.generics
    if kind == "raises":
        return subject.raises
    if kind == "attributes":
        return tuple(each.name for each in subject.attributes)
    return tuple(each.name for each in subject.parameters) if kind == "parameters" else ()
