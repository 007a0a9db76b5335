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
        if found is not None and found.alone:
            document = server.session.documents[params.text_document.uri]
            line = positions.offset_at(document.text, params.position.line, 0, server.session.encoding)
            command = server.events.shown(document, found.offset, found.alone, 0, found.confidence)
            items = [_item(document.text.source[line : found.offset], found.alone, command, server)]
        return types.CompletionList(is_incomplete=True, items=items)


def _item(line_before: str, text: str, command: types.Command, server: Server) -> types.CompletionItem:
    """A plain item that begins with the word already typed.

    No text edit: eglot's previews and Neovim's menu then replace that word by `insertText` (see protocol.md).
    """
    matched = _WORD_BEFORE.search(line_before)
    inserted = (matched.group() if matched else "") + text
    first = inserted.strip().partition("\n")[0]
    if _menu_indents(server):
        inserted = inserted.replace("\n" + line_before[: len(line_before) - len(line_before.lstrip())], "\n")
    return types.CompletionItem(
        label=first if first == inserted.strip() else f"{first} …",
        kind=types.CompletionItemKind.Text,
        detail="aigc-lsp",
        documentation=types.MarkupContent(types.MarkupKind.PlainText, inserted) if "\n" in inserted else None,
        insert_text=inserted,
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs if _knows_as_is(server.client_capabilities) else None,
        filter_text=inserted.strip(),
        sort_text="\x1f",  # before any other server's
        command=command,
    )


def _menu_indents(server: Server) -> bool:
    """Neovim's menu indents the later lines like the first, whatever it is told (seen in 0.11.4 and 0.12.4)."""
    client = server.client_info
    return client is not None and client.name == "Neovim"


def _knows_as_is(capabilities: types.ClientCapabilities) -> bool:
    item = capabilities.text_document and capabilities.text_document.completion
    support = item.completion_item.insert_text_mode_support if item and item.completion_item else None
    return support is not None and types.InsertTextMode.AsIs in support.value_set
