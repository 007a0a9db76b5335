"""aigc/explain: why there is this text, or none, at the place that was completed last in a document.

→ {"textDocument": {"uri": …}}
← null, or {"text", "source", "reason", "withheld", "confidence", "total_ms", "prompt_tokens", "reused_tokens",
  "generated_tokens", "pieces": [[text, log-probability], …]}, as `pipeline.Completion` has them
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aigc_lsp.pipeline import Completion
    from aigc_lsp.server.app import Server

METHOD = "aigc/explain"


def register(server: Server) -> None:
    @server.feature(METHOD)
    async def explain(params: Any) -> dict[str, Any] | None:
        document = getattr(params, "textDocument", None)
        found = server.session.explained.get(str(getattr(document, "uri", "")))
        return None if found is None else explained(found)


def explained(found: Completion) -> dict[str, Any]:
    usage = found.usage
    return {
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
