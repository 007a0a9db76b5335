"""One llama-server for all tests, and the way to what they share with others."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from llama_peer import Peer, command, free_port, wait

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.weights.store import Store


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    model = Store().source_path(catalogue.load(Config().model))
    if not model.is_file():
        pytest.skip(f"the model's file is not here: `aigc-lsp models pull {Config().model}`")
    folder, port = tmp_path_factory.mktemp("peer"), free_port()
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command(model, port), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    peer = Peer(f"http://127.0.0.1:{port}", folder)
    try:
        wait(peer, process)
        yield peer
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
