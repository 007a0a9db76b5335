"""A real Emacs in a terminal that nobody sees: keys go in as from a keyboard, and Lisp asks what it shows."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from desk import REPOSITORY, Desk, at_rest, program, wait_for
from screen import Screen

COLUMNS, LINES = 100, 30
PACKAGE = REPOSITORY / "editors" / "emacs"

# What a user has beside our package. Emacs has TypeScript only with a grammar that Debian does not ship.
COMMON = """
(setq inhibit-startup-screen t make-backup-files nil auto-save-default nil create-lockfiles nil
      native-comp-jit-compilation nil ring-bell-function #'ignore frame-inhibit-implied-resize t)
(setq frame-background-mode 'dark)  ; as the pictures have it
(frame-set-background-mode nil)
(define-derived-mode typescript-mode js-mode "TypeScript")
(add-to-list 'auto-mode-alist '("\\\\.ts\\\\'" . typescript-mode))
"""

# As the README has them.
BESIDE = """
(add-hook 'prog-mode-hook #'aigc-mode)
"""
IN_EGLOT = """
(setq aigc-through-eglot t)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '((python-mode typescript-mode) . (aigc-eglot-server "aigc-lsp" "serve"))))
(add-hook 'prog-mode-hook #'eglot-ensure)
(add-hook 'prog-mode-hook #'aigc-mode)
"""
PLAIN_EGLOT = """
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '((python-mode typescript-mode) . ("aigc-lsp" "serve"))))
(add-hook 'prog-mode-hook #'eglot-ensure)
"""

LSP_MODE = """
(with-eval-after-load 'lsp-mode
  (setq lsp-inline-completion-idle-delay 0.2) ; it is two seconds otherwise
  (lsp-register-client
   (make-lsp-client :server-id 'aigc :add-on? t :multi-root t
                    :new-connection (lsp-stdio-connection '("aigc-lsp" "serve"))
                    :activation-fn (lambda (&rest _) (derived-mode-p 'prog-mode)))))
(add-hook 'prog-mode-hook #'lsp-deferred)
"""

TRANSPORTS = {"beside": BESIDE, "in Eglot": IN_EGLOT}
GHOST = """(mapconcat (lambda (overlay) (or (overlay-get overlay 'before-string) (overlay-get overlay 'display)))
                     (reverse aigc--overlays) "")"""


class Emacs:
    """One frame, with `init` as its init file and our package on its load path."""

    def __init__(self, desk: Desk, file: Path, init: str, *, package: bool = True) -> None:
        self.desk = desk
        self._client = program("emacs", "bin/emacsclient")
        self._socket = desk.home / f"emacs-{time.monotonic_ns()}"
        settings = desk.home / ".emacs.d"
        settings.mkdir(exist_ok=True)
        if package:
            shutil.copytree(PACKAGE, desk.home / "aigc", dirs_exist_ok=True)
            init = f"(add-to-list 'load-path \"{desk.home}/aigc\")\n(require 'aigc)\n{init}"
        start = f'(setq server-socket-dir "{desk.home}" server-name "{self._socket.name}")\n(server-start)\n'
        (settings / "init.el").write_text(";; -*- lexical-binding: t -*-\n" + COMMON + init + start)
        # Emacs insists on /dev/tty: who leads a session has the first terminal that it opens as its own.
        command = ["/bin/sh", "-c", 'exec "$@" <"$(tty)"', "sh", str(program("emacs", "bin/emacs")), "-nw", str(file)]
        self.screen = Screen(command, desk.environment, desk.workspace, COLUMNS, LINES)
        wait_for("Emacs", self._socket.exists)
        wait_for("the file", lambda: self.lisp("(buffer-file-name)"))

    # Talking to it

    def lisp(self, expression: str) -> Any:
        """The value of an expression in the buffer that is shown, as JSON has it."""
        code = (
            "(with-current-buffer (window-buffer) (base64-encode-string"
            f" (encode-coding-string (json-encode (vector {expression})) 'utf-8) t))"
        )
        done = subprocess.run(
            [str(self._client), "-s", str(self._socket), "--eval", code],
            capture_output=True,
            text=True,
            timeout=60,
            env=self.desk.environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(base64.b64decode(done.stdout.strip().strip('"')))[0]

    # What is there

    def text(self) -> str:
        return str(self.lisp("(buffer-substring-no-properties 1 (1+ (buffer-size)))"))

    def line(self) -> str:
        return str(self.lisp("(buffer-substring-no-properties (pos-bol) (pos-eol))"))

    def ghost(self) -> str:
        return str(self.lisp(GHOST))

    def settled_ghost(self) -> str:
        """The ghost text, once it stays as it is."""
        return at_rest("ghost text", self.ghost)

    def dismiss(self) -> None:
        """Type C-g until there is no ghost text: one that comes while Emacs still answers a question of the test's ends
        that answer, and is no command."""

        def gone() -> bool:
            self.screen.type("\x07")
            time.sleep(0.5)
            return not self.ghost()

        wait_for("no ghost text", gone)

    def messages(self) -> str:
        return str(self.lisp("(with-current-buffer (messages-buffer) (buffer-string))"))

    def status(self) -> dict[str, Any]:
        code = "(let ((server (aigc--server))) (or (and server (aigc--status server)) (make-hash-table)))"
        found: dict[str, Any] = self.lisp(code)
        return found

    def wait_until_ready(self) -> None:
        self.desk.model_server()
        wait_for("a status that says so", lambda: self.status().get("kind") in ("Normal", "Inactive"))

    def quit(self) -> None:
        """It must end by itself, and leave no language server behind."""
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.lisp("(progn (run-at-time 0 nil (lambda () (set-buffer-modified-p nil) (kill-emacs))) t)")
            wait_for("Emacs' end", lambda: not self._socket.exists())
        self.screen.close()
        for transcript in self.desk.transcripts():
            wait_for("the language server's end", lambda pid=transcript.path.stem: not Path(f"/proc/{pid}").exists())
