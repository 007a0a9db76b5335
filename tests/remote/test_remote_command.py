"""`aigc-lsp complete` where `engine.url` is set: that server is asked, and nothing is started here."""

from __future__ import annotations

import asyncio
from pathlib import Path

import command_line
import pytest
from command_line import Run
from peer_server import PeerServer, texts
from remote_bench import COMPLETIONS

folder = pytest.fixture(command_line.folder)
run = pytest.fixture(command_line.run)


async def test_a_place_is_completed_by_the_server_elsewhere(
    peer: PeerServer, url: str, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "a.py"
    source.write_text("total = \n")
    for name, value in (("URL", url), ("API", "openai"), ("REMOTE_MODEL", "served")):
        monkeypatch.setenv(f"AIGC_LSP_ENGINE_{name}", value)
    peer.routes[COMPLETIONS] = texts("1")
    ran = await asyncio.to_thread(run, "complete", f"{source}:1:9")
    assert (ran.code, ran.out) == (0, "1\n")
    assert len(peer.bodies(COMPLETIONS)) == 1
    assert not (folder / "run").exists()  # no model server of our own was looked for
