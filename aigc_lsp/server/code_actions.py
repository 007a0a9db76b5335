"""textDocument/codeAction and codeAction/resolve: what one may ask for at a place, and the edits that come of it.

Contract
    Listing looks at the tree and asks no model. An action has neither edit nor command where the client has the edit
    made when the user chooses it (`codeAction/resolve`), else a command, which returns at once (`commands`). Resolving
    the same action again gives the same; of a document that is another by now it is ContentModified.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified, JsonRpcException, JsonRpcRequestCancelled

from aigc_lsp.errors import AigcError, DocumentChanged
from aigc_lsp.server import chat_actions, positions
from aigc_lsp.server.commands import WRITE_DOCSTRING
from aigc_lsp.server.docstring_hints import is_ours
from aigc_lsp.server.docstrings import Scope, Wanted, meant, state_of, wanted_of, written
from aigc_lsp.server.edits import range_of, workspace_edit
from aigc_lsp.server.failure import described
from aigc_lsp.server.plain import plain
from aigc_lsp.server.working import EndedByUser

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.docstring.subject import Subject
    from aigc_lsp.server.app import Server

log = logging.getLogger(__name__)

T = TypeVar("T")

REWRITE = "refactor.rewrite.docstring"
SOURCE = "source.docstring"
FIX = types.CodeActionKind.QuickFix

REQUEST_FAILED = -32803

_TITLES = {"missing": "Write docstring", "stale": "Update docstring", "bare": "Complete docstring"}
_METHODS = "Write docstrings for the class and its methods"
_FILE = "Write missing docstrings and update stale ones"


def register(server: Server) -> None:
    kinds = [REWRITE, SOURCE, *chat_actions.KINDS]
    options = types.CodeActionOptions(code_action_kinds=kinds, resolve_provider=True)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction | types.Command]:
        await server.open_documents.judged(params.text_document.uri)
        return _as_taken(server, listed(server, params))

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        given = plain(action.data)
        try:
            wanted = wanted_of(given)
        except ValueError:
            return action  # it is none of ours
        document, edits = await _answered(written(server, wanted, action.title))
        action.edit = workspace_edit(server, document, edits, action.title)
        return action


def listed(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri, only = params.text_document.uri, params.context.only
    document = server.session.served(uri)
    abilities = server.abilities
    if document is None or not (abilities.resolves or abilities.applies):
        return []
    document = server.notebooks.among_cells(server.session.parsed(uri) or document)
    others = chat_actions.offered(server, document, params)
    return [*_docstrings(server, document, params, only), *(each for each in others if _is_asked(each.kind, only))]


def _docstrings(
    server: Server, document: Document, params: types.CodeActionParams, only: Sequence[str] | None
) -> list[types.CodeAction]:
    if document.tree is None:
        return []
    start, end = _offsets(server, document, params.range)
    found: list[types.CodeAction] = []
    fixed: set[int] = set()  # where what has a quick fix begins
    if _is_asked(FIX, only):
        for diagnostic in filter(is_ours, params.context.diagnostics):
            for subject in meant(document, *_offsets(server, document, diagnostic.range), "one"):
                if subject.span.start not in fixed:
                    fixed.add(subject.span.start)
                    about = range_of(document, subject.header, server.session.encoding)
                    found.append(_action(server, document, about, "one", _TITLES["stale"], FIX, [diagnostic]))
    if _is_asked(REWRITE, only):
        found += _rewrites(server, document, params.range, start, end, fixed)
    if only and _is_asked(SOURCE, only):
        found.append(_action(server, document, params.range, "file", _FILE, SOURCE))
    return found


def _rewrites(
    server: Server, document: Document, span: types.Range, start: int, end: int, fixed: set[int]
) -> list[types.CodeAction]:
    from aigc_lsp.docstring.structure import subjects_at

    assert document.tree is not None
    found: list[types.CodeAction] = []
    at = subjects_at(document.tree, start, end)
    wanting = [each for each in at if state_of(document.text, each) != "right" and each.span.start not in fixed]
    if wanting:
        found.append(_action(server, document, span, "one", _title(document, wanting), REWRITE))
    if len(at) == 1 and at[0].kind == "class":
        found.append(_action(server, document, span, "methods", _METHODS, REWRITE))
    return found


def _title(document: Document, subjects: Sequence[Subject]) -> str:
    return _TITLES[state_of(document.text, subjects[0])] + ("s" if len(subjects) > 1 else "")


def _action(
    server: Server,
    document: Document,
    span: types.Range,
    scope: Scope,
    title: str,
    kind: str,
    diagnostics: list[types.Diagnostic] | None = None,
) -> types.CodeAction:
    abilities = server.abilities
    wanted = Wanted(document.uri, span, scope, document.version).plain()
    # All of a file takes minutes, which no action's edit is waited for.
    resolves = abilities.resolves and (scope != "file" or not abilities.applies)
    return types.CodeAction(
        title,
        types.CodeActionKind(kind) if kind == FIX else kind,
        diagnostics,
        is_preferred=True if diagnostics and abilities.preferred else None,
        command=None if resolves else types.Command(title, WRITE_DOCSTRING, arguments=[wanted]),
        data=wanted if resolves else None,
        tags=[types.CodeActionTag.LlmGenerated] if abilities.tagged else None,
    )


def _as_taken(server: Server, found: list[types.CodeAction]) -> list[types.CodeAction | types.Command]:
    """Old clients take commands alone."""
    if server.abilities.literals:
        return [*found]
    return [each.command for each in found if each.command is not None]


def _is_asked(kind: str | None, only: Sequence[str] | None) -> bool:
    """A kind stands for all below it, and none for all."""
    kind = str(getattr(kind, "value", kind) or "")
    return not only or any(not each or kind == each or kind.startswith(f"{each}.") for each in only)


def _offsets(server: Server, document: Document, span: types.Range) -> tuple[int, int]:
    text, encoding = document.text, server.session.encoding
    start = positions.offset_at(text, span.start.line, span.start.character, encoding)
    return start, positions.offset_at(text, span.end.line, span.end.character, encoding)


async def _answered(work: Awaitable[T]) -> T:
    """What `work` gives; what it raises as the answer to a request."""
    try:
        return await work
    except EndedByUser:
        raise JsonRpcRequestCancelled() from None
    except DocumentChanged as error:
        raise JsonRpcContentModified(str(error)) from None
    except AigcError as error:
        raise JsonRpcException(str(error), REQUEST_FAILED) from None
    except Exception as error:
        log.error("an action failed: %s", described(error))
        raise JsonRpcException("It failed, and the log says where.", REQUEST_FAILED) from None
