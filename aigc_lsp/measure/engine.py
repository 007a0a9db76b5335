"""How fast the engine is on this machine, and beside llama.cpp: `aigc-lsp bench engine`.

A figure is one function below. Who is compared is measured in turn, several times in the same run, on the same weights,
prompt and lengths, and medians are shown: machines are shared, so only figures of one run may be compared. What has to
be reached stands beside what was.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeVar

from aigc_lsp import catalogue
from aigc_lsp.errors import EngineUnavailable, UsageError
from aigc_lsp.measure import cold, machine, peers, texts
from aigc_lsp.measure.figures import Bound, Figure, Report, compared, figure, missing, percentile
from aigc_lsp.measure.ours import OurEngine, OurServer
from aigc_lsp.measure.peers import LlamaServer, Peer, Subject, Typist

THREADS = 2
PROMPT_TOKENS = 1000
CONTEXT_TOKENS = 500
CHOSEN_TOKENS = 24
SPECULATED_TOKENS = 64
BEFORE_TOKENS, AFTER_TOKENS = 745, 255
"""Of the prompt with the hole: the prefix and the suffix."""
LONG_CHARACTERS = 20_000
"""About 5,000 tokens: a prompt to hang up on."""
SETTLE_SECONDS = 0.3
"""Between two subjects: the threads of the one before spin no more."""


@dataclass(frozen=True, slots=True)
class Load:
    """What else the machine does meanwhile: how the figures' names end, the ratio to be reached where it is not the
    figure's own, and how much is measured: llama.cpp takes 20 s for a key beside a busy core."""

    when: str = ""
    least: float | None = None
    rounds: int = sys.maxsize
    decoded: int = 24
    keys: int = 20


IDLE = Load()
BUSY = Load(", one core busy", 2.0, rounds=3, decoded=6, keys=1)

T = TypeVar("T")
Said = Callable[[str], None]


class Bench:
    """Who is measured, brought up when first asked for; left with `close`."""

    def __init__(self, model_name: str, repeats: int, wanted: Sequence[str], say: Said) -> None:
        self.model = catalogue.load(model_name)
        self.repeats = repeats
        self.say = say
        self._open = contextlib.ExitStack()
        self.peers: list[Peer] = []
        with contextlib.ExitStack() as guard:
            guard.callback(self.close)
            for name in wanted:
                peer = peers.connect(name, self.model, THREADS)
                self._open.callback(peer.close)
                self.peers.append(peer)
            guard.pop_all()

    def close(self) -> None:
        self._open.close()

    @cached_property
    def engine(self) -> OurEngine:
        self.say("loading the engine")
        return OurEngine.load(self.model, THREADS)

    @cached_property
    def server(self) -> OurServer:
        self.say("starting the model server")
        server = OurServer(self.model, THREADS)
        self._open.callback(server.close)
        return server

    def bring_up(self) -> None:
        """Engine and model server now, and not when they are first asked for."""
        _ = self.engine, self.server

    def encode(self, text: str) -> list[int]:
        return self.engine.engine.vocabulary.encode(text)

    @cached_property
    def tokens(self) -> list[int]:
        return self.encode(texts.library(texts.LONG))[:PROMPT_TOKENS]

    @property
    def subjects(self) -> list[Subject]:
        return [self.engine, *self.peers]

    @property
    def typists(self) -> list[Typist]:
        return [self.server, *(peer for peer in self.peers if isinstance(peer, LlamaServer))]

    def in_turn(
        self, subjects: Sequence[T], measure: Callable[[T, int], list[float]], load: Load = IDLE
    ) -> list[list[float]]:
        """For each subject its samples of all rounds; `measure` is given the subject and the round's number."""
        found: list[list[float]] = [[] for _ in subjects]
        for turn in range(min(self.repeats, load.rounds)):
            for samples, subject in zip(found, subjects, strict=True):
                time.sleep(SETTLE_SECONDS)
                samples += measure(subject, turn)
        return found


def run(
    model_name: str, repeats: int = 5, wanted: Sequence[str] = (), only: Sequence[str] = (), say: Said = lambda _: None
) -> Report:
    """The figures named in `only`, or all of them, beside the peers `wanted` (see `peers.connect`).

    Raises `UsageError` for names that are none, `ModelMissing` where the model is not on this machine.
    """
    if unknown := [name for name in only if name not in FIGURES]:
        raise UsageError(f"There is no figure {unknown[0]!r}; there are {', '.join(FIGURES)}.")
    bench = Bench(model_name, repeats, wanted, say)
    with contextlib.closing(bench):
        found: list[Figure] = []
        for name in only or FIGURES:
            say(f"measuring {name}")
            try:
                found += FIGURES[name](bench)
            except EngineUnavailable as error:  # the others have taken minutes
                found.append(Figure(name, "", None, note=str(error)))
        return Report(
            tuple(found),
            machine.describe(model_name, bench.model.sha256) | {"threads": THREADS},
            tuple(peer.describe() for peer in bench.peers),
        )


def prefill(bench: Bench, load: Load = IDLE) -> list[Figure]:
    """A prompt of 1,000 tokens, nothing remembered."""

    def measure(subject: Subject, turn: int) -> list[float]:
        subject.prefill(bench.tokens[:32])
        return [PROMPT_TOKENS / subject.prefill(bench.tokens)]

    samples = bench.in_turn(bench.subjects, measure, load)
    least = load.least or 1.9
    return _beside(bench.peers, f"prefill, 1,000 tokens{load.when}", "tokens/s", samples, least, "more")


def decode(bench: Bench, load: Load = IDLE) -> list[Figure]:
    """A token behind 500, without speculation: so every token is a pass over all weights."""
    context = bench.tokens[:CONTEXT_TOKENS]

    def measure(subject: Subject, turn: int) -> list[float]:
        return [subject.decode(context, load.decoded) * 1e3]

    with _speculating(bench.engine, False):
        samples = bench.in_turn(bench.subjects, measure, load)
    name, least = f"decode at 500 tokens{load.when}", load.least or 1.25
    found = _beside(bench.peers, name, "ms/token", samples, least, "less")
    return [*found, *_share_of_bandwidth(bench, samples[0])] if load is IDLE else found


def _share_of_bandwidth(bench: Bench, milliseconds: Sequence[float]) -> list[Figure]:
    """How fast the machine reads memory, and how much of that decoding makes use of."""
    read = machine.read_bandwidth(THREADS, 7)
    must, name = Bound("≥", 60, "ours"), "decode: share of that bandwidth"
    nbytes = bench.engine.bytes_per_token(CONTEXT_TOKENS + IDLE.decoded // 2)
    shares = [(nbytes or 0) / (one / 1e3) / 1e9 / max(read) * 100 for one in milliseconds]
    return [
        figure("read bandwidth, two threads", "GB/s", read, statistic=max),
        figure(name, "%", shares, must, note=f"{nbytes / 1e6:,.0f} MB a token")
        if nbytes
        else missing(name, must, "this model does not say how much it reads"),
    ]


def keystroke(bench: Bench, load: Load = IDLE) -> list[Figure]:
    """The next key in a prompt of 1,000 tokens with a hole: up to 24 tokens, to the end of the line."""
    read: list[float] = []
    written: dict[str, list[int]] = {}

    def measure(typist: Typist, turn: int) -> list[float]:
        source = texts.library(texts.TYPED_IN[turn % len(texts.TYPED_IN)])
        typing = texts.typing(source, bench.encode, BEFORE_TOKENS, AFTER_TOKENS, load.keys)
        first, *prefixes = typing.prefixes()
        typist.keystroke(first, typing.suffix)
        answers = [typist.keystroke(prefix, typing.suffix) for prefix in prefixes]
        if typist is bench.server:
            read.extend(answer.read for answer in answers)
        written.setdefault(typist.name, []).extend(answer.written for answer in answers)
        return [answer.seconds * 1e3 for answer in answers]

    samples = bench.in_turn(bench.typists, measure, load)
    note = "; ".join(f"{name} writes {statistics.mean(counts):.1f} tokens" for name, counts in written.items())
    name, least = f"keystroke in 1,000 tokens{load.when}", load.least or 5.0
    found = _beside(bench.typists[1:], name, "ms", samples, least, "less", note)
    if load is not IDLE:
        return found
    name = "tokens prefilled for a key"
    return [
        *found,
        figure(name, "", read, Bound("≤", 1, "ours")),
        figure(f"{name}, p95", "", read, Bound("≤", 3, "ours"), percentile(0.95)),
    ]


def repeated(bench: Bench) -> list[Figure]:
    """Prompt lookup, on code that repeats itself and on code that does not."""
    faster, never_slower = Bound("≥", 1.6, "ratio"), Bound("≥", 0.97, "ratio")
    names = ("repeated code, speculation", "other code, speculation, worst text")
    if bench.engine.speculates is None:
        return [
            missing(name, must, "this engine does not speculate")
            for name, must in zip(names, (faster, never_slower), strict=True)
        ]
    ordinary = [_cut(bench, name) for name in texts.ORDINARY]
    repeating = [_speculated(bench, names[0], bench.encode(text), faster) for text in texts.REPEATED]
    plain = [_speculated(bench, names[1], tokens, never_slower) for tokens in ordinary]
    return [
        replace(chosen, note=f"of texts with {', '.join(f'{_ratio(one):.2f}' for one in found)} ×")
        for found, chosen in (
            (repeating, sorted(repeating, key=_ratio)[len(repeating) // 2]),
            (plain, min(plain, key=_ratio)),
        )
    ]


def _cut(bench: Bench, name: str) -> list[int]:
    """The first tokens of a module, to be gone on with."""
    return bench.encode(texts.library(name))[:CONTEXT_TOKENS]


def _speculated(bench: Bench, name: str, tokens: Sequence[int], must: Bound) -> Figure:
    def measure(wanted: bool, turn: int) -> list[float]:
        with _speculating(bench.engine, wanted):
            return [bench.engine.decode(tokens, SPECULATED_TOKENS) * 1e3]

    ours, plain = bench.in_turn([True, False], measure)
    return compared(name, "ms/token", ours, "without", plain, must)


def _ratio(found: Figure) -> float:
    return found.ratio or 0.0


def choices(bench: Bench) -> list[Figure]:
    """Three completions to choose from, of 24 tokens each, behind a prompt that is remembered."""
    name, must = "three choices", Bound("≤", 1.6, "ratio")
    if not bench.engine.offers_choices:
        return [missing(name, must, "this engine offers one choice")]
    context = bench.tokens[:CONTEXT_TOKENS]

    def measure(count: int, turn: int) -> list[float]:
        bench.engine.forget()
        bench.engine.generate(context, 0)
        began = time.perf_counter()
        bench.engine.generate(context, CHOSEN_TOKENS, count)
        return [(time.perf_counter() - began) * 1e3]

    three, one = bench.in_turn([3, 1], measure)
    return [compared(name, "ms", three, "one choice", one, must, better="more")]


def load(bench: Bench) -> list[Figure]:
    """From the packed cache to the first token, imports excluded."""
    found = cold.seconds(bench.model.name, THREADS, bench.repeats)
    return [figure("packed cache to first token", "s", found, Bound("≤", 2, "ours"))]


def start(bench: Bench) -> list[Figure]:
    """From exec to the first token of a request that waits for it."""
    found = []
    for _ in range(bench.repeats):
        server = OurServer(bench.model, THREADS)
        found.append(server.first_token_s)
        server.close()
    return [figure("exec to first token", "s", found, Bound("≤", 6, "ours"))]


def cancel(bench: Bench) -> list[Figure]:
    """A hang-up while a long prompt is read, at another moment each time, until the next request is served."""
    text = texts.library(texts.LONG)[:LONG_CHARACTERS]
    server = bench.server
    server.tiny()
    idle = statistics.median(server.tiny() for _ in range(7))
    found = []
    for turn in range(2 * bench.repeats):
        time.sleep(SETTLE_SECONDS)
        took = server.cancel(f"# {time.monotonic_ns()}\n{text}", after=0.2 + 0.037 * turn)
        found.append(max(0.0, took - idle) * 1e3)
    return [figure("cancel to idle", "ms", found, Bound("≤", 60, "ours"))]


def busy(bench: Bench) -> list[Figure]:
    """Prefill, decode and keystroke while another process keeps one core busy."""
    bench.bring_up()
    with machine.busy_neighbour():
        return [*prefill(bench, BUSY), *decode(bench, BUSY), *keystroke(bench, BUSY)]


FIGURES: dict[str, Callable[[Bench], list[Figure]]] = {
    "prefill": prefill,
    "decode": decode,
    "keystroke": keystroke,
    "repeated": repeated,
    "choices": choices,
    "load": load,
    "start": start,
    "cancel": cancel,
    "busy": busy,
}


def _beside(
    others: Sequence[Subject | Typist],
    name: str,
    unit: str,
    samples: Sequence[list[float]],
    least: float,
    better: Literal["more", "less"],
    note: str = "",
) -> list[Figure]:
    """Ours, which come first in `samples`, beside each peer's; alone where there is none."""
    must = Bound("≥", least, "ratio")
    ours, *theirs = samples
    if not theirs:
        return [figure(name, unit, ours, must, note="no --peer to compare with")]
    return [
        compared(name, unit, ours, other.name, peer, must, better, note)
        for other, peer in zip(others, theirs, strict=True)
    ]


@contextlib.contextmanager
def _speculating(engine: OurEngine, wanted: bool) -> Iterator[None]:
    """Speculation on or off, where the engine has it."""
    before = engine.speculates
    if before is not None:
        engine.speculates = wanted
    try:
        yield
    finally:
        if before is not None:
            engine.speculates = before
