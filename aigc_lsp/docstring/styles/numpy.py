"""NumPy's style for Python: underlined headings, a type beside each name, phrases indented below."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aigc_lsp.docstring.doc import Doc, Part, Slot, SlotKind, bare, parts, read
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import literal, prose
from aigc_lsp.docstring.styles.typed import declared, parameter_of, starred
from aigc_lsp.docstring.subject import Subject

_KINDS: dict[str, SlotKind] = {
    "parameters": "parameters", "other parameters": "parameters", "arguments": "parameters", "args": "parameters",
    "keyword arguments": "parameters", "returns": "returns", "return": "returns", "yields": "yields",
    "yield": "yields", "raises": "raises", "raise": "raises", "attributes": "attributes",
}  # fmt: skip

_TITLES = {
    "attributes": "Attributes", "parameters": "Parameters", "returns": "Returns", "yields": "Yields",
    "raises": "Raises",
}  # fmt: skip

_STANDARD = ("parameters", "attributes", "returns", "yields", "raises", "others")

_UNDERLINE = re.compile(r"(-{3,}|={3,})$")
_NAME = re.compile(r"\\?\*{0,2}[^\W\d][\w.]*(?:,\s*\\?\*{0,2}(?:[^\W\d][\w.]*|\.\.\.))*$")
_TYPE = re.compile(rf"(?!.*\.$)[\w.~`'\":]+{prose.OF}(?:(?: or |\s*\|\s*|, | of )[\w.~`'\":]+{prose.OF})*$")


def parse(text: str, subject: Subject) -> Doc:
    """What a docstring with its quotes says. Never raises; what fits nowhere is kept beside the slots."""
    prefix, lines = literal.opened(text)
    starts = [n - 1 for n in range(1, len(lines)) if _UNDERLINE.match(lines[n]) and re.match(r"\w", lines[n - 1])]
    summary, description = prose.paragraphs(lines[: starts[0]] if starts else lines)
    doc = literal.written(Doc(summary, description), prefix)
    for start, end in prose.spans(starts, len(lines)):
        title, body = lines[start], prose.ended(lines[start + 2 : end])
        kind = _KINDS.get(title.lower().rstrip(":"))
        if kind is None:
            doc = doc.and_section(title, "\n".join(body))
        else:
            doc = doc.and_slots(kind, _slots(kind, title, prose.trimmed(body)), title)
    return doc


def _slots(kind: SlotKind, title: str, body: list[str]) -> list[Slot]:
    """A slot for each line without indentation, or one for all where nothing below the heading is set out as slots."""
    starts = [n for n, line in enumerate(body) if line and not line[0].isspace()]
    if not starts:
        return [read("numpy", title, body, "", "", prose.hung(body))] if body else []
    if kind in ("returns", "yields") and len(starts) == len([line for line in body if line]):
        entries = [body[start] for start in starts]
        if not all(" : " in entry or _TYPE.match(entry) for entry in entries):
            return [read("numpy", title, body, "", "", "\n".join(body))]
    return [_slot(kind, title, body[start:end]) for start, end in prose.spans(starts, len(body))]


def _slot(kind: SlotKind, title: str, lines: Sequence[str]) -> Slot:
    phrase = "\n".join(prose.trimmed(prose.dedented(lines[1:])))
    name, colon, type = _divided(lines[0])
    if kind == "raises":
        return read("numpy", title, lines, lines[0], "", phrase)
    if kind in ("returns", "yields"):
        return read("numpy", title, lines, name if colon else "", type if colon else lines[0], phrase)
    if not _NAME.match(name):
        return read("numpy", title, lines, "", "", "\n".join([lines[0], *lines[1:]]).rstrip())
    return read("numpy", title, lines, ", ".join(bare(each.strip()) for each in name.split(",")), type, phrase)


def _divided(line: str) -> tuple[str, str, str]:
    """The name, the colon and the type; the blank before the colon may be missing behind a name."""
    name, colon, type = line.partition(" :")
    if not colon and _NAME.match(line.partition(":")[0]):
        name, colon, type = line.partition(":")
    return name.strip(), colon, type.strip()


def render(doc: Doc, subject: Subject, layout: Layout) -> str:
    """The docstring with its quotes; its first line without indentation, no line end behind its last."""
    blocks = literal.prose(doc, layout, subject)
    for part in parts(doc, subject, _STANDARD):
        title = part.title or _TITLES.get(part.kind, "")
        body = part.section.text.split("\n") if part.section else _entries(part, subject, layout)
        blocks.append([title, "-" * len(title), *body])
    return literal.closed(blocks, doc, subject, layout)


def _entries(part: Part, subject: Subject, layout: Layout) -> list[str]:
    width = layout.width - prose.columns(subject.indent)
    lines: list[str] = []
    for slot in part.slots:
        if verbatim := slot.lines_in("numpy"):
            lines += verbatim
            continue
        if not slot.name and not declared(slot, part.kind, subject):
            lines += prose.filled(slot.phrase, width)
            continue
        lines.append(_head(slot, part.kind, subject))
        if slot.phrase:
            wrapped = prose.filled(slot.phrase, width, len(layout.unit), layout.unit)
            lines += [layout.unit + wrapped[0], *wrapped[1:]]
    return prose.trimmed(lines)


def _head(slot: Slot, kind: str, subject: Subject) -> str:
    """`name : type`; what can be left out is said to be optional, as NumPy asks."""
    type = declared(slot, kind, subject)
    parameter = parameter_of(slot, subject)
    if kind == "parameters" and type and not slot.type and parameter and (parameter.optional or parameter.default):
        type += ", optional"
    name = starred(slot, subject) if kind == "parameters" else slot.name
    return f"{name} : {type}" if name and type else name or type
