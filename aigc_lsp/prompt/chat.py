"""Chat prompts: the model's own template, filled so that what people wrote is never read as control tokens.

The template (Jinja, stored beside the weights) is rendered with a mark in place of each content; what stands between
the marks is the template's own and may name control tokens, the contents are encoded as plain text (invariant 10).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

MARK = "\ue000{}\ue001"
"""Code points of private use; templates strip and compare contents, and leave these alone."""

_MARK = re.compile("\ue000([0-9]+)\ue001")


class Encoding(Protocol):
    def encode(self, text: str) -> list[int]: ...
    def encode_prompt(self, text: str) -> list[int]: ...


def render_chat(messages: Sequence[tuple[str, str]], template: str, vocabulary: Encoding, eos: str = "") -> list[int]:
    """The tokens of a conversation up to where the assistant's next answer begins. `messages`: (role, content) each.

    Raises ValueError, with the template's own words, where it refuses them.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(reason: str) -> None:
        raise TemplateError(reason)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    marked: list[dict[str, Any]] = [
        {"role": role, "content": MARK.format(number)} for number, (role, _) in enumerate(messages)
    ]
    try:
        text = environment.from_string(template).render(
            messages=marked, add_generation_prompt=True, raise_exception=refuse, bos_token="", eos_token=eos
        )
    except (TemplateError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise ValueError(f"The model's chat template refuses these messages: {error}.") from None
    tokens: list[int] = []
    for at, piece in enumerate(_MARK.split(text)):
        # The template's own text and the contents' numbers take turns.
        tokens += vocabulary.encode(messages[int(piece)][1]) if at % 2 else vocabulary.encode_prompt(piece)
    return tokens
