"""Which paths there are: `Paths` and `Postings` are what one would build anew, whatever was added and taken away."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_lsp.index.paths import Paths, above, is_within, nearest, normal
from aigc_lsp.index.postings import Postings

NAMES = st.sampled_from(["a", "b", "c.py", "d.py"])
FILES = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
CHANGES = st.lists(st.tuples(st.booleans(), FILES), max_size=24)


@given(CHANGES)
@settings(derandomize=True)
def test_paths_are_those_that_were_added_and_not_discarded(changes: list[tuple[bool, str]]) -> None:
    paths, held = Paths(), set[str]()
    for is_added, path in changes:
        (paths.add if is_added else paths.discard)(path)
        (held.add if is_added else held.discard)(path)
    folders = {folder for path in held for folder in above(path)}
    every = held | {path for _, path in changes} | {folder for _, path in changes for folder in above(path)}
    for path in every:
        tail = path.split("/", 1)[-1]
        assert (path in paths) == (path in held)
        assert paths.has_folder(path) == (path in folders)
        assert paths.ending(tail) == sorted(each for each in held if f"/{each}".endswith(f"/{tail}"))
        assert paths.folders_ending(tail or "a") == sorted(
            each for each in folders if each and f"/{each}".endswith(f"/{tail or 'a'}")
        )
        assert sorted(paths.below(path)) == sorted(each for each in held if is_within(each, path) and each != path)
        assert paths.files_in(path) == sorted(each for each in held if each.rpartition("/")[0] == path)
        assert paths.folders_in(path) == sorted(each for each in folders if each and each.rpartition("/")[0] == path)


@given(st.lists(st.tuples(st.booleans(), NAMES, NAMES), max_size=24))
@settings(derandomize=True)
def test_postings_are_sets(changes: list[tuple[bool, str, str]]) -> None:
    postings, held = Postings(), dict[str, set[str]]()
    for is_added, key, value in changes:
        (postings.add if is_added else postings.discard)(key, value)
        (held.setdefault(key, set()).add if is_added else held.setdefault(key, set()).discard)(value)
    assert len(postings) == sum(map(bool, held.values()))
    for key, values in held.items():
        assert sorted(postings.of(key)) == sorted(values)
        assert postings.count(key) == len(values)


def test_a_path_as_deep_as_the_system_allows() -> None:
    path = "a/" * 2040 + "b.py"
    paths = Paths()
    paths.add(path)
    assert list(paths.below("a")) == [path]
    paths.discard(path)
    assert not paths.has_folder("a")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/./b", "a/b"), ("a/../b", "b"), ("a/..", ""), (".", ""), ("..", None), ("a/../../b", None), ("/a", None)],
)
def test_normal_paths_stay_in_the_root(path: str, expected: str | None) -> None:
    assert normal(path) == expected


def test_the_nearest_has_most_of_its_beginning_in_common() -> None:
    assert nearest("x/y/a", ["z", "x/z/b", "x/y/b", "x/b", "c"]) == ["x/y/b", "x/b", "x/z/b", "c", "z"]
