"""What is in one buffer."""

from __future__ import annotations

from dataclasses import dataclass

from aigc_lsp.syntax import Tree
from aigc_lsp.text import Text


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one buffer. `tree` is None where there is no grammar or nothing to parse.

    `above` and `below` are what belongs before and behind it: the other cells of its notebook.
    """

    uri: str
    path: str
    language: str
    version: int
    text: Text
    tree: Tree | None = None
    above: str = ""
    below: str = ""
