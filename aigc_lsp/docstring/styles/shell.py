"""Header comments of shell functions, as Google's guide has them: Globals, Arguments, Outputs, Returns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from aigc_lsp.docstring.doc import Doc, Part, Slot, SlotKind, bare, parts, read
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import comment, prose
from aigc_lsp.docstring.subject import Subject

_KINDS: dict[str, SlotKind] = {
    "arguments": "parameters", "args": "parameters", "parameters": "parameters", "params": "parameters",
    "returns": "returns", "return": "returns",
}  # fmt: skip

_TITLES = {"parameters": "Arguments", "returns": "Returns"}
_OTHERS = {"globals", "outputs", "output", "usage", "example", "examples", "environment", "options", "notes", "note"}
_HEADING = re.compile(r"([A-Za-z]+):\s*$")
_ENTRY = re.compile(r"(\$[\d@*]|\$\{?\w+\}?|\w+)\s*(?:[-–:=]\s+|$|(?<=^\$\d)\s+)(.*)$")
_STANDARD = ("parameters", "returns", "others")
_BAR = "#" * 39
_UNIT = "  "


def parse(text: str, subject: Subject) -> Doc:
    """What a comment with its marks says. Never raises; what fits nowhere is kept beside the slots."""
    found = comment.opened(text)
    starts = [n for n, line in enumerate(found.lines) if _title(line)]
    summary, description = prose.paragraphs(found.lines[: starts[0]] if starts else found.lines)
    doc = Doc(summary, description, directives=found.directives, is_written=True)
    for start, end in prose.spans(starts, len(found.lines)):
        title, body = _title(found.lines[start]), prose.trimmed(prose.dedented(found.lines[start + 1 : end]))
        kind = _KINDS.get(title.lower())
        if kind is None:
            doc = doc.and_section(title, "\n".join(body))
        else:
            doc = doc.and_slots(kind, _slots(kind, title, body), title)
    return doc


def _title(line: str) -> str:
    heading = _HEADING.match(line)
    return heading[1] if heading and heading[1].lower() in {*_KINDS, *_OTHERS} else ""


def _slots(kind: SlotKind, title: str, body: list[str]) -> list[Slot]:
    starts = [n for n, line in enumerate(body) if _ENTRY.match(line)] if kind == "parameters" else []
    if starts[:1] != [0] or (len(body) == 1 and body[0].rstrip(".").lower() == "none"):
        return [read("shell", title, body, "", "", prose.hung(body))] if body else []
    return [_slot(title, body[start:end]) for start, end in prose.spans(starts, len(body))]


def _slot(title: str, lines: Sequence[str]) -> Slot:
    found = _ENTRY.match(lines[0])
    assert found is not None
    name = found[1] if re.fullmatch(r"\$[\d@*]+", found[1]) else bare(found[1]).strip("{}")
    return read("shell", title, lines, name, "", prose.hung([found[2], *lines[1:]]))


def render(doc: Doc, subject: Subject, layout: Layout) -> str:
    """The comment with its marks; its first line without indentation, no line end behind its last."""
    room = comment.room_in("#", subject, layout)
    blocks = comment.prose(doc, layout, room)
    lines = [line for block in blocks for line in ["", *block]][1:]
    if doc.description and (doc.parameters or doc.returns or doc.others):
        lines.append("")
    for part in parts(doc, subject, _STANDARD):
        title = part.title or _TITLES.get(part.kind, "")
        body = part.section.text.split("\n") if part.section else _entries(part, room)
        lines += [f"{title}:", *(_UNIT + line if line else "" for line in body)] if title else body
    if not layout.bars:
        return comment.closed(lines, "#", doc, subject, layout)
    text = comment.closed(lines, "#", replace(doc, directives=()), subject, layout)
    return f"\n{subject.indent}".join([_BAR, text, _BAR, *doc.directives])


def _entries(part: Part, room: int) -> list[str]:
    lines: list[str] = []
    for slot in part.slots:
        if verbatim := slot.lines_in("shell"):
            lines += verbatim
            continue
        name = f"${slot.name}" if re.fullmatch(r"\d+|[@*]", slot.name) else slot.name
        head = f"{name}:" if name and not name.startswith("$") else name
        head += (" " if head.endswith(":") else " - ") if head and slot.phrase else ""
        first, *rest = prose.filled(slot.phrase, room - len(_UNIT), len(head), _UNIT if head else "")
        lines += [head + first, *rest]
    return prose.trimmed(lines)
