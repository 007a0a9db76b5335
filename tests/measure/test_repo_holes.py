"""Holes in a whole project: which names are another file's, and where the cursor stands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from aigc_lsp.measure.holes import PER_FILE, read_source
from aigc_lsp.measure.repo_holes import KINDS, RepoHole, build
from aigc_lsp.text import Edit, Span

SHOP = {
    "shop/basket.py": '''\
"""What is bought."""

class Basket:
    """Holds articles."""

    owner: str = ""

    def put_article(self, article, times=1):
        self.total = times
        def inner_step():
            return times
        return inner_step()


def empty_basket(owner):
    basket_of_one = Basket()
    return basket_of_one


LIMIT = 12
''',
    "shop/till.py": """\
import logging
from os import path as Basket_path

from shop.basket import Basket, empty_basket, LIMIT
from .basket import Basket as Renamed

local_total = 3


class Till:
    def sell(self, article, basket_of_one):
        basket = empty_basket("somebody else")
        basket.put_article(article, times=2)
        # Basket(article) is said in a comment
        said = "put_article(article) in a text"
        logging.put_article(article, "outside")
        basket_of_one.inner_step(article, said)
        self.sell(article, basket_of_one)
        return min(LIMIT, article.append(said))
""",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return lay(tmp_path, SHOP)


def lay(root: Path, files: dict[str, str]) -> Path:
    for path, said in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(said, encoding="utf-8")
    return root


def said(root: Path, hole: RepoHole) -> tuple[str, str]:
    """The line before the cursor, without its indentation, and what is masked."""
    source = read_source(root / hole.path)
    assert source is not None
    text = source.text
    return (
        text.slice(Span(text.line_start(text.line_at(hole.start)), hole.start)).strip(),
        text.slice(Span(hole.start, hole.end)),
    )


def all_lines(root: Path, **more: object) -> dict[str, set[str]]:
    """By kind, every line that some seed masks something in."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for seed in range(40):
        for hole in build("shop", root, 60, seed):
            source = read_source(root / hole.path)
            assert source is not None
            found[hole.kind].add(source.text.line(source.text.line_at(hole.start)).strip())
    return found


def test_which_lines_cross_files(shop: Path) -> None:
    found = all_lines(shop)
    cross = {
        'basket = empty_basket("somebody else")',
        "basket.put_article(article, times=2)",
        "return min(LIMIT, article.append(said))",
    }
    assert found["cross-rest"] == cross
    # `min(` is no name of another file.
    assert found["cross-call"] == cross - {"return min(LIMIT, article.append(said))"}
    assert "basket_of_one.inner_step(article, said)" in found["other"]  # a function's own function is nobody else's
    assert "self.sell(article, basket_of_one)" in found["other"]
    assert "class Basket:" in found["other"]
    assert not found["other"] & cross
    # It might be another file's: it is neither.
    assert 'logging.put_article(article, "outside")' not in found["other"]
    for lines in found.values():
        assert not any("import" in line or line.startswith(("#", '"""')) for line in lines)


def test_where_the_cursor_stands(shop: Path) -> None:
    calls, rests = set(), set()
    for seed in range(40):
        for hole in build("shop", shop, 60, seed):
            before, rest = said(shop, hole)
            assert len(rest.strip()) >= 3
            assert "\n" not in rest
            if hole.kind == "cross-call":
                calls.add((before, rest, hole.names))
            elif hole.kind == "cross-rest":
                rests.add((before, hole.names))
                assert hole.names[0] in f"{before}{rest}"
                assert hole.names[0] not in before  # at most its beginning
            else:
                assert hole.names == ()
    assert calls == {
        ("basket = empty_basket(", '"somebody else")', ("empty_basket",)),
        ("basket.put_article(", "article, times=2)", ("put_article",)),
    }
    assert {names for _, names in rests} == {("empty_basket",), ("put_article",), ("LIMIT",)}
    assert len({before for before, _ in rests}) > 20


def test_a_hole_as_a_row(shop: Path) -> None:
    hole = next(each for each in build("shop", shop, 60) if each.kind == "cross-call")
    source = read_source(shop / hole.path)
    assert source is not None
    row = hole.row(source.text)
    assert row.prompt + row.canonical_solution + row.suffix == source.text.source
    assert row.prompt.endswith("(")
    assert row.suffix.startswith("\n")
    masked = source.text.apply(Edit(Span(hole.start, hole.end), ""))
    assert masked.source == row.prompt + row.suffix
    line = row.prompt.count("\n") + 1
    column = len(row.prompt) - row.prompt.rfind("\n")
    assert row.task_id == f"shop/shop/till.py:{line}:{column}:cross-call"


def test_the_same_seed_picks_the_same(shop: Path) -> None:
    assert build("shop", shop, 12, 3) == build("shop", shop, 12, 3)
    assert len({tuple(build("shop", shop, 6, seed)) for seed in range(8)}) > 4


def test_kinds_are_even_and_files_give_few(tmp_path: Path) -> None:
    many = {f"shop/till{number}.py": SHOP["shop/till.py"] for number in range(6)}
    root = lay(tmp_path, {"shop/basket.py": SHOP["shop/basket.py"], **many})
    assert Counter(hole.kind for hole in build("shop", root, 9)) == dict.fromkeys(KINDS, 3)
    assert len({hole.path for hole in build("shop", root, 6)}) == 6
    per_file = Counter(hole.path for hole in build("shop", root, 1000))
    assert max(per_file.values()) == PER_FILE
    for path in per_file:
        places = [hole.start for hole in build("shop", root, 1000) if hole.path == path]
        assert places == sorted(places)
    assert build("shop", root, 4, suffixes=["ts"]) == []


OTHER_LANGUAGES = {
    "typescript": (
        {
            "src/store.ts": "export class Store<T> {\n  fetchItem(key: string): T { return this.all[key] }\n}\n"
            "export function openStore(name: string) { return new Store(name) }\n",
            "src/main.ts": "import { openStore } from './store'\nimport { join } from 'path'\n\n"
            "const opened = openStore('one')\nopened.fetchItem(opened.name)\nconst where = join('first', 'second')\n",
        },
        {"const opened = openStore('one')", "opened.fetchItem(opened.name)"},
    ),
    "java": (
        {
            "org/shop/Store.java": "package org.shop;\npublic class Store {\n"
            "  public String fetchItem(String key) { return key; }\n}\n",
            "org/shop/Main.java": "package org.shop;\nimport java.util.Objects;\npublic class Main extends Base {\n"
            "  void work() {\n    Store opened = null;\n    opened.fetchItem(Objects.hash(3));\n"
            '    String text = "abc";\n  }\n}\n',
        },
        {"Store opened = null;", "opened.fetchItem(Objects.hash(3));"},
    ),
    "rust": (
        {
            "src/store.rs": "pub struct Store { pub size: u32 }\nimpl Store {\n"
            "    pub fn fetch_item(&self, key: u32) -> u32 { key }\n}\n",
            "src/main.rs": "use crate::store::Store;\n\nfn work(opened: &Store) -> u32 {\n"
            "    let found = opened.fetch_item(17);\n    found + 100\n}\n",
        },
        {"fn work(opened: &Store) -> u32 {", "let found = opened.fetch_item(17);"},
    ),
}


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_other_languages(language: str, tmp_path: Path) -> None:
    files, cross = OTHER_LANGUAGES[language]
    found = all_lines(lay(tmp_path, files))
    assert found["cross-rest"] | found["cross-call"] == cross
    assert all(found.values())
    assert not found["other"] & cross
