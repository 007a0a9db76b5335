"""Rust's doc comments: Markdown with `# Errors`, `# Panics`, and `# Arguments`, `# Returns` where a file has them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aigc_lsp.docstring.doc import Doc, Part, Slot, SlotKind, bare, parts, read
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import comment, prose
from aigc_lsp.docstring.subject import Subject

_KINDS: dict[str, SlotKind] = {
    "arguments": "parameters", "parameters": "parameters", "args": "parameters", "returns": "returns",
    "return": "returns", "errors": "raises", "error": "raises", "panics": "raises", "panic": "raises",
    "type parameters": "generics", "generics": "generics",
}  # fmt: skip

_TITLES = {"generics": "Type Parameters", "parameters": "Arguments", "returns": "Returns"}
_FORMS = ("///", "//!", "/**", "/*!")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_ENTRY = re.compile(r"[-*]\s+`?([\w.<>, ]+?)`?\s*(?:[-–:]\s+|$)(.*)$")
_STANDARD = ("generics", "parameters", "returns", "raises", "others")


def parse(text: str, subject: Subject) -> Doc:
    """What a comment with its marks says. Never raises; what fits nowhere is kept beside the slots."""
    found = comment.opened(text)
    starts = list(_headings(found.lines))
    summary, description = prose.paragraphs(found.lines[: starts[0]] if starts else found.lines)
    doc = Doc(summary, description, directives=found.directives, is_written=True)
    for start, end in prose.spans(starts, len(found.lines)):
        title, body = found.lines[start], prose.trimmed(found.lines[start + 1 : end])
        heading = _HEADING.match(title)
        kind = _KINDS.get(heading[2].lower()) if heading else None
        if kind is None:
            doc = doc.and_section(title, "\n".join(body))
        else:
            doc = doc.and_slots(kind, _slots(kind, title, body, subject), title)
    return doc


def _headings(lines: Sequence[str]) -> list[int]:
    """The lines that are headings; in code a `#` hides a line and is none."""
    found, fenced = [], False
    for n, line in enumerate(lines):
        fenced ^= line.startswith(("```", "~~~"))
        if not fenced and _HEADING.match(line):
            found.append(n)
    return found


def _slots(kind: SlotKind, title: str, body: list[str], subject: Subject) -> list[Slot]:
    if kind in ("parameters", "generics"):
        starts = [n for n, line in enumerate(body) if _ENTRY.match(line)]
        if starts[:1] == [0]:
            spans = prose.spans(starts, len(body))
            return [_entry(title, body[start:end]) for start, end in spans]
    if not body:
        return []
    return [read("rustdoc", title, body, _error(title, subject) if kind == "raises" else "", "", "\n".join(body))]


def _entry(title: str, lines: list[str]) -> Slot:
    found = _ENTRY.match(lines[0])
    assert found is not None
    name = ", ".join(bare(each.strip()) for each in found[1].split(","))
    return read("rustdoc", title, lines, name, "", prose.hung([found[2], *lines[1:]]))


def _error(title: str, subject: Subject) -> str:
    """The error that a heading stands for: a section tells of all of a kind, and names none."""
    panics = "panic" in title.lower()
    fallback = "panic!" if panics else "Err"
    return next((name for name in subject.raises if is_panic(name) == panics), fallback)


def is_panic(name: str) -> bool:
    return "panic" in name.lower()


def render(doc: Doc, subject: Subject, layout: Layout) -> str:
    """The comment with its marks; its first line without indentation, no line end behind its last."""
    form = layout.form if layout.form in _FORMS else _FORMS[0]
    room = comment.room_in(form, subject, layout)
    blocks = comment.prose(doc, layout, room)
    for part in parts(doc, subject, _STANDARD):
        if part.section is not None:
            blocks += [[part.section.title], part.section.text.split("\n")]
        elif part.kind == "raises":
            blocks += _raised(part, room)
        else:
            blocks += [[part.title or f"# {_TITLES.get(part.kind, part.kind.title())}"], _listed(part, room)]
    lines = [line for block in blocks for line in ["", *block]][1:]
    return comment.closed(lines, form, doc, subject, layout)


def _raised(part: Part, room: int) -> list[list[str]]:
    """One section for errors and one for panics, whatever they are called."""
    blocks: list[list[str]] = []
    for panics, title in ((False, "# Errors"), (True, "# Panics")):
        slots = [slot for slot in part.slots if is_panic(slot.name) == panics]
        if slots:
            texts = [slot.lines_in("rustdoc") or prose.filled(slot.phrase, room) for slot in slots]
            title = next((slot.written.title for slot in slots if slot.written), title)
            blocks += [[title], [line for text in texts for line in ["", *text]][1:]]
    return blocks


def _listed(part: Part, room: int) -> list[str]:
    lines: list[str] = []
    for slot in part.slots:
        if verbatim := slot.lines_in("rustdoc"):
            lines += verbatim
            continue
        head = f"* `{slot.name}`" + (" - " if slot.phrase else "") if slot.name else ""
        first, *rest = prose.filled(slot.phrase, room, len(head), "  " if head else "")
        lines += [head + first, *rest]
    return prose.trimmed(lines)
