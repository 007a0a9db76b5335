"""What is shown from elsewhere, on real folders; what stays as it is shown, and what is never shown."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from workspaces import until, write

from aigc_lsp.context.document import Document
from aigc_lsp.context.snippet import Gathered, Snippet, Source
from aigc_lsp.context.window import gather as window_of
from aigc_lsp.gather.gatherer import ALL, Gatherer
from aigc_lsp.index.workspace import Workspace
from aigc_lsp.syntax import language_of, parse
from aigc_lsp.text import Edit, Span, Text

BUDGET = 2000
KEY = "AKIA" + "Q4W7ZXCVB2MNTY6P"


def document(path: Path, source: str, uri: str = "") -> Document:
    text = Text(source)
    language = language_of(path) or "python"
    return Document(uri or path.as_uri(), str(path), language, 1, text, parse(language, text))


class Desk:
    """A workspace, its gatherer, and what an editor would do with them."""

    def __init__(self, root: Path, workspace: Workspace, sources: frozenset[Source]) -> None:
        self.root = root
        self.workspace = workspace
        self.gatherer = Gatherer(workspace, sources)

    def open(self, path: str, source: str) -> Document:
        """With the mark in what is returned, without it in what the gatherer hears of."""
        opened = document(self.root / path, source.replace("▏", ""))
        self.gatherer.opened(opened)
        assert opened.tree is not None
        self.gatherer.knows(opened, opened.tree.symbols())
        return document(self.root / path, source)

    def type(self, before: Document, at: int, new: str) -> Document:
        edit = Edit(Span(at, at), new)
        after = document(Path(before.path), before.text.apply(edit).source, before.uri)
        self.gatherer.changed(before, after, [edit])
        return after

    async def gathered(self, marked: Document, *, settled: bool = True, budget: int = BUDGET) -> Gathered:
        """What is shown at the mark ▏ of a document that is open."""
        source = marked.text.source
        offset = source.index("▏")
        plain = document(Path(marked.path), source.replace("▏", ""), marked.uri)
        window = window_of(plain.text, offset, language=plain.language, prefix_tokens=500, suffix_tokens=100)
        ask = self.gatherer.settle if settled else self.gatherer.gather
        return await ask(plain, offset, window, budget)

    async def shown(self, marked: Document, *, settled: bool = True, budget: int = BUDGET) -> tuple[Snippet, ...]:
        return (await self.gathered(marked, settled=settled, budget=budget)).front


@asynccontextmanager
async def desk(root: Path, files: dict[str, str], *sources: Source) -> AsyncIterator[Desk]:
    write(root, files)
    workspace = Workspace()
    try:
        await workspace.serve([str(root)])
        await until(lambda: workspace.is_complete, "the index")
        yield Desk(root, workspace, frozenset(sources) or ALL)
    finally:
        await workspace.close()


A = {"p/a.py": "def send(to: str, retry: int = 3) -> bool:\n    return True\n\n\ndef fetch(url): ...\n"}
MAIN = "from p.a import send, fetch\n\nsend(▏\n"


async def test_what_is_called_is_shown_as_it_is_defined_elsewhere(tmp_path: Path) -> None:
    async with desk(tmp_path, A, "definition") as it:
        shown = await it.shown(it.open("p/m.py", MAIN))
        assert shown[-1] == Snippet("p/a.py", "def send(to: str, retry: int = 3) -> bool: ...", "definition")


async def test_an_unsaved_text_is_told_and_not_the_one_on_disk(tmp_path: Path) -> None:
    async with desk(tmp_path, A, "definition") as it:
        it.open("p/a.py", "import os\n\ndef send(to, *, unsaved): ...\n")
        shown = await it.shown(it.open("p/m.py", MAIN))
        assert shown[-1].text == "def send(to, *, unsaved): ..."


async def test_a_file_that_changed_on_disk_is_told_anew(tmp_path: Path) -> None:
    async with desk(tmp_path, A, "definition") as it:
        main = it.open("p/m.py", MAIN)
        await it.shown(main)
        write(tmp_path, {"p/a.py": "# longer now\n\ndef send(changed): ...\n"})
        it.workspace.changed([str(tmp_path / "p/a.py")])
        place = it.workspace.locate(str(tmp_path / "p/a.py"))
        assert place is not None
        await until(lambda: place[0].index.named_in("p/a.py", "send")[0].span.start > 0, "the file read again")
        assert (await it.shown(main))[-1].text == "def send(changed): ..."


def typed(root: Path, line: str, below: str = "") -> Document:
    return document(root / "p/m.py", f"from p.a import send, fetch\n\n\ndef f(x):\n    {line}▏\n{below}")


async def test_what_is_shown_stays_while_one_types_and_a_new_call_comes_late(tmp_path: Path) -> None:
    async with desk(tmp_path, A, "definition", "usage") as it:
        first = await it.gathered(it.open("p/m.py", typed(tmp_path, "send(").text.source))
        assert "def send" in first.front[-1].text
        for line in ("send(t", "send(to", "send(to=", "send(to='x')", "send(to='x')\n    # more"):
            assert await it.gathered(typed(tmp_path, line), settled=False) == first

        files = {"p/b.py": "def later(one, two): ...\n"}
        write(tmp_path, files)
        it.workspace.changed([str(tmp_path / "p/b.py")])
        place = it.workspace.locate(str(tmp_path / "p/b.py"))
        assert place is not None
        await until(lambda: bool(place[0].index.named_in("p/b.py", "later")), "the new file")
        call = typed(tmp_path, "send(to='x')\n    from p.b import later\n    later(")
        for _ in range(2):
            then = await it.gathered(call, settled=False)
            await it.gatherer.read()
        then = await it.gathered(call, settled=False)
        assert then.front == first.front
        assert [each.snippet.text for each in then.late] == ["def later(one, two): ..."]
        assert (
            await it.gathered(typed(tmp_path, "send(to='x')\n    from p.b import later\n    later(1, "), settled=False)
            == then
        )


async def test_at_another_place_all_is_looked_for_anew(tmp_path: Path) -> None:
    async with desk(tmp_path, A, "definition", "usage") as it:
        it.open("p/m.py", typed(tmp_path, "send(").text.source)
        await it.gathered(typed(tmp_path, "send("))
        elsewhere = await it.gathered(typed(tmp_path, "fetch(", "    return x\n"), settled=False)
        assert "def fetch" in elsewhere.front[-1].text
        assert elsewhere.late == ()


async def test_how_it_is_called_elsewhere_stands_nearest_to_the_code(tmp_path: Path) -> None:
    other = "from p.a import send\n\ndef g(mail):\n    send(mail.to, retry=1)\n"
    async with desk(tmp_path, {**A, "p/b.py": other}, "definition", "usage") as it:
        shown = await it.shown(it.open("p/m.py", MAIN))
        assert shown[-1] == Snippet("p/b.py", "send(mail.to, retry=1)", "usage")
        assert Snippet("p/a.py", "def send(to: str, retry: int = 3) -> bool: ...", "definition") in shown


async def test_what_this_file_shows_is_not_shown_again(tmp_path: Path) -> None:
    source = "def send(to, retry): ...\n\nsend(▏\n"
    async with desk(tmp_path, {"p/x.py": "def send(to, retry): ...\n"}) as it:
        assert await it.shown(it.open("p/m.py", source)) == ()


async def test_secrets_are_taken_out(tmp_path: Path) -> None:
    async with desk(tmp_path, {"p/a.py": f"def send(to, key={KEY!r}): ...\n"}, "definition") as it:
        shown = await it.shown(it.open("p/m.py", "from p.a import send\nsend(▏\n"))
        assert "def send" in shown[-1].text
        assert KEY not in shown[-1].text


@pytest.mark.parametrize("ignore", [".gitignore", ".aigcignore"])
async def test_hidden_files_are_never_shown(tmp_path: Path, ignore: str) -> None:
    async with desk(tmp_path, {**A, ignore: "a.py\n"}) as it:
        assert await it.shown(it.open("p/m.py", MAIN)) == ()


async def test_a_document_outside_every_folder_is_shown_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path / "in", A) as it:
        outside = document(tmp_path / "out" / "m.py", MAIN)
        assert await it.shown(outside, settled=False) == ()


async def test_no_more_than_the_budget(tmp_path: Path) -> None:
    async with desk(tmp_path, A) as it:
        assert await it.shown(it.open("p/m.py", MAIN), budget=10) == ()


async def test_the_file_that_a_test_tests(tmp_path: Path) -> None:
    files = {"p/cart.py": "class Cart:\n    def add(self, item): ...\n", "tests/test_cart.py": "\n"}
    async with desk(tmp_path, files, "definition") as it:
        shown = await it.shown(it.open("tests/test_cart.py", "def test_add():\n    ▏\n"))
        assert [each.text for each in shown] == ["class Cart:\n    def add(self, item): ..."]


async def test_what_was_edited_in_another_document(tmp_path: Path) -> None:
    async with desk(tmp_path, A, "edit") as it:
        other = it.open("p/b.py", "def before():\n    pass\n\n\n\ndef after():\n    pass\n")
        at = other.text.source.index("\n\n\n") + 1
        it.type(other, at, "rename_all(old_name, new_name)\n")
        shown = await it.shown(it.open("p/m.py", "x = 1\n▏\n"))
        assert [each.path for each in shown] == ["p/b.py"]
        assert "rename_all(old_name, new_name)" in shown[0].text
        it.gatherer.closed(other)
        assert await it.shown(it.open("p/m.py", "x = 1\n▏\n")) == ()


ALIKE = "class RedShape(Shape):\n    def paint(self, brush):\n        brush.stroke(self.outline, colour='red')\n"


@pytest.mark.parametrize(("is_open", "source"), [(True, "open"), (False, "sibling")])
async def test_pieces_that_are_alike(tmp_path: Path, is_open: bool, source: Source) -> None:
    files = {"p/red.py": ALIKE, "p/tax.py": "def rate(country):\n    return TABLE[country].percent\n"}
    async with desk(tmp_path, files, source) as it:
        if is_open:
            for path, text in files.items():
                it.open(path, text)
        own = "class BlueShape(Shape):\n    def paint(self, brush):\n        ▏\n"
        shown = await it.shown(it.open("p/blue.py", own))
        assert [(each.path, each.text, each.source) for each in shown] == [("p/red.py", ALIKE.strip(), source)]


async def test_cells_of_one_notebook_are_not_shown_to_one_another(tmp_path: Path) -> None:
    async with desk(tmp_path, A, "open") as it:
        cells = [document(tmp_path / "n.ipynb", ALIKE + mark, f"cell:{at}") for at, mark in enumerate(["", "▏"])]
        for cell in cells:
            it.gatherer.opened(cell)
        assert await it.shown(cells[1], settled=False) == ()


BODY = base64.encodebytes(random.Random(1).randbytes(57 * 21)).decode()
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_secret_of_many_lines_is_not_cut_into_pieces_that_are_none(tmp_path: Path, is_open: bool) -> None:
    alike = f'def paint_shape(brush, outline):\n    PRIVATE = """\n{PEM}"""\n'
    async with desk(tmp_path, {"p/a.py": alike}, "open", "sibling") as it:
        if is_open:
            it.open("p/a.py", alike)
        own = "def paint_shape(brush, outline):\n    PRIVATE = BEGIN RSA KEY\n    ▏\n"
        shown = await it.shown(it.open("p/m.py", own))
        assert not any(line in each.text for each in shown for line in BODY.split())


async def test_an_edit_is_cleaned_by_the_rules_of_its_language(tmp_path: Path) -> None:
    async with desk(tmp_path, A, "edit") as it:
        settings = document(tmp_path / "deploy.yaml", "name: shop\n\n\n")
        it.gatherer.opened(settings)
        it.type(settings, len("name: shop\n"), "  password: Xk29fjw83kdSqq1\n")
        shown = await it.shown(it.open("p/m.py", "x = 1\n▏\n"))
        assert "password" in shown[0].text
        assert "Xk29fjw83kdSqq1" not in shown[0].text


async def test_what_is_hidden_from_now_on_is_shown_no_more(tmp_path: Path) -> None:
    async with desk(tmp_path, A, "open") as it:
        red = it.open("p/red.py", ALIKE)
        own = it.open("p/blue.py", "class BlueShape(Shape):\n    def paint(self, brush):\n        ▏\n")
        assert (await it.shown(own))[0].path == "p/red.py"
        it.gatherer.closed(red)
        assert (await it.gathered(own, settled=False)).front == ()


PASSWORD = "Tr0ub4dor&3xY"
HOLDS = f'DB_PASSWORD = "{PASSWORD}"\n\n\n\n\nconn = connect_db("admin", "{PASSWORD}")\n'


async def test_what_only_another_line_shows_to_be_a_secret_is_not_shown(tmp_path: Path) -> None:
    async with desk(tmp_path, {"p/x.py": "\n"}, "usage") as it:
        it.open("p/a.py", HOLDS)
        shown = await it.shown(it.open("p/m.py", "connect_db(▏\n"))
        assert ["connect_db(" in each.text for each in shown] == [True]
        assert PASSWORD not in shown[0].text


@pytest.mark.parametrize("is_known", [True, False])
async def test_nor_where_it_was_edited(tmp_path: Path, is_known: bool) -> None:
    async with desk(tmp_path, {"p/x.py": "\n"}, "edit") as it:
        other = it.open("p/a.py", HOLDS)
        if not is_known:
            it.gatherer._secrets.clear()
        it.type(other, len(HOLDS) - 2, ", retry=3")
        shown = await it.shown(it.open("p/m.py", "x = 1\n▏\n"))
        assert "retry=3" in shown[0].text
        assert PASSWORD not in shown[0].text


async def test_two_folders_may_have_files_of_one_path(tmp_path: Path) -> None:
    """Neither takes the place of the other's, or none would ever be at hand."""
    other = (
        "class GreenShape(Shape):\n    def paint(self, brush):\n        brush.fill(self.area)\n        brush.close()\n"
    )
    alike = {"one": ALIKE, "two": other}
    for name, text in alike.items():
        write(tmp_path / name, {"p/red.py": text})
    workspace = Workspace()
    try:
        await workspace.serve([str(tmp_path / name) for name in alike])
        await until(lambda: workspace.is_complete, "the index")
        it = Desk(tmp_path, workspace, frozenset(("open", "sibling")))
        it.open("two/p/red.py", alike["two"])
        own = it.open("one/p/blue.py", "class BlueShape(Shape):\n    def paint(self, brush):\n        ▏\n")
        shown = await asyncio.wait_for(it.shown(own), 20)  # until all is at hand
        assert {each.text for each in shown} == {text.strip() for text in alike.values()}
        assert (await it.gathered(own, settled=False)).front == shown
        assert it.gatherer._is_whole
    finally:
        await workspace.close()
