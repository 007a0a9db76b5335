"""A packed folder as a model: the round trip through its files, both profiles, and every way it can be damaged."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from aigc_lsp.engine import arena, convert, weights
from aigc_lsp.engine.decoder import Decoder, LanguageModel, Shape, build, named_parts
from aigc_lsp.engine.layers import EVERYWHERE, Int4, Int8
from aigc_lsp.engine.quantise import to_int4, to_int8
from aigc_lsp.engine.store import Branch
from aigc_lsp.engine.weights import PACKED_FILE, WIDE_FILE, load_model
from aigc_lsp.errors import EngineUnavailable, ModelDamaged, NotEnoughMemory, PackedElsewhere

if TYPE_CHECKING:
    from transformers import PreTrainedModel

pytestmark = pytest.mark.skipif(
    not hasattr(torch, "_weight_int4pack_mm_for_cpu"), reason="this torch has no _weight_int4pack_mm_for_cpu"
)

WORDS = 112
TOKENS = [(31 * n + 5) % WORDS for n in range(9)]
COMMON = {
    "vocab_size": WORDS,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}


def random_model(family: str, **more: object) -> PreTrainedModel:
    from transformers import AutoConfig, AutoModelForCausalLM  # seconds of import, for the workers that need it

    torch.manual_seed(4)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **COMMON, **more))
    dice = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=dice) * 0.1)
    return model.eval().to(torch.bfloat16)


def write(model: PreTrainedModel, folder: Path, packing: convert.Packing) -> dict[str, torch.Tensor]:
    """The packed folder of `model`, as `convert` makes it from a GGUF; its bfloat16 tensors."""
    folder.mkdir(exist_ok=True)
    wide = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        del wide["lm_head.weight"]
    save_file(wide, folder / WIDE_FILE, metadata={"format": "pt"})
    model.config.save_pretrained(folder)
    shape = Shape.of(json.loads((folder / "config.json").read_text()))
    joined = convert._joined(shape) if shape is not None else convert._alone(model)
    save_file(weights.pack(convert.pack_layers(wide, joined, packing)), folder / PACKED_FILE)
    return wide


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def qwen(request: pytest.FixtureRequest) -> PreTrainedModel:
    return random_model("qwen2", tie_word_embeddings=request.param)


@pytest.fixture
def folder(tmp_path: Path, qwen: PreTrainedModel) -> Path:
    write(qwen, tmp_path / "packed", "int4")
    return tmp_path / "packed"


def step_by_step(model: LanguageModel) -> torch.Tensor:
    """Logits after each token, read one at a time."""
    branch, logits = Branch(model.layers), []
    with torch.inference_mode():
        for token in TOKENS:
            logits.append(model(torch.tensor([token]), branch))
            branch.commit([token])
    return torch.cat(logits)


def at_once(model: LanguageModel) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor(TOKENS), Branch(model.layers), rows=len(TOKENS))


def unpacked(model: LanguageModel, wide: dict[str, torch.Tensor]) -> Decoder:
    """Its packed layers' weights as wide ones; the head's are the exact ones, which have the last word there."""
    assert isinstance(model, Decoder)
    wide = dict(wide)
    for number, block in enumerate(model.blocks):
        for field, (_, parts) in named_parts(number).items():
            linear = getattr(block, field)
            weights = linear.packed.dequantised().split(linear.sizes)
            wide |= {f"{part}.weight": weight for part, weight in zip(parts, weights, strict=True)}
    return build(model.shape, wide, {})


def far(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def best(logits: torch.Tensor, count: int = 5) -> torch.Tensor:
    return logits.topk(count, dim=1).values


def assert_chooses(found: torch.Tensor, like: torch.Tensor) -> None:
    """The likeliest are as likely, and the best token is one that is best but for rounding."""
    assert far(best(found), best(like)) < 0.03
    chosen = like.gather(1, found.argmax(1, keepdim=True))
    assert (best(like, 1) - chosen < 0.05).all()


# --- the files


def test_layers_come_back_from_their_file(tmp_path: Path) -> None:
    weight = torch.randn(32, 64, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    layers = {"model.layers.0.mlp.down": to_int4(weight), "lm_head": Int8(*to_int8(weight))}
    save_file(weights.pack(layers), tmp_path / PACKED_FILE)
    found = weights._packed(tmp_path)
    assert set(found) == set(layers)
    x = torch.randn(3, 64, generator=torch.Generator().manual_seed(2)).to(torch.bfloat16)
    for name, layer in layers.items():
        assert type(found[name]) is type(layer)
        assert torch.equal(found[name](x), layer(x))
        assert found[name].nbytes == layer.nbytes
    for tensor in weights.pack(found).values():
        assert tensor.data_ptr() % arena.ALIGNMENT == 0


def test_a_folder_without_packed_layers(tmp_path: Path) -> None:
    assert weights._packed(tmp_path) == {}


@pytest.mark.parametrize("packing", ["int4", "mixed", "int8"])
def test_which_layers_get_how_many_bits(tmp_path: Path, packing: convert.Packing, qwen: PreTrainedModel) -> None:
    write(qwen, tmp_path, packing)
    kinds = {name.split(".")[-1]: type(layer) for name, layer in weights._packed(tmp_path).items()}
    attention = Int4 if packing == "int4" else Int8
    rest = Int8 if packing == "int8" else Int4
    assert kinds == {"qkv": attention, "out": attention, "gate_up": rest, "down": rest, "lm_head": rest}


def test_what_fits_no_group_gets_eight_bits() -> None:
    wide = {"narrow.weight": torch.ones(32, 40), "few.weight": torch.ones(24, 64), "good.weight": torch.ones(32, 64)}
    layers = convert.pack_layers(wide, {name: (name,) for name in ("narrow", "few", "good")}, "int4")
    assert {name: type(layer) for name, layer in layers.items()} == {"narrow": Int8, "few": Int8, "good": Int4}


# --- the profiles


@pytest.mark.parametrize("packing", ["int4", "mixed", "int8"])
def test_fast_reads_long_chunks_wide_and_single_tokens_packed(
    tmp_path: Path, packing: convert.Packing, qwen: PreTrainedModel
) -> None:
    tensors = write(qwen, tmp_path, packing)
    model = load_model(tmp_path, "cpu")
    assert isinstance(model, Decoder)
    wide = build(model.shape, tensors, {})
    assert torch.equal(at_once(model), at_once(wide))
    with torch.inference_mode():
        truth = qwen(torch.tensor([TOKENS]), use_cache=False).logits[0].float()
    assert far(at_once(model), truth) < 0.03
    found, of_packed, of_wide = step_by_step(model), step_by_step(unpacked(model, tensors)), step_by_step(wide)
    assert_chooses(found, of_packed)
    assert far(found, of_wide) < (0.03 if packing == "int8" else 0.25)
    assert not torch.equal(found, of_wide)


def test_small_reads_everything_packed(folder: Path) -> None:
    model = load_model(folder, "cpu", "small")
    assert isinstance(model, Decoder)
    assert {linear.crossover for linear in [*model.linears, model.head.linear]} == {EVERYWHERE}
    of_packed = unpacked(model, load_file(folder / WIDE_FILE))
    assert_chooses(at_once(model), at_once(of_packed))
    fast = load_model(folder, "cpu", "fast")
    assert far(at_once(model), at_once(fast)) > 0.05
    assert {linear.crossover for linear in fast.linears} == {1}  # type: ignore[attr-defined]


def test_the_mapped_file_may_go_once_it_is_loaded(folder: Path) -> None:
    model = load_model(folder, "cpu")
    before = step_by_step(model), at_once(model)
    for file in folder.iterdir():
        file.unlink()
    assert torch.equal(step_by_step(model), before[0])
    assert torch.equal(at_once(model), before[1])


# --- a torch or a processor that is another one


@pytest.mark.parametrize("profile", ["fast", "small"])
@pytest.mark.parametrize("missing", ["_weight_int4pack_mm_for_cpu", "_weight_int8pack_mm"])
def test_a_torch_without_the_kernel_still_answers(
    tmp_path: Path, qwen: PreTrainedModel, monkeypatch: pytest.MonkeyPatch, missing: str, profile: str
) -> None:
    wide = build(
        Shape.of(qwen.config.to_dict()),  # type: ignore[arg-type]
        write(qwen, tmp_path, "int4" if "int4" in missing else "int8"),
        {},
    )
    monkeypatch.delattr(torch, missing)
    model = load_model(tmp_path, "cpu", profile)
    assert torch.equal(step_by_step(model), step_by_step(wide))
    assert torch.equal(at_once(model), at_once(wide))


def test_without_one_kernel_the_other_layers_stay_packed(
    tmp_path: Path, qwen: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(qwen, tmp_path, "mixed")
    monkeypatch.delattr(torch, "_weight_int4pack_mm_for_cpu")
    model = load_model(tmp_path, "cpu")
    assert isinstance(model, Decoder)
    assert [linear.packed is not None for linear in model.blocks[0].linears] == [True, True, False, False]


def change(folder: Path, file: str, edit: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = {name: tensor.clone() for name, tensor in load_file(folder / file).items()}
    edit(tensors)
    save_file(tensors, folder / file, metadata={"format": "pt"})


OTHER_ORDERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "high and low nibble exchanged": lambda nibbles: (nibbles << 4) | (nibbles >> 4),
    "rows in another order": lambda nibbles: nibbles.flip(0),
    "bytes in another order": lambda nibbles: nibbles.view(-1, 2).flip(1).reshape(nibbles.shape),
    "blocks of half the size": lambda nibbles: (
        nibbles.view(2, -1, nibbles.shape[1]).transpose(0, 1).reshape(nibbles.shape)
    ),
}


@pytest.mark.parametrize("order", OTHER_ORDERS)
@pytest.mark.parametrize("layer", ["self_attn.qkv", "self_attn.out", "mlp.gate_up", "mlp.down"])
def test_packed_in_another_order_is_noticed(folder: Path, order: str, layer: str) -> None:
    name = f"model.layers.0.{layer}.nibbles"
    change(folder, PACKED_FILE, lambda tensors: tensors.update({name: OTHER_ORDERS[order](tensors[name]).contiguous()}))
    with pytest.raises(PackedElsewhere):
        load_model(folder, "cpu")


# --- damage


def cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-100])


def without(file: str, tensor: str) -> Callable[[Path], object]:
    return lambda folder: change(folder, file, lambda tensors: tensors.pop(tensor))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no config": lambda folder: (folder / "config.json").unlink(),
    "half a config": cut("config.json"),
    "a config of bytes": lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe\x00"),
    "a config that lacks something": lambda folder: (folder / "config.json").write_text(
        json.dumps({**json.loads((folder / "config.json").read_text()), "num_hidden_layers": 3})
    ),
    "no weights": lambda folder: (folder / WIDE_FILE).unlink(),
    "half the weights": cut(WIDE_FILE),
    "empty weights": lambda folder: (folder / WIDE_FILE).write_bytes(b""),
    "weights that are none": lambda folder: (folder / WIDE_FILE).write_bytes(b"x" * 5000),
    "a layer is missing": without(WIDE_FILE, "model.layers.1.self_attn.k_proj.weight"),
    "the embedding is missing": without(WIDE_FILE, "model.embed_tokens.weight"),
    "half the packed layers": cut(PACKED_FILE),
    "empty packed layers": lambda folder: (folder / PACKED_FILE).write_bytes(b""),
    "a packed layer without scales": without(PACKED_FILE, "model.layers.1.mlp.down.scales"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("profile", ["fast", "small"])
def test_damage_is_said_with_the_folder_and_what_to_do(folder: Path, damage: str, profile: str) -> None:
    DAMAGES[damage](folder)
    with pytest.raises(ModelDamaged) as raised:
        load_model(folder, "cpu", profile)
    assert str(folder) in str(raised.value)
    assert "aigc-lsp models verify" in str(raised.value)


NOT_ITS_FAULT: dict[str, tuple[Exception, type[Exception], str]] = {
    "memory of a GPU": (torch.OutOfMemoryError("CUDA out of memory"), NotEnoughMemory, "Close other programs"),
    "memory": (RuntimeError("DefaultCPUAllocator: can't allocate memory"), NotEnoughMemory, "Close other programs"),
    "a mapping": (OSError(errno.ENOMEM, "Cannot allocate memory"), NotEnoughMemory, "Close other programs"),
    "open files": (OSError(errno.EMFILE, "Too many open files"), EngineUnavailable, "Too many open files"),
    "rights": (PermissionError(errno.EACCES, "Permission denied"), EngineUnavailable, "Permission denied"),
}


@pytest.mark.parametrize("why", NOT_ITS_FAULT)
def test_what_is_not_the_folders_fault_is_no_damage(folder: Path, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is damaged is deleted and made anew."""
    error, expected, said = NOT_ITS_FAULT[why]

    def fails(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(weights, "load_file", fails)
    with pytest.raises(expected, match=said):
        load_model(folder, "cpu")


def test_a_disk_that_fills_up_is_an_error_of_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(convert, "save_file", fails)
    with pytest.raises(OSError, match="No space left") as raised:
        convert._save({}, tmp_path / WIDE_FILE)
    assert raised.value.errno == errno.ENOSPC


# --- another family


def test_another_family_is_packed_too(tmp_path: Path) -> None:
    from aigc_lsp.engine.foreign import Foreign

    gemma = random_model("gemma", head_dim=16)
    write(gemma, tmp_path, "int4")
    packed = weights._packed(tmp_path)
    assert "model.layers.0.self_attn.q_proj" in packed
    model, small = load_model(tmp_path, "cpu"), load_model(tmp_path, "cpu", "small")
    assert isinstance(model, Foreign)
    assert len(model.linears) == len(packed) == 2 * 7 + 1
    with torch.inference_mode():
        truth = gemma(torch.tensor([TOKENS]), use_cache=False).logits[0].float()
        for name, layer in packed.items():
            gemma.get_submodule(name).weight = torch.nn.Parameter(layer.dequantised(), requires_grad=False)
        of_packed = gemma(torch.tensor([TOKENS]), use_cache=False).logits[0].float()
    assert far(at_once(model), truth) < 0.03
    for found in (step_by_step(model), step_by_step(small), at_once(small)):
        assert far(found, of_packed) < 0.03 < far(found, truth)
