"""`eval repo`: variants on the same holes, results that are kept, what one gains over another. No real model."""

from __future__ import annotations

import json
from pathlib import Path

import command_line
import pytest
from command_line import Run
from test_repo_holes import SHOP, lay
from tiny_model import tiny_tokenizer

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import UsageError
from aigc_lsp.measure import fim, repo
from aigc_lsp.measure.holes import Row
from aigc_lsp.measure.projects import Tree
from aigc_lsp.measure.repo import Asked, Log, Outcome, Variant, ask, compare, variant_named
from aigc_lsp.measure.scores import mean_interval
from aigc_lsp.prompt.infill import Prompt
from aigc_lsp.text import Text

MODEL = catalogue.load(Config().model)
ALONE, ALL = Variant("alone"), Variant("all", ("all",))

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


@pytest.fixture
def asked(tmp_path: Path) -> list[Asked]:
    tills = {f"shop/till{number}.py": SHOP["shop/till.py"] for number in range(3)}
    root = lay(tmp_path / "shop", {"shop/basket.py": SHOP["shop/basket.py"], **tills})
    return ask([Tree("shop", root)], 9, 1)


class Scripted:
    """Prompts say which variant they are of; with context the answer is right, without it only in `other` lines."""

    def __init__(self, stops_after: int = 1000) -> None:
        self.prompted: list[tuple[str, str, int, str]] = []
        self._stops_after = stops_after

    async def prompt(self, root: Path, path: str, text: Text, offset: int, variant: Variant) -> Prompt:
        if len(self.prompted) == self._stops_after:
            raise KeyboardInterrupt
        assert (root / path).is_file()
        self.prompted.append((variant.label, path, offset, text.source))
        tokens = (0,) * (30 if variant.sources else 10)
        return Prompt(tokens, b"", (), False)

    def write(self, prompt: Prompt, row: Row) -> str:
        return row.canonical_solution if len(prompt.tokens) == 30 or row.kind == "other" else "?"


async def test_variants_see_the_same_masked_files(asked: list[Asked]) -> None:
    scripted = Scripted()
    await repo.run(asked, [ALONE, ALL], scripted.prompt, scripted.write, Log(None, "tiny"))
    half = len(asked)
    assert [label for label, *_ in scripted.prompted] == ["alone"] * half + ["all"] * half
    assert [place for _, *place in scripted.prompted[:half]] == [place for _, *place in scripted.prompted[half:]]
    for each, (_, path, offset, source) in zip(asked, scripted.prompted, strict=False):
        whole = (each.root / path).read_text(encoding="utf-8")
        assert source[:offset] == whole[:offset]
        assert source[offset:].startswith("\n")
        assert source == whole[: each.hole.start] + whole[each.hole.end :]


async def test_what_context_gains(asked: list[Asked]) -> None:
    scripted = Scripted()
    outcomes = await repo.run(asked, [ALONE, ALL], scripted.prompt, scripted.write, Log(None, "tiny"))
    found = {(each.group, each.variant): each for each in compare(outcomes)}
    assert list(dict.fromkeys(group for group, _ in found)) == ["cross-call", "cross-rest", "cross", "other", "all"]
    alone, context = found["cross", "alone"], found["cross", "all"]
    assert (alone.summary.n, alone.summary.exact, alone.prompt_tokens, alone.exact_gain) == (6, 0, 10, None)
    assert (context.summary.n, context.summary.exact, context.prompt_tokens) == (6, 100, 30)
    assert context.exact_gain == (100, 100, 100)
    assert context.similarity_gain is not None
    assert context.similarity_gain[0] == pytest.approx(context.summary.similarity - alone.summary.similarity)
    assert found["other", "all"].exact_gain == (0, 0, 0)
    mean, low, high = found["all", "all"].exact_gain or (0, 0, 0)
    assert mean == pytest.approx(100 * 6 / 9)
    assert 0 < low <= mean <= high <= 100


async def test_a_run_goes_on_where_it_was_cut(asked: list[Asked], tmp_path: Path) -> None:
    out = tmp_path / "results" / "out.jsonl"
    cut = Scripted(stops_after=4)
    with pytest.raises(KeyboardInterrupt):
        await repo.run(asked, [ALONE], cut.prompt, cut.write, Log(out, "tiny"))
    assert len(out.read_text().splitlines()) == 4
    with out.open("a") as file:
        file.write('{"variant": "alo')  # killed while it wrote
    again = Scripted()
    outcomes = await repo.run(asked, [ALONE], again.prompt, again.write, Log(out, "tiny"))
    assert len(again.prompted) == len(asked) - 4
    assert [each.score.task_id for each in outcomes] == [each.row.task_id for each in asked]
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [record["task_id"] for record in records] == [each.row.task_id for each in asked]
    assert [record["reference"] for record in records] == [each.row.canonical_solution for each in asked]
    # Another variant is asked for all; what was known of the first is set beside it.
    more = Scripted()
    both = await repo.run(asked, [ALONE, ALL], more.prompt, more.write, Log(out, "tiny"))
    assert {label for label, *_ in more.prompted} == {"all"}
    assert both[: len(asked)] == outcomes


async def test_results_of_something_else_are_not_taken(asked: list[Asked], tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    scripted = Scripted()
    await repo.run(asked[:1], [ALONE], scripted.prompt, scripted.write, Log(out, "tiny"))
    for log, variant in ((Log(out, "large"), ALONE), (Log(out, "tiny"), Variant("alone", prefix_tokens=99))):
        with pytest.raises(UsageError, match="another label"):
            log.outcomes(variant)
    assert len(Log(out, "tiny").outcomes(ALONE)) == 1
    assert Log(out, "tiny").outcomes(ALL) == {}
    for line in ("oh", "{}", '{"variant": "alone"}', "[]"):
        out.write_text(f"{line}\n")
        with pytest.raises(UsageError, match="Line 1 of"):
            Log(out, "tiny")


async def test_labels_must_differ(asked: list[Asked]) -> None:
    scripted = Scripted()
    with pytest.raises(UsageError, match="same label"):
        await repo.run(asked, [ALONE, ALONE], scripted.prompt, scripted.write, Log(None, "tiny"))


def test_projects_are_told_apart() -> None:
    def outcome(project: str, kind: str, exact: bool) -> Outcome:
        score = fim.Score(f"{project}{kind}", kind, "", exact, None, 50.0, None, 0.5)
        return Outcome("alone", project, "a.py", 10, score)

    outcomes = [outcome("one", "cross-call", True), outcome("one", "other", False), outcome("two", "other", True)]
    found = {each.group: (each.summary.n, each.summary.exact) for each in compare(outcomes)}
    assert found == {
        "cross-call": (1, 100),
        "cross": (1, 100),
        "other": (2, 50),
        "all": (3, pytest.approx(100 * 2 / 3)),
        "one, cross": (1, 100),
        "one, other": (1, 0),
        "two, other": (1, 100),
    }


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("alone", ALONE),
        ("all", ALL),
        ("file=alone", Variant("file")),
        ("near=definition+sibling,extra=256", Variant("near", ("definition", "sibling"), extra_tokens=256)),
        (
            "all,format=comments,prefix=10,suffix=20",
            Variant("all,format=comments,prefix=10,suffix=20", ("all",), "comments", 10, 20),
        ),
    ],
)
def test_variants(said: str, expected: Variant) -> None:
    assert variant_named(said, Variant("")) == expected


@pytest.mark.parametrize("said", ["", "a=", "all,extra", "all,extra=many", "all,format=", "all,speed=3"])
def test_no_variants(said: str) -> None:
    with pytest.raises(UsageError, match="--variant"):
        variant_named(said, Variant(""))


@pytest.mark.parametrize(
    ("groups", "expected"),
    [([], (0, 0, 0)), ([[]], (0, 0, 0)), ([[4.0], [4.0, 4.0]], (4, 4, 4)), ([[0.0, 100.0]], (50, 50, 50))],
)
def test_intervals(groups: list[list[float]], expected: tuple[float, float, float]) -> None:
    assert mean_interval(groups) == expected


def test_an_interval_is_that_of_the_groups() -> None:
    apart = mean_interval([[value] for value in [0.0, 100.0] * 50])
    together = mean_interval([[0.0] * 10, [100.0] * 10] * 5)
    assert apart[0] == together[0] == 50
    # 1.96 standard errors of a hundred values, and of ten.
    assert apart[1:] == pytest.approx((40, 60), abs=2)
    assert together[1:] == pytest.approx((20, 80), abs=6)


# The command


def test_eval_repo_counts(run: Run, tmp_path: Path) -> None:
    root = lay(tmp_path / "shop", SHOP)
    ran = run("eval", "repo", root, "--dry-run", "--per-project", 3)
    assert ran.out == "shop: 1 cross-call, 1 cross-rest, 1 other, 2 files\n"
    told = json.loads(run("eval", "repo", root, "--dry-run", "--per-project", 3, "--json").out)
    assert told == {"shop": {"cross-call": 1, "cross-rest": 1, "other": 1, "files": 2}}


def test_eval_repo(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Empty:
        vocabulary = Vocabulary(tiny_tokenizer())

    monkeypatch.setattr(fim, "load_engine", lambda model, config: Empty())
    monkeypatch.setattr(fim, "model_writer", lambda *_: lambda prompt, row: row.canonical_solution)
    root = lay(tmp_path / "shop", SHOP)
    arguments = ("eval", "repo", root, "--variant", "alone", "--variant", "short=alone,prefix=64", "--per-project", 6)
    ran = run(*arguments, "--out", tmp_path / "out.jsonl")
    assert (ran.code, ran.err) == (0, "")
    assert "alone" in ran.out
    assert "+0.0 (+0.0 to +0.0)" in ran.out
    told = json.loads(run(*arguments, "--json").out)
    assert told["model"] == MODEL.name
    total = [each for each in told["summary"] if each["group"] == "all"]
    assert [(each["variant"], each["summary"]["exact"]) for each in total] == [("alone", 100), ("short", 100)]
    assert len(told["rows"]) == len((tmp_path / "out.jsonl").read_text().splitlines())


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("nowhere",), "neither a folder nor a project"),
        ((".", "--variant", "all,speed=3"), "speed=3"),
        ((".",), "No hole"),
        ((".", "--variant", "definition+telepathy"), "telepathy"),
        ((".", "--variant", "all,format=verse"), "verse"),
        (("shop", "--model", "nope"), "The known models are"),
        (("shop", "--variant", "alone,prefix=99999999"), "room"),
    ],
)
def test_eval_repo_with_wrong_options(
    run: Run, folder: Path, arguments: tuple[str, ...], part: str, monkeypatch
) -> None:
    empty = folder / "empty"
    lay(empty / "shop", SHOP) if arguments[0] == "shop" else empty.mkdir()
    monkeypatch.chdir(empty)
    ran = run("eval", "repo", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert part in ran.sentence
