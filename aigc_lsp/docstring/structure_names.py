"""The names that a docstring lists: parameters, generics, attributes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aigc_lsp.docstring.structure_nest import Definition
from aigc_lsp.docstring.subject import Parameter, ParameterKind
from aigc_lsp.syntax import Mark
from aigc_lsp.text import Span

_NAME = re.compile(r"(?:\$|@{1,2})?[^\W\d]\w*[?!]?|\"[^\"]*\"|'[^']*'|\.\.\.|\$[\d@*]")
_MARKS = re.compile(r"^(?:(?:mut|ref|const|in|out)\s+|[*&.$@\s])+(?=[^\W\d])")
_TYPE_LEAD = re.compile(r"^(?:\?|!|-\?)?:\s*")
_WILD = ("rust", "go", "csharp", "java")
_POINTER = re.compile(r"[*&][*&\s]*(?:(?:const|restrict|volatile)\s*)*$")
_KINDS: dict[str, ParameterKind] = {
    "positional": "positional", "keyword": "keyword", "rest": "rest", "keywords": "keywords", "block": "block",
}  # fmt: skip
_SIMPLE_TYPE = re.compile(r"(?:[\w$]+\.)*([A-Z][\w$]*)$")


def parameters_of(language: str, found: Definition, source: str) -> tuple[Parameter, ...]:
    """All parameters, without the object that a method is called on where the grammar can tell it."""
    read = _Names(language, source)
    if language == "shellscript":
        return _arguments(found, source)
    marks = _own_parameters(found, source)
    before = [mark.span.start for mark in found.all("separator") if mark.sort == "positional"]
    behind = [mark.span.start for mark in found.all("separator") if mark.sort == "keyword"]
    behind += [mark.span.start for mark in marks if mark.sort == "rest" and language in ("python", "ruby")]
    listed: list[Parameter] = []
    unnamed = 0
    for mark in marks:
        if mark.sort == "pattern":
            listed += read.taken_apart(mark, found.all("piece"), unnamed)
            unnamed += 1
            continue
        kind = _KINDS.get(mark.sort, "plain")
        if kind == "plain" and before and mark.span.start < before[0]:
            kind = "positional"
        elif kind == "plain" and language == "python" and behind and mark.span.start > behind[0]:
            kind = "keyword"
        named = read.parameter(mark, kind)
        if named is not None:
            listed.append(named)
    return tuple(dict.fromkeys(listed))


def generics_of(marks: Iterable[Mark], source: str) -> tuple[str, ...]:
    """The names of the types that it is generic in."""
    names = []
    for mark in marks:
        span = mark.part("name") or mark.span
        match = re.search(r"'?[^\W\d]\w*", source[span.start : span.end])
        if match is not None and not match[0].startswith("'"):
            names.append(match[0])
    return tuple(dict.fromkeys(names))


def attributes_of(language: str, found: Definition, source: str) -> tuple[Parameter, ...]:
    """The public attributes of a class: those that it declares, and those that its constructor assigns."""
    read = _Names(language, source)
    named: dict[str, Parameter] = {}
    members = {read.name(member.mark) for member in found.members}
    for mark in found.all("attribute"):
        if _is_public(language, found, mark, source) and read.name(mark) not in members:
            _add(named, read.parameter(mark, "plain"))
    for member in found.members:
        if not _is_maker(member, source):
            continue
        given = {each.name: each for each in parameters_of(language, member, source)}
        own = next(iter(given), "self") if language == "python" else ""
        for mark in member.all("attribute"):
            key = mark.part("key")
            if mark.sort != "assigned" or (own and key is not None and source[key.start : key.end] != own):
                continue
            if not _is_public(language, found, mark, source) or read.name(mark) in members:
                continue
            attribute = read.parameter(mark, "plain")
            value = mark.part("value")
            if attribute is not None:
                same = given.get(source[value.start : value.end]) if value is not None else None
                type_ = attribute.type or (same.type if same is not None else "")
                _add(named, Parameter(attribute.name, type_))
    return tuple(named.values())


def _own_parameters(found: Definition, source: str) -> list[Mark]:
    """Those of its header: none in another's type, none in the body."""
    end = found.body.start if found.body is not None else found.whole.end
    own: list[Mark] = []
    for mark in found.all("parameter"):
        is_inner = bool(own) and mark.span.end <= own[-1].span.end and mark.span != own[-1].span
        # What is spread in a constructor's initialisers is no parameter.
        before = source[max(mark.span.start - 80, 0) : mark.span.start].rstrip()[-1:]
        is_spread = source.startswith("...", mark.span.start) and len(mark.span) == 3 and before not in ("(", ",")
        if mark.span.start < end and not is_inner and not is_spread:
            own.append(mark)
    return own


_ARGUMENT = re.compile(r"\$\{?([1-9]\d?|[@*])(?:(:?[-=?])([^{}]*))?")


def _arguments(found: Definition, source: str) -> tuple[Parameter, ...]:
    """Of a shell's function: what its body reads of `$1`, `$2` and `$@`, in that order."""
    named: dict[str, Parameter] = {}
    for mark in found.all("argument"):
        match = _ARGUMENT.match(source, mark.span.start, mark.span.end)
        if match is None:
            continue
        name = "$@" if match[1] in "@*" else f"${match[1]}"
        alias = next((source[s.start : s.end] for each in found.all("given") if (s := _gives(each, mark, source))), "")
        default = (match[3] or "") if (match[2] or "").endswith(("-", "=")) else ""
        known = named.get(name)
        named[name] = Parameter(
            name, "", default or (known.default if known else ""), "rest" if name == "$@" else "plain",
            bool(default) or (known is not None and known.optional), (known.alias if known else "") or alias,
        )  # fmt: skip
    return tuple(sorted(named.values(), key=lambda each: int(each.name[1:]) if each.name[1:].isdigit() else 100))


def _gives(given: Mark, argument: Mark, source: str) -> Span | None:
    """The variable that is given just this argument."""
    value = given.part("value")
    if value is None or not (value.start <= argument.span.start and argument.span.end <= value.end):
        return None
    rest = source[value.start : argument.span.start] + source[argument.span.end : value.end]
    return given.part("name") if not rest.strip('"') else None


def _is_public(language: str, found: Definition, mark: Mark, source: str) -> bool:
    name = mark.part("name") or mark.span
    before = source[mark.span.start : name.start]
    if mark.sort == "assigned" or language not in ("csharp", "rust", "go", "cpp"):
        return re.search(r"\b(?:private|protected)\b", before) is None
    head = source[found.mark.span.start : (found.mark.part("name") or name).start]
    if re.search(r"\benum\b", head):
        return True
    if language == "csharp":
        return re.search(r"\bpublic\b", before) is not None
    if language == "rust":
        return before.startswith("pub")
    if language == "go":
        return source[name.start : name.start + 1].isupper()
    access = [each for each in found.all("access") if each.span.start < mark.span.start]
    said = source[access[-1].span.start : access[-1].span.end] if access else head
    return said.startswith("public" if access else ("struct", "union"))


def _add(named: dict[str, Parameter], attribute: Parameter | None) -> None:
    if attribute is None or attribute.name.startswith(("_", "#")):
        return
    known = named.get(attribute.name)
    if known is None or (attribute.type and not known.type):
        named[attribute.name] = attribute


def _is_maker(member: Definition, source: str) -> bool:
    name = member.mark.part("name")
    said = source[name.start : name.end] if name is not None else ""
    return said in ("__init__", "constructor", "initialize", "__construct")


class _Names:
    def __init__(self, language: str, source: str) -> None:
        self._language = language
        self._source = source

    def _said(self, span: Span | None) -> str:
        return "" if span is None else self._source[span.start : span.end].strip()

    def parameter(self, mark: Mark, kind: ParameterKind) -> Parameter | None:
        """None for one that has no name."""
        name = self.name(mark)
        if not _NAME.match(name) or (name == "_" and self._language in _WILD):
            return None
        type_ = self._type(mark)
        default = self._said(mark.part("value"))
        is_optional = bool(default) or mark.part("optional") is not None
        return Parameter(name, type_, default, kind, is_optional)

    def name(self, mark: Mark) -> str:
        return _MARKS.sub("", self._said(mark.part("name") or mark.span)).lstrip(":")

    def _type(self, mark: Mark) -> str:
        span = mark.part("type")
        type_ = _TYPE_LEAD.sub("", self._said(span))
        if self._language in ("c", "cpp") and span is not None:
            name = mark.part("name") or Span(span.end, span.end)
            between = self._source[span.end : name.start]
            if "(" in between:  # a pointer to a function
                type_ = self._source[mark.span.start : name.start] + self._source[name.end : mark.span.end]
            else:
                marks = _POINTER.search(between)
                type_ = self._source[mark.span.start : span.end] + (f" {marks[0].strip()}" if marks else "")
            type_ = " ".join(type_.split()).rstrip(";")
        return type_

    def taken_apart(self, mark: Mark, pieces: list[Mark], number: int) -> list[Parameter]:
        """A parameter without a name, and what is taken from it."""
        type_, default = self._type(mark), self._said(mark.part("value"))
        known = _SIMPLE_TYPE.match(type_)
        if known is not None:
            root = known[1][0].lower() + known[1][1:]
        else:
            root = f"root{number or ''}"
        pattern = mark.part("name") or mark.span
        is_optional = bool(default) or mark.part("optional") is not None
        listed = [Parameter(root, type_, default, "plain", is_optional)]
        around: list[tuple[Span, str, int]] = [(pattern, root, 0)]
        counts: dict[str, int] = {}
        for piece in pieces:
            if not (pattern.start <= piece.span.start and piece.span.end <= pattern.end):
                continue
            while around and around[-1][0].end <= piece.span.start:
                around.pop()
            parent = around[-1][1]
            if piece.sort == "item":
                key = f'"{counts.get(parent, 0)}"'
                counts[parent] = counts.get(parent, 0) + 1
            else:
                key = self._said(piece.part("key") or piece.span)
            name = f"{parent}.{key}"
            default = self._said(piece.part("value"))
            listed.append(Parameter(name, "", default, "plain", bool(default)))
            around.append((piece.span, name, 0))
        return listed
