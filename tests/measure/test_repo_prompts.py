"""Prompts for holes in a project: what of other files is in them, and that the answer never is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tiny_model import tiny_tokenizer
from workspaces import workers, write

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.errors import AigcError, UsageError
from aigc_lsp.gather.gatherer import ALL as ALL_SOURCES
from aigc_lsp.measure import repo_prompts
from aigc_lsp.measure.repo import Variant, usual
from aigc_lsp.prompt.infill import Prompt
from aigc_lsp.text import Edit, Span, Text

MODEL = catalogue.load(Config().model)
VOCABULARY = Vocabulary(tiny_tokenizer())
ALONE = Variant("alone", (), "", 400, 120, 400)
ALL = replace(ALONE, label="all", sources=("all",))

SHOP = {
    "shop/__init__.py": "",
    "shop/basket.py": '''\
class Basket:
    """Holds articles."""

    def put_article(self, article: str, times: int = 1) -> None:
        self.last = article
''',
    "shop/till.py": """\
from shop.basket import Basket


class Till:
    def sell(self, article: str) -> None:
        basket = Basket()
        basket.put_article(article, quokka_only_here=2)
        self.close_the_drawer(basket)

    def close_the_drawer(self, basket: Basket) -> None:
        wombat_only_here = basket
        self.done = wombat_only_here
""",
    "shop/test_till.py": "from shop.till import Till\n\n\ndef test_sell():\n    till = Till()\n    till.sell('pear')\n",
}


@dataclass(frozen=True)
class Shop:
    """`ask(before, variant, path)`: the prompt at the end of `before`, the rest of whose line is masked."""

    root: Path
    prompter: repo_prompts.Prompter

    async def ask(self, before: str, variant: Variant, path: str = "shop/till.py") -> str:
        text = Text((self.root / path).read_text(encoding="utf-8"))
        at = text.source.index(before) + len(before)
        masked = text.apply(Edit(Span(at, text.line_end(text.line_at(at))), ""))
        return said(await self.prompter(self.root, path, masked, at, variant))


def said(prompt: Prompt) -> str:
    return b"".join(VOCABULARY.bytes_of(token) or f"<{token}>".encode() for token in prompt.tokens).decode()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with repo_prompts.prompts(MODEL, VOCABULARY) as prompter:
        yield Shop(write(tmp_path / "project", SHOP), prompter)
    assert not workers()


async def test_what_another_file_defines_is_told(shop: Shop) -> None:
    alone = await shop.ask("basket.put_article(", ALONE)
    context = await shop.ask("basket.put_article(", ALL)
    told = "def put_article(self, article: str, times: int = 1)"
    assert told not in alone
    assert "shop/basket.py" not in alone
    assert told in context
    assert "shop/basket.py" in context
    assert "shop/till.py" in context  # with other files, its own has its path


@pytest.mark.parametrize("sources", [*sorted(ALL_SOURCES), "all", ""])
async def test_the_answer_is_nowhere(shop: Shop, sources: str) -> None:
    """Neither that of this hole, nor, from the disk, that of one whose file was closed before."""
    variant = replace(ALL, label=sources, sources=tuple(filter(None, [sources])))
    for before in ("basket.put_article(", "        wombat", "basket.put_article("):
        prompt = await shop.ask(before, variant)
        assert "quokka" not in prompt or "wombat" in before
        assert ("wombat_only_here = basket" in prompt) is (before != "        wombat")
        await shop.ask("till.sell(", variant, "shop/test_till.py")


DRAWERS = "class Till:\n    drawers: int = 3\n    currency: str\n"
COMMENT = "    # It is counted again.\n"
LONG_CLASS = f"{DRAWERS}{COMMENT * 60}    limit = Till.quokka_only_here\n    last = 0\n"


async def test_nor_where_the_class_around_it_is_told_of(tmp_path: Path) -> None:
    """What has the answer on disk is far above the window: the outline that is shown is the masked text's."""
    text = Text(LONG_CLASS)
    offset = text.source.index("quokka")
    masked = text.apply(Edit(Span(offset, text.source.index("\n", offset)), ""))
    root = write(tmp_path, {"till.py": LONG_CLASS})
    async with repo_prompts.prompts(MODEL, VOCABULARY) as prompter:
        prompt = said(await prompter(root, "till.py", masked, offset, Variant("all", ("all",), "", 300, 20, 2000)))
    assert "quokka" not in prompt
    assert DRAWERS in prompt


async def test_a_file_whose_hole_was_asked_for_is_whole_again_for_others(shop: Shop) -> None:
    """Also when what was open in between had another text, and for another variant."""
    first = await shop.ask("    till.", ALL, "shop/test_till.py")
    assert "def sell(self, article: str) -> None" in first
    assert "def sell" not in (await shop.ask("    def se", ALL)).partition("shop/till.py")[0]
    assert await shop.ask("    till.", ALL, "shop/test_till.py") == first
    await shop.ask("    def se", replace(ALL, label="few", sources=("definition",)))
    assert await shop.ask("    till.", ALL, "shop/test_till.py") == first


async def test_budgets_hold(tmp_path: Path) -> None:
    source = "from a import f\n\n" + "value = f(1, 2)\n" * 400
    helper = 'def f(one: int, two: int) -> int:\n    """Adds."""\n'
    root = write(tmp_path, {"a.py": helper, "b.py": source})
    offset = len(source) // 2
    offset = source.index("f(", offset) + 2
    text = Text(source).apply(Edit(Span(offset, source.index("\n", offset)), ""))
    lengths: dict[tuple[int, int, int], int] = {}
    async with repo_prompts.prompts(MODEL, VOCABULARY) as prompter:
        for budgets in ((100, 20, 0), (200, 20, 0), (200, 60, 0), (200, 60, 200), (200, 60, 8)):
            prompt = await prompter(root, "b.py", text, offset, Variant("all", ("all",), "", *budgets))
            lengths[budgets] = len(prompt.tokens)
            assert len(prompt.tokens) <= sum(budgets) + 3, budgets  # and the template's own
    assert lengths[100, 20, 0] < lengths[200, 20, 0] < lengths[200, 60, 0] < lengths[200, 60, 200]
    assert lengths[200, 60, 8] == lengths[200, 60, 0]


async def test_formats(shop: Shop) -> None:
    assert MODEL.files is not None
    separator = f"<{VOCABULARY.control(MODEL.files.file_sep)}>"
    tokens = await shop.ask("basket.put_article(", replace(ALL, format="tokens"))
    comments = await shop.ask("basket.put_article(", replace(ALL, format="comments"))
    assert f"{separator}shop/basket.py\nclass Basket" in tokens
    assert separator not in comments
    assert "# Path: shop/basket.py\nclass Basket" in comments
    usual = {"tokens": tokens, "comments": comments}[MODEL.files.format]
    assert await shop.ask("basket.put_article(", ALL) == usual


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda each: replace(each, sources=("definition", "telepathy")), "telepathy"),
        (lambda each: replace(each, sources=("definition", "all")), "all"),
        (lambda each: replace(each, format="verse"), "verse"),
    ],
)
async def test_what_there_is_not(shop: Shop, change: Callable[[Variant], Variant], part: str) -> None:
    with pytest.raises(UsageError, match=part):
        repo_prompts.check([ALL, change(ALL)], MODEL)
    with pytest.raises(UsageError, match=part):
        await shop.ask("basket.put_article(", change(ALL))


def test_a_model_without_tokens_for_files_has_comments() -> None:
    plain = replace(MODEL, files=None)
    repo_prompts.check([ALL, replace(ALL, format="comments")], plain)
    with pytest.raises(UsageError, match="knows comments"):
        repo_prompts.check([replace(ALL, format="tokens")], plain)


async def test_a_project_that_cannot_be_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repo_prompts, "INDEX_SECONDS", 0.0)
    async with repo_prompts.prompts(MODEL, VOCABULARY) as prompter:
        with pytest.raises(AigcError, match="cannot be indexed"):
            await prompter(write(tmp_path, SHOP), "shop/till.py", Text("x = 1\n"), 3, ALL)


def test_usual_lengths_are_those_of_two_cores_and_as_configured_at_most() -> None:
    found = usual(Config())
    assert (found.prefix_tokens, found.suffix_tokens, found.extra_tokens) == (448, 128, 256)
    small = Config(context=replace(Config().context, prefix_tokens=100, extra_tokens=0))
    assert (usual(small).prefix_tokens, usual(small).suffix_tokens, usual(small).extra_tokens) == (100, 128, 0)
