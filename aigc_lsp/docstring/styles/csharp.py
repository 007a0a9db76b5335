"""C#'s XML documentation: `<summary>`, `<param name="x">`; read tolerantly, since much of it is not well formed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aigc_lsp.docstring.doc import Doc, Part, Slot, SlotKind, bare, parts, read
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import comment, prose
from aigc_lsp.docstring.subject import Subject

_KINDS: dict[str, tuple[SlotKind, str]] = {
    "typeparam": ("generics", "name"), "param": ("parameters", "name"), "returns": ("returns", ""),
    "exception": ("raises", "cref"),
}  # fmt: skip

_TAGS: dict[str, tuple[str, str]] = {kind: (tag, attribute) for tag, (kind, attribute) in _KINDS.items()}
_FORMS = ("///", "/**")
_STANDARD = ("generics", "parameters", "returns", "raises", "others")
_ELEMENT = re.compile(r"<([A-Za-z]\w*)((?:\s+[\w:.]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(/?)>")
_EMPTY_SUMMARY = re.compile(r"<summary>\s*(?:</summary>)?\s*$")
_BARE = re.compile(
    r"&(?!#?\w+;)|<(?!/?(?:see|seealso|c|code|para|paramref|typeparamref|list|listheader|item|term|description"
    r"|b|i|u|em|strong|br|a|value|remarks|inheritdoc)\b)"
)


@dataclass(frozen=True, slots=True)
class _Element:
    """An element at the top, or text between two (`tag` is ""). `lines` are all of it, `text` what is inside."""

    tag: str
    name: str
    text: str
    lines: list[str]
    has_more: bool = False
    """It has an attribute that is not its name, or no content."""


def parse(text: str, subject: Subject) -> Doc:
    """What a comment with its marks says. Never raises; what fits nowhere is kept beside the slots."""
    found = comment.opened(text)
    doc = Doc(directives=found.directives, is_written=True)
    for element in _elements("\n".join(found.lines)):
        kind, _ = _KINDS.get(element.tag, (None, ""))
        if element.tag == "summary" and element.text and not doc.summary and not element.has_more:
            doc = replace(doc, summary=element.text)
        elif element.tag == "remarks" and element.text and not doc.description and not element.has_more:
            doc = replace(doc, description=element.text)
        elif element.tag == "" and not doc.summary and not doc.order:
            summary, description = prose.paragraphs(element.lines)
            doc = replace(doc, summary=summary, description=description)
        elif kind is None or not (element.name or kind == "returns"):
            doc = doc.and_section("", "\n".join(element.lines))
        else:
            doc = doc.and_slots(kind, [read("csharp", "", element.lines, element.name, "", element.text)])
    return doc


def _elements(text: str) -> Iterator[_Element]:
    """The elements at the top, in order, and the text between them. What is never closed ends at a blank line."""
    at = 0
    while opening := _ELEMENT.search(text, at):
        if text[at : opening.start()].strip():
            yield _text(text[at : opening.start()])
        end, inside = _end(text, opening)
        attributes = dict(re.findall(r"([\w:.]+)\s*=\s*[\"']([^\"']*)", opening[2]))
        name = attributes.get(_KINDS.get(opening[1], ("", ""))[1], "")
        lines = text[opening.start() : end].split("\n")
        content = "\n".join(prose.trimmed(prose.dedented(_inside(inside))))
        more = len(attributes) > bool(name) or bool(opening[3])
        yield _Element(opening[1], name, content, lines, more)
        at = end
    if text[at:].strip():
        yield _text(text[at:])


def _inside(text: str) -> list[str]:
    """The lines of an element's content; the first stands behind the tag, without indentation."""
    first, *rest = text.split("\n")
    return [first.strip(), *(line.rstrip() for line in prose.dedented(rest))] if first.strip() else ["", *rest]


def _text(text: str) -> _Element:
    lines = prose.trimmed(text.split("\n"))
    return _Element("", "", "\n".join(lines), lines)


def _end(text: str, opening: re.Match[str]) -> tuple[int, str]:
    """Where the element that is opened here ends, and what is inside it."""
    if opening[3]:
        return opening.end(), ""
    depth = 1
    for mark in re.finditer(rf"<(/?){opening[1]}\b[^>]*?(/?)>", text[opening.end() :]):
        depth += 0 if mark[2] else -1 if mark[1] else 1
        if depth == 0:
            return opening.end() + mark.end(), text[opening.end() : opening.end() + mark.start()]
    broken = re.compile(r"\n(?=\s*(?:\n|<[a-z]+[^>]*>))").search(text, opening.end())
    end = broken.start() if broken else len(text)
    return end, text[opening.end() : end]


def render(doc: Doc, subject: Subject, layout: Layout) -> str:
    """The comment with its marks; its first line without indentation, no line end behind its last."""
    form = layout.form if layout.form in _FORMS else _FORMS[0]
    room = comment.room_in(form, subject, layout)
    summary = prose.stopped(doc.summary, layout.full_stop) if not doc.is_written else doc.summary
    lines = _block("summary", summary, room, doc.is_written, always_set_out=True) if doc.summary else []
    if doc.description:
        lines += _block("remarks", doc.description, room, doc.is_written, always_set_out=True)
    for part in parts(doc, subject, _STANDARD):
        if part.section and doc.summary and _EMPTY_SUMMARY.match(part.section.text):
            continue
        lines += part.section.text.split("\n") if part.section else _slots(part, room)
    return comment.closed(lines, form, doc, subject, replace(layout, one_line=False))


def _slots(part: Part, room: int) -> list[str]:
    lines: list[str] = []
    for slot in part.slots:
        lines += slot.lines_in("csharp") or _slot(slot, part.kind, room)
    return lines


def _slot(slot: Slot, kind: str, room: int) -> list[str]:
    if kind not in _TAGS:
        return []
    tag, attribute = _TAGS[kind]
    opening = f'{tag} {attribute}="{bare(slot.name)}"' if attribute else tag
    return _block(opening, slot.phrase, room, is_written=False)


def _block(opening: str, text: str, room: int, is_written: bool, *, always_set_out: bool = False) -> list[str]:
    """An element on one line, or set out where it does not fit or is always set out."""
    closing = opening.partition(" ")[0]
    text = text if is_written else _BARE.sub(lambda found: "&amp;" if found[0] == "&" else "&lt;", text)
    single = f"<{opening}>{text}</{closing}>"
    if not always_set_out and "\n" not in text and prose.columns(single) <= room:
        return [single]
    body = text.split("\n") if is_written else prose.filled(text, room)
    return [f"<{opening}>", *body, f"</{closing}>"]
