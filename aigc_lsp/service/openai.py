"""Text in OpenAI's shape, as a client asks for it: the fields of a request, and an event of the answer. Pure.

Our own model server reads it (`modelserver/openai`), and so do llama-server, vLLM, TGI, Ollama and clouds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aigc_lsp.service.wire import ChatRequest, Generation, InfillPiece, PromptRequest, Usage

_FINISHED = {"stop": "eos", "eos_token": "eos", "stop_sequence": "eos", "length": "limit"}
"""OpenAI's and TGI's `finish_reason` as our `stop_type`; any other means that the server broke off."""


def path(request: PromptRequest | ChatRequest) -> str:
    """Below that of the API's version."""
    return "/chat/completions" if isinstance(request, ChatRequest) else "/completions"


def body(request: PromptRequest | ChatRequest, model: str | None) -> dict[str, Any]:
    """`request` for any server. Nothing in it says something about the user's machine."""
    if isinstance(request, ChatRequest):
        asked: dict[str, Any] = {"messages": [{"role": role, "content": content} for role, content in request.messages]}
    else:
        asked = {"prompt": request.prompt if isinstance(request.prompt, str) else list(request.prompt)}
    return asked | options(request, model)


def options(request: Generation, model: str | None) -> dict[str, Any]:
    """How it is to be answered: streamed, and what differs from the defaults that all servers have."""
    values: dict[str, Any] = {
        "max_tokens": request.n_predict,
        "temperature": request.temperature,
        "stream": True,
    }
    # Not those of the model: vLLM holds back as many characters as the longest has, Ollama takes them in the place
    # of its own, and neither would find them, since they write no control tokens.
    if request.stop:
        values["stop"] = list(request.stop)
    if request.top_p != 1.0:
        values["top_p"] = request.top_p
    if request.seed is not None:
        values["seed"] = request.seed
    return values if model is None else {"model": model} | values


def piece(event: Mapping[str, Any]) -> InfillPiece | None:
    """What an event says: of a completion, or of a chat message (which is also the shape that Mistral's
    fill-in-the-middle answers in). None where it says nothing of the text: what some send before it, or the usage
    behind it. Raises any of `sse.NONSENSE`."""
    choices = event["choices"]
    if not choices:
        return None
    choice = choices[0]
    message = choice.get("delta", choice.get("message"))
    text = choice["text"] if message is None else message.get("content") or ""
    if not isinstance(text, str):
        raise TypeError("the text is none")
    finished = choice.get("finish_reason")
    return InfillPiece(text, usage(event), stop_type=_FINISHED.get(finished, "cancelled") if finished else None)


def usage(event: Mapping[str, Any]) -> Usage:
    """From llama-server's `timings` or OpenAI's `usage`, where the event has either."""
    if timings := event.get("timings"):
        return Usage.from_json(timings)
    said = event.get("usage") or {}
    reused = (said.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return Usage(int(said.get("prompt_tokens") or 0), int(reused), int(said.get("completion_tokens") or 0))
