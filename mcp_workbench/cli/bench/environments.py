"""Foreign servers live in environments of their own: `mcp` 1.x and 2.x cannot share one, and none belongs to the product.

Made once with `venv` and pip, then found again under `MCP_WORKBENCH_TEST_CACHE` (default: the user's cache folder);
never in the source tree.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

SERVER = ("uvicorn[standard]==0.54.*",)
REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "rest": ("fastapi==0.165.*", *SERVER),
    "mcp1": ("mcp[ws]==1.30.*", *SERVER),
    "mcp2": ("mcp==2.3.*", *SERVER),
}
"""Environment name -> what pip installs."""

MAKING_TAKES_AT_MOST_S = 600


class EnvironmentNotMadeError(Exception):
    """pip could not install what the environment needs, for instance without a network."""


def cache_folder() -> Path:
    """Where environments are kept."""
    chosen = os.environ.get("MCP_WORKBENCH_TEST_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-workbench"


def environment_folder(name: str) -> Path:
    """Folder of an environment; other requirements or another Python make another folder."""
    facts = "\n".join([*REQUIREMENTS[name], sys.implementation.cache_tag, sys.base_prefix])
    return cache_folder() / "environments" / f"{name}-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"


def python_of(name: str) -> Path:
    """The interpreter of an environment, which is made if it is not there yet.

    Raises:
        EnvironmentNotMadeError: With pip's last words.
    """
    folder = environment_folder(name)
    if not folder.exists():
        _make(folder, REQUIREMENTS[name])
    return _interpreter(folder)


def _make(folder: Path, requirements: tuple[str, ...]) -> None:
    """Build beside the final place and rename: a folder with the final name is always complete."""
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        _run(sys.executable, "-m", "venv", str(unfinished))
        _run(str(_interpreter(unfinished)), "-m", "pip", "install", "--quiet", *requirements)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _run(*command: str) -> None:
    try:
        subprocess.run(  # noqa: S603  # our own interpreter and the requirements above
            command, check=True, capture_output=True, text=True, timeout=MAKING_TAKES_AT_MOST_S
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no output"])[-1]
        raise EnvironmentNotMadeError(f"could not make the environment: {last}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentNotMadeError(f"could not make the environment: {error}") from error


def _interpreter(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
