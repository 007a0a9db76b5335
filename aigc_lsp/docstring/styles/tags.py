"""Tags in doc comments: JSDoc, TSDoc, Javadoc, KDoc, PHPDoc, Doxygen, YARD. A flavour says how each is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aigc_lsp.docstring.doc import Doc, Part, Slot, parts
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import comment, entries, prose
from aigc_lsp.docstring.styles.flavours import JSDOC, Flavour
from aigc_lsp.docstring.subject import Subject

_STANDARD = ("generics", "attributes", "parameters", "returns", "yields", "raises", "others")
_BRIEF = {"brief", "short"}


def parse(text: str, subject: Subject, flavour: Flavour = JSDOC) -> Doc:
    """What a comment with its marks says. Never raises; what fits nowhere is kept beside the slots."""
    found = comment.opened(text)
    lines = found.lines
    starts = list(_tags(lines, flavour))
    prefix = ""
    if starts[:1] == [0] and _tag(lines[0], flavour) in _BRIEF:
        prefix = lines[0].split(None, 1)[0]
        first = starts[1] if len(starts) > 1 else len(lines)
        lines = [lines[0].split(None, 1)[-1] if " " in lines[0] else "", *lines[1:first], *lines[first:]]
        starts = starts[1:]
    summary, description = prose.paragraphs(lines[: starts[0]] if starts else lines)
    doc = Doc(summary, description, directives=found.directives, is_written=True, prefix=prefix)
    for start, end in prose.spans(starts, len(lines)):
        body, rest = _body(lines[start:end], flavour)
        doc = _with(doc, body, subject, flavour)
        if rest:
            doc = doc.and_section("", "\n".join(rest))
    return doc


def _tag(line: str, flavour: Flavour) -> str:
    """The tag that a line begins with, without its mark, or ""."""
    found = flavour.tag.match(line)
    return found[1] if found else ""


def _tags(lines: Sequence[str], flavour: Flavour) -> Iterator[int]:
    """The lines that begin with a tag, not counting those inside examples in fences."""
    fenced = False
    for n, line in enumerate(lines):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        tag = _tag(line, flavour)
        if not fenced and tag and tag not in flavour.inline:
            yield n


def _body(lines: Sequence[str], flavour: Flavour) -> tuple[list[str], list[str]]:
    """The lines of a tag, and the prose below it where a blank line ends a tag (Doxygen)."""
    if flavour.ends_at_blank:
        blank = next((n for n, line in enumerate(lines) if n and not line), len(lines))
        below = next((n for n in range(blank, len(lines)) if lines[n]), len(lines))
        if below < len(lines) and not lines[below][0].isspace():
            return list(lines[:blank]), prose.trimmed(lines[below:])
    return list(lines), []


def _with(doc: Doc, lines: list[str], subject: Subject, flavour: Flavour) -> Doc:
    """`doc` and one tag more. A blank line below a tag goes with it."""
    tag = _tag(lines[0], flavour)
    kind = flavour.kinds.get(tag)
    slot = entries.parsed(kind, tag, lines, subject, flavour) if kind else None
    if kind is None or slot is None:
        mark = lines[0][: lines[0].index(tag)].strip()
        first = lines[0].partition(tag)[2]
        text = "\n".join([first.strip(), *prose.dedented(lines[1:])])
        return doc.and_section(mark + tag, text)
    if kind == "parameters" and slot.name in subject.generics:
        kind = "generics"
    return doc.and_slots(kind, [slot])


def render(doc: Doc, subject: Subject, layout: Layout, flavour: Flavour = JSDOC) -> str:
    """The comment with its marks; its first line without indentation, no line end behind its last."""
    form = layout.form if layout.form in flavour.forms else flavour.forms[0]
    room = comment.room_in(form, subject, layout)
    mark = layout.mark if flavour.marks > 1 else "@"
    blocks = comment.prose(doc, layout, room)
    brief = doc.prefix if doc.is_written else f"{mark}brief" * (flavour.marks > 1 and layout.brief)
    if brief and doc.summary:
        blocks[0] = [f"{brief} {blocks[0][0]}", *blocks[0][1:]]
    lines = [line for block in blocks for line in ["", *block]][1:]
    tagged: list[str] = []
    for part in parts(doc, subject, [kind for kind in _STANDARD if kind in flavour.tells or kind == "others"]):
        if part.section is not None and not part.section.title:
            tagged += ["", *part.section.text.split("\n"), ""]
        else:
            tagged += _tagged(part, subject, layout, flavour, mark, room)
    gap = [""] if lines and layout.gap else []
    if lines and tagged and doc.description:
        gap = [""]
    return comment.closed([*lines, *(gap if tagged else []), *tagged], form, doc, subject, layout)


def _tagged(part: Part, subject: Subject, layout: Layout, flavour: Flavour, mark: str, room: int) -> list[str]:
    if part.section is not None:
        first, *rest = part.section.text.split("\n")
        return [f"{part.section.title} {first}".rstrip(), *rest]
    lines = [
        slot.lines_in(flavour.style) or _written(slot, part.kind, subject, layout, flavour, mark, room)
        for slot in part.slots
    ]
    return prose.grouped(lines, is_added=not part.slots[-1].written)


def _written(
    slot: Slot, kind: str, subject: Subject, layout: Layout, flavour: Flavour, mark: str, room: int
) -> list[str]:
    head = mark + entries.head(slot, kind, subject, layout, flavour)
    dash = "- " if layout.dash and kind in ("parameters", "generics", "attributes") and slot.phrase else ""
    if slot.phrase:
        head = f"{head} {dash}"
    first, *rest = prose.filled(slot.phrase, room, len(head), flavour.hang)
    return [head + first, *rest]
