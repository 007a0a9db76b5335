"""Which snippets are shown, and in which order: what says something new, the most wanted, and nothing that moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.context.snippet import Snippet, blocks, chosen


def snippet(name: str, path: str = "a.py", lines: int = 2) -> Snippet:
    return Snippet(path, "\n".join(f"{name} says line {at}" for at in range(lines)), "definition")


A, B, C, D = (snippet(name) for name in ("alpha", "beta", "gamma", "delta"))
WIDE = 10_000


def test_the_most_wanted_comes_last_and_files_stay_together() -> None:
    other = snippet("other", "b.py")
    assert chosen([A, other, B], WIDE, "") == (other, B, A)


def test_what_does_not_fit_is_left_out_and_smaller_ones_take_its_place() -> None:
    large = snippet("large", lines=50)
    assert chosen([A, large, B], A.cost + B.cost, "") == (B, A)
    assert chosen([A, B], A.cost, "") == (A,)
    assert chosen([A], 0, "") == ()


def test_what_the_surroundings_say_is_left_out() -> None:
    assert chosen([A, B], WIDE, f"    x = 1\n{A.text}\n") == (B,)
    assert chosen([A], WIDE, "\n".join(f"    {line}" for line in A.text.split("\n"))) == ()
    half = snippet("half", lines=4)
    assert chosen([half], WIDE, "\n".join(half.text.split("\n")[:2])) == (half,)


def test_what_another_says_is_left_out() -> None:
    assert chosen([A, Snippet("z.py", A.text, "open"), B], WIDE, "") == (B, A)
    assert chosen([A, A], WIDE, "") == (A,)
    assert chosen([Snippet("z.py", "}\n)\n", "open")], WIDE, "") == ()


SNIPPETS = st.builds(snippet, st.sampled_from("abcdefgh"), st.sampled_from(["a.py", "b.py"]), st.integers(1, 9))


@given(st.lists(SNIPPETS), st.integers(0, 800))
def test_it_always_fits_and_never_doubles(candidates: list[Snippet], budget: int) -> None:
    found = chosen(candidates, budget, "")
    assert sum(each.cost for each in found) <= budget
    assert len(set(found)) == len(found)
    assert chosen(candidates, budget, "\n".join(each.text for each in candidates)) == ()


def test_blocks_show_a_path_once_and_a_class_once() -> None:
    one, two = "class A:\n    def one(): ...", "class A:\n    def two(): ..."
    given = [Snippet(path, text, "definition") for path, text in (("a", one), ("a", two), ("a", "X = 1"), ("b", one))]
    assert blocks(given) == [("a", "class A:\n    def one(): ...\n    def two(): ...\nX = 1"), ("b", one)]
    assert blocks([]) == []
