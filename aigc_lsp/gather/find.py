"""Which definitions the names near the cursor mean: in this file, by its imports, or as the only ones of that name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aigc_lsp.context.document import Document
from aigc_lsp.context.needs import Need, bases, returned, types_of
from aigc_lsp.context.outline import dotted
from aigc_lsp.index.resolve import meant, resolve
from aigc_lsp.index.table import Defined, Imported, Index, Wanted
from aigc_lsp.syntax import family_of
from aigc_lsp.text import Span, Text

FEW = 2
"""A member that is found by its name alone is told of where so few classes have one."""

REACH = 8000
"""Characters before the cursor in which a variable's type is looked for."""

OWNERS = ("class", "type")
_SELVES = {"self", "this", "cls"}

# In these languages the files of one folder see each other's names.
_SHARED_FOLDER = {"go", "java", "csharp", "php"}
# In these nothing says where a name comes from.
_UNNAMED = {"c", "cpp", "ruby", "shellscript", "php", "csharp"}


@dataclass(frozen=True, slots=True)
class Found:
    """A definition that is meant; `is_owner` where what it has is wanted, too."""

    defined: Defined
    is_owner: bool


class Finder:
    """Looks names up for one place in one file. `path` is relative to the root of `index`; `text_of` gives the text of
    a file for which the index's offsets hold, where it is at hand."""

    def __init__(
        self, index: Index, path: str, document: Document, offset: int, text_of: Callable[[str], Text | None]
    ) -> None:
        self._index = index
        self._text_of = text_of
        self._path = path
        self._document = document
        self._offset = offset
        tree = document.tree
        self._imports: Sequence[Wanted] = tree.imports() if tree else index.imports(path)
        self._scopes = tree.scopes(offset) if tree else ()

    def find(self, need: Need) -> list[Found]:
        if not need.name:
            return [Found(each, True) for each in self._owners(need.receiver)[:1]] or self._module(need.receiver)
        found = self._member(need.name, need.receiver) if need.receiver else self._named(need.name)
        # Of a class the first: others are parts of it (Rust's impl), or stand for other systems.
        first = found[: 1 if found and found[0].kind in OWNERS else FEW]
        return [Found(each, each.kind in OWNERS) for each in first]

    def members(self, owner: Defined) -> list[Defined]:
        """What a class has, from its top to its end."""
        return self._index.members(owner.path, dotted(owner))

    def owner_of(self, member: Defined) -> Defined | None:
        parent, _, name = member.parent.rpartition(".")
        found = self._index.named_in(member.path, name) if name else []
        return next((each for each in found if each.parent == parent and each.kind == "class"), None)

    def _named(self, name: str) -> list[Defined]:
        return self._in_own_file(name) or self._by_import(name) or self._nearby(name)

    def _by_import(self, name: str, receiver: str = "") -> list[Defined]:
        return meant(self._index, self._path, self._document.language, self._imports, name, receiver)

    def _in_own_file(self, name: str) -> list[Defined]:
        return [each for each in self._index.named_in(self._path, name) if self.owner_of(each) is None]

    def _nearby(self, name: str) -> list[Defined]:
        """Where no import says it: in the same folder, or anywhere where there is only one."""
        language = self._document.language
        if language not in _SHARED_FOLDER and language not in _UNNAMED:
            return []
        found = [each for each in self._index.definitions(name) if each.kind != "method" and self._is_kin(each.path)]
        folder = self._path.rpartition("/")[0]
        beside = [each for each in found if each.path.rpartition("/")[0] == folder]
        if beside:
            return beside
        return found if language in _UNNAMED and len({each.path for each in found}) <= FEW else []

    def _member(self, name: str, receiver: str) -> list[Defined]:
        owners = self._owners(receiver)
        for owner in owners:
            if found := self._has(owner, name):
                return found
        if found := self._by_import(name, receiver):
            return found
        # A method's name may be all that is known; where few have it, it is as good as its type.
        span = Span(max(0, self._offset - REACH), self._offset)
        if any(owner.path != self._path for owner in owners) or types_of(receiver, self._document.text.source, span):
            return []
        methods = [each for each in self._index.definitions(name) if each.parent and self._is_kin(each.path)]
        return methods if len(methods) <= FEW else []

    def _owners(self, receiver: str) -> list[Defined]:
        """The classes that `receiver` may be of, or be."""
        own = self._own_classes() if receiver.partition(".")[0] in _SELVES else []
        if own and "." not in receiver:
            return own
        if own:
            typed = [found for owner in own for found in self._types_of_member(owner, receiver.rpartition(".")[2])]
            return typed or self._types_of(receiver, self._own_span)
        start = max(0, self._offset - REACH)
        return self._types_of(receiver, Span(start, self._offset)) or [
            each for each in self._named(receiver) if each.kind in OWNERS
        ]

    def _types_of(self, variable: str, span: Span, hops: int = 2) -> list[Defined]:
        """The classes that a variable of this file may be of, by how it is declared or made."""
        found: list[Defined] = []
        for name in types_of(variable, self._document.text.source, span):
            head, _, last = name.replace("::", ".").rpartition(".")
            meant_by = self._by_import(last, head.rpartition(".")[2]) if head else self._named(last)
            if not meant_by and hops and not head and last != variable:
                found += self._types_of(last, span, hops - 1)
            for each in meant_by:
                found += [each] if each.kind in OWNERS else self._types_in(each)
        return found

    def _types_in(self, defined: Defined) -> list[Defined]:
        """The classes that a function returns or a member is of, as its header says."""
        header = self._header_of(defined)
        if defined.kind in ("function", "method"):
            names = returned(header, defined.name)
        else:
            names = types_of(defined.name, header, Span(0, len(header)))
        return [found for name in names for found in self._named_there(defined.path, name) if found.kind in OWNERS]

    def _types_of_member(self, owner: Defined, name: str) -> list[Defined]:
        return [found for member in self._has(owner, name) for found in self._types_in(member)]

    def _named_there(self, path: str, name: str) -> list[Defined]:
        """What `name` means in another file."""
        last = name.replace("::", ".").rpartition(".")[2]
        top = [each for each in self._index.named_in(path, last) if self.owner_of(each) is None]
        return top or meant(self._index, path, self._document.language, self._index.imports(path), last)

    def _own_classes(self) -> list[Defined]:
        """The class around the cursor, and those that it is made from."""
        around = [scope for scope in self._scopes if scope.kind == "class"]
        if not around:
            return []
        own = [each for each in self._index.named_in(self._path, around[-1].name) if each.kind == "class"]
        header = self._document.text.slice(around[-1].header)
        made_from = (found for name in bases(header, around[-1].name) for found in self._named(name)[:1])
        return own[:1] + [each for each in made_from if each.kind in OWNERS]

    @property
    def _own_span(self) -> Span:
        around = next((scope.span for scope in reversed(self._scopes) if scope.kind == "class"), None)
        start = max(around.start if around else 0, self._offset - 8 * REACH)
        return Span(start, max(start, min(around.end if around else self._offset, self._offset + 8 * REACH)))

    def _has(self, owner: Defined, name: str, hops: int = 2) -> list[Defined]:
        """The member of a class, or of what that is made from."""
        if found := [each for each in self.members(owner) if each.name == name]:
            return found
        for base in bases(self._header_of(owner), owner.name) if hops else ():
            for each in self._named_there(owner.path, base):
                if each.kind in OWNERS and each != owner and (found := self._has(each, name, hops - 1)):
                    return found
        return []

    def _header_of(self, defined: Defined) -> str:
        text = self._text_of(defined.path)
        return text.slice(defined.header) if text is not None else ""

    def _module(self, receiver: str) -> list[Found]:
        """What a module has at its top, where `receiver` is one."""
        for each in self._imports:
            called = each.alias or each.module.replace("::", ".").replace("/", ".").rpartition(".")[2]
            wanted: list[Wanted] = [each] if not each.names and called == receiver else []
            wanted += [
                Imported(each.module, ((name, ""),), "") for name, local in each.names if (local or name) == receiver
            ]
            for one in wanted:
                for path in resolve(self._index, self._path, self._document.language, one)[:1]:
                    return [Found(found, False) for found in _public(self._index.in_file(path))]
        return []

    def _is_kin(self, path: str) -> bool:
        return path != self._path and family_of(self._index.files[path].language) == family_of(self._document.language)


def _public(found: Iterable[Defined]) -> list[Defined]:
    return [each for each in found if not each.parent and not each.name.startswith("_")][:12]
