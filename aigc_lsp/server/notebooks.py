"""notebookDocument/didOpen, didChange, didClose: notebooks, whose cells are documents of the session.

What is known here is the order of the cells and which are prose. Nothing a client sends in an odd order fails: cells
that nobody opened are left out, changes of unknown notebooks are ignored with a warning. Versions are not looked at:
notifications are applied as they come, as the specification says.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from aigc_lsp.server.session import path_of

if TYPE_CHECKING:
    from aigc_lsp.context.cells import Cell
    from aigc_lsp.context.document import Document
    from aigc_lsp.server.app import Server
    from aigc_lsp.server.session import Session

log = logging.getLogger(__name__)

SYNC = types.NotebookDocumentSyncOptions([types.NotebookDocumentFilterWithNotebook(notebook="*")])
"""Every notebook, with all its cells."""


def register(server: Server) -> None:
    notebooks = server.notebooks

    def did_open(params: types.DidOpenNotebookDocumentParams) -> None:
        notebooks.open(params.notebook_document, params.cell_text_documents)

    def did_change(params: types.DidChangeNotebookDocumentParams) -> None:
        notebooks.change(params.notebook_document.uri, params.change.cells)

    def did_close(params: types.DidCloseNotebookDocumentParams) -> None:
        notebooks.close(params.notebook_document.uri, params.cell_text_documents)

    # In the place of pygls' own, which would keep the cells in its workspace and fail where it does not know one.
    builtin = server.protocol.fm.add_builtin_feature
    builtin(types.NOTEBOOK_DOCUMENT_DID_OPEN, did_open)
    builtin(types.NOTEBOOK_DOCUMENT_DID_CHANGE, did_change)
    builtin(types.NOTEBOOK_DOCUMENT_DID_CLOSE, did_close)


class Notebooks:
    """The notebooks that are open, by URI, each with its cells in order."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cells: dict[str, list[types.NotebookCell]] = {}

    def open(self, notebook: types.NotebookDocument, texts: Iterable[types.TextDocumentItem]) -> None:
        self.close(notebook.uri)  # some clients open twice
        self._cells[notebook.uri] = list(notebook.cells)
        self._open_texts(notebook.uri, texts)

    def change(self, uri: str, change: types.NotebookDocumentCellChanges | None) -> None:
        """Bring a notebook up to date. What else may change in one, its metadata, says nothing to us."""
        if uri not in self._cells:
            log.warning("ignored a change of a notebook that was never opened")
        elif change is not None:
            if change.structure is not None:
                self._restructure(uri, change.structure)
            changed = {cell.document: cell for cell in change.data or ()}
            self._cells[uri] = [changed.get(cell.document, cell) for cell in self._cells[uri]]
            for text in change.text_content or ():
                if not self._session.change(text.document.uri, text.document.version, text.changes):
                    log.warning("ignored a change of a cell that was never opened")

    def close(self, uri: str, texts: Iterable[types.TextDocumentIdentifier] = ()) -> None:
        cells = self._cells.pop(uri, ())
        for each in {*(cell.document for cell in cells), *(text.uri for text in texts)}:
            self._session.close(each)

    def among_cells(self, document: Document) -> Document:
        """`document` with what the other cells of its notebook say; as it is where it is no cell.

        A cell that IPython hands to another language is in that language, and without a tree.
        """
        for cells in self._cells.values():
            at = next((n for n, cell in enumerate(cells) if cell.document == document.uri), None)
            if at is not None:
                return self._among(document, cells, at)
        return document

    def _among(self, document: Document, cells: Sequence[types.NotebookCell], at: int) -> Document:
        from aigc_lsp.context.cells import Cell, around, language_in  # not needed to answer initialize
        from aigc_lsp.context.window import CHARACTERS_PER_TOKEN

        own = Cell(document.text.source, document.language, _is_markup(cells[at]))
        budget = self._session.config.context
        above, below = around(
            own,
            self._said(reversed(cells[:at])),
            self._said(cells[at + 1 :]),
            budget.prefix_tokens * CHARACTERS_PER_TOKEN,
            budget.suffix_tokens * CHARACTERS_PER_TOKEN,
        )
        language = language_in(own)
        if language and language != document.language:
            document = replace(document, language=language, tree=None)
        return replace(document, above=above, below=below)

    def _said(self, cells: Iterable[types.NotebookCell]) -> Iterator[Cell]:
        from aigc_lsp.context.cells import Cell

        for cell in cells:
            document = self._session.documents.get(cell.document)
            if document is not None:
                yield Cell(document.text.source, document.language, _is_markup(cell))

    def _restructure(self, uri: str, change: types.NotebookDocumentCellChangeStructure) -> None:
        before, array = self._cells[uri], change.array
        cells = [*before[: array.start], *(array.cells or ()), *before[array.start + array.delete_count :]]
        self._cells[uri] = cells
        # A cell that was moved is deleted and inserted, and its text stays open.
        gone = {cell.document for cell in before} - {cell.document for cell in cells}
        for each in gone | {text.uri for text in change.did_close or ()}:
            self._session.close(each)
        self._open_texts(uri, change.did_open or ())

    def _open_texts(self, uri: str, texts: Iterable[types.TextDocumentItem]) -> None:
        """The path of a cell is that of its notebook; its own URI says nothing, says the specification."""
        for item in texts:
            self._session.open(item, path_of(uri))


def _is_markup(cell: types.NotebookCell) -> bool:
    return cell.kind == types.NotebookCellKind.Markup
