"""What an editor says is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from aigc_lsp.text import Span


@dataclass(frozen=True, slots=True)
class Problem:
    span: Span
    message: str
