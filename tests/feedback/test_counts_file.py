"""The file of the counts: written by several at once, whole or not at all, numbers only."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from aigc_lsp.feedback import store, table
from aigc_lsp.feedback.counts import UNKNOWN, Tally, counted, decile_of, from_json, in_all, named, to_json, together
from aigc_lsp.feedback.threshold import MEMORY

ONE = counted("python", 0.42, Tally(shown=1, accepted=1, characters=20))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "suggestions.json"


def test_no_file_is_nothing_counted(path: Path) -> None:
    assert store.read(path) == store.Ledger()
    assert not path.parent.exists()


def test_what_is_added_is_read(path: Path) -> None:
    store.add(path, ONE)
    found = store.add(path, together(ONE, counted("rust", None, Tally(shown=3))))
    assert store.read(path) == found
    assert found.total["python"] == {4: Tally(shown=2, accepted=2, characters=40)}
    assert found.total["rust"] == {UNKNOWN: Tally(shown=3)}
    assert found.recent == found.total
    assert sorted(each.name for each in path.parent.iterdir()) == ["suggestions.json", "suggestions.lock"]


def test_what_is_learnt_from_forgets_and_the_total_does_not(path: Path) -> None:
    for _ in range(3):
        found = store.add(path, {"python": {4: Tally(shown=200, rejected=200)}})
    assert in_all(found.total, "python").rejected == 600
    assert in_all(found.recent, "python").rejected == pytest.approx(MEMORY)


def test_several_servers_lose_nothing(path: Path) -> None:
    def count() -> None:
        for _ in range(20):
            store.add(path, ONE)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert in_all(store.read(path).total, "python").accepted == 80


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 2, "total": {}, "recent": {}}',
        b'{"version": 1}',
        b'{"version": 1, "total": {"python": {"12": {}}}, "recent": {}}',
        b'{"version": 1, "total": {"python": {"x": {}}}, "recent": {}}',
        b'{"version": 1, "total": {"python": {"3": {"source": 1}}}, "recent": {}}',
        b'{"version": 1, "total": {"python": {"3": {"shown": "1"}}}, "recent": {}}',
        b'{"version": 1, "total": {"python": {"3": {"shown": NaN}}}, "recent": {}}',
        b'{"version": 1, "total": {"python": {"3": {"shown": true}}}, "recent": {}}',
        b"[" * 100_000,
    ],
)
def test_a_broken_file_is_set_aside_and_begun_anew(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ValueError):
        store.read(path)
    with caplog.at_level(logging.WARNING):
        assert store.add(path, ONE).total == ONE
    assert store.read(path).total == ONE
    assert path.with_suffix(".broken").read_bytes() == content
    assert "set aside as" in caplog.text


def test_what_cannot_be_written_adds_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(path, ONE)
    before = path.read_bytes()
    monkeypatch.setattr(store.os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        store.add(path, ONE)
    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["suggestions.json", "suggestions.lock"]


def test_a_lock_that_is_held_is_an_error_in_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.05)
    path.parent.mkdir()
    with FileLock(path.with_suffix(".lock")), pytest.raises(OSError):
        store.add(path, ONE)
    assert not path.exists()


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AIGC_LSP_STATE_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert store.default_path() == tmp_path / "xdg" / "aigc-lsp" / "suggestions.json"
    monkeypatch.setenv("AIGC_LSP_STATE_DIR", str(tmp_path / "own"))
    assert store.default_path() == tmp_path / "own" / "suggestions.json"


# Counts


@pytest.mark.parametrize(
    ("p", "decile"), [(None, UNKNOWN), (0.0, 0), (0.09, 0), (0.1, 1), (0.55, 5), (0.999, 9), (1.0, 9)]
)
def test_deciles(p: float | None, decile: int) -> None:
    assert decile_of(p) == decile


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("python", "python"), ("c++", "c++"), ("objective-c", "objective-c"), ("/home/me/secret.py", "other"),
        ("", "other"), ("x" * 50, "other"), ("my language", "other"), ("größe", "other"),
    ],
)  # fmt: skip
def test_a_language_that_a_client_makes_up_is_no_name_in_the_file(language: str, name: str) -> None:
    assert named(language) == name


def test_json_and_back() -> None:
    counts = together(ONE, counted("rust", None, Tally(shown=2, share_30=0.25, kept_30=1)))
    said = json.loads(json.dumps(to_json(counts)))
    assert from_json(said) == counts
    assert said["rust"] == {"-1": {"shown": 2, "share_30": 0.25, "kept_30": 1}}


# The table


def test_table_says_shares() -> None:
    counts = {
        "rust": {3: Tally(shown=2, typed=1, rejected=1)},
        "python": {
            4: Tally(
                shown=30, accepted=9, partially=3, characters=1234, kept_30=9, share_30=9, kept_120=8, share_120=4
            ),
            9: Tally(shown=10, accepted=6),
        },
    }
    found = table.rows(counts)
    assert all(len(row) == len(table.HEADINGS) for row in found)
    assert found[0] == ("python", "40", "38%", "8%", "0%", "0%", "100%", "50%", "–", "1,234")
    assert [row[:2] for row in found] == [("python", "40"), ("rust", "2"), ("all", "42")]
    assert table.rows({}) == []
