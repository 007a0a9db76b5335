"""Our own side of the bench: the engine in this process, and the model server as a process of its own.

The model server runs in a private runtime folder, so that the user's own is neither asked nor stopped, and is asked as
llama.cpp's server is: with the same body, by the same HTTP client.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aigc_lsp import catalogue
from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.measure.peers import INFILL, Keystroke, infill
from aigc_lsp.weights.store import Store

if TYPE_CHECKING:
    import httpx

    from aigc_lsp.engine.generate import Engine, Outcome
    from aigc_lsp.engine.threads import ThreadCount

START_SECONDS = 120.0
"""A model server that has not answered by then will not."""

WHOLE = {"prefix_tokens": 8192, "suffix_tokens": 1024}
"""Budgets that shorten no prompt of the bench, whatever is configured."""

TINY = {"input_prefix": "import os\n", "n_predict": 1}
"""The smallest request: once its prompt is remembered, it is one pass."""


class OurEngine:
    """The engine in this process, as the model server has it; a Subject."""

    name = "aigc-lsp"

    def __init__(self, engine: Engine, threads: ThreadCount) -> None:
        self.engine = engine
        self._threads = threads

    @classmethod
    def load(cls, model: catalogue.Model, threads: int) -> OurEngine:
        """Raises `ModelMissing` where the model is not on this machine."""
        store = Store()
        folder = store.check_packed(model)

        from aigc_lsp.config import EngineConfig
        from aigc_lsp.engine.bring_up import bring_up
        from aigc_lsp.engine.threads import ThreadCount

        count, kv_bytes = ThreadCount(threads), EngineConfig().kv_bytes
        engine, _ = bring_up(folder, "cpu", "fast", kv_bytes, count, store.speed_path, model.sha256)
        return cls(engine, count)

    def prefill(self, tokens: Sequence[int]) -> float:
        self.forget()
        return self.generate(tokens, 0).timings.prefill_ms / 1e3

    def decode(self, tokens: Sequence[int], count: int) -> float:
        """The first token comes with the prompt; each further one is one pass, but for speculation."""
        self.forget()
        timings = self.generate(tokens, count + 1).timings
        return timings.decode_ms / 1e3 / max(1, timings.generated_tokens - 1)

    def generate(self, tokens: Sequence[int], count: int, choices: int = 1) -> Outcome:
        """`count` tokens behind `tokens`, greedily and past any end of text; the last event of it."""
        from aigc_lsp.engine.generate import Request

        more: dict[str, Any] = {"choices": choices} if choices > 1 else {}
        *_, outcome = self.engine.generate(Request(tokens, max_tokens=count, **more))
        return cast("Outcome", outcome)

    def forget(self) -> None:
        """Nothing remembered, and all threads: what another subject has computed meanwhile is not this one's load."""
        self.engine.store.branches.clear()
        self._threads.reset()

    @property
    def offers_choices(self) -> bool:
        from aigc_lsp.engine.generate import Request

        return "choices" in {one.name for one in fields(Request)}

    @property
    def speculates(self) -> bool | None:
        """Whether it drafts tokens from the prompt; None where this engine cannot."""
        return getattr(self.engine, "speculate", None)

    @speculates.setter
    def speculates(self, wanted: bool) -> None:
        self.engine.speculate = wanted

    def bytes_per_token(self, context: int) -> int | None:
        """Bytes that one pass behind `context` tokens reads: weights, keys and values; None where it is not known."""
        counted = getattr(self.engine.model, "bytes_per_token", None)
        return counted(context) if counted is not None else None


class OurServer:
    """`aigc-lsp engine` as a process, in a runtime folder of its own; a Typist. `first_token_s`: from exec on."""

    name = "aigc-lsp"

    def __init__(self, model: catalogue.Model, threads: int) -> None:
        Store().check_packed(model)
        self._folder = Path(tempfile.mkdtemp(prefix="aigc-bench-"))
        self._socket = self._folder / "engine.sock"
        self.environment = {
            "AIGC_LSP_RUNTIME_DIR": str(self._folder),
            "AIGC_LSP_CONFIG": str(self._folder / "none.toml"),
            "AIGC_LSP_MODEL": model.name,
            "AIGC_LSP_ENGINE_THREADS": str(threads),
            "AIGC_LSP_ENGINE_DEVICE": "cpu",
            "XDG_STATE_HOME": str(self._folder),  # where its log goes
        }
        """With these variables a language server asks this one, and leaves the user's own alone."""
        self._http: httpx.Client | None = None
        began = time.perf_counter()
        self._process = self._spawn()
        try:
            self._http = self._connect(began)
            self.tiny()
            self.first_token_s = time.perf_counter() - began
        except BaseException:
            self.close()
            raise

    def keystroke(self, prefix: str, suffix: str) -> Keystroke:
        return self._infill({"input_prefix": prefix, "input_suffix": suffix, **INFILL, **WHOLE})

    def tiny(self) -> float:
        """Seconds until the smallest request is answered."""
        return self._infill(TINY).seconds

    def cancel(self, prompt: str, after: float) -> float:
        """Seconds from a hang-up until the smallest request is answered; the hang-up comes `after` seconds into the
        reading of `prompt`, which must take longer than that."""
        body = json.dumps({"input_prefix": prompt, "n_predict": 1, **WHOLE}).encode()
        head = f"POST /infill HTTP/1.1\r\nHost: engine\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(self._socket))
            connection.sendall(head + body)
            connection.settimeout(after)
            try:
                connection.recv(1)
            except TimeoutError:
                pass
            else:
                raise EngineUnavailable(f"The model server has answered before it could be hung up on ({after:.1f} s).")
        return self.tiny()

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "aigc_lsp", "engine"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self.environment},
        )

    def _connect(self, began: float) -> httpx.Client:
        """A client, once the socket is bound; requests wait in the model server until the model is loaded."""
        import httpx

        while not self._is_listening():
            if self._process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                raise EngineUnavailable("The model server did not start; `aigc-lsp engine` in a terminal says why.")
            time.sleep(0.01)
        transport = httpx.HTTPTransport(uds=str(self._socket))
        return httpx.Client(transport=transport, base_url="http://engine", timeout=600.0, trust_env=False)

    def _is_listening(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def _infill(self, body: dict[str, Any]) -> Keystroke:
        assert self._http is not None
        return infill(self._http, "The model server", body)
