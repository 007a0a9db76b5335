"""Actions besides docstrings: offered with the code actions, and commands that do them (`aigc_lsp.actions`).

    aigc.explain, aigc.writeTest, aigc.fix, aigc.completeTodo, aigc.action
        {uri, range, version?, diagnostics?: [{range, message}], action?: title}

Each returns at once; work goes on beside it (`working`). Edits are for the document as it was: where that is another by
the time they are there, nothing is applied. What is to be read goes to the client as the notification `aigc/show`
{title, markdown} where it says `experimental.aigc.show`, else as a message.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from aigc_lsp.errors import ActionRefused, AigcError, DocumentChanged
from aigc_lsp.server import positions
from aigc_lsp.server.edits import apply, document_of, workspace_edit
from aigc_lsp.server.plain import is_version, plain, plain_range, range_in
from aigc_lsp.server.working import model_at_hand, working
from aigc_lsp.text import Text, sanitise

if TYPE_CHECKING:
    from aigc_lsp.actions import Asked, Offer, Outcome, Placed, PlaceOfTest, Problem
    from aigc_lsp.config import Config
    from aigc_lsp.context.document import Document
    from aigc_lsp.index.paths import Paths
    from aigc_lsp.server.app import Server
    from aigc_lsp.server.working import Report

SHOW = "aigc/show"
NAMES = ("explain", "writeTest", "fix", "completeTodo", "action")
KINDS = ("quickfix", "refactor", "source")
"""What is offered has one of these kinds, or one below it."""

CHANGED = "The file was changed meanwhile, so nothing was changed by the model."
_MOST_SHOWN = 4000
"""Characters of a message, where the client has no better way to show text."""
_MOST_BYTES = 2_000_000
"""Of a file with tests."""


def register(server: Server) -> None:
    for name in NAMES:
        _register(server, name)


def _register(server: Server, name: str) -> None:
    @server.command(f"aigc.{name}")
    async def command(*arguments: Any) -> None:
        try:
            (given,) = arguments
            wanted = wanted_of(name, plain(given))
        except ValueError:
            raise JsonRpcInvalidParams(
                f"aigc.{name} takes one {{uri, range, version?, diagnostics?, action?}}."
            ) from None
        server.errands.begin(_done(server, wanted))


# What is offered


def offered(server: Server, document: Document, params: types.CodeActionParams) -> list[types.CodeAction]:
    """What may be asked for at a place of a document that is served. It asks no model."""
    from aigc_lsp.actions import offered

    config = server.session.config
    if not _can_chat(config):
        return []
    diagnostics = [each for each in params.context.diagnostics if _is_fixable(each)]
    span = positions.span_of(document.text, params.range, server.session.encoding)
    problems = [_problem(document, each.range, each.message, server.session.encoding) for each in diagnostics]
    return [
        _action(server, document, params.range, offer, diagnostics)
        for offer in offered(document, span, problems, config)
        if server.abilities.applies or offer.name == "explain"
    ]


def _action(
    server: Server, document: Document, span: types.Range, offer: Offer, diagnostics: Sequence[types.Diagnostic]
) -> types.CodeAction:
    concerned = diagnostics if offer.problem is None else [diagnostics[offer.problem]]
    is_told = offer.name in ("fix", "action")
    wanted = {
        "uri": document.uri,
        "range": plain_range(span),
        "version": document.version,
        **({"diagnostics": [_plain_diagnostic(each) for each in concerned]} if is_told else {}),
        **({"action": offer.own} if offer.own else {}),
    }
    return types.CodeAction(
        offer.title,
        types.CodeActionKind(offer.kind) if offer.kind in ("quickfix", "refactor", "source") else offer.kind,
        list(concerned) if offer.problem is not None else None,
        command=types.Command(offer.title, f"aigc.{offer.name}", arguments=[wanted]),
        tags=[types.CodeActionTag.LlmGenerated] if server.abilities.tagged else None,
    )


def _is_fixable(diagnostic: types.Diagnostic) -> bool:
    """Hints are for the eye alone, and ours have an action of their own."""
    return diagnostic.severity != types.DiagnosticSeverity.Hint and diagnostic.source != "aigc-lsp"


@lru_cache(maxsize=8)
def _can_chat(config: Config) -> bool:
    from aigc_lsp.actions import can_chat

    return can_chat(config)


# What is done


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a user wants done, as a client sends it back."""

    name: str
    uri: str
    range: types.Range
    version: int | None
    diagnostics: tuple[tuple[types.Range, str], ...]
    action: str


def wanted_of(name: str, given: Any) -> Wanted:
    """Raises `ValueError` where it is none."""
    if not isinstance(given, dict) or not isinstance(given.get("uri"), str):
        raise ValueError("no uri")
    version, title = given.get("version"), given.get("action") or ""
    if not is_version(version) or not isinstance(title, str):
        raise ValueError("no version, or no title")
    told = given.get("diagnostics") or []
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise ValueError("no diagnostics")
    diagnostics = tuple((range_in(each.get("range")), str(each.get("message", ""))) for each in told)
    return Wanted(name, given["uri"], range_in(given.get("range")), version, diagnostics, title)


async def _done(server: Server, wanted: Wanted) -> None:
    document = await document_of(server, wanted.uri, wanted.version, CHANGED)
    asked = _asked(document, wanted, server.session.encoding)
    title = _title(wanted)

    async def work(report: Report) -> Outcome:
        from aigc_lsp.actions import run

        place = await place_of_test(server, document) if asked.name == "writeTest" else None
        backend = await model_at_hand(server)
        return await run(asked, document, backend, server.session.config, place)

    def check() -> None:
        now = server.session.documents.get(wanted.uri)
        if asked.name not in ("explain", "writeTest") and (now is None or now.text is not document.text):
            raise DocumentChanged(CHANGED)

    async with server.turns.of(f"{wanted.uri}#action"):
        outcome = await working(server, title, work, check)
        await _deliver(server, document, outcome, title)


async def _deliver(server: Server, document: Document, outcome: Outcome, title: str) -> None:
    from aigc_lsp.actions import Changed, Shown

    if isinstance(outcome, Shown):
        _show(server, outcome.title, outcome.markdown)
    elif isinstance(outcome, Changed):
        now = server.session.documents.get(document.uri)
        if now is None or now.text is not document.text:
            raise DocumentChanged(CHANGED)
        await apply(server, workspace_edit(server, now, outcome.edits, title), title)
    else:
        await apply(server, await _placing(server, outcome, title), title)


def _show(server: Server, title: str, markdown: str) -> None:
    experimental = plain(server.client_capabilities.experimental)
    ours = experimental.get("aigc") if isinstance(experimental, dict) else None
    if isinstance(ours, dict) and ours.get("show"):
        server.protocol.notify(SHOW, {"title": title, "markdown": markdown})
    else:
        server.errands.tell(markdown[:_MOST_SHOWN], types.MessageType.Info)


async def _placing(server: Server, placed: Placed, label: str) -> types.WorkspaceEdit:
    """The edit of a file with tests. Raises `AigcError` where it is another by now, or the client cannot make it."""
    from aigc_lsp.context.document import Document

    opened = _opened(server, placed.path)
    if opened is not None:
        if placed.before is None or opened.text.source != placed.before.source:
            raise DocumentChanged(f"{os.path.basename(placed.path)} was changed meanwhile, so no test was written.")
        return workspace_edit(server, opened, placed.edits, label)
    there = await asyncio.to_thread(_read, placed.path)
    now = None if there is None else sanitise(there)
    before = None if placed.before is None else placed.before.source
    if now != before or _opened(server, placed.path) is not None:
        raise DocumentChanged(f"{os.path.basename(placed.path)} was changed meanwhile, so no test was written.")
    uri = _uri_of(placed.path)
    edit = workspace_edit(server, Document(uri, placed.path, "", 0, placed.before or Text("")), placed.edits, label)
    for change in edit.document_changes or ():
        if isinstance(change, types.TextDocumentEdit):
            change.text_document = types.OptionalVersionedTextDocumentIdentifier(uri, None)
    if placed.before is not None:
        return edit
    if not server.abilities.creates or edit.document_changes is None:
        raise AigcError(f"The editor cannot make files. Make an empty {placed.path}, open it, and ask again.")
    made = types.CreateFile(uri, options=types.CreateFileOptions(overwrite=False, ignore_if_exists=False))
    edit.document_changes = [made, *edit.document_changes]
    return edit


# What it is about


def _asked(document: Document, wanted: Wanted, encoding: str) -> Asked:
    from aigc_lsp.actions import Asked

    problems = tuple(_problem(document, span, message, encoding) for span, message in wanted.diagnostics)
    return Asked(wanted.name, positions.span_of(document.text, wanted.range, encoding), problems, wanted.action)  # type: ignore[arg-type]


def _title(wanted: Wanted) -> str:
    titles = {
        "explain": "Explaining",
        "writeTest": "Writing a test",
        "fix": "Fixing",
        "completeTodo": "Completing TODO",
    }
    return titles.get(wanted.name, wanted.action or "Working")


def _opened(server: Server, path: str) -> Document | None:
    return next((each for each in server.session.documents.values() if each.path and each.path == path), None)


async def place_of_test(server: Server, document: Document) -> PlaceOfTest:
    """Where a test of what is in the document goes. Raises `ActionRefused` where that cannot be read: outside the
    workspace only what is open is."""
    workspace = server.folders.workspace
    located = workspace.locate(document.path) if workspace is not None else None
    if located is not None:
        root, paths, relative = document.path[: -len(located[1])], located[0].index.paths, located[1]
    else:
        root = os.path.join(os.path.dirname(document.path), "")
        paths, relative = await asyncio.to_thread(_paths_in, root), os.path.basename(document.path)

    opened = {each.path: each for each in server.session.documents.values() if each.path}
    served = {path for path, each in opened.items() if server.session.served(each.uri) is not None}

    def text_of(path: str, relative: str) -> str | None:
        """Of an open document, or of a file in the workspace that may be seen."""
        if path in opened:
            return opened[path].text.source if path in served else None
        return _read(path) if located is not None and relative in paths else None

    return await asyncio.to_thread(_place_in, root, paths, relative, document.language, text_of)


def _place_in(
    root: str, paths: Paths, subject: str, language: str, text_of: Callable[[str, str], str | None]
) -> PlaceOfTest:
    from aigc_lsp.actions import PlaceOfTest
    from aigc_lsp.actions.testing_place import manifests, module_of, place_of

    relative = place_of(paths, subject, language)
    path = os.path.join(root, *relative.split("/"))
    there = text_of(path, relative)
    if there is None and os.path.lexists(path):
        raise ActionRefused(f"{path} is there and was not read. Open it, and ask again.")
    manifest = next((text for each in manifests(subject) if (text := text_of(os.path.join(root, each), each))), "")
    module = module_of(paths, subject) if language == "python" else ""
    before = None if there is None else Text(sanitise(there))
    return PlaceOfTest(path, relative, subject, before, module, manifest)


def _paths_in(root: str) -> Paths:
    from aigc_lsp.index.paths import Paths

    paths = Paths()
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if entry.is_file():
                    paths.add(entry.name)
    except OSError:
        pass
    return paths


def _read(path: str) -> str | None:
    """The text of a file; None where there is none, or no text."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            if os.fstat(file.fileno()).st_size > _MOST_BYTES:
                return None
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


# Shapes


def _problem(document: Document, span: types.Range, message: str, encoding: str) -> Problem:
    from aigc_lsp.actions import Problem

    return Problem(positions.span_of(document.text, span, encoding), message)


def _plain_diagnostic(diagnostic: types.Diagnostic) -> dict[str, Any]:
    return {"range": plain_range(diagnostic.range), "message": diagnostic.message}


def _uri_of(path: str) -> str:
    from pathlib import Path

    return Path(path).as_uri()
