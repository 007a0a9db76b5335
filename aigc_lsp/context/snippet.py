"""Text from elsewhere that may go into a prompt, and the choice among it.

Snippets that say what the window says already, or one another, make a small model echo: they are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Source = Literal["usage", "definition", "edit", "open", "sibling"]
"""usage: how what is being called here is called elsewhere. definition: what is used near the cursor, as it is defined
elsewhere. edit: a region that was edited lately. open, sibling: what resembles the cursor's surroundings, in an open
document or in a file much like this one."""

ALIKE = 0.6
"""Of a snippet's lines so many are said elsewhere: it says nothing new."""

_LEAST_LINE = 4
"""Characters: shorter lines (`}`, `else`) are alike everywhere."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """`path` is what it is shown under: relative to the workspace. `text` ends without a newline."""

    path: str
    text: str
    source: Source

    @property
    def cost(self) -> int:
        """Characters that it takes in a prompt, with its path."""
        return len(self.text) + len(self.path) + len("# Path: \n\n")


@dataclass(frozen=True, slots=True)
class Late:
    """What was found while somebody typed. It stands above `line` of the document; where the window does not have that,
    at the end of its head."""

    snippet: Snippet
    line: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is shown for a place: `front` before the file, `late` within it, as comments.

    What is found while somebody types on comes late: all before it in the prompt has been read already. It stays where
    it was put, or all behind it would be read again.
    """

    front: tuple[Snippet, ...] = ()
    late: tuple[Late, ...] = ()


def chosen(candidates: Iterable[Snippet], budget: int, surroundings: str) -> tuple[Snippet, ...]:
    """Those of `candidates` (the most wanted first) that fit into `budget` characters and say something new; the most
    wanted last, next to the code, and those of one file together."""
    found: list[Snippet] = []
    said = lines_of(surroundings)
    for each in candidates:
        lines = lines_of(each.text)
        if each.cost <= budget and len(lines & said) < ALIKE * len(lines):
            found.append(each)
            said |= lines
            budget -= each.cost
    rank = {each: at for at, each in enumerate(found)}
    of_file = {each.path: rank[each] for each in reversed(found)}
    return tuple(sorted(found, key=lambda each: (-of_file[each.path], -rank[each])))


def blocks(snippets: Iterable[Snippet]) -> list[tuple[str, str]]:
    """Path and text of each file that is shown, in the order of `snippets`: what follows one another from one file, or
    from one class of it, is shown as one."""
    found: list[tuple[str, list[str]]] = []
    owner = ""
    for each in snippets:
        first, _, members = each.text.partition("\n")
        if found and found[-1][0] == each.path:
            found[-1][1].append(members if members and first == owner else each.text)
        else:
            found.append((each.path, [each.text]))
        owner = first
    return [(path, "\n".join(texts)) for path, texts in found]


def lines_of(text: str) -> set[str]:
    """The lines that say something, without their indentation."""
    return {line for each in text.split("\n") if len(line := each.strip()) >= _LEAST_LINE}
