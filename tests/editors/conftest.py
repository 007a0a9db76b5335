"""Each editor's tests have a `desk` (see desk.py); the model server is one for them all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import desk as desks
import pytest
from desk import Desk

from aigc_lsp import catalogue
from aigc_lsp.config import Config
from aigc_lsp.weights.store import Store


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.editor)


@pytest.fixture(scope="session")
def runtime() -> Iterator[Path]:
    """The folder of the one model server. It has a short path, as its socket needs one."""
    if Store().state(catalogue.load(Config().model)) == "absent":
        pytest.skip(f"the model is not here: `aigc-lsp models pull {Config().model}`")
    folder = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    yield folder / "run"
    desks.clear(desks.make(folder / "last", folder / "run"))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def desk(runtime: Path) -> Iterator[Desk]:
    home = Path(tempfile.mkdtemp(prefix="aigc-", dir="/tmp"))
    yield desks.make(home, runtime)
    shutil.rmtree(home, ignore_errors=True)
