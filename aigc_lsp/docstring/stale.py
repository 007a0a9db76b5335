"""Where a docstring no longer says what its function has, and the same docstring mended.

What a docstring leaves out altogether is no finding. Where it cannot be known from the definition alone whether
something is right (keys of `**kwargs`, what an abstract method's heirs return) it counts as right.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from typing import Literal

from aigc_lsp.docstring.doc import Doc, Slot, bare
from aigc_lsp.docstring.structure_flow import WEB
from aigc_lsp.docstring.subject import Subject

FindingKind = Literal["unknown", "missing", "renamed", "raise", "return", "yield"]

_INHERITED = re.compile(r"\{?@inherit[Dd]oc\}?|<inheritdoc|\bSee (?:the )?base class\b|^\s*:inherited:", re.MULTILINE)
_RECEIVERS = {"self", "cls", "this", "mcs", "mcls"}
_QUIET = {
    "staticmethod",
    "classmethod",
    "property",
    "cached_property",
    "override",
    "final",
    "cache",
    "lru_cache",
    "Override",
}
_NOTHING = re.compile(
    r"(?:Promise<|Task\b|Awaitable\[)?(?:None|void|undefined|nothing|null|never|NoReturn|\(\)|nil)\b", re.I
)
_CALL = re.compile(r"(?<![\w.!])([\w.!]*\w!?)\s*\(")
_HARMLESS = re.compile(
    r"(?:if|for|while|switch|return|catch|and|or|not|in|elif|with|await|super|isinstance|len|print|repr|str|bool|list|tuple"
    r"|set|dict|range|enumerate|zip|console\.\w+|Ok|Err|Some|[\w.]*(?:Error|Exception|Warning))$"
)
_ROOT = re.compile(r"[^.\[]+")

_ALIKE = 0.6
"""From this likeness on (difflib's), one name is taken for another's new one."""

_SAYS = {
    "unknown": "There is no parameter `{0}`.",
    "missing": "The parameter `{0}` is not documented.",
    "renamed": "The parameter `{0}` is called `{1}` now.",
    "raise": "`{0}` is not raised here.",
    "return": "Nothing is returned here.",
    "yield": "Nothing is yielded here.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a docstring says wrongly, or not at all. `new` is what a renamed parameter is called now."""

    kind: FindingKind
    name: str = ""
    new: str = ""

    @property
    def message(self) -> str:
        if self.kind == "raise" and not self.name:
            return "Nothing is raised here."
        return _SAYS[self.kind].format(self.name, self.new)


def findings(subject: Subject, doc: Doc, body: str = "") -> tuple[Finding, ...]:
    """What is stale in `doc`: parameters first, in its order, then those it misses, then the rest.

    `body` is the source of the subject's body, where it is at hand: what it calls may raise, and then no error that is
    told about counts as gone.
    """
    if subject.kind in ("class", "module") and not subject.parameters:
        return ()
    if is_inherited(doc):
        return ()
    raises = _of_raises(subject, doc)
    if raises and calls_out(body):
        raises = []
    return (*_of_parameters(subject, doc), *raises, *_of_results(subject, doc))


def is_inherited(doc: Doc) -> bool:
    """Whether it says that another docstring says it."""
    return any(_INHERITED.search(text) for text in _prose(doc))


def calls_out(body: str) -> bool:
    """Whether code calls anything but constructors of errors and what never fails."""
    return any(not _HARMLESS.match(found[1]) for found in _CALL.finditer(body))


def _prose(doc: Doc) -> list[str]:
    return [doc.summary, doc.description, *(f"{each.title} {each.text}" for each in doc.others)]


def _of_parameters(subject: Subject, doc: Doc) -> list[Finding]:
    variables = {each.alias: bare(each.name) for each in subject.parameters if each.alias}
    documented = [variables.get(bare(name), bare(name)) for slot in doc.parameters for name in slot.names]
    if not documented or subject.is_overload or not _comparable(subject, documented):
        return []
    known = [bare(each.name) for each in subject.parameters]
    own = called(subject, doc)
    documented = [_with_root(name, {name: root for root, name in own.items()}) for name in documented]
    unknown = [name for name in documented if not _exists(name, subject, known)]
    missing = [name for name in known if _is_missed(name, subject, documented)]
    renamed = {old: new for old, new in _renamed(documented, known) if old in unknown and new in missing}
    if any(each.kind == "keywords" for each in subject.parameters):
        unknown, renamed = [], {}  # they may be keys of **kwargs
    stale = [Finding("renamed" if name in renamed else "unknown", name, renamed.get(name, "")) for name in unknown]
    missed = [Finding("missing", name) for name in missing if name not in renamed.values()]
    full = {bare(each.name): each.name for each in subject.parameters if _root(each.name) not in own}

    def named(name: str) -> str:
        return full.get(name) or _with_root(name, own)

    return [Finding(each.kind, named(each.name), named(each.new)) for each in (*stale, *missed)]


def _comparable(subject: Subject, documented: Sequence[str]) -> bool:
    """A shell function's parameters have numbers; a header may call them as it likes, which says nothing of them."""
    return subject.language != "shellscript" or all(name.isdigit() or name in "@*" for name in documented)


def _root(name: str) -> str:
    found = _ROOT.match(name)
    return found[0] if found else name


def called(subject: Subject, doc: Doc) -> dict[str, str]:
    """How a docstring calls the parameters that have no name of their own: root → name."""
    documented = [bare(name) for slot in doc.parameters for name in slot.names]
    known = [bare(each.name) for each in subject.parameters]
    return {root: name for name, root in _roots_called(documented, known).items()}


def names_in(subject: Subject, doc: Doc) -> list[str]:
    """The parameters' names, as the docstring calls them."""
    own = called(subject, doc)
    return [_with_root(bare(each.name), own) for each in subject.parameters]


def _roots_called(documented: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """How the docstring calls the parameters that have no name since they are destructured, by their places."""
    roots, theirs = list(dict.fromkeys(map(_root, known))), list(dict.fromkeys(map(_root, documented)))
    return {
        their: root
        for their, root in zip(theirs, roots, strict=False)
        if re.fullmatch(r"root\d*", root) and their not in roots and root not in theirs
    }


def _with_root(name: str, roots: dict[str, str]) -> str:
    root = _root(name)
    return roots.get(root, root) + name[len(root) :]


def _exists(name: str, subject: Subject, known: list[str]) -> bool:
    if name in known or name in _RECEIVERS or name in subject.generics:
        return True
    root = _root(name)
    siblings = [each for each in subject.parameters if bare(each.name).startswith(f"{root}.")]
    open_ended = not siblings or any(each.kind in ("rest", "keywords") for each in siblings)
    return root != name and open_ended and (root in known or bool(siblings))


def _is_missed(name: str, subject: Subject, documented: list[str]) -> bool:
    """What gathers the rest, a block and what begins with `_` need not be told about; nor does a part of a parameter,
    unless another part of it is."""
    parameter = next(each for each in subject.parameters if bare(each.name) == name)
    if name in documented or name.startswith("_") or parameter.kind in ("rest", "keywords", "block"):
        return False
    root = _root(name)
    if root != name:
        return any(each.startswith(f"{root}.") for each in documented)
    return not any(_root(each) == name for each in documented)


def _renamed(documented: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    """Names that stand at the same place: as many old ones as new ones between the same neighbours, or else those
    that are much alike."""
    pairs: list[tuple[str, str]] = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, documented, known, autojunk=False).get_opcodes():
        if tag == "replace" and end - start == new_end - new_start:
            pairs += zip(documented[start:end], known[new_start:new_end], strict=True)
        elif tag == "replace":
            pairs += _alike(documented[start:end], known[new_start:new_end])
    return pairs


def _alike(documented: Sequence[str], known: Sequence[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for old in documented:
        left = [new for new in known if new not in dict(pairs).values()]
        for new in get_close_matches(old, left, n=1, cutoff=_ALIKE):
            pairs.append((old, new))
    return pairs


def _is_open(subject: Subject) -> bool:
    """What it raises and returns is for others to say: heirs, or the implementation of an overload."""
    unwritten = any(last_name(name) in ("NotImplementedError", "NotImplementedException") for name in subject.raises)
    return subject.is_abstract or subject.is_overload or subject.body is None or unwritten


def _of_raises(subject: Subject, doc: Doc) -> list[Finding]:
    if (
        _is_open(subject)
        or _may_raise_around(subject)
        or any(not last_name(name)[:1].isupper() for name in subject.raises if "panic" not in name)
    ):
        return []  # raised through a variable: it could be any
    raised = [last_name(name) for name in subject.raises]
    return [Finding("raise", slot.name) for slot in doc.raises if _is_gone(slot, raised)]


def _may_raise_around(subject: Subject) -> bool:
    """A decorator that nobody knows may raise what it likes."""
    return any(name.rsplit(".", 1)[-1].partition("(")[0] not in _QUIET for name in subject.decorators)


def _is_gone(slot: Slot, raised: Sequence[str]) -> bool:
    if not slot.name:
        return not raised
    if "panic" in slot.name.lower():  # what is called may panic, and rustdoc asks for that to be told
        return False
    return not any(_is_kind_of(each, last_name(name)) for name in slot.names for each in raised)


def last_name(name: str) -> str:
    """An error's name without its module and its markup."""
    words = re.findall(r"\w+", re.sub(r"^:\w+:", "", name).partition("<")[0])
    return words[-1] if words else name


def _is_kind_of(raised: str, told: str) -> bool:
    if raised == told:
        return True
    one, other = getattr(builtins, raised, None), getattr(builtins, told, None)
    return isinstance(one, type) and isinstance(other, type) and issubclass(one, other)


def _of_results(subject: Subject, doc: Doc) -> list[Finding]:
    implicit = subject.language in ("shellscript", "ruby") or subject.kind in ("property", "class", "module")
    if _is_open(subject) or implicit or subject.returns is not None or subject.yields is not None:
        return []
    if subject.is_async and subject.language in WEB:
        return []  # a promise is
    found = [Finding("return") for slot in doc.returns if not _NOTHING.match(slot.type or slot.phrase)][:1]
    return [*found, *[Finding("yield") for _ in doc.yields][:1]]


def mended(subject: Subject, doc: Doc, body: str = "") -> Doc:
    """`doc` without what is stale: what is gone is left out, a renamed parameter keeps its words, a missing one has a
    slot without words. All else stays as it was written. `body` as in `findings`."""
    found = findings(subject, doc, body)
    renamed = {each.name: each.new for each in found if each.kind == "renamed"}
    unknown = {each.name for each in found if each.kind == "unknown"}
    kept = [slot for old in doc.parameters if (slot := _mended(old, renamed, unknown)) is not None]
    missing = [each.name for each in found if each.kind == "missing"]
    if missing or renamed or unknown:
        doc = doc.with_slots("parameters", with_missing(kept, missing, names_in(subject, doc)))
    gone = {each.name for each in found if each.kind == "raise"}
    doc = doc.with_slots("raises", (slot for slot in doc.raises if slot.name not in gone))
    kinds = {each.kind for each in found}
    doc = replace(doc, returns=()) if "return" in kinds else doc
    return replace(doc, yields=()) if "yield" in kinds else doc


def with_missing(slots: list[Slot], missing: Sequence[str], names: Sequence[str]) -> list[Slot]:
    """`slots` and an empty one for each of `missing`, behind the one that it follows in the signature."""
    for name in missing:
        if bare(name) in names:
            before = set(names[: names.index(bare(name))])
        else:  # part of what the docstring calls otherwise
            before = {bare(each) for slot in slots for each in slot.names if _root(bare(each)) == _root(name)}
        at = max((n + 1 for n, slot in enumerate(slots) if before & set(map(bare, slot.names))), default=0)
        slots = [*slots[:at], Slot(name), *slots[at:]]
    return slots


def _mended(slot: Slot, renamed: dict[str, str], unknown: set[str]) -> Slot | None:
    """A parameter's slot with the names that it has now; None where none is left."""
    names = [renamed.get(bare(name), name) for name in slot.names if bare(name) not in unknown]
    if not names and slot.names:
        return None
    return replace(slot, name=", ".join(names)) if tuple(names) != slot.names else slot
