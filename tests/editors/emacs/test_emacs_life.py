"""What goes on around ghost text: the model server's death, docstrings, storms of edits, and the package itself."""

from __future__ import annotations

import json
import random
import re
import subprocess

import pytest
from desk import MODEL_PATIENCE, Desk, program, wait_for
from emacs import BESIDE, IN_EGLOT, LSP_MODE, PACKAGE, PLAIN_EGLOT, TRANSPORTS
from samples import PYTHON


def test_a_killed_model_server_is_seen_and_comes_back(desk: Desk, open_emacs) -> None:
    emacs = open_emacs(desk.file("cart.py", PYTHON), BESIDE)
    emacs.wait_until_ready()
    killed = desk.kill_model_server()
    wait_for("the mode line to say so", lambda: " aigc?" in emacs.lisp("(substring-no-properties (aigc--lighter))"))
    emacs.lisp('(progn (goto-char 1) (search-forward "-> float:") t)')
    emacs.screen.type("\r        ")
    assert desk.model_server() != killed
    wait_for("the status", lambda: emacs.status().get("kind") == "Normal", MODEL_PATIENCE)
    emacs.screen.type("return sum(item.pr")
    assert emacs.settled_ghost()
    desk.transcript().check()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_docstring_is_written_while_one_goes_on(transport: str, desk: Desk, open_emacs) -> None:
    path = desk.file("cart.py", PYTHON)
    emacs = open_emacs(path, TRANSPORTS[transport])
    emacs.wait_until_ready()
    emacs.lisp('(progn (goto-char 1) (search-forward "def is_emp") t)')
    if transport == "beside":
        emacs.screen.type("\x1bxaigc-actions\r")
        wait_for("the choice", lambda: "aigc-lsp:" in emacs.screen.text())
        emacs.screen.type("Write docstring\r")
    else:
        emacs.screen.type("\x1bxaigc-write-docstring\r")
    assert emacs.text() == PYTHON  # Emacs answers, and has not waited
    wait_for("a docstring", lambda: re.search(r'bool:\n        """.+\n', emacs.text()), MODEL_PATIENCE)
    wait_for("the server to know", lambda: desk.server_text(path) == emacs.text())
    emacs.lisp("(progn (undo-boundary) (undo) t)")
    assert emacs.text() == PYTHON
    desk.transcript().check()


STORM = """
(let ((words %s))
  (dotimes (_ %d)
    (widen)
    ;; Not in Eglot: Emacs 30.1's track-changes.el fails in narrowed buffers by itself.
    (when (and (not aigc-through-eglot) (zerop (random 4)))
      (narrow-to-region (1+ (random (1+ (buffer-size)))) (1+ (random (1+ (buffer-size))))))
    (goto-char (+ (point-min) (random (1+ (- (point-max) (point-min))))))
    (let ((end (min (point-max) (+ (point) (random 30)))))
      (pcase (random 8)
        (0 (insert (elt words (random (length words)))))
        (1 (delete-region (point) end))
        (2 (upcase-region (point) end))
        (3 (newline))
        (4 (subst-char-in-region (point) end ?e ?E))
        (5 (ignore-errors (transpose-words 1)))
        (6 (undo-boundary) (ignore-errors (setq buffer-undo-list (primitive-undo 1 buffer-undo-list))))
        (7 (while (search-forward "self" end t) (replace-match "\\N{THUMBS UP SIGN}")))))
    (when (zerop (random 5)) (run-hooks 'post-command-hook) (aigc--flush)))
  (widen)
  (aigc--flush)
  t)
"""


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_server_has_the_same_text_after_a_storm(line_end: str, transport: str, desk: Desk, open_emacs) -> None:
    path = desk.file("storm.py", (PYTHON * 4).replace("\n", line_end))
    emacs = open_emacs(path, TRANSPORTS[transport])
    wait_for("the server", lambda: emacs.lisp("(and (aigc--server) t)"))
    random.seed(7)
    words = ["x = 1\n", "😀", "👩\u200d👩\u200d👧 = 'é'", "(", '"""', "\tfoo\n\n", "naïve", "\u2028", "漢字\n"]
    for _ in range(10):
        random.shuffle(words)
        emacs.lisp(STORM % ("'" + "[" + " ".join(json.dumps(word, ensure_ascii=False) for word in words) + "]", 60))
        emacs.screen.type("e😀\r")
        emacs.lisp("(progn (aigc--flush) t)")
        wait_for("the same text", lambda: desk.server_text(path) == emacs.text())
    assert "😀" in emacs.text()
    wait_for("the last answer", lambda: not desk.transcript().problems())


def test_a_buffer_that_becomes_another(desk: Desk, open_emacs) -> None:
    """Its mode or its name changes, or it is cloned: no ghost stays behind, and the server knows what is there."""
    path = desk.file("cart.py", PYTHON)
    emacs = open_emacs(path, BESIDE)
    emacs.wait_until_ready()
    emacs.lisp('(progn (goto-char 1) (search-forward "-> float:") t)')
    emacs.screen.type("\r        return sum(item.pr")
    assert emacs.settled_ghost()
    shown = "(length (seq-filter (lambda (each) (overlay-get each 'aigc)) (overlays-in 1 (1+ (buffer-size)))))"
    assert emacs.lisp(shown) > 0
    # A clone has none of it, both can be killed, and what is typed there is known.
    emacs.lisp("(progn (setq base (current-buffer) clone (clone-indirect-buffer nil nil)) t)")
    assert emacs.lisp(f"(with-current-buffer clone (list aigc-mode aigc--own {shown}))") == [None, None, 0]
    emacs.lisp('(with-current-buffer clone (goto-char 1) (insert "# above\\n") t)')
    emacs.lisp('(progn (goto-char (point-max)) (insert "# below\\n") (aigc--flush) t)')
    wait_for("the same text", lambda: desk.server_text(path) == emacs.text())
    assert emacs.lisp("(list (kill-buffer clone) (buffer-live-p clone))") == [True, None]
    emacs.lisp("(progn (normal-mode) t)")
    assert emacs.lisp(shown) == 0
    # Another name.
    other = path.with_name("other.py")
    emacs.lisp(f'(progn (write-file "{other}") t)')
    emacs.lisp('(progn (goto-char (point-max)) (insert "# more\\n") (aigc--flush) t)')
    wait_for("the same text by its new name", lambda: desk.server_text(other) == emacs.text())
    assert "rror" not in emacs.messages()
    desk.transcript().check()


def test_two_projects_have_a_log_each(desk: Desk, open_emacs) -> None:
    emacs = open_emacs(desk.file("one.py", PYTHON), BESIDE)
    wait_for("its server", lambda: emacs.lisp("(and (aigc--server) t)"))
    elsewhere = desk.home / "elsewhere"
    (elsewhere / ".git").mkdir(parents=True)
    (elsewhere / "two.py").write_text(PYTHON)
    emacs.lisp(f'(progn (setq one (current-buffer)) (find-file "{elsewhere}/two.py") t)')
    wait_for("its server", lambda: emacs.lisp("(and (aigc--server) t)"))
    logs = "(mapcar (lambda (each) (buffer-name (jsonrpc-stderr-buffer each))) aigc--servers)"
    found = emacs.lisp(logs)
    assert len(set(found)) == 2
    assert None not in found


def test_a_missing_program_is_a_message_and_breaks_nothing(desk: Desk, open_emacs) -> None:
    missing = """(setq aigc-command '("no-such-program"))"""
    emacs = open_emacs(
        desk.file("cart.py", PYTHON), f"{missing}{BESIDE}(add-hook 'python-mode-hook (lambda () (setq behind t)))\n"
    )
    assert "aigc-lsp: " in emacs.messages()
    assert "no-such-program" in emacs.messages()
    assert "File mode specification error" not in emacs.messages()
    assert emacs.lisp("(bound-and-true-p behind)")


def batch(desk: Desk, *arguments: str) -> str:
    """What an Emacs without a screen says."""
    command = [str(program("emacs", "bin/emacs")), "--batch", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=desk.environment, timeout=120, check=False)
    said = [line for line in f"{done.stdout}\n{done.stderr}".strip().splitlines() if "Lisp directory" not in line]
    assert done.returncode == 0, said
    return "\n".join(said)


def test_the_package_installs_and_compiles_without_a_word(desk: Desk) -> None:
    said = batch(desk, "--eval", f'(progn (require \'package) (package-install-file "{PACKAGE}"))')
    assert "aigc.el..." in said
    assert not re.search(r"aigc(-server)?\.el:\d.*", said)  # package.el itself warns of the file that it has made
    loaded = batch(
        desk, "--eval", "(progn (package-initialize) (princ (list (autoloadp (symbol-function 'aigc-mode)))))"
    )
    assert "(t)" in loaded
    for file in PACKAGE.glob("*.el"):
        assert batch(desk, "--eval", f'(checkdoc-file "{file}")') == ""


def test_the_readme_says_what_is_tested() -> None:
    readme = (PACKAGE / "README.md").read_text()
    for snippet in (BESIDE, IN_EGLOT, PLAIN_EGLOT, LSP_MODE):
        assert snippet.replace("python-mode typescript-mode", "python-mode python-ts-mode").strip() in readme
