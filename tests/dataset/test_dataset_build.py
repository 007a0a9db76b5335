"""From small trees to a folder of data: what is in it, that it is the same again, and the command that makes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from each_row import each_row

from aigc_lsp.cli import app
from aigc_lsp.dataset import build as building
from aigc_lsp.dataset import command
from aigc_lsp.dataset.build import Options, Project, allotted, build, quotas
from aigc_lsp.dataset.example import Example, Split, read, write
from aigc_lsp.dataset.fetch import Tree
from aigc_lsp.dataset.files import File
from aigc_lsp.dataset.overlap import Measured
from aigc_lsp.errors import FetchFailed, UsageError
from aigc_lsp.prompt.infill import ExtraFile

WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda_", "mu")


def module(project: str, at: int) -> str:
    """Code that is not alike over projects and files."""
    names = [f"{project}_{word}_{at}" for word in WORDS]
    functions = [
        f"def {name}(first_{name}, second):\n"
        f'    """Do {name}."""\n'
        f"    total_{name} = helper_{project}(first_{name}, second)\n"
        f"    if total_{name} > {at}:\n"
        f"        raise {name.title()}Error(first_{name}, total_{name})\n"
        f"    return total_{name}\n"
        for name in names
    ]
    return f"from .helpers import helper_{project}\n\n\n" + "\n\n".join(functions)


def tree(folder: Path, name: str, licence: str = "MIT", files: int = 5) -> Tree:
    root = folder / name
    root.mkdir(parents=True)
    root.joinpath("package.json").write_text(json.dumps({"license": licence}))
    for at in range(files):
        root.joinpath(f"m{at}.py").write_text(module(name, at))
    helpers = [
        f"def helper_{name}(left, right):\n    return left + right\n",
        *(f"{name}_{n} = {n}\n" for n in range(9)),
    ]
    root.joinpath("helpers.py").write_text("\n".join(helpers))
    return Tree(name, "folder", "1.0", "", root)


NAMES = ("aa", "bb", "cc", "dd", "ee")


def built(folder: Path, measured: Measured | None = None, **options: object) -> tuple[Path, list[str]]:
    said: list[str] = []
    trees = [tree(folder / "trees", name) for name in NAMES]
    trees += [tree(folder / "trees", "copyleft", "GPL-3.0"), tree(folder / "trees", "mozilla", "MPL-2.0")]
    twice = tree(folder / "trees", "fork", files=0)
    for path in trees[0].root.glob("m*.py"):
        twice.root.joinpath(path.name).write_text(path.read_text() + "\n# a fork\n")
    wanted = Options(**{"examples": 120, "held_examples": 30, "held": 0.2, **options})  # type: ignore[arg-type]
    build([*trees, twice], folder / "data", wanted, measured or Measured(), said.append)
    return folder / "data", said


def test_data_are_of_permissive_projects_each_on_one_side(tmp_path: Path) -> None:
    data, said = built(tmp_path)
    train, held = list(read(data, "train")), list(read(data, "held"))
    sources = {each["name"]: each for each in json.loads((data / "sources.json").read_text())}
    about = json.loads((data / "dataset.json").read_text())
    of_train, of_held = ({row.project for row in rows} for rows in (train, held))
    assert of_held
    assert not of_train & of_held
    assert of_train | of_held <= {*NAMES, "fork"}
    listed = command.sources_in(data / "sources.txt")
    assert [Path(each).name for each in listed] == list(sources), "to be built from again"
    assert {Path(each).name: side for each, side in listed.items()} == {
        name: each["split"] for name, each in sources.items()
    }
    assert about["examples"] == {"train": len(train), "held": len(held)}
    assert len(train) > 100
    assert about["left_out"]["trees"] == {"licence: unknown": 1, "licence: MPL-2.0": 1}
    assert about["left_out"]["files"]["seen before"] == 5, "the fork's"
    assert {name for name, each in sources.items() if each["split"] == "held"} == of_held
    assert sources["aa"]["licence"] == "MIT"
    assert sources["aa"]["files"] == 6
    assert len({row.id for row in (*train, *held)}) == len(train) + len(held)
    assert any("copyleft" in each for each in said)
    files = {(row.project, row.path): (tmp_path / "trees" / row.project / row.path).read_text() for row in train}
    for row in train:
        last = row.prefix.split("\n")[-1]
        assert last + row.middle + row.suffix in files[row.project, row.path]
    shown = [each for row in train for each in row.snippets]
    assert any("def helper_" in each.text and each.filename == "helpers.py" for each in shown)


def test_the_same_trees_give_the_same_bytes_and_another_seed_other_holes(tmp_path: Path) -> None:
    names = ("train-00000.jsonl.gz", "held-00000.jsonl.gz", "sources.json")
    one, two, other = (built(tmp_path / str(at), seed=seed)[0] for at, seed in enumerate((1, 1, 2)))
    assert [(one / name).read_bytes() for name in names] == [(two / name).read_bytes() for name in names]
    assert (one / names[0]).read_bytes() != (other / names[0]).read_bytes()


def test_nothing_is_learnt_of_what_is_measured_with(tmp_path: Path) -> None:
    secret = module("bb", 2)
    data, _ = built(tmp_path, Measured([secret]))
    rows = [*read(data, "train"), *read(data, "held")]
    assert not any(Measured([secret]).overlaps(row.prefix + row.middle + row.suffix) for row in rows)
    assert json.loads((data / "dataset.json").read_text())["left_out"]["holes"]["measured with"] > 0


def test_nothing_is_shown_of_what_is_measured_with(tmp_path: Path) -> None:
    helper = f"def helper_aa(left, right, {', '.join(WORDS)}):\n    return left + right\n"
    own = tree(tmp_path / "trees", "aa")
    path = own.root / "helpers.py"
    path.write_text(helper + path.read_text().partition("return left + right\n")[2])
    for name, measured in (("all", Measured()), ("clean", Measured([helper]))):
        build([own], tmp_path / name, Options(examples=60, held=0), measured, lambda said: None)
    shown, clean = (
        [each.text for row in read(tmp_path / name, "train") for each in row.snippets] for name in ("all", "clean")
    )
    assert any("def helper_aa" in text for text in shown)
    assert not any("def helper_aa" in text for text in clean)


def test_secrets_are_neither_learnt_nor_shown(tmp_path: Path) -> None:
    key = "AKIA" + "Q3EGTZ7LWXJ5MNPR"
    own = tree(tmp_path / "trees", "aa")
    for name in ("helpers.py", "m1.py"):
        path = own.root / name
        path.write_text(f'{path.read_text()}\n\ndef sign_aa(text):\n    return sign(text, "{key}")\n')
    build([own], tmp_path / "data", Options(examples=100, held=0), Measured(), lambda said: None)
    rows = list(read(tmp_path / "data", "train"))
    assert {row.path for row in rows} == {"m0.py", "m2.py", "m3.py", "m4.py"}
    assert not any("def helper_aa" in each.text for row in rows for each in row.snippets)
    assert json.loads((tmp_path / "data" / "dataset.json").read_text())["left_out"]["files"]["secrets"] == 2


def test_data_are_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise KeyboardInterrupt

    trees = [tree(tmp_path / "trees", name) for name in NAMES]
    with monkeypatch.context() as patched:
        patched.setattr(building, "_write_json", broken)
        with pytest.raises(KeyboardInterrupt):
            build(trees, tmp_path / "data", Options(examples=20), Measured(), lambda said: None)
    assert [path.name for path in tmp_path.iterdir()] == ["trees"]
    tmp_path.joinpath("data").mkdir()
    build(trees, tmp_path / "data", Options(examples=20), Measured(), lambda said: None)
    assert len(list(read(tmp_path / "data", "train"))) == 20
    for said, problem in (('{"format": 0}', "of format 0"), ("{", "cannot be read"), ("[]", "cannot be read")):
        tmp_path.joinpath("data", "dataset.json").write_text(said)
        with pytest.raises(UsageError, match=problem):
            list(read(tmp_path / "data", "train"))


def sides_of(names: Sequence[str], held: float, sides: Mapping[str, Split]) -> dict[str, str]:
    files = (File("a.py", "python", ""), File("b.py", "python", ""))
    projects = [Project(Tree(name, "folder", "", "", Path()), "MIT", files) for name in names]
    return {each.name: each.split for each in building.split(projects, Options(held=held), sides)}


def test_sides_that_are_said_are_not_drawn() -> None:
    assert sides_of(NAMES, 0.2, {"aa": "held", "bb": "train"})["aa"] == "held"
    for name in NAMES:
        assert sides_of(NAMES, 0.5, {name: "train"})[name] == "train"
        assert sides_of(NAMES, 0, {name: "held"}) == {each: "held" if each == name else "train" for each in NAMES}
    assert sides_of(["aa"], 0.5, {"aa": "train"}) == {"aa": "train"}


def test_packages_of_one_scope_are_on_one_side() -> None:
    names = [f"@{scope}/{name}" for scope in "abcdef" for name in ("core", "react", "vue")]
    found = sides_of(names, 0.3, {})
    by_scope = {scope: {found[name] for name in names if name.startswith(f"@{scope}/")} for scope in "abcdef"}
    assert sorted(len(sides) for sides in by_scope.values()) == [1] * 6
    assert set(found.values()) == {"train", "held"}


def test_what_models_are_measured_with_is_left_out_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = [
        Tree(name, "pypi", "1", "", tmp_path)
        for name in ("Pydantic.AI_slim", "networkx", "HumanEval", "langchain_core", "flask")
    ]
    by_name = {each.name: each for each in found}
    monkeypatch.setattr(command, "_tried", lambda spec, say: by_name[spec])
    said: list[str] = []
    kept = list(command._fetched(dict.fromkeys(by_name), said.append))
    left = {each.split(": ")[1].split(",")[0] for each in said}
    assert left | {tree.name for tree, _ in kept} == set(by_name)
    assert left >= {"Pydantic.AI_slim", "networkx", "langchain_core"}
    assert "flask" not in left


def test_one_tree_by_two_names_comes_once_and_a_bad_name_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tree(tmp_path / "trees", "own")
    monkeypatch.setattr(command, "_tried", lambda spec, say: own)
    command.run({"own": None, "pypi:own": None}, tmp_path / "data", Options(), lambda said: None, False)
    assert json.loads((tmp_path / "data" / "dataset.json").read_text())["left_out"]["trees"] == {}
    monkeypatch.setattr(command, "_fetched", lambda *arguments: pytest.fail("sources were fetched"))
    with pytest.raises(UsageError, match="bad/name is neither"):
        command.run({"own": None, "bad/name": None}, tmp_path / "other", Options(), print, False)


def test_what_is_measured_with_is_wanted_first_and_how_to_do_without_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def failing(project: object, *arguments: object) -> Path:
        raise FetchFailed("It comes from npm, which is not on this machine.")

    monkeypatch.setattr(command.projects, "fetch", failing)
    monkeypatch.setattr(command.humaneval, "problems", lambda *arguments: [])
    monkeypatch.setattr(command, "_fetched", lambda *arguments: pytest.fail("sources were fetched"))
    with pytest.raises(FetchFailed, match=r"npm.*--no-decontaminate"):
        command.run({"flask": None}, tmp_path / "data", Options(), print)


def test_one_repository_alone_has_files_held_out(tmp_path: Path) -> None:
    options = Options(examples=40, held_examples=10, any_licence=True)
    build([tree(tmp_path, "own", "")], tmp_path / "data", options, Measured(), lambda said: None)
    train, held = ({row.path for row in read(tmp_path / "data", split)} for split in ("train", "held"))  # type: ignore[arg-type]
    assert train
    assert held
    assert not train & held
    assert list(command.sources_in(tmp_path / "data" / "sources.txt").values()) == [None]


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
def test_all_may_be_to_judge_with(tmp_path: Path, names: tuple[str, ...]) -> None:
    trees = [tree(tmp_path / "trees", name) for name in names]
    build(trees, tmp_path / "data", Options(held=1.0, held_examples=30), Measured(), lambda said: None)
    assert {row.project for row in read(tmp_path / "data", "held")} == set(names)
    assert not list((tmp_path / "data").glob("train-*"))
    assert "0 rows to learn from" in command.told(tmp_path / "data")


def test_what_cannot_be_built_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no tree has files"):
        build([tree(tmp_path, "closed", "GPL-2.0")], tmp_path / "data", Options(), Measured(), print)
    with pytest.raises(UsageError, match="holds something already"):
        build([], tmp_path, Options(), Measured(), print)
    with pytest.raises(UsageError, match="holds no data"):
        list(read(tmp_path, "train"))
    tmp_path.joinpath("train-00000.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(UsageError, match="cannot be read"):
        list(read(tmp_path, "train"))


@each_row(
    ("languages", "count", "shares", "found"),
    [
        (["a", "b"], 100, {}, {"a": 50, "b": 50}),
        (["a", "b", "c"], 100, {"a": 40.0}, {"a": 40, "b": 30, "c": 30}),
        (["a", "b"], 10, {"a": 100.0}, {"a": 10, "b": 0}),
        (["a"], 10, {"z": 50.0}, {"a": 10}),
    ],
)
def test_languages_share(languages: list[str], count: int, shares: dict[str, float], found: dict[str, int]) -> None:
    assert quotas(languages, count, shares) == found


def test_every_project_and_file_comes_in_turn() -> None:
    def project(name: str, count: int) -> Project:
        files = tuple(File(f"{at}.py", "python", "") for at in range(count))
        return Project(Tree(name, "folder", "", "", Path()), "MIT", files)

    small, large = project("small", 1), project("large", 50)
    places = {small: small.files, large: large.files}
    found = list(allotted(places, 100, seed=1))
    assert sum(number for own, _, number in found if own is small) == building.PER_FILE
    numbers = [number for own, _, number in found if own is large]
    assert sum(numbers) == 100 - building.PER_FILE
    assert max(numbers) - min(numbers) <= 1
    assert sum(number for *_, number in allotted(places, 10_000, seed=1)) == 51 * building.PER_FILE


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    snippets = (ExtraFile("a/ä.py", "def f(): ...\u2028"),)
    rows = [
        Example(str(at), "p", "a.py", "python", "span", "psm", "x\r\n", "", "\u2029y\n", snippets[:at], at > 0)
        for at in range(3)
    ]
    assert write(tmp_path, "held", rows, per_shard=2) == ["held-00000.jsonl.gz", "held-00001.jsonl.gz"]
    assert list(read(tmp_path, "held")) == rows


def test_statistics_count_and_draw_what_is_there(tmp_path: Path) -> None:
    data, _ = built(tmp_path)
    said = command.told(data)
    train = list(read(data, "train"))
    assert f"{len(train)} rows to learn from of {len({row.project for row in train})} projects" in said
    line = next(line for line in said.splitlines() if line.startswith("python"))
    assert line.split()[-2:] == [str(len(train)), str(len(list(read(data, "held"))))]
    page = (data / "statistics.html").read_text()
    assert page.count("<svg") >= 7
    assert "src=" not in page
    assert "http" not in page
    assert (data / "statistics.txt").read_text() == f"{said}\n"


def test_shares_and_lists_are_read(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("# all\nflask==3.0 # web\n\nnpm:@a/b held  # MIT\na folder/train train\n")
    assert command.sources_in(listed) == {"flask==3.0": None, "npm:@a/b": "held", "a folder/train": "train"}
    assert command.shares_of(["python=30", "go=2.5"]) == {"python": 30, "go": 2.5}
    for said in (["python"], ["python=x"], ["python=60", "go=50"], ["go=-1"], ["bash=3"]):
        with pytest.raises(UsageError):
            command.shares_of(said)
    with pytest.raises(UsageError):
        command.sources_in(tmp_path / "missing")


def test_the_command_builds_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = str(tree(tmp_path, "own", "").root)
    out = tmp_path / "data"
    wish = ["dataset", "build", own, "-o", str(out), "--examples", "30", "--held-examples", "5"]
    with pytest.raises(UsageError, match="1 licence: unknown"):
        app([*wish, "--no-decontaminate"], standalone_mode=False)
    app([*wish, "--any-licence", "--share", "python=100"], standalone_mode=False)
    said = capsys.readouterr()
    assert "30 rows to learn from of 1 projects" in said.out
    assert "python: 30 of 30" in said.err
    app(["dataset", "stats", str(out)], standalone_mode=False)
    assert capsys.readouterr().out == said.out
    with pytest.raises(UsageError, match="Name the code"):
        app(["dataset", "build", "-o", str(out)], standalone_mode=False)
