"""workspace/executeCommand: what an editor may have done. Each returns at once; work goes on beside it (`working`).

aigc.writeDocstring {uri, range, scope, version?}
    writes the docstrings that `range` means (`scope` one), those of the class there and what is in it (methods), or
    all that are missing or stale in the file (file)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from aigc_lsp.server.docstrings import Wanted, wanted_of, written
from aigc_lsp.server.edits import apply, told_of, workspace_edit
from aigc_lsp.server.plain import plain

if TYPE_CHECKING:
    from aigc_lsp.context.document import Document
    from aigc_lsp.server.app import Server
    from aigc_lsp.text import Edit

WRITE_DOCSTRING = "aigc.writeDocstring"

_TITLES = {"one": "Write docstring", "methods": "Write docstrings of the class", "file": "Write docstrings of the file"}


def register(server: Server) -> None:
    @server.command(WRITE_DOCSTRING)
    async def write_docstring(*arguments: Any) -> None:
        try:
            (given,) = arguments
            wanted = wanted_of(plain(given))
        except ValueError:
            raise JsonRpcInvalidParams(f"{WRITE_DOCSTRING} takes one {{uri, range, scope, version?}}.") from None
        server.errands.begin(_written(server, wanted))


async def _written(server: Server, wanted: Wanted) -> None:
    title = _TITLES[wanted.scope]

    async def put(document: Document, edits: tuple[Edit, ...]) -> None:
        await apply(server, workspace_edit(server, document, edits, title), title)
        await told_of(server, document)

    _, edits = await written(server, wanted, title, put)
    if not edits:
        server.errands.tell("There is no docstring to be written or updated here.", types.MessageType.Info)
