"""Actions that users bring with their settings: what each says, and what is wrong with one.

    [[actions]]
    title = "Name it better"                # as the editor's menu shows it
    prompt = "Suggest names for: {selection}"
    kind = "refactor.rewrite"               # an LSP code action kind: quickfix, refactor…, source…
    where = "show"                          # where the answer goes: see `WHERE`
    languages = ["python"]                  # LSP language identifiers; without them in all

An action is offered where its placeholders have something to say: one with `{selection}` where text is selected, with
`{function}` inside a function, with `{diagnostics}` where the editor has some. `{{` and `}}` are braces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

Where = Literal["show", "replace", "above", "below"]

WHERE: dict[Where, str] = {
    "show": "the answer is shown",
    "replace": "its code takes the place of the selection, else of the function",
    "above": "its code goes above that",
    "below": "its code goes below it",
}

PLACEHOLDERS = {
    "selection": "the selected text",
    "function": "the function around the cursor",
    "file": "the file, as much of it as is read",
    "path": "the file's name",
    "language": "its LSP language identifier",
    "diagnostics": "what the editor has found wrong in the range, a line each",
}

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_]+)\}")
_KIND = re.compile(r"(?:quickfix|refactor|source)(?:\.[A-Za-z0-9_-]+)*")
_NEEDED = ("title", "prompt")
_KEYS = (*_NEEDED, "kind", "where", "languages")
MOST_TITLE, MOST_PROMPT = 80, 8000
"""Characters."""


@dataclass(frozen=True, slots=True)
class OwnAction:
    title: str
    prompt: str
    kind: str = "refactor"
    where: Where = "show"
    languages: tuple[str, ...] = ()

    @property
    def placeholders(self) -> frozenset[str]:
        return placeholders(self.prompt)


def placeholders(prompt: str) -> frozenset[str]:
    return frozenset(match[1] for match in _PLACEHOLDER.finditer(prompt) if match[1])


def filled(prompt: str, values: Mapping[str, str]) -> str:
    """`prompt` with its placeholders' values; what these say is taken as it is. Raises KeyError for a missing one."""

    def said(match: re.Match[str]) -> str:
        return values[match[1]] if match[1] else match[0][0]

    return _PLACEHOLDER.sub(said, prompt)


def read(given: object) -> OwnAction | str:
    """The action that a setting means, or what is wrong with it, to be read behind its name."""
    if isinstance(given, OwnAction):
        return given
    if not isinstance(given, Mapping):
        return "must be a table with at least a title and a prompt"
    given = {key: value for key, value in given.items() if value is not None}  # null means unset
    wrong = _wrong(given)
    if wrong:
        return wrong
    return OwnAction(
        title=given["title"].strip(),
        prompt=given["prompt"],
        kind=given.get("kind", "refactor"),
        where=cast(Where, given.get("where", "show")),
        languages=tuple(given.get("languages", ())),
    )


def _wrong(given: Mapping[object, object]) -> str:
    for key in given:
        if key not in _KEYS:
            return f"has no {str(key)[:40]}; it may have {', '.join(_KEYS)}{_meant(str(key), _KEYS)}"
    for key in _NEEDED:
        value = given.get(key)
        if not isinstance(value, str) or not value.strip():
            return f"needs a {key}: a text that is not empty"
    title, prompt = str(given["title"]), str(given["prompt"])
    if len(title) > MOST_TITLE or "\n" in title.strip():
        return f"must have a title of one line and at most {MOST_TITLE} characters"
    if len(prompt) > MOST_PROMPT:
        return f"must have a prompt of at most {MOST_PROMPT} characters"
    for name in sorted(placeholders(prompt)):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            return f"has {{{name[:40]}}} in its prompt; there are {known}{_meant(name, PLACEHOLDERS, '{%s}')}"
    return _wrong_choice(given)


def _wrong_choice(given: Mapping[object, object]) -> str:
    kind, where, languages = given.get("kind", "refactor"), given.get("where", "show"), given.get("languages", ())
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        return 'must have a kind of "quickfix", "refactor" or "source", or one below them such as "refactor.rewrite"'
    if not isinstance(where, str) or where not in WHERE:
        return f"must have a where of {' or '.join(WHERE)}"
    if not isinstance(languages, list | tuple) or not all(isinstance(each, str) and each.strip() for each in languages):
        return "must have languages as a list of LSP language identifiers"
    return ""


def _meant(name: str, known: Mapping[str, str] | tuple[str, ...], form: str = "%s") -> str:
    from difflib import get_close_matches  # seldom needed, and not to answer initialize

    near = get_close_matches(name.lower(), known, n=1)
    return f". Did you mean {form % near[0]}?" if near else ""
