"""A real Neovim without a screen, driven as by hand: keys go in, and what it shows is asked of it."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from desk import Desk, at_rest, wait_for

# What stands in the buffer beside its text: for each virtual text its row, column and what is drawn there.
LOOK = """
function _G.seen(name)
  local spaces, seen = vim.api.nvim_get_namespaces(), {}
  for _, space in ipairs({ 'aigc', 'nvim.lsp.inline_completion' }) do
    if spaces[space] then
      for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, spaces[space], 0, -1, { details = true })) do
        local lines = { mark[4].virt_text or {} }
        vim.list_extend(lines, mark[4].virt_lines or {})
        local text = vim.tbl_map(function(chunks)
          return table.concat(vim.tbl_map(function(chunk) return chunk[1] end, chunks))
        end, lines)
        table.insert(seen, { row = mark[2], column = mark[3], text = table.concat(text, '\\n'), space = space })
      end
    end
  end
  return seen
end
"""


def install(desk: Desk, binary: Path) -> None:
    """As the README has it, into an empty home."""
    (desk.home / "bin" / "nvim").symlink_to(binary)
    done = desk.command("editors", "install", "neovim")
    assert done.returncode == 0, done.stderr


class Neovim:
    """One window. `setup` is what stands between the braces of `setup{}`."""

    def __init__(self, program: Path, desk: Desk, *files: Path, setup: str = "", init: str = "") -> None:
        self.desk, self._program = desk, program
        name = f"nvim-{time.monotonic_ns()}"
        self._socket = desk.home / f"{name}.s"
        self._look = desk.home / f"{name}.lua"
        self._look.write_text(LOOK)
        settings = desk.home / "config" / "nvim"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / "init.lua").write_text(f"require('aigc').setup({{{setup}}})\n{init}\n")
        command = [program, "--headless", "--listen", self._socket, "-S", self._look, *files]
        self.output = desk.home / f"{name}.out"
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [str(each) for each in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=desk.environment,
                cwd=desk.workspace,
            )
        wait_for("Neovim", self._socket.exists)
        wait_for("the language server", lambda: self.lua("#vim.lsp.get_clients({ name = 'aigc' })") == 1)

    # Talking to it

    def _remote(self, *arguments: str) -> str:
        command = [str(self._program), "--server", str(self._socket), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=self.desk.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def lua(self, expression: str) -> Any:
        """The value of a Lua expression."""
        code = f"vim.json.encode({{ {expression} }})"
        quoted = code.replace("'", "''")
        answer = json.loads(self._remote("--remote-expr", f"luaeval('{quoted}')"))
        return answer[0] if answer else None

    def keys(self, keys: str) -> None:
        """As typed, in Vim's notation: <Esc>, <Tab>, <lt>."""
        self._remote("--remote-send", keys)

    def command(self, command: str) -> None:
        self.lua(f"vim.cmd({json.dumps(command)})")

    # What is there

    def text(self) -> str:
        """The buffer's text, as it would be in its file."""
        return str(
            self.lua(
                "table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), vim.bo.ff == 'dos' and '\\r\\n' or '\\n')"
                " .. (vim.bo.eol and (vim.bo.ff == 'dos' and '\\r\\n' or '\\n') or '')"
            )
        )

    def line(self) -> str:
        return str(self.lua("vim.api.nvim_get_current_line()"))

    def column(self) -> int:
        return int(self.lua("vim.api.nvim_win_get_cursor(0)[2]"))

    def seen(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.lua("_G.seen()") or []
        return found

    def ghost(self) -> str:
        """The ghost text; empty where there is none. There is never more than one."""
        seen = self.seen()
        assert len(seen) <= 1, seen
        return str(seen[0]["text"]) if seen else ""

    def wait_for_ghost(self, what: str = "ghost text") -> str:
        return wait_for(what, self.ghost)

    def settled_ghost(self) -> str:
        """The ghost text once it stays as it is."""
        return at_rest("ghost text", self.ghost)

    def messages(self) -> str:
        return str(self.lua("vim.api.nvim_exec2('messages', { output = true }).output"))

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.lua("require('aigc').status()") or {}
        return found

    def wait_until_ready(self) -> None:
        self.desk.model_server()
        wait_for("a status that says so", lambda: self.status().get("kind") in ("Normal", "Inactive"))

    def quit(self) -> None:
        """As `:qa!`; it must end by itself."""
        if self.process.poll() is None:
            self.lua("vim.defer_fn(function() vim.cmd('qa!') end, 50) and nil")  # once it has answered us
            self.process.wait(20)
