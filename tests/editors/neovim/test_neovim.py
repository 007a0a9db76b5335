"""The plugin in real Neovims, with the real server and the real model. What the model says is its own affair; what is
shown, taken and told is asserted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import REPOSITORY, Desk, wait_for
from nvim import Neovim

Window = Callable[..., Neovim]

SAMPLES = REPOSITORY / "tests" / "samples"
COUNT = "<Esc>:call search('def is_empty')<CR>O<Esc>0Di    def count(self) -> int:<CR>return sum(item.q"
COUNT_TS = "<Esc>:call search('isEmpty')<CR>O<Esc>0Di  count(): number {<CR>return this.items.re"
TYPED = "        return sum(item.q"


def sample(desk: Desk, name: str = "shop.py") -> Path:
    return desk.file(name, (SAMPLES / name).read_text())


def ready(window: Window, *files: Path, **more: str) -> Neovim:
    opened = window(*files, **more)
    opened.wait_until_ready()
    return opened


def agree(desk: Desk, opened: Neovim, path: Path) -> None:
    """The server has the text that the editor has."""
    wait_for("the same text on both sides", lambda: desk.server_text(path) == opened.text())


@pytest.mark.parametrize(
    ("name", "keys", "typed"), [("shop.py", COUNT, TYPED), ("cart.ts", COUNT_TS, "return this.items.re")]
)
def test_ghost_text_is_shown_and_taken(desk: Desk, window: Window, name: str, keys: str, typed: str) -> None:
    path = sample(desk, name)
    opened = ready(window, path)
    opened.command("setlocal undolevels=100")
    opened.keys(keys)
    ghost = opened.settled_ghost()
    before = opened.line()
    assert before.endswith(typed)
    opened.keys("<Tab>")
    wait_for("the line", lambda: opened.line() != before)
    assert opened.line() == before + ghost.split("\n")[0]
    assert opened.column() == len(before + ghost) or "\n" in ghost
    agree(desk, opened, path)
    wait_for("word of it", lambda: desk.transcript().of("workspace/executeCommand"))
    [told] = desk.transcript().of("workspace/executeCommand")
    assert told["command"] == "aigc.accepted"
    opened.keys("<Esc>u")  # by itself: what was typed stays
    wait_for("the undoing", lambda: opened.line() == before)
    assert opened.lua("vim.go.undolevels") == 1000  # of other buffers


@pytest.mark.parametrize("setup", ["builtin = true", "builtin = false"])
def test_a_word_a_line_and_the_rest(desk: Desk, window: Window, setup: str) -> None:
    path = sample(desk)
    opened = ready(window, path, setup=setup)
    opened.keys(COUNT)
    ghost = opened.settled_ghost()
    assert " " in ghost.strip(), "the model has another idea; find another place"
    opened.keys("<M-Right>")
    wait_for("a word", lambda: opened.line() != TYPED)
    word = opened.line().removeprefix(TYPED)
    assert ghost.startswith(word)
    assert 0 < len(word) < len(ghost)
    # The rest stands there at once, and still when the server has said it again.
    assert opened.ghost() == ghost.removeprefix(word)
    assert opened.settled_ghost() == ghost.removeprefix(word)
    [told] = desk.transcript().of("textDocument/didPartiallyAcceptCompletion")
    assert told["acceptedLength"] == len(word)
    assert told["item"]["insertText"].startswith(word)
    opened.keys("<M-Down>")
    wait_for("the line", lambda: opened.line() == TYPED + ghost.split("\n")[0])
    agree(desk, opened, path)


def test_typing_on_and_taking_at_once(desk: Desk, window: Window) -> None:
    """Keys that no answer has come for yet are not written twice (neovim#36529)."""
    path = sample(desk)
    opened = ready(window, path)
    opened.keys(COUNT)
    ghost = opened.settled_ghost()
    opened.keys(ghost[:3] + "<Tab>")
    wait_for("the line", lambda: opened.line() == TYPED + ghost.split("\n")[0])
    opened.keys("<Esc>")
    agree(desk, opened, path)


def test_choices(desk: Desk, window: Window) -> None:
    path = desk.file("names.py", "import os\nimport sys\n\n")
    opened = ready(window, path)
    opened.keys("Goprint(os.path.")
    first = opened.settled_ghost()
    opened.keys("<M-]>")
    second = wait_for("choices", lambda: next((g for g in [opened.ghost()] if "/" in g and g.endswith(")")), ""))
    assert not second.startswith(first + " (")
    opened.keys("<M-[>")
    wait_for("the first choice again", lambda: opened.ghost().startswith(first + " (1/"))
    assert [each["context"]["triggerKind"] for each in desk.transcript().of("textDocument/inlineCompletion")][-1] == 1
    opened.keys("<Tab>")
    wait_for("the line", lambda: opened.line() == "print(os.path." + first)


def test_dismissed_until_the_next_key(desk: Desk, window: Window) -> None:
    opened = ready(window, sample(desk))
    opened.keys(COUNT)
    ghost = opened.settled_ghost()
    opened.keys("<M-e>")
    wait_for("nothing", lambda: not opened.ghost())
    time.sleep(1)
    assert not opened.ghost()
    opened.keys(ghost[0])
    assert opened.wait_for_ghost() == ghost[1:]
    opened.keys("<Esc>")
    wait_for("nothing outside of insert mode", lambda: not opened.ghost())


def test_keys_are_what_they_were_where_nothing_is_shown(desk: Desk, window: Window) -> None:
    path = desk.file("plain.txt", "")
    opened = ready(
        window,
        path,
        init="vim.keymap.set('i', '<M-x>', 'never')",
        setup="settings = { enabled = false }, keys = { word = false }",
    )
    opened.keys("i<Tab>a")
    wait_for("a tab", lambda: opened.line() == "\ta")
    # Mapped by somebody else before: their mapping still comes to its turn.
    opened.lua("vim.keymap.set('i', '<C-l>', 'theirs')")
    opened.lua("require('aigc').setup({ keys = { accept = '<C-l>' } })")
    opened.keys("<C-l>")
    wait_for("the other mapping", lambda: opened.line() == "\tatheirs")


def test_keys_of_one_buffer_and_of_a_second_setup(desk: Desk, window: Window) -> None:
    path = desk.file("plain.txt", "")
    own = "vim.keymap.set('i', '<C-l>', 'theirs') vim.keymap.set('i', '<C-l>', 'of this buffer', { buffer = true })"
    opened = ready(window, path, init=own, setup="settings = { enabled = false }")
    for _ in range(2):
        opened.lua("require('aigc').setup({ keys = { accept = '<C-l>' } })")
    opened.command("enew")
    opened.keys("i<C-l>")
    wait_for("the mapping of all buffers", lambda: opened.line() == "theirs")


def test_tab_goes_on_in_a_snippet(desk: Desk, window: Window) -> None:
    opened = ready(window, desk.file("plain.txt", ""), setup="settings = { enabled = false }")
    opened.lua("(function() require('aigc').act = function() _G.acted = true return true end end)()")
    opened.keys("i")
    opened.lua("vim.snippet.expand('total($1, $2)$0')")
    opened.keys("a<Tab>b")
    wait_for("both places", lambda: opened.line() == "total(a, b)")
    assert opened.lua("_G.acted") is None
    opened.lua("vim.snippet.stop()")
    opened.keys("<Tab>")
    wait_for("our key", lambda: opened.lua("_G.acted"))


@pytest.mark.parametrize("setup", ["builtin = true", "builtin = false"])
def test_tab_behind_a_suggestion_that_was_passed_over(desk: Desk, window: Window, setup: str) -> None:
    """Neovim keeps it until the next answer; Tab indents all the same."""
    opened = ready(window, sample(desk), setup=setup)
    opened.keys(COUNT)
    opened.settled_ghost()
    opened.keys("<CR><Tab>")
    wait_for("more indentation", lambda: opened.line().isspace() and len(opened.line()) > len("        "))
    time.sleep(1)
    assert opened.line().isspace()


def test_a_docstring(desk: Desk, window: Window) -> None:
    path = desk.file("area.py", "def area(width: float, height: float) -> float:\n    return width * height\n")
    opened = ready(window, path)
    opened.command("Aigc docstring")
    wait_for("a docstring", lambda: '"""' in opened.text(), 60)
    code = opened.text()
    assert code.startswith('def area(width: float, height: float) -> float:\n    """')
    assert code.endswith('"""\n    return width * height\n')
    assert "width" in code.split('"""')[1]
    agree(desk, opened, path)
    opened.keys("u")
    wait_for("one step back", lambda: '"""' not in opened.text())


def test_an_explanation_beside_the_code(desk: Desk, window: Window) -> None:
    """In one window, however often; the cursor stays where it was, and `q` closes it."""
    opened = ready(window, sample(desk))
    here = opened.lua("vim.api.nvim_get_current_win()")
    for _ in range(2):
        shown = len(desk.transcript().of("aigc/show", "server"))
        opened.command("call search('def is_empty')")
        opened.keys("Vj")
        wait_for("the selection", lambda: opened.lua("vim.api.nvim_get_mode().mode") == "V")
        opened.lua(
            "vim.lsp.buf.code_action({ apply = true, filter = function(a) return a.title == 'Explain selection' end })"
        )
        wait_for("it", lambda shown=shown: len(desk.transcript().of("aigc/show", "server")) > shown, 60)
        said = desk.transcript().of("aigc/show", "server")[-1]["markdown"]
        lines = "vim.fn.getbufline('aigc://page', 1, '$')"
        wait_for("it to be shown", lambda said=said, lines=lines: opened.lua(lines) == said.split("\n"))
        assert opened.lua("vim.api.nvim_get_current_win()") == here
        assert len(opened.lua("vim.api.nvim_list_wins()")) == 2
        opened.keys("<Esc>")
    opened.keys("<C-w>lq")
    wait_for("it to be closed", lambda: opened.lua("vim.api.nvim_list_wins()") == [here])


def test_off_and_on(desk: Desk, window: Window) -> None:
    opened = ready(window, sample(desk))
    for command in ("Aigc toggle", "Aigc toggle language"):
        opened.command(command)
        opened.keys(COUNT)
        wait_for("its word that it is off", lambda: opened.status()["kind"] == "Inactive")
        assert opened.lua("require('aigc').statusline()") == "aigc -"
        time.sleep(1)
        assert not opened.ghost()
        opened.keys("<Esc>")
        opened.command(command)
        wait_for("its word that it is on", lambda: opened.status()["kind"] == "Normal")
        opened.keys("A")
        opened.wait_for_ghost()
        opened.keys("<Esc>:e!<CR>")


def test_the_model_server_is_killed(desk: Desk, window: Window) -> None:
    opened = ready(window, sample(desk))
    opened.keys(COUNT)
    ghost = opened.settled_ghost()
    killed = desk.kill_model_server()
    wait_for("its word", lambda: opened.status()["kind"] == "Warning")
    assert desk.model_server() != killed
    wait_for("its word that it is back", lambda: opened.status()["kind"] == "Normal")
    opened.keys(f"<Esc>A{ghost[0]}")
    assert opened.wait_for_ghost() == ghost[1:]
    said = [status["kind"] for status in desk.transcript().of("aigc/status", "server")]
    assert said.count("Error") == 0


def test_two_windows_share_a_model_server(desk: Desk, window: Window) -> None:
    windows = [ready(window, sample(desk)), ready(window, sample(desk, "cart.ts"))]
    for opened, keys in zip(windows, (COUNT, COUNT_TS), strict=True):
        opened.keys(keys)
        assert opened.settled_ghost()
    assert len(desk.transcripts()) == 2
    assert desk.health()["clients"] == 2


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_same_text_after_a_storm(desk: Desk, window: Window, ending: str) -> None:
    path = desk.file("storm.py", ending.join(["# 🦊 début", "def f(x):", "    return '🌩️' + x", "", "ẞ = f('é')", ""]))
    opened = ready(window, path)
    chance = random.Random(path.name + ending)
    texts = ("x", "🦊", "é", "𝒳y", "(", "<CR>", "'👩‍👩‍👧'", "return ", "<BS>", "<C-w>", "<Tab>")
    moves = ("gg", "G", "w", "b", "j", "k", "$", "0", "e")
    changes = ("dd", "yyp", "J", "x", "~", "u", "<C-r>", "ddp", ">>", "dw", ":%s/x/🌩/ge<CR>", "vjd", ":m0<CR>")
    for _ in range(25):
        keys = "<Esc>".join(
            chance.choice(moves) + chance.choice(("i", "A", "o", "O")) + "".join(chance.choices(texts, k=6))
            if chance.random() < 0.6
            else chance.choice(moves) + chance.choice(changes)
            for _ in range(4)
        )
        opened.keys(f"<Esc>{keys}<Esc>")
    agree(desk, opened, path)
    assert ("\r\n" in opened.text()) is (ending == "\r\n")


def test_it_says_where_something_is_defined(desk: Desk, window: Window) -> None:
    """As another server of the buffer knows it, which counts in UTF-16."""
    path = desk.file("scale.py", "from elsewhere import weigh\n\nprint('🦊', weigh)\n")
    desk.file("elsewhere_else.py", "# 🦊\ndef weigh(crate, unit='kg'):\n    return crate.mass\n")
    other = """
vim.lsp.start({ name = 'other', cmd = function()
  return {
    request = function(method, params, callback)
      local at = { line = 1, character = 4 }
      local uri = vim.uri_from_fname(vim.uv.cwd() .. '/elsewhere_else.py')
      local found = { uri = uri, range = { start = at, ['end'] = at } }
      _G.asked = method == 'textDocument/definition' and params.position or _G.asked
      callback(nil, method == 'initialize' and { capabilities = { definitionProvider = true } } or found)
      return true, 1
    end,
    notify = function() return true end, is_closing = function() return false end, terminate = function() end,
  }
end })"""
    opened = ready(
        window, path, init=f"vim.api.nvim_create_autocmd('FileType', {{ callback = function() {other} end }})"
    )
    opened.keys("Goprint('🦊', weigh(")
    wait_for("the question", lambda: desk.transcript().of("aigc/definition", "server"), 20)
    question = next(m for m in desk.transcript().messages("server") if m.get("method") == "aigc/definition")

    def reply() -> dict:
        replies = [
            m for m in desk.transcript().messages("editor") if m.get("id") == question["id"] and "method" not in m
        ]
        return replies[0] if replies else {}

    answer = wait_for("the answer", reply)
    [place] = answer["result"]
    assert place["uri"].endswith("/elsewhere_else.py")
    assert place["range"]["start"] == {"line": 1, "character": 4}
    asked = opened.lua("_G.asked")
    line = (opened.text().split("\n"))[question["params"]["position"]["line"]]
    before = line.encode()[: question["params"]["position"]["character"]].decode()
    assert asked["character"] == len(before.encode("utf-16-le")) // 2


def test_commands_and_health(desk: Desk, window: Window) -> None:
    opened = ready(window, sample(desk))
    opened.keys(COUNT)
    opened.settled_ghost()
    opened.keys("<Esc>")
    opened.command("Aigc status")
    wait_for("the status", lambda: "qwen" in opened.messages())
    opened.command("Aigc why")
    shown = (
        "vim.tbl_map(function(w) return vim.fn.getbufline(vim.fn.winbufnr(w), 1, '$') end, vim.api.nvim_list_wins())"
    )
    wait_for("why", lambda: any("came from" in line for lines in opened.lua(shown) for line in lines))
    log = desk.home / "state" / "aigc-lsp" / "log" / "engine.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("The model server's log.\n")  # it has its own in the home of the window that started it
    opened.command("Aigc log")
    assert opened.lua("vim.api.nvim_buf_get_name(0)") == str(log)
    opened.command("checkhealth aigc")
    said = wait_for("the check", lambda: opened.text() if "doctor" in opened.text() else "", 60)
    assert "ERROR" not in said, said
    assert "A language server runs for" in said
    opened.command("help aigc")
    assert "aigc.txt" in str(opened.lua("vim.api.nvim_buf_get_name(0)"))
    opened.command("tabfirst")
    # Not another: it would be fetched, and the server of all these tests be busy with that.
    opened.lua("(function() vim.ui.select = function(rows, _, done) _G.rows = rows; done(rows[1]) end end)()")

    def settings() -> list[dict[str, str]]:
        return [each["settings"]["aigc"] for each in desk.transcript().of("workspace/didChangeConfiguration")]

    for command in ("Aigc model qwen2.5-coder-0.5b", "Aigc model"):
        known = len(settings())
        opened.command(command)
        wait_for("the settings", lambda known=known: len(settings()) > known)
        assert settings()[-1]["model"] == "qwen2.5-coder-0.5b"
    assert "smollm2-135m" in [row["name"] for row in opened.lua("_G.rows")]
    assert opened.lua("vim.fn.getcompletion('Aigc docstring ', 'cmdline')") == ["file", "methods", "one"]
