"""How a hole is asked for, and the answer read, in the two interfaces that servers elsewhere have. Pure.

    Infill   llama-server's `/infill`, and our own model server's: the prompt is made there
    OpenAI   `/v1/completions` of vLLM, TGI, Ollama, llama-server, clouds: the prompt is made here, or the suffix is
             sent in a field of its own

Nothing that says something about the user's machine is sent: no document, no folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, get_args

from aigc_lsp.catalogue import Model
from aigc_lsp.prompt.infill import ExtraFile, Hole, commented_files
from aigc_lsp.prompt.plain import render_plain
from aigc_lsp.service import openai
from aigc_lsp.service.remote_gate import Declined, Refusal
from aigc_lsp.service.sse import NONSENSE
from aigc_lsp.service.wire import Health, InfillPiece, InfillRequest, Phase


class Api(Protocol):
    @property
    def is_infill(self) -> bool:
        """Whether it is made for holes: it needs no model's name, and `n_predict: 0` has it read ahead."""
        ...

    @property
    def stops(self) -> tuple[str, ...]:
        """Where the text ends, should the server write it out."""
        ...

    def path(self, base: str) -> str:
        """Of a request; `base` is the path of `engine.url`, without a slash at its end."""
        ...

    def models_path(self, base: str) -> str: ...

    def body(self, request: InfillRequest, model: str) -> dict[str, Any]: ...

    def piece(self, event: Mapping[str, Any]) -> InfillPiece | None:
        """None for an event that says nothing of the text. Raises any of `NONSENSE`."""
        ...


@dataclass(frozen=True, slots=True)
class Infill:
    """`user`: any word, the same for all requests of a window, so that ours, which several share, can serve in turn."""

    user: str
    is_infill: bool = True
    stops: tuple[str, ...] = ()

    def path(self, base: str) -> str:
        return f"{base.removesuffix('/v1')}/infill"

    def models_path(self, base: str) -> str:
        return f"{base.removesuffix('/v1')}/v1/models"

    def body(self, request: InfillRequest, model: str) -> dict[str, Any]:
        shared = replace(
            request,
            model=model or None,
            user=self.user,
            filename=relative(request.filename),
            input_head="",  # no other server knows it
            input_prefix=request.input_head + request.input_prefix,
            input_extra=tuple((relative(name), text) for name, text in request.input_extra),
            stream=True,
            timings_per_token=True,
        ).to_json()
        return {name: value for name, value in shared.items() if name != "document"}

    def piece(self, event: Mapping[str, Any]) -> InfillPiece | None:
        _checked(event["content"])
        return InfillPiece.from_json(event)


@dataclass(frozen=True, slots=True)
class OpenAI:
    """`model`: whose format the prompt is written in; None sends prefix and suffix as they are."""

    model: Model | None
    prefix_tokens: int
    suffix_tokens: int
    is_infill: bool = False

    @property
    def stops(self) -> tuple[str, ...]:
        return self.model.stop if self.model else ()

    def path(self, base: str) -> str:
        """As OpenAI's own clients have it: behind `engine.url`, and behind `/v1` where that has no path."""
        return f"{base or '/v1'}/completions"

    def models_path(self, base: str) -> str:
        return f"{base or '/v1'}/models"

    def body(self, request: InfillRequest, model: str) -> dict[str, Any]:
        return self._prompt(request) | openai.options(request, model)

    def _prompt(self, request: InfillRequest) -> dict[str, str]:
        extra = tuple(ExtraFile(relative(name), text) for name, text in request.input_extra)
        hole = Hole(request.input_prefix, request.input_suffix, extra, relative(request.filename), request.input_head)
        if self.model is None:
            prompt = {"prompt": commented_files(hole) + hole.head + hole.prefix}
            return prompt if request.order == "prefix" else prompt | {"suffix": hole.suffix}
        own = request.prefix_tokens if request.order is not None else None
        prefix, suffix = own or self.prefix_tokens, self.suffix_tokens
        return {
            "prompt": render_plain(hole, self.model, prefix_tokens=prefix, suffix_tokens=suffix, order=request.order)
        }

    def piece(self, event: Mapping[str, Any]) -> InfillPiece | None:
        return openai.piece(event)


def read(data: str, piece: Callable[[Mapping[str, Any]], InfillPiece | None]) -> InfillPiece | None:
    """One event as a piece; None where it says nothing. Raises `Declined` for an error, or any of `NONSENSE`."""
    event = json.loads(data)
    if event.get("error"):
        raise Declined(
            Refusal(f"The server at engine.url broke off ({kind_of(event) or 'error'}). Its own log says why.")
        )
    return piece(event)


def kind_of(answer: Any) -> str:
    """What a server calls the error that it answers with, where that is a plain word or two; else "".

    Its sentences are not repeated: they may quote the request, and with it the user's text or token.
    """
    error = answer.get("error") if isinstance(answer, Mapping) else None
    said = error if isinstance(error, Mapping) else answer if isinstance(answer, Mapping) else {}
    kind = next((said[name] for name in ("type", "error_type", "code") if isinstance(said.get(name), str)), "")
    return kind if re.fullmatch(r"[A-Za-z_ ]{1,40}", kind) else ""


def json_object(body: bytes) -> dict[str, Any] | None:
    """What an answer holds; nothing is an empty object, and whatever is none is None."""
    try:
        found = json.loads(body or b"{}")
    except NONSENSE:
        return None
    return found if isinstance(found, dict) else None


def model_names(body: bytes) -> list[str]:
    """From the answer to `/v1/models`. Raises any of `NONSENSE`."""
    return [str(entry["id"]) for entry in json.loads(body)["data"]]


def health_of(said: Mapping[str, Any], phase: Phase, message: str = "") -> Health:
    """From the answer to `/health`: what our own model server says that others may show; `phase` and `message` of one
    that does not say how far it is. Raises any of `NONSENSE`."""
    if "phase" not in said:
        return Health(phase, "", message)
    if said["phase"] not in get_args(Phase):
        raise ValueError("no such phase")
    return Health(
        phase=said["phase"],
        model=_checked(said.get("model", "")),
        message=_checked(said.get("message", "")),
        done=int(said.get("done", 0)),
        total=int(said.get("total", 0)),
        loaded=tuple(map(_checked, said.get("loaded", ()))),
        device=_checked(said.get("device", "")),
        packing=_checked(said.get("packing", "")),
        note=_checked(said.get("note", "")),
    )


async def until_stop(pieces: AsyncIterator[InfillPiece], stops: Sequence[str]) -> AsyncIterator[InfillPiece]:
    """`pieces` up to the first of `stops`. A tail that may yet become one is held back."""
    held = ""
    async for piece in pieces:
        held += piece.content
        found = [at for stop in stops if (at := held.find(stop)) >= 0]
        if found:
            yield replace(piece, content=held[: min(found)], stop_type="eos")
            return
        end = len(held) if piece.stop_type else len(held) - _begun(held, stops)
        yield replace(piece, content=held[:end])
        held = held[end:]


def relative(filename: str) -> str:
    """A file's name without the folders of the user's machine: as it is where it is relative, else its last part."""
    if re.match(r"[/\\~]|[A-Za-z][A-Za-z0-9+.-]*:", filename):
        return re.split(r"[/\\]", filename)[-1]
    return filename


def _begun(text: str, stops: Sequence[str]) -> int:
    """How many of the last characters are a beginning of one of `stops`."""
    longest = max(map(len, stops), default=1) - 1
    sizes = range(min(longest, len(text)), 0, -1)
    return next((size for size in sizes if any(stop.startswith(text[-size:]) for stop in stops)), 0)


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError("the text is none")
    return text
