"""Who can be typed to: our language server, as an editor speaks to it. Offsets are code points."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil
from lsprotocol import types

from aigc_lsp.errors import EngineUnavailable
from aigc_lsp.measure.editor import Editor
from aigc_lsp.measure.replay_scenes import Scene
from aigc_lsp.measure.replay_typist import Change, at_cursor
from aigc_lsp.server import positions
from aigc_lsp.service.client import EngineClient
from aigc_lsp.text import Edit, Span, Text

READY_SECONDS, INDEX_SECONDS = 600.0, 120.0
"""For a model that is loaded, and for a folder that is indexed; without all of its index it goes, too."""
ENCODING = "utf-16"


@dataclass(frozen=True, slots=True)
class Cost:
    """Where an answer came from and what it took: `kept` (nothing was asked for), `under way` (of a stream that ran
    already), `model` (a new request), `none` (nobody was asked, nothing to say), `unknown`. `withheld` names what kept
    a text back; `total_ms` is what the server took by its own clock; `pieces` are those of the model, with their
    log-probabilities; `confidence` is as the server has it.
    """

    source: str = "unknown"
    reason: str = ""
    withheld: str = ""
    prompt_tokens: int = 0
    reused_tokens: int = 0
    generated_tokens: int = 0
    total_ms: float | None = None
    confidence: Any = None
    pieces: tuple[tuple[str, float | None], ...] = ()

    @property
    def prefilled(self) -> int:
        return max(0, self.prompt_tokens - self.reused_tokens)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Cost:
        """From what `aigc/explain` answers."""
        prompt, reused, generated = (
            int(said.get(name) or 0) for name in ("prompt_tokens", "reused_tokens", "generated_tokens")
        )
        source, reason, withheld = (str(said.get(name) or "") for name in ("source", "reason", "withheld"))
        pieces = tuple((str(text), logprob) for text, logprob in said.get("pieces") or ())
        ms, confidence = said.get("total_ms"), said.get("confidence")
        return cls(source or "unknown", reason, withheld, prompt, reused, generated, ms, confidence, pieces)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` goes in the place of `replaced` characters behind the cursor; empty for none. `token` is the subject's
    own, for `accepted`; `ms` is from key to answer, where the subject's own clock is better than its asker's."""

    text: str = ""
    replaced: int = 0
    token: Any = None
    ms: float | None = field(default=None, compare=False)


class Subject(Protocol):
    """One buffer at a time. `ask` is cancelled where the next key comes first."""

    name: str

    async def open(self, scene: Scene) -> None: ...

    def change(self, change: Change) -> None: ...

    async def ask(self, cursor: int) -> Suggestion: ...

    async def cost(self) -> Cost:
        """Of the last suggestion that was asked for and answered."""
        ...

    async def accepted(self, suggestion: Suggestion) -> None: ...

    def cpu_seconds(self) -> float:
        """Of all processes, since they were started."""
        ...

    async def requests(self) -> int:
        """How many the model has had so far, for whatever reason."""
        ...

    async def close(self) -> None: ...


class LanguageServer:
    """`aigc-lsp serve` on stdio, one process for each folder; the model server runs already, as `engine_pid`."""

    name = "aigc-lsp"

    def __init__(self, environment: Mapping[str, str], engine_pid: int, client: EngineClient) -> None:
        """`client` is the model server's."""
        self._environment, self._engine_pid, self._client = environment, engine_pid, client
        self._editor: Editor | None = None
        self._root: Path | None = None
        self._spent = 0.0  # by language servers that have ended
        self._uri, self._text = "", Text("")

    async def open(self, scene: Scene) -> None:
        """Raises `EngineUnavailable` where no model comes up."""
        if self._editor is None or self._root != scene.root:
            await self._start(scene.root)
        editor = self._at_hand
        if self._uri:
            editor.close(self._uri)
        self._uri, self._text = scene.path.as_uri(), Text(scene.text)
        editor.open(self._uri, scene.language, scene.text)

    def change(self, change: Change) -> None:
        span = self._range(change.start, change.start + change.removed)
        self._text = self._text.apply(Edit(Span(change.start, change.start + change.removed), change.text))
        self._at_hand.edit(span, change.text)

    async def ask(self, cursor: int) -> Suggestion:
        text = self._text
        answer = await self._at_hand.ask(self._position(cursor))
        start, end = cursor, cursor
        if answer.span is not None:
            start, end = (
                positions.offset_at(text, each.line, each.character, ENCODING)
                for each in (answer.span.start, answer.span.end)
            )
        said = at_cursor(answer.text, text.source[start:cursor])
        return Suggestion(said, max(0, end - cursor), answer.command, answer.ms)

    async def cost(self) -> Cost:
        return Cost.of(await self._at_hand.explain())

    async def accepted(self, suggestion: Suggestion) -> None:
        if suggestion.token is not None:
            self._at_hand.execute(suggestion.token)

    def cpu_seconds(self) -> float:
        own = cpu_seconds(self._editor.pid) if self._editor is not None else 0.0
        return self._spent + own + cpu_seconds(self._engine_pid)

    async def requests(self) -> int:
        return (await self._client.health()).requests

    async def close(self) -> None:
        if self._editor is not None:
            self._spent += cpu_seconds(self._editor.pid)
            await self._editor.stop()
            self._editor, self._uri = None, ""

    @property
    def _at_hand(self) -> Editor:
        assert self._editor is not None
        return self._editor

    async def _start(self, root: Path) -> None:
        await self.close()
        self._editor, self._root = Editor(folder=root, environment=self._environment), root
        await self._editor.start()
        began = time.monotonic()
        while not _is_ready(self._editor.status, time.monotonic() - began):
            if time.monotonic() - began > READY_SECONDS or self._editor.status.get("kind") == "Error":
                said = self._editor.status.get("message") or "; ".join(self._editor.messages) or "it says nothing"
                raise EngineUnavailable(f"The language server has no model to ask ({said}).")
            await asyncio.sleep(0.05)
        # What indexing took is nobody's keystroke.
        self._spent -= cpu_seconds(self._editor.pid)

    def _position(self, offset: int) -> types.Position:
        return types.Position(*positions.position_at(self._text, offset, ENCODING))

    def _range(self, start: int, end: int) -> types.Range:
        return types.Range(self._position(start), self._position(end))


def _is_ready(status: Mapping[str, Any], waited: float) -> bool:
    """`waited`: seconds."""
    index = status.get("index")
    is_indexed = isinstance(index, Mapping) and bool(index.get("complete"))
    return status.get("kind") == "Normal" and (is_indexed or waited > INDEX_SECONDS)


def cpu_seconds(pid: int) -> float:
    """Of a process and its children, also those that have ended; nothing of one that is gone."""
    total = 0.0
    try:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
            total += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    except psutil.Error:
        pass
    return total
