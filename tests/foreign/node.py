"""The TypeScript SDK: npm's folder, made once and found again beside the Python environments."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mcp_workbench.cli.bench.environments import EnvironmentNotMadeError, cache_folder

REQUIREMENTS = ("@modelcontextprotocol/sdk@1.32", "ws@8")
"""`ws`: Node before 22 has no WebSocket of its own, and the SDK expects a global one."""
MAKING_TAKES_AT_MOST_S = 300
OPTIONS = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")


@dataclass(frozen=True, slots=True)
class NodeSdk:
    """What it takes to run a script."""

    node: str
    """The program."""
    folder: Path
    """Where `node_modules` is."""


def node_sdk() -> NodeSdk:
    """Node and the SDK's folder, which is made if it is not there yet.

    Raises:
        EnvironmentNotMadeError: Node or npm is missing, or npm failed, for instance without a network.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise EnvironmentNotMadeError("node and npm are not installed")
    digest = hashlib.sha256("\n".join(REQUIREMENTS).encode()).hexdigest()[:12]
    folder = cache_folder() / "environments" / f"typescript1-{digest}"
    if not folder.exists():
        _make(npm, folder)
    return NodeSdk(node, folder)


def _make(npm: str, folder: Path) -> None:
    """Build beside the final place and rename, as Python environments are."""
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    try:
        _install(npm, unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _install(npm: str, folder: Path) -> None:
    command = (npm, "install", "--prefix", str(folder), *OPTIONS, *REQUIREMENTS)
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=MAKING_TAKES_AT_MOST_S, cwd=folder)
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.strip().splitlines() if "complete log" not in line]
        raise EnvironmentNotMadeError(f"npm could not install: {(said or ['no output'])[-1]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentNotMadeError(f"npm could not install: {error}") from error
