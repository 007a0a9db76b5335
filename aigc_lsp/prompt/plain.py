"""Fill-in-the-middle prompts as text, for a server elsewhere whose tokens we do not know.

`infill.render` does the work; its tokens are characters here, and control tokens stand spelled out between them. The
server reads a control token wherever it finds one spelled out, so those in the user's own text are broken by a blank
behind their first character (invariant 10): "<|endoftext|>" is sent as "< |endoftext|>". A blank and nothing invisible,
since the model may write it again.
"""

from __future__ import annotations

import re

from aigc_lsp.catalogue import Model
from aigc_lsp.context.window import CHARACTERS_PER_TOKEN
from aigc_lsp.prompt.infill import Hole, render

_CONTROL = 0x110000
"""Characters end here; what lies above stands for a control token."""


def render_plain(hole: Hole, model: Model, *, prefix_tokens: int, suffix_tokens: int, order: str | None = None) -> str:
    """The prompt for `hole` in the format of `model`. Budgets are in tokens of `CHARACTERS_PER_TOKEN` characters; extra
    files get as much as the prefix.

    Prefix first (PSM) where the model knows that order and no other is asked for: nothing can be healed at a server
    elsewhere, and unhealed it is the better one (measured: ARCHITECTURE.md).
    """
    characters = _Characters(model)
    prompt = render(
        hole,
        model.fim,
        model.files,
        characters,
        prefix_budget=prefix_tokens * CHARACTERS_PER_TOKEN,
        suffix_budget=suffix_tokens * CHARACTERS_PER_TOKEN,
        extra_budget=prefix_tokens * CHARACTERS_PER_TOKEN,
        order=order or ("psm" if "psm" in model.fim.templates else None),
        heal=False,
    )
    return characters.spell(prompt.tokens)


class _Characters:
    """A vocabulary of single characters and of a model's control tokens (`infill.Encoding`)."""

    def __init__(self, model: Model) -> None:
        self._controls = sorted(model.control_tokens)
        begins = "|".join(map(re.escape, self._controls))
        self._begin = re.compile(f"(?=(?:{begins}))(.)", re.DOTALL) if begins else None

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in self._broken(text)]

    def control(self, token: str) -> int:
        return _CONTROL + self._controls.index(token)

    def bytes_of(self, id: int) -> bytes:
        return chr(id).encode("utf-8", "surrogatepass") if id < _CONTROL else b""

    def spell(self, tokens: tuple[int, ...]) -> str:
        return "".join(chr(id) if id < _CONTROL else self._controls[id - _CONTROL] for id in tokens)

    def _broken(self, text: str) -> str:
        return self._begin.sub(r"\1 ", text) if self._begin else text
