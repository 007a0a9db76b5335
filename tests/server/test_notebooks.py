"""Notebooks: messages as clients send them, and what a cell knows of the others."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import pytest_asyncio
from conftest import Bench
from harness import replacement
from lsprotocol import converters, types

from aigc_lsp.server.notebooks import Notebooks
from aigc_lsp.server.session import Session

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOTEBOOK = "file:///workspace/a%20b.ipynb"
PATH = "/workspace/a b.ipynb"
OPEN, CHANGE, SAVE, CLOSE = (f"notebookDocument/did{what}" for what in ("Open", "Change", "Save", "Close"))

# As VS Code 1.100 with its Jupyter extension has it.
METADATA = {
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "codemirror_mode": {"name": "ipython", "version": 3}, "version": "3.11"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


@dataclass(frozen=True)
class Cell:
    """A cell in an editor."""

    uri: str
    text: str
    language: str = "python"
    kind: int = 2
    version: int = 1

    @property
    def wire(self) -> dict[str, Any]:
        more = {"metadata": {"id": self.uri[-4:], "tags": []}, "executionSummary": {"executionOrder": 3}}
        return {"kind": self.kind, "document": self.uri} | (more if self.kind == 2 else {})

    @property
    def item(self) -> dict[str, Any]:
        return {"uri": self.uri, "languageId": self.language, "version": self.version, "text": self.text}


def cells(*texts: str | Cell, notebook: str = NOTEBOOK) -> list[Cell]:
    """Cells in order; a text is a Python cell's."""
    path = notebook.removeprefix("file://")
    return [
        replace(text, uri=f"vscode-notebook-cell:{path}#W{n}sZmlsZQ%3D%3D")
        if isinstance(text, Cell)
        else Cell(f"vscode-notebook-cell:{path}#W{n}sZmlsZQ%3D%3D", text)
        for n, text in enumerate(texts)
    ]


def prose(text: str) -> Cell:
    return Cell("", text, "markdown", kind=1)


def opened(order: Sequence[Cell], notebook: str = NOTEBOOK) -> dict[str, Any]:
    document = {"uri": notebook, "notebookType": "jupyter-notebook", "version": 0, "metadata": METADATA}
    return {
        "notebookDocument": document | {"cells": [cell.wire for cell in order]},
        "cellTextDocuments": [cell.item for cell in order],
    }


def changed(change: dict[str, Any], notebook: str = NOTEBOOK, version: int = 1) -> dict[str, Any]:
    return {"notebookDocument": {"uri": notebook, "version": version}, "change": change}


def spliced(
    start: int, delete: int, new: Sequence[Cell] = (), opens: Sequence[Cell] = (), closes: Sequence[Cell] = ()
) -> dict[str, Any]:
    array = {"start": start, "deleteCount": delete} | ({"cells": [cell.wire for cell in new]} if new else {})
    closed = [{"uri": cell.uri} for cell in closes]
    return {"cells": {"structure": {"array": array, "didOpen": [cell.item for cell in opens], "didClose": closed}}}


def typed(*texts: tuple[Cell, dict[str, Any]]) -> dict[str, Any]:
    contents = [{"document": {"uri": cell.uri, "version": 2}, "changes": [change]} for cell, change in texts]
    return {"cells": {"textContent": contents}}


def closed(order: Sequence[Cell], notebook: str = NOTEBOOK) -> dict[str, Any]:
    return {"notebookDocument": {"uri": notebook}, "cellTextDocuments": [{"uri": cell.uri} for cell in order]}


@dataclass
class Receiver:
    """Notebooks and their session, given what came on the wire."""

    session: Session = field(default_factory=Session)
    notebooks: Notebooks = field(init=False)

    def __post_init__(self) -> None:
        self.notebooks = Notebooks(self.session)
        self._converter = converters.get_converter()

    def take(self, method: str, wire: dict[str, Any]) -> None:
        params = self._converter.structure(wire, types.METHOD_TO_TYPES[method][2])
        if method == OPEN:
            self.notebooks.open(params.notebook_document, params.cell_text_documents)
        elif method == CHANGE:
            self.notebooks.change(params.notebook_document.uri, params.change.cells)
        else:
            self.notebooks.close(params.notebook_document.uri, params.cell_text_documents)

    def around(self, cell: Cell) -> tuple[str, str]:
        document = self.notebooks.among_cells(self.session.documents[cell.uri])
        return document.above, document.below


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


# What is known of a notebook


async def test_cells_are_documents_of_the_session(receiver: Receiver) -> None:
    order = cells("import os\n", prose("# Title"), "os.", Cell("", "const x = 1", "javascript"))
    receiver.take(OPEN, opened(order))
    documents = receiver.session.documents
    assert list(documents) == [cell.uri for cell in order]
    for cell in order:
        document = documents[cell.uri]
        assert (document.text.source, document.language, document.path) == (cell.text, cell.language, PATH)
        assert (document.tree is None) == (cell.language == "markdown")
    assert receiver.around(order[0]) == ("", "\nos.")
    assert receiver.around(order[2]) == ("import os\n\n# # Title\n", "")
    assert receiver.around(order[3]) == ("// # Title\n", "")
    receiver.take(CLOSE, closed(order))
    assert documents == {}


async def test_documents_that_are_no_cells_stay_as_they_are(receiver: Receiver) -> None:
    receiver.take(OPEN, opened(cells("import os\n", "x")))
    receiver.session.open(types.TextDocumentItem("file:///workspace/a.py", "python", 1, "x"))
    document = receiver.session.documents["file:///workspace/a.py"]
    assert receiver.notebooks.among_cells(document) is document


async def test_the_document_of_a_cell_itself_does_not_change(receiver: Receiver) -> None:
    """What was published is what a finished completion is compared with."""
    order = cells("import os\n", "x")
    receiver.take(OPEN, opened(order))
    document = receiver.session.documents[order[1].uri]
    assert receiver.notebooks.among_cells(document).above
    assert document.above == ""
    assert receiver.session.documents[order[1].uri] is document


async def test_a_cell_that_ipython_hands_to_another_language_is_in_that(receiver: Receiver) -> None:
    order = cells("import os\n", "%%bash\nROOT=/srv\n", "%%sh\nls ", "x")
    receiver.take(OPEN, opened(order))
    document = receiver.notebooks.among_cells(receiver.session.documents[order[2].uri])
    assert (document.language, document.tree, document.above, document.below) == (
        "shellscript",
        None,
        "%%bash\nROOT=/srv\n",
        "",
    )
    assert receiver.around(order[3]) == ("import os\n", "")


async def test_no_more_than_the_budget_is_taken(receiver: Receiver) -> None:
    receiver.session.set_layer("test", {"context": {"prefixTokens": 64, "suffixTokens": 0}})
    order = cells(*(f"name_{n} = {n}" for n in range(100)))
    receiver.take(OPEN, opened(order))
    above, below = receiver.around(order[50])
    assert above.startswith("name_32 = 32\n")  # 18 of 12 characters and two between them
    assert above.endswith("\nname_49 = 49\n")
    assert below == ""


async def test_two_notebooks_know_nothing_of_each_other(receiver: Receiver) -> None:
    other = "file:///workspace/other.ipynb"
    one, two = cells("one = 1", "x"), cells("two = 2", "y", notebook=other)
    receiver.take(OPEN, opened(one))
    receiver.take(OPEN, opened(two, other))
    assert (receiver.around(one[1]), receiver.around(two[1])) == (("one = 1\n", ""), ("two = 2\n", ""))
    receiver.take(CLOSE, closed(one))
    assert list(receiver.session.documents) == [cell.uri for cell in two]


# Changes


A, B, C, D = cells("a = 1", "b = 2", "c = 3", "d = 4")
NEW = Cell("vscode-notebook-cell:/workspace/a%20b.ipynb#X1", "new = 5")
JS = replace(B, language="javascript", text="b()")
AT_START = replacement((0, 0), (0, 1), "é")


@pytest.mark.parametrize(
    ("changes", "above", "below"),
    [
        pytest.param([spliced(1, 0, [NEW], opens=[NEW])], "a = 1\n\nnew = 5\n\nb = 2\n", "\nd = 4", id="inserted"),
        pytest.param([spliced(4, 0, [NEW], opens=[NEW])], "a = 1\n\nb = 2\n", "\nd = 4\n\nnew = 5", id="added"),
        pytest.param([spliced(0, 1, closes=[A])], "b = 2\n", "\nd = 4", id="deleted"),
        pytest.param([spliced(0, 2, [B, A])], "b = 2\n\na = 1\n", "\nd = 4", id="moved by one"),
        pytest.param([spliced(0, 4, [D, C, A, B])], "d = 4\n", "\na = 1\n\nb = 2", id="moved across"),
        pytest.param([spliced(0, 4, [D, C], closes=[A, B])], "d = 4\n", "", id="moved and deleted"),
        pytest.param([spliced(0, 2, [NEW], opens=[NEW], closes=[A, B])], "new = 5\n", "\nd = 4", id="replaced"),
        pytest.param(
            [spliced(1, 1, closes=[B]), spliced(1, 0, [JS], opens=[JS])], "a = 1\n", "\nd = 4", id="language changed"
        ),
        pytest.param(
            [spliced(1, 1, [JS], opens=[JS], closes=[B])], "a = 1\n", "\nd = 4", id="language changed at once"
        ),
        pytest.param([{"cells": {"data": [{**A.wire, "kind": 1}]}}], "a = 1\n\nb = 2\n", "\nd = 4", id="kind changed"),
        pytest.param([typed((A, AT_START), (D, AT_START))], "é = 1\n\nb = 2\n", "\né = 4", id="two texts changed"),
        pytest.param([typed((B, {"text": "%%html\n<p>"}))], "a = 1\n", "\nd = 4", id="text became another language"),
        pytest.param(
            [
                {
                    "metadata": METADATA,
                    "cells": {
                        **spliced(0, 1, [NEW], opens=[NEW], closes=[A])["cells"],
                        **typed((B, AT_START), (NEW, {"text": "newer"}))["cells"],
                        "data": [NEW.wire],
                    },
                }
            ],
            "newer\n\né = 2\n",
            "\nd = 4",
            id="all at once",
        ),
        pytest.param([{"metadata": METADATA}, {}, {"cells": {}}], "a = 1\n\nb = 2\n", "\nd = 4", id="nothing of ours"),
        pytest.param(
            [{"metadata": None, "cells": {"structure": None, "data": None, "textContent": None}}],
            "a = 1\n\nb = 2\n",
            "\nd = 4",
            id="nulls",
        ),
        # What no client should send.
        pytest.param([spliced(0, 1)], "b = 2\n", "\nd = 4", id="deleted and left open"),
        pytest.param([spliced(9, 5, [NEW], opens=[NEW])], "a = 1\n\nb = 2\n", "\nd = 4\n\nnew = 5", id="past the end"),
        pytest.param([spliced(3, 99)], "a = 1\n\nb = 2\n", "", id="more than there are"),
        pytest.param([spliced(1, 0, [NEW])], "a = 1\n\nb = 2\n", "\nd = 4", id="a cell without a text"),
        pytest.param([spliced(0, 0, opens=[NEW])], "a = 1\n\nb = 2\n", "\nd = 4", id="a text without a cell"),
        pytest.param([spliced(0, 0, closes=[B])], "a = 1\n", "\nd = 4", id="closed and left in"),
        pytest.param([{"cells": {"data": [NEW.wire]}}], "a = 1\n\nb = 2\n", "\nd = 4", id="data of no cell"),
    ],
)
async def test_changes(receiver: Receiver, changes: list[dict[str, Any]], above: str, below: str) -> None:
    """Seen from the third of four cells."""
    receiver.take(OPEN, opened([A, B, C, D]))
    for number, change in enumerate(changes):
        receiver.take(CHANGE, changed(change, version=5 - number))  # versions say nothing
    assert receiver.around(C) == (above, below)


async def test_no_text_outlives_its_notebook(receiver: Receiver) -> None:
    documents = receiver.session.documents
    receiver.take(OPEN, opened([A, B, C, D]))
    receiver.take(CHANGE, changed(spliced(0, 1)))  # A is not said to be closed
    assert list(documents) == [B.uri, C.uri, D.uri]
    receiver.take(CHANGE, changed(spliced(0, 0, opens=[NEW])))  # which is no cell
    receiver.take(CLOSE, closed([NEW]))
    assert documents == {}


async def test_a_kind_that_changed_back_and_forth(receiver: Receiver) -> None:
    receiver.take(OPEN, opened(cells(replace(prose("b = 2"), kind=2), "x")))
    note, own = cells(prose("b = 2"), "x")
    assert receiver.around(own) == ("", "")  # markdown that runs
    receiver.take(CHANGE, changed({"cells": {"data": [note.wire]}}))
    assert receiver.around(own) == ("# b = 2\n", "")


async def test_what_is_unknown_is_ignored_with_a_warning(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.take(CHANGE, changed(spliced(0, 0, [A], opens=[A])))
    receiver.take(CLOSE, closed([A]))
    assert receiver.session.documents == {}
    receiver.take(OPEN, opened([A, B]))
    receiver.take(CHANGE, changed(typed((C, AT_START), (A, AT_START))))
    assert receiver.around(B) == ("é = 1\n", "")
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, "ignored a change of a notebook that was never opened"),
        (logging.WARNING, "ignored a change of a cell that was never opened"),
    ]


async def test_opened_twice_is_the_second(receiver: Receiver) -> None:
    receiver.take(OPEN, opened([A, B, C]))
    receiver.take(OPEN, opened([D, replace(B, text="later")]))
    assert list(receiver.session.documents) == [D.uri, B.uri]
    assert receiver.around(D) == ("", "\nlater")


async def test_a_cell_closed_as_a_text_document_is_left_out(receiver: Receiver) -> None:
    receiver.take(OPEN, opened([A, B, C]))
    receiver.session.close(A.uri)
    assert receiver.around(C) == ("b = 2\n", "")
    receiver.take(CHANGE, changed(spliced(0, 3, [C], closes=[A, B])))
    assert receiver.around(C) == ("", "")


class Editor:
    """A notebook in VS Code: it says what changed as vscode-languageclient does, by one splice of the cells."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.made = 0
        self.cells = [self.new() for _ in range(3)]

    def new(self) -> Cell:
        self.made += 1
        return Cell(f"vscode-notebook-cell:/workspace/a%20b.ipynb#R{self.made}", f"cell_{self.made}()")

    def restructure(self) -> dict[str, Any]:
        before, after = self.cells, list(self.cells)
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            what = self.chance.choice(("insert", "delete", "move"))
            if what == "insert" or not after:
                after.insert(self.chance.randint(0, len(after)), self.new())
            else:
                cell = after.pop(self.chance.randrange(len(after)))
                if what == "move":
                    after.insert(self.chance.randint(0, len(after)), cell)
        self.cells = after
        start = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a is not b), None)
        start = min(len(before), len(after)) if start is None else start
        shorter, end = min(len(before), len(after)) - start, 0
        while end < shorter and before[-1 - end] is after[-1 - end]:
            end += 1
        deleted, new = before[start : len(before) - end], after[start : len(after) - end]
        opens = [cell for cell in new if cell not in deleted]
        return spliced(start, len(deleted), new, opens, [cell for cell in deleted if cell not in new])

    def type(self) -> dict[str, Any]:
        """In several cells at once, as when a name is replaced everywhere."""
        contents = []
        for at in self.chance.sample(range(len(self.cells)), min(len(self.cells), 2)):
            contents.append((self.cells[at], replacement((0, 0), (0, 0), "😀")))
            self.cells[at] = replace(self.cells[at], text="😀" + self.cells[at].text)
        return typed(*contents)


async def test_random_changes() -> None:
    for seed in range(60):
        chance, receiver = random.Random(seed), Receiver()
        editor = Editor(chance)
        receiver.take(OPEN, opened(editor.cells))
        for _ in range(25):
            receiver.take(CHANGE, changed(chance.choice((editor.restructure, editor.type))()))
            assert set(receiver.session.documents) == {cell.uri for cell in editor.cells}, f"seed {seed}"
            for at in range(len(editor.cells)):
                above = "\n\n".join(cell.text for cell in editor.cells[:at])
                below = "\n\n".join(cell.text for cell in editor.cells[at + 1 :])
                expected = (above and above + "\n", below and "\n" + below)
                assert receiver.around(editor.cells[at]) == expected, f"seed {seed}"


# A whole session


@dataclass
class Book:
    """A notebook in an editor on a language server."""

    bench: Bench
    order: list[Cell]

    @property
    def asked(self) -> dict[str, Any]:
        return self.bench.engine.asked[-1].body

    async def ghost(self, at: int, line: int, character: int) -> list[str]:
        return await self.bench.client.ghost(self.order[at].uri, line, character)

    def change(self, change: dict[str, Any]) -> None:
        self.bench.client.notify(CHANGE, changed(change))


@pytest_asyncio.fixture(loop_scope="session")
async def book(bench: Bench) -> Any:
    found = Book(bench, cells("import os\n", prose("Where we are."), "def here():\n    ", "print(here())\n"))
    bench.client.notify(OPEN, opened(found.order))
    bench.engine.says("return os.getcwd()")
    yield found
    bench.client.notify(CLOSE, closed(found.order))


async def test_all_notebooks_are_asked_for(editors: Callable[[str], Any]) -> None:
    vscode, neovim = await editors("vscode"), await editors("neovim-0.12")
    assert vscode.client.capabilities["notebookDocumentSync"] == {"notebookSelector": [{"notebook": "*"}]}
    assert "notebookDocumentSync" not in neovim.client.capabilities


async def test_a_cell_is_completed_among_the_others(book: Book) -> None:
    assert await book.ghost(2, 1, 4) == ["return os.getcwd()"]
    assert book.asked["input_prefix"] == "import os\n\n# Where we are.\n\ndef here():\n    "
    assert book.asked["input_suffix"].strip("\n") == "print(here())"
    assert book.asked["document"] == book.order[2].uri


async def test_a_session_with_a_notebook(book: Book) -> None:
    client = book.bench.client
    new = Cell("vscode-notebook-cell:/workspace/a%20b.ipynb#X9", "ROOT = '/'")
    book.change(spliced(0, 1, [new], opens=[new], closes=book.order[:1]))
    book.change(typed((book.order[2], replacement((1, 4), (1, 4), "x = 1\n    "))))
    assert await book.ghost(2, 2, 4) == ["return os.getcwd()"]
    assert book.asked["input_prefix"] == "ROOT = '/'\n\n# Where we are.\n\ndef here():\n    x = 1\n    "
    assert await book.ghost(0, 0, 0) == []  # deleted
    client.notify(SAVE, {"notebookDocument": {"uri": NOTEBOOK}})
    client.notify(CLOSE, closed(book.order))
    assert await book.ghost(2, 2, 4) == []
    client.notify(OPEN, opened(book.order))
    assert await book.ghost(2, 1, 4) == ["return os.getcwd()"]
    assert book.asked["input_prefix"].startswith("import os\n")


async def test_no_message_of_a_notebook_ends_the_session(book: Book) -> None:
    client = book.bench.client
    for method in (OPEN, CHANGE, SAVE, CLOSE):
        for params in ({}, {"notebookDocument": 7}, {"notebookDocument": {"uri": "x"}}, [], None):
            client.notify(method, params)
    client.notify(CHANGE, changed(spliced(0, 1), "file:///workspace/unknown.ipynb"))
    client.notify(CLOSE, closed([], "file:///workspace/unknown.ipynb"))
    book.change({"cells": {"structure": {"array": {"start": -5, "deleteCount": -1}}}})
    assert await book.ghost(2, 1, 4) == ["return os.getcwd()"]
    assert book.asked["input_prefix"].startswith("import os\n")


# Embedded code


@pytest.mark.parametrize(
    ("uri", "language", "text", "position"),
    [
        # A cell by a client that knows nothing of notebooks.
        ("vscode-notebook-cell:/workspace/plain.ipynb#W2sZmlsZQ%3D%3D", "python", "def f():\n    ", (1, 4)),
        ("vscode-interactive-input:/InteractiveInput-1", "python", "def f():\n    ", (1, 4)),
        # A script in HTML, by a client that makes virtual documents: what is no script is blank there.
        (
            "embedded-content://javascript/file%3A%2F%2F%2Fa.html.js",
            "javascript",
            "        \n  function f() {\n    ",
            (2, 4),
        ),
    ],
)
async def test_embedded_code_is_served_as_its_own_language(
    bench: Bench, uri: str, language: str, text: str, position: tuple[int, int]
) -> None:
    bench.client.open(uri, text, language)
    bench.engine.says("return 1")
    assert await bench.client.ghost(uri, *position) == ["return 1"]
    assert bench.engine.asked[-1].body["input_prefix"] == text
    session = Session()
    session.open(types.TextDocumentItem(uri, language, 1, text))
    tree = session.documents[uri].tree
    assert tree is not None
    assert tree.place(len(text)).scope == (("f", "function"),)
