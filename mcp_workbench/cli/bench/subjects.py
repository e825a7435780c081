"""Who is compared with whom: one line per subject.

The floor and ours need nothing but this package. REST and the official SDKs are scripts of the source tree
(`tests/benchmarks/peers`), each run in an environment of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mcp_workbench.cli.bench.environments import python_of


class Subject(Protocol):
    """One line of the table."""

    @property
    def name(self) -> str:
        """What `--only` takes, and the name of the target that the server announces."""

    @property
    def title(self) -> str:
        """For people."""

    def command(self) -> Sequence[str]:
        """How to start its server."""


@dataclass(frozen=True, slots=True)
class Own:
    """Served by a module of this package."""

    name: str
    title: str
    module: str

    def command(self) -> Sequence[str]:
        """Run the module with this interpreter."""
        return [sys.executable, "-m", f"mcp_workbench.cli.bench.{self.module}"]


@dataclass(frozen=True, slots=True)
class Foreign:
    """Served by a script in an environment of its own."""

    name: str
    title: str
    script: str
    environment: str

    def command(self) -> Sequence[str]:
        """Run the script with its environment's interpreter, made if need be.

        Raises:
            FileNotFoundError: The script is not part of this installation.
            EnvironmentNotMadeError: The environment could not be made.
        """
        script = peers_folder() / self.script
        if not script.exists():
            raise FileNotFoundError(f"{self.script} comes with the source tree, in tests/benchmarks/peers")
        return [str(python_of(self.environment)), str(script)]


FLOOR = Own("floor", "floor (websockets)", "floor")

SUBJECTS: tuple[Subject, ...] = (
    FLOOR,
    Own("inline", "workbench, inline", "ours"),
    Own("thread", "workbench, thread", "ours"),
    Own("http", "workbench, HTTP", "ours"),
    Foreign("rest", "REST (FastAPI)", "rest.py", "rest"),
    Foreign("mcp2", "SDK 2.x (HTTP)", "mcp2.py", "mcp2"),
    Foreign("mcp1", "SDK 1.x (WS)", "mcp1.py", "mcp1"),
)
"""The floor comes first: the others are given as ratios to it."""

OWN_NAMES = frozenset(subject.name for subject in SUBJECTS if isinstance(subject, Own))
"""What every installation can measure."""


def peers_folder() -> Path:
    """Where the foreign servers' scripts are: beside this module when packaged, else in the source tree."""
    packaged = Path(__file__).with_name("peers")
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "tests" / "benchmarks" / "peers"
