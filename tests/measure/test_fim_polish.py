"""`eval fim --polish`: what of a model's words the editor would show, and how both are judged and told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import command_line
import pytest
import tiny_model
from command_line import Run
from tiny_model import Scripted, tiny_decoder, tiny_tokenizer, tiny_weights

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.measure import fim, scores
from aigc_lsp.measure.fim import Settings
from aigc_lsp.measure.fim_polish import Judged, Outcome, Said, Shown, cursor, judge, shown, speaker
from aigc_lsp.measure.holes import Row, to_json

MODEL = catalogue.load(Config().model)
SETTINGS = Settings(heal=False).filled_in(MODEL)

LINE = Row("def add(a, b):\n    total = ", "\n    return total\n", "a + b", "line", "add.py", "line")
LINES = Row(
    "def add(a, b):\n    ",
    "\n    return total\n\n\nprint(add)\n",
    "total = a\n    total += b",
    "lines",
    "add.py",
    "lines",
)
BODY = Row("def add(a, b):\n    ", "\n\n\nprint(add)\n", "return a + b", "line", "add.py", "body")
CALL = Row("total = a\nprint(", ")\nprint(b)\n", "total", "span", "add.py", "call")
WORD = Row("total = a\nprint(to", "al)\n", "t", "span", "add.py", "word")

TESTED = Row(
    "def add(a, b):\n    return (",
    ")\n",
    "a + b",
    path="add.py",
    task_id="tested",
    test="def check(candidate):\n    assert candidate(2, 3) == 5",
    entry_point="add",
)


def polish(row: Row, text: str, ended: bool = True) -> Shown:
    """`text` said character by character."""
    return shown(Said(tuple(text), ended), cursor(row, SETTINGS, 16))


@pytest.mark.parametrize(
    ("row", "text", "expected"),
    [
        (LINE, "a + b", Shown("a + b", 0, ())),
        (LINE, "a + b\n    return total", Shown("a + b", 0, ("line",))),
        # No line opens a block here, but the hole has several.
        (LINES, "total = a\n    total += b", Shown("total = a\n    total += b", 0, ())),
        (LINES, "total = a\n    total += b\n    return total\n", Shown("total = a\n    total += b", 0, ("suffix",))),
        (LINES, "total = a + b\n\ndef more():\n    pass", Shown("total = a + b", 0, ("block",))),
        (BODY, "c = a\n    return c + b\n\ndef more():", Shown("c = a\n    return c + b", 0, ("block",))),
        (WORD, "t", Shown("", 0, ("word",))),
    ],
)
def test_what_is_shown(row: Row, text: str, expected: Shown) -> None:
    assert polish(row, text) == expected


def test_closers_that_the_model_did_not_see() -> None:
    assert polish(CALL, "total)") == Shown("total", 0, ("cut",))
    assert polish(CALL, "total, end=')')").text.startswith("total, end=')'")


def test_what_does_not_parse_is_not_shown() -> None:
    kept = polish(LINES, "total = a\n    total = ] b\n    total += b")
    assert kept.text == "total = a"
    assert kept.steps == ("gate",)


def test_a_limit_ends_in_the_middle_of_something() -> None:
    cut = polish(LINES, "total = a\n    total += b_and_mo", ended=False)
    assert (cut.text, cut.steps) == ("total = a", ("cut",))
    assert polish(LINES, "total = a\n    total += b_and_mo").text.endswith("b_and_mo")


# Judging


def test_closers_that_are_replaced_belong_to_the_hole() -> None:
    judged = judge(TESTED, "a + b)", Shown("a + b)", 1, ()), run_tests=True)
    assert (judged.raw.exact, judged.raw.passed) == (False, False)  # `return (a + b))`
    assert (judged.polished.exact, judged.polished.passed) == (True, True)
    assert judge(TESTED, "a - b", Shown("a - b", 0, ()), run_tests=True).polished.passed is False


def test_the_same_program_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(scores, "passes", lambda program: not ran.append(program))
    judge(TESTED, "a + b", Shown("a + b", 0, ()), run_tests=True)
    assert len(ran) == 1
    judge(TESTED, "a + b", Shown("a", 0, ("cut",)), run_tests=True)
    assert len(ran) == 3
    assert judge(TESTED, "a + b", Shown("a", 0, ("cut",)), run_tests=False).raw.passed is None
    assert len(ran) == 3


@pytest.mark.parametrize(
    ("solution", "suffix", "kind"),
    [
        ("a\n    b", "\nc", "span"),
        ("a\n    b", "", "span"),
        ("a\n    b", " \nc", "span"),
        ("a", " + b\nc", "span"),
        ("a\n    b", "ody\n", "span, torn"),
    ],
)
def test_holes_that_end_within_another_line_are_told_apart(solution: str, suffix: str, kind: str) -> None:
    row = Row("def f():\n    ", suffix, solution, "span", "a.py")
    found = judge(row, "x", Shown("x", 0, ()), run_tests=False)
    assert (found.raw.kind, found.polished.kind) == (kind, kind)


def judged(kind: str, source: str, raw: str, polished: str, steps: tuple[str, ...], ran: tuple[bool, bool]) -> Judged:
    row = Row("x = ", "\n", "right", kind, source, f"{source}:{raw}:{polished}")
    return Judged(
        source,
        fim.score(row, raw, ran[0], 1.0),
        fim.score(row, polished, ran[1], 1.0),
        steps if raw != polished else (),
    )


OUTCOME = Outcome(
    (
        judged("line", "a", "right", "right", ("line",), (True, True)),
        judged("line", "b", "right", "", ("cut", "gate"), (True, False)),
        judged("line", "c", "wrong", "wrong", (), (False, False)),
        judged("lines", "a", "right\nmore", "right", ("suffix",), (False, True)),
        judged("lines", "b", "wrong\nmore", "right", ("suffix",), (False, True)),
        judged("lines", "c", "wrong\nmore", "wrong", ("block",), (False, False)),
    )
)


def test_comparisons() -> None:
    line, lines, total = OUTCOME.comparisons
    assert (line.raw.kind, line.raw.n, line.changed) == ("line", 3, 1)
    assert (line.raw.exact, line.polished.exact) == pytest.approx((200 / 3, 100 / 3))
    assert line.gain[0] == line.pass_gain[0] == pytest.approx(-100 / 3)
    assert line.gain[1] <= line.gain[0] <= line.gain[2] <= 0
    assert (lines.raw.pass_rate, lines.polished.pass_rate) == pytest.approx((0, 200 / 3))
    assert (lines.polished.pass_low, lines.polished.pass_high) == pytest.approx((20.77, 93.85), abs=0.01)
    assert lines.pass_gain[0] == pytest.approx(200 / 3)
    assert (total.raw.kind, total.raw.n, total.changed) == ("total", 6, 4)
    assert Outcome(OUTCOME.rows[:3]).comparisons == [line]


def test_what_each_step_did() -> None:
    told = [(step.kind, step.steps, step.n, step.fixed, step.broken) for step in OUTCOME.steps]
    assert told == [("line", "cut + gate", 1, 0, 1), ("lines", "suffix", 2, 1, 0), ("lines", "block", 1, 0, 0)]
    assert [(step.pass_fixed, step.pass_broken) for step in OUTCOME.steps] == [(0, 1), (2, 0), (0, 0)]


# The model


one_thread = pytest.fixture(scope="module", autouse=True)(tiny_model.one_thread)


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(tiny_tokenizer())


@pytest.fixture
def speak(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> Callable[[Row, str], tuple[str, Said, int]]:
    """What is taken of `text` for a row, raw and to be polished, and how often the model was asked."""
    monkeypatch.setattr(fim, "OFFERED", 0)  # a script has one step for each row

    def call(row: Row, text: str, max_tokens: int = 60) -> tuple[str, Said, int]:
        engine = Scripted(tiny_weights(len(vocabulary)), vocabulary)
        asked: list[object] = []
        generate = engine.generate

        def counting(request: object) -> object:
            asked.append(request)
            engine.say(*(character.encode() for character in text), vocabulary.control(MODEL.eos[0]))
            return generate(request)  # type: ignore[arg-type]

        monkeypatch.setattr(engine, "generate", counting)
        settings = Settings(heal=False, max_tokens=max_tokens).filled_in(MODEL)
        raw, said = speaker(engine, MODEL, settings)(row, cursor(row, settings, 16))
        return raw, said, len(asked)

    return call


Speak = Callable[..., tuple[str, Said, int]]


def test_a_line_is_read_to_its_newline(speak: Speak) -> None:
    raw, said, asked = speak(LINE, "a + b\nmore")
    assert (raw, said.text, said.ended, asked) == ("a + b", "a + b\n", True, 1)


def test_where_a_block_begins_polish_hears_more_than_the_line(speak: Speak) -> None:
    raw, said, asked = speak(BODY, "c = a\n    return c\nmore()\nno")
    assert raw == "c = a"
    assert said.text.startswith("c = a\n    return c\nm")
    assert not said.text.endswith("no")
    assert asked == 1


def test_several_lines_are_read_to_the_end(speak: Speak) -> None:
    raw, said, asked = speak(LINES, "a = 1\nb\nc\nd")
    assert raw == said.text == "a = 1\nb\nc\nd"
    assert (said.ended, asked) == (True, 1)
    assert speak(LINES, "a = 1\nb\nc\nd", 4)[1] == Said(tuple("a = "), False)


def test_a_prompt_without_the_closers_is_asked_for_itself(speak: Speak) -> None:
    raw, said, asked = speak(CALL, "total)\nmore")
    assert (raw, said.text, asked) == ("total)", "total)\n", 2)


# The command


folder = pytest.fixture(command_line.folder)


@pytest.fixture
def run(
    folder: Path, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.setattr(
        fim, "load_engine", lambda model, config: Engine(tiny_decoder(tiny_weights(len(vocabulary))), vocabulary)
    )
    return partial(command_line.run(folder, monkeypatch, capsys), "eval", "fim")


def written(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text(to_json(rows), encoding="utf-8")
    return path


def test_the_table(run: Run, tmp_path: Path) -> None:
    ran = run(written(tmp_path, [TESTED, LINES]), "--polish", "--run-tests", "--max-tokens", 8)
    assert (ran.code, ran.err) == (0, "")
    lines = [line.split() for line in ran.out.splitlines()]
    assert max(map(len, ran.out.splitlines())) <= 80
    assert [line[:3] for line in lines[1:6]] == [
        ["unnamed", "exact", "1"],
        ["unnamed", "passed", "1"],
        ["lines", "exact", "1"],
        ["total", "exact", "2"],
        ["total", "passed", "1"],
    ]


def test_as_json(run: Run, tmp_path: Path) -> None:
    told = json.loads(run(written(tmp_path, [TESTED, LINES]), "--polish", "--max-tokens", 8, "--json").out)
    assert (told["model"], told["run_tests"], told["settings"]["max_tokens"]) == (MODEL.name, False, 8)
    for side in ("raw", "polished"):
        assert [row["task_id"] for row in told[side]["rows"]] == ["tested", "lines"]
    assert [each["kind"] for each in told["compared"]] == ["", "lines", "total"]
    assert set(told["changed_by"]) <= {"tested", "lines"}
    assert sum(step["n"] for step in told["steps"]) == told["compared"][-1]["changed"] == len(told["changed_by"])


@pytest.mark.parametrize(
    ("arguments", "part"), [(("--compare", "orders"), "--polish"), (("--run-tests",), "entry_point")]
)
def test_wrong_options(run: Run, tmp_path: Path, arguments: tuple[str, ...], part: str) -> None:
    ran = run(written(tmp_path, [LINE]), "--polish", *arguments)
    assert ran.code == 2
    assert part in ran.sentence
