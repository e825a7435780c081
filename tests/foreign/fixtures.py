"""Fixtures of this folder: the environments of other people's SDKs, made once and found again in later runs.

Test modules name this one in `pytest_plugins`. Without a network the tests that need an environment are skipped,
in one line; with MCP_WORKBENCH_NO_SKIP=1 that is a failure.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from mcp_workbench.cli.bench.environments import EnvironmentNotMadeError, python_of
from tests.foreign.node import NodeSdk, node_sdk

NO_SKIP = os.environ.get("MCP_WORKBENCH_NO_SKIP") == "1"


@pytest.fixture(scope="session")
def mcp1_python() -> Path:
    """The interpreter that has `mcp` 1.30."""
    return _python("mcp1")


@pytest.fixture(scope="session")
def mcp2_python() -> Path:
    """The interpreter that has `mcp` 2.3."""
    return _python("mcp2")


@pytest.fixture(scope="session")
def typescript_sdk() -> NodeSdk:
    """Node, and the folder that has `@modelcontextprotocol/sdk` 1.32."""
    try:
        return node_sdk()
    except EnvironmentNotMadeError as error:
        _cannot(f"no TypeScript SDK: {error}")


def _python(name: str) -> Path:
    try:
        return python_of(name)
    except EnvironmentNotMadeError as error:
        _cannot(f"no environment {name}: {error}")


def _cannot(reason: str) -> NoReturn:
    if NO_SKIP:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
