"""What others tell of definitions: asked for only where nothing is found, never waited for, and shown late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from test_gatherer import BUDGET, KEY, Desk, desk, document
from workspaces import until, write

from aigc_lsp.context.document import Document
from aigc_lsp.context.needs import at_cursor
from aigc_lsp.context.snippet import Snippet
from aigc_lsp.context.window import gather as window_of
from aigc_lsp.gather import told
from aigc_lsp.gather.gatherer import Gatherer
from aigc_lsp.gather.told import Place, defined_at, where
from aigc_lsp.syntax import Definition, symbols_of
from aigc_lsp.text import Span, Text

MAILER = """\
import os

class Mailer:
    @cached
    def send(self, to: str) -> bool:
        result = to
        return result

    def stop(self): ...

LIMIT = 3

def plain(x): ...
"""
FILES = {"p/a.py": MAILER, "p/code.py": "def first(): ...\n"}
SEND = "class Mailer:\n    def send(self, to: str) -> bool: ..."
CALL = "def f(x):\n    make(x).send(▏\n"


class Other:
    """Another server: what it was asked, as the document's name and the text from there, and what it says."""

    def __init__(self, desk: Desk) -> None:
        self.asked: list[tuple[str, str]] = []
        self.says: Sequence[Place] = ()
        self.answers = asyncio.Event()
        self.answers.set()
        self.desk = desk
        desk.gatherer = Gatherer(desk.workspace, frozenset({"definition"}), ask=self.ask)

    async def ask(self, document: Document, offset: int) -> Sequence[Place]:
        self.asked.append((Path(document.path).name, document.text.source[offset:].partition("\n")[0]))
        await self.answers.wait()
        return self.says

    def place(self, path: str, at: str | int, uri: str = "") -> Place:
        """Where `at` stands first in the file, whatever text of it one is given."""
        full = self.desk.root / path
        find: Callable[[Text], int] = lambda text: at if isinstance(at, int) else text.source.index(at)  # noqa: E731
        return Place(uri or full.as_uri(), str(full), find)

    async def told(self, marked: Document) -> tuple[Snippet, ...]:
        """What is shown late, once the answer is there."""
        first = await self.desk.gathered(marked, settled=False)
        await self.settled()
        then = await self.desk.gathered(marked, settled=False)
        assert then.front == first.front
        return tuple(each.snippet for each in then.late)

    async def settled(self) -> None:
        """All that was asked is answered, and what that wants is read."""
        told = self.desk.gatherer._told
        assert told is not None
        await until(lambda: not told._asking, "the answers")
        await self.desk.gatherer.read()


@asynccontextmanager
async def other(root: Path, files: dict[str, str] | None = None) -> AsyncIterator[Other]:
    async with desk(root, FILES if files is None else files, "definition") as it:
        found = Other(it)
        try:
            yield found
        finally:
            found.answers.set()
            await found.settled()


async def test_it_is_asked_behind_our_back_and_shown_late(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        it.answers.clear()
        it.says = [it.place("p/a.py", "send")]
        main = it.desk.open("p/m.py", CALL)
        for _ in range(3):
            shown = await it.desk.gathered(main, settled=False)
            assert (shown.front, shown.late) == ((), ())
            await asyncio.sleep(0)
        assert it.asked == [("m.py", "send(")]
        it.answers.set()
        await it.settled()
        (late,) = (await it.desk.gathered(main, settled=False)).late
        assert late.snippet == Snippet("p/a.py", SEND, "definition")
        typed = document(tmp_path / "p/m.py", CALL.replace("▏", "'x', ▏"))
        assert (await it.desk.gathered(typed, settled=False)).late == (late,)
        assert len(it.asked) == 1


async def test_what_nobody_knew_is_asked_again_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with other(tmp_path) as it:
        main = it.desk.open("p/m.py", CALL)
        assert await it.told(main) == ()
        it.says = [it.place("p/a.py", "send")]  # the language's server has started by now
        assert await it.told(main) == ()
        assert len(it.asked) == 1
        monkeypatch.setattr(told, "AGAIN_SECONDS", 0.0)
        other_call = it.desk.open("p/n.py", CALL)
        it.says = []
        assert await it.told(other_call) == ()
        it.says = [it.place("p/a.py", "send")]
        assert [each.text for each in await it.told(other_call)] == [SEND]
        assert it.asked == [("m.py", "send("), *[("n.py", "send(")] * (len(it.asked) - 1)]
        asked = len(it.asked)
        assert len(await it.told(other_call)) == 1
        assert len(it.asked) == asked  # what was told is not asked for again


async def test_who_types_on_in_the_same_call_has_it_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "AGAIN_SECONDS", 0.3)
    async with other(tmp_path) as it:
        main = it.desk.open("p/m.py", CALL)
        assert await it.told(main) == ()
        assert await it.told(main) == ()
        it.says = [it.place("p/a.py", "send")]
        await asyncio.sleep(0.4)
        assert [each.text for each in await it.told(main)] == [SEND]
        assert len(it.asked) == 2


async def test_at_another_place_it_stands_with_the_others(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        it.says = [it.place("p/a.py", "send")]
        await it.told(it.desk.open("p/m.py", CALL))
        elsewhere = document(tmp_path / "p/m.py", CALL + "    return x\n")
        shown = await it.desk.gathered(elsewhere, settled=False)
        assert (shown.front, shown.late) == ((Snippet("p/a.py", SEND, "definition"),), ())
        assert len(it.asked) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from p.a import plain\n\nplain(▏\n",
        "from p.a import Mailer\n\ndef f(m: Mailer):\n    m.send(▏\n",
        "from p.a import Mailer\n\ndef f(m: Mailer):\n    m.▏\n",
        "import p.a as a\n\na.▏\n",
        "# make(x).send(▏\n",
        "said = 'unknown(▏'\n",
        "x = 1▏\n",
    ],
)
async def test_what_we_know_and_what_is_no_code_is_not_asked(tmp_path: Path, source: str) -> None:
    async with other(tmp_path) as it:
        it.says = [it.place("p/a.py", "send")]
        assert await it.told(it.desk.open("p/m.py", source)) == ()
        assert it.asked == []


async def test_without_a_tree_nothing_is_asked(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        offset, text = CALL.index("▏"), Text(CALL.replace("▏", ""))
        bare = replace(it.desk.open("p/m.py", CALL), text=text, tree=None)
        window = window_of(text, offset, language="python", prefix_tokens=500, suffix_tokens=100)
        await it.desk.gatherer.gather(bare, offset, window, BUDGET)
        await it.settled()
        assert it.asked == []


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("send", SEND),
        ("@cached", SEND),
        ("    @cached", SEND),  # the start of the line
        ("def send", SEND),
        ("Mailer", "class Mailer:\n    def send(self, to: str) -> bool: ...\n    def stop(self): ..."),
        ("LIMIT", "LIMIT = 3"),
        ("plain", "def plain(x): ..."),
        ("result", None),  # a local variable
        ("import os", None),
        (0, None),
        (10**9, None),
    ],
)
async def test_the_innermost_definition_there_is_shown(tmp_path: Path, at: str | int, shown: str | None) -> None:
    async with other(tmp_path) as it:
        it.says = [it.place("p/a.py", at)]
        late = await it.told(it.desk.open("p/m.py", CALL))
        assert [each.text for each in late] == ([shown] if shown else [])
        assert len(it.asked) == 1


async def test_what_stands_before_a_dot(tmp_path: Path) -> None:
    """A class says what it has; a module is where its file begins, and no definition."""
    async with other(tmp_path) as it:
        it.says = [it.place("p/a.py", "Mailer")]
        late = await it.told(it.desk.open("p/m.py", "def f(x):\n    them.▏\n"))
        assert [each.text.partition("\n")[0] for each in late] == ["class Mailer:"]
        it.says = [it.place("p/code.py", 0)]
        assert await it.told(it.desk.open("p/n.py", "def f(x):\n    code.▏\n")) == ()
        assert it.asked == [("m.py", "them."), ("n.py", "code.")]


async def test_the_first_place_that_may_be_looked_at_counts(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        it.says = [it.place("../library.py", 0), it.place("p/a.py", "result"), it.place("p/a.py", "send")]
        assert [each.text for each in await it.told(it.desk.open("p/m.py", CALL))] == [SEND]


@pytest.mark.parametrize("name", ["ignored.py", "private.py", ".env", "notes.txt", "gone.py", "../outside.py", "."])
async def test_what_is_hidden_or_elsewhere_is_not_looked_at(tmp_path: Path, name: str) -> None:
    files = {".gitignore": "ignored.py\n", ".aigcignore": "private.py\n", "notes.txt": MAILER, ".env": MAILER}
    root = tmp_path / "w"
    write(tmp_path, {"outside.py": MAILER, "w/ignored.py": MAILER, "w/private.py": MAILER})
    looked_at: list[str] = []

    def find(text: Text) -> int:
        looked_at.append(text.source)
        return text.source.index("send")

    async with other(root, {**FILES, **files}) as it:
        it.says = [Place((root / name).as_uri(), str(root / name), find)]
        assert await it.told(it.desk.open("p/m.py", CALL)) == ()
        assert (len(it.asked), looked_at) == (1, [])


async def test_a_place_that_is_no_file(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        it.says = [Place("git:/p/a.py", "", lambda text: text.source.index("send"))]
        assert await it.told(it.desk.open("p/m.py", CALL)) == ()


async def test_what_is_open_outside_is_shown_while_it_is_open(tmp_path: Path) -> None:
    async with other(tmp_path / "w") as it:
        library = document(tmp_path / "library.py", MAILER)  # on no disk
        it.desk.gatherer.opened(library)
        it.says = [it.place("../library.py", "send", library.uri)]
        main = it.desk.open("p/m.py", CALL)
        assert await it.told(main) == (Snippet("library.py", SEND, "definition"),)
        it.desk.gatherer.closed(library)
        elsewhere = document(tmp_path / "w/p/m.py", CALL + "    return x\n")
        shown = await it.desk.gathered(elsewhere, settled=False)
        assert (shown.front, shown.late) == ((), ())


async def test_another_spelling_of_an_open_documents_uri(tmp_path: Path) -> None:
    async with other(tmp_path / "w") as it:
        library = document(tmp_path / "library.py", MAILER)
        it.desk.gatherer.opened(library)
        it.says = [Place("file://odd/library.py", library.path, lambda text: text.source.index("send"))]
        assert await it.told(it.desk.open("p/m.py", CALL)) == (Snippet("library.py", SEND, "definition"),)


async def test_a_position_in_an_unsaved_text_is_one_of_that_text(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        unsaved = "# above\n\n" + MAILER.replace("to: str", "to, *, unsaved")
        it.desk.open("p/a.py", unsaved)
        it.says = [it.place("p/a.py", unsaved.index("send"))]
        late = await it.told(it.desk.open("p/m.py", CALL))
        assert [each.text for each in late] == ["class Mailer:\n    def send(self, to, *, unsaved) -> bool: ..."]


async def test_another_cell_of_the_notebook_is_shown_anyway(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        cells = [document(tmp_path / "n.ipynb", text, f"cell:{at}") for at, text in enumerate([MAILER, CALL])]
        for cell in cells:
            it.desk.gatherer.opened(cell)
        it.says = [Place("cell:0", "", lambda text: text.source.index("send"))]
        assert await it.told(cells[1]) == ()
        assert len(it.asked) == 1


async def test_a_definition_that_this_window_shows_is_not_shown_again(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        source = f"{MAILER}\n\n{CALL}"
        it.says = [it.place("p/m.py", "send")]
        assert await it.told(it.desk.open("p/m.py", source)) == ()
        assert len(it.asked) == 1


async def test_it_is_shown_as_it_is_when_it_is_shown(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        it.says = [it.place("p/a.py", "send")]
        await it.told(it.desk.open("p/m.py", CALL))
        place = it.desk.workspace.locate(str(tmp_path / "p/a.py"))
        assert place is not None
        write(tmp_path, {"p/a.py": "# one line more\n" + MAILER.replace("to: str", "changed")})
        it.desk.workspace.changed([str(tmp_path / "p/a.py")])
        await until(lambda: place[0].index.named_in("p/a.py", "Mailer")[0].span.start > 20, "the file read again")
        elsewhere = document(tmp_path / "p/m.py", CALL + "    return x\n")
        shown = await it.desk.gathered(elsewhere)
        assert [each.text for each in shown.front] == ["class Mailer:\n    def send(self, changed) -> bool: ..."]
        write(tmp_path, {".aigcignore": "a.py\n"})
        it.desk.workspace.changed([str(tmp_path / ".aigcignore")])
        await until(lambda: "p/a.py" not in place[0].index, "the file hidden")
        assert (await it.desk.gathered(elsewhere)).front == ()
        assert len(it.asked) == 1


async def test_secrets_are_taken_out(tmp_path: Path) -> None:
    async with other(tmp_path, {"p/a.py": MAILER.replace("to: str", f"key={KEY!r}")}) as it:
        it.says = [it.place("p/a.py", "send")]
        (late,) = await it.told(it.desk.open("p/m.py", CALL))
        assert "def send" in late.text
        assert KEY not in late.text


async def test_one_at_a_time_for_each_document(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        it.answers.clear()
        both = "def f(x):\n    make(x).outer(make(x).inner(▏\n"
        main = it.desk.open("p/m.py", both)
        await it.desk.gathered(main, settled=False)
        await it.desk.gathered(it.desk.open("p/n.py", CALL), settled=False)
        await asyncio.sleep(0)
        assert it.asked == [("m.py", "inner("), ("n.py", "send(")]
        third = document(tmp_path / "p/m.py", both.replace("▏", "make(x).third(▏"))
        await it.desk.gathered(third, settled=False)
        assert len(it.asked) == 2
        it.answers.set()
        for _ in range(2):
            await it.settled()
            await it.desk.gathered(third, settled=False)  # the two calls around the cursor
        await it.settled()
        assert it.asked[2:] == [("m.py", "third(")]
        await it.told(main)
        assert it.asked[3:] == [("m.py", "outer(make(x).inner(")]


async def test_a_closed_document_is_forgotten_with_what_was_asked(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        it.answers.clear()
        main = it.desk.open("p/m.py", CALL)
        await it.desk.gathered(main, settled=False)
        await asyncio.sleep(0)
        it.desk.gatherer.closed(main)
        it.desk.open("p/m.py", CALL)
        it.says = [it.place("p/a.py", "send")]
        await it.desk.gathered(main, settled=False)
        await asyncio.sleep(0)
        assert len(it.asked) == 2  # the first is not waited for
        it.answers.set()
        assert len(await it.told(main)) == 1
        it.desk.gatherer.closed(main)
        it.desk.open("p/m.py", CALL)
        assert len(await it.told(main)) == 1
        assert len(it.asked) == 3


async def test_the_answer_to_a_closed_document_is_not_kept(tmp_path: Path) -> None:
    async with other(tmp_path) as it:
        it.answers.clear()
        main = it.desk.open("p/m.py", CALL)
        await it.desk.gathered(main, settled=False)
        await asyncio.sleep(0)
        it.desk.gatherer.closed(main)
        it.answers.set()
        await asyncio.sleep(0.05)
        it.says = [it.place("p/a.py", "send")]
        it.desk.open("p/m.py", CALL)
        assert len(await it.told(main)) == 1
        assert len(it.asked) == 2


async def test_so_many_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "MOST_KEPT", 2)
    async with other(tmp_path) as it:
        it.desk.open("p/m.py", CALL)
        for name in ("one", "two", "one", "three", "one", "two"):
            await it.told(document(tmp_path / "p/m.py", CALL.replace("send", name)))
        assert [said for _, said in it.asked] == ["one(", "two(", "three(", "two("]


@pytest.mark.parametrize(
    ("source", "marked"),
    [
        ("send(▏", ["¦send("]),
        ("x.send(1, ▏", ["x.¦send(1, "]),
        ("x.send(y.▏", ["x.send(¦y.", "x.¦send(y."]),
        ("x.send(x.send(▏", ["x.send(x.¦send(", "x.send(x.¦send("]),
        ("send(x.send, ▏", ["¦send(x.send, "]),
        ("resend(1); send(▏", ["resend(1); ¦send("]),
        ("self.client.send(▏", ["self.client.¦send("]),
        ("self.client.se▏", ["self.¦client.se"]),
        ("😀 = a->b; a->send(▏", ["😀 = a->b; a->¦send("]),
        ("make<T>(▏", ["¦make<T>("]),
        ("a\n  .send\n  (▏", ["a\n  .¦send\n  ("]),
    ],
)
def test_where_the_name_stands(source: str, marked: list[str]) -> None:
    """Of each name at the cursor, the innermost first."""
    offset, plain = source.index("▏"), source.replace("▏", "")
    found = [where(need, Text(plain), offset) for need in at_cursor(Text(plain), offset)]
    assert [plain if at is None else f"{plain[:at]}¦{plain[at:]}" for at in found] == marked


def test_far_in_a_long_text_it_is_the_last_one() -> None:
    text = Text("send(1)\n" * 2000 + "send(")
    (need,) = at_cursor(text, len(text))
    assert where(need, text, len(text)) == len(text) - 5


@pytest.mark.parametrize(
    ("language", "source", "at", "name"),
    [
        ("python", "class A:\n    def b(self):\n        c = 1\n", "b(self", "b"),
        ("python", "class A:\n    def b(self):\n        c = 1\n", "c = ", None),
        ("python", "class A:\n    b = 1\n", "b = ", "b"),
        ("typescript", "export class A {\n  b(x: number) { return x; }\n}\n", "b(", "b"),
        ("typescript", "export class A {\n  b(x: number) { return x; }\n}\n", "export", "A"),
        ("go", "package a\n\n// B says.\nfunc B(x int) {}\n", "B(", "B"),
        ("go", "package a\n\n// B says.\nfunc B(x int) {}\n", "// B", "B"),
        ("rust", "impl A {\n    fn b(&self) {}\n}\n", "b(", "b"),
        ("java", "class A {\n    int b;\n    void c() { int d; }\n}\n", "d;", None),
    ],
)
def test_the_definition_whose_head_it_is(language: str, source: str, at: str, name: str | None) -> None:
    text = Text(source)
    found = defined_at(text, source.index(at), symbols_of(language, text).definitions)
    assert (found.name if found else None) == name


def test_of_heads_in_one_another_the_innermost_counts() -> None:
    text = Text("typedef struct inner { int x; } outer;")
    definitions = [
        Definition("outer", "type", Span(0, 38), Span(0, 38), None, "", None),
        Definition("inner", "class", Span(8, 30), Span(8, 20), None, "", None),
    ]
    for order in (definitions, definitions[::-1]):
        assert defined_at(text, 15, order) == definitions[1]
        assert defined_at(text, 32, order) == definitions[0]
