"""textDocument/completion: the menu, for clients without inline completion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from aigc_lsp.server import positions
from aigc_lsp.server.inline_completion import complete_at

if TYPE_CHECKING:
    from aigc_lsp.server.app import Server

_WORD_BEFORE = re.compile(r"\w*$")


def register_fallback(server: Server) -> None:
    options = types.CompletionOptions(trigger_characters=[".", "("], resolve_provider=False)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, options)
    async def completion(params: types.CompletionParams) -> types.CompletionList:
        # Always incomplete: eglot would filter one answer through all that is typed next.
        found = await complete_at(server, params.text_document.uri, params.position, automatic=True)
        items = []
        if found is not None:
            document = server.session.documents[params.text_document.uri]
            line = positions.offset_at(document.text, params.position.line, 0, server.session.encoding)
            items = [_item(document.text.source[line : found.offset], found.text)]
        return types.CompletionList(is_incomplete=True, items=items)


def _item(line_before: str, text: str) -> types.CompletionItem:
    """A plain item that begins with the word already typed.

    No text edit: eglot's previews and Neovim's menu then replace that word by `insertText` (see protocol.md).
    """
    matched = _WORD_BEFORE.search(line_before)
    inserted = (matched.group() if matched else "") + text
    first = inserted.strip().partition("\n")[0]
    return types.CompletionItem(
        label=first if first == inserted.strip() else f"{first} …",
        kind=types.CompletionItemKind.Text,
        detail="aigc-lsp",
        documentation=types.MarkupContent(types.MarkupKind.PlainText, inserted) if "\n" in inserted else None,
        insert_text=inserted,
        insert_text_format=types.InsertTextFormat.PlainText,
        filter_text=inserted.strip(),
        sort_text="\x1f",  # before any other server's
    )
