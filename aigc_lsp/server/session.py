"""What one language server knows: its documents, its settings, what is under way.

Everything here runs on the event loop; a `Document` that was handed out never changes (invariant 3).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from attrs import evolve
from lsprotocol import types

from aigc_lsp import config as settings
from aigc_lsp.server import positions
from aigc_lsp.text import Edit, Text, sanitise

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.index.judging import Judgement
    from aigc_lsp.pipeline import Completion
    from aigc_lsp.reuse.memory import Memory
    from aigc_lsp.syntax import GoOn, Tree

T = TypeVar("T")

OPEN_SECONDS, EDIT_SECONDS = 0.5, 0.05
"""Of a processor, to parse a text that was opened or edited. What takes longer goes without a tree for now."""


class Listener(Protocol):
    def opened(self, document: Document) -> None: ...

    def changed(self, before: Document, after: Document, edits: Sequence[Edit]) -> None: ...

    def closed(self, document: Document) -> None: ...


class Session:
    """`listener` hears of each document, whoever opens, changes or closes it."""

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self.documents: dict[str, Document] = {}
        self._due: dict[str, tuple[Tree, tuple[Edit, ...]]] = {}
        """By URI: the last tree, and the edits since."""
        self.judgements: dict[str, Judgement] = {}
        """By URI, of open documents: whether they may be seen. None where that is not known yet."""
        self.memories: dict[str, Memory] = {}
        """By URI, of open documents: what was said in them."""
        self.explained: dict[str, Completion] = {}
        """By URI, of open documents: the last answer."""
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
        for memory in self.memories.values():
            memory.forget()
        return list(resolved.messages)

    # Documents

    def open(self, item: types.TextDocumentItem, path: str | None = None) -> None:
        """`path` is that of the file it belongs to, where its URI does not say it."""
        from aigc_lsp.context.document import Document

        self.close(item.uri)  # some clients open twice
        text = Text(sanitise(item.text))
        document = Document(item.uri, path_of(item.uri) if path is None else path, item.language_id, item.version, text)
        tree = None if self.refusal(document) else parse(item.language_id, text)
        self.documents[item.uri] = document = replace(document, tree=tree)
        if self.listener is not None:
            self.listener.opened(document)

    def change(self, uri: str, version: int, changes: Sequence[types.TextDocumentContentChangeEvent]) -> bool:
        """Bring a document up to date; false where it was never opened."""
        before = self.documents.get(uri)
        if before is None:
            return False
        self.supersede(uri)
        clean = [evolve(change, text=sanitise(change.text)) for change in changes]
        text, edits = positions.apply_changes(before.text, clean, self.encoding)
        # One without a tree took too long to parse, or was refused: no key is to wait for that again (`OpenDocuments`).
        tree, earlier = self._due.pop(uri, (before.tree, ()))
        if tree is not None:
            self._due[uri] = tree, (*earlier, *edits)
        self.documents[uri] = after = replace(before, version=version, text=text, tree=None)
        if edits:
            self._remember(uri, text, edits[-1])
        if self.listener is not None:
            self.listener.changed(before, after, edits)
        return True

    def _remember(self, uri: str, text: Text, last: Edit) -> None:
        for other, memory in self.memories.items():
            if other == uri:
                memory.typed(text, last.span.start + len(last.new_text))
            else:
                memory.fade()  # what is said there may use what was changed here

    def memory(self, uri: str) -> Memory:
        from aigc_lsp.reuse.memory import Memory

        return self.memories.setdefault(uri, Memory())

    def has_tree(self, document: Document) -> bool:
        """Whether the document as it is now has a tree, or will have one as soon as it is `parsed`."""
        return document.tree is not None or document.uri in self._due

    def parsed(self, uri: str) -> Document | None:
        """The document with the tree that its last edits lead to. They are parsed when somebody wants to see it, since
        most keys need no tree."""
        document = self.documents.get(uri)
        tree, edits = self._due.pop(uri, (None, ()))
        if document is None or tree is None:
            return document
        made = tree.edit(edits, document.text, within(EDIT_SECONDS))
        found = self.take_tree(document, made) if made is not None else None
        if found is None:
            return document
        if self.listener is not None:
            self.listener.changed(document, found, ())
        return found

    def take_tree(self, document: Document, tree: Tree) -> Document | None:
        """The document with a tree that was made of its text meanwhile; None where it is another by now."""
        if self.documents.get(document.uri) is not document:
            return None
        self._due.pop(document.uri, None)
        self.documents[document.uri] = found = replace(document, tree=tree)
        return found

    def close(self, uri: str) -> None:
        self.supersede(uri)
        self.judgements.pop(uri, None)
        self.explained.pop(uri, None)
        self._due.pop(uri, None)
        if memory := self.memories.pop(uri, None):
            memory.hang_up()
        document = self.documents.pop(uri, None)
        if document is not None and self.listener is not None:
            self.listener.closed(document)

    def served(self, uri: str) -> Document | None:
        """The document, where completion is on for it, and it is known that it may be completed in."""
        document = self.documents.get(uri)
        if document is None or uri not in self.judgements or self.refusal(document):
            return None
        return document

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
        if "\0" in document.text.source:
            return "This is no text, so nothing is suggested."
        judgement = self.judgements.get(document.uri)
        if judgement is None or not judgement.barred:
            return ""
        option = " (option completion.in_secret_files)" if judgement.is_secret else ""
        return f"Nothing is suggested in this file: {judgement.barred}{option}."

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
        for memory in self.memories.values():
            memory.forget()


def parse(language: str, text: Text) -> Tree | None:
    from aigc_lsp.syntax import parse  # with all that it brings, 30 ms that no editor has to wait for at its start

    return parse(language, text, within(OPEN_SECONDS))


def within(seconds: float) -> GoOn:
    """True for so long. Of this thread's own work: a machine that is busy with something else takes no tree away."""
    end = time.thread_time() + seconds
    return lambda: time.thread_time() < end


def path_of(uri: str) -> str:
    """The file's path, or "" for what is no file (untitled:, git:, …)."""
    return named_path(uri) if uri[:5].lower() == "file:" else ""


def named_path(uri: str) -> str:
    """The path in a URI, also of what is no file, but a cell of one, or an older version."""
    try:
        return unquote(urlsplit(uri).path)
    except ValueError:  # no URI at all
        return ""
