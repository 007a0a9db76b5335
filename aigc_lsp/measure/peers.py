"""Others to be measured beside: llama.cpp's server over HTTP, and llama.cpp in this process.

    --peer llama-server=URL      a server that you have started on the same GGUF, on as many threads as we use:
                                 llama-server -m MODEL.gguf -t 2 -c 4096 -np 1 --port 8080
    --peer llama-cpp-python      the library of the extra `[peers]`, in this process, on the GGUF in the model store

Each is run with its own defaults (flash attention, batch sizes), greedily. What they answer is timed as they time it
themselves, where they do: no HTTP is on their bill but for a keystroke, where it is on ours too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aigc_lsp.catalogue import Model
from aigc_lsp.errors import EngineUnavailable, UsageError
from aigc_lsp.weights import packed
from aigc_lsp.weights.store import Store

if TYPE_CHECKING:
    import httpx

SERVER = "llama-server"
LIBRARY = "llama-cpp-python"
CONTEXT = 4096
"""Tokens of context that a peer is given; more than any prompt here, as its keys and values are allocated whole."""

INFILL = {"n_predict": 24, "stop": ["\n"], "temperature": 0.0, "cache_prompt": True}
"""A keystroke as llama.cpp's `/infill` is asked for it, ours too: up to 24 tokens, greedily, to the end of the line."""


class Subject(Protocol):
    """Who can be measured with tokens: prompt and lengths are the same for all."""

    name: str

    def prefill(self, tokens: Sequence[int]) -> float:
        """Seconds to read `tokens`, none of which are remembered."""
        ...

    def decode(self, tokens: Sequence[int], count: int) -> float:
        """Seconds for each of `count` passes behind `tokens`, which are read before and not counted."""
        ...


@dataclass(frozen=True, slots=True)
class Keystroke:
    """One answered key: seconds on the asker's clock, tokens read for it, tokens written."""

    seconds: float
    read: int
    written: int


class Typist(Protocol):
    """Who can be asked to fill a hole, key by key."""

    name: str

    def keystroke(self, prefix: str, suffix: str) -> Keystroke: ...


class Peer(Subject, Protocol):
    """Subject, and perhaps Typist."""

    def describe(self) -> dict[str, Any]:
        """Name, version and whatever decides its speed."""
        ...

    def close(self) -> None: ...


def connect(wanted: str, model: Model, threads: int) -> Peer:
    """The peer that `--peer WANTED` names. Raises `UsageError` where it is not there or has another model."""
    kind, _, url = wanted.partition("=")
    if kind == SERVER and url.startswith(("http://", "https://")):
        return LlamaServer(url, model)
    if wanted == LIBRARY:
        return LlamaCppPython(model, threads)
    raise UsageError(f"--peer {wanted}: it is {SERVER}=URL, such as {SERVER}=http://127.0.0.1:8080, or {LIBRARY}.")


def infill(client: httpx.Client, name: str, body: dict[str, Any]) -> Keystroke:
    """Ask `POST /infill`, llama.cpp's or ours, and wait for the whole answer."""
    began = time.perf_counter()
    answer = post(client, name, "/infill", body)
    seconds = time.perf_counter() - began
    timings = answer.get("timings") or {}
    return Keystroke(seconds, int(timings.get("prompt_n", 0)), int(timings.get("predicted_n", 0)))


def post(client: httpx.Client, name: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The JSON object that `name` answers; `EngineUnavailable` where it gives none."""
    import httpx

    try:
        response = client.post(path, json=body)
        answer = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise EngineUnavailable(f"{name} does not answer POST {path} ({_reason(error)}).") from error
    if response.status_code != 200 or not isinstance(answer, dict):
        said = answer.get("error", answer) if isinstance(answer, dict) else answer
        raise EngineUnavailable(f"{name} answers POST {path} with {response.status_code}: {said}.")
    return answer


class LlamaServer:
    """A running llama-server, as its own `timings` say; keystrokes by our clock."""

    def __init__(self, url: str, model: Model, transport: httpx.BaseTransport | None = None) -> None:
        import httpx

        self.name = SERVER
        self._url = url.rstrip("/")
        timeout = httpx.Timeout(600.0, connect=5.0)
        # No proxy: a peer is on this machine, or at least beside it.
        self._http = httpx.Client(base_url=self._url, timeout=timeout, trust_env=False, transport=transport)
        try:
            self._properties = self._props()
            self._check(model)
        except BaseException:
            self.close()
            raise

    def prefill(self, tokens: Sequence[int]) -> float:
        timings = self._complete(tokens, 1)
        if timings["prompt_n"] != len(tokens):
            raise EngineUnavailable(
                f"{self.name} has read {timings['prompt_n']} tokens of {len(tokens)}: it is to forget between requests."
            )
        return timings["prompt_ms"] / 1e3

    def decode(self, tokens: Sequence[int], count: int) -> float:
        """llama.cpp's clock of decoding begins at the first token, which comes with the prompt and takes no pass."""
        timings = self._complete(tokens, count + 1)
        return timings["predicted_ms"] / 1e3 / max(1, timings["predicted_n"] - 1)

    def keystroke(self, prefix: str, suffix: str) -> Keystroke:
        return infill(self._http, self.name, {"input_prefix": prefix, "input_suffix": suffix, **INFILL})

    def describe(self) -> dict[str, Any]:
        settings = self._properties.get("default_generation_settings") or {}
        return {
            "peer": self.name,
            "url": self._url,
            "version": self._properties.get("build_info", ""),
            "model_path": self._properties.get("model_path", ""),
            "context": settings.get("n_ctx", 0),
            "threads": self._properties.get("n_threads", "as started"),
        }

    def close(self) -> None:
        self._http.close()

    def _complete(self, tokens: Sequence[int], count: int) -> dict[str, Any]:
        body = {
            "prompt": list(tokens),
            "n_predict": count,
            "temperature": 0.0,
            "ignore_eos": True,
            "cache_prompt": False,
        }
        timings = post(self._http, self.name, "/completion", body).get("timings")
        if not isinstance(timings, dict) or not {"prompt_n", "prompt_ms", "predicted_n", "predicted_ms"} <= set(
            timings
        ):
            raise EngineUnavailable(f"{self.name} at {self._url} gives no timings with its answers: is it llama.cpp's?")
        return timings

    def _props(self) -> dict[str, Any]:
        import httpx

        start = f"Start it with `{SERVER} -m MODEL.gguf -t 2 -c {CONTEXT} -np 1 --port 8080`."
        try:
            response = self._http.get("/props")
            found = response.json()
        except (httpx.HTTPError, ValueError, httpx.InvalidURL) as error:
            raise UsageError(f"No {SERVER} answers at {self._url} ({_reason(error)}). {start}") from error
        if response.status_code == 503:
            raise UsageError(f"The {SERVER} at {self._url} is still loading its model. Try again in a moment.")
        if response.status_code != 200 or not isinstance(found, dict) or "model_path" not in found:
            raise UsageError(f"What answers at {self._url} is no {SERVER}: it does not say its model. {start}")
        return found

    def _check(self, model: Model) -> None:
        """The same weights and room for the prompts; what the server does not say cannot be checked."""
        path = Path(str(self._properties["model_path"]))
        if path.is_file() and (path.stat().st_size != model.size or packed.sha256_of(path) != model.sha256):
            raise UsageError(
                f"The {SERVER} at {self._url} serves {path}, which is not the file of {model.name}: start it with "
                f"-m {Store().source_path(model)}."
            )
        settings = self._properties.get("default_generation_settings") or {}
        room = settings.get("n_ctx")
        if isinstance(room, int) and room < CONTEXT // 2:
            raise UsageError(f"The {SERVER} at {self._url} has room for {room} tokens: start it with -c {CONTEXT}.")


class LlamaCppPython:
    """llama.cpp as a library in this process."""

    def __init__(self, model: Model, threads: int) -> None:
        try:
            import llama_cpp
        except ImportError as error:
            raise UsageError(
                f"--peer {LIBRARY} needs that library: `pip install 'aigc-lsp[peers]'` (it is compiled, and takes "
                "minutes)."
            ) from error
        path = Store().source_path(model)
        if not path.is_file():
            raise UsageError(
                f"--peer {LIBRARY} needs the model's GGUF file {path}, which is gone. Run `aigc-lsp models remove "
                f"{model.name}` and `aigc-lsp models pull {model.name}`."
            )
        self.name = LIBRARY
        self._version = str(llama_cpp.__version__)
        self._threads = threads
        self._llama = llama_cpp.Llama(
            str(path),
            n_ctx=CONTEXT,
            n_threads=threads,
            n_threads_batch=threads,
            verbose=False,
        )

    def prefill(self, tokens: Sequence[int]) -> float:
        self._llama.reset()
        began = time.perf_counter()
        self._llama.eval(list(tokens))
        return time.perf_counter() - began

    def decode(self, tokens: Sequence[int], count: int) -> float:
        """The first token comes with the prompt; each further one is one pass."""
        self._llama.reset()
        written = self._llama.generate(list(tokens), top_k=1, temp=0.0, repeat_penalty=1.0)
        next(written)
        began = time.perf_counter()
        for _ in range(count):
            next(written)
        return (time.perf_counter() - began) / count

    def describe(self) -> dict[str, Any]:
        return {"peer": self.name, "version": self._version, "threads": self._threads, "context": CONTEXT}

    def close(self) -> None:
        self._llama.close()


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
