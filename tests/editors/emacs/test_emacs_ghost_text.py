"""Ghost text in a real Emacs, with the real model: beside whatever serves the buffer, and run by Eglot.

`AIGC_LSP_PICTURES=FOLDER` keeps pictures of the screen.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from desk import Desk, wait_for
from emacs import BESIDE, PLAIN_EGLOT, TRANSPORTS, Emacs
from samples import CASES, PYTHON


def begin(emacs: Emacs, name: str) -> None:
    """Type the keys of the case, in the line below its header."""
    _, header, keys = CASES[name]
    emacs.wait_until_ready()
    emacs.lisp(f"(progn (goto-char 1) (search-forward {json.dumps(header)}) t)")
    emacs.screen.type("\r")
    emacs.lisp("(progn (delete-region (pos-bol) (point)) t)")
    emacs.screen.type(keys)
    wait_for("the keys", lambda: emacs.line().strip().startswith(keys.strip()))


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", CASES)
def test_it_is_seen_and_taken_in_parts(name: str, transport: str, desk: Desk, open_emacs) -> None:
    emacs = open_emacs(desk.file(name, CASES[name][0]), TRANSPORTS[transport])
    begin(emacs, name)
    keys, ghost = CASES[name][2], emacs.settled_ghost()
    wait_for("it on the screen", lambda: (keys + ghost.partition("\n")[0]).strip() in emacs.screen.text())

    if folder := os.environ.get("AIGC_LSP_PICTURES"):
        emacs.screen.picture(Path(folder) / f"emacs-{name}-{transport.replace(' ', '-')}.svg", "Emacs")

    emacs.screen.type(ghost[0])  # typed through: what is left goes on
    wait_for("the key", lambda: emacs.line().startswith(keys + ghost[0]))
    assert emacs.settled_ghost().startswith(ghost[1:2])
    emacs.screen.type("\x7f")
    wait_for("all of it again", lambda: emacs.ghost().startswith(ghost[:2]))

    begun = emacs.lisp("(point)")
    ghost = emacs.settled_ghost()
    emacs.screen.type("\x1bf")  # M-f
    wait_for("a word", lambda: emacs.lisp("(point)") > begun)
    word = emacs.lisp(f"(buffer-substring-no-properties {begun} (point))")
    assert ghost.startswith(word)
    assert len(word.split()) == 1
    if rest := emacs.settled_ghost() if word != ghost else "":
        point = emacs.lisp("(point)")
        emacs.screen.type("\t")
        wait_for("all of it", lambda: emacs.lisp("(point)") == point + len(rest))
        assert emacs.lisp(f"(buffer-substring-no-properties {point} (point))") == rest
    wait_for("the server to know", lambda: desk.server_text(desk.workspace / name) == emacs.text())

    told = desk.transcript()
    assert told.of("textDocument/didShowCompletion")
    if rest:
        assert told.of("textDocument/didPartiallyAcceptCompletion")[0]["acceptedLength"] == len(word)
        commands = told.of("workspace/executeCommand")
        wait_for("word of it", lambda: "aigc.accepted" in [said["command"] for said in commands])
    told.check()


def test_by_line_by_hand_the_next_one_and_none(desk: Desk, open_emacs) -> None:
    path = desk.file("cart.py", PYTHON)
    emacs = open_emacs(path, BESIDE)
    begin(emacs, "cart.py")
    ghost = emacs.settled_ghost()
    emacs.dismiss()
    before = emacs.text()

    emacs.screen.type("\x1bxaigc-complete\r")
    assert emacs.settled_ghost() == ghost
    choices = wait_for("several", lambda: emacs.lisp("(length (aigc--ghost-choices aigc--ghost))"))
    seen = []
    for _ in range(choices):
        seen.append(emacs.settled_ghost())
        emacs.screen.type("\x1bn")  # M-n
        wait_for("the next", lambda: emacs.ghost() != seen[-1] or choices == 1)
    assert len(set(seen)) == choices
    assert emacs.ghost() == ghost  # all the way round
    assert emacs.text() == before

    point = emacs.lisp("(point)")
    emacs.screen.type("\x05")  # C-e
    line = ghost.partition("\n")[0]
    wait_for("a line", lambda: emacs.lisp("(point)") == point + len(line))

    emacs.screen.type("\x1bxaigc-mode\r")
    wait_for("the mode to be off", lambda: emacs.lisp("(null aigc-mode)"))
    asked = len(desk.transcript().of("textDocument/inlineCompletion"))
    emacs.screen.type("\r        return sum(item.")
    wait_for("the keys", lambda: emacs.line().endswith("return sum(item."))
    assert not emacs.ghost()
    assert len(desk.transcript().of("textDocument/inlineCompletion")) == asked
    assert desk.transcript().of("textDocument/didClose")
    desk.transcript().check()


def test_several_are_asked_for_where_one_is_known(desk: Desk, open_emacs) -> None:
    emacs = open_emacs(desk.file("cart.py", PYTHON), BESIDE)
    begin(emacs, "cart.py")
    emacs.settled_ghost()
    assert emacs.lisp("(length (aigc--ghost-choices aigc--ghost))") == 1

    def kinds() -> list[int]:
        return [asked["context"]["triggerKind"] for asked in desk.transcript().of("textDocument/inlineCompletion")]

    assert 1 not in kinds()
    emacs.screen.type("\x1bn")
    wait_for("others to be asked for", lambda: kinds()[-1] == 1)
    assert emacs.settled_ghost()
    desk.transcript().check()


def test_tab_indents_where_the_suggestion_would_indent(desk: Desk, open_emacs) -> None:
    emacs = open_emacs(desk.file("cart.py", "def double(x):\n"), BESIDE)
    suggestion = """(list (list "    return 2 * x" 0 nil))"""
    emacs.lisp(
        "(progn (goto-char (point-max)) (setq aigc--ghost (make-aigc--ghost :start (copy-marker (point)) :tail -1"
        f" :choices {suggestion})) (aigc--draw) t)"
    )
    assert emacs.ghost() == "    return 2 * x"
    assert emacs.lisp('(key-binding (kbd "TAB"))') == "indent-for-tab-command"
    emacs.lisp('(progn (insert "    ") (aigc--draw) t)')
    assert emacs.ghost() == "return 2 * x"
    assert emacs.lisp('(key-binding (kbd "TAB"))') == "aigc-accept"


def test_beside_another_server_of_eglot(desk: Desk, open_emacs) -> None:
    path = desk.file("cart.py", PYTHON)
    emacs = open_emacs(path, PLAIN_EGLOT + BESIDE)
    wait_for("Eglot", lambda: emacs.lisp("(eglot-managed-p)"))
    begin(emacs, "cart.py")
    ghost = emacs.settled_ghost()
    emacs.screen.type("\t")
    wait_for("it in the buffer", lambda: CASES["cart.py"][2] + ghost in emacs.text())
    emacs.lisp("(progn (eglot--signal-textDocument/didChange) (aigc--flush) t)")
    theirs, ours = desk.transcripts()
    for transcript in (theirs, ours):
        wait_for("the text", lambda transcript=transcript: emacs.text() in transcript.texts().values())
        transcript.check()
    assert [bool(each.of("textDocument/inlineCompletion")) for each in (theirs, ours)].count(True) == 1


def test_eglot_alone_has_it_in_its_completions(desk: Desk, open_emacs) -> None:
    path = desk.file("cart.py", PYTHON)
    emacs = open_emacs(path, PLAIN_EGLOT, package=False)
    wait_for("Eglot", lambda: emacs.lisp("(eglot-managed-p)"))
    emacs.desk.model_server()
    _, header, keys = CASES["cart.py"]
    emacs.lisp(f"(progn (goto-char 1) (search-forward {json.dumps(header)}) (insert {json.dumps(chr(10) + keys)}) t)")

    def completed() -> bool:
        emacs.screen.type("\x1b\t")  # C-M-i
        return bool(emacs.line() != keys)

    wait_for("a completion", completed, step=1)
    assert emacs.line().startswith(keys)
    assert desk.transcript().of("textDocument/completion")
    emacs.lisp("(progn (eglot--signal-textDocument/didChange) t)")
    wait_for("the server to know", lambda: desk.server_text(path) == emacs.text())
    desk.transcript().check()
