"""The forward pass that is trained against transformers', and its written-out gradients against torch's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
from torch.func import functional_call
from torch.nn import functional

from aigc_lsp.adapt.examples import Tokens, batch
from aigc_lsp.adapt.kernels import NextToken
from aigc_lsp.adapt.network import Network

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from aigc_lsp.engine.vocabulary import Vocabulary

# The last was typed in part: of its first two answers, " r" and "e", only what agrees with that is possible.
HEAL = b" re"
TEXTS = [Tokens(tuple(range(5, 25)), 12), Tokens((3, 1, 4, 1, 5), 4)]


@pytest.fixture
def texts(vocabulary: Vocabulary) -> list[Tokens]:
    by_bytes = {vocabulary.bytes_of(id): id for id in range(len(vocabulary))}
    return [*TEXTS, Tokens((9, 8, by_bytes[b" r"], by_bytes[b"e"], 5), 2, HEAL)]


def filled(network: Network) -> list[torch.Tensor]:
    """What is trained, with B, or the differences, no longer zero."""
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for tensor in [*(b for _, b in network.adapters.values()), *network.differences.values()]:
            tensor.copy_(torch.randn(tensor.shape, generator=draw) * 0.1)
    network.settle()
    return [tensor.requires_grad_() for tensor in network.parameters()]


def reference_loss(
    network: Network, reference: PreTrainedModel, texts: list[Tokens], vocabulary: Vocabulary, soft: torch.Tensor | None
) -> torch.Tensor:
    """By transformers, text by text, with adapters or differences added to the weights."""
    added = {f"{name}.weight": b @ a * network.scale for name, (a, b) in network.adapters.items()}
    added |= {f"{name}.weight": difference for name, difference in network.differences.items()}
    weights = {name: tensor + added.get(name, 0) for name, tensor in reference.state_dict().items()}
    found = []
    for text in texts:
        ids = torch.tensor([text.ids])
        logits = functional_call(reference, weights, (ids[:, :-1],), {"use_cache": False}).logits[0, text.first - 1 :]
        found.append((logits, ids[0, text.first :]))
    logits, targets = (torch.cat(parts) for parts in zip(*found, strict=True))
    spelt = [vocabulary.bytes_of(id) for id in range(logits.shape[1])]
    masks = []
    for row, left in ((-3, b" re"), (-2, b"e")):
        agrees = [bool(data) and (data.startswith(left) or left.startswith(data)) for data in spelt]
        out = torch.where(torch.tensor(agrees), 0.0, -1e4)
        masks.append(functional.one_hot(torch.tensor(len(logits) + row), len(logits))[:, None] * out)
    logits = logits + sum(masks)
    hard = functional.cross_entropy(logits, targets, reduction="sum")
    if soft is None:
        return hard
    divergence = functional.kl_div(
        (logits / 3).log_softmax(-1), ((soft + sum(masks)) / 3).log_softmax(-1), log_target=True, reduction="sum"
    )
    return 0.25 * hard + 0.75 * 9 * divergence


@pytest.mark.parametrize("taught", [False, True])
@pytest.mark.parametrize("saves_memory", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_loss_and_gradients_are_transformers(
    full: bool,
    saves_memory: bool,
    taught: bool,
    new_network: Callable[..., Network],
    reference: PreTrainedModel,
    vocabulary: Vocabulary,
    texts: list[Tokens],
) -> None:
    network = new_network(full)
    network.saves_memory = saves_memory
    parameters = filled(network)
    packed = batch(texts, vocabulary)
    soft = torch.randn(len(packed.targets), len(network.head), generator=torch.Generator().manual_seed(2))
    says = (lambda part: soft[part]) if taught else None
    loss = NextToken.apply(network.rows(packed), network.head, packed.targets, packed.allowed, says, 0.75, 3.0)
    true = reference_loss(network, reference, texts, vocabulary, soft if taught else None)
    torch.testing.assert_close(loss, true, atol=1e-3, rtol=1e-5)
    found = torch.autograd.grad(loss, network.leaves())
    for ours, theirs in zip(found, torch.autograd.grad(true, parameters), strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=2e-3)


@pytest.mark.parametrize("full", [False, True])
def test_new_adapters_and_differences_change_nothing(
    full: bool, new_network: Callable[..., Network], reference: PreTrainedModel, vocabulary: Vocabulary
) -> None:
    network = new_network(full)
    packed = batch(TEXTS[:1], vocabulary)
    with torch.inference_mode():
        logits = functional.linear(network.rows(packed), network.head)
        true = reference(packed.tokens[None], use_cache=False).logits[0, packed.wanted]
    torch.testing.assert_close(logits, true, atol=1e-4, rtol=1e-4)


def test_steps_too_small_for_bfloat16_add_up(new_network: Callable[..., Network], vocabulary: Vocabulary) -> None:
    """Each is a sixteenth of what it has between two numbers; 64 are four of those."""
    whole = new_network()
    network = Network(whole.shape, {name: weight.bfloat16() for name, weight in whole.weights.items()})
    network.add_differences()
    weights = [network.weights[f"{name}.weight"] for name in network.layers()]
    for count in (1, 64):
        network.put([weight.float() * 2**-12 * count for weight in weights])
        for weight, leaf in zip(weights, network.leaves(), strict=True):
            assert torch.equal(leaf, weight) == (count == 1)
            assert torch.equal(leaf, (weight.float() * (1 + 2**-12 * count)).bfloat16())
    rows = network.rows(batch(TEXTS, vocabulary))
    assert {each.dtype for each in torch.autograd.grad(rows.sum(), network.leaves())} == {torch.bfloat16}
