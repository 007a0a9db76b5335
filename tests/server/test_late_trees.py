"""A key that needs no tree makes none; who looks at a document finds the tree of its text."""

from __future__ import annotations

import pytest
from lsprotocol import types

from aigc_lsp.server.session import Session
from aigc_lsp.syntax import Tree, parse
from aigc_lsp.text import Text

URI = "file:///f.py"


@pytest.fixture
def session() -> Session:
    found = Session()
    found.open(types.TextDocumentItem(URI, "python", 1, "x = 1\n"))
    return found


def insert(session: Session, version: int, character: int, text: str) -> None:
    here = types.Position(0, character)
    change = types.TextDocumentContentChangePartial(range=types.Range(here, here), text=text)
    session.change(URI, version, [change])


def test_edits_wait_until_somebody_looks(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = Tree.edit
    monkeypatch.setattr(Tree, "edit", lambda tree, edits, *rest: made.append(len(edits)) or real(tree, edits, *rest))
    for number, key in enumerate(" + f(2)"):
        insert(session, 2 + number, 5 + number, key)
    document = session.documents[URI]
    assert (document.text.source, document.tree, made) == ("x = 1 + f(2)\n", None, [])
    assert session.has_tree(document)
    parsed = session.parsed(URI)
    assert parsed is not None
    assert parsed.tree is not None
    anew = parse("python", Text("x = 1 + f(2)\n"))
    assert anew is not None
    assert parsed.tree.sexp() == anew.sexp()
    assert made == [7]
    assert session.parsed(URI) is parsed is session.documents[URI]


def test_a_tree_that_came_from_elsewhere_is_not_edited_again(session: Session) -> None:
    insert(session, 2, 5, "2")
    document = session.documents[URI]
    tree = parse("python", document.text)
    assert tree is not None
    assert session.take_tree(document, tree) is session.parsed(URI)
    insert(session, 3, 6, "3")
    parsed = session.parsed(URI)
    assert parsed is not None
    assert parsed.tree is not None
    assert parsed.tree.text.source == "x = 123\n"


def test_what_has_no_tree_gets_none(session: Session) -> None:
    session.open(types.TextDocumentItem("file:///a.txt", "plaintext", 1, "x"))
    here = types.Position(0, 1)
    change = types.TextDocumentContentChangePartial(range=types.Range(here, here), text="y")
    session.change("file:///a.txt", 2, [change])
    document = session.documents["file:///a.txt"]
    assert not session.has_tree(document)
    assert session.parsed("file:///a.txt") is document
    assert session.parsed("file:///never") is None
