"""The prompts of `prompt/actions/`: what each file says, and a conversation made of it.

A file begins with a few lines on what it is for. Then come the messages, each below a line `--- role`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from aigc_lsp.own_actions import filled

Message = tuple[str, str]
"""Role and content."""

_ROLE = re.compile(r"^--- (system|user|assistant)\n", re.M)


def conversation(name: str, **values: str) -> tuple[Message, ...]:
    """The messages of the file `name`, filled with `values`, which are taken as they are."""
    return tuple((role, _filled_last(content, values)) for role, content in _messages(name))


def _filled_last(content: str, values: Mapping[str, str]) -> str:
    """Only what names one of `values` has placeholders: the examples are code, with braces of their own."""
    if not any(f"{{{name}}}" in content for name in values):
        return content
    return filled(content, values)


@cache
def _messages(name: str) -> tuple[Message, ...]:
    text = (resources.files("aigc_lsp") / "prompt" / "actions" / f"{name}.md").read_text("utf-8")
    _, *parts = _ROLE.split(text)
    return tuple(zip(parts[0::2], (part.strip("\n") for part in parts[1::2]), strict=True))
