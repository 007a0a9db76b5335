"""The prompt for the words of a docstring: the code, and the same again with its docstring as far as it is written.

A model continues it with the next phrase. It is plain text, so that a base model, a chat model and a server elsewhere
take it alike, and it only grows at its end from one phrase to the next (invariant 7).
"""

from __future__ import annotations

from aigc_lsp.syntax import commented

LONGEST = 6000
"""Characters of code that a docstring is written for; of longer code the middle is left out."""

TASK = "The same with a docstring that says what it does"


def prompt(head: str, code: str, begun: str, *, language: str, indent: str, imperative: bool) -> str:
    """`head`: what the code stands below of. `code`: all of what the docstring is about, without its docstring.
    `begun`: the same again, or what of it stands above, up to where the next words are to be."""
    task = commented(language, f"{TASK}, in the imperative:" if imperative else f"{TASK}:", indent)
    return f"{head}\n{shortened(code)}\n\n\n{task}{begun}"


def shortened(code: str) -> str:
    """`code` without whole lines in its middle, where it is longer than `LONGEST` characters."""
    if len(code) <= LONGEST:
        return code
    first = code.rfind("\n", 0, LONGEST * 3 // 4) + 1 or LONGEST * 3 // 4
    last = code.find("\n", len(code) - LONGEST // 4)
    return f"{code[:first]}...{code[last if last >= 0 else len(code) - LONGEST // 4 :]}"
