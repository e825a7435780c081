"""The tutorials that ride along in the package, and a copy of them to work in.

`lab` copies them; `quickstart` reads one of them where it is. What a person has changed is never written over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import mcp_workbench
from mcp_workbench.exploring.recording.format import SUFFIX

DATA = "data"
"""Where beside them the recordings are that they read."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of each tutorial, by file name."""

    folder: Path
    new: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    """Were there, as they are in this version."""
    kept: list[str] = field(default_factory=list)
    """Were there and differ: changed by somebody, run, or of another version."""

    def sentences(self) -> list[str]:
        """One line for each kind."""
        lines = []
        if self.new:
            lines.append(f"Copied to {self.folder}: {', '.join(self.new)}")
        if self.same:
            lines.append(f"Already in {self.folder}: {', '.join(self.same)}")
        if self.kept:
            lines.append(f"Kept as you have them in {self.folder} (delete one to get it anew): {', '.join(self.kept)}")
        return lines


def tutorials_folder() -> Path:
    """Where the tutorials are: beside this module in an installed package, in `notebooks` in a checkout.

    Raises:
        FileNotFoundError: In neither place.
    """
    package = Path(mcp_workbench.__file__).parent
    for place in (package / "cli" / "notebooks", package.parent / "notebooks"):
        if any(place.glob("*.ipynb")):
            return place
    raise FileNotFoundError("the tutorials are missing from this installation: install mcp-workbench anew")


def copy_tutorials(folder: Path) -> Copied:
    """Copy the tutorials that are not in a folder yet, and the recordings they read; makes the folder, changes no file.

    Raises:
        OSError: The folder cannot be made or written to.
    """
    copied = Copied(folder)
    there = tutorials_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DATA).mkdir(exist_ok=True)
    for source in (*sorted(there.glob("*.ipynb")), *sorted(there.glob(f"{DATA}/*{SUFFIX}"))):
        name, content = source.relative_to(there).as_posix(), source.read_bytes()
        target = folder / name
        if not target.exists():
            target.write_bytes(content)
            copied.new.append(name)
        elif target.read_bytes() == content:
            copied.same.append(name)
        else:
            copied.kept.append(name)
    return copied
