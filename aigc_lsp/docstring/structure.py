"""What a docstring has to tell of, read off the tree.

Contract
    Never raises, and knows only what the tree knows: a definition whose header has an error is left out. Offsets are
    code points of the tree's text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from aigc_lsp.docstring.structure_flow import WEB, is_stub, raises_of, returns_of, yields_of
from aigc_lsp.docstring.structure_names import attributes_of, generics_of, parameters_of
from aigc_lsp.docstring.structure_nest import Definition, definitions
from aigc_lsp.docstring.structure_place import (
    above,
    between,
    header_of,
    indent_at,
    module_place,
    python_module_place,
    python_place,
)
from aigc_lsp.docstring.subject import Kind, Parameter, Subject
from aigc_lsp.syntax import Tree, marks
from aigc_lsp.text import Span, Text

_MODULES = ("python", "go", "rust", "shellscript")
_CONSTRUCTORS = {
    "python": ("__init__", "__new__"),
    "ruby": ("initialize",),
    "php": ("__construct",),
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), ("constructor",)),
}
_PROPERTIES = re.compile(r"(?:.*\.)?(?:property|cached_property|abstractproperty|setter|getter|deleter)$")
# A method without a body is one that others have to write.
_BODILESS = ("java", "csharp", "php", "rust", "go", "typescript", "typescriptreact")
_SELVES = ((Parameter("self"),), (Parameter("cls"),))
_DECORATOR = re.compile(r"[\w.:\\]+")
_COMMENT_LINE = re.compile(r"\s*(?:$|//|#|/?\*|--|@|\[|template\b)")


# What stands before the type of what is returned and is none of it.
_SPECIFIER = re.compile(
    r"\btemplate\s*<[^{;]*>(?=\s*[\w\[:~])|\b(?:static|inline|extern|virtual|constexpr|consteval|explicit|friend|export"
    r"|__inline__|__inline|_Noreturn|noexcept|__attribute__\s*\(\(.*?\)\))(?!\w)|\"C\"|\[\[.*?\]\]|\b[A-Z][A-Z0-9_]{3,}\b"
    r"(?=\s+\w)"
)
_TRAILING = re.compile(r"\)[^()]*->\s*([^{;=]+?)\s*$")


def subjects(tree: Tree) -> tuple[Subject, ...]:
    """All that can have a docstring, in order of place; first the file itself where its language knows that."""
    return _Reader(tree, 0, len(tree.text)).subjects()


def subjects_at(tree: Tree, start: int, end: int) -> tuple[Subject, ...]:
    """What a cursor or a selection means.

    The definitions whose header it covers; else the innermost whose decorators, header or docstring it is in; else the
    file, where it is before everything in it.
    """
    text = tree.text
    start, end = sorted((min(max(start, 0), len(text)), min(max(end, 0), len(text))))
    first, last = max(_to_definition(text, start, -1) - 1, 0), min(_to_definition(text, end, 1) + 1, len(text))
    near = _Reader(tree, first, last)
    chosen = near.chosen(start, end)
    if not chosen:
        module = near.module()
        is_first = module is not None and end <= max(module.place, module.existing.end if module.existing else 0)
        return (module,) if module is not None and is_first else ()
    names = {each.mark.parts["name"][0] for each in chosen}
    low, high = min(each.whole.start for each in chosen), max(each.whole.end for each in chosen)
    low = _to_definition(text, low, -1)
    whole = _Reader(tree, max(min(low, first) - 1, 0), high)
    return tuple(
        subject
        for each in whole.found
        if each.mark.parts["name"][0] in names and (subject := whole.subject(each)) is not None
    )


def _to_definition(text: Text, offset: int, step: int) -> int:
    """The end of the comments and decorators above `offset`, or that it is in, towards `step`: what they lead to
    follows them."""
    line = text.line_at(offset)
    for _ in range(300):
        leading = line - 1 if step < 0 else line
        if not 0 <= line + step < text.line_count or not _COMMENT_LINE.match(text.line(leading)):
            break
        line += step
    return text.line_start(line) if step < 0 else max(text.line_end(line), offset)


class _Reader:
    """The subjects of a stretch of a tree."""

    def __init__(self, tree: Tree, start: int, end: int) -> None:
        self._text = tree.text
        self._source = tree.text.source
        self._language = tree.language_id
        self._marks = marks(tree, start, end)
        faults = tree.faults() if tree.has_errors else ()
        self._above = above(self._text, self._language, self._marks)
        self._leads = [mark for mark in self._marks if mark.role in ("comment", "decorator")]
        self._decorators = [mark for mark in self._leads if mark.role == "decorator"]
        self._generics = [mark for mark in self._marks if mark.role == "generic"]
        self._faults = faults or ()
        self.found = definitions(self._marks, self._source) if faults is not None else []
        self._times = Counter(tuple(self._path(each)) for each in self.found if each.mark.role == "function")

    def subjects(self) -> tuple[Subject, ...]:
        listed = [subject for each in self.found if (subject := self.subject(each)) is not None]
        listed.sort(key=lambda subject: (subject.span.start, -subject.span.end))
        module = self.module()
        return (module, *listed) if module is not None else tuple(listed)

    def chosen(self, start: int, end: int) -> list[Definition]:
        """The definitions that `start..end` means."""
        held: list[tuple[int, Definition]] = []
        covered: list[Definition] = []
        for each in self.found:
            subject = self.subject(each)
            if subject is None:
                continue
            header = subject.header
            if start < end and start <= header.start and header.end <= end:
                covered.append(each)
            first = min(subject.span.start, subject.existing.start if subject.existing else header.start)
            last = max(header.end, subject.existing.end if subject.existing else 0)
            line = self._text.line_start(self._text.line_at(first))
            if (line if not self._source[line:first].strip() else first) <= start and end <= self._line_end(last):
                held.append((len(subject.span), each))
        if covered:
            return covered
        return [min(held, key=lambda each: each[0])[1]] if held else []

    def _line_end(self, offset: int) -> int:
        """`offset`, or the end of its line where nothing but an opening bracket follows."""
        end = self._text.line_end(self._text.line_at(offset))
        return end if not self._source[offset:end].strip(" \t{:;") else offset

    def module(self) -> Subject | None:
        """The file itself."""
        if self._language not in _MODULES:
            return None
        text, whole = self._text, Span(0, len(self._text))
        comments = [mark for mark in self._leads if mark.role == "comment"]
        existing: Span | None
        if self._language == "python":
            place = python_module_place(text)
            existing = self._docstring(None)
        else:
            package = next((mark.span.start for mark in self._marks if mark.role == "package"), None)
            place, existing = module_place(text, self._language, comments, package)
            if self._language == "shellscript" and existing is not None and self._is_of_definition(existing):
                existing = None
        return Subject("module", self._package(), self._language, whole, Span(place, place), whole, place, "", existing)

    def _package(self) -> str:
        """Go's name of the file's package."""
        span = (
            next((mark.span for mark in self._marks if mark.role == "package"), None)
            if self._language == "go"
            else None
        )
        named = re.search(r"\bpackage\s+(\w+)", self._source[span.start : span.end]) if span is not None else None
        return named[1] if named else ""

    def _is_of_definition(self, comment: Span) -> bool:
        return any(self._above.of(each.whole)[1] == comment for each in self.found)

    def _docstring(self, found: Definition | None) -> Span | None:
        """Python's."""
        if found is not None:
            doc = next(iter(found.all("doc")), None)
        else:
            at = python_module_place(self._text)
            doc = next((mark for mark in between(self._marks, at, at + 1) if mark.role == "doc"), None)
        if doc is None or re.match(r"\w*[bBfFtT]\w*[\"']", self._source[doc.span.start : doc.span.start + 4]):
            return None
        return doc.span

    def subject(self, found: Definition) -> Subject | None:
        """None where the header is not sound."""
        mark, text, source = found.mark, self._text, self._source
        name = mark.parts["name"][0]
        whole, existing = self._above.of(found.whole)
        decorators = between(self._decorators, whole.start, name.start)
        leads = between(self._leads, whole.start, name.start)
        header = header_of(text, whole, leads, name, found.body, mark.part("end"))
        faults = [fault for fault in self._faults if fault.start <= whole.end and whole.start <= fault.end]
        if any(fault.start <= header.end and header.start <= fault.end and len(fault) < len(whole) for fault in faults):
            return None
        place, indent = whole.start, indent_at(text, whole.start)
        is_inline = place != text.line_start(text.line_at(place)) + len(indent)
        if self._language == "python":
            existing = self._docstring(found)
            place, indent, is_inline = python_place(text, header, found.body)
        said = tuple(
            match[0] for each in decorators if (match := _DECORATOR.search(source, each.span.start, each.span.end))
        )
        subject = Subject(
            self._kind(found, said), self._name(found), self._language, whole, header, found.body, place, indent,
            existing, decorators=said, is_inline=is_inline, is_sound=not faults,
            parent=".".join(self._path(found)[:-1]),
        )  # fmt: skip
        return self._told(found, subject)

    def _name(self, found: Definition) -> str:
        return self._path(found)[-1]

    def _path(self, found: Definition) -> list[str]:
        """The names of what encloses it, and its own; in C++ that may be qualified."""
        span = found.mark.parts["name"][0]
        name = self._source[span.start : span.end].strip("\"'")
        own = [name] if name.startswith("operator") else name.split("::")
        return [part for each in found.parents for part in each.split("::")] + own

    def _kind(self, found: Definition, decorators: Sequence[str]) -> Kind:
        mark = found.mark
        if mark.role == "class":
            return "class"
        name = self._name(found)
        path = self._path(found)
        is_member = found.is_member or mark.part("owner") is not None
        if self._language == "cpp":
            is_member = is_member or len(path) > len(found.parents) + 1
            if is_member and name == re.sub(r"<.*", "", path[-2]):
                return "constructor"
        if self._language in WEB and name == "constructor":  # of a class that is an expression, too
            is_member = is_member or found.whole.start == mark.parts["name"][0].start
        if is_member and name in _CONSTRUCTORS.get(self._language, ()):
            return "constructor"
        if mark.sort in ("constructor", "property", "method"):
            return mark.sort  # type: ignore[return-value]
        if is_member and any(_PROPERTIES.match(decorator) for decorator in decorators):
            return "property"
        return "method" if is_member else "function"

    def _told(self, found: Definition, subject: Subject) -> Subject:
        """With what the inside of the definition tells."""
        source, language = self._source, self._language
        generics = generics_of(found.all("generic"), source)
        if language == "cpp":  # a template's parameters stand before the definition
            generics = generics_of(between(self._generics, subject.span.start, subject.header.end), source)
        parameters = parameters_of(language, found, source)
        if subject.kind == "class":
            attributes = attributes_of(language, found, source)
            return replace(
                subject, parameters=parameters, generics=generics, attributes=attributes,
                is_abstract=self._says(found, "abstract"),
            )  # fmt: skip
        stub = is_stub(language, found, source, subject.existing)
        static = self._is_static(found, subject)
        if language == "python" and subject.kind != "function" and "staticmethod" not in subject.decorators:
            parameters = _without_self(parameters)
        elif language == "python" and self._faults and self._is_stray(found, subject) and parameters[:1] in _SELVES:
            parameters = parameters[1:]  # an error above has cost the tree the class
        declared = self._declared(found, subject)
        abstract = any(each.rsplit(".", 1)[-1].startswith("abstract") for each in subject.decorators)
        returns = returns_of(language, found, source, declared, stub)
        return replace(
            subject,
            parameters=parameters,
            generics=generics,
            returns=None if subject.kind == "constructor" and subject.name != "__new__" else returns,
            always_returns=returns is None or not found.all("open"),
            yields=yields_of(language, found, declared),
            raises=raises_of(language, found, source, declared),
            is_async=self._says(found, "async"),
            is_static=static,
            is_overload=self._is_overload(found, subject.decorators),
            is_abstract=abstract or self._is_abstract(found, subject),
        )  # fmt: skip

    def _is_stray(self, found: Definition, subject: Subject) -> bool:
        """Whether it is indented, and in nothing."""
        return found.owner is None and indent_at(self._text, subject.header.start) != ""

    def _says(self, found: Definition, word: str) -> bool:
        """Whether `word` stands before the name, or begins the function that the name is given to."""
        start, end, scope = found.whole.start, found.mark.parts["name"][0].start, found.mark.part("scope")
        if scope is not None and re.compile(rf"{word}\b").match(self._source, scope.start):
            return True
        start = max((each.span.end for each in between(self._decorators, start, end)), default=start)
        return re.search(rf"\b{word}\b", self._source[start:end]) is not None

    def _is_overload(self, found: Definition, decorators: Sequence[str]) -> bool:
        if any(each.rsplit(".", 1)[-1] == "overload" for each in decorators):
            return True
        return found.mark.sort == "overload" and self._times[tuple(self._path(found))] > 1

    def _is_static(self, found: Definition, subject: Subject) -> bool:
        if self._language == "python":
            return "staticmethod" in subject.decorators
        if self._language == "rust":
            return subject.kind == "method" and not found.all("receiver")
        return found.mark.sort == "static" or (subject.kind == "method" and self._says(found, "static"))

    def _is_abstract(self, found: Definition, subject: Subject) -> bool:
        if self._language == "cpp":
            return re.search(r"=\s*0$", self._source[subject.header.start : subject.header.end]) is not None
        is_bare = found.body is None and found.mark.sort != "overload" and self._language in _BODILESS
        return self._says(found, "abstract") or (is_bare and subject.kind == "method")

    def _declared(self, found: Definition, subject: Subject) -> str:
        """The declared type of what is returned."""
        span = found.mark.part("type")
        if self._language in ("c", "cpp"):
            name = found.mark.parts["name"][0]
            behind = _TRAILING.search(self._source, name.end, subject.header.end)
            said = behind[1] if behind else self._source[subject.header.start : name.start]
            return " ".join(_SPECIFIER.sub("", said).split())
        if span is None:
            return ""
        return re.sub(r"^(?::|->)\s*", "", self._source[span.start : span.end].strip())


def _without_self(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    first = parameters[0] if parameters else None
    return parameters[1:] if first is not None and first.kind in ("plain", "positional") else parameters
