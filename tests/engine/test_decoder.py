"""Our forward pass, and transformers' behind the same call, against transformers' plain answers without any cache."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.engine import store as store_module
from aigc_lsp.engine.decoder import Interrupted, LanguageModel, Shape, build
from aigc_lsp.engine.store import Branch

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

LAYERS = 3
WORDS = 97
TOKENS = [(31 * n + 5) % WORDS for n in range(12)]

COMMON: dict[str, Any] = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}


def rope(theta: float, kind: str = "default", **more: object) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **more}}


# By a name of our own, transformers' name of the family and what its config says.
OURS: dict[str, tuple[str, dict[str, Any]]] = {
    "qwen2": ("qwen2", COMMON | rope(1e6)),
    "qwen2, tied": ("qwen2", COMMON | {"tie_word_embeddings": True}),
    "llama": ("llama", COMMON | rope(5e5) | {"head_dim": 16, "rms_norm_eps": 0.5}),
    "llama, tied": ("llama", COMMON | {"tie_word_embeddings": True}),
    "llama, bias": ("llama", COMMON | {"attention_bias": True}),
    "llama, a key head for each": ("llama", COMMON | {"num_key_value_heads": 4}),
    "mistral": ("mistral", COMMON | {"num_key_value_heads": 1, "sliding_window": None}),
}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("gpt2", {"vocab_size": WORDS, "n_embd": 32, "n_layer": LAYERS, "n_head": 4, "n_positions": 64}),
    "starcoder2": ("starcoder2", COMMON | {"bos_token_id": 1, "eos_token_id": 2}),
    "gemma": ("gemma", COMMON | {"head_dim": 16}),
    "llama, linear rope": ("llama", COMMON | rope(1e4, "linear", factor=4.0)),
}


def config_of(family: str, values: dict[str, Any]) -> PreTrainedConfig:
    from transformers import AutoConfig  # seconds of import, which a worker without these tests need not pay

    return AutoConfig.for_model(family, **values)


@cache
def made(name: str) -> PreTrainedModel:
    """Random weights, biases and norms included, so that none of them can be forgotten unseen."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(4)
    model = AutoModelForCausalLM.from_config(config_of(*{**OURS, **OTHERS}[name])).eval()
    dice = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=dice) * 0.3)
    return model


def ours(name: str) -> LanguageModel:
    weights = made(name)
    shape = Shape.of(weights.config.to_dict())
    assert shape is not None
    tensors = {key: tensor.detach() for key, tensor in weights.state_dict().items()}
    if weights.config.tie_word_embeddings:
        del tensors["lm_head.weight"]  # as it is stored: once
    return build(shape, tensors, {})


@cache
def model_of(case: str) -> LanguageModel:
    """`ours: NAME` and `foreign: NAME`."""
    from aigc_lsp.engine.foreign import ATTENTION, Foreign

    way, name = case.split(": ")
    if way == "ours":
        return ours(name)
    weights = type(made(name))(made(name).config)
    weights.load_state_dict(made(name).state_dict())
    weights.set_attn_implementation(ATTENTION)
    return Foreign(weights)


CASES = [*(f"ours: {name}" for name in OURS), *(f"foreign: {name}" for name in ["qwen2", *OTHERS])]


def truth(case: str, tokens: Sequence[int]) -> torch.Tensor:
    """After each of `tokens`, read at once and without a cache."""
    with torch.inference_mode():
        return made(case.split(": ")[1])(torch.tensor([list(tokens)]), use_cache=False).logits[0].float()


def read(model: LanguageModel, branch: Branch, tokens: Sequence[int], rows: int | None = None) -> torch.Tensor:
    """Read and commit."""
    with torch.inference_mode():
        logits = model(torch.tensor(tokens), branch, rows=len(tokens) if rows is None else rows)
    branch.commit(tokens)
    return logits


def same(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


# --- one text


@pytest.mark.parametrize("case", CASES)
def test_in_one_chunk_and_cut_in_two_at_every_place(case: str) -> None:
    model, expected = model_of(case), truth(case, TOKENS)
    assert (model.layers, model.vocabulary) == (LAYERS, WORDS)
    logits = read(model, Branch(LAYERS), TOKENS)
    assert (logits.dtype, logits.shape) == (torch.float32, (len(TOKENS), WORDS))
    same(logits, expected)
    for cut in range(1, len(TOKENS)):
        branch = Branch(LAYERS)
        same(torch.cat([read(model, branch, TOKENS[:cut]), read(model, branch, TOKENS[cut:])]), expected)


@given(
    case=st.sampled_from(CASES),
    tokens=st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=14),
    cuts=st.lists(st.integers(0, 13), max_size=5),
    kept=st.integers(0, 14),
    growth=st.sampled_from([1, 4, 512]),
)
def test_however_it_is_cut_cropped_and_copied(
    case: str, tokens: list[int], cuts: list[int], kept: int, growth: int
) -> None:
    """A text read in chunks; then its branch is cropped, or copied, and read on with the same or with other tokens."""
    model, expected = model_of(case), truth(case, tokens)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "GROWTH", growth)
        branch = Branch(LAYERS)
        edges = sorted({0, len(tokens), *(cut for cut in cuts if cut < len(tokens))})
        for start, end in pairwise(edges):
            same(read(model, branch, tokens[start:end]), expected[start:end])
        kept = min(kept, len(tokens) - 1)
        copy = branch.fork(kept)
        same(read(model, copy, tokens[kept:]), expected[kept:])
        other = [*tokens[:kept], *reversed(tokens)]
        branch.crop(kept)
        same(read(model, branch, other[kept:]), truth(case, other)[kept:])


@pytest.mark.parametrize("case", CASES)
def test_only_the_rows_that_are_asked_for(case: str) -> None:
    model, expected = model_of(case), truth(case, TOKENS)
    for rows in (1, 3):
        same(read(model, Branch(LAYERS), TOKENS, rows), expected[-rows:])
    branch = Branch(LAYERS)
    assert not read(model, branch, TOKENS[:5], rows=0).numel()
    same(read(model, branch, TOKENS[5:]), expected[5:])  # what gave no logits was read all the same


# --- a tree


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("held", [1, 6])
def test_two_continuations_at_once_are_each_alone(case: str, held: int) -> None:
    """Told where they stand and what they see, tokens of two texts in one pass are as each in its own."""
    model = model_of(case)
    texts = [[7, 8, 9], [9, 50, 7]]
    branch = Branch(LAYERS)
    read(model, branch, TOKENS[:held], rows=0)
    for step in range(3):
        before = len(branch.tokens)
        sees = torch.zeros(2, before + 2, dtype=torch.bool)
        sees[:, :held] = True
        for row in (0, 1):
            sees[row, held + row :: 2] = True
        ids = torch.tensor([text[step] for text in texts])
        with torch.inference_mode():
            found = model(ids, branch, rows=2, positions=torch.tensor([held + step] * 2), sees=sees)
        branch.commit([0, 0])
        same(found, torch.stack([truth(case, TOKENS[:held] + text[: step + 1])[-1] for text in texts]))


@pytest.mark.parametrize("case", CASES)
def test_a_tree_in_one_pass(case: str) -> None:
    """The prompt, two texts of different lengths behind it, and tokens that see none of the other's."""
    model, prompt, texts = model_of(case), TOKENS[:4], [[1, 2], [3, 4, 5]]
    ids = [*prompt, *texts[0], *texts[1]]
    sees = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    sees[6:, 4:6] = False
    positions = torch.tensor([0, 1, 2, 3, 4, 5, 4, 5, 6])
    with torch.inference_mode():
        found = model(torch.tensor(ids), Branch(LAYERS), rows=len(ids), positions=positions, sees=sees)
    same(found[:6], truth(case, prompt + texts[0]))
    same(found[6:], truth(case, prompt + texts[1])[4:])


# --- given up


@pytest.mark.parametrize("held", [0, 5])
@pytest.mark.parametrize("case", ["ours: qwen2", "foreign: qwen2", "foreign: gpt2"])
def test_interrupted_at_any_layer_it_leaves_the_branch_as_it_was(case: str, held: int) -> None:
    model, expected = model_of(case), truth(case, TOKENS)
    for nth in range(100):
        branch, asked = Branch(LAYERS), iter(range(100))
        if held:
            read(model, branch, TOKENS[:held])
        try:
            with torch.inference_mode():
                model(torch.tensor([3] * 4), branch, interrupted=lambda nth=nth, asked=asked: next(asked) >= nth)  # type: ignore[misc]
            ended = True
        except Interrupted:
            ended = False
            assert next(asked) == nth + 1  # at once
        assert branch.tokens == TOKENS[:held]
        same(read(model, branch, TOKENS[held:]), expected[held:])
        if ended:
            break
    assert nth >= LAYERS


def test_foreign_forgets_who_interrupts() -> None:
    model = model_of("foreign: gpt2")
    with torch.inference_mode(), pytest.raises(Interrupted):
        model(torch.tensor([1]), Branch(LAYERS), interrupted=lambda: True)
    same(read(model, Branch(LAYERS), TOKENS), truth("foreign: gpt2", TOKENS))


# --- what is computed here, and what is not


@pytest.mark.parametrize("name", OURS)
def test_these_are_ours(name: str) -> None:
    config = config_of(*OURS[name])
    shape = Shape.of(config.to_dict())
    assert shape is not None
    assert (shape.layers, shape.hidden, shape.heads) == (LAYERS, 32, 4)
    assert shape.kv_heads == config.num_key_value_heads
    assert shape.head_size == (16 if name == "llama" else 8)
    assert shape.rope_theta == config.rope_parameters["rope_theta"]
    assert (shape.positions, shape.vocabulary) == (64, WORDS)


NOT_OURS: dict[str, tuple[str, dict[str, Any]] | dict[str, Any]] = {
    **OTHERS,
    "another activation": ("llama", COMMON | {"hidden_act": "gelu"}),
    "a sliding window": ("mistral", COMMON | {"sliding_window": 8}),
    "a sliding window that is used": ("qwen2", COMMON | {"use_sliding_window": True, "sliding_window": 8}),
    "biases in the feed-forward": ("llama", COMMON | {"mlp_bias": True}),
    "yarn": ("qwen2", COMMON | rope(1e4, "yarn", factor=2.0)),
    "llama 3's rope": {"rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5}},
    "scaled, as older files say it": {"rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 4.0}},
    "an unknown type": {"model_type": "something-new"},
    "no type": {"model_type": None},
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_these_are_not_ours(name: str) -> None:
    config, given = config_of("llama", COMMON).to_dict(), NOT_OURS[name]
    if "rope_theta" in given:
        del config["rope_parameters"]
    assert Shape.of(config) is not None
    assert Shape.of(config | (given if isinstance(given, dict) else config_of(*given).to_dict())) is None


def test_what_older_files_leave_out() -> None:
    """transformers 4 wrote `rope_theta` beside the rest, and defaults not at all."""
    old = config_of("qwen2", COMMON).to_dict()
    for key in ("rope_parameters", "head_dim", "use_sliding_window", "num_key_value_heads"):
        old.pop(key, None)
    shape = Shape.of(old | {"rope_theta": 1e6})
    assert shape is not None
    assert (shape.kv_heads, shape.head_size, shape.rope_theta) == (4, 8, 1e6)


@pytest.mark.parametrize("missing", ["model.layers.1.mlp.up_proj.weight", "model.norm.weight", "model.layers.2"])
def test_a_missing_tensor_is_an_error_at_once(missing: str) -> None:
    shape = Shape.of(made("qwen2").config.to_dict())
    assert shape is not None
    tensors = {key: tensor for key, tensor in made("qwen2").state_dict().items() if not key.startswith(missing)}
    with pytest.raises(KeyError):
        build(shape, tensors, {})


# --- another family from its folder


def saved(name: str, folder: Path) -> Path:
    config = made(name).config
    type(made(name))(config).to(torch.bfloat16).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", ["gemma", "starcoder2"])
def test_a_folder_of_another_family(name: str, tmp_path: Path) -> None:
    from aigc_lsp.engine.foreign import Foreign

    model = Foreign.load(saved(name, tmp_path))
    assert model.model.dtype == torch.bfloat16
    with torch.inference_mode():
        expected = model.model(torch.tensor([TOKENS]), use_cache=False).logits[0].float()
    found = read(model, Branch(LAYERS), TOKENS)
    torch.testing.assert_close(found, expected, rtol=2e-2, atol=2e-2)


def test_other_families_run_no_code_from_the_folder(tmp_path: Path) -> None:
    from aigc_lsp.engine.foreign import Foreign

    saved("gemma", tmp_path)
    config = (tmp_path / "config.json").read_text()
    assert '"model_type": "gemma"' in config
    (tmp_path / "config.json").write_text(
        config.replace('"model_type": "gemma"', '"model_type": "own", "auto_map": {"AutoConfig": "code.C"}')
    )
    (tmp_path / "code.py").write_text("raise SystemExit('it was run')")
    with pytest.raises((ValueError, KeyError)):
        Foreign.load(tmp_path)
