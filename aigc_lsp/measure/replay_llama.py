"""llama.cpp's server, asked as llama.vim asks it: `--peer llama-server=URL`.

Start it on the same weights and threads, with the batches that llama.vim recommends: `llama-server -m MODEL.gguf -t 2
-c 4096 -np 1 -b 1024 -ub 1024 --cache-reuse 256 --port 8080`. It cuts the prefix to three quarters of a batch: with no
reuse a long one slides, and all of it is read anew for each key. It knows `t_max_prompt_ms` and does not obey it.

A request, `POST /infill`, as llama.vim's defaults make it:

    input_prefix      256 lines above the cursor's (`n_prefix`)
    prompt            the line up to the cursor; nothing where the line is blank
    input_suffix      the rest of the line, and 64 lines below it (`n_suffix`)
    input_extra       []: its ring is filled by yanking, saving and changing buffers, and sent when nobody types for 3 s
    n_indent          the line's indentation
    n_predict 128, top_k 40, top_p 0.9, samplers top_k, top_p, infill, stop [], cache_prompt, no stream
    t_max_prompt_ms 500; t_max_predict_ms 250, and 1000 for a speculative request

One request is under way at a time, and no key ends it: what comes meanwhile is asked for 100 ms later, at the cursor as
it is then. Answers are kept (250, by prefix and suffix); a key first looks whether one made up to 128 characters before
goes on as was typed, and of those takes the longest. Once something is shown, what would follow it is asked for.
Nothing is asked where more than 8 characters follow the cursor in its line. What is shown is cut as llama.vim cuts it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil

from aigc_lsp.catalogue import Model
from aigc_lsp.errors import EngineUnavailable, UsageError
from aigc_lsp.measure.peers import SERVER, LlamaServer
from aigc_lsp.measure.replay_scenes import Scene
from aigc_lsp.measure.replay_subjects import Cost, Suggestion, cpu_seconds
from aigc_lsp.measure.replay_typist import Change

if TYPE_CHECKING:
    import httpx

PREFIX_LINES, SUFFIX_LINES = 256, 64
MOST_BEHIND = 8
LOOK_BACK = 128
KEPT = 250
AGAIN_SECONDS = 0.1
FIRST_MS, SPECULATIVE_MS = 250, 1000
SAMPLING = {
    "n_predict": 128,
    "stop": [],
    "top_k": 40,
    "top_p": 0.90,
    "stream": False,
    "samplers": ["top_k", "top_p", "infill"],
    "cache_prompt": True,
    "t_max_prompt_ms": 500,
}


@dataclass(frozen=True, slots=True)
class Local:
    """What a request says of the buffer; `key` is the cache's."""

    prefix: str
    middle: str
    suffix: str
    indent: int
    behind: str

    @property
    def key(self) -> tuple[str, str]:
        return self.prefix + self.middle, self.suffix


class LlamaVim:
    """A Subject: one buffer, the plugin's cache, and a llama-server over HTTP."""

    name = SERVER

    def __init__(self, client: httpx.AsyncClient, facts: Mapping[str, Any], pid: int | None) -> None:
        self._client, self._facts, self._pid = client, facts, pid
        self._text, self._cursor = "", 0
        self._cache: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._job: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._asked: asyncio.Future[Suggestion] | None = None
        self._cost = Cost()
        self._requests = 0

    @classmethod
    def connect(cls, wanted: str, model: Model) -> LlamaVim:
        """Raises `UsageError` where `wanted` is not `llama-server=URL`, or no llama-server answers there, or it serves
        other weights than those of `model`."""
        import httpx

        kind, _, url = wanted.partition("=")
        if kind != SERVER or not url.startswith(("http://", "https://")):
            raise UsageError(f"--peer {wanted}: it is {SERVER}=URL, such as {SERVER}=http://127.0.0.1:8080.")
        checked = LlamaServer(url, model)
        facts = checked.describe()
        checked.close()
        return cls(httpx.AsyncClient(base_url=url, timeout=600.0, trust_env=False), facts, _listener(url))

    def describe(self) -> dict[str, Any]:
        return dict(self._facts)

    async def open(self, scene: Scene) -> None:
        await self.rest()
        self._text, self._cursor = scene.text, 0

    def change(self, change: Change) -> None:
        start, end = change.start, change.start + change.removed
        self._text = self._text[:start] + change.text + self._text[end:]

    async def ask(self, cursor: int) -> Suggestion:
        """The cursor has moved: what is kept is shown at once; else what comes, once it fits."""
        self._cursor = cursor
        self._asked = asyncio.get_running_loop().create_future()
        self._cost, began = Cost("kept"), time.perf_counter()
        self._try_hint()
        self._request()
        suggestion = await self._asked
        return replace(suggestion, ms=(time.perf_counter() - began) * 1e3)

    async def cost(self) -> Cost:
        return self._cost

    async def accepted(self, suggestion: Suggestion) -> None:
        pass

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._pid) if self._pid else 0.0

    async def requests(self) -> int:
        return self._requests

    async def close(self) -> None:
        await self.rest()
        await self._client.aclose()

    async def rest(self) -> None:
        """Until nothing is under way, so that another has the machine to itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._job is not None:
            await asyncio.wait([self._job])
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    # As llama.vim does it

    def _try_hint(self) -> None:
        """Show what is kept for here, or for up to `LOOK_BACK` characters before where that was typed since."""
        local = local_of(self._text, self._cursor)
        said = self._kept(local)
        if said is not None:
            self._show(rendered(self._text, self._cursor, said))

    def _kept(self, local: Local) -> str | None:
        written, suffix = local.key
        if (said := self._cache.get(local.key)) is not None:
            self._cache.move_to_end(local.key)
            return said
        found = ""
        for back in range(1, min(LOOK_BACK, len(written)) + 1):
            said = self._cache.get((written[:-back], suffix), "")
            if said.startswith(written[-back:]) and len(said) - back > len(found):
                found = said[back:]
        return found or None

    def _show(self, said: str) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(Suggestion(said))
        if said:
            self._request(said)

    def _request(self, before: str = "") -> None:
        """Ask for what comes at the cursor, or behind `before`, as though that was accepted."""
        if self._job is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._again, before, self._cursor)
            return
        local = local_of(self._text, self._cursor, before)
        if local.key in self._cache:
            return
        if len(local.behind) > MOST_BEHIND:
            if not before and self._asked is not None and not self._asked.done():
                self._cost = Cost("none")
                self._asked.set_result(Suggestion())
            return
        self._requests += 1
        self._job = asyncio.create_task(self._ask(local, SPECULATIVE_MS if before else FIRST_MS))

    def _again(self, before: str, cursor: int) -> None:
        self._timer = None
        self._request(before if cursor == self._cursor else "")

    async def _ask(self, local: Local, most_ms: int) -> None:
        import httpx

        body = {
            "input_prefix": local.prefix,
            "input_suffix": local.suffix,
            "input_extra": [],
            "prompt": local.middle,
            "n_indent": local.indent,
            "t_max_predict_ms": most_ms,
            **SAMPLING,
        }
        try:
            response = await self._client.post("/infill", json=body)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            self._fail(f"{SERVER} does not answer ({type(error).__name__}).")
            return
        finally:
            self._job = None
        if response.status_code != 200 or not isinstance(answer, dict):
            self._fail(f"{SERVER} answers with {response.status_code}.")
            return
        self._take(local, answer)

    def _take(self, local: Local, answer: Mapping[str, Any]) -> None:
        self._cache[local.key] = str(answer.get("content") or "")
        while len(self._cache) > KEPT:
            self._cache.popitem(last=False)
        if self._asked is None or self._asked.done():
            return
        timings = answer.get("timings") or {}
        read, written = int(timings.get("prompt_n") or 0), int(timings.get("predicted_n") or 0)
        self._cost = Cost("model", prompt_tokens=read, generated_tokens=written)
        self._try_hint()

    def _fail(self, said: str) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(EngineUnavailable(said))


def local_of(text: str, cursor: int, before: str = "") -> Local:
    """What a request at `cursor` says, with `before` put in there first and the rest of the line left out then."""
    start = text.rfind("\n", 0, cursor) + 1
    end = text.find("\n", cursor)
    end = len(text) if end < 0 else end
    above, line = text[:start].split("\n")[:-1], text[start:cursor]
    behind, below = text[cursor:end], text[end + 1 :].split("\n")[:SUFFIX_LINES] if end < len(text) else []
    indent = len(line) - len(line.lstrip())
    if before:
        *more, line = (line + before).split("\n")
        above, behind = above + more, ""
    elif not (line + behind).strip():
        line, behind, indent = "", "", 0
    prefix = "\n".join(above[-PREFIX_LINES:]) + "\n"
    suffix = "\n".join([behind, *below]) + "\n"
    return Local(prefix, line, suffix, indent, behind)


def rendered(text: str, cursor: int, said: str) -> str:
    """What is shown of an answer: not what stands there already, nor the indentation that does."""
    lines = said.rstrip("\n").split("\n")
    start = text.rfind("\n", 0, cursor) + 1
    end = text.find("\n", cursor)
    end = len(text) if end < 0 else end
    before, behind = text[start:cursor], text[cursor:end]
    below = text[end + 1 :].split("\n") if end < len(text) else []
    if not (before + behind).strip():
        lead = min(len(lines[0]) - len(lines[0].lstrip()), len(before + behind))
        lines[0] = lines[0][lead:]
    if lines == [""] or lines == [behind]:
        return ""
    if lines[0] == "" and lines[1:] == below[: len(lines) - 1]:
        return ""
    blank = next((at for at, line in enumerate(below) if line.strip()), len(below))
    if blank < len(below) and before + lines[0] == below[blank]:
        rest = below[blank + 1 :]
        if len(lines) == 1 or lines[1:] == rest[: len(lines) - 1]:
            return ""
        if len(lines) == 2 and rest and rest[0].startswith(lines[1]):
            return ""
    return "\n".join(lines)


def _listener(url: str) -> int | None:
    """The process that serves `url` on this machine, where the system tells."""
    port = urlsplit(url).port
    try:
        found = (each.pid for each in psutil.net_connections("tcp") if each.laddr and each.laddr[1] == port)
        return next((pid for pid in found if pid and pid != os.getpid()), None)
    except psutil.Error:
        return None
