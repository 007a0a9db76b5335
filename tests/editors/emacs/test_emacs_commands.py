"""The commands beside ghost text, by their names as a user says them; and lsp-mode without our package."""

from __future__ import annotations

from desk import MODEL_PATIENCE, Desk, at_rest, program, wait_for
from emacs import BESIDE, LSP_MODE, Emacs
from samples import PYTHON

SHOWN = "(vconcat (mapcar (lambda (window) (buffer-name (window-buffer window))) (window-list)))"


def complete(emacs: Emacs, look: str = "") -> str:
    """Type the first line of `total`; the ghost text that comes, as the Lisp `look` or our own overlay has it."""
    emacs.lisp('(progn (goto-char 1) (search-forward "-> float:") t)')
    emacs.screen.type("\r")
    emacs.lisp("(progn (delete-region (pos-bol) (point)) t)")
    emacs.screen.type("        return sum(item.pr")
    ghost = at_rest("ghost text", lambda: str(emacs.lisp(look))) if look else emacs.settled_ghost()
    assert emacs.line() == "        return sum(item.pr"
    return ghost


WHY = """(when (get-buffer "*aigc-lsp why*") (with-current-buffer "*aigc-lsp why*" (buffer-string)))"""


def test_commands(desk: Desk, open_emacs) -> None:
    emacs = open_emacs(desk.file("cart.py", PYTHON), BESIDE)
    emacs.wait_until_ready()
    ghost = complete(emacs)
    emacs.screen.type("\x1bxaigc-status\r")
    wait_for("the status", lambda: "aigc-lsp: Normal." in emacs.messages())
    emacs.screen.type("\x1bxaigc-why\r")
    said = wait_for("why", lambda: emacs.lisp(WHY))
    assert ghost in said
    assert "came from" in said
    emacs.screen.type("\x1bxaigc-log\r")
    wait_for("the log", lambda: any("aigc-lsp" in name for name in emacs.lisp(SHOWN)))
    emacs.lisp("(progn (delete-other-windows) t)")

    emacs.screen.type("\x1bxaigc-restart\r")
    wait_for("another server", lambda: len(desk.transcripts()) == 2)
    wait_for("the old one to end", lambda: len(desk.left_behind()) == 1)
    emacs.wait_until_ready()
    emacs.screen.type("\x7fr")
    assert emacs.settled_ghost() == ghost
    for transcript in desk.transcripts():
        transcript.check()


def test_an_explanation_is_shown_in_another_window(desk: Desk, open_emacs) -> None:
    emacs = open_emacs(desk.file("cart.py", PYTHON), BESIDE)
    emacs.wait_until_ready()
    emacs.lisp('(progn (goto-char 1) (search-forward "def is_empty") (push-mark (pos-eol 2) t t) t)')
    emacs.screen.type("\x1bxaigc-actions\r")
    wait_for("the choice", lambda: "aigc-lsp:" in emacs.screen.text())
    emacs.screen.type("Explain\t\r")
    wait_for("it to be shown", lambda: "*aigc: Explanation*" in emacs.lisp(SHOWN), MODEL_PATIENCE)
    said = emacs.lisp('(with-current-buffer "*aigc: Explanation*" (buffer-string))')
    assert len(said) > 20
    assert emacs.lisp("(buffer-name (window-buffer (selected-window)))") == "cart.py"
    assert emacs.text() == PYTHON
    desk.transcript().check()


def test_lsp_mode_alone_has_ghost_text(desk: Desk, open_emacs) -> None:
    folders = sorted(program("emacs", "lsp-mode").iterdir())
    paths = "".join(f'(add-to-list \'load-path "{folder}")\n' for folder in folders)
    # What it would ask a person, and what it says of servers that are not here.
    quiet = "(setq lsp-auto-guess-root t lsp-enable-suggest-server-download nil lsp-warn-no-matched-clients nil)\n"
    emacs = open_emacs(
        desk.file("cart.py", PYTHON), paths + '(load "lsp-mode-autoloads" nil t)\n' + quiet + LSP_MODE, package=False
    )
    wait_for("lsp-mode", lambda: emacs.lisp("(and (bound-and-true-p lsp-inline-completion-mode) t)"))
    desk.model_server()
    overlay = "lsp-inline-completion--overlay"
    ghost = complete(emacs, f'(if {overlay} (overlay-get {overlay} \'after-string) "")')
    emacs.lisp("(progn (lsp-inline-completion-accept) t)")
    assert emacs.line().startswith("        return sum(item.pr" + ghost.partition("\n")[0])
    wait_for(
        "word of it",
        lambda: "aigc.accepted" in [c["command"] for c in desk.transcript().of("workspace/executeCommand")],
    )
    desk.transcript().check()
