"""The shapes that cross the socket. llama.cpp's `/infill` fields, and ours beside them; unknown fields are ignored.

Pure and light: the language server imports this, so nothing here may import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from aigc_lsp.service.fields import (
    MOST_PROBS,
    BadRequest,
    choices,
    count,
    fields_of,
    length,
    positive,
    read,
    seed,
    strings,
    temperature,
)

HEARTBEAT_SECONDS = 2.0
"""Of `/events`: the model server says how it is at least as often."""

WHOLE = ("eos", "word")
"""Of the ways in which a text stops (`InfillPiece.stop_type`), those in which it is whole."""

HUNG_SECONDS = 8.0
"""Who has given no sign of life for so long, gives none any more."""

Phase = Literal["starting", "fetch", "convert", "load", "ready", "idle", "error"]
"""Of a model. `idle`: not in memory; the next request for it brings it up. A model server that has just begun is
`starting`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What any request for text may say. Budgets are in tokens, times in milliseconds; None leaves the model server's
    own setting."""

    n_predict: int = 64
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    t_max_predict_ms: float | None = None
    model: str | None = None
    n_probs: int = 0
    """Of each token, so many of the likeliest come with their log-probabilities; at most `MOST_PROBS`."""
    n: int = 1
    """Alternatives; more than one come together, under `choices` in the last event."""
    stream: bool = False
    # Ours
    user: str = ""
    """Whose request it is: any words that tell two windows apart. They are served in turn."""
    document: str = ""
    """What it is about: any words that tell two documents apart. A newer request of it ends the older."""


@dataclass(frozen=True, slots=True)
class PromptRequest(Generation):
    """A prompt as it is, as `/v1/completions` has it: control tokens in a text are read as such. Or tokens."""

    prompt: str | tuple[int, ...] = ""


@dataclass(frozen=True, slots=True)
class ChatRequest(Generation):
    """A conversation: (role, content) each. Control tokens in a content are plain text."""

    messages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class InfillRequest(Generation):
    """A hole to fill, in llama.cpp's fields and ours."""

    input_prefix: str = ""
    input_suffix: str = ""
    input_extra: tuple[tuple[str, str], ...] = ()
    filename: str = ""
    n_indent: int = 0
    """The first line that is less indented than this (in blanks and tabs) ends the answer and is not in it."""
    timings_per_token: bool = False
    response_fields: tuple[str, ...] = ()
    # Ours
    input_head: str = ""
    """Stands before `input_prefix`, and stays where that is shortened."""
    prefix_tokens: int | None = None
    suffix_tokens: int | None = None
    extra_tokens: int | None = None
    """For `input_extra`, which then stands as is best for the model; without this, in front as llama.cpp has it."""
    order: str | None = None
    heal: bool | None = None

    def to_json(self) -> dict[str, Any]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values |= {
            "input_extra": [{"filename": name, "text": text} for name, text in self.input_extra],
            "stop": list(self.stop),
            "response_fields": list(self.response_fields),
        }
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, body: object) -> InfillRequest:
        body = fields_of(body)
        # llama.cpp sets `prompt` behind the middle token: text that was typed after the prefix.
        prefix = read(body, "input_prefix", str, "") + read(body, "prompt", str, "")
        return cls(
            input_prefix=prefix,
            input_suffix=read(body, "input_suffix", str, ""),
            input_extra=_extra(read(body, "input_extra", list, [])),
            filename=read(body, "filename", str, ""),
            n_predict=length(body, ("n_predict",), 64),
            n_indent=max(0, read(body, "n_indent", int, 0)),
            stop=strings(body, "stop"),
            temperature=temperature(body),
            top_p=read(body, "top_p", float, 1.0),
            seed=seed(body),
            t_max_predict_ms=positive(body, "t_max_predict_ms"),
            model=read(body, "model", str, "") or None,
            n_probs=min(max(0, read(body, "n_probs", int, 0)), MOST_PROBS),
            n=choices(body, ("n_cmpl", "n")),
            stream=read(body, "stream", bool, False),
            user=read(body, "user", str, ""),
            document=read(body, "document", str, ""),
            timings_per_token=read(body, "timings_per_token", bool, False),
            response_fields=strings(body, "response_fields"),
            input_head=read(body, "input_head", str, ""),
            prefix_tokens=count(body, "prefix_tokens"),
            suffix_tokens=count(body, "suffix_tokens"),
            extra_tokens=count(body, "extra_tokens"),
            order=read(body, "order", str, None),
            heal=read(body, "heal", bool, None),
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What a generation has cost so far."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    generated_tokens: int = 0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    drafted: int = 0
    """Tokens that were guessed and sent along."""
    accepted: int = 0
    """Those of them that were right."""

    def to_json(self) -> dict[str, Any]:
        """llama.cpp's `timings`; `cache_n` tokens of the prompt were reused, `prompt_n` were evaluated."""
        evaluated = self.prompt_tokens - self.reused_tokens
        drafts = {"draft_n": self.drafted, "draft_n_accepted": self.accepted} if self.drafted else {}
        return drafts | {
            "cache_n": self.reused_tokens,
            "prompt_n": evaluated,
            "prompt_ms": round(self.prefill_ms, 3),
            "prompt_per_token_ms": round(self.prefill_ms / max(evaluated, 1), 3),
            "prompt_per_second": round(evaluated / max(self.prefill_ms, 1e-6) * 1e3, 1),
            "predicted_n": self.generated_tokens,
            "predicted_ms": round(self.decode_ms, 3),
            "predicted_per_token_ms": round(self.decode_ms / max(self.generated_tokens, 1), 3),
            "predicted_per_second": round(self.generated_tokens / max(self.decode_ms, 1e-6) * 1e3, 1),
        }

    @classmethod
    def from_json(cls, timings: Mapping[str, Any]) -> Usage:
        reused = int(timings.get("cache_n", 0))
        return cls(
            prompt_tokens=reused + int(timings.get("prompt_n", 0)),
            reused_tokens=reused,
            generated_tokens=int(timings.get("predicted_n", 0)),
            prefill_ms=float(timings.get("prompt_ms", 0)),
            decode_ms=float(timings.get("predicted_ms", 0)),
            drafted=int(timings.get("draft_n", 0)),
            accepted=int(timings.get("draft_n_accepted", 0)),
        )


@dataclass(frozen=True, slots=True)
class InfillChoice:
    """One of several alternatives, with the mean log-probability of its tokens."""

    content: str
    mean_logprob: float
    stop_type: str

    @classmethod
    def from_json(cls, choice: Mapping[str, Any]) -> InfillChoice:
        return cls(
            str(choice.get("content", "")), float(choice.get("mean_logprob", 0.0)), str(choice.get("stop_type", "eos"))
        )


@dataclass(frozen=True, slots=True)
class InfillPiece:
    """One event of a streamed answer. `stop_type` is set on the last: eos, word, limit, cancelled or deadline."""

    content: str
    usage: Usage = field(default_factory=Usage)
    logprobs: tuple[float, ...] = ()
    stop_type: str | None = None
    choices: tuple[InfillChoice, ...] = ()
    """On the last, where more than one was asked for: the distinct ones, the likeliest first."""

    @classmethod
    def from_json(cls, event: Mapping[str, Any]) -> InfillPiece:
        return cls(
            content=str(event.get("content", "")),
            usage=Usage.from_json(event.get("timings") or {}),
            logprobs=tuple(
                float(entry["logprob"]) for entry in event.get("completion_probabilities") or () if "logprob" in entry
            ),
            stop_type=str(event.get("stop_type", "eos")) if event.get("stop") else None,
            choices=tuple(map(InfillChoice.from_json, event.get("choices") or ())),
        )


@dataclass(frozen=True, slots=True)
class Health:
    """What the model server says of itself.

    `phase`, `message`, `done` and `total` (bytes of the phase under way) are those of `model`, the one that was worked
    on last; `loaded` names all that are in memory.
    """

    phase: Phase
    model: str
    message: str = ""
    done: int = 0
    total: int = 0
    loaded: tuple[str, ...] = ()
    # The process
    pid: int = 0
    version: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    """The options that it runs under and that a running one cannot change, by their dotted keys."""
    clients: int = 0
    """Language servers that listen to its `/events`."""
    running: int = 0
    """Requests that are being answered."""
    waiting: int = 0
    """Requests behind them."""
    stalled_s: float = 0.0
    """Seconds since the engine, which has something to do, last gave a sign of life."""
    requests: int = 0
    resident_bytes: int = 0
    latencies_ms: tuple[tuple[float, float], ...] = ()
    """Of the last requests, the latest last: to the first piece of text, and to the end."""
    # The engine of `model`
    device: str = ""
    packing: str = ""
    profile: str = ""
    note: str = ""
    """What the model server had to give up, as a sentence; empty where nothing."""
    prefill_per_second: float = 0.0
    step_ms: float = 0.0
    kv_bytes: int = 0
    kv_budget_bytes: int = 0

    @property
    def ready(self) -> bool:
        return self.phase == "ready"

    @property
    def percentage(self) -> int | None:
        """How far the phase under way is, where that is known."""
        return min(100, self.done * 100 // self.total) if self.total else None

    def phase_of(self, model: str | None) -> Phase:
        """How far `model` is (None, or a model server that does not name its own: the one it has)."""
        if model is None or self.model in ("", model):
            return self.phase
        return "ready" if model in self.loaded else "idle"

    def to_json(self) -> dict[str, Any]:
        status = {"ready": "ok", "idle": "ok", "error": "error"}.get(self.phase, "loading model")
        return {"status": status, **{name: getattr(self, name) for name in self.__slots__}}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Health:
        known = {name: body[name] for name in cls.__slots__ if name in body}
        known["loaded"] = tuple(body.get("loaded") or ())
        known["latencies_ms"] = tuple(map(tuple, body.get("latencies_ms") or ()))
        return cls(**{"phase": "ready" if body.get("status") == "ok" else "starting", "model": "", **known})


def _extra(entries: list[Any]) -> tuple[tuple[str, str], ...]:
    if not all(isinstance(entry, Mapping) and isinstance(entry.get("text"), str) for entry in entries):
        raise BadRequest("The field input_extra must be a list of objects with `filename` and `text`.")
    return tuple((str(entry.get("filename") or ""), entry["text"]) for entry in entries)
