"""What `aigc-lsp docstring --check` says of files: no model, no torch, nothing written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import command_line
import pytest

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)

STALE = '''"""A module."""


def kept(a, b):
    """Do it.

    Args:
        a: The a.
        b: The b.
    """
    return a


def renamed(a, b):
    """Do it.

    :param a: The a.
    :param c: The c.
    """
'''


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, without a repository above it."""
    (folder / "src").mkdir()
    monkeypatch.chdir(folder / "src")
    return folder / "src"


def missed(run: command_line.Run, path: Path, *options: str) -> list[str]:
    """The names that are missed in a file."""
    ran = run("docstring", "--check", *options, path)
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert ran.code == (1 if lines else 0)
    assert all(line.startswith(f"{path}:") and line.endswith(" has no docstring.") for line in lines)
    return [line.split("`")[1] if "`" in line else "" for line in lines]


PUBLIC = {
    "a.py": (
        '"""M."""\ndef f(): pass\ndef _f(): pass\nclass C:\n    def __init__(self): pass\n    def __len__(self): pass\n'
        "    def m(self):\n        def inner(): pass\n    def _m(self): pass\n    @property\n    def p(self): pass\n"
        "    @p.setter\n    def p(self, to): pass\n    @typing.override\n    def o(self): pass\n"
        "class _C:\n    def m(self): pass\n@overload\ndef g(a: int): ...\n",
        ["f", "C", "C.m", "C.p"],
    ),
    "all.py": ('"""M."""\n__all__ = ["f", "C"]\ndef f(): pass\ndef g(): pass\nclass C:\n    def m(self): pass\n',
               ["f", "C", "C.m"]),
    "module.py": ("x = 1\n", [""]),
    "empty.py": ("# nothing\n", []),
    "test_a.py": ("def test_f(): pass\n", []),
    "tests/help.py": ("def f(): pass\n", []),
    "esm.js": ("export function f() {}\nfunction g() {}\nconst h = (a) => a;\nexport { h };\n"
               "export class C { m() {} #n() {} _o() {} }\nexport default k;\nfunction k() {}\n",
               ["f", "h", "C", "C.m", "k"]),
    "common.js": ("function f() {}\nfunction _g() {}\nmodule.exports = { f };\n", ["f"]),
    "a.test.js": ("function f() {}\n", []),
    "a.ts": ("export class C { private m() {} protected n() {} o(a: number): void {} }\n", ["C", "C.o"]),
    "a.go": ("package a\nfunc F() {}\nfunc g() {}\ntype T struct{}\nfunc (t T) M() {}\nfunc (t T) n() {}\n",
             ["F", "T", "T.M"]),
    "a.rs": ("pub fn f() {}\nfn g() {}\npub(crate) fn h() {}\npub struct S;\n"
             "impl S { pub fn m(&self) {} fn n(&self) {} }\n", ["f", "S", "S.m"]),
    "A.java": ("public class A { public int f(int a) { return a; } int g() { return 1; }\n"
               "private int h() { return 1; } }\n", ["A", "A.f"]),
    "a.c": ("int f(int a) { return a; }\nstatic int g(int a) { return a; }\n", ["f"]),
    "a.php": ("<?php\nclass A { public function f() {} private function g() {} function h() {} }\n",
              ["A", "A.f", "A.h"]),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_needs_a_docstring(run, here: Path, name: str) -> None:
    source, expected = PUBLIC[name]
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    assert missed(run, path) == expected


def test_private_adds_what_nobody_else_uses(run, here: Path) -> None:
    Path("a.py").write_text(PUBLIC["a.py"][0])
    names = missed(run, Path("a.py"), "--private")
    assert set(names) > {"f", "_f", "C", "C.__init__", "C.m", "C.m.inner", "C._m", "_C", "_C.m"}
    assert "g" not in names, "an overload has its docstring elsewhere"


def test_stale_ones_are_said_with_their_line_in_whatever_style(run, here: Path) -> None:
    Path("a.py").write_text(STALE)
    expected = "a.py:15: `renamed`: The parameter `c` is called `b` now.\n"
    for options in ([], ["--stale"]):
        ran = run("docstring", "--check", *options, "a.py")
        assert (ran.code, ran.out, ran.err) == (1, expected, "")
    assert Path("a.py").read_text() == STALE


def test_stale_leaves_out_what_is_missing(run, here: Path) -> None:
    Path("a.py").write_text("def f(): pass\n")
    ran = run("docstring", "--check", "--stale", "a.py")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.parametrize(("line", "said"), [
    (1, ""), (4, ""), (7, ""), (11, ""), (14, "renamed"), (16, "renamed"),
])  # fmt: skip
def test_a_line_means_what_it_is_in(run, here: Path, line: int, said: str) -> None:
    Path("a.py").write_text(STALE)
    ran = run("docstring", "--check", f"a.py:{line}")
    assert ran.code == (1 if said else 0)
    assert (said in ran.out) if said else not ran.out


def test_folders_are_walked_as_ignore_files_have_it(run, here: Path) -> None:
    for name in ("a.py", "b/c.py", "b/hidden.py", "node_modules/d.js", "e.txt", ".venv/f.py", "b/tests/g.py"):
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def f(): pass\n" if name.endswith("py") else "function f() {}\n")
    (here / "made.js").write_text("// Code generated by a tool. DO NOT EDIT.\nfunction f() {}\n")
    (here / ".gitignore").write_text("hidden.py\nnode_modules/\n.venv/\n")
    (here / ".git").mkdir()
    ran = run("docstring", "--check", ".")
    assert ran.code == 1
    assert [line.split(":")[0] for line in ran.out.splitlines()] == ["a.py", "a.py", "b/c.py", "b/c.py"]
    again = run("docstring", "--check", ".", "a.py", here / "a.py")
    assert again.out == ran.out, "a file that is named twice is looked at once"
    assert run("docstring", "--check", "b/hidden.py").code == 1, "what is named is meant, though git ignores it"


@pytest.mark.parametrize(("arguments", "part"), [
    (["nowhere.py"], "does not exist"),
    (["a.py:99"], "there is no line 99"),
    (["a.py:0"], "there is no line 0"),
    ([".:3"], "is a folder"),
    (["words.txt"], "no language that docstrings are written for"),
    (["--write", "a.py"], "ask for one of them"),
    (["--stale", "--private", "a.py"], "ask for one of them"),
    (["--style", "gogle", "a.py"], "There is no style 'gogle'"),
    (["--style", "jsdoc", "a.py"], "jsdoc is no style of python"),
    (["barred.py"], ".aigcignore"),
])  # fmt: skip
def test_a_wrong_command_is_one_sentence(run, here: Path, arguments: list[str], part: str) -> None:
    (here / "a.py").write_text(STALE)
    (here / "words.txt").write_text("words")
    (here / "barred.py").write_text(STALE)
    (here / ".aigcignore").write_text("barred.py\n")
    ran = run("docstring", "--check", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert part in ran.sentence


@pytest.mark.parametrize(("name", "data", "part"), [
    ("a.py", b"\xff\xfe\xfa", "is not utf-16-le text"),
    ("b.py", "x = 'é'\n".encode("latin-1"), "declares no other encoding"),
    ("c.py", b"# coding: nonsense\nx = 1\n", "declares no other encoding"),
    ("d.js", b"var a;\0", "is a binary file"),
])  # fmt: skip
def test_one_file_that_cannot_be_read_does_not_hide_the_others(
    run, here: Path, name: str, data: bytes, part: str
) -> None:
    (here / name).write_bytes(data)
    (here / "good.py").write_text("def f(): pass\n")
    ran = run("docstring", "--check", name, "good.py")
    assert ran.code == 1
    assert part in ran.sentence
    assert "`f` has no docstring." in ran.out


@pytest.mark.parametrize("data", [
    b"\xef\xbb\xbf# -*- coding: utf-8 -*-\r\ndef f(a):\r\n    pass\r\n",
    "# coding: latin-1\nNAME = 'é'\ndef f(a):\n    pass\n".encode("latin-1"),
    "\ufeffdef f(a):\n    pass\n".encode("utf-16-le"),
    b"def f(a):\r    pass\r",
])  # fmt: skip
def test_any_encoding_and_line_end_is_read(run, here: Path, data: bytes) -> None:
    (here / "a.py").write_bytes(data)
    assert missed(run, Path("a.py")) == ["", "f"]


def test_broken_code_is_not_called_stale(run, here: Path) -> None:
    source = '"""M."""\n\n\ndef f(a):\n    """Do it.\n\n    Raises:\n        KeyError: Never.\n    """\n    return (a\n'
    (here / "a.py").write_text(source)
    assert run("docstring", "--check", "a.py").out == ""


@pytest.mark.process
def test_the_check_needs_neither_torch_nor_a_model_server(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(): pass\n")
    code = (
        "import sys; from aigc_lsp.cli import app\n"
        "try: app(['docstring', '--check', sys.argv[1]])\n"
        "except SystemExit as end: print(end.code, *({'torch', 'transformers', 'pygls', 'httpx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.py")], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "1", done.stdout + done.stderr
