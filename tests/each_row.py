"""A table of many cheap cases as one test: every row is tried, and each one that fails is named."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest


def each_row(
    names: str | tuple[str, ...], rows: Iterable[Any] | Mapping[str, Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As `pytest.mark.parametrize`, without the milliseconds that a test costs for each row that costs microseconds.

    A mapping gives its rows names. All rows share the fixtures of their one test, so it is for checks that leave
    nothing behind.
    """
    columns = (names,) if isinstance(names, str) else names
    named = rows.items() if isinstance(rows, Mapping) else [("", row) for row in rows]
    table = [(name, (row,) if isinstance(names, str) else tuple(row)) for name, row in named]

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(check)
        def test(**fixtures: Any) -> None:
            assert table, "a table without a row"
            failed = []
            for name, row in table:
                try:
                    check(**fixtures, **dict(zip(columns, row, strict=True)))
                except (Exception, pytest.fail.Exception):
                    error = pytest.ExceptionInfo.from_current()
                    said = error.getrepr(style="short", tbfilter=lambda error: error.traceback[1:])
                    failed.append(f"{name or ', '.join(map(repr, row))}\n{said}")
            if failed:
                pytest.fail("\n\n".join([f"{len(failed)} of {len(table)} rows fail", *failed]), pytrace=False)

        whole = inspect.signature(check)
        left = [parameter for name, parameter in whole.parameters.items() if name not in columns]
        test.__signature__ = whole.replace(parameters=left)  # type: ignore[attr-defined]
        test.rows = len(table)  # type: ignore[attr-defined]
        return test

    return decorate
