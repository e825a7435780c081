"""Tests of this folder run the steps of calls on their own thread; no test is in the call of another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mcp_workbench.execution.calls import current_call


@pytest.fixture(autouse=True)
def in_no_call() -> Iterator[None]:
    yield
    current_call.set(None)
