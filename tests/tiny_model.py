"""A tiny random model, a tiny byte-level tokenizer, and the slow and plain answers to hold the engine against.

Imported by the tests of `engine/` and `prompt/`, whose `conftest.py` puts this folder on the path.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from aigc_lsp import catalogue
from aigc_lsp.engine.decoder import Block, Decoder, Shape, build
from aigc_lsp.engine.generate import Engine, Outcome, Piece, Request
from aigc_lsp.engine.store import Branch
from aigc_lsp.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# transformers takes seconds to import, so what needs it imports it: most tests that use this do not.

LAYERS = 2
KV_BYTES = 2 * LAYERS * 2 * 8 * 4
"""Of one token: keys and values, layers, heads, head size, float32."""

QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen2's tokenizer splits text before it merges."""

CORPUS = """\
def add(a, b):
    return a + b

class Tree(Node):
    def __init__(self, left, right):
        self.left = left
        self.right = right
        for item in range(10):
            if item.listdir:
                return os.listdir(item)

import os
# naïve café — déjà vu
print("日本 日本 日本 🙂 🙂 🙂")
"""

HARD_LINES = [
    "def add(a, b):\r\n\r\n\treturn a",
    "            self.left  =  left   ",
    'print("日本語 é🙂👩‍👧 𝕏")  # naïve—café',
    "x = os.listd\n\n\n        \n  if item\r",
]
"""Lines to cut anywhere: runs of blanks, CR and CRLF, characters of two to four bytes, joined emoji."""


def one_thread() -> Iterator[None]:
    """For a fixture: so small a model is slower on several threads, and far slower when the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def control_tokens() -> list[str]:
    """Every control token of every shipped descriptor."""
    return sorted({token for name in catalogue.names() for token in catalogue.load(name).control_tokens})


def tiny_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, min_frequency=2, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([CORPUS] * 3, trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in control_tokens()])
    return tokenizer


def tiny_weights(vocabulary_size: int) -> PreTrainedModel:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(20)
    config = Qwen2Config(
        vocab_size=vocabulary_size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.3,  # wide, so that what comes next depends on what came before
        tie_word_embeddings=False,
    )
    return Qwen2ForCausalLM(config).eval()


def tiny_decoder(weights: PreTrainedModel) -> Decoder:
    """`weights` in our own forward pass, which remembers them as `reference`: transformers' answers are the truth."""
    shape = Shape.of(weights.config.to_dict())
    assert shape is not None
    decoder = build(shape, {name: tensor.detach() for name, tensor in weights.state_dict().items()}, {})
    decoder.reference = weights  # type: ignore[attr-defined]
    return decoder


def logits_after(model: object, tokens: Sequence[int]) -> torch.Tensor:
    """What the model says after `tokens`, without any cache. `model`: transformers', or one of `tiny_decoder`."""
    model = getattr(model, "reference", model)
    with torch.inference_mode():
        return model(torch.tensor([list(tokens)]), use_cache=False).logits[0, -1].float()


def plain_greedy(model: object, tokens: Sequence[int], count: int) -> list[int]:
    """`count` tokens after `tokens`: the whole text is read anew for each of them."""
    tokens = list(tokens)
    for _ in range(count):
        tokens.append(int(logits_after(model, tokens).argmax()))
    return tokens[len(tokens) - count :]


def shared(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common prefix, found the slow way."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def edits(rng: random.Random, vocabulary: int, steps: int) -> Iterator[list[int]]:
    """Prompts as two documents would send them while they are edited. Of few tokens, they repeat themselves."""

    def some(low: int, high: int) -> list[int]:
        return [rng.randrange(vocabulary) for _ in range(rng.randint(low, high))]

    documents, now = [some(20, 40), some(20, 40)], 0
    yield documents[now]
    for _ in range(steps):
        tokens = list(documents[now])
        kind = rng.choice(
            ["append", "append", "append", "backspace", "middle", "jump", "shrink", "repeat", "cut", "one"]
        )
        at = rng.randrange(len(tokens))
        if kind == "append":
            tokens += some(1, 3)
        elif kind == "backspace":
            tokens = tokens[: max(1, len(tokens) - rng.randint(1, 3))]
        elif kind == "middle":
            tokens[at : at + rng.randint(0, 3)] = some(1, 3)
        elif kind == "jump":
            now = 1 - now
            tokens = documents[now]
        elif kind == "shrink":
            tokens = tokens[: at + 1]
        elif kind == "cut":
            tokens = tokens[at:]
        elif kind == "one":
            yield tokens[:1]
            tokens = tokens + some(10, 20)
        documents[now] = tokens
        yield tokens


def assert_greedy(model: object, tokens: Sequence[int], chosen: Sequence[int]) -> None:
    """`chosen` is what plain greedy decoding says after `tokens`: each is the likeliest after all before it. One pass
    tells that for all of them, so it is quicker than `plain_greedy`."""
    model = getattr(model, "reference", model)
    with torch.inference_mode():
        logits = model(torch.tensor([[*tokens, *chosen]]), use_cache=False).logits[0, len(tokens) - 1 : -1]
    assert list(chosen) == logits.argmax(1).tolist()


def held(branch: Branch) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """For each layer the keys and values that `branch.tokens` names."""
    length = len(branch.tokens)
    return [(layer.keys[None, :, :length], layer.values[None, :, :length]) for layer in branch.layers]


def assert_store_true(engine: Engine) -> None:
    """Every branch's token list names what its tensors hold: keys and values computed from scratch are the same."""
    from transformers.cache_utils import DynamicCache

    for branch in engine.store.branches:
        if not branch.tokens:
            continue
        fresh = DynamicCache()
        with torch.inference_mode():
            engine.model.reference.base_model(torch.tensor([branch.tokens]), past_key_values=fresh, use_cache=True)
        for (keys, values), layer in zip(held(branch), fresh.layers, strict=True):
            torch.testing.assert_close(keys, layer.keys, atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(values, layer.values, atol=1e-4, rtol=1e-4)


class Broken(Exception):
    """What a forward pass fails with where a test wants it to."""


@contextmanager
def breaking(decoder: Decoder, layer: int, nth: int, after: bool) -> Iterator[list[int]]:
    """The `nth` time that `layer` is run it raises, before or after it wrote its keys and values. Yields a list with an
    item for each time that it was run."""
    calls: list[int] = []
    whole = decoder._block

    def block(which: Block, *rest: object) -> torch.Tensor:
        if which is not decoder.blocks[layer]:
            return whole(which, *rest)  # type: ignore[arg-type]
        calls.append(1)
        if len(calls) == nth and not after:
            raise Broken
        x = whole(which, *rest)  # type: ignore[arg-type]
        if len(calls) == nth:
            raise Broken
        return x

    decoder._block = block  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        del decoder._block  # type: ignore[attr-defined]


@dataclass
class Answer:
    """All that one generation yielded."""

    pieces: list[Piece]
    outcome: Outcome

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def tokens(self) -> list[int]:
        return [token for piece in self.pieces for token in piece.tokens]

    @property
    def logprobs(self) -> list[float]:
        return [logprob for piece in self.pieces for logprob in piece.logprobs]


def answer(engine: Engine, request: Request, cancelled: Callable[[], bool] = lambda: False) -> Answer:
    *pieces, outcome = engine.generate(request, cancelled)
    assert isinstance(outcome, Outcome)
    assert all(isinstance(piece, Piece) for piece in pieces)
    return Answer(pieces, outcome)


class Recorder:
    """Notes each token that the engine chose, also those that yield no text: healing, controls, half characters."""

    def __init__(self, choose: Callable[..., tuple[int, float]]) -> None:
        self._choose = choose
        self.tokens: list[int] = []
        self.logprobs: list[float] = []

    def __call__(self, *args: object, **kwargs: object) -> tuple[int, float]:
        token, logprob = self._choose(*args, **kwargs)
        self.tokens.append(token)
        self.logprobs.append(logprob)
        return token, logprob

    def clear(self) -> None:
        self.tokens.clear()
        self.logprobs.clear()


class Scripted(Engine):
    """An engine whose model likes best what `likes` says next: a list of choices, the best first, for each step.

    The real forward pass still runs, so the store is exercised as always.
    """

    def __init__(self, weights: PreTrainedModel, vocabulary: Vocabulary) -> None:
        super().__init__(tiny_decoder(weights), vocabulary)
        self.speculate = False  # a script has one step for each pass
        self._steps: Iterator[Sequence[int]] = iter(())

    def script(self, *likes: Sequence[int]) -> None:
        self._steps = iter(likes)

    def say(self, *data: bytes | int) -> None:
        """The script that says exactly these tokens, each given by its id or its bytes."""
        by_bytes = {self.vocabulary.bytes_of(id): id for id in range(len(self.vocabulary))}
        self.script(*([by_bytes[one] if isinstance(one, bytes) else one] for one in data))

    def forward(self, branch: Branch, tokens: Sequence[int], rows: int = 1, **kwargs: object) -> torch.Tensor:
        logits = torch.zeros_like(super().forward(branch, tokens, rows, **kwargs))  # type: ignore[arg-type]
        for row in logits:
            for rank, token in enumerate(next(self._steps, ())):
                row[token] = 50.0 - rank
        return logits
