"""`aigc-lsp editors install`: puts our part of an editor where that editor looks for it.

`steps(editor)` says what would be done, as lines for people; `install(editor)` does it, and gives back what is left for
the user. Only the user's own folders are written to, and no file of settings is touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from aigc_lsp.errors import AigcError

EDITORS = ("vscode", "neovim", "emacs")

VSIX = "aigc-lsp.vsix"


def install(editor: str) -> list[str]:
    """Raises `AigcError` where it cannot be done; nothing is half done then."""
    if editor == "vscode":
        return _vscode()
    target = place(editor)
    _copy(shipped(editor), target)
    if editor == "neovim":
        _help_tags(target)
    return [f"{target} is in place.", *_after(editor, target)]


def steps(editor: str) -> list[str]:
    if editor == "vscode":
        return _vscode_steps()
    target = place(editor)
    return [f"Copy {shipped(editor)} to {target}.", *_after(editor, target)]


def shipped(editor: str) -> Path:
    """An installed wheel has `aigc_lsp/editors`, a checkout `editors` beside the package."""
    package = Path(__file__).resolve().parent
    for folder in (package / "editors" / editor, package.parent / "editors" / editor):
        if folder.is_dir():
            return folder
    raise AigcError(f"This installation has no files for {editor}. Install aigc-lsp again.")


def place(editor: str) -> Path:
    """Where the editor finds it by itself (Neovim), or is told to look (Emacs)."""
    if editor == "emacs":
        import platformdirs

        return platformdirs.user_data_path("aigc-lsp") / "emacs"
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "nvim-data"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "nvim"
    return data / "site" / "pack" / "aigc" / "start" / "aigc.nvim"


def _after(editor: str, target: Path) -> list[str]:
    if editor == "neovim":
        return [
            "In your init.lua:",
            "    require('aigc').setup()",
            "Then `:checkhealth aigc`; `:help aigc` has the keys.",
        ]
    return [
        "In your init.el:",
        f'    (add-to-list \'load-path "{target}")',
        "    (require 'aigc)",
        "    (add-hook 'prog-mode-hook #'aigc-mode)",
    ]


def _copy(source: Path, target: Path) -> None:
    """The folder as it is in `source`, and nothing of an older one. A link is somebody's own arrangement."""
    if target.is_symlink():
        raise AigcError(f"{target} is a link; remove it first.")
    # Beside the folder that an editor loads everything from.
    aside = target.parent.parent
    fresh, old = aside / f".aigc-{target.name}.new", aside / f".aigc-{target.name}.old"
    for folder in (fresh, old):
        shutil.rmtree(folder, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, fresh, ignore=shutil.ignore_patterns("*.elc", "images"))
    if target.exists():
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _help_tags(target: Path) -> None:
    """Neovim finds `:help aigc` by these. Without Neovim on the PATH, its `:helptags ALL` makes them."""
    if nvim := shutil.which("nvim"):
        command = [nvim, "--headless", "-u", "NONE", "-c", "execute 'helptags' fnameescape($AIGC_DOC)", "-c", "quit"]
        environ = os.environ | {"AIGC_DOC": str(target / "doc")}
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)


def _extension() -> Path | None:
    try:
        built = shipped("vscode") / VSIX
    except AigcError:  # a wheel has no part of it
        return None
    return built if built.is_file() else None


def _vscode() -> list[str]:
    extension = _extension()
    code = next(filter(None, map(shutil.which, ("code", "codium", "code-insiders", "code-server"))), None)
    if extension is None or code is None:
        return _vscode_steps()
    done = subprocess.run([code, "--install-extension", str(extension)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AigcError(f"{code} does not take the extension: {done.stderr.strip() or done.stdout.strip()}")
    return ["The extension is installed. Reload VS Code's windows."]


def _vscode_steps() -> list[str]:
    if extension := _extension():
        return ["code --install-extension " + str(extension)]
    return [
        "The extension is built once, with Node 20 or newer, from a checkout of aigc-lsp:",
        "    cd editors/vscode && npm ci && npm run package -- --out " + VSIX,
        "    code --install-extension " + VSIX,
    ]
