"""How a file says in a comment which one it is."""

from __future__ import annotations

from aigc_lsp.syntax import commented, language_of


def path_comment(path: str) -> str:
    """A line that says `path`, as a comment of the language that its name means (`#` where none is known)."""
    return commented(language_of(path) or "", f"Path: {path}") if path else ""
