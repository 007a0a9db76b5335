"""Which style a file's docstrings have, and what else is their habit, by votes.

A setting decides the style alone; else the file's own docstrings do, then the project's, then the language's default.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from aigc_lsp.docstring.doc import SLOT_KINDS, Doc
from aigc_lsp.docstring.layout import Layout, width_of
from aigc_lsp.docstring.styles import OF_LANGUAGE, STYLES, Style, comment, literal
from aigc_lsp.docstring.subject import Subject
from aigc_lsp.text import Span

Vote = TypeVar("Vote")

_SIGNS = {
    "google": re.compile(
        r"^\s*(?:Args|Arguments|Returns?|Raises|Yields?|Attributes|Keyword Args|Parameters)\s*:[ \t]*$", re.MULTILINE
    ),
    "numpy": re.compile(r"^\s*\w[\w ]*\n\s*-{3,}\s*$", re.MULTILINE),
    "sphinx": re.compile(
        r"^\s*:(?:param|type|returns?|rtype|raises?|yields?|ivar|arg|keyword)\b[^:\n]*:", re.MULTILINE
    ),
    "epytext": re.compile(r"^\s*@(?:param|type|returns?|rtype|raises?|ivar|keyword)\b[^:\n]*:", re.MULTILINE),
    "jsdoc": re.compile(r"@(?:param|returns?|type|throws|property|typedef)\s+\{(?!@)"),
    "tsdoc": re.compile(r"@(?:param\s+[\w.]+\s+-\s|remarks\b|typeParam\b|returns\s+(?!\{)|throws\s+\{@link)"),
}

_PROSE_ALONE = 4
"""So many functions with parameters, documented, and no sign of a style: the file has prose alone."""

_SETTING_NAMES = {"rest": "sphinx", "restructuredtext": "sphinx", "numpydoc": "numpy", "epydoc": "epytext"}

_DEFAULTS = {
    "jsdoc": Layout(types=True, dash=True, gap=False),
    "tsdoc": Layout(dash=True),
    "phpdoc": Layout(types=True),
    "javadoc": Layout(capital=False, phrase_stop=False),
    "yard": Layout(types=True),
    "doxygen": Layout(brief=True, one_line=False),
}

_INDICATIVE = {"javadoc", "kdoc", "csharp", "rustdoc", "go"}
"""Whose guides say "Returns the key." rather than "Return the key.\""""

_IMPERATIVE = {"numpy", "sphinx", "epytext", "plain"}
"""Which PEP 257 and its linters hold to "Return the key.", whatever the file has; Google's guide leaves it to that. All
of Python's hold to a full stop."""

_TAG = re.compile(r"[@\\](?!inheritDoc|link)[a-z]\w*")


@dataclass(frozen=True, slots=True)
class Habits:
    """The style (a name in `STYLES`), how it is laid out, and whether summaries say "Return …" or "Returns …"."""

    style: str
    layout: Layout
    imperative: bool = True


def detect(
    existing: Sequence[tuple[str, Subject]],
    language: str,
    project: Sequence[str] = (),
    setting: str = "",
    width: int | None = None,
    unit: str = "    ",
) -> Habits:
    """The habits of a file whose docstrings, with quotes or marks, are `existing`; `project` are those of others.

    `setting` is the name of a style, or ""; one that `language` cannot have counts as "". `width` is in columns,
    None where nothing is known; `unit` is one step of the code's indentation, which docstrings have that say no other.
    """
    nobody = Subject("function", "", language, Span(0, 0), Span(0, 0), None, 0, "")
    elsewhere = [(text, nobody) for text in project]
    style = _style(existing, elsewhere, language, setting)
    told = [(text, STYLES[style].parse(text, subject), subject) for text, subject in existing or elsewhere]
    votes = (_is_imperative(doc) for _, doc, subject in told if subject.kind not in _NOUNS)
    imperative = style in _IMPERATIVE or _majority(votes, style not in _INDICATIVE)
    width = width or width_of(None, None, language)
    layout = _layout(told, style, replace(_DEFAULTS.get(style, Layout()), width=width, unit=unit))
    return Habits(style, layout, imperative)


def habits_of(text: str, subject: Subject, habits: Habits) -> Habits:
    """The habits of one docstring; where it has none, those of its file."""
    style = _sign(text, OF_LANGUAGE.get(subject.language, ())) or habits.style
    own = habits.layout
    default = own if style == habits.style else _DEFAULTS.get(style, Layout())
    default = replace(default, width=own.width, unit=own.unit)
    return Habits(
        style, _layout([(text, STYLES[style].parse(text, subject), subject)], style, default), habits.imperative
    )


def parsed(text: str, subject: Subject) -> tuple[Style, Doc]:
    """One docstring, by itself: in which style it is, and what it says."""
    style = STYLES[_style([(text, subject)], (), subject.language, "")]
    return style, style.parse(text, subject)


_NOUNS = ("class", "module", "property")


def _majority(votes: Iterable[Vote | None], default: Vote) -> Vote:
    """What most say; `default` where nobody says anything or as many say something else."""
    counts = Counter(vote for vote in votes if vote is not None).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return default
    return counts[0][0]


def _style(
    existing: Sequence[tuple[str, Subject]], elsewhere: Sequence[tuple[str, Subject]], language: str, setting: str
) -> str:
    choices = OF_LANGUAGE.get(language, ("kdoc",))
    wanted = _SETTING_NAMES.get(setting.lower(), setting.lower())
    if wanted in choices:
        return wanted
    for docs in (existing, elsewhere):
        found = _majority((_sign(text, choices) for text, _ in docs), "")
        if found:
            return found
    prose_alone = sum(len(subject.parameters) > 0 for _, subject in existing) >= _PROSE_ALONE
    return "plain" if "plain" in choices and prose_alone else choices[0]


def _sign(text: str, choices: Sequence[str]) -> str | None:
    """The style that a docstring has most signs of."""
    text = re.sub(r"\r\n?", "\n", text)
    signs = {style: len(_SIGNS[style].findall(text)) for style in choices if style in _SIGNS}
    best = max(signs, key=lambda style: signs[style], default=None)
    return best if best is not None and signs[best] else None


def _layout(told: Sequence[tuple[str, Doc, Subject]], style: str, default: Layout) -> Layout:
    texts = [re.sub(r"\r\n?", "\n", text).strip() for text, _, _ in told]
    several = [text for text in texts if "\n" in text]
    docs = [doc for _, doc, _ in told]
    # How a file's own begins, or a sentence between lines of quotes, says little of those with sections.
    longer = [text for text, doc in zip(texts, docs, strict=True) if any(map(doc.slots, SLOT_KINDS))]
    others = [text for text, (_, _, subject) in zip(texts, told, strict=True) if subject.kind != "module"]
    phrases = [slot.phrase for doc in docs for kind in SLOT_KINDS for slot in doc.slots(kind) if slot.phrase]
    return replace(
        default,
        unit=_majority(map(_unit, texts), default.unit),
        quotes=_majority(map(_quotes, texts), default.quotes),
        form=_majority(map(_form, texts), default.form),
        below=_majority((_begins_below(text) for text in longer or others if "\n" in text), default.below),
        blank_end=_majority(
            (bool(re.search(r"\n[ \t]*\n[ \t]*['\"]{3}$", text)) for text in several), default.blank_end
        ),
        text_end=_majority((bool(re.search(r"\S[ \t]*['\"]{3}$", text)) for text in several), default.text_end),
        one_line=_majority(map(_on_one_line, texts), default.one_line),
        gap=_majority(map(_gap, texts), default.gap),
        types=_majority((any(slot.type for slot in doc.parameters) for doc in docs if doc.parameters), default.types),
        parameters=default.parameters or (style == "rustdoc" and any(doc.parameters or doc.returns for doc in docs)),
        full_stop=style in _IMPERATIVE
        or style == "google"
        or _majority((doc.summary.endswith(".") for doc in docs if doc.summary), default.full_stop),
        capital=_majority((each[0].isupper() for each in phrases if each[0].isalpha()), default.capital),
        phrase_stop=_majority((each.endswith(".") for each in phrases), default.phrase_stop),
        mark=_majority(map(_mark, texts), default.mark),
        dash=_majority(map(_dash, texts), default.dash),
        brief=_majority((bool(re.search(r"[@\\]brief\b", text)) for text in texts), default.brief),
        bars=_majority((bool(re.search(r"#{4}", text)) for text in several), default.bars),
    )


def _quotes(text: str) -> str | None:
    found = re.match(r"[rRuU]?(\"\"\"|''')", text)
    return found[1] if found else None


def _form(text: str) -> str | None:
    return comment.opened(text).form or None if not _quotes(text) else None


def _lines(text: str) -> list[str]:
    return literal.opened(text)[1] if _quotes(text) else comment.opened(text).lines


def _unit(text: str) -> str | None:
    """How far what stands below a heading with a colon is indented."""
    found = re.search(r"^([ \t]*)[A-Z][A-Za-z ]*:[ \t]*\n\1([ \t]+)\S", text, re.MULTILINE)
    return found[2] if found and _quotes(text) else None


def _begins_below(text: str) -> bool:
    first = text.split("\n", 1)[0]
    return bool(re.fullmatch(r"[rRuU]?(?:\"\"\"|''')", first.rstrip()))


def _on_one_line(text: str) -> bool | None:
    """Whether a docstring of one line stands on one; None where it has more."""
    return "\n" not in text if len(_lines(text)) == 1 and not re.match(r"//|#", text) else None


def _gap(text: str) -> bool | None:
    """Whether a blank line stands between the prose and the first tag; None without both."""
    lines = _lines(text) if not _quotes(text) else []
    first = next((n for n, line in enumerate(lines) if _TAG.match(line) and not re.match(r"[@\\]brief", line)), 0)
    return not lines[first - 1] if first else None


def _mark(text: str) -> str | None:
    found = re.search(r"([@\\])(?:brief|t?param|returns?|throws)\b", text)
    return found[1] if found else None


def _dash(text: str) -> bool | None:
    found = re.search(r"[@\\]param(?:\s*\{[^}]*\})?\s+(?:\[.*?\]|\S+)\s+(-\s)?", text)
    return bool(found[1]) if found else None


def _is_imperative(doc: Doc) -> bool | None:
    """Whether the summary begins with a bare verb, as far as its last letter tells."""
    word = re.match(r"[A-Z][a-z]+\b", doc.summary)
    return not re.search(r"[^s]s$", word[0]) if word else None
