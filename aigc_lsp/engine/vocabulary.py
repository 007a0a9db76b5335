"""Text to tokens and tokens to bytes.

Contract: `encode` reads text as plain characters, control tokens included (invariant 10); `control` is the only way
to a control token. `consistent(remaining)` answers what token healing asks: which tokens may come next when the
next bytes are already known.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from functools import cached_property
from pathlib import Path

import torch
from tokenizers import Tokenizer

from aigc_lsp.errors import ModelDamaged, ModelError


class Vocabulary:
    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        # With this on, the added special tokens are not looked for in the text.
        self._tokenizer.encode_special_tokens = True
        added = tokenizer.get_added_tokens_decoder()
        self._controls = {token.content: id for id, token in added.items() if token.special}
        self._bytes = _token_bytes(tokenizer)

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        """Raises `ModelError` where tokens are not spelled in bytes."""
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        decoder = json.loads(tokenizer.to_str())["decoder"] or {}
        if "ByteLevel" not in (decoder.get("type"), *(each["type"] for each in decoder.get("decoders", ()))):
            raise ModelError(
                "The model's tokenizer is of another kind (SentencePiece's) than can be read here, byte-level BPE. "
                "Choose another model."
            )
        return cls(tokenizer)

    def __len__(self) -> int:
        return len(self._bytes)

    def encode(self, text: str) -> list[int]:
        """Tokens of `text`, in which nothing is a control token. Lone surrogates become U+FFFD."""
        clean = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return self._tokenizer.encode(clean, add_special_tokens=False).ids

    def encode_prompt(self, text: str) -> list[int]:
        """Tokens of a prompt that somebody has written out, control tokens included. Never for a user's text."""
        pieces = re.split(f"({'|'.join(map(re.escape, self._controls))})", text) if self._controls else [text]
        return [
            id
            for piece in pieces
            for id in ([self._controls[piece]] if piece in self._controls else self.encode(piece))
        ]

    def control(self, token: str) -> int:
        """The id of a control token; an error where the model has none of that name."""
        id = self._controls.get(token)
        if id is None:
            raise ModelDamaged(
                f"The model's tokenizer has no control token {token!r}, but its descriptor in models/*.toml names it."
            )
        return id

    def has_control(self, token: str) -> bool:
        return token in self._controls

    def bytes_of(self, id: int) -> bytes:
        """The bytes a token stands for; empty for control tokens and for ids beyond the tokenizer's."""
        return self._bytes[id] if id < len(self._bytes) else b""

    def consistent(self, remaining: bytes) -> torch.Tensor:
        """Ids, int64, of the tokens that agree with the known next bytes: each is a prefix of `remaining` or starts
        with it. Control tokens are never among them.
        """
        ordered, ids = self._by_bytes
        low = bisect_left(ordered, remaining)
        high = bisect_left(ordered, _successor(remaining)) if _successor(remaining) else len(ordered)
        found = list(ids[low:high])
        for length in range(1, len(remaining)):
            at = bisect_left(ordered, remaining[:length])
            if at < len(ordered) and ordered[at] == remaining[:length]:
                found.append(ids[at])
        return torch.tensor(found, dtype=torch.int64)

    @cached_property
    def _by_bytes(self) -> tuple[list[bytes], list[int]]:
        ids = sorted((id for id, data in enumerate(self._bytes) if data), key=self._bytes.__getitem__)
        return [self._bytes[id] for id in ids], ids


def _successor(prefix: bytes) -> bytes:
    """The least byte string above every string that starts with `prefix`; empty when there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else b""


def _token_bytes(tokenizer: Tokenizer) -> list[bytes]:
    """For each id the bytes it stands for, of a byte-level BPE tokenizer."""
    characters = _byte_characters()
    vocabulary = tokenizer.get_vocab(with_added_tokens=False)
    added = tokenizer.get_added_tokens_decoder()
    table = [b""] * (max([*vocabulary.values(), *added], default=-1) + 1)
    for token, id in vocabulary.items():
        if token == f"[PAD{id}]":
            continue  # how GGUF files call a row that only fills up the matrix; no text is made of it
        try:
            table[id] = bytes([characters[character] for character in token])
        except KeyError:
            continue  # not written in the byte alphabet: a control token in the base vocabulary
    for id, extra in added.items():
        table[id] = b"" if extra.special else extra.content.encode()  # one that is not special is found in text
    return table


def _byte_characters() -> dict[str, int]:
    """The byte alphabet of GPT-2's BPE (openai/gpt-2, `bytes_to_unicode`): printable bytes stand for themselves, the
    others for the code points from 256 on, in order."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}
