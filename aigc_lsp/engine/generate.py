"""The decode loop: tokens in, pieces of text out, until something says stop.

Contract: `Engine.generate` is a generator. It yields a `Piece` for each step that has text and ends with one `Outcome`.
Closing it between two pieces is a hang-up: the KV store stays true and nothing more is computed. `cancelled` is asked
between the layers of the prompt's chunks and between tokens. Greedy decoding with reuse, with or without speculation,
and without healing gives, token for token, what plain uncached decoding gives (invariant 6).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from aigc_lsp.engine.decoder import Interrupted, LanguageModel
from aigc_lsp.engine.lookup import Lookup, Speculation
from aigc_lsp.engine.sampling import Sampling, choose, likeliest
from aigc_lsp.engine.store import Branch, KVStore
from aigc_lsp.engine.stream import TextStream
from aigc_lsp.engine.threads import ThreadCount
from aigc_lsp.engine.vocabulary import Vocabulary

StopReason = Literal["eos", "word", "limit", "cancelled", "deadline"]

CHUNK = 256
"""Tokens of prompt run at once: long enough for full matmul speed, short enough for a small attention mask."""

STEP_COSTS = (1.0, 1.2, 1.5, 1.8, 2.2, 2.7)
"""Of a pass over 1, 2, … tokens, until `calibrate` has measured them."""


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
    choices: int = 1
    """Alternatives, see `choices.generate`."""
    n_probs: int = 0
    """So many of the likeliest tokens are told at each place, as `Scored`; 0 costs nothing."""


@dataclass(frozen=True, slots=True)
class Timings:
    """What a generation has cost so far. Tokens evaluated = prompt - reused."""

    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    prefill_ms: float
    decode_ms: float
    drafted: int = 0
    """Tokens that lookup guessed and that were sent along; the healed ones are not among them."""
    accepted: int = 0
    """Those of them that were right."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A token at one place of the text: its bytes, its natural log-probability, and the likeliest ones there. `data` of
    the chosen ones join to the text: what healing took of a token is not in it."""

    token: int
    data: bytes
    logprob: float
    likeliest: tuple[Scored, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    timings: Timings
    scored: tuple[Scored, ...] = ()
    """One for each of `tokens`, where the request asked for them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several alternatives."""

    text: str
    tokens: tuple[int, ...]
    mean_logprob: float
    stop_reason: StopReason
    scored: tuple[Scored, ...] = ()
    """As a piece's."""


@dataclass(frozen=True, slots=True)
class Outcome:
    stop_reason: StopReason
    stopping_word: str
    timings: Timings
    choices: tuple[Choice, ...] = ()
    """Where more than one was asked for: the distinct ones, the likeliest first."""


class Engine:
    """One model and its KV store. Not thread-safe: one thread runs it."""

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        kv_bytes: int = 512 << 20,
        threads: ThreadCount | None = None,
    ) -> None:
        self.model = model
        self._threads = threads
        self.vocabulary = vocabulary
        self.store = KVStore(model.layers, kv_bytes)
        self.speculate = True
        self.speculation = Speculation()
        self.step_costs: Sequence[float] = STEP_COSTS

    def generate(self, request: Request, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Piece | Outcome]:
        if request.choices > 1 and request.max_tokens:
            from aigc_lsp.engine import choices

            yield from choices.generate(self, request, cancelled)
            return
        run = Run(self, request)
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

    def forward(
        self,
        branch: Branch,
        tokens: Sequence[int],
        rows: int = 1,
        *,
        positions: Sequence[int] | None = None,
        sees: torch.Tensor | None = None,
        interrupted: Callable[[], bool] | None = None,
    ) -> torch.Tensor:
        """Read `tokens` behind what `branch` holds; the logits [rows, vocabulary] after each of the last `rows`.

        With `positions` and `sees` (see `LanguageModel`) the tokens do not follow one another, so what is committed
        names no text: `Branch.crop` them. Raises `Interrupted`.
        """
        if self._threads is not None:
            self._threads.adapt()
        ids = torch.tensor(tokens)
        at = None if positions is None else torch.tensor(positions, device=self.model.device)
        with torch.inference_mode():
            logits = self.model(ids, branch, rows=rows, positions=at, sees=sees, interrupted=interrupted)
        branch.commit(tokens if positions is None else [NO_TOKEN] * len(tokens))
        return logits

    def score(self, token: int, data: bytes, logprob: float, logits: torch.Tensor, count: int) -> Scored:
        """`token`, of which `data` is text, beside the `count` likeliest by `logits` [vocabulary]."""
        best = tuple(Scored(id, self.vocabulary.bytes_of(id), each) for id, each in likeliest(logits, count))
        return Scored(token, data, logprob, best)


class Run:
    """The state of one generation."""

    def __init__(self, engine: Engine, request: Request) -> None:
        self._engine = engine
        self._request = request
        self._heal = request.heal
        self._text = TextStream(request.stop)
        self._sampler = request.sampling.generator()
        self._pending: list[tuple[int, float]] = []
        self._scored: list[Scored] = []
        self.branch = engine.store.take(request.tokens)
        self._reused = len(self.branch.tokens)
        self.generated = 0
        self.produced = 0  # those of them that are not healing alone
        self._began = time.perf_counter()
        self._prefilled: float | None = None
        self.logits = torch.empty(0, 0)  # [1 + draft, vocabulary]: after what was accepted, and after the draft
        self._draft: list[int] = []
        others = [branch.tokens for branch in engine.store.branches if branch is not self.branch]
        self._lookup = Lookup(request.tokens, others) if engine.speculate else None
        self._guess: list[int] = []  # what lookup says will follow, whether it was sent or not
        self._agreeing = 0
        self._drafted = self._accepted = 0

    @property
    def stopping_word(self) -> str:
        return self._text.stopping_word

    def prefill(self, cancelled: Callable[[], bool]) -> bool:
        """Read what the branch does not hold yet, in chunks, and the draft; false when cancelled on the way."""
        tokens, draft = self._request.tokens, list(self._request.draft)
        try:
            for start in range(self._reused, len(tokens), CHUNK):
                if cancelled():
                    return False
                chunk = list(tokens[start : start + CHUNK])
                if start + CHUNK < len(tokens):
                    self._engine.forward(self.branch, chunk, rows=0, interrupted=cancelled)
                else:
                    self.logits = self._engine.forward(
                        self.branch, chunk + draft, rows=1 + len(draft), interrupted=cancelled
                    )
                    self._draft = draft
        except Interrupted:
            return False
        self._prefilled = time.perf_counter()
        return True

    def read(self, token: int) -> None:
        """Have the logits after `token`: they are there where the draft had it; else the rest of the draft goes."""
        guess = self._look_ahead(token)
        if self._draft and self._draft[0] == token:
            self._draft, self.logits = self._draft[1:], self.logits[1:]
            self._accepted += self._drafted > 0  # before lookup's first draft it is the healed one
            return
        self.drop_draft()
        self._draft = guess
        self._drafted += len(guess)
        self.logits = self._engine.forward(self.branch, [token, *guess], rows=1 + len(guess))

    def drop_draft(self) -> None:
        self.branch.crop(len(self.branch.tokens) - len(self._draft))
        self._draft = []

    def _look_ahead(self, token: int) -> list[int]:
        """Note whether the last guess was right, and guess what follows `token`: as much as is worth sending."""
        if self._lookup is None:
            return []
        speculation = self._engine.speculation
        self._lookup.feed(token)
        if self._guess:
            right = self._guess[0] == token
            speculation.note(self._agreeing, right)
            self._guess = self._guess[1:] if right else []
        if not self._guess:
            self._agreeing, self._guess = self._lookup.draft()
        if not self._guess:
            return []
        wanted = self._request.max_tokens - self.produced - 1  # behind the one that this pass chooses
        return self._guess[: max(0, min(wanted, speculation.count(self._agreeing, self._engine.step_costs)))]

    def choose(self) -> tuple[int, float]:
        allowed = self._engine.vocabulary.consistent(self._heal) if self._heal else None
        return choose(self.logits[0], self._request.sampling, self._sampler, allowed)

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
        if self._request.n_probs:
            self._scored.append(self._engine.score(token, data, logprob, self.logits[0], self._request.n_probs))
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
        piece = Piece(text, tokens, logprobs, self._timings(), tuple(self._scored))
        self._pending.clear()
        self._scored.clear()
        return piece

    def _timings(self) -> Timings:
        now = time.perf_counter()
        prefilled = self._prefilled or now
        return Timings(
            # Who was stopped while the prompt was read has read so much of it.
            prompt_tokens=len(self._request.tokens) if self._prefilled else len(self.branch.tokens),
            reused_tokens=self._reused,
            generated_tokens=self.generated,
            prefill_ms=(prefilled - self._began) * 1e3,
            decode_ms=(now - prefilled) * 1e3,
            drafted=self._drafted,
            accepted=self._accepted,
        )


NO_TOKEN = -1
"""Stands in a branch for a token that is not part of a text; equal to none of a prompt, it is never reused."""
