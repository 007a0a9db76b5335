"""What can be said of a thing by its name and type alone: where a model says nothing of use."""

from __future__ import annotations

import re

from aigc_lsp.docstring.doc import Slot, SlotKind, bare
from aigc_lsp.docstring.styles.typed import parameter_of
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.docstring.verbs import VERBS, base

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+|[A-Z]")
_TRUTH = re.compile(r"(?i)\b(?:bool|boolean)\b")
_ASKS = ("is", "has", "can", "should", "are", "was", "does", "needs", "must")
_GIVERS = ("get", "fetch", "load", "find", "read", "create", "make", "build", "compute", "calculate", "parse", "new")
_RELATIONS = {
    "on": "Handle the {0}", "from": "Create {1} from the {0}", "to": "Convert {1} to {0}", "as": "Give {1} as {0}",
    "with": "Give {1} with the {0}", "for": "Do what is to be done for the {0}",
}  # fmt: skip
_ERRORS = {
    "ValueError": "If a value is not valid", "TypeError": "If something is of the wrong type",
    "KeyError": "If there is no such key", "IndexError": "If there is no such index",
    "AttributeError": "If there is no such attribute", "FileNotFoundError": "If there is no such file",
    "NotImplementedError": "If it is not implemented", "TimeoutError": "If it takes too long",
    "StopIteration": "If there is nothing left", "PermissionError": "If it is not permitted",
    "RangeError": "If a value is out of range", "AssertionError": "If something is not as it must be",
}  # fmt: skip


def words_of(name: str) -> list[str]:
    """The words of a name in lower case; what is in capitals stays so: `parseHTML_text` → parse, HTML, text."""
    found = _WORD.findall(name)
    return [word if len(word) > 1 and word.isupper() and not name.isupper() else word.lower() for word in found]


def summary(subject: Subject) -> str:
    """A summary, without a full stop at its end."""
    words = _called(subject)
    if subject.kind == "module" or not words:
        return "Hold what belongs together here" if subject.kind == "module" else "Do what its name says"
    said = " ".join(words)
    if subject.kind == "constructor":
        return f"Initialize the {' '.join(words_of(subject.parent.rpartition('.')[2])) or 'object'}"
    if subject.kind == "class":
        return f"{_article(said)} {said}"
    if subject.kind == "property":
        return f"The {said}"
    if words[0] in _ASKS:
        return f"Tell whether it {said}"
    rest = " ".join(words[1:])
    if rest and words[0] in _RELATIONS:
        owner = " ".join(words_of(subject.parent.rpartition(".")[2]))
        return _RELATIONS[words[0]].format(rest, f"the {owner}" if owner else "it")
    if base(words[0]) == words[0] and words[0] in VERBS:
        return f"{words[0].capitalize()} the {rest}" if rest else f"{words[0].capitalize()} it"
    if subject.returns is not None or subject.yields is not None:
        return f"Return the {said}"
    return f"Handle the {said}"


def phrase(kind: SlotKind, slot: Slot, subject: Subject) -> str:
    """A phrase for a slot, without a full stop at its end."""
    if kind == "raises":
        return _error(slot)
    if kind in ("returns", "yields"):
        return _result(kind, subject)
    if kind == "generics":
        return "The type parameter"
    parameter = parameter_of(slot, subject)
    said = " ".join(words_of(parameter.alias if parameter and parameter.alias else slot.name.rpartition(".")[2]))
    if parameter is not None and parameter.kind in ("rest", "keywords"):
        return "Further arguments" if parameter.kind == "rest" else "Further named arguments"
    if not said:
        return "The argument"
    if parameter is not None and (_TRUTH.search(parameter.type) or parameter.default.lower() in ("true", "false")):
        words = said.split()
        return (
            f"Whether it {said}"
            if words[0] in _ASKS
            else f"Whether to {said}"
            if words[0] in VERBS
            else f"Whether {said}"
        )
    return f"The {said}"


def _error(slot: Slot) -> str:
    name = re.findall(r"\w+", bare(slot.name).partition("<")[0])[-1:] or ["error"]
    if name[0] in _ERRORS:
        return _ERRORS[name[0]]
    if "panic" in name[0].lower():
        return "If something is not as it must be"
    words = [word for word in words_of(name[0]) if word not in ("error", "exception", "err")]
    if words[-2:] == ["not", "found"] and words[:-2]:
        return f"If the {' '.join(words[:-2])} is not found"
    return f"In case of {' '.join(words)}" if words else "If it fails"


def _called(subject: Subject) -> list[str]:
    """The words of its name, without the "a" of what is asynchronous: `afrom_texts`, `aget`."""
    first, *others = words_of(subject.name) or [""]
    is_marked = subject.is_async and first[:1] == "a" and first not in VERBS
    bare = first[1:] if is_marked and (first[1:] in VERBS or first[1:] in _RELATIONS) else first
    return [bare, *others] if bare else []


def _result(kind: SlotKind, subject: Subject) -> str:
    words = _called(subject)
    if kind == "yields":
        manages = any("contextmanager" in each for each in subject.decorators)
        return "Control to the with block" if manages else "The next item"
    if words[:1] and words[0] in _ASKS and _TRUTH.search(subject.returns or "bool"):
        return f"Whether it {' '.join(words)}"
    if words[1:] and words[0] in _GIVERS:
        return f"The {' '.join(words[1:])}"
    if _TRUTH.fullmatch((subject.returns or "").strip()):
        return "Whether it is so"
    if words and base(words[0]) not in VERBS and words[0] not in _RELATIONS:
        return f"The {' '.join(words)}"
    return "The result"


def _article(said: str) -> str:
    return "An" if said[0].lower() in "aeiou" else "A"
