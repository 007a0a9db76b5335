"""A language model whose truth is known without running it: keys, values and the next token are hashes of all tokens
before. It computes them from what the branch holds, never from what it is told, so that a key that is wrong, old or
somebody else's gives another text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from aigc_lsp.engine.decoder import Interrupted
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.store import Branch, KVStore
from aigc_lsp.engine.vocabulary import Vocabulary

LAYERS = 2
MODULUS = (1 << 31) - 1
KV_BYTES = 2 * LAYERS * 8
"""Of one token."""

SPELLINGS = ["a", "b", "c", "d", "ab", "abc", "ba", "cd", "dd", "Ċ", "aĊ", "Ċa"]
"""Of the tokens from 0 on, "Ċ" being how byte-level BPE writes a line break; the one behind them is the end."""

WORDS = len(SPELLINGS) + 1
END = WORDS - 1


class Broken(Exception):
    """What a forward pass fails with where a test wants it to."""


def hashed_vocabulary() -> Vocabulary:
    tokenizer = Tokenizer(models.BPE({spelling: id for id, spelling in enumerate(SPELLINGS)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.add_special_tokens([AddedToken("<end>", special=True)])
    return Vocabulary(tokenizer)


def following(number: int, token: int) -> int:
    """The hash of a text and one more token."""
    return (number * 48271 + token + 11) % MODULUS


def hashes(tokens: Sequence[int], layer: int = LAYERS - 1) -> list[int]:
    """After each of `tokens`: what that layer's keys have to be; the values are their negatives."""
    number, found = layer + 1, []
    for token in tokens:
        number = (number * 48271 + token + 11) % MODULUS  # `following`, in place, since tests do nothing else so often
        found.append(number)
    return found


@lru_cache(maxsize=4096)
def _column(tokens: tuple[int, ...], layer: int) -> torch.Tensor:
    return torch.tensor(hashes(tokens, layer))


_FACTORS = torch.tensor([7919 * (2 * word + 3) for word in range(WORDS)])


@lru_cache(maxsize=1 << 16)
def likings(number: int) -> torch.Tensor:
    """Logits after the text of that hash."""
    return ((_FACTORS * number) % 99991).float() / 20000


def greedy(tokens: Sequence[int], count: int, likes: Callable[[int], torch.Tensor] = likings) -> list[int]:
    """The `count` likeliest tokens after `tokens`."""
    number, found = hashes(tokens)[-1], []
    for _ in range(count):
        found.append(int(likes(number).argmax()))
        number = following(number, found[-1])
    return found


class HashedModel:
    """See `decoder.LanguageModel`. The `fails_in`th layer that is run from now on fails, before or after it wrote."""

    layers = LAYERS
    vocabulary = WORDS
    device = torch.device("cpu")

    def __init__(self, likes: Callable[[int], torch.Tensor] = likings) -> None:
        self._likes = likes
        self.passes: list[int] = []
        """The number of tokens of each forward pass."""
        self.fails_in = 0
        self.fails_after_writing = False

    def __call__(
        self,
        ids: torch.Tensor,
        branch: Branch,
        *,
        rows: int = 1,
        positions: torch.Tensor | None = None,
        sees: torch.Tensor | None = None,
        interrupted: Callable[[], bool] | None = None,
    ) -> torch.Tensor:
        tokens, held = ids.tolist(), len(branch.tokens)
        self.passes.append(len(tokens))
        before = self._before(len(tokens), held, positions, sees)
        numbers: list[int] = []
        for number, layer in enumerate(branch.layers):
            if interrupted is not None and interrupted():
                raise Interrupted
            self.fails_in -= 1
            if not self.fails_in and not self.fails_after_writing:
                raise Broken
            assert layer.length == held
            numbers = []
            for row, token in enumerate(tokens):
                column = before[row]
                if column >= held:
                    earlier = numbers[column - held]
                elif column >= 0:
                    assert layer.keys is not None
                    earlier = int(layer.keys[0, column, 0])
                else:
                    earlier = number + 1
                numbers.append(following(earlier, token))
            keys = torch.tensor(numbers).view(1, -1, 1)
            layer.update(keys, -keys)
            if not self.fails_in:
                raise Broken
        return (
            torch.stack([self._likes(number) for number in numbers[len(tokens) - rows :]]) if rows else torch.empty(0)
        )

    @staticmethod
    def _before(count: int, held: int, positions: torch.Tensor | None, sees: torch.Tensor | None) -> list[int]:
        """For each token the column that it follows, -1 for none: the last one that it sees besides itself."""
        if sees is None:
            assert positions is None
            return [held + row - 1 for row in range(count)]
        assert positions is not None
        assert sees.shape == (count, held + count)
        before = []
        for row, (seen, position) in enumerate(zip(sees.tolist(), positions.tolist(), strict=True)):
            columns = [column for column, is_seen in enumerate(seen) if is_seen]
            assert columns[-1] == held + row, "a token sees itself, and none after it"
            assert position == len(columns) - 1
            before.append(columns[-2] if len(columns) > 1 else -1)
        return before


def hashed_engine(likes: Callable[[int], torch.Tensor] = likings, kv_bytes: int = 1 << 20) -> Engine:
    return Engine(HashedModel(likes), hashed_vocabulary(), kv_bytes)


def assert_true(store: KVStore) -> None:
    """Every branch's tokens name what its tensors hold."""
    for branch in store.branches:
        tokens, length = tuple(branch.tokens), len(branch.tokens)
        for number, layer in enumerate(branch.layers):
            if length:
                assert layer.keys is not None
                assert layer.values is not None
                expected = _column(tokens, number)
                assert torch.equal(layer.keys[0, :length, 0], expected)
                assert torch.equal(layer.values[0, :length, 0], -expected)
