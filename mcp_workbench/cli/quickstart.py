"""The quickstart notebook, and which of its cells a kernel runs.

The notebook itself plays both sides. Its cells tagged `kernel` are the person's; those that are also
tagged `change` come after agents have subscribed. Everything else in it is the agents' part.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_workbench.cli.tutorials import tutorials_folder

NAME = "01-quickstart.ipynb"


@dataclass(frozen=True, slots=True)
class KernelCell:
    """One cell for the kernel."""

    title: str
    """The last heading above it."""
    source: str
    changes: bool
    """Runs while agents watch."""


def quickstart_path() -> Path:
    """The notebook.

    Raises:
        FileNotFoundError: It is missing from this installation.
    """
    path = tutorials_folder() / NAME
    if not path.is_file():
        raise FileNotFoundError(f"{NAME} is missing from this installation: install mcp-workbench anew")
    return path


def kernel_cells(path: Path) -> list[KernelCell]:
    """The cells tagged `kernel`, in order.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no notebook, or has no such cells.
    """
    cells: list[KernelCell] = []
    title = path.stem
    for cell in _cells(path):
        source = "".join(cell["source"])
        tags = cell.get("metadata", {}).get("tags", [])
        if cell["cell_type"] == "markdown":
            title = next((line.lstrip("# ") for line in source.splitlines() if line.startswith("#")), title)
        elif cell["cell_type"] == "code" and "kernel" in tags:
            cells.append(KernelCell(title, source, "change" in tags))
    if not cells:
        raise ValueError(f"{path.name} has no cell tagged 'kernel'")
    return cells


def _cells(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError):
        cells = None
    if not isinstance(cells, list):
        raise ValueError(f"{path.name} is no Jupyter notebook")
    return cells
