"""The definitions of a tree, from what `queries/` capture.

The captures are read in order of place with a stack of what is open, so that each finds what encloses it
without asking the tree for parents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import tree_sitter

from aigc_lsp.syntax.encoded import Encoded
from aigc_lsp.syntax.symbols import Definition, DefinitionKind
from aigc_lsp.text import Span

Captures = Mapping[str, list[tree_sitter.Node]]

# The first that matches a name decides: `const f = () => {}` is a function.
_KINDS: tuple[DefinitionKind, ...] = ("class", "module", "function", "method", "type", "constant", "variable")
_DETAILS = ("doc", "end", "brace", "owner", "value")
_VALUES = ("constant", "variable")

_QUALIFIED = re.compile(r"::|\\|\.")
_IS_CONSTANT = re.compile(rb"\b(?:const|constexpr|final|readonly)\b")
_BLANKS = b" \t\r\n\f"
# Several lines of comments stand above a definition, with its attributes between them.
_MOST_LEADS = 500

_OPENING = re.compile(r"[a-zA-Z]{0,2}(\"\"\"|'''|\"|')|/\*+!?")
_MARKS = re.compile(r"\s*(?:/\*+!?|\*(?!/)|//[/!]?|#+!?|--)?\s*")
_CLOSING = re.compile(r"(?:\s|\*+/)*$")
# A line that begins so ends the description: what follows is told of parameters and the like.
_TAG = re.compile(r"[@<:\\]|=(?:begin|end)\b")
_OPENING_TAG = re.compile(r"<summary>\s*|=begin\b.*")
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|$)")


@dataclass(slots=True)
class _Open:
    """A definition whose end has not been read yet, or a node that means something to those in it. In bytes."""

    start: int
    end: int
    kind: str
    name: str = ""
    at: int = 0
    owner: str = ""
    body: tuple[int, int] | None = None
    details: dict[str, tuple[int, int]] = field(default_factory=dict)
    whole: int = 0
    parents: tuple[str, ...] = ()
    is_kept: bool = True
    user: tuple[int, int] | None = None


def definitions(matches: Iterable[tuple[int, Captures]], encoded: Encoded) -> tuple[Definition, ...]:
    """The definitions among `matches` of the query `definitions`, in order of place."""
    return _Reader(encoded).read(matches)


def definition_at(matches: Iterable[tuple[int, Captures]], encoded: Encoded, name: int) -> Definition | None:
    """The one whose name begins at byte `name`."""
    return _Reader(encoded).read_one(matches, name)


def name_span(captures: Captures) -> tuple[int, int, bool]:
    """The bytes of a definition's name, and whether it is told to be a function by its declarator."""
    if "name" in captures:
        node = captures["name"][0]
        return node.start_byte, node.end_byte, False
    node, is_function = captures["declarator"][0], False
    while True:
        if node.type == "operator_cast":
            end = node.child_by_field_name("type") or node
            return node.start_byte, end.end_byte, True
        inner = node.child_by_field_name("declarator")
        if inner is None and node.type in ("reference_declarator", "parenthesized_declarator", "attributed_declarator"):
            inner = node.named_child(0)
        if inner is None:
            return node.start_byte, node.end_byte, is_function
        if node.type == "function_declarator":
            is_function = inner.type != "parenthesized_declarator"
        node = inner


class _Reader:
    """Reads the captures of one tree, once."""

    def __init__(self, encoded: Encoded) -> None:
        self._encoded = encoded
        self._data = encoded.data
        self._found: dict[int, _Open] = {}
        self._packages: list[_Open] = []
        self._around: list[_Open] = []
        self._details: list[tuple[int, int, str]] = []
        self._attributes: dict[int, int] = {}
        self._leads: dict[int, tuple[int, bool]] = {}

    def read(self, matches: Iterable[tuple[int, Captures]]) -> tuple[Definition, ...]:
        return tuple(self._define(found) for found in self._kept(matches))

    def read_one(self, matches: Iterable[tuple[int, Captures]], name: int) -> Definition | None:
        return next((self._define(found) for found in self._kept(matches) if found.at == name), None)

    def _kept(self, matches: Iterable[tuple[int, Captures]]) -> list[_Open]:
        """The definitions to tell of, in order of place."""
        for _, captures in matches:
            self._sort(captures)
        packages = sorted(self._packages, key=lambda package: package.start)
        for package, following in pairwise(packages):
            package.end = following.start
        ordered = sorted(self._nest(), key=lambda found: (found.whole, found.at))
        given: set[tuple[str, ...]] = set()
        kept = []
        for found in ordered:
            path = (*found.parents, found.name)
            # A variable is defined where it is first given something.
            if found.is_kept and not (found.kind in _VALUES and path in given):
                given.add(path)
                kept.append(found)
        return kept

    def _sort(self, captures: Captures) -> None:
        for kind in _KINDS:
            if kind in captures and ("name" in captures or "declarator" in captures):
                self._add(kind, captures)
                return
        for name, nodes in captures.items():
            node = nodes[0]
            if name in ("outer", "local"):
                self._around.append(_Open(node.start_byte, node.end_byte, name))
            elif name == "package" and "name" in captures:
                start, end, _ = name_span(captures)
                found = _Open(node.start_byte, len(self._data), "module", self._content(start, end), start)
                found.details["end"] = (node.end_byte, node.end_byte)
                self._found[start] = found
                self._packages.append(found)
            elif name == "attribute":
                self._attributes[node.start_byte] = node.end_byte
                self._leads[self._trimmed(node.end_byte)] = (node.start_byte, False)
            elif name == "lead":
                self._leads[self._trimmed(node.end_byte)] = (node.start_byte, True)
            elif name in _DETAILS:
                self._details.append((node.start_byte, node.end_byte, name))

    def _add(self, kind: DefinitionKind, captures: Captures) -> None:
        node = captures[kind][0]
        start, end, is_function = name_span(captures)
        if start == end:  # the parser missed a name there
            return
        if is_function and kind in _VALUES:
            kind = "function"
        known = self._found.get(start)
        if known is not None and _KINDS.index(known.kind) <= _KINDS.index(kind):
            return
        found = _Open(
            node.start_byte,
            node.end_byte,
            kind,
            self._content(start, end).strip("\"':") or self._content(start, end),
            start,
        )
        body = captures["body"][0] if "body" in captures else node.child_by_field_name("body")
        if body is not None:
            # The fields of `struct Pair(i32, i32);` belong to the header.
            is_header = kind in ("class", "constant") and self._data.startswith(b"(", body.start_byte)
            found.body = None if is_header else (body.start_byte, body.end_byte)
        if "value" in captures:
            found.details["value"] = captures["value"][0].start_byte, captures["value"][0].end_byte
        self._found[start] = found

    # Nesting

    def _nest(self) -> list[_Open]:
        """The definitions with all that their surroundings say about them."""
        events: list[tuple[int, int, int, object]] = [(o.start, -o.end, 0, o) for o in self._around]
        events += [(found.start, -found.end, 1, found) for found in self._found.values()]
        events += [(start, -end, 2, (name, start, end)) for start, end, name in self._details]
        events.sort(key=lambda event: event[:3])
        stack: list[_Open] = []
        for start, _, _, event in events:
            while stack and stack[-1].end <= start:
                stack.pop()
            if isinstance(event, _Open):
                if event.name:
                    self._place(event, stack)
                stack.append(event)
            elif isinstance(event, tuple):
                name, start, end = event
                owner = next((open_ for open_ in reversed(stack) if open_.name), None)
                if owner is not None:
                    owner.details.setdefault(name, (start, end))
        return list(self._found.values())

    def _place(self, found: _Open, stack: Sequence[_Open]) -> None:
        found.whole = found.start
        for around in reversed(stack):
            if around.name and (around.start, around.end) == (found.start, found.end):
                continue
            if around.kind != "outer" or around.user not in (None, (found.start, found.end)):
                break
            if self._data[found.end : around.end].strip(b"; \t\r\n"):
                break
            found.whole = around.start
        for around in stack:
            around.user = around.user or (found.start, found.end)
        enclosing = [o for o in stack if o.name and o.kind != "type" and (o.start, o.end) != (found.start, found.end)]
        found.parents = tuple(part for o in enclosing for part in _parts(o))
        nearest = next((o for o in reversed(stack) if o.kind == "local" or (o.name and o.kind not in _VALUES)), None)
        if found.kind in _VALUES and nearest is not None and nearest.kind in ("local", "function", "method"):
            found.is_kept = False
        is_member = bool(enclosing) and enclosing[-1].kind in ("class", *_VALUES)
        if found.kind == "function" and (is_member or len(_parts(found)) > 1):
            found.kind = "method"

    # One definition

    def _define(self, found: _Open) -> Definition:
        details = found.details
        parts = _parts(found)
        owner = self._content(*details["owner"]) if "owner" in details else ""
        parents = (*found.parents, *((owner,) if owner else ()), *parts[:-1])
        kind = found.kind
        header, body = self._header(found)
        if kind == "variable" and (parts[-1].isupper() or _IS_CONSTANT.search(self._data, header[0], found.at)):
            kind = "constant"
        first, comments = self._leading(found.whole)
        if "doc" in details:
            doc = self._paragraph(*details["doc"])
        else:
            doc = self._paragraph(*comments) if comments else None
        end = self._trimmed(found.end if found.whole == found.start else self._end_of_outer(found))
        return Definition(
            name=parts[-1],
            kind=kind,  # type: ignore[arg-type]
            span=self._span(first, end),
            header=self._span(*header),
            body=self._span(*body) if body else None,
            parent=".".join(parents),
            doc=doc,
        )

    def _end_of_outer(self, found: _Open) -> int:
        """The end of what a definition is wrapped in: its semicolon."""
        end = found.end
        while end < len(self._data) and self._data[end] in b" \t;":
            end += 1
        return end

    def _header(self, found: _Open) -> tuple[tuple[int, int], tuple[int, int] | None]:
        """The bytes of a definition's header and body."""
        start, end, body = found.whole, found.end, found.body
        while (attribute_end := self._attributes.get(start)) is not None and attribute_end < end:
            start = self._skip_blanks(attribute_end)
        details = found.details
        if "brace" in details:
            body = details["brace"][0], end
        elif "value" in details and body is None and self._data.find(b"\n", *details["value"]) >= 0:
            body = details["value"]
        header_end = end if body is None else body[0]
        if "end" in details and found.start < details["end"][1] <= max(header_end, found.at):
            header_end = details["end"][1]
        header_end = self._trimmed(max(min(header_end, end), start))
        while header_end > start and body is None and self._data[header_end - 1] in b";,":
            header_end = self._trimmed(header_end - 1)
        return (min(start, header_end), header_end), body

    def _leading(self, start: int) -> tuple[int, tuple[int, int] | None]:
        """Where the comments and attributes right above `start` begin, and where the comments among them lie."""
        comments: tuple[int, int] | None = None
        for _ in range(_MOST_LEADS):
            end = self._trimmed(start)
            if end == start or self._data.count(b"\n", end, start) > 1:
                break
            lead = self._leads.get(end)
            if lead is None or self._data[self._data.rfind(b"\n", 0, lead[0]) + 1 : lead[0]].strip(_BLANKS):
                break
            start, is_comment = lead
            if is_comment:
                comments = start, comments[1] if comments else end
        return start, comments

    def _paragraph(self, start: int, end: int) -> Span | None:
        """The first paragraph of a comment or docstring."""
        source = self._encoded.source
        at, last = self._encoded.offset_at(start), self._encoded.offset_at(end)
        if opening := _OPENING.match(source, at, last):
            at, last = opening.end(), last - len(opening[1] or "")
        begin = stop = None
        while at < last and (line := _LINE.match(source, at, last)):
            marks = _MARKS.match(source, at, line.end())
            content = marks.end() if marks else at
            closing = _CLOSING.search(source, content, line.end())
            content_end = closing.start() if closing else line.end()
            said = source[content:content_end]
            at = line.end()
            if begin is None and (tag := _OPENING_TAG.match(said)):
                content += tag.end()
                said = said[tag.end() :]
            if not any(map(str.isalnum, said)) or _TAG.match(said):
                if begin is not None:
                    break
                continue
            begin, stop = content if begin is None else begin, content_end
        return None if begin is None or stop is None else Span(begin, stop)

    # Bytes

    def _content(self, start: int, end: int) -> str:
        return self._data[start:end].decode("utf-8", "replace")

    def _span(self, start: int, end: int) -> Span:
        return Span(self._encoded.offset_at(start), self._encoded.offset_at(max(start, end)))

    def _trimmed(self, end: int) -> int:
        """`end`, before the blanks that lead to it."""
        while end > 0 and self._data[end - 1] in _BLANKS:
            end -= 1
        return end

    def _skip_blanks(self, start: int) -> int:
        while start < len(self._data) and self._data[start] in _BLANKS:
            start += 1
        return start


def _parts(found: _Open) -> list[str]:
    """A qualified name in its parts; an operator's name may hold anything."""
    if found.name.startswith("operator") or not _QUALIFIED.search(found.name):
        return [found.name]
    return [part for part in _QUALIFIED.split(found.name) if part] or [found.name]
