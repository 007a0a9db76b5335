"""pygls' protocol with the edges that a real client can hit closed.

- Documents (`session`) and folders (`workspace`) are ours: pygls splits lines in its own way, and quotes URIs.
- Every request gets a reply: malformed ones InvalidParams, early ones ServerNotInitialized, late ones InvalidRequest.
- What goes wrong is logged by kind only: a message may hold source text.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import RPCMessage, RPCRequest
from pygls.protocol.language_server import lsp_method

log = logging.getLogger(__name__)

Handled = Generator[Any, Any, None]


class Protocol(LanguageServerProtocol):
    _is_asked_to_shut_down = False

    @property
    def was_shut_down(self) -> bool:
        return self._shutdown

    @property
    def is_shutting_down(self) -> bool:
        return self._is_asked_to_shut_down and not self._shutdown

    @property
    def is_initialized(self) -> bool:
        return self._workspace is not None

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A malformed request is answered here, since pygls only tells the user's window about it."""
        if "id" in data and isinstance(data.get("method"), str) and self.get_message_type(data["method"]) is None:
            data.setdefault("params", None)  # of a method that nobody knows pygls wants parameters
        try:
            return super().structure_message(data)
        except JsonRpcException:
            if isinstance(data, dict) and "id" in data and "method" in data:
                error = JsonRpcInvalidParams(f"The parameters of {data['method']} are malformed.")
                self._send_response(data["id"], error=error.to_response_error())
            else:
                log.warning("ignored a malformed notification")
            return _Ignored

    def handle_message(self, message: RPCMessage) -> None:
        if message is _Ignored:
            return
        if isinstance(message, RPCRequest):
            refusal = self._refusal(message.method)
            if refusal is not None:
                self._send_response(message.id, error=refusal.to_response_error())
                return
            self._is_asked_to_shut_down |= message.method == types.SHUTDOWN
        elif not self.is_initialized and getattr(message, "method", types.EXIT) != types.EXIT:
            return  # the specification: notifications before initialize are dropped
        super().handle_message(message)

    def _refusal(self, method: str) -> JsonRpcException | None:
        if self._shutdown:
            return JsonRpcInvalidRequest("The server is shutting down.")
        if not self.is_initialized and method != types.INITIALIZE:
            return JsonRpcServerNotInitialized("Send initialize first.")
        if self.is_initialized and method == types.INITIALIZE:
            return JsonRpcInvalidRequest("The server is initialized already.")
        return None

    def _run_generator(self, future: Any, *, gen: Handled, result_future: Any) -> None:
        """A handler inside one of pygls' own may be cancelled: all are when the process ends. That is no error."""
        if future is not None and future.cancelled():
            gen.close()
            result_future.cancel()
            return
        super()._run_generator(future, gen=gen, result_future=result_future)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Handled:
        yield from self._ours(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Handled:
        yield from self._ours(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Handled:
        yield from self._ours(types.TEXT_DOCUMENT_DID_CLOSE, params)

    @lsp_method(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def lsp_workspace__did_change_workspace_folders(self, params: types.DidChangeWorkspaceFoldersParams) -> Handled:
        yield from self._ours(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, params)

    def _ours(self, method: str, params: Any) -> Handled:
        if (handler := self.fm.features.get(method)) is not None:
            yield handler, (params,), None


_Ignored: Any = object()
"""Stands for a message that was dealt with while it was read."""
