"""`eval fim --against`: two models on the same rows, judged also where they end, and a run that goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import command_line
import pytest
from command_line import Run
from each_row import each_row
from tiny_model import tiny_decoder, tiny_tokenizer, tiny_weights

from aigc_lsp import catalogue
from aigc_lsp.config import CompletionConfig, Config
from aigc_lsp.dataset.example import Example, write
from aigc_lsp.engine.generate import Engine
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.measure import fim
from aigc_lsp.measure.fim_against import Pair, Written, first_of_each, is_exact, kind_of, lines, room_for
from aigc_lsp.measure.holes import Row, to_json
from aigc_lsp.pipeline import LINE_TOKENS

ONE, OTHER = catalogue.load(Config().model), "smollm2-135m"
ROWS = [
    Row("x = ", "\n", "ab", "rest_of_line", "a.py", "a"),
    Row("def f():\n    ", "\n", "a\n    b", "block", "a.py", "b"),
    Row("y = 1", "\n", "", "empty", "b.go", "c"),
]


@each_row(
    ("text", "true", "exact"),
    [
        ("ab", "ab", True),
        ("ab\nc", "ab", True),  # where it ends is another column
        ("abc", "ab", False),
        ("a\n    b\n    c", "a\n    b", True),
        ("a\n    c", "a\n    b", False),
        ("", "", True),
        ("\n", "", True),
        ("\na", "", False),
        ("a", "", False),
    ],
)
def test_exact(text: str, true: str, exact: bool) -> None:
    assert is_exact(text, true) == exact


@each_row(
    ("text", "ends", "true", "whole"),
    [
        ("ab", True, "ab", True),
        ("ab", False, "ab", False),  # it would have gone on
        ("ab\n", True, "ab", True),
        ("ab\nc", True, "ab", False),
        ("a\n    b\n    c", True, "a\n    b", False),
        ("a\n    b\n", True, "a\n    b", True),
        ("\na\n    b", True, "a\n    b", False),  # an empty line too many
        ("a\n    b", True, "\na\n    b", False),
        ("\nab", True, "ab", False),
        ("ab", True, "\nab", False),
        ("", True, "", True),
        ("", False, "", False),
    ],
)
def test_whole(text: str, ends: bool, true: str, whole: bool) -> None:
    written = Written("m", "a", text, is_exact(text, true), ends, len(true), 1.0)
    assert Pair(Row("", "", true), written, written).whole(written) == whole


def test_a_line_that_was_begun_is_a_kind_of_its_own() -> None:
    def kind(prompt: str, kind: str = "rest_of_line") -> str:
        return kind_of(Row(prompt, "", "x", kind))

    assert [kind("a\n  "), kind("a\n  b "), kind(""), kind("a\n  ", "block")] == [
        "line, behind its indentation",
        "line, begun",
        "line, behind its indentation",
        "block",
    ]
    rows = [Row(f"{number}", "", "x", "block") for number in range(5)] + [ROWS[0]]
    assert first_of_each(rows, 2) == [*rows[:2], ROWS[0]]


def test_the_lines_of_the_table() -> None:
    def written(row: Row, text: str, ends: bool) -> Written:
        true = row.canonical_solution
        return Written("m", row.task_id, text, is_exact(text, true), ends, len(true), 1.0)

    said = [("xyz", False, "ab", True), ("a\n    b", True, "a", True), ("no", False, "", True)]
    pairs = [
        Pair(row, written(row, one, ends), written(row, other, also))
        for row, (one, ends, other, also) in zip(ROWS, said, strict=True)
    ]
    found = {line.name: line for line in lines(pairs)}
    assert list(found) == ["block", "empty", "line, begun", "go", "python", "all"]
    assert (found["all"].holes, found["python"].holes) == (3, 2)
    assert found["all"].exact == pytest.approx((100 / 3, 200 / 3))
    assert found["all"].exact_gain[0] == pytest.approx(100 / 3)
    assert found["all"].exact_gain[1] <= found["all"].exact_gain[0] <= found["all"].exact_gain[2]
    assert (found["block"].exact_gain[0], found["line, begun"].exact_gain[0]) == (-100, 100)
    assert (found["block"].whole, found["line, begun"].whole) == ((100, 0), (0, 100))
    assert found["all"].whole_gain[0] == pytest.approx(100 / 3)
    assert found["all"].ends == pytest.approx((100 / 3, 100))
    assert found["line, begun"].length == (1.5, 1.0)
    assert found["empty"].length is None


# The command


folder = pytest.fixture(command_line.folder)


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def run(folder: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`aigc-lsp eval fim …` with the tiny model for every other."""
    vocabulary = Vocabulary(tiny_tokenizer())

    def load(model: catalogue.Model, config: Config) -> Engine:
        asked.append(model.name)
        return Engine(tiny_decoder(tiny_weights(len(vocabulary))), vocabulary)

    monkeypatch.setattr(fim, "load_engine", load)
    return partial(command_line.run(folder, monkeypatch, capsys), "eval", "fim")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text(to_json(ROWS), encoding="utf-8")
    return path


def test_both_are_asked_and_a_run_goes_on(run, asked: list[str], data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    arguments = (data, "--against", OTHER, "--max-tokens", 4, "--out", out)
    ran = run(*arguments)
    assert (ran.code, ran.err) == (0, "")
    title, heading, *found = ran.out.splitlines()
    assert title.strip() == f"{ONE.name} → {OTHER}"
    assert heading.split()[:2] == ["holes", "exact,"]
    assert [line.split()[0] for line in found] == ["block", "empty", "line,", "go", "python", "all"]
    assert asked == [ONE.name, OTHER]
    results = out.read_text().split("\n")[:-1]
    assert len(results) == 6

    assert run(*arguments).out == ran.out
    assert asked == [ONE.name, OTHER]  # all was known
    out.write_text("\n".join(results)[:-9])  # a run that was killed while it wrote its last
    told = json.loads(run(*arguments, "--json").out)
    assert asked == [ONE.name, OTHER, OTHER]
    assert [row["task_id"] for row in told["rows"]] == ["a", "b", "c"]
    assert told["summary"][-1]["holes"] == 3


@pytest.mark.parametrize("change", ["weights", "settings", "row"])
def test_what_was_asked_otherwise_is_asked_anew(
    run, asked: list[str], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    def arguments(max_tokens: int) -> tuple[object, ...]:
        return data, "--against", OTHER, "--max-tokens", max_tokens, "--out", tmp_path / "out.jsonl"

    assert run(*arguments(4)).code == 0
    if change == "weights":  # trained further, under the same name
        monkeypatch.setattr(catalogue.Model, "packed_from", property(lambda self: "more" if self.name == OTHER else ""))
    if change == "row":
        data.write_text(to_json([replace(ROWS[0], suffix="\n\n"), *ROWS[1:]]))
    assert run(*arguments(3 if change == "settings" else 4)).code == 0
    assert asked == [ONE.name, OTHER, ONE.name, OTHER]


def test_a_dataset_is_judged_by_what_it_holds_out(run, data: Path, tmp_path: Path) -> None:
    made = [
        Example(name, "p", f"{name}.py", "python", "block", "spm", "x = ", "\n", "ab", ends=ends)
        for name, ends in (("a", True), ("b", False), ("c", True), ("d", True))
    ]
    write(tmp_path, "held", made)
    told = json.loads(run(tmp_path, "--against", OTHER, "--max-tokens", 2, "--each", 2, "--json").out)
    assert [row["task_id"] for row in told["rows"]] == ["a", "c"]


@pytest.mark.parametrize(
    ("option", "value", "picked", "wrong"),
    [("--kinds", "block,empty", ["b", "c"], "blocks"), ("--languages", "python,rust", ["a", "b"], "py")],
)
def test_rows_are_picked(run, data: Path, option: str, value: str, picked: list[str], wrong: str) -> None:
    told = json.loads(run(data, "--against", OTHER, "--max-tokens", 2, option, value, "--json").out)
    assert [row["task_id"] for row in told["rows"]] == picked
    ran = run(data, option, wrong)
    assert (ran.code, ran.out) == (2, "")
    assert f"no rows of the {option.removeprefix('--')} {wrong}" in ran.err


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--against", OTHER, "--polish"), "--polish"),
        (("--against", "nope"), "The known models are"),
        (("--against", OTHER, "--out", "broken"), "Line 1 of broken"),
    ],
)
def test_wrong_options(run, data: Path, tmp_path: Path, monkeypatch, arguments: tuple[str, ...], part: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken").write_text("{}\n")
    ran = run(data, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert part in ran.err


def test_rows_need_names_of_their_own(run, data: Path) -> None:
    data.write_text(to_json([ROWS[0], ROWS[0]]))
    ran = run(data, "--against", OTHER)
    assert (ran.code, ran.out) == (2, "")
    assert "task_id" in ran.err


def test_as_much_room_as_a_suggestion_has() -> None:
    assert [room_for("", 0), room_for("x = 1", 5), room_for("x = 1\n", 5)] == [LINE_TOKENS] * 3
    assert room_for("a\nb", 5) == CompletionConfig().max_tokens
    assert (room_for("long", 60), room_for("long\nlines", 200)) == (76, 216)
