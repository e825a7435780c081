"""An environment for kernels that is not Jupyter's, with another version of the package in it, as people have who upgrade one of the two.

It borrows every other package from here, so it is made in a second and without a network.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import venv
from pathlib import Path

import nbformat

from tests.ui.lab import ROOT, JupyterLab


def make_environment(folder: Path, *, version: str, view_protocol: int) -> Path:
    """Make one; returns its interpreter.

    Args:
        folder: Where; it is made.
        version: Of mcp_workbench there.
        view_protocol: Which messages that speaks with views.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    [site] = (folder / "lib").glob("python*/site-packages")
    package = site / "mcp_workbench"
    shutil.copytree(ROOT / "mcp_workbench", package, ignore=shutil.ignore_patterns("__pycache__", "labextension"))
    _rewrite(package / "version.py", r'(__version__ = )"[^"]+"', rf'\g<1>"{version}"')
    _rewrite(package / "views/messages.py", r"^(VIEW_PROTOCOL = )\d+", rf"\g<1>{view_protocol}")
    borrowed = [path for path in sys.path if path.endswith("site-packages")]  # after its own
    (site / "borrowed.pth").write_text("\n".join(borrowed))
    return folder / "bin" / "python"


def _rewrite(file: Path, pattern: str, replacement: str) -> None:
    text, n = re.subn(pattern, replacement, file.read_text(), flags=re.MULTILINE)
    assert n == 1, f"{file} holds no {pattern}"
    file.write_text(text)


def add_kernel(lab: JupyterLab, name: str, python: Path) -> None:
    """Offer an environment's kernel in a Jupyter, as `ipykernel install` does."""
    folder = lab.root.parent / "data" / "kernels" / name
    folder.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "language": "python"}))


def write_notebook(lab: JupyterLab, path: str, kernel: str, *cells: str) -> str:
    """Write a notebook that wants this kernel; returns its path."""
    lab.write_notebook(path, *cells)
    notebook = nbformat.read(lab.root / path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types
    notebook.metadata.kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
    nbformat.write(notebook, lab.root / path)  # type: ignore[no-untyped-call]
    return path
