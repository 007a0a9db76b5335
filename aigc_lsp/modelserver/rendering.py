"""From a request to tokens within the budgets: holes, prompts as they are, conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from aigc_lsp.catalogue import Model
from aigc_lsp.config import ContextConfig
from aigc_lsp.prompt.chat import render_chat
from aigc_lsp.prompt.infill import ExtraFile, Hole, Prompt, render
from aigc_lsp.service.wire import BadRequest, ChatRequest, Generation, InfillRequest, PromptRequest

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Request
    from aigc_lsp.engine.vocabulary import Vocabulary
    from aigc_lsp.modelserver.residents import Resident

TEMPLATE_TOKENS = 64
"""Room for a template's own tokens and for healing."""


def render_request(wire: Generation, resident: Resident, context: ContextConfig) -> tuple[Request, bool]:
    """The engine's request, and whether the prompt had to be shortened. Raises `BadRequest`."""
    from aigc_lsp.engine.generate import Request
    from aigc_lsp.engine.sampling import Sampling

    model, vocabulary = resident.model, resident.engine.vocabulary
    n_predict = min(wire.n_predict, model.context_length // 2)
    room = model.context_length - n_predict - TEMPLATE_TOKENS
    match wire:
        case InfillRequest():
            prompt = _hole(wire, model, vocabulary, context, room)
        case PromptRequest():
            tokens = vocabulary.encode_prompt(wire.prompt) if isinstance(wire.prompt, str) else wire.prompt
            prompt = _prompt(_known(tokens, vocabulary) or vocabulary.encode("\n"), room)
        case ChatRequest():
            prompt = _prompt(_conversation(wire, resident), room)
        case _:
            raise TypeError(f"no way to render {type(wire).__name__}")
    request = Request(
        tokens=prompt.tokens,
        heal=prompt.heal,
        draft=prompt.healed,
        max_tokens=n_predict,
        stop_tokens=frozenset(map(vocabulary.control, filter(vocabulary.has_control, model.stop))),
        stop=wire.stop,
        sampling=Sampling(wire.temperature, wire.top_p, wire.seed),
        deadline_ms=wire.t_max_predict_ms,
        choices=wire.n,
        n_probs=wire.n_probs,
    )
    return request, prompt.truncated


def _hole(wire: InfillRequest, model: Model, vocabulary: Vocabulary, context: ContextConfig, room: int) -> Prompt:
    if wire.order is not None and wire.order not in model.fim.templates:
        raise BadRequest(f"The model {model.name} knows the orders {', '.join(model.fim.templates)}.")

    def budget(asked: int | None, usual: int, most: int) -> int:
        return min(usual if asked is None else asked, most)

    suffix_budget = budget(wire.suffix_tokens, context.suffix_tokens, room // 2)
    prefix_budget = budget(wire.prefix_tokens, context.prefix_tokens, room - suffix_budget)
    extra = tuple(ExtraFile(name, text) for name, text in wire.input_extra)
    files = model.files
    if files is not None and wire.extra_tokens is None:
        # As llama.cpp lays them out, in front of all: its clients send many, and have them read ahead.
        files = replace(files, format="tokens")
    return render(
        Hole(wire.input_prefix, wire.input_suffix, extra, wire.filename, wire.input_head),
        model.fim,
        files,
        vocabulary,
        prefix_budget=prefix_budget,
        suffix_budget=suffix_budget,
        extra_budget=budget(wire.extra_tokens, context.prefix_tokens, room - suffix_budget - prefix_budget),
        order=wire.order,
        heal=wire.heal,
    )


def _conversation(wire: ChatRequest, resident: Resident) -> list[int]:
    model = resident.model
    if not model.chat or resident.chat_template is None:
        raise BadRequest(f"The model {model.name} has no chat template; ask it through /v1/completions or /infill.")
    try:
        return render_chat(wire.messages, resident.chat_template, resident.engine.vocabulary)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _known(tokens: Sequence[int], vocabulary: Vocabulary) -> Sequence[int]:
    if not all(0 <= token < len(vocabulary) for token in tokens):
        raise BadRequest(f"The field prompt has tokens beyond the model's {len(vocabulary)}.")
    return tokens


def _prompt(tokens: Sequence[int], room: int) -> Prompt:
    """The end of `tokens`, as far as the model's context reaches."""
    return Prompt(tuple(tokens[-room:]), b"", (), len(tokens) > room)
