"""From what a model says to the words of a docstring: one sentence, whole, without markup that would break it.

Whatever it says (nothing, half a sentence, quotes that end the docstring, another docstring), what comes of it is a
sentence that can stand there, or "".
"""

from __future__ import annotations

import re

from aigc_lsp.docstring.detect import Habits
from aigc_lsp.docstring.doc import Slot, SlotKind, bare
from aigc_lsp.docstring.layout import Layout
from aigc_lsp.docstring.styles.prose import columns
from aigc_lsp.docstring.styles.typed import parameter_of
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.docstring.verbs import base, third_person

# What ends a docstring, begins another part of one, or is talk about the task.
_END = re.compile(
    r"\"\"\"|'''|\*/|</|```|<\||[\x00-\x08\x0b-\x1f\x7f\ue000-\uf8ff\ufffd]|(?:^|\s)(?:[:@\\](?:param|returns?|raises?|throws"
    r"|type|rtype|brief|yields?|tparam|template)\b|(?:Args|Arguments|Returns|Raises|Yields|Parameters|Example|Examples|Note)"
    r":(?=\s|$))"
)
_SENTENCE = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\betc)(?<!\bvs)[.!?](?=\s+[\"'`(]?[A-Z])")
_ENDED = re.compile(r"[.!?][\"'`)\]]?$")
# What no sentence ends with.
_DANGLING = re.compile(
    r"[\s,;:(\[{–—/-]+$|(?:^|\s)(?:a|an|the|of|to|for|from|by|with|in|on|at|as|and|or|if|is|are|be|that|which|who|what|how|why|when|where"
    r"|whether|into|than|then|(?:with|of|for|to|by|from|in)\s(?:all|any|each|every)|its|their|this|these|using|such|will|can|should|must|not|but|used|based)$",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r",?\s(?:by|using|with|for|that|which|if|when|where|and|in|from|based on|so that|while|without|as|via|or|on|to"
    r"|of)\s|[,;]\s(?=\w+ing\b|optionally\b|then\b|so\b|but\b)"
)
# The last of a list so far; what begins with such a word is no part of one.
_LAST_OF_LIST = re.compile(
    r",\s((?!(?:if|when|where|which|that|as|for|so|then|but|and|or|by|with|using|optionally|e\.g|i\.e)\b)"
    r"[\w`'\"./-]+(?:\s[\w`'\"./-]+){0,3})$"
)
_USELESS = re.compile(r"(?i)\b(?:todo|fixme|xxx)\b|^(?:none|null|n/?a|description|docstring|summary|unknown|void)\W*$")
_TALK = re.compile(r"(?i)\b(?:docstring|imperative)")
"""Of the task, and not of the code."""

_LEAD = re.compile(r"^(?:[-*#>•–—:|.,;]+\s+|\(?optional\)?[:,.]?\s+)+", re.IGNORECASE)
_TYPED = re.compile(
    r"^(?:\*{0,2}[\w.]+\s*\([^()]*\)|\([^()]*\)|\{[^{}]*\}|[A-Za-z_][\w.]*(?:\[[^\]]*\])?(?:\s*\|\s*\w+)*):\s+"
)
_DEFAULT = re.compile(
    r"(?i)[,;]?\s*\(?\b(?:defaults?(?: value)?(?: is| to|:| =|=)+|by default)\s*([^.)]*(?:\.\d+)*)\)?\.?"
)

_SORT = (
    r"(?:helper|utility|convenience|wrapper|internal|private|simple|main|async|asynchronous|class|static|generator"
    r"|factory)"
)
_MADE = r"(?:function|method|helper|routine|procedure|utility|wrapper|decorator|coroutine|generator|context manager)"
_NOTHING_SAID = re.compile(
    rf"(?:(?:this|the)\s+(?:{_SORT}\s+)?{_MADE}|it)\s+(?:is\s+(?:used|called|responsible|designed|meant)\s+(?:to|for)\s+)?"
    rf"|(?:an?\s+)?(?:{_SORT}\s+)*{_MADE}\s+(?:(?:that|which|is|will|used|designed|called|responsible|to|for)\s+)+",
    re.IGNORECASE,
)
"""What says no more than that it is a function."""

_AND_VERB = re.compile(
    r"(\b(?:and|or|then)\s(?:(?:\w+ly|then|also)\s)?)(\w+s)(?=\s(?:an?|the|it|its|them|their|all|each|this|that|whether|if)\b)"
)
"""A verb behind a conjunction: what follows it shows that it is no noun."""

_CALLED = re.compile(
    rf"(?:(?:this|the)\s+(?:{_SORT}\s+)?{_MADE}|it)\s+is\s+(?:called|invoked|run|executed|triggered)"
    r"\s+(?=(?:when|whenever|if|once|before|after|on|for|by)\s)",
    re.IGNORECASE,
)
"""What says when it is called, and no more."""

_THIS = re.compile(r"(?:this|the)\s+(?:class|module|file|package|struct|enum|interface|type|script)\s+(?:is\s+)?", re.I)
_OTHERS = """
a an the this that these it is has does should here what some same always optional action api basic business callback
common constructor convenience convenient core custom deprecated dummy example factory false final function generic
getter handler helper hook implementation inherits main method module new placeholder returns setter setup simple
special sql standard static subclasses true unique utility wrapper
"""
_NOT_FIRST = frozenset(_OTHERS.split())
"""Words that no imperative begins with (ruff's D401 and D404 have most of them)."""

_GIVEN = {
    "number", "result", "dict", "dictionary", "collection", "string", "description", "reference", "schema", "default",
    "base", "formula", "calculation", "unit",
}  # fmt: skip
"""Of these likewise, but "Return the" makes one of them."""


def is_half(said: str) -> bool:
    """Whether a model's line was broken within a sentence: no full stop, and long, or what no sentence ends with."""
    said = said.rstrip()
    if not said or _ENDED.search(said) or _END.search(said):
        return False
    return len(said) >= 56 or _DANGLING.search(said) is not None


def cut(said: str) -> str:
    """What of words that were broken off anywhere can stand: whole sentences, or else whole clauses."""
    if found := list(_SENTENCE.finditer(said)):
        return said[: found[-1].end()]
    clauses = list(_CLAUSE.finditer(said))
    return _before(said, clauses[-1]) if clauses else ""


def _before(said: str, clause: re.Match[str]) -> str:
    """What of `said` stands before a clause; the last of a list has its "and" before the one that is left."""
    kept = said[: clause.start()]
    conjunction = clause[0].strip(", ")
    return _LAST_OF_LIST.sub(rf" {conjunction} \1", kept) if conjunction in ("and", "or") else kept


def sentence(said: str) -> str:
    """The first whole sentence of `said`, without a full stop, or what of it can stand alone."""
    said = said.partition("\n")[0]
    ended = _END.search(said)
    said = said[: ended.start()] if ended else said
    said = " ".join(said.split())
    said = _LEAD.sub("", said)
    first = _SENTENCE.search(said)
    said = said[: first.start() + 1] if first else said
    is_whole = _ENDED.search(said) is not None
    said = _balanced(said)
    while not is_whole and (found := _DANGLING.search(said)):
        said = said[: found.start()]
    return re.sub(r"[.!?\s]+$", "", said) if not said.endswith("...") else said.rstrip(". ")


def _balanced(said: str) -> str:
    """`said` up to a bracket that is never closed, and without single backticks and quotes."""
    for opening, closing in ("()", "[]", "{}"):
        depth, end = 0, len(said)
        for at in range(len(said) - 1, -1, -1):
            depth += (said[at] == closing) - (said[at] == opening)
            if depth < 0:
                depth, end = 0, at
        said = said[:end].rstrip()
    for quote in '`"':
        if said.count(quote) % 2:
            said = said.replace(quote, "")
    return said


def summary(said: str, subject: Subject, manner: Habits) -> str:
    """What a summary says, on one line of the layout, or "" where it is of no use."""
    said = _unnamed(said.strip().strip("`*_ "), subject.name)
    said = sentence(said)
    if subject.kind in ("class", "module", "property"):
        said = _NOTHING_SAID.sub("", _THIS.sub("", said, count=1), count=1) if said[:5].lower() == "this " else said
        said = "" if said[:5].lower() == "this " else said
    else:
        said = _mood(said, subject, manner.imperative)
    said = _fitting(said, _room(subject, manner.layout))
    if _is_useless(said) or not re.search(r"\w\s+\w", said):
        return ""
    if (talk := _TALK.search(said)) and talk[0].lower() not in subject.name.lower():
        return ""
    return said[:1].upper() + said[1:] if said[:1].islower() and said.split()[0].isalpha() else said


def _mood(said: str, subject: Subject, imperative: bool) -> str:
    """`said` with a verb at its beginning, in the mood that the file has."""
    said = _CALLED.sub("run ", said, count=1)
    stripped = _NOTHING_SAID.sub("", said, count=1) if _NOTHING_SAID.match(said) else said
    first, _, rest = stripped.partition(" ")
    verb = base(first)
    if not verb and rest and base(rest.partition(" ")[0]) and first.lower().endswith("ly"):  # "Asynchronously fetches"
        verb, adverb, rest = base(rest.partition(" ")[0]), first.lower(), rest.partition(" ")[2]
        rest = f"{rest} {adverb}".strip()
    if verb and (stripped is not said or first.lower() != "it"):
        return f"{_formed(verb, imperative).capitalize()} {_and(rest, imperative)}".strip()
    if subject.kind == "constructor":
        return ""
    is_noun = first.lower() in _GIVEN
    if (is_noun or first.lower() in ("a", "an", "the", "whether")) and _gives(subject):
        given = _formed("yield" if subject.yields is not None else "return", imperative).capitalize()
        return f"{given} {'the ' * is_noun}{stripped[:1].lower()}{stripped[1:]}"
    return "" if is_noun or first.lower() in _NOT_FIRST else stripped


def _gives(subject: Subject) -> bool:
    return subject.returns is not None or subject.yields is not None


def _formed(verb: str, imperative: bool) -> str:
    return verb if imperative else third_person(verb)


def _and(rest: str, imperative: bool) -> str:
    """What follows a verb, with others behind "and" in the same form."""
    rest = _AND_VERB.sub(lambda found: found[1] + (base(found[2]) or found[2]), rest) if imperative else rest
    conjunction, _, behind = rest.partition(" ")
    word, space, rest_of_it = behind.partition(" ")
    if conjunction in ("and", "or") and base(word) and not word.endswith("ing"):
        return f"{conjunction} {_formed(base(word), imperative)}{space}{rest_of_it}"
    return rest


def phrase(said: str, kind: SlotKind, slot: Slot, subject: Subject, manner: Habits) -> str:
    """What is said of a slot, or "" where it is of no use."""
    said = said.partition("\n")[0].strip()
    for _ in range(3):
        said = _LEAD.sub("", _unnamed(said, slot.name))
        said = _TYPED.sub("", said, count=1)
    parameter = parameter_of(slot, subject)
    said = sentence(_without_default(said, parameter.default if parameter else ""))
    if _is_useless(said) or _echoes(said, slot, subject):
        return ""
    return worded(said, manner.layout)


def worded(said: str, layout: Layout) -> str:
    """A phrase that begins and ends as the file's do."""
    first = said.partition(" ")[0]
    if first.isalpha() and (first.islower() or first.istitle()):
        said = (said[:1].upper() if layout.capital else said[:1].lower()) + said[1:]
    return f"{said}." if layout.phrase_stop and not said.endswith((".", "!", "?")) else said


def _unnamed(said: str, name: str) -> str:
    """`said` without the name that it repeats at its beginning."""
    if not bare(name):
        return said
    return re.sub(rf"^[`*'\"]*{re.escape(bare(name))}[`*'\"]*(?:\([^)]*\))?\s*(?:[:–—=-]+\s+|\s(?=\())", "", said)


def _without_default(said: str, default: str) -> str:
    """`said` without a default that is not the parameter's."""
    found = _DEFAULT.search(said)
    if found is None or (default and found[1].strip("`'\" ") == default.strip("'\"")):
        return said
    return said[: found.start()] + said[found.end() :]


def _echoes(said: str, slot: Slot, subject: Subject) -> bool:
    """Whether it is the slot's name or type again."""
    bareword = re.sub(r"\W", "", said).lower()
    parameter = parameter_of(slot, subject)
    types = (slot.type, parameter.type if parameter else "", subject.returns or "")
    return bareword in {re.sub(r"\W", "", each).lower() for each in (slot.name, *types)}


def _is_useless(said: str) -> bool:
    return len(said) < 4 or not re.search(r"[^\W\d_]{2}", said) or _USELESS.search(said) is not None


def _room(subject: Subject, layout: Layout) -> int:
    """How many columns a summary may have."""
    marks = 4 + 7 * layout.brief if subject.language != "python" else 0 if layout.below else 4
    return layout.width - columns(subject.indent) - marks


def _fitting(said: str, room: int) -> str:
    """`said`, shortened to whole clauses where it is longer than `room` with its full stop."""
    if columns(said) < room:
        return said
    clauses = [match for match in _CLAUSE.finditer(said) if columns(_before(said, match)) < room]
    for clause in reversed(clauses):
        kept = _before(said, clause)
        while found := _DANGLING.search(kept):
            kept = kept[: found.start()]
        if len(kept.split()) >= 3 and kept.count("(") == kept.count(")") and kept.count("`") % 2 == 0:
            return kept
    return ""
