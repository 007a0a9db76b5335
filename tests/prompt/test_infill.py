"""Prompts: the model's own format, exact budgets, edges that stay where they are while somebody types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import CORPUS, HARD_LINES, control_tokens, tiny_tokenizer

from aigc_lsp import catalogue
from aigc_lsp.catalogue import FileFormat
from aigc_lsp.engine.vocabulary import Vocabulary
from aigc_lsp.prompt.comments import path_comment
from aigc_lsp.prompt.infill import HEAL_TOKENS, ExtraFile, Hole, Prompt, healed_tokens, render

MODEL = catalogue.load("qwen2.5-coder-0.5b")
FIM, FILES = MODEL.fim, MODEL.files
assert FILES is not None
VOCABULARY = Vocabulary(tiny_tokenizer())
PREFIX, SUFFIX, MIDDLE = (VOCABULARY.control(f"<|fim_{name}|>") for name in ("prefix", "suffix", "middle"))
REPOSITORY, FILE = VOCABULARY.control(FILES.repo_name), VOCABULARY.control(FILES.file_sep)
CONTROLS = {VOCABULARY.control(token) for token in control_tokens()}
HARD = "".join(HARD_LINES)


def prompt(
    prefix: str,
    suffix: str = "",
    order: str = "spm",
    *,
    heal: bool = False,
    before: int = 10_000,
    after: int = 10_000,
    extra: Sequence[tuple[str, str]] = (),
    extra_budget: int = 0,
    filename: str = "",
    form: FileFormat = "tokens",
) -> Prompt:
    hole = Hole(prefix, suffix, tuple(ExtraFile(name, text) for name, text in extra), filename)
    return render(
        hole,
        FIM,
        replace(FILES, format=form),
        VOCABULARY,
        prefix_budget=before,
        suffix_budget=after,
        extra_budget=extra_budget,
        order=order,
        heal=heal,
    )


def spelled(tokens: Sequence[int]) -> bytes:
    return b"".join(map(VOCABULARY.bytes_of, tokens))


def shown(tokens: Sequence[int]) -> str:
    """The prompt as one reads it, control tokens by their names."""
    names = {VOCABULARY.control(token): token for token in control_tokens()}
    return b"".join(
        names[token].encode() if token in names else VOCABULARY.bytes_of(token) for token in tokens
    ).decode()


def slots(tokens: Sequence[int], order: str) -> tuple[list[int], list[int]]:
    """The tokens of the prefix and of the suffix; that nothing else is there is checked on the way."""
    if order == "prefix":
        return list(tokens), []
    rest = list(tokens)
    suffix, middle = rest.index(SUFFIX), rest.index(MIDDLE)
    assert rest[0] == PREFIX
    assert [token for token in rest if token in CONTROLS] == [PREFIX, SUFFIX, MIDDLE]
    if order == "spm":
        assert suffix == 1
        return rest[middle + 1 :], rest[2:middle]
    assert middle == len(rest) - 1
    return rest[1:suffix], rest[suffix + 1 : middle]


# --- templates


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("spm", "<|fim_prefix|><|fim_suffix|>\nimport os<|fim_middle|>def add(a"),
        ("psm", "<|fim_prefix|>def add(a<|fim_suffix|>\nimport os<|fim_middle|>"),
        ("prefix", "def add(a"),
    ],
)
def test_templates(order: str, expected: str) -> None:
    given = prompt("def add(a", "\nimport os", order)
    assert shown(given.tokens) == expected
    assert (given.heal, given.truncated) == (b"", False)


def test_the_models_own_order_and_healing_are_the_default() -> None:
    hole = Hole("import os\nos.li", "\n")
    given = render(hole, FIM, None, VOCABULARY, prefix_budget=100, suffix_budget=100)
    assert given == prompt("import os\nos.li", "\n", "spm", heal=True)
    assert given.heal.endswith(b"li")


@pytest.mark.parametrize("heal", [True, False])
def test_nothing_before_or_after(heal: bool) -> None:
    assert shown(prompt("", "x\n", "spm", heal=heal).tokens) == "<|fim_prefix|><|fim_suffix|>x\n<|fim_middle|>"
    assert shown(prompt("", "x\n", "psm", heal=heal).tokens) == "<|fim_prefix|><|fim_suffix|>x\n<|fim_middle|>"
    for order in ("spm", "psm"):
        given = prompt("", "", order, heal=heal)
        assert (given.tokens, given.heal) == ((PREFIX, SUFFIX, MIDDLE), b"")
    assert shown(prompt("x = ", "", "psm").tokens) == "<|fim_prefix|>x = <|fim_suffix|><|fim_middle|>"


@pytest.mark.parametrize("prefix", ["", "retur"])
def test_there_is_always_a_token_to_run(prefix: str) -> None:
    given = prompt(prefix, "", "prefix", heal=True, before=len(VOCABULARY.encode(prefix)))
    assert spelled(given.tokens) == b"\n"
    assert given.heal == prefix.encode()


# --- what the user's text may hold


@pytest.mark.parametrize("order", ["spm", "psm", "prefix"])
@each_row("token", control_tokens())
def test_control_tokens_in_text_are_text(token: str, order: str) -> None:
    text = f"x = '{token}'{token}\n{token}"
    before, after = slots(prompt(text, text, order).tokens, order)
    assert not CONTROLS.intersection(before + after)
    assert spelled(before) == text.encode()
    assert spelled(after) == (b"" if order == "prefix" else text.encode())


def test_control_tokens_in_other_files_are_text() -> None:
    text = "".join(control_tokens())
    given = prompt("a", "", extra=[(text, text)], extra_budget=10_000, filename=text)
    found = [token for token in given.tokens if token in CONTROLS]
    assert found == [REPOSITORY, FILE, FILE, PREFIX, SUFFIX, MIDDLE]


def test_lone_surrogates() -> None:
    before, after = slots(prompt("a\ud83d", "\ude42b").tokens, "spm")
    assert (spelled(before).decode(), spelled(after).decode()) == ("a\ufffd", "\ufffdb")


# --- budgets


@pytest.mark.parametrize("order", ["spm", "psm"])
def test_budgets_are_exact(order: str) -> None:
    whole = len(VOCABULARY.encode(CORPUS))
    for budget in [0, 1, 2, 3, 5, 17, 64, whole - 1, whole, whole + 1]:
        given = prompt(CORPUS, CORPUS, order, before=budget, after=budget)
        before, after = slots(given.tokens, order)
        step = max(1, budget // 4)
        assert min(whole, budget - step - 3) <= len(before) <= budget
        assert min(whole, budget - 3) <= len(after) <= budget
        assert CORPUS.encode().endswith(spelled(before))
        assert CORPUS.encode().startswith(spelled(after))
        assert given.truncated == (budget < whole)


@pytest.mark.parametrize("budget", [-1, -5, -1000])
def test_a_budget_below_nothing_is_nothing(budget: int) -> None:
    assert prompt(CORPUS, CORPUS, before=budget, after=budget).tokens == (PREFIX, SUFFIX, MIDDLE)


@pytest.mark.parametrize("text", [HARD, "日本語" * 20, "🙂é" * 20, "x🎉" * 20, "👩‍👧"])
def test_no_character_is_cut_at_an_edge(text: str) -> None:
    for budget in range(len(VOCABULARY.encode(text)) + 1):
        for heal in (False, True):
            for order in ("spm", "psm"):
                given = prompt(text, text, order, before=budget, after=budget, heal=heal)
                before, after = slots(given.tokens, order)
                assert text.endswith(spelled(before).decode() + given.heal.decode())
                assert text.startswith(spelled(after).decode())


TEXT = st.lists(
    st.one_of(st.sampled_from([*control_tokens()[:4], "    ", "\r\n", "def ", "日本", "🙂"]), st.text(max_size=4)),
    max_size=12,
).map("".join)


@given(TEXT, TEXT, st.integers(0, 30), st.integers(0, 30), st.sampled_from(["spm", "psm"]), st.booleans())
def test_any_text_within_any_budget(prefix: str, suffix: str, a: int, b: int, order: str, heal: bool) -> None:
    given = prompt(prefix, suffix, order, before=a, after=b, heal=heal)
    before, after = slots(given.tokens, order)
    assert len(before) <= a
    assert len(after) <= b
    assert prefix.endswith(spelled(before).decode() + given.heal.decode())
    assert suffix.startswith(spelled(after).decode())
    whole = (spelled(before) + given.heal).decode() == prefix and spelled(after).decode() == suffix
    assert given.truncated == (not whole)
    if not heal:
        assert given.heal == b""
    elif given.heal == b"":
        assert before == []


# --- edges that stay


def test_the_beginning_of_the_prefix_moves_in_steps() -> None:
    """Typing character by character, the prompt's first tokens stay, but for a few keystrokes."""
    typed = CORPUS * 3
    prompts = [slots(prompt(typed[:end], "", before=100).tokens, "spm")[0] for end in range(len(CORPUS), len(typed))]
    moved = sum(a[:20] != b[:20] for a, b in pairwise(prompts))
    assert 5 < moved < len(prompts) / 15
    assert all(70 < len(one) <= 100 for one in prompts)


@pytest.mark.parametrize("order", ["spm", "psm"])
def test_typing_only_adds_to_the_end(order: str) -> None:
    """With room for all of it, each prompt begins as the one before; what is taken back to be healed is at the end."""
    typed = "def add(a, b):\n    return self.left + os.listdir(café)\n" * 2
    prompts = [prompt(typed[:end], "\nimport os\n", order, heal=True).tokens for end in range(10, len(typed))]
    for old, new in pairwise(prompts):
        same = next((n for n, (x, y) in enumerate(zip(old, new, strict=False)) if x != y), min(len(old), len(new)))
        behind = 2 + len(VOCABULARY.encode("\nimport os\n"))
        assert len(old) - same <= HEAL_TOKENS + (behind if order == "psm" else 0)


def test_the_suffix_stays_while_typing() -> None:
    ends = {tuple(slots(prompt(CORPUS[:end], CORPUS, after=50).tokens, "spm")[1]) for end in range(60)}
    assert len(ends) == 1


# --- other files

EXTRA = [("one.py", "import os\n"), ("two.py", "class Tree:\n    pass\n")]


def test_other_files_come_first_and_whole() -> None:
    given = prompt("a", "b", extra=EXTRA, extra_budget=1000, filename="own.py")
    assert shown(given.tokens) == (
        "<|repo_name|>repository\n"
        "<|file_sep|>one.py\nimport os\n\n"
        "<|file_sep|>two.py\nclass Tree:\n    pass\n\n"
        "<|file_sep|>own.py\n"
        "<|fim_prefix|><|fim_suffix|>b<|fim_middle|>a"
    )
    assert "<|file_sep|><|fim_prefix|>" in shown(prompt("a", "b", extra=EXTRA, extra_budget=1000).tokens)


def test_other_files_are_dropped_whole_from_the_front() -> None:
    alone = prompt("a", "b").tokens
    both, second = (len(prompt("a", "b", extra=e, extra_budget=1000).tokens) - len(alone) for e in (EXTRA, EXTRA[1:]))
    for budget in range(both + 2):
        given = prompt("a", "b", extra=EXTRA, extra_budget=budget).tokens
        assert given[-len(alone) :] == alone
        assert len(given) - len(alone) == (both if budget >= both else second if budget >= second else 0)


def commented(extra: Sequence[tuple[str, str]], *, budget: int = 1000, filename: str = "own.py", head: str = "") -> str:
    """A prompt of a model that has no tokens for files."""
    hole = Hole("a", "b", tuple(ExtraFile(*file) for file in extra), filename, head)
    return shown(render(hole, FIM, None, VOCABULARY, prefix_budget=99, suffix_budget=9, extra_budget=budget).tokens)


def test_without_tokens_for_files_they_stand_below_comments_where_the_prefix_begins() -> None:
    assert commented(EXTRA) == (
        "<|fim_prefix|><|fim_suffix|>b<|fim_middle|>"
        "# Path: one.py\nimport os\n\n"
        "# Path: two.py\nclass Tree:\n    pass\n\n"
        "\n# Path: own.py\n"
    )
    given = prompt("a", "b", extra=EXTRA, extra_budget=1000, filename="own.py", form="comments")
    assert shown(given.tokens) == commented(EXTRA) + "a"
    assert commented(EXTRA, budget=0) == commented(())


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a/b.py", "# Path: a/b.py\n"),
        ("b.TSX", "// Path: b.TSX\n"),
        ("b.sql", "-- Path: b.sql\n"),
        ("b.html", "<!-- Path: b.html -->\n"),
        ("b.css", "/* Path: b.css */\n"),
        ("Makefile", "# Path: Makefile\n"),
        ("", ""),
    ],
)
def test_a_path_is_said_in_the_languages_own_comment(path: str, line: str) -> None:
    assert path_comment(path) == line


def test_the_head_stands_before_the_prefix_and_stays_where_that_is_shortened() -> None:
    assert commented(EXTRA, head="import re\n") == commented(EXTRA) + "import re\n"
    head = "import re\n"
    for budget in (30, 60, 120):
        hole = Hole(CORPUS, "", head=head)
        given = render(hole, FIM, None, VOCABULARY, prefix_budget=budget, suffix_budget=9, heal=False)
        before, _ = slots(given.tokens, "spm")
        assert budget * 0.6 < len(before) <= budget
        assert spelled(before).decode().startswith(head)
        assert CORPUS.endswith(spelled(before).decode().removeprefix(head))
    short = render(Hole("x", "", head=CORPUS), FIM, None, VOCABULARY, prefix_budget=20, suffix_budget=9, heal=False)
    assert len(slots(short.tokens, "spm")[0]) <= 11  # never more than half


# --- healing


class Spelled:
    """An encoding whose tokens are the ones that are listed."""

    def __init__(self, *tokens: str | bytes) -> None:
        self._tokens = [token.encode() if isinstance(token, str) else token for token in tokens]

    def encode(self, text: str) -> list[int]:
        raise NotImplementedError

    def control(self, token: str) -> int:
        raise NotImplementedError

    def bytes_of(self, id: int) -> bytes:
        return self._tokens[id]


SIX_BYTES = [b"\xe6", b"\x97", b"\xa5", b"\xe6", b"\x9c", b"\xac"]
"""Two characters of three bytes, a token for each byte."""


@each_row(
    ("tokens", "count"),
    [
        ([], 0),
        ([" ret", "ur"], 2),
        (["    ", " retur"], 1),
        (["x", "    ", "retur"], 2),  # what stands right before the word may belong to its token: `(foo`
        (["import", " os", ".list", "d"], 2),
        (["os", ".", "list", "d"], 3),
        (["x", "_", "1", "é"], 4),
        ([":\n", "    "], 1),
        (["    ", "    "], 1),
        (["x", " ="], 1),
        (["x", "=", "="], 1),
        (["x", "\n"], 1),
        (["):\n"], 1),
        (["a", "b", "c", "d", "e", "f"], 4),
        ([b"", "re"], 1),
        ([b"", "re", "tur"], 2),
        (["re", b""], 0),
        ([b""], 0),
        (SIX_BYTES[:3], 3),
        (SIX_BYTES, 6),
        (["x", *SIX_BYTES[:3]], 4),
        (["a", b"\xf0", b"\x9f\x8e\x89!"], 2),
    ],
)
def test_what_is_taken_back(tokens: list[str | bytes], count: int) -> None:
    assert healed_tokens(range(len(tokens)), Spelled(*tokens)) == count


@pytest.mark.parametrize("line", HARD_LINES)
def test_what_is_taken_back_is_the_end_of_the_prefix(line: str) -> None:
    for cut in range(len(line) + 1):
        plain, healed = prompt(line[:cut], "x"), prompt(line[:cut], "x", heal=True)
        back = len(plain.tokens) - len(healed.tokens)
        assert plain.tokens[: len(healed.tokens)] == healed.tokens
        assert healed.heal == spelled(plain.tokens[len(plain.tokens) - back :])
        assert (cut > 0) == (back > 0)
        assert back <= HEAL_TOKENS + 3
