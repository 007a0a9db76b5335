"""Google's style for Python: sections with a colon, entries indented below them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aigc_lsp.docstring.doc import Doc, Part, Slot, SlotKind, bare, parts, read
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles import literal, prose
from aigc_lsp.docstring.styles.typed import declared, starred
from aigc_lsp.docstring.subject import Subject

_KINDS: dict[str, SlotKind] = {
    "args": "parameters", "arguments": "parameters", "params": "parameters", "parameters": "parameters",
    "keyword args": "parameters", "keyword arguments": "parameters", "other parameters": "parameters",
    "return": "returns", "returns": "returns", "yield": "yields", "yields": "yields",
    "raise": "raises", "raises": "raises", "except": "raises", "exceptions": "raises",
    "attribute": "attributes", "attributes": "attributes",
}  # fmt: skip

_TITLES = {
    "attributes": "Attributes", "parameters": "Args", "returns": "Returns", "yields": "Yields", "raises": "Raises",
}  # fmt: skip

_OTHERS = {
    "example", "examples", "note", "notes", "todo", "todos", "see also", "references", "reference", "warning",
    "warnings", "warns", "tip", "hint", "important", "caution", "danger", "attention", "methods", "usage", "receives",
    "side effects", "deprecated", "license",
}  # fmt: skip

_STANDARD = ("attributes", "parameters", "returns", "yields", "raises", "others")

_HEADING = re.compile(r"([A-Za-z][A-Za-z ]*?)\s*(:?)$")
_ON_ONE_LINE = re.compile(r"(Returns?|Yields?):\s+(\S.*)$")
_NO_NAMES = {"note", "notes", "warning", "example", "examples", "todo", "default", "default value"}

_NAME = re.compile(r"(:\w+:`[^`]+`|`[^`]+`|\\?\*{0,2}[^\W\d][\w.]*(?:,\s*\\?\*{0,2}[^\W\d][\w.]*)*)\s*")
_TYPE = re.compile(rf"([\w.~`'\"]+{prose.OF}(?:(?: or |\s*\|\s*|, )[\w.~`'\"]+{prose.OF})*):(?:\s+|$)")


def parse(text: str, subject: Subject) -> Doc:
    """What a docstring with its quotes says. Never raises; what fits nowhere is kept beside the slots."""
    prefix, lines = literal.opened(text)
    found = _headings(lines)
    summary, description = prose.paragraphs(lines[: found[0][0]] if found else lines)
    doc = literal.written(Doc(summary, description), prefix)
    for at, end in prose.spans([at for at, _ in found], len(lines)):
        title = dict(found)[at]
        kind = _KINDS.get(title.lower())
        one = _ON_ONE_LINE.match(lines[at])
        is_tight = at > 0 and bool(lines[at - 1])
        body, rest = _body(lines[at + 1 : end])
        if kind is None:
            doc = doc.and_section(title, "\n".join(body), is_tight)
        elif one:
            body, rest = prose.trimmed(lines[at:end]), []
            slot = read("google", title, body, "", "", prose.hung([one[2], *body[1:]]))
            doc = doc.and_slots(kind, [slot], title, is_tight)
        else:
            doc = doc.and_slots(kind, _slots(kind, title, prose.trimmed(body), subject), title, is_tight)
        if rest:
            doc = doc.and_section("", "\n".join(rest))
    return doc


def _headings(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Where the sections begin, and their titles. A colon may be missing where what follows is indented."""
    found = []
    for at, line in enumerate(lines):
        heading = _HEADING.match(line)
        title = heading[1] if heading else ""
        follows = next((each for each in lines[at + 1 :] if each), "")
        if heading and (title.lower() in _KINDS or title.lower() in _OTHERS) and (heading[2] or follows[:1].isspace()):
            found.append((at, title))
        elif one := _ON_ONE_LINE.match(line):
            found.append((at, one[1]))
    return found


def _body(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines of a section, without their indentation, and what stands below it, unindented, behind a blank line."""
    end = next(
        (n for n, line in enumerate(lines) if n and line and not line[0].isspace() and not lines[n - 1]), len(lines)
    )
    return prose.dedented(prose.ended(lines[:end])), prose.trimmed(lines[end:])


def _slots(kind: SlotKind, title: str, body: list[str], subject: Subject) -> list[Slot]:
    if kind in ("returns", "yields"):
        if not body:
            return []
        typed = _TYPE.match(body[0])
        phrase = prose.hung([body[0][typed.end() :] if typed else body[0], *body[1:]])
        return [read("google", title, body, "", typed[1] if typed else "", phrase)]
    known = {bare(each.name) for each in subject.parameters}
    starts = [n for n, line in enumerate(body) if _entry(line, known)]
    slots = (
        [read("google", title, body[: starts[0]], "", "", prose.hung(body[: starts[0]]))] if starts[:1] > [0] else []
    )
    if not starts and any(body):
        slots = [read("google", title, prose.trimmed(body), "", "", prose.hung(prose.trimmed(body)))]
    for start, end in prose.spans(starts, len(body)):
        name, type, first = _entry(body[start], known) or ("", "", body[start])
        name = ", ".join(bare(each.strip()) for each in name.split(",")) if kind == "parameters" else name
        slots.append(read("google", title, body[start:end], name, type, prose.hung([first, *body[start + 1 : end]])))
    return slots


def _entry(line: str, known: set[str]) -> tuple[str, str, str] | None:
    """The name, type and first words of a line that begins a slot. Without a colon, only a parameter's name does."""
    name = _NAME.match(line)
    if name is None or (name[1].lower() in _NO_NAMES and name[1] not in known):
        return None
    rest, type = line[name.end() :], ""
    if rest.startswith("("):
        end = _closing(rest)
        rest, type = rest[end + 1 :].lstrip(), rest[1:end]
    if rest.startswith(":"):
        return name[1], type, rest[1:].strip()
    if bare(name[1]) in known:
        return name[1], type, rest.lstrip("-– ").strip()
    return None


def _closing(text: str) -> int:
    """Where the bracket that begins `text` is closed; its end where it is not."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return at
    return len(text)


def render(doc: Doc, subject: Subject, layout: Layout) -> str:
    """The docstring with its quotes; its first line without indentation, no line end behind its last."""
    blocks = literal.prose(doc, layout, subject)
    for part in parts(doc, subject, _STANDARD):
        if part.section is not None and not part.section.title:
            blocks.append(part.section.text.split("\n"))
            continue
        title = part.title or _TITLES.get(part.kind, "")
        body = part.section.text.split("\n") if part.section else _entries(part, subject, layout)
        block = [f"{title}:", *(layout.unit + line if line else "" for line in body)]
        if part.kind in ("returns", "yields") and body and body[0].startswith(f"{title}: "):
            block = body  # it stood on the heading's line
        if part.is_tight and blocks:
            blocks[-1] = [*prose.ended(blocks[-1]), *block]
        else:
            blocks.append(block)
    return literal.closed(blocks, doc, subject, layout)


def _entries(part: Part, subject: Subject, layout: Layout) -> list[str]:
    width = layout.width - prose.columns(subject.indent + layout.unit)
    lines: list[str] = []
    for slot in part.slots:
        if verbatim := slot.lines_in("google"):
            lines += verbatim
            continue
        type = declared(slot, part.kind, subject) if layout.types or slot.type else ""
        if slot.name:
            head = f"{starred(slot, subject)} ({type}):" if type else f"{starred(slot, subject)}:"
        else:
            head = f"{type}:" if type else ""
        head += " " if head and slot.phrase else ""
        hang = layout.unit if slot.name else ""
        first, *rest = prose.filled(slot.phrase, width, len(head), hang)
        lines += [head + first, *rest]
    return prose.trimmed(lines)
