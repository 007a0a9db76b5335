"""What one language server knows: its documents, its settings, what is under way.

Everything here runs on the event loop; a `Document` that was handed out never changes (invariant 3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from attrs import evolve
from lsprotocol import types

from aigc_lsp import config as settings
from aigc_lsp.server import positions
from aigc_lsp.text import Text, sanitise

if TYPE_CHECKING:
    from aigc_lsp.pipeline import Document
    from aigc_lsp.syntax import Tree

T = TypeVar("T")


class Session:
    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.encoding = "utf-16"
        self.origins: Mapping[str, str] = {}
        self.config = settings.Config()
        self._layers: dict[str, settings.Layer] = {}
        self._file, self._file_messages = settings.Layer("", {}), list[str]()
        self._running: dict[str, asyncio.Task[Any]] = {}

    # Settings

    def read_settings(self) -> list[str]:
        """The user's file and the environment; the sentences to tell the user."""
        self._file, self._file_messages = settings.file_layer()
        return self._file_messages + self._resolve()

    def set_layer(self, origin: str, values: object) -> list[str]:
        """Replace what `origin` (initializationOptions, workspace/configuration) says."""
        self._layers[origin], messages = settings.json_layer(origin, values)
        return messages + self._resolve()

    def _resolve(self) -> list[str]:
        resolved = settings.resolve(self._file, settings.environment_layer(), *self._layers.values())
        self.config, self.origins = resolved.config, resolved.origins
        return list(resolved.messages)

    # Documents

    def open(self, item: types.TextDocumentItem) -> None:
        from aigc_lsp.pipeline import Document

        self.supersede(item.uri)  # some clients open twice
        text = Text(sanitise(item.text))
        document = Document(item.uri, path_of(item.uri), item.language_id, item.version, text)
        self.documents[item.uri] = replace(
            document, tree=None if self.refusal(document) else parse(item.language_id, text)
        )

    def change(self, uri: str, version: int, changes: Sequence[types.TextDocumentContentChangeEvent]) -> bool:
        """Bring a document up to date; false where it was never opened."""
        document = self.documents.get(uri)
        if document is None:
            return False
        self.supersede(uri)
        clean = [evolve(change, text=sanitise(change.text)) for change in changes]
        text, edits = positions.apply_changes(document.text, clean, self.encoding)
        tree = None
        if document.tree is not None:
            tree = document.tree.edit(edits, text)
        elif edits and not self.refusal(replace(document, text=text)):
            tree = parse(document.language, text)
        self.documents[uri] = replace(document, version=version, text=text, tree=tree)
        return True

    def close(self, uri: str) -> None:
        self.supersede(uri)
        self.documents.pop(uri, None)

    def served(self, uri: str) -> Document | None:
        """The document, where completion is on for it."""
        document = self.documents.get(uri)
        return document if document is not None and not self.refusal(document) else None

    def refusal(self, document: Document | None) -> str:
        """Why nothing is suggested in the document, or (None) anywhere: a sentence, or empty."""
        if not self.config.enabled:
            return "Suggestions are switched off (option enabled)."
        if document is None:
            return ""
        if document.language in self.config.languages_off:
            return f"Suggestions are switched off for {document.language} (option languages_off)."
        if len(document.text.source) > self.config.completion.max_file_bytes:
            return "This file is too large for suggestions (option completion.max_file_bytes)."
        return "This is no text, so nothing is suggested." if "\0" in document.text.source else ""

    # Requests under way

    async def latest(self, uri: str, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`, or None where a later request or edit of the same document took its place.

        Cancelled by the client, it raises `CancelledError`, and the work is cancelled with it.
        """
        self.supersede(uri)
        task = asyncio.create_task(work)
        self._running[uri] = task
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            return None
        finally:
            if self._running.get(uri) is task:
                del self._running[uri]

    def supersede(self, uri: str) -> None:
        if (task := self._running.pop(uri, None)) is not None:
            task.cancel()

    def supersede_all(self) -> None:
        for uri in list(self._running):
            self.supersede(uri)


def parse(language: str, text: Text) -> Tree | None:
    from aigc_lsp.syntax import parse  # with all that it brings, 30 ms that no editor has to wait for at its start

    return parse(language, text)


def path_of(uri: str) -> str:
    """The file's path, or "" for what is no file (untitled:, git:, …)."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # no URI at all
        return ""
    return unquote(parts.path) if parts.scheme == "file" else ""
