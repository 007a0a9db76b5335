"""The decode loop: tokens in, pieces of text out, until something says stop.

Contract: `Engine.generate` is a generator. It yields a `Piece` for each step that has text and ends with one `Outcome`.
Closing it between two pieces is a hang-up: the KV store stays true and nothing more is computed. `cancelled` is asked
between the chunks of the prompt and between tokens. Greedy decoding with reuse and without healing gives, token for
token, what plain uncached decoding gives (invariant 6).
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from transformers import PreTrainedModel

from aigc_lsp.engine.sampling import Sampling, choose
from aigc_lsp.engine.store import Branch, KVStore
from aigc_lsp.engine.threads import ThreadCount
from aigc_lsp.engine.vocabulary import Vocabulary

StopReason = Literal["eos", "word", "limit", "cancelled", "deadline"]

CHUNK = 256
"""Tokens of prompt run at once: long enough for full matmul speed, short enough to cancel within half a second."""


@dataclass(frozen=True, slots=True)
class Request:
    tokens: Sequence[int]
    """The prompt, at least one token."""
    heal: bytes = b""
    """Bytes that the output must begin with and that are not part of it: token healing."""
    max_tokens: int = 64
    """0 only reads the prompt, which warms the store."""
    stop_tokens: frozenset[int] = frozenset()
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    deadline_ms: float | None = None
    """Stop decoding this long after the first token, as llama.cpp's `t_max_predict_ms`."""
    draft: Sequence[int] = ()
    """Tokens that spelled `heal`: read together with the prompt, and kept as far as they are what is chosen anyway."""


@dataclass(frozen=True, slots=True)
class Timings:
    """What a generation has cost so far. Tokens evaluated = prompt - reused."""

    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    prefill_ms: float
    decode_ms: float


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    timings: Timings


@dataclass(frozen=True, slots=True)
class Outcome:
    stop_reason: StopReason
    stopping_word: str
    timings: Timings


class Engine:
    """One model and its KV store. Not thread-safe: one thread runs it."""

    def __init__(
        self,
        model: PreTrainedModel,
        vocabulary: Vocabulary,
        kv_bytes: int = 512 << 20,
        threads: ThreadCount | None = None,
    ) -> None:
        self.model = model
        self._threads = threads
        self.vocabulary = vocabulary
        self.store = KVStore(model.config.num_hidden_layers, kv_bytes)

    def generate(self, request: Request, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Piece | Outcome]:
        run = _Run(self, request)
        if not run.prefill(cancelled):
            yield run.outcome("cancelled")
            return
        while True:
            if run.produced >= request.max_tokens:
                yield from run.end("limit")
                return
            token, logprob = run.choose()
            if token in request.stop_tokens:
                yield from run.end("eos")
                return
            piece = run.accept(token, logprob)
            if piece is not None:
                yield piece
            if run.stopping_word:
                yield run.outcome("word")
                return
            if run.produced >= request.max_tokens:
                continue  # the last token need not be read
            if cancelled():
                yield run.outcome("cancelled")
                return
            if run.late():
                yield from run.end("deadline")
                return
            run.read(token)

    def forward(self, branch: Branch, tokens: Sequence[int], rows: int = 1) -> torch.Tensor:
        """Read `tokens` behind what `branch` holds; the logits [rows, vocabulary] after each of the last `rows`."""
        if self._threads is not None:
            self._threads.adapt()
        ids = torch.tensor([list(tokens)], device=self.model.device)
        with torch.inference_mode():
            if rows:
                output = self.model(ids, past_key_values=branch.cache, use_cache=True, logits_to_keep=rows)
                logits = output.logits[0]
            else:
                self.model.base_model(ids, past_key_values=branch.cache, use_cache=True)
                logits = torch.empty(0, 0)
        branch.commit(tokens)
        return logits


class _Run:
    """The state of one generation."""

    def __init__(self, engine: Engine, request: Request) -> None:
        self._engine = engine
        self._request = request
        self._heal = request.heal
        self._text = _TextStream(request.stop)
        self._sampler = request.sampling.generator()
        self._pending: list[tuple[int, float]] = []
        self.branch = engine.store.take(request.tokens)
        self._reused = len(self.branch.tokens)
        self.generated = 0
        self.produced = 0  # those of them that are not healing alone
        self._began = time.perf_counter()
        self._prefilled: float | None = None
        self._logits = torch.empty(0, 0)  # [1 + draft, vocabulary]: after what was accepted, and after the draft
        self._draft: list[int] = []

    @property
    def stopping_word(self) -> str:
        return self._text.stopping_word

    def prefill(self, cancelled: Callable[[], bool]) -> bool:
        """Read what the branch does not hold yet, in chunks, and the draft; false when cancelled on the way."""
        tokens, draft = self._request.tokens, list(self._request.draft)
        for start in range(self._reused, len(tokens), CHUNK):
            if cancelled():
                return False
            chunk = list(tokens[start : start + CHUNK])
            if start + CHUNK < len(tokens):
                self._engine.forward(self.branch, chunk, rows=0)
            else:
                self._logits = self._engine.forward(self.branch, chunk + draft, rows=1 + len(draft))
                self._draft = draft
        self._prefilled = time.perf_counter()
        return True

    def read(self, token: int) -> None:
        """Have the logits after `token`: they are there where the draft had it; else the rest of the draft goes."""
        if self._draft and self._draft[0] == token:
            self._draft, self._logits = self._draft[1:], self._logits[1:]
            return
        self.branch.crop(len(self.branch.tokens) - len(self._draft))
        self._draft = []
        self._logits = self._engine.forward(self.branch, [token])

    def choose(self) -> tuple[int, float]:
        allowed = self._engine.vocabulary.consistent(self._heal) if self._heal else None
        return choose(self._logits[0], self._request.sampling, self._sampler, allowed)

    def accept(self, token: int, logprob: float) -> Piece | None:
        """Take one token into the output; the piece of text that can be told by now, if any."""
        self.generated += 1
        data = self._engine.vocabulary.bytes_of(token)
        if self._heal:
            data, self._heal = data[len(self._heal) :], self._heal[len(data) :]
            if not data:
                return None
        self.produced += 1
        self._pending.append((token, logprob))
        return self._piece(self._text.feed(data))

    def end(self, reason: StopReason) -> Iterator[Piece | Outcome]:
        """The text that was held back, then the outcome."""
        piece = self._piece(self._text.flush())
        if piece is not None:
            yield piece
        yield self.outcome(reason)

    def outcome(self, reason: StopReason) -> Outcome:
        return Outcome(reason, self._text.stopping_word, self._timings())

    def late(self) -> bool:
        limit = self._request.deadline_ms
        return limit is not None and (time.perf_counter() - (self._prefilled or 0)) * 1e3 >= limit

    def _piece(self, text: str) -> Piece | None:
        if not text:
            return None
        tokens, logprobs = zip(*self._pending, strict=True) if self._pending else ((), ())
        self._pending.clear()
        return Piece(text, tokens, logprobs, self._timings())

    def _timings(self) -> Timings:
        now = time.perf_counter()
        prefilled = self._prefilled or now
        return Timings(
            prompt_tokens=len(self._request.tokens),
            reused_tokens=self._reused,
            generated_tokens=self.generated,
            prefill_ms=(prefilled - self._began) * 1e3,
            decode_ms=(now - prefilled) * 1e3,
        )


class _TextStream:
    """Bytes in, whole characters out; text that may be the beginning of a stop string is held back."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(word for word in stop if word)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self.stopping_word = ""

    def feed(self, data: bytes) -> str:
        text = self._held + self._decoder.decode(data)
        found = [(at, word) for word in self._stop if (at := text.find(word)) >= 0]
        if found:
            at, self.stopping_word = min(found)
            self._held = ""
            return text[:at]
        held = max((_overlap(text, word) for word in self._stop), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def flush(self) -> str:
        """What was held back. Bytes of an unfinished character are dropped, not shown as U+FFFD."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, word: str) -> int:
    """Length of the longest end of `text` that `word` begins with, short of the whole word."""
    return next((n for n in range(min(len(text), len(word) - 1), 0, -1) if text.endswith(word[:n])), 0)
