"""`POST /v1/completions` and `POST /v1/chat/completions` in OpenAI's shape.

temperature     0, greedy, where it is absent (OpenAI's is 1): code is completed with what is likeliest
max_tokens      16 for a completion, as OpenAI's; without limit for a chat; -1 is without limit, 0 reads ahead
suffix          makes a hole of it, filled with the model's own fill-in-the-middle tokens
n, streamed     alternatives come at the end, each with its index
logprobs        text_offset counts from the beginning of the answer
echo            refused; other fields that we do not know are ignored
"""

from __future__ import annotations

import codecs
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from aigc_lsp.modelserver.answer import Ending, told
from aigc_lsp.service.fields import (
    MOST_PROBS,
    UNLIMITED_TOKENS,
    BadRequest,
    choices,
    fields_of,
    length,
    positive,
    read,
    seed,
    strings,
    temperature,
)
from aigc_lsp.service.wire import WHOLE, ChatRequest, Generation, InfillRequest, PromptRequest

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Piece, Scored
    from aigc_lsp.service.wire import Usage

COMPLETION_TOKENS = 16
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of an answer a client wants, besides its text."""

    logprobs: int | None
    """So many likeliest tokens beside each; None: no log-probabilities at all."""
    usage: bool
    """At the end of a stream, too."""


def parse_completion(body: object) -> tuple[Generation, Wanted]:
    """Raises `BadRequest`."""
    body = fields_of(body)
    if read(body, "echo", bool, False):
        raise BadRequest("The field echo is not supported; leave it out.")
    prompt = _prompt(body.get("prompt"))
    suffix: str | None = read(body, "suffix", str, None)
    logprobs = _bounded(body, "logprobs")
    common = _common(body, logprobs) | {"n_predict": length(body, ("max_tokens", "n_predict"), COMPLETION_TOKENS)}
    wanted = Wanted(logprobs, _wants_usage(body))
    if suffix is None:
        return PromptRequest(prompt=prompt, **common), wanted
    if not isinstance(prompt, str):
        raise BadRequest("With the field suffix, the field prompt must be a text.")
    return InfillRequest(input_prefix=prompt, input_suffix=suffix, **common), wanted


def parse_chat(body: object) -> tuple[Generation, Wanted]:
    """Raises `BadRequest`."""
    body = fields_of(body)
    messages: list[Any] = read(body, "messages", list, [])
    if not messages:
        raise BadRequest("The field messages must be a list of at least one message.")
    top = _bounded(body, "top_logprobs")
    logprobs = (top or 0) if read(body, "logprobs", bool, False) else None
    names = ("max_completion_tokens", "max_tokens", "n_predict")
    common = _common(body, logprobs) | {"n_predict": length(body, names, UNLIMITED_TOKENS)}
    return ChatRequest(messages=tuple(map(_message, messages)), **common), Wanted(logprobs, _wants_usage(body))


class _Shape:
    """What the two APIs have in common: a head, choices, usage, and `[DONE]`."""

    last = b"data: [DONE]\n\n"
    prefix, name, chunk_name = "", "", ""

    def __init__(self, request: Generation, wanted: Wanted, model: str) -> None:
        self._n, self._wanted = request.n, wanted
        self._head = {"id": f"{self.prefix}-{secrets.token_hex(12)}", "created": int(time.time()), "model": model}

    def during(self, piece: Piece) -> Iterator[Any]:
        if self._n == 1:  # else the alternatives come at the end
            yield self._chunk([self._delta(0, piece.text, piece.scored, None)])

    def after(self, ending: Ending) -> Iterator[Any]:
        if ending.choices:
            for index, choice in enumerate(ending.choices):
                yield self._chunk([self._delta(index, choice.text, choice.scored, _finish(choice.stop_reason))])
        else:
            yield self._chunk([self._delta(0, "", (), _finish(ending.stop_type))])
        if self._wanted.usage:
            yield self._chunk([], _usage(ending.usage)) | {"timings": ending.usage.to_json()}

    def whole(self, pieces: list[Piece], ending: Ending) -> Any:
        if ending.choices:
            found = [
                self._choice(index, choice.text, choice.scored, _finish(choice.stop_reason))
                for index, choice in enumerate(ending.choices)
            ]
        else:
            text, scored = "".join(piece.text for piece in pieces), [each for piece in pieces for each in piece.scored]
            found = [self._choice(0, text, scored, _finish(ending.stop_type))]
        usage = {"usage": _usage(ending.usage), "timings": ending.usage.to_json()}
        return self._head | {"object": self.name, "choices": found} | usage

    def _chunk(self, found: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> dict[str, Any]:
        asked = {"usage": usage} if self._wanted.usage else {}
        return self._head | {"object": self.chunk_name, "choices": found} | asked

    def _choice(self, index: int, text: str, scored: Sequence[Scored], finish: str | None) -> dict[str, Any]:
        raise NotImplementedError

    def _delta(self, index: int, text: str, scored: Sequence[Scored], finish: str | None) -> dict[str, Any]:
        """One of a stream's choices."""
        return self._choice(index, text, scored, finish)


class Completion(_Shape):
    prefix, name, chunk_name = "cmpl", "text_completion", "text_completion"

    def __init__(self, request: Generation, wanted: Wanted, model: str) -> None:
        super().__init__(request, wanted, model)
        self._said = [0] * request.n  # characters of each alternative
        # A character's bytes may be several tokens', all of which begin where it does.
        self._decoders = [codecs.getincrementaldecoder("utf-8")("replace") for _ in range(request.n)]

    def _choice(self, index: int, text: str, scored: Sequence[Scored], finish: str | None) -> dict[str, Any]:
        logprobs = None if self._wanted.logprobs is None else self._logprobs(index, scored, self._wanted.logprobs)
        return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish}

    def _logprobs(self, index: int, scored: Sequence[Scored], count: int) -> dict[str, Any]:
        entries = list(map(told, scored))
        decoder = self._decoders[index]
        offsets = [self._said[index], *(len(decoder.decode(each.data)) for each in scored)]
        *offsets, self._said[index] = accumulate(offsets)
        return {
            "tokens": [entry["token"] for entry in entries],
            "token_logprobs": [entry["logprob"] for entry in entries],
            "top_logprobs": [
                {top["token"]: top["logprob"] for top in map(told, each.likeliest[:count])} for each in scored
            ],
            "text_offset": offsets,
        }


class Chat(_Shape):
    prefix, name, chunk_name = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def __init__(self, request: Generation, wanted: Wanted, model: str) -> None:
        super().__init__(request, wanted, model)
        self._begun: set[int] = set()

    def _choice(self, index: int, text: str, scored: Sequence[Scored], finish: str | None) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        return {"index": index, "message": message, "logprobs": self._logprobs(scored), "finish_reason": finish}

    def _delta(self, index: int, text: str, scored: Sequence[Scored], finish: str | None) -> dict[str, Any]:
        delta = {"content": text} if text or index not in self._begun else {}
        if index not in self._begun:
            delta["role"] = "assistant"
            self._begun.add(index)
        return {"index": index, "delta": delta, "logprobs": self._logprobs(scored), "finish_reason": finish}

    def _logprobs(self, scored: Sequence[Scored]) -> dict[str, Any] | None:
        count = self._wanted.logprobs
        if count is None:
            return None
        return {"content": [told(each) | {"top_logprobs": list(map(told, each.likeliest[:count]))} for each in scored]}


def _common(body: Mapping[str, Any], logprobs: int | None) -> dict[str, Any]:
    top_p: float = read(body, "top_p", float, 1.0)
    if not 0 < top_p <= 1:
        raise BadRequest("The field top_p must be above 0 and at most 1.")
    return {
        "stop": strings(body, "stop"),
        "temperature": temperature(body),
        "top_p": top_p,
        "seed": seed(body),
        "t_max_predict_ms": positive(body, "t_max_predict_ms"),
        "model": read(body, "model", str, "") or None,
        "n_probs": 0 if logprobs is None else max(1, logprobs),
        "n": choices(body),
        "stream": read(body, "stream", bool, False),
        "user": read(body, "user", str, ""),
        "document": read(body, "document", str, ""),
    }


def _prompt(given: object) -> str | tuple[int, ...]:
    """A text or tokens, or a list with just one of them."""
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str | list):
        given = given[0]
    if isinstance(given, str):
        return given
    if isinstance(given, list) and given and all(isinstance(id, int) and not isinstance(id, bool) for id in given):
        return tuple(given)
    raise BadRequest("The field prompt must be a text, a list of one text, or a list of tokens.")


def _message(given: object) -> tuple[str, str]:
    role = given.get("role") if isinstance(given, Mapping) else None
    if not isinstance(given, Mapping) or not isinstance(role, str) or role not in ROLES:
        raise BadRequest(f"The field messages must have objects whose role is one of {', '.join(ROLES)}.")
    content = given.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": "" if content is None else content}]
    if not all(isinstance(part, Mapping) and isinstance(part.get("text"), str) for part in parts):
        raise BadRequest("The field messages must have a content of text, or of parts of text.")
    return ROLES[role], "".join(part["text"] for part in parts)


def _bounded(body: Mapping[str, Any], name: str) -> int | None:
    value: int | None = read(body, name, int, None)
    if value is not None and not 0 <= value <= MOST_PROBS:
        raise BadRequest(f"The field {name} must be from 0 to {MOST_PROBS}.")
    return value


def _wants_usage(body: Mapping[str, Any]) -> bool:
    return read(read(body, "stream_options", dict, {}), "include_usage", bool, False)


def _finish(stop_type: str) -> str:
    return "stop" if stop_type in WHOLE else "length"


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.generated_tokens,
        "total_tokens": usage.prompt_tokens + usage.generated_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.reused_tokens},
    }
