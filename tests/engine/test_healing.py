"""Token healing: the output goes on exactly where the typing stopped, wherever that is."""

from __future__ import annotations

import codecs
from itertools import pairwise

import pytest
from tiny_model import HARD_LINES, Recorder, Scripted, answer, logits_after

from aigc_lsp import catalogue
from aigc_lsp.engine.generate import Engine, Request
from aigc_lsp.engine.sampling import Sampling
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.prompt.infill import Hole, Prompt, render

FIM = catalogue.load("qwen2.5-coder-0.5b").fim


def spelled(vocabulary: Vocabulary, tokens: list[int]) -> bytes:
    return b"".join(map(vocabulary.bytes_of, tokens))


def prompt_of(vocabulary: Vocabulary, prefix: str, suffix: str, order: str) -> Prompt:
    return render(Hole(prefix, suffix), FIM, None, vocabulary, prefix_budget=500, suffix_budget=500, order=order)


def kept_prefix(vocabulary: Vocabulary, prompt: Prompt, order: str) -> bytes:
    tokens, at = list(prompt.tokens), {name: vocabulary.control(f"<|fim_{name}|>") for name in ("suffix", "middle")}
    start = tokens.index(at["middle"]) + 1 if order == "spm" else 1
    end = tokens.index(at["suffix"]) if order == "psm" else len(tokens)
    return spelled(vocabulary, tokens[start:end])


@pytest.mark.parametrize("order", ["spm", "psm"])
@pytest.mark.parametrize("line", HARD_LINES)
def test_cut_anywhere(engine: Engine, chosen: Recorder, line: str, order: str) -> None:
    for cut in range(len(line) + 1):
        prompt = prompt_of(engine.vocabulary, line[:cut], line[cut:], order)
        assert kept_prefix(engine.vocabulary, prompt, order) + prompt.heal == line[:cut].encode()

        chosen.clear()
        given = answer(engine, Request(prompt.tokens, heal=prompt.heal, max_tokens=2))
        said = spelled(engine.vocabulary, chosen.tokens)
        assert said.startswith(prompt.heal)
        rest = said[len(prompt.heal) :]
        assert given.text == codecs.getincrementaldecoder("utf-8")("replace").decode(rest)
        # What heals alone does not count as output: two tokens reach beyond it.
        reach = [len(spelled(engine.vocabulary, chosen.tokens[:n])) for n in range(len(chosen.tokens) + 1)]
        beyond = [a for a, b in pairwise(reach) if b > len(prompt.heal) or (a == b and a >= len(prompt.heal))]
        assert len(beyond) == 2


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_each_token_is_the_likeliest_that_agrees(engine: Engine, chosen: Recorder, temperature: float) -> None:
    """Held against every token of the vocabulary; sampled tokens only have to agree."""
    vocabulary, model = engine.vocabulary, engine.model
    spellings = [vocabulary.bytes_of(id) for id in range(len(vocabulary))]
    for prefix in ["    def __ini", "x = os.listd", "import o", "日", "  \t "]:
        prompt = prompt_of(vocabulary, prefix, "\n", "spm")
        assert prompt.heal
        chosen.clear()
        sampling = Sampling(temperature, seed=3)
        answer(engine, Request(prompt.tokens, heal=prompt.heal, max_tokens=1, sampling=sampling))
        said, tokens = b"", list(prompt.tokens)
        for token, logprob in zip(chosen.tokens, chosen.logprobs, strict=True):
            left = prompt.heal[len(said) :]
            agree = [
                id for id, data in enumerate(spellings) if data and (data.startswith(left) or left.startswith(data))
            ]
            logits = logits_after(model, tokens)
            if left:
                assert token in agree
                if not temperature:
                    assert token == max(agree, key=lambda id: float(logits[id]))
            among = logits[agree] if left else logits
            assert logprob == pytest.approx(float(logits[token] - among.logsumexp(0)), abs=1e-4)
            said += spellings[token]
            tokens.append(token)


def test_healed_by_one_token_that_reaches_beyond(scripted: Scripted) -> None:
    scripted.say(b" return")
    given = answer(scripted, Request([1, 2], heal=b" retu", max_tokens=1))
    assert given.text == "rn"
    assert given.outcome.timings.generated_tokens == 1


def test_healed_by_tokens_that_are_strict_prefixes(scripted: Scripted) -> None:
    scripted.say(b"r", b"e", b"t", b"u", b"r")
    given = answer(scripted, Request([1, 2], heal=b"ret", max_tokens=2))
    assert given.text == "ur"
    assert given.outcome.timings.generated_tokens == 5
    assert given.outcome.stop_reason == "limit"


def test_what_disagrees_is_passed_over(scripted: Scripted) -> None:
    x, control = scripted.vocabulary.encode("x")[0], scripted.vocabulary.control("<|endoftext|>")
    r, e, d, z = (scripted.vocabulary.encode(letter)[0] for letter in "redz")
    scripted.script([control, x, r], [control, z, e], [d])
    given = answer(scripted, Request([1], heal=b"re", max_tokens=1, stop_tokens=frozenset({control})))
    assert given.text == "d"  # neither a control token nor the end comes before what was typed


def test_stops_again_once_healed(scripted: Scripted) -> None:
    end = scripted.vocabulary.control("<|endoftext|>")
    scripted.say(b"r", b"e", end)
    given = answer(scripted, Request([1], heal=b"re", stop_tokens=frozenset({end})))
    assert (given.text, given.outcome.stop_reason) == ("", "eos")


def test_a_stop_string_that_was_typed_is_none(scripted: Scripted) -> None:
    """Healing runs over what stands before the cursor: a line break there is no reason to stop."""
    scripted.say(b"\n", b"a", b"b", b"\n")
    given = answer(scripted, Request([1], heal=b"\n", stop=("\n",)))
    assert (given.text, given.outcome.stop_reason, given.outcome.stopping_word) == ("ab", "word", "\n")


def test_a_character_in_two_tokens_is_healed(scripted: Scripted) -> None:
    scripted.say(b"\xf0", b"\x9f", b"\x8e", b"\x89", b"!")
    given = answer(scripted, Request([1], heal="🎉".encode(), max_tokens=1))
    assert given.text == "!"


def test_a_token_that_heals_and_ends_inside_a_character(scripted: Scripted) -> None:
    """One token ends what was typed and begins the next character; the character is told once it is whole."""
    vocabulary = scripted.vocabulary
    whole = " 🙂".encode()
    tokens = [data for id in range(len(vocabulary)) if (data := vocabulary.bytes_of(id))]
    half = next(data for data in tokens if data.startswith(b" ") and 1 < len(data) < len(whole) and data in whole)
    scripted.say(half, *(bytes([byte]) for byte in whole[len(half) :]))
    given = answer(scripted, Request([1], heal=b" ", max_tokens=1 + len(whole) - len(half)))
    assert [piece.text for piece in given.pieces] == ["🙂"]
