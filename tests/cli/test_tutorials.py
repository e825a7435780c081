"""Where the tutorials are, and what copying leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import mcp_workbench
from mcp_workbench.cli import tutorials
from mcp_workbench.cli.tutorials import copy_tutorials, tutorials_folder

NAMES = [
    *sorted(path.name for path in tutorials_folder().glob("*.ipynb")),
    *sorted(f"data/{path.name}" for path in tutorials_folder().glob("data/*.mcptraffic.jsonl")),
]


def test_all_are_copied_then_found_the_same_then_kept_where_they_were_changed(tmp_path: Path) -> None:
    folder = tmp_path / "here" / "tutorials"
    first = copy_tutorials(folder)
    assert (first.new, first.same, first.kept) == (NAMES, [], [])
    assert {"01-quickstart.ipynb", "data/claude-code.mcptraffic.jsonl"} <= set(NAMES)
    assert all((folder / name).read_bytes() == (tutorials_folder() / name).read_bytes() for name in NAMES)

    changed, deleted = NAMES[:2]
    (folder / changed).write_text("mine")
    (folder / deleted).unlink()
    (folder / "notes.ipynb").write_text("mine too")
    second = copy_tutorials(folder)
    assert (second.new, second.same, second.kept) == ([deleted], NAMES[2:], [changed])
    assert (folder / changed).read_text() == "mine"
    assert (folder / "notes.ipynb").read_text() == "mine too"


def test_each_kind_is_told_in_a_line_of_its_own() -> None:
    told = tutorials.Copied(Path("there"), new=["a.ipynb"], same=["b.ipynb"], kept=["c.ipynb", "d.ipynb"]).sentences()
    assert told == [
        "Copied to there: a.ipynb",
        "Already in there: b.ipynb",
        "Kept as you have them in there (delete one to get it anew): c.ipynb, d.ipynb",
    ]


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tutorials").write_text("mine")
    with pytest.raises(FileExistsError):
        copy_tutorials(tmp_path / "tutorials")
    assert (tmp_path / "tutorials").read_text() == "mine"


def test_an_installed_package_has_them_beside_the_module_and_a_checkout_in_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "mcp_workbench"
    (package / "cli" / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(mcp_workbench, "__file__", str(package / "__init__.py"))
    with pytest.raises(FileNotFoundError, match="install mcp-workbench anew"):
        tutorials_folder()
    (tmp_path / "site" / "notebooks").mkdir()
    (tmp_path / "site" / "notebooks" / "a.ipynb").touch()
    assert tutorials_folder() == tmp_path / "site" / "notebooks"
    (package / "cli" / "notebooks" / "a.ipynb").touch()
    assert tutorials_folder() == package / "cli" / "notebooks"
