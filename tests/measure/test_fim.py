"""`eval fim` and `eval build`: reports of scripted completers, the completer of an engine, the commands."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import command_line
import pytest
import tiny_model
from command_line import Ran, Run
from tiny_model import Scripted, tiny_decoder, tiny_tokenizer, tiny_weights

from aigc_lsp import catalogue, cli
from aigc_lsp.config import Config
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import UsageError
from aigc_lsp.measure import fim
from aigc_lsp.measure.fim import Settings, compared, evaluate, model_completer
from aigc_lsp.measure.holes import Row, to_json

MODEL = catalogue.load(Config().model)
PACKAGE = Path(__file__).resolve().parents[2] / "aigc_lsp"

ROWS = [
    Row("x = ", "\n", "1 + 2", kind="rest", task_id="a"),
    Row("y = ", "\n", "3 + 4", kind="rest", task_id="b"),
    Row("def f():\n    ", "\n", "a()\n    b()", kind="block", task_id="c"),
    Row("def g():\n    ", "\n", "a()\n    b()", kind="block", task_id="d"),
]
ANSWERS = {"a": "1 + 2", "b": "3 - 4", "c": "a()\n    b()\n    c()", "d": "a()\n    c()"}

ADD = Row(
    "def add(a, b):\n",
    "\n",
    "    return a + b",
    test="def check(candidate):\n    assert candidate(2, 3) == 5",
    entry_point="add",
    task_id="add",
)


one_thread = pytest.fixture(scope="module", autouse=True)(tiny_model.one_thread)


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(tiny_tokenizer())


@pytest.fixture
def scripted(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    monkeypatch.setattr(fim, "OFFERED", 0)  # a script has one step for each row
    return Scripted(tiny_weights(len(vocabulary)), vocabulary)


# Reports


def test_a_report() -> None:
    report = evaluate(lambda row: ANSWERS[row.task_id], ROWS)
    assert [score.exact for score in report.scores] == [True, False, True, True]
    assert [score.exact_whole for score in report.scores] == [None, None, True, False]
    # All but one character is common: of 5, and of 11.
    assert [score.similarity for score in report.scores] == pytest.approx([100, 80, 100, 100 * 10 / 11])
    block, rest, total = report.summaries()
    assert (block.kind, block.n, block.exact, block.several_lines, block.exact_whole) == ("block", 2, 100, 2, 50)
    assert (rest.kind, rest.n, rest.exact, rest.several_lines, rest.exact_whole) == ("rest", 2, 50, 0, None)
    assert rest.similarity == pytest.approx(90)
    assert total == report.total
    assert (total.kind, total.n, total.exact, total.tested, total.pass_rate) == ("total", 4, 75, 0, None)
    assert (total.exact_low, total.exact_high) == pytest.approx((30.06, 95.44), abs=0.01)
    assert total.seconds == pytest.approx(block.seconds + rest.seconds)


def test_a_report_of_one_kind_and_of_none() -> None:
    assert [summary.kind for summary in evaluate(lambda row: "", ROWS[:2]).summaries()] == ["total"]
    (total,) = evaluate(lambda row: "", []).summaries()
    assert (total.n, total.exact, total.exact_low, total.exact_high) == (0, 0, 0, 100)


def test_tests_are_run_only_when_asked() -> None:
    right: Callable[[Row], str] = lambda row: row.canonical_solution  # noqa: E731
    assert evaluate(right, [ADD]).scores[0].passed is None
    report = evaluate(right, [ADD, ROWS[0]], run_tests=True)
    assert [score.passed for score in report.scores] == [True, None]
    assert (report.total.tested, report.total.pass_rate) == (1, 100)


def test_wrong_and_endless_answers_do_not_pass() -> None:
    wrong = evaluate(lambda row: "    return a - b", [ADD], run_tests=True)
    endless = evaluate(lambda row: "    while True: pass", [ADD], run_tests=True, time_limit=0.3)
    assert [wrong.total.pass_rate, endless.total.pass_rate] == [0, 0]


# The completer of an engine


def say(engine: Scripted, text: str) -> None:
    engine.say(*(character.encode() for character in text))


def test_a_line_ends_at_its_newline(scripted: Scripted) -> None:
    complete = model_completer(scripted, MODEL, Settings(heal=False))
    say(scripted, "abc\ndef")
    assert complete(Row("x = ", "\n", "abc")) == "abc"
    say(scripted, "abc\ndef")
    assert complete(Row("x = ", "y", "    abc\n")) == "abc\n"  # so that the program is one


def test_a_block_ends_where_the_reference_does(scripted: Scripted) -> None:
    row = Row("x = ", "\n", "a\nb\n\n")
    say(scripted, "a\nc\nd\ne")
    assert model_completer(scripted, MODEL, Settings(heal=False))(row) == "a\nc\n"
    say(scripted, "a\nc\nd\ne")
    assert model_completer(scripted, MODEL, Settings(heal=False, whole=True, max_tokens=7))(row) == "a\nc\nd\ne"


def test_the_end_token_ends_it(scripted: Scripted) -> None:
    scripted.say(b"a", b"b", scripted.vocabulary.control(MODEL.eos[0]), b"c")
    assert model_completer(scripted, MODEL, Settings(heal=False))(Row("x = ", "\n", "ab\n")) == "ab"


def test_the_prompt_is_as_asked(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    generate = scripted.generate
    monkeypatch.setattr(scripted, "generate", lambda request: asked.append(request) or generate(request))
    row = Row("item = lef", "suffix", "t")
    for settings in compared(Settings(max_tokens=1)):
        model_completer(scripted, MODEL, settings)(row)
    psm, psm_healed, spm, spm_healed = asked
    suffix = scripted.vocabulary.control(MODEL.fim.suffix)
    assert [request.tokens.index(suffix) for request in (spm, spm_healed)] == [1, 1]
    assert psm.tokens.index(suffix) > psm_healed.tokens.index(suffix) > 1
    assert psm.heal == spm.heal == b""
    assert psm_healed.heal == spm_healed.heal != b""
    assert b"lef".endswith(psm_healed.heal) or psm_healed.heal.endswith(b"lef")


def test_what_a_model_cannot(scripted: Scripted) -> None:
    with pytest.raises(UsageError, match="spm, psm, prefix"):
        model_completer(scripted, MODEL, Settings(order="spn"))
    with pytest.raises(UsageError, match="room"):
        model_completer(scripted, MODEL, Settings(prefix_tokens=MODEL.context_length))


def test_settings_are_filled_in() -> None:
    assert Settings().filled_in(MODEL) == Settings(MODEL.fim.order, MODEL.fim.healing)
    assert Settings("psm", False).filled_in(MODEL) == Settings("psm", False)


# The commands


folder = pytest.fixture(command_line.folder)


@pytest.fixture
def run(
    folder: Path, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """`aigc-lsp eval …` with the tiny model and nothing of the user's settings."""
    monkeypatch.setattr(
        fim, "load_engine", lambda model, config: Engine(tiny_decoder(tiny_weights(len(vocabulary))), vocabulary)
    )
    return partial(command_line.run(folder, monkeypatch, capsys), "eval")


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "rows.jsonl"
    path.write_text(to_json(ROWS), encoding="utf-8")
    return path


def test_eval_fim(run, data: Path) -> None:
    ran = run("fim", data, "--max-tokens", 4)
    assert (ran.code, ran.err) == (0, "")
    heading, *lines = ran.out.splitlines()
    assert heading.split()[:2] == ["holes", "exact"]
    assert [line.split()[:2] for line in lines] == [["block", "2"], ["rest", "2"], ["total", "4"]]


def test_eval_fim_as_json(run, data: Path) -> None:
    ran = run(
        "fim", data, "--limit", 3, "--order", "psm", "--no-heal", "--max-tokens", 4, "--suffix-tokens", 9, "--json"
    )
    assert (ran.code, ran.err) == (0, "")
    told = json.loads(ran.out)
    assert (told["data"], told["model"], told["run_tests"]) == (str(data), MODEL.name, False)
    (only,) = told["runs"]
    asked = Settings("psm", False, 4, Config().context.prefix_tokens, 9)
    assert only["settings"] == dataclasses.asdict(asked)
    assert [summary["kind"] for summary in only["summary"]] == ["block", "rest", "total"]
    assert [row["task_id"] for row in only["rows"]] == ["a", "b", "c"]


def test_eval_fim_compares(run, data: Path) -> None:
    ran = run("fim", data, "--compare", "orders", "--max-tokens", 2)
    assert ran.code == 0
    assert [line.strip().split("  ")[0] for line in ran.out.splitlines()[1:]] == [
        "psm, not healed",
        "psm, healed",
        "spm, not healed",
        "spm, healed",
    ]
    told = json.loads(run("fim", data, "--compare", "orders", "--max-tokens", 2, "--json").out)
    assert [(found["settings"]["order"], found["settings"]["heal"]) for found in told["runs"]] == list(fim.COMPARED)


def test_eval_fim_runs_tests(run, data: Path) -> None:
    data.write_text(to_json([ADD, ROWS[0]]))
    total = json.loads(run("fim", data, "--run-tests", "--max-tokens", 2, "--json").out)["runs"][0]["summary"][-1]
    assert (total["tested"], total["pass_rate"]) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--order", "spn"), "spm, psm, prefix"),
        (("--compare", "models"), "`orders`"),
        (("--compare", "orders", "--heal"), "--heal"),
        (("--model", "nope"), "The known models are"),
        (("--model", "smollm2-135m", "--compare", "orders"), "prefix"),
        (("--run-tests",), "entry_point"),
        (("--prefix-tokens", "99999"), "room"),
    ],
)
def test_eval_fim_with_wrong_options(run, data: Path, arguments: tuple[str, ...], part: str) -> None:
    ran = run("fim", data, *arguments)
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert part in line


def test_eval_fim_names_the_bad_line(run, data: Path) -> None:
    with data.open("a", encoding="utf-8") as file:
        file.write("{oh\n")
    ran = run("fim", data)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"aigc-lsp: Line 5 of {data} is not JSON")
    assert run("fim", data.parent / "missing.jsonl").code == 2


def test_the_help_says_that_code_is_run(run) -> None:
    assert "RUNS CODE THAT THE MODEL WROTE" in run("fim", "-h").out


def test_eval_build_then_fim(run, tmp_path: Path) -> None:
    printed = run("build", PACKAGE / "syntax", "--count", 6, "--kinds", "rest,line", "--suffix", "py")
    assert (printed.code, printed.err) == (0, "")
    written = run("build", PACKAGE / "syntax", "--count", 6, "--kinds", "rest,line", "--out", tmp_path / "a.jsonl")
    assert written == Ran(0, "", "")
    assert (tmp_path / "a.jsonl").read_text(encoding="utf-8") == printed.out
    assert len(printed.out.splitlines()) == 6
    assert run("fim", tmp_path / "a.jsonl", "--max-tokens", 1).code == 0


def test_eval_build_with_wrong_options(run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("value = 1\n")
    few = run("build", tmp_path, "--count", 9, "--kinds", "line")
    assert (few.code, few.err) == (0, f"aigc-lsp: {tmp_path} gives 1 holes, not 9.\n")
    for arguments, part in (
        ((tmp_path / "missing",), "not a folder"),
        ((tmp_path, "--kinds", "words"), "line, rest, span, lines, block"),
        ((tmp_path, "--suffix", "zig"), "no grammar"),
        ((tmp_path, "--suffix", "ts"), "No hole"),
    ):
        ran = run("build", *arguments)
        assert (ran.code, ran.out) == (2, ""), arguments
        assert part in ran.err


@pytest.mark.model
def test_the_default_model_fills_holes_of_this_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands as a user gives them."""

    def call(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["aigc-lsp", "eval", *map(str, arguments)])
        cli.app(standalone_mode=False)
        return capsys.readouterr().out

    call("build", PACKAGE / "syntax", "--count", 6, "--kinds", "rest,rest,line", "--out", tmp_path / "holes.jsonl")
    (told,) = json.loads(call("fim", tmp_path / "holes.jsonl", "--limit", 6, "--json"))["runs"]
    assert [summary["kind"] for summary in told["summary"]] == ["line", "rest", "total"]
    total = told["summary"][-1]
    assert total["n"] == 6
    assert total["exact"] >= 100 / 6 - 0.01
    assert total["exact_low"] < total["exact"] < total["exact_high"] or total["exact"] == 100
    assert 0 < total["similarity"] <= 100
    assert total["seconds"] > 0
