"""The workspaces in `situations/` hold no tests of ours."""

from __future__ import annotations

import pytest
from workspaces import found_here

from aigc_lsp.index import build

collect_ignore = ["situations"]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of `index/` have the worker; here the index is only what is asked."""
    monkeypatch.setattr(build, "found_by_worker", found_here)
