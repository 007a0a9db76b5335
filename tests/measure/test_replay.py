"""A replay: what is typed, what of the answers is seen, accepted and counted, and the page; with subjects that a test
scripts, and once with the real model."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import command_line
import pytest
from command_line import Run

from aigc_lsp.errors import UsageError
from aigc_lsp.measure import replay
from aigc_lsp.measure.figures import Figure, Report
from aigc_lsp.measure.replay import Replay, rows
from aigc_lsp.measure.replay_count import figures, kind_of, percentile, typed_by_machine
from aigc_lsp.measure.replay_page import page
from aigc_lsp.measure.replay_play import Moment, Played, Shown, Typing, is_prose, play
from aigc_lsp.measure.replay_scenes import Passage, Scene, Wanted, of_commits, of_file, passages_of, scenes
from aigc_lsp.measure.replay_subjects import Cost, Suggestion
from aigc_lsp.measure.replay_typist import Author, Change
from aigc_lsp.syntax.tree import parse
from aigc_lsp.text import Text

TYPING = Typing(slips=0.0, closes=True, waits=True)
SAMPLES = Path(__file__).parent.parent / "samples"
MODEL = "qwen2.5-coder-0.5b"

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


def scene(*passages: Passage, text: str = "") -> Scene:
    return Scene("till/till.py", Path("/till/till.py"), Path("/till"), "python", text, passages)


class Scripted:
    """A subject that answers `answer(what stands before the cursor, what stands behind it)`; it keeps the buffer."""

    name = "scripted"

    def __init__(self, answer: Callable[[str, str], str | Suggestion], cost: Cost | None = None) -> None:
        self._answer, self._cost = answer, cost or Cost("model", generated_tokens=3)
        self.text, self.asked, self.taken = "", list[str](), list[Suggestion]()

    async def open(self, scene: Scene) -> None:
        self.text = scene.text

    def change(self, change: Change) -> None:
        self.text = self.text[: change.start] + change.text + self.text[change.start + change.removed :]

    async def ask(self, cursor: int) -> Suggestion:
        self.asked.append(self.text[:cursor])
        said = self._answer(self.text[:cursor], self.text[cursor:])
        return said if isinstance(said, Suggestion) else Suggestion(said)

    async def cost(self) -> Cost:
        return self._cost

    async def accepted(self, suggestion: Suggestion) -> None:
        self.taken.append(suggestion)

    def cpu_seconds(self) -> float:
        return 0.0

    async def requests(self) -> int:
        return len(self.asked)

    async def close(self) -> None:
        pass


def after(before: str, said: str, replaced: int = 0) -> Callable[[str, str], Suggestion]:
    """`said` behind `before` alone."""
    return lambda text, _: Suggestion(said, replaced) if text.endswith(before) else Suggestion()


async def played(truth: str, answer: Callable[[str, str], str | Suggestion], typing: Typing = TYPING) -> Played:
    subject = Scripted(answer)
    found = await play(subject, scene(Passage(0, 0, truth)), typing)
    assert subject.text == truth
    return found


# Playing and counting


async def test_what_is_right_is_accepted_and_its_command_executed() -> None:
    subject = Scripted(after("x = ", "compute(y)"))
    found = await play(subject, scene(Passage(0, 0, "x = compute(y)\n")), TYPING)
    assert subject.text == "x = compute(y)\n"
    assert [each.text for each in subject.taken] == ["compute(y)"]
    assert [each.by for each in found.moments] == [*["type"] * 4, "accept"]
    assert [(each.accepted, each.is_right) for each in found.shown] == [("whole", True)]
    assert typed_by_machine([found]) == pytest.approx(100 * 10 / 15)
    assert found.model_requests == len(found.moments) == 5


async def test_of_several_lines_the_first_is_accepted_where_the_rest_is_wrong() -> None:
    subject = Scripted(after("x = ", "compute(y)\nraise"))
    found = await play(subject, scene(Passage(0, 0, "x = compute(y)\nreturn")), TYPING)
    assert [each.accepted for each in found.shown] == ["line"]
    assert subject.taken == []  # its command is for all of it
    assert subject.text == "x = compute(y)\nreturn"


async def test_typed_through_is_one_suggestion() -> None:
    """Wrong at its end, so that nobody accepts it, and shown at each key until that is clear."""
    said = "x = compute(z)"
    found = await played("x = compute(y)", lambda before, _: said[len(before) :] if said.startswith(before) else "")
    texts = [moment.shown for moment in found.moments if moment.shown]
    assert texts[0] == " = compute(z)"
    assert len(texts) > 8
    # Behind the bracket the editor's own closer is there: what is shown goes in front of it.
    assert [each.text for each in found.shown] == [" = compute(z)", "z)"]
    assert not any(each.is_right for each in found.shown)


async def test_typed_through_over_the_editors_closer_is_one_suggestion() -> None:
    def answer(before: str, behind: str) -> Suggestion:
        said = "f(abz)"
        return Suggestion(said[len(before) :], len(behind)) if said.startswith(before) and before else Suggestion()

    found = await played("f(abc)", answer)
    assert [each.text for each in found.shown] == ["(abz)"]


async def test_right_and_too_short_to_be_accepted_is_typed_through() -> None:
    found = await played("x = abc", after("x = ", "abc"))
    assert [(each.accepted, each.is_typed_through, each.is_right) for each in found.shown] == [("", True, True)]
    assert typed_by_machine([found]) == 0


async def test_who_is_slow_is_overtaken_and_cancelled() -> None:
    cancelled = []

    class Slow(Scripted):
        async def ask(self, cursor: int) -> Suggestion:
            if cursor > 1:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    cancelled.append(cursor)
                    raise
            return Suggestion("ong")

    found = await play(Slow(lambda *_: ""), scene(Passage(0, 0, "right")), Typing(slips=0.0))
    assert cancelled == [2, 3, 4]
    assert [moment.is_answered for moment in found.moments] == [True, False, False, False]
    assert [kind_of(moment) for moment in found.moments] == ["cold", "warm", "warm", "warm"]


async def test_what_is_shown_behind_a_typo_and_in_prose_is_marked() -> None:
    truth = 'def f():\n    """Words."""\n    return 1  # two\n'
    said = {'"""W': "orld", "retu": "rning", "# tw": "elve"}
    found = await played(truth, lambda before, _: next((said[end] for end in said if before.endswith(end)), ""))
    assert [(each.text, each.is_prose, each.is_astray) for each in found.shown] == [
        ("orld", True, False),
        ("rning", False, False),
        ("elve", True, False),
    ]
    found = await played("right = 1\n", lambda before, _: "wrong", Typing(slips=0.5, waits=True))
    assert {each.is_astray for each in found.shown} == {True, False}


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "# |one", True),
        ("python", "|# one", True),
        ("python", "x = 1|  # one", False),
        ("python", "x = 'a|b'", False),
        ("python", 'def f():\n    |"""One."""\n', True),
        ("python", 'def f():\n    """One.\n\n    Two |three.\n    """\n', True),
        ("typescript", "// o|ne", True),
        ("typescript", "const a = |1; // one", False),
        ("python", "|", False),
    ],
)
def test_comments_and_docstrings_are_prose(language: str, text: str, expected: bool) -> None:
    tree = parse(language, Text(text.replace("|", "")))
    assert tree is not None
    assert is_prose(tree, text.index("|")) is expected


async def test_no_garbage_is_collected_while_somebody_types() -> None:
    states = set[bool]()
    await played("x = 1\n", lambda *_: str(states.add(gc.isenabled()) or ""))
    assert states == {False}
    assert gc.isenabled()


async def test_a_subjects_own_clock_is_believed() -> None:
    found = await played("ab", lambda *_: Suggestion(ms=0.25))
    assert {each.ms for each in found.moments} == {0.25}


async def test_hunks_are_typed_one_after_the_other() -> None:
    text = "import os\n\nold = 1\nlast = 2\n"
    subject = Scripted(lambda *_: "")
    passages = (Passage(10, 0, "import re\n"), Passage(21, 8, "new = 1\n"), Passage(29, 9, ""))
    found = await play(subject, scene(*passages, text=text), Typing(slips=0.1, waits=True))
    assert subject.text == "import os\nimport re\n\nnew = 1\n"
    assert [moment.passage for moment in found.moments if moment.is_first] == [0, 1]
    assert [len(authors) for authors in found.authors] == [10, 8, 0]


async def test_the_same_keys_for_the_same_seed() -> None:
    truth = SAMPLES.joinpath("shop.py").read_text(encoding="utf-8")
    one, same, other = [Scripted(lambda *_: "") for _ in range(3)]
    for subject, seed in ((one, 1), (same, 1), (other, 2)):
        await play(subject, scene(Passage(0, 0, truth)), Typing(slips=0.05, waits=True, seed=seed))
    assert one.asked == same.asked
    assert one.asked != other.asked


async def test_what_is_logged() -> None:
    found = await played("x = compute(y)\nend", after("x = ", "compute(z)"))
    logged = [json.loads(json.dumps(row)) for row in rows(found)]
    row = next(row for row in logged if row["shown"])
    expected = {
        "file": "till/till.py", "language": "python", "line": 0, "character": 4, "shown": "compute(z)", "fits": "",
        "right_characters": 8, "truth_line": "compute(y)", "truth": "compute(y)\nend", "source": "model", "pieces": [],
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert len(logged) == len(found.moments)


# Arithmetic


@pytest.mark.parametrize(
    ("samples", "share", "expected"),
    [
        ([(1, True), (2, True), (3, True), (4, True)], 0.5, 2),
        ([(1, True), (2, True), (3, True), (4, True)], 0.95, 4),
        # Two of four were given up after 1: of those that were waited for longer, half took 2, the rest 3.
        ([(1, False), (1, False), (2, True), (3, True)], 0.5, 2),
        ([(1, False), (1, False), (2, True), (3, True)], 0.75, 3),
        ([(1, True), (2, False), (2, False)], 0.5, None),
        ([], 0.5, None),
    ],
)
def test_a_percentile_where_some_were_not_waited_for(
    samples: list[tuple[float, bool]], share: float, expected: float | None
) -> None:
    assert percentile(samples, share) == expected


def moment(source: str = "kept", ms: float = 2.0, *, is_first: bool = False, is_answered: bool = True) -> Moment:
    cost = Cost(source, prompt_tokens=100, reused_tokens=98, generated_tokens=10)
    return Moment(0, 0, 0, 0, "type", is_first, is_answered, ms, "", 0, cost, "", "", 0, False, "")


def counted(*moments: Moment, requests: int = 0, shown: Sequence[Shown] = ()) -> Played:
    authors: list[list[Author]] = [["human"] * 6 + ["machine"] * 4]
    found = Played("ours", scene(Passage(0, 0, "x" * 10)), authors, list(moments), list(shown))
    found.model_requests = requests
    return found


def by_name(found: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in found}


def test_figures_and_what_they_must_be() -> None:
    moments = [moment("model", 900, is_first=True), *[moment()] * 7, moment("none"), moment("model", 100)]
    found = by_name(figures([counted(*moments, requests=3)]))
    # By the model's own count: a request that was made ahead is one.
    assert found["answered without a forward pass"].ours == 70
    assert found["answered without a forward pass"].met is False
    assert "3 for 10 keystrokes" in found["answered without a forward pass"].note
    assert (found["kept, of all keys"].ours, found["asked for and answered, of all keys"].ours) == (70, 20)
    assert found["nothing to say, and nobody asked"].ours == 10
    assert (found["key to answer, warm, p50"].ours, found["key to answer, warm, p50"].met) == (100, True)
    assert (found["key to answer, cold, p50"].ours, found["key to answer, cold, p50"].met) == (900, True)
    assert (found["tokens prefilled a keystroke, warm, p95"].ours, found["typed by machine"].ours) == (2, 40)
    assert found["typed by machine"].met is True
    assert found["shown and not what was then typed"].ours is None


def test_what_was_under_way_and_what_was_overtaken_is_warm() -> None:
    moments = [
        moment("model", 900, is_first=True),
        moment("model", 100),
        moment("under way", 20),
        moment("under way", 40),
        moment("unknown", 50, is_answered=False),
        moment("kept", 1),
    ]
    assert [kind_of(each) for each in moments] == ["cold", "warm", "warm", "warm", "warm", "reuse"]
    found = by_name(figures([counted(*moments)]))
    # Of four, 20 and 40 are half; 50 was not waited for any longer.
    assert found["key to answer, warm, p50"].ours == 40
    assert found["key to answer, warm, p95"].ours == 100
    assert found["key to answer, warm, p50"].note == "4 requests, 1 overtaken by the next key"
    under_way = [figure for figure in found.values() if "under way when the key came" in figure.name]
    assert [figure.ours for figure in under_way] == [20, 40]
    assert found["under way, of all keys"].ours == pytest.approx(100 * 2 / 6)
    assert found["overtaken by the next key"].ours == pytest.approx(100 / 6)


def test_beside_one_that_is_all_but_always_overtaken_the_ratio_is_a_least_one() -> None:
    theirs = [moment("unknown", 10.0 * count, is_answered=False) for count in range(1, 101)]
    found = by_name(figures([counted(moment("model", 100))], [counted(*theirs)], "other"))["key to answer, warm, p50"]
    assert found.peer == 810  # 20 of them were waited for as long, or longer
    assert (found.ratio, found.met) == (pytest.approx(8.1), True)
    assert "100 were overtaken" in found.note


def test_what_the_wrong_ones_were() -> None:
    shown = [
        Shown(0, 0, "x = y", is_astray=True),
        Shown(0, 1, "words of a docstring", is_prose=True),
        Shown(0, 2, "a b"),
        Shown(0, 3, "long and wrong"),
        Shown(0, 4, "right", is_prose=True, is_astray=True, accepted="whole"),
    ]
    found = by_name(figures([counted(moment(), shown=shown)]))
    names = ("shorter than 6 characters", "in a comment or docstring", "behind a typo")
    assert [found[f"of the wrong ones, {name}"].ours for name in names] == [50, 25, 25]
    assert found["shown and not what was then typed"].ours == 80


def test_figures_beside_a_peers() -> None:
    ours = [counted(moment("model", 900, is_first=True), moment("model", 100))]
    peer = [counted(moment("model", 1000, is_first=True), moment("model", 700))]
    found = by_name(figures(ours, peer, "llama-server"))
    warm, cold = found["key to answer, warm, p50"], found["key to answer, cold, p50"]
    assert (warm.ratio, warm.met, warm.must) == (7, True, "≤ 120, ≥ 6 ×")
    assert (cold.met, cold.peer) == (False, 1000)
    assert found["typed by machine"].met is False  # as much as the peer is not more


def test_a_server_that_does_not_tell_has_a_kind_of_its_own() -> None:
    found = by_name(figures([counted(moment("unknown"), moment("unknown"), requests=1)]))
    assert found["kept, of all keys"].ours == 0
    assert found["answered without a forward pass"].ours == 50  # the model tells
    assert found["key to answer, unknown, p50"].ours == 2


# What is typed


def test_whole_functions_of_a_file_are_taken_out(tmp_path: Path) -> None:
    said = "".join(f"def f{number}():\n    return {number}\n\n\n" for number in range(12))
    path = tmp_path / "a.py"
    path.write_text(said, encoding="utf-8")
    found = of_file(path, tmp_path, Wanted(characters=60))
    assert found is not None
    (passage,) = found.passages
    assert passage.typed.startswith("def f3():")
    assert passage.typed.endswith("    return 5")
    assert found.text[: passage.start] + passage.typed + found.text[passage.start :] == said
    bare = of_file(path, tmp_path, Wanted(characters=60, from_line=30, is_bare=True))
    assert bare is not None
    assert bare.passages[0].typed.startswith("def f8():")
    assert said.startswith(bare.text + bare.passages[0].typed)


OLD = "import os\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 2\n"
NEW = "import os\nimport re\n\n\ndef f():\n    return 10\n\n\ndef h():\n    return 3\n    # end\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "till"
    root.mkdir()

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)

    git("init", "--quiet")
    for text in (OLD, NEW):
        root.joinpath("a.py").write_text(text, encoding="utf-8", newline="")
        git("add", ".")
        git("commit", "--quiet", "--message", "x")
    return root


def test_the_hunks_of_a_commit(repository: Path, tmp_path: Path) -> None:
    (found,) = of_commits(repository, 5, tmp_path / "scratch")
    assert found.text == OLD
    assert found.path.read_text(encoding="utf-8") == OLD  # no answer lies in the folder
    assert found.passages[0] == Passage(10, 0, "import re\n")
    text = found.text
    for passage in found.passages:
        text = text[: passage.start] + passage.typed + text[passage.start + passage.removed :]
    assert text == NEW


async def test_the_hunks_of_a_commit_are_typed(repository: Path, tmp_path: Path) -> None:
    (found,) = of_commits(repository, 5, tmp_path / "scratch")
    subject = Scripted(lambda *_: "")
    await play(subject, found, Typing(slips=0.05, waits=True))
    assert subject.text == NEW


@pytest.mark.parametrize(
    ("old", "new", "diff", "expected"),
    [
        ("a\nb\n", "a\n", "@@ -2 +1,0 @@", [Passage(2, 2, "")]),
        ("", "a\n", "@@ -0,0 +1 @@", [Passage(0, 0, "a\n")]),
        ("a", "a\nb", "@@ -1 +1,2 @@", [Passage(0, 1, "a\nb")]),
    ],
)
def test_a_hunk(old: str, new: str, diff: str, expected: list[Passage]) -> None:
    assert list(passages_of(old, new, diff)) == expected


def test_nothing_to_type_is_said(tmp_path: Path) -> None:
    tmp_path.joinpath("a.txt").write_text("words", encoding="utf-8")
    with pytest.raises(UsageError, match="nothing to type"), scenes([str(tmp_path)], Wanted(), tmp_path):
        pass


# The page


class Tags(HTMLParser):
    VOID = frozenset({"meta", "br", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.open, self.seen, self.links = list[str](), list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_the_page_is_whole_and_needs_nothing_else() -> None:
    answers = {"x = ": "compute(y)", "if a ": "> 1 and </pre>"}
    ours = await played("x = compute(y)\nif a < 1: pass\n", lambda before, _: answers.get(before.split("\n")[-1], ""))
    html = page(Replay(Report(tuple(figures([ours])), {"cpu": "a < b"}), (ours,), (ours,), "llama-server"))
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert tags.links == []
    assert "http" not in html
    assert html.count("<em>compute(y)</em>") == 2
    assert html.count("<span>&gt; 1 and &lt;/pre&gt;</span>") == 2
    assert tags.seen.count("path") == 4  # cold and warm, of both
    assert "if a <u" in html


# The command


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--pace", "slow"), "--pace is real or fast"),
        (("--peer", "ollama"), "llama-server=URL"),
    ],
)
def test_a_wrong_option_is_said(run: Run, tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    found = run("replay", str(tmp_path), *arguments)
    assert found.code == 2
    assert sentence in found.sentence


# With the model


@pytest.mark.model
@pytest.mark.process
def test_a_short_passage_in_real_time(tmp_path: Path) -> None:
    path = tmp_path / "shop.py"
    path.write_text(SAMPLES.joinpath("shop.py").read_text(encoding="utf-8"), encoding="utf-8")
    log = tmp_path / "log.jsonl"
    found = replay.run([str(path)], Wanted(characters=100), Typing(), MODEL, tmp_path, log=log)
    (ours,) = found.ours
    assert len(ours.authors[0]) == ours.scene.characters
    answered = [moment for moment in ours.moments if moment.is_answered]
    assert answered[0].is_first
    logged = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert len(logged) == len(answered)
    assert any(moment.cost.source == "model" and moment.cost.prompt_tokens for moment in answered)
    assert ours.cpu_seconds > 0
