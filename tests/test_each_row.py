"""Tables that are one test each."""

from __future__ import annotations

import pytest
from each_row import each_row


@pytest.fixture
def seven() -> int:
    return 7


@each_row(("number", "square"), [(2, 4), (3, 9)])
def test_rows_have_fixtures_beside_them(seven: int, number: int, square: int) -> None:
    assert (seven, number * number) == (7, square)


@pytest.mark.parametrize("twice", [1, 2])
@each_row("number", [1, 2, 3])
def test_among_parameters(number: int, twice: int) -> None:
    assert number * twice <= 6


def test_every_row_is_tried_and_each_that_fails_is_named() -> None:
    tried = []

    @each_row(("word", "length"), [("right", 5), ("wrong", 4), ("error", None), ("said", 0), ("good", 4)])
    def check(word: str, length: int | None) -> None:
        tried.append(word)
        if word == "said":
            pytest.fail("for a reason")
        assert len(word) - length == 0  # type: ignore[operator]

    with pytest.raises(pytest.fail.Exception) as failed:
        check()
    assert tried == ["right", "wrong", "error", "said", "good"]
    said = str(failed.value)
    assert said.startswith("3 of 5 rows fail")
    for part in ("'wrong', 4", "(5 - 4) == 0", "'error', None", "TypeError", "'said', 0", "for a reason"):
        assert part in said
    assert "'right'" not in said
    assert "'good'" not in said


def test_a_row_that_has_a_name_is_called_by_it() -> None:
    @each_row(("one", "other"), {"the same": (1, 1), "not the same": (1, 2)})
    def check(one: int, other: int) -> None:
        assert one == other

    with pytest.raises(pytest.fail.Exception, match=r"^1 of 2 rows fail\n\nnot the same\n"):
        check()


def test_a_table_without_rows_fails() -> None:
    @each_row("word", [])
    def check(word: str) -> None:
        pass

    with pytest.raises(AssertionError):
        check()


def test_a_row_of_the_wrong_width_fails() -> None:
    @each_row(("one", "other"), [(1,)])
    def check(one: int, other: int) -> None:
        pass

    with pytest.raises(pytest.fail.Exception, match="1 of 1 rows"):
        check()
