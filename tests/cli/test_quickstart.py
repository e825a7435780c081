"""Finding the quickstart and the cells a kernel runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.cli import quickstart
from mcp_workbench.cli.quickstart import KernelCell, kernel_cells, quickstart_path


def notebook(path: Path, *cells: tuple[str, Any, list[str]]) -> Path:
    content = [{"cell_type": kind, "source": source, "metadata": {"tags": tags} if tags else {}} for kind, source, tags in cells]
    path.write_text(json.dumps({"cells": content}))
    return path


def test_only_tagged_cells_come_in_order_under_the_heading_above_them(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "story.ipynb",
        ("code", "a = 1", ["kernel"]),
        ("markdown", ["Some words\n", "## First part\n", "More words"], []),
        ("code", ["b = 1\n", "b"], ["kernel", "other"]),
        ("code", "agents", []),
        ("markdown", "words alone", []),
        ("code", "b = 2", ["kernel", "change"]),
        ("code", "never", ["change"]),
    )
    assert kernel_cells(path) == [
        KernelCell("story", "a = 1", False),
        KernelCell("First part", "b = 1\nb", False),
        KernelCell("First part", "b = 2", True),
    ]


def test_the_packages_own_notebook_defines_publishes_starts_and_then_changes() -> None:
    cells = kernel_cells(quickstart_path())
    code = "\n".join(cell.source for cell in cells if not cell.changes)
    assert code.index("@wb.tool") < code.index("wb.publish(flights=flights)") < code.index("wb.show()")
    assert [cell.changes for cell in cells] == sorted(cell.changes for cell in cells)
    assert sum(cell.changes for cell in cells) == 2
    assert len({cell.title for cell in cells}) == len(cells)


@pytest.mark.parametrize("text", ["no json", "[]", '{"cells": null}', "{}"])
def test_what_is_no_notebook_is_said_not_to_be(tmp_path: Path, text: str) -> None:
    path = tmp_path / "story.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"story\.ipynb is no Jupyter notebook"):
        kernel_cells(path)


def test_a_notebook_without_tagged_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no cell tagged 'kernel'"):
        kernel_cells(notebook(tmp_path / "story.ipynb", ("code", "a = 1", [])))


def test_a_missing_quickstart_is_said_with_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.ipynb").touch()
    monkeypatch.setattr(quickstart, "tutorials_folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"01-quickstart\.ipynb is missing .* install mcp-workbench anew"):
        quickstart_path()
