"""Fields: reST's `:param x: …` and epytext's `@param x: …`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aigc_lsp.docstring.doc import Doc, Part, Slot, SlotKind, Written, bare, parts, read
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import literal, prose
from aigc_lsp.docstring.styles.typed import declared
from aigc_lsp.docstring.subject import Subject

_KINDS: dict[str, SlotKind] = {
    "param": "parameters", "parameter": "parameters", "arg": "parameters", "argument": "parameters",
    "key": "parameters", "keyword": "parameters", "kwarg": "parameters",
    "return": "returns", "returns": "returns", "rtype": "returns", "returntype": "returns",
    "yield": "yields", "yields": "yields", "ytype": "yields",
    "raise": "raises", "raises": "raises", "except": "raises", "exception": "raises",
    "ivar": "attributes", "cvar": "attributes", "var": "attributes", "vartype": "attributes",
}  # fmt: skip

_STANDARD = ("attributes", "parameters", "returns", "yields", "raises", "others")


@dataclass(frozen=True, slots=True)
class Marks:
    """What differs: how a field is recognised, what stands before its tag, and how the tags are called."""

    style: str
    field: re.Pattern[str]
    before: str
    returns: str
    raises: str


SPHINX = Marks(
    "sphinx", re.compile(r":([a-z]\w*)(?:[ \t]+((?:[^:\\]|\\.|:(?=\w))*?))?:(?:\s+(.*)|$)"), ":", "returns", "raises"
)
EPYTEXT = Marks("epytext", re.compile(r"@([a-z]\w*)(?:[ \t]+([^:]*?))?:(?:\s+(.*)|$)"), "@", "return", "raise")


def parse(text: str, subject: Subject, marks: Marks = SPHINX) -> Doc:
    """What a docstring with its quotes says. Never raises; what fits nowhere is kept beside the slots."""
    prefix, lines = literal.opened(text)
    starts = [n for n, line in enumerate(lines) if marks.field.match(line)]
    summary, description = prose.paragraphs(lines[: starts[0]] if starts else lines)
    doc = literal.written(Doc(summary, description), prefix)
    for start, end in prose.spans(starts, len(lines)):
        body, rest = _field(lines[start:end])
        doc = _with(doc, body, marks)
        if rest:
            doc = doc.and_section("", "\n".join(rest))
    return doc


def _field(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines of a field, and what stands below it: unindented, behind a blank line."""
    end = next(
        (n for n, line in enumerate(lines) if n and line and not line[0].isspace() and not lines[n - 1]), len(lines)
    )
    return list(lines[:end]), prose.trimmed(lines[end:])


def _with(doc: Doc, lines: list[str], marks: Marks) -> Doc:
    """`doc` and one field more."""
    found = marks.field.match(lines[0])
    assert found is not None
    tag, argument, first = found[1], (found[2] or "").strip(), found[3] or ""
    phrase = prose.hung([first, *lines[1:]])
    kind = _KINDS.get(tag)
    if tag == "type" or (kind and tag in ("rtype", "returntype", "ytype", "vartype")):
        return _typed(doc, kind or "parameters", bare(argument), phrase, lines, marks)
    if kind is None or (kind in ("parameters", "attributes") and not argument):
        title = f"{tag} {argument}".rstrip()
        return doc.and_section(marks.before + title, phrase)
    *type, name = argument.rsplit(None, 1) if kind in ("parameters", "attributes") else [argument]
    slot = read(marks.style, "", lines, bare(name) if kind == "parameters" else name, " ".join(type), phrase)
    slots = doc.slots(kind)
    same = next((n for n, each in enumerate(slots) if each.name == slot.name and not each.phrase), None)
    if same is not None and slots[same].type and not slot.type:
        return doc.with_slots(kind, (*slots[:same], _joined(slots[same], slot), *slots[same + 1 :]))
    return doc.and_slots(kind, [slot])


def _typed(doc: Doc, kind: SlotKind, name: str, type: str, lines: list[str], marks: Marks) -> Doc:
    """`doc` with the type of one slot, which may stand before the slot or behind it."""
    slots = list(doc.slots(kind))
    typed = read(marks.style, "", lines, name, type)
    for n, slot in enumerate(slots):
        if (name in slot.names or not name) and not slot.type:
            slots[n] = _joined(slot, typed)
            return doc.with_slots(kind, slots)
    return doc.and_slots(kind, [typed])


def _joined(first: Slot, second: Slot) -> Slot:
    """Two fields that tell about the same, such as `:param x:` and `:type x:`."""
    assert first.written is not None
    assert second.written is not None
    slot = Slot(first.name, first.type or second.type, first.phrase or second.phrase)
    lines = (*prose.trimmed(first.written.lines), *second.written.lines)
    return replace(slot, written=Written(first.written.style, "", lines, (slot.name, slot.type, slot.phrase)))


def render(doc: Doc, subject: Subject, layout: Layout, marks: Marks = SPHINX) -> str:
    """The docstring with its quotes; its first line without indentation, no line end behind its last."""
    blocks = literal.prose(doc, layout, subject)
    fields: list[str] = []
    for part in parts(doc, subject, _STANDARD):
        if part.section is None:
            fields += _fields(part, subject, layout, marks)
        elif part.section.title:
            fields += _wrapped(f"{part.section.title}:", part.section.text, subject, layout)
        else:
            blocks += [fields] if fields else []
            blocks.append(part.section.text.split("\n"))
            fields = []
    return literal.closed([*blocks, fields] if fields else blocks, doc, subject, layout)


def _fields(part: Part, subject: Subject, layout: Layout, marks: Marks) -> list[str]:
    entries: list[Sequence[str]] = []
    for slot in part.slots:
        if verbatim := slot.lines_in(marks.style):
            entries.append(verbatim)
            continue
        type = declared(slot, part.kind, subject) if layout.types or slot.type else ""
        tag, type_tag = {
            "parameters": (f"param {slot.name}", f"type {slot.name}"),
            "attributes": (f"ivar {slot.name}", f"vartype {slot.name}" if marks is SPHINX else f"type {slot.name}"),
            "returns": (marks.returns, "rtype"),
            "yields": ("yields" if marks is SPHINX else "yield", "ytype"),
            "raises": (f"{marks.raises} {slot.name}".rstrip(), ""),
        }[part.kind]
        lines = _wrapped(f"{marks.before}{tag}:", slot.phrase, subject, layout)
        typed = type and type_tag
        entries.append(lines + (_wrapped(f"{marks.before}{type_tag}:", type, subject, layout) if typed else []))
    return prose.grouped(entries, is_added=not part.slots[-1].written)


def _wrapped(head: str, phrase: str, subject: Subject, layout: Layout) -> list[str]:
    head += " " if phrase else ""
    width = layout.width - prose.columns(subject.indent)
    first, *rest = prose.filled(phrase, width, len(head), layout.unit)
    return [head + first, *rest]
