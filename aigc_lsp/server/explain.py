"""aigc/explain: why there is this text, or none, at the place that was completed last in a document.

→ {"textDocument": {"uri": …}}
← null, or {"markdown": all of it said to a reader, "text", "source", "reason", "withheld", "confidence", "total_ms",
  "prompt_tokens", "reused_tokens", "generated_tokens", "pieces": [[text, log-probability], …]}, as
  `pipeline.Completion` has them
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aigc_lsp.pipeline import Completion
    from aigc_lsp.server.app import Server

METHOD = "aigc/explain"

_WITHHELD = {
    "unsure": "It was not sure enough to be shown unasked.",
    "syntax": "It would not have parsed here.",
    "secret": "It looked like a secret.",
    "never": "It held a text that you never want (`completion.never`).",
    "cut": "Nothing was left of it once what repeats, or stands below already, was cut off.",
}


def register(server: Server) -> None:
    @server.feature(METHOD)
    async def explain(params: Any) -> dict[str, Any] | None:
        document = getattr(params, "textDocument", None)
        found = server.session.explained.get(str(getattr(document, "uri", "")))
        return None if found is None else explained(found)


def explained(found: Completion) -> dict[str, Any]:
    usage = found.usage
    return {
        "markdown": told(found),
        "text": found.text,
        "source": found.source,
        "reason": found.stop_reason,
        "withheld": found.withheld,
        "confidence": found.confidence,
        "total_ms": round(found.total_ms, 2),
        "prompt_tokens": usage.prompt_tokens,
        "reused_tokens": usage.reused_tokens,
        "generated_tokens": usage.generated_tokens,
        "pieces": [[text, round(logprob, 4)] for text, logprob in found.pieces],
    }


def told(found: Completion) -> str:
    """Markdown."""
    said = "".join(text for text, _ in found.pieces)
    if found.text:
        happened = f"At the place that was completed last this was suggested:{_fenced(found.text)}"
    else:
        why = _WITHHELD.get(found.withheld) or ("" if said else "The model was not asked, or said nothing.")
        happened = f"At the place that was completed last nothing was suggested. {why}".rstrip()
    chance = "" if found.confidence is None else f", {found.confidence:.0%} sure"
    ended = f"It ended by *{found.stop_reason}*, came from *{found.source}* after {found.total_ms:.0f} ms{chance}."
    if not said:
        return f"{happened}\n\n{ended}"
    pieces = [f"{math.exp(min(0.0, sure)):4.0%}  {json.dumps(text, ensure_ascii=False)}" for text, sure in found.pieces]
    return f"{happened}\n\n{ended}\n\nWhat the model said, piece by piece:" + _fenced("\n".join(pieces))


def _fenced(text: str) -> str:
    fence = "~~~"
    while fence in text:
        fence += "~"
    return f"\n\n{fence}text\n{text}\n{fence}"
