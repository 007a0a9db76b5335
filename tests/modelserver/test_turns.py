"""Whose request comes next: who waits for text before who reads ahead; users in turn; of a document, the newest."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_lsp.modelserver.turns import Job, Turns
from aigc_lsp.service.wire import InfillRequest


def job(user: str = "", document: str = "", n_predict: int = 8, name: str = "") -> Job:
    return Job(InfillRequest(name, user=user, document=document, n_predict=n_predict), lambda event: None)


def taken(turns: Turns) -> list[str]:
    """The names of all that waits, in the order in which it is served."""
    names = []
    while (found := turns.take(timeout=0)) is not None:
        assert isinstance(found.request, InfillRequest)
        names.append(found.request.input_prefix)
    return names


def test_reading_ahead_waits_for_all_who_wait_for_text() -> None:
    turns = Turns()
    for name, n_predict in [("w1", 0), ("a1", 8), ("w2", 0), ("a2", 1)]:
        turns.put(job(user=name, n_predict=n_predict, name=name))
    assert len(turns) == 4
    assert turns.has_asking
    assert taken(turns) == ["a1", "a2", "w1", "w2"]
    assert not turns.has_asking


def test_a_flood_delays_another_by_one_request() -> None:
    turns = Turns()
    for n in range(50):
        turns.put(job("flood", name=f"f{n}"))
    turns.put(job("quiet", name="q"))
    turns.put(job("other", name="o"))
    order = taken(turns)
    assert order[:4] == ["f0", "q", "o", "f1"]
    assert order[4:] == [f"f{n}" for n in range(2, 50)]


@given(st.lists(st.sampled_from("abcd"), max_size=30))
def test_users_take_turns_and_each_in_its_own_order(users: list[str]) -> None:
    turns = Turns()
    for n, user in enumerate(users):
        turns.put(job(user, name=f"{user}{n}"))
    order = taken(turns)
    assert sorted(order) == sorted(f"{user}{n}" for n, user in enumerate(users))
    for user in set(users):
        mine = [name for name in order if name[0] == user]
        assert mine == [f"{user}{n}" for n, each in enumerate(users) if each == user]
        # Between two of one user's every other who waits has one, and no more.
        for first, second in pairwise(mine):
            between = [name[0] for name in order[order.index(first) + 1 : order.index(second)]]
            assert len(between) == len(set(between))


def test_a_newer_request_of_a_document_ends_the_older() -> None:
    turns = Turns()
    old, other = job("u", "d", name="old"), job("u", "e", name="other")
    assert turns.put(old) == []
    assert turns.put(other) == []
    assert turns.put(job("u", "d", name="new")) == [old]
    assert old.cancelled.is_set()
    assert not other.cancelled.is_set()
    assert taken(turns) == ["other", "new"]


def test_one_that_runs_is_told_and_not_given_back() -> None:
    turns = Turns()
    running = job("u", "d")
    turns.put(running)
    assert turns.take(0) is running
    assert turns.put(job("u", "d")) == []
    assert running.cancelled.is_set()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("u", "d"), ("v", "d")),  # another user's document of that name
        (("u", ""), ("u", "")),  # nobody said what it is about
    ],
)
def test_others_are_left_alone(first: tuple[str, str], second: tuple[str, str]) -> None:
    turns = Turns()
    old = job(*first)
    turns.put(old)
    assert turns.put(job(*second)) == []
    assert not old.cancelled.is_set()
    assert len(turns) == 2


def test_reading_ahead_ends_reading_ahead_only() -> None:
    turns = Turns()
    asking, warming = job("u", "d"), job("u", "d", n_predict=0)
    turns.put(asking)
    assert turns.put(warming) == []
    assert not asking.cancelled.is_set()
    assert turns.put(job("u", "d", n_predict=0)) == [warming]
    assert turns.put(job("u", "d", name="new"))[-1] is asking
    assert taken(turns) == ["new"]


def test_what_is_put_back_is_its_users_next() -> None:
    turns = Turns()
    for name in ("w1", "w2"):
        turns.put(job("u", n_predict=0, name=name))
    first = turns.take(0)
    assert first is not None
    turns.put_back(first)
    assert taken(turns) == ["w1", "w2"]


def test_take_waits_for_a_job_for_the_time_given_and_for_the_end() -> None:
    turns = Turns()
    assert turns.take(timeout=0.01) is None
    found: list[Job | None] = []
    taker = threading.Thread(target=lambda: found.extend([turns.take(), turns.take()]))
    taker.start()
    only = job()
    turns.put(only)
    turns.close()
    taker.join(20)
    assert found == [only, None]
    assert turns.is_closed


def test_who_left_does_not_count_as_asking() -> None:
    turns = Turns()
    gone = job()
    turns.put(gone)
    gone.cancelled.set()
    assert not turns.has_asking
