"""JupyterLab as people run it: a process of its own, with this tree's extension of it and of its server.

Everything it reads and writes that is a person's is in one folder, and the token stands in its configuration file, never in
argv. What pip would have put beside the interpreter is copied there from this tree, so that no installed version is tested.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupyterlab

ROOT = Path(__file__).parent.parent.parent
BUILT = ("mcp_workbench/labextension/package.json", "mcp_workbench/static/widget.js", "mcp_workbench/static/page.js")


def missing() -> list[str]:
    """Files of the front end that are not built."""
    return [name for name in BUILT if not (ROOT / name).is_file()]


@dataclass(slots=True)
class JupyterLab:
    """A running JupyterLab, which serves the pages of Notebook 7 too."""

    url: str
    """Ends with a slash."""
    token: str
    root: Path
    """Where notebooks are."""
    log: list[str] = field(default_factory=list)

    def ask(self, path: str, method: str = "GET") -> Any:
        """A request to its REST API; blocks."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"token {self.token}"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def write_notebook(self, path: str, *cells: str) -> str:
        """Write a notebook with these code cells; returns its path."""
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        empty: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        written = [{**empty, "id": f"cell-{number}", "source": cell} for number, cell in enumerate(cells)]
        notebook = {"cells": written, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (self.root / path).write_text(json.dumps(notebook))
        return path

    def kernel_of(self, path: str) -> str:
        """Id of the kernel of a notebook that is open."""
        return next(str(session["kernel"]["id"]) for session in self.ask("api/sessions") if session["path"] == path)

    def agent_url(self, path: str) -> str:
        """Where an agent reaches a notebook, with Jupyter's token."""
        return f"{self.url.replace('http', 'ws', 1)}mcp-workbench/kernels/{self.kernel_of(path)}/mcp"

    def end_kernels(self) -> None:
        """Shut down every kernel."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", "DELETE")

    def forget_settings(self) -> None:
        """Back to how it is when it has just been installed."""
        shutil.rmtree(self.root.parent / "settings", ignore_errors=True)


@contextmanager
def running_lab(folder: Path, *, gateway: bool = True) -> Iterator[JupyterLab]:
    """A JupyterLab for as long as the `with` lasts.

    Args:
        folder: An empty one.
        gateway: Whether its server has `mcp_workbench.gateway`.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    here = JupyterLab(f"http://127.0.0.1:{port}/", secrets.token_urlsafe(32), folder / "notebooks")
    here.root.mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "jupyterlab"],
        env=_environment(folder, _settings(here, port, gateway=gateway)),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        ready = threading.Event()
        reader = threading.Thread(target=_read_log, args=(process, here.log, ready), daemon=True)
        reader.start()
        try:
            assert ready.wait(90), "".join(here.log)
            assert process.poll() is None, "".join(here.log)
            yield here
            here.ask("api/shutdown", "POST")
            process.wait(30)
        finally:
            process.kill()
            reader.join()


def _settings(here: JupyterLab, port: int, *, gateway: bool) -> dict[str, Any]:
    server = {"ip": "127.0.0.1", "port": port, "port_retries": 0, "root_dir": str(here.root), "open_browser": False, "allow_root": True}
    extensions = {"mcp_workbench.gateway": gateway, "notebook": True}
    return {
        "ServerApp": {**server, "jpserver_extensions": extensions},
        "IdentityProvider": {"token": here.token},
        # Tests drive the application by its commands: `window.jupyterapp`.
        "LabApp": {"expose_app_in_browser": True, "extension_manager": "readonly"},
        "JupyterNotebookApp": {"expose_app_in_browser": True},
    }


def _environment(folder: Path, settings: dict[str, Any]) -> dict[str, str]:
    """The environment of a person who has installed this tree; the folder is theirs."""
    config = folder / "config"
    config.mkdir()
    (config / "labconfig").mkdir()
    # It asks every person once whether they want news, over whatever stands in that corner.
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "labconfig/page_config.json").write_text(json.dumps(quiet))
    written = config / "jupyter_server_config.json"
    written.touch(0o600)
    written.write_text(json.dumps(settings))
    shutil.copytree(ROOT / "mcp_workbench/labextension", folder / "share/labextensions/mcp-workbench")
    shutil.copyfile(ROOT / "labextension/install.json", folder / "share/labextensions/mcp-workbench/install.json")
    (folder / "etc/jupyter_server_config.d").mkdir(parents=True)
    shutil.copyfile(ROOT / "jupyter-config/mcp_workbench.json", folder / "etc/jupyter_server_config.d/mcp_workbench.json")
    prefix = _prefix_of_jupyterlab()
    named = {
        "JUPYTER_CONFIG_DIR": config,
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "JUPYTERLAB_DIR": prefix / "share/jupyter/lab",
        "IPYTHONDIR": folder / "ipython",
    }
    # What comes first counts: this tree's before one that is installed.
    paths = {
        "JUPYTER_PATH": (folder / "share", prefix / "share/jupyter"),
        "JUPYTER_CONFIG_PATH": (folder / "etc", prefix / "etc/jupyter"),
    }
    joined = {name: os.pathsep.join(map(str, found)) for name, found in paths.items()}
    return {**os.environ, **{name: str(path) for name, path in named.items()}, **joined, "PYTHONUNBUFFERED": "1"}


def _prefix_of_jupyterlab() -> Path:
    """Where JupyterLab was installed to: the interpreter's own prefix, or that of packages it only borrows."""
    candidates = (Path(sys.prefix), *Path(jupyterlab.__file__).parents)
    return next(prefix for prefix in candidates if (prefix / "share/jupyter/lab").is_dir())


def _read_log(process: subprocess.Popen[str], log: list[str], ready: threading.Event) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if "is running at:" in line:
            ready.set()
    ready.set()
