"""Text to tokens and back: control tokens stay text (invariant 10), and `consistent` leaves none out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import HARD_LINES, control_tokens, tiny_tokenizer
from tokenizers import AddedToken, Tokenizer, decoders, models

from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import ModelDamaged, ModelError

VOCABULARY = Vocabulary(tiny_tokenizer())
SPELLINGS = [VOCABULARY.bytes_of(id) for id in range(len(VOCABULARY))]


def spelled(tokens: list[int]) -> bytes:
    return b"".join(VOCABULARY.bytes_of(token) for token in tokens)


@each_row("token", control_tokens())
def test_a_control_token_in_text_is_text(token: str) -> None:
    control = VOCABULARY.control(token)
    assert VOCABULARY.bytes_of(control) == b""
    for text in [token, f"x = '{token}'\n", token * 3, f" {token} ", f"{token[:-1]}{token}", f"é{token}🙂"]:
        tokens = VOCABULARY.encode(text)
        assert control not in tokens
        assert spelled(tokens) == text.encode()


CONTROLS = {VOCABULARY.control(token) for token in control_tokens()}


@given(st.lists(st.one_of(st.sampled_from([*control_tokens(), *HARD_LINES, "<|", "|>", " "]), st.text(max_size=5))))
def test_any_text_comes_back(parts: list[str]) -> None:
    text = "".join(parts)
    tokens = VOCABULARY.encode(text)
    assert spelled(tokens) == text.encode()
    assert not CONTROLS.intersection(tokens)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("\ud83d\ude42", "🙂"),
        ("end\ud83d", "end\ufffd"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("\ufeffbom", "\ufeffbom"),
        ("\x00\x7f\u2028", "\x00\x7f\u2028"),
    ],
)
def test_lone_surrogates(text: str, clean: str) -> None:
    assert spelled(VOCABULARY.encode(text)).decode() == clean


def test_a_control_token_that_is_missing_is_named() -> None:
    assert not VOCABULARY.has_control("<|nobody|>")
    with pytest.raises(ModelDamaged, match="nobody"):
        VOCABULARY.control("<|nobody|>")
    with pytest.raises(ModelDamaged):
        VOCABULARY.control("self")  # a token, but of text


def test_a_tokenizer_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Its tokens would be taken for what they are not: `<0x0A>` for six characters, `▁def` for nothing."""
    tokenizer = Tokenizer(models.BPE({"▁def": 0, "<0x0A>": 1}, []))
    for decoder in (None, decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback()])):
        if decoder is not None:
            tokenizer.decoder = decoder
        tokenizer.save(str(tmp_path / "tokenizer.json"))
        with pytest.raises(ModelError, match="another kind"):
            Vocabulary.load(tmp_path)
    tiny_tokenizer().save(str(tmp_path / "tokenizer.json"))
    assert len(Vocabulary.load(tmp_path)) == len(VOCABULARY)


def test_ids_beyond_the_tokenizers_say_nothing() -> None:
    assert VOCABULARY.bytes_of(len(VOCABULARY)) == b""
    assert VOCABULARY.bytes_of(10**9) == b""


def test_an_added_token_that_is_no_control_token_is_text() -> None:
    """As some tokenizers add runs of blanks: they occur in text, so they must be spelled out and healed."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([AddedToken("\t\t\t\t", special=False, normalized=False)])
    vocabulary = Vocabulary(tokenizer)
    tokens = vocabulary.encode("a\t\t\t\tb")
    assert b"".join(map(vocabulary.bytes_of, tokens)) == b"a\t\t\t\tb"
    assert len(tokens) == 3
    assert tokens[1] in vocabulary.consistent(b"\t\t").tolist()
    assert not vocabulary.has_control("\t\t\t\t")


def test_rows_that_only_fill_up_the_matrix_say_nothing() -> None:
    """GGUF files list the rows beyond the tokenizer's as `[PAD<id>]`: no text is ever made of them."""
    content = json.loads(tiny_tokenizer().to_str())
    filler, word = max(content["model"]["vocab"].values()) + 1000, max(content["model"]["vocab"].values()) + 1001
    content["model"]["vocab"] |= {f"[PAD{filler}]": filler, "[PAD3]": word}
    vocabulary = Vocabulary(Tokenizer.from_str(json.dumps(content)))
    assert vocabulary.bytes_of(filler) == b""
    assert vocabulary.bytes_of(word) == b"[PAD3]"
    assert vocabulary.bytes_of(filler - 1) == b""
    found = vocabulary.consistent(b"[").tolist()
    assert filler not in found
    assert word in found


def brute_force(remaining: bytes) -> set[int]:
    return {
        id for id, data in enumerate(SPELLINGS) if data and (remaining.startswith(data) or data.startswith(remaining))
    }


PIECES = st.one_of(st.sampled_from([data for data in SPELLINGS if data]), st.binary(max_size=2))


@given(st.lists(PIECES, max_size=4).map(b"".join), st.integers(0, 3))
def test_consistent_against_the_whole_vocabulary(known: bytes, short: int) -> None:
    remaining = known[: len(known) - short]
    found = VOCABULARY.consistent(remaining).tolist()
    assert len(set(found)) == len(found)
    assert set(found) == brute_force(remaining)


@pytest.mark.parametrize("remaining", [b"", b"\xff", b"\xff\xff", b"a\xff", b" ", b"    ", b"\n", "é".encode()[:1]])
def test_consistent_at_the_edges(remaining: bytes) -> None:
    assert set(VOCABULARY.consistent(remaining).tolist()) == brute_force(remaining)
