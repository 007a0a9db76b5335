"""`POST /infill` in llama.cpp's shape, as llama.vim and llama.vscode send and read it.

n_predict 0                     reads the prompt ahead of need
response_fields                 names, or paths with slashes; each comes back under the path as it was asked
samplers, temperature           greedy, unless both are given and the samplers have temperature
n_cmpl > 1, not streamed        a list of answers; under our own name, `n`, one answer with a list of `choices`
n_indent                        see `Outdent`
t_max_predict_ms                ends the answer at once; llama.cpp waits for the line to end
t_max_prompt_ms, id_slot, cache_prompt, top_k, lora, …
                                ignored: llama.cpp has no such limit either, and the KV cache finds its own place
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from aigc_lsp import catalogue
from aigc_lsp.modelserver.answer import Ending, logprob_of, told, usage_of
from aigc_lsp.service.wire import InfillRequest

if TYPE_CHECKING:
    from aigc_lsp.engine.generate import Piece, Scored


def parse(body: object) -> tuple[InfillRequest, bool]:
    """The request, and whether alternatives are wanted as a list of answers. Raises `BadRequest`."""
    request = InfillRequest.from_json(body)
    return request, isinstance(body, Mapping) and body.get("n_cmpl") is not None


class Infill:
    """llama.cpp's answers to one request; `model` is the one that it is for."""

    last = b""

    def __init__(self, request: InfillRequest, model: str, *, as_list: bool) -> None:
        self._request, self._model, self._as_list = request, model, as_list

    def during(self, piece: Piece) -> Iterator[Any]:
        yield {
            "index": 0,
            "content": piece.text,
            "tokens": list(piece.tokens),
            "stop": False,
            "id_slot": 0,
            "timings": usage_of(piece).to_json(),
            "completion_probabilities": _probabilities(piece),
        }

    def after(self, ending: Ending) -> Iterator[Any]:
        yield self._end(ending)

    def whole(self, pieces: list[Piece], ending: Ending) -> Any:
        wanted = self._request.response_fields
        answer = self._end(ending) | {
            "content": "".join(piece.text for piece in pieces),
            "tokens": [token for piece in pieces for token in piece.tokens],
            "completion_probabilities": [each for piece in pieces for each in _probabilities(piece)],
        }
        if not self._as_list or len(ending.choices) < 2:
            return select(answer, wanted)
        each_own = zip(answer.pop("choices"), ending.choices, strict=True)
        return [
            select(answer | told | {"completion_probabilities": list(map(_with_likeliest, choice.scored))}, wanted)
            for told, choice in each_own
        ]

    def _end(self, ending: Ending) -> dict[str, Any]:
        """The last event, which has no text."""
        usage = ending.usage
        return {
            "index": 0,
            "content": "",
            "tokens": [],
            "stop": True,
            "id_slot": 0,
            "model": self._model,
            "generation_settings": self._settings(),
            "stop_type": ending.stop_type,
            "stopping_word": ending.stopping_word,
            "tokens_evaluated": usage.prompt_tokens,
            "tokens_predicted": usage.generated_tokens,
            "tokens_cached": usage.reused_tokens,
            "truncated": ending.truncated,
            "timings": usage.to_json(),
            **({"choices": _choices(ending)} if ending.choices else {}),
        }

    def _settings(self) -> dict[str, Any]:
        """llama.vscode shows `n_ctx`."""
        names = ("n_predict", "n_indent", "n_probs", "temperature", "top_p", "seed")
        given = {name: getattr(self._request, name) for name in names}
        return {"n_ctx": _context_length(self._model), "stop": list(self._request.stop), **given}


class Outdent:
    """llama.cpp's `n_indent`: the first line that is less indented (in blanks and tabs) ends the text and is not in it.
    The line that the text begins in is not looked at, nor are empty ones; what may be such a line's beginning is held
    back."""

    def __init__(self, n_indent: int) -> None:
        self._n_indent = n_indent
        self._held = ""
        self._latest: Piece | None = None
        self.is_over = False

    def pieces(self, event: Piece | Ending) -> Iterator[Piece | Ending]:
        """`event` as it is to be told, or nothing."""
        if isinstance(event, Ending):
            if self._held and self._latest is not None:
                yield replace(self._latest, text=self._held, tokens=(), logprobs=(), scored=())
            # Where it is over, the job was cancelled for that.
            stop_type = "limit" if self.is_over else event.stop_type
            choices = tuple(replace(choice, text=outdented(choice.text, self._n_indent)) for choice in event.choices)
            yield replace(event, stop_type=stop_type, choices=choices)
        elif not self.is_over:
            text, self._held, self.is_over = _split(self._held + event.text, self._n_indent)
            self._latest = event
            yield replace(event, text=text)


def outdented(text: str, n_indent: int) -> str:
    """`text` without its first line that is less indented than `n_indent`, and what follows."""
    said, held, _ = _split(text, n_indent)
    return said + held


def select(answer: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """llama.cpp's `response_fields`: a path that leads nowhere is left out. All, where no path is given."""
    if not paths:
        return answer
    found: dict[str, Any] = {}
    for path in paths:
        value: Any = answer
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            found[path] = value
    return found


_LINE = re.compile(r"\r?\n([ \t]*)(?=[^ \t\r\n])")
_OPEN_LINE = re.compile(r"\r?\n[ \t]*\Z|\r\Z")


def _split(text: str, n_indent: int) -> tuple[str, str, bool]:
    """What may be told, what is to be held back, and whether a line has ended it."""
    for line in _LINE.finditer(text):
        if len(line[1]) < n_indent:
            return text[: line.start()], "", True
    open_line = _OPEN_LINE.search(text)
    end = open_line.start() if open_line else len(text)
    return text[:end], text[end:], False


def _choices(ending: Ending) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "content": choice.text,
            "tokens": list(choice.tokens),
            "mean_logprob": round(choice.mean_logprob, 4),
            "stop_type": choice.stop_reason,
        }
        for index, choice in enumerate(ending.choices)
    ]


def _probabilities(piece: Piece) -> list[dict[str, Any]]:
    """llama.cpp's `completion_probabilities`; without `n_probs` just the tokens' own."""
    if piece.scored:
        return list(map(_with_likeliest, piece.scored))
    pairs = zip(piece.tokens, piece.logprobs, strict=True)
    return [{"id": id, "logprob": logprob_of(logprob)} for id, logprob in pairs]


def _with_likeliest(scored: Scored) -> dict[str, Any]:
    return _scored(scored) | {"top_logprobs": list(map(_scored, scored.likeliest))}


def _scored(scored: Scored) -> dict[str, Any]:
    return {"id": scored.token, **told(scored)}


@cache
def _context_length(model: str) -> int:
    return catalogue.load(model).context_length
