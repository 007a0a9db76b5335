"""Definitions and what belongs to each: marks in order of place, read with a stack of what is open."""

from __future__ import annotations

from dataclasses import dataclass, field

from aigc_lsp.syntax import Mark
from aigc_lsp.text import Span

_FRAMES = ("class", "function", "space", "local", "outer")


@dataclass(slots=True)
class Definition:
    """A class or function that is being read. `whole` includes what it is wrapped in and its decorators."""

    mark: Mark
    whole: Span
    owner: Definition | None = None
    """The definition around it."""
    parents: tuple[str, ...] = ()
    is_member: bool = False
    """In a class, or in what adds to one."""
    owned: dict[str, list[Mark]] = field(default_factory=dict)
    members: list[Definition] = field(default_factory=list)
    decorators: list[Mark] = field(default_factory=list)

    @property
    def body(self) -> Span | None:
        return self.mark.part("body")

    def all(self, role: str) -> list[Mark]:
        return self.owned.get(role, [])


@dataclass(slots=True)
class _Frame:
    """What is open: nobody's (`definition` is None) in a function without a name, or in what wraps a definition."""

    span: Span
    role: str
    definition: Definition | None = None
    name: str = ""
    sort: str = ""


def definitions(marks: list[Mark], source: str) -> list[Definition]:
    """The definitions among `marks`, in order of place, without decorators that stand before them."""
    events: list[tuple[int, int, int, Mark]] = []
    scoped: set[Span] = set()
    for mark in marks:
        scope = mark.part("scope")
        if mark.role in ("class", "function") and scope is not None:
            scoped.add(scope)
    for number, mark in enumerate(marks):
        if mark.role != "local" or mark.span not in scoped:
            events.append((mark.span.start, -mark.span.end, number, mark))
    reader = _Reader(source)
    for *_, event in sorted(events, key=lambda event: event[:3]):
        reader.read(event)
    return reader.found


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._stack: list[_Frame] = []
        self._waiting: list[_Frame] = []
        self._given: set[Span] = set()
        self.found: list[Definition] = []

    def read(self, mark: Mark) -> None:
        """The next mark, in order."""
        self._open_scopes(mark.span.start)
        while self._stack and self._stack[-1].span.end <= mark.span.start:
            self._stack.pop()
        if mark.role in ("class", "function"):
            self._define(mark)
        elif mark.role in _FRAMES:
            self._stack.append(_Frame(mark.span, mark.role, None, self._said(mark.part("name")), mark.sort))
        else:
            owner = next((frame for frame in reversed(self._stack) if frame.role != "outer"), None)
            if owner is not None and owner.definition is not None:
                owner.definition.owned.setdefault(mark.role, []).append(mark)

    def _open_scopes(self, at: int) -> None:
        """Opens the bodies that begin up to `at`, of definitions that are not their own frames."""
        for frame in [frame for frame in self._waiting if frame.span.start <= at]:
            self._waiting.remove(frame)
            while self._stack and self._stack[-1].span.end <= frame.span.start:
                self._stack.pop()
            self._stack.append(frame)

    def _define(self, mark: Mark) -> None:
        if mark.part("name") is None:
            return
        around = next((frame for frame in reversed(self._stack) if frame.role != "outer"), None)
        found = Definition(mark, self._whole(mark.span), around.definition if around else None)
        if mark.sort == "declared" and around is not None and around.role in ("function", "local"):
            return  # in C++ a variable that is made with arguments looks like a function
        if self.found and found.body is not None and found.body == self.found[-1].body:
            return  # `typedef struct a {} b;` is one
        if mark.span in self._given:
            self._open(found)  # `const f = () => {}, g = () => {}` has one docstring, that of the first
            return
        self._given.add(mark.span)
        found.parents = tuple(frame.name for frame in self._stack if frame.name)
        if (owner := mark.part("owner")) is not None:
            found.parents += (self._said(owner),)
        found.is_member = around is not None and "class" in (around.role, around.sort)
        if found.owner is not None:
            found.owner.members.append(found)
        self.found.append(found)
        self._open(found)

    def _open(self, found: Definition) -> None:
        mark = found.mark
        scope = mark.part("scope")
        frame = _Frame(scope or mark.span, mark.role, found, self._said(mark.part("name")))
        (self._stack if scope is None else self._waiting).append(frame)

    def _said(self, span: Span | None) -> str:
        return "" if span is None else self._source[span.start : span.end].strip("\"'")

    def _whole(self, span: Span) -> Span:
        """With what the definition is wrapped in, where that ends with it."""
        for frame in reversed(self._stack):
            if frame.role != "outer" or self._source[span.end : frame.span.end].strip("; \t\r\n"):
                break
            span = frame.span
        return span
