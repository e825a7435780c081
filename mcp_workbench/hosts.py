"""Where Python lives: a plain process, an IPython shell, or the kernel of a notebook.

The rest of the house asks a host four things: who are you (`identity`), what has the user defined
(`namespace`), tell me when a cell begins and ends (`on_cell`), and run this on the main thread when no
cell is at work (`run_between_cells`). Nobody else imports IPython or ipykernel.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """What tells this Python apart from others on the machine."""

    kind: str
    """`python`, `ipython` or `ipykernel`."""
    kernel_id: str | None
    """Jupyter's id of the kernel; None outside Jupyter."""
    notebook: str
    """Path of the notebook where one is known, else the working directory."""


class Host(Protocol):
    """The seam; methods are called on the main thread unless said otherwise."""

    def identity(self) -> HostIdentity:
        """Who this is."""

    def namespace(self) -> Mapping[str, Any] | None:
        """The user's variables; None where there is no such thing."""

    def cell_label(self) -> str | None:
        """Label of the cell that runs now, for instance `[12]`; from any thread."""

    def on_cell(self, begins: Callable[[], None], ends: Callable[[], None]) -> Callable[[], None]:
        """Call `begins` before and `ends` after every cell; returns what undoes it."""

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        """From any thread: run on the main thread when no cell is at work.

        Returns:
            False when there is no way to, or a cell is at work: its end is announced by `on_cell`.
        """


class PlainHost:
    """A Python process without cells: `python script.py`, a test, a server of its own."""

    def identity(self) -> HostIdentity:
        """Who this is."""
        return HostIdentity("python", None, str(Path.cwd()))

    def namespace(self) -> Mapping[str, Any] | None:
        """None: a script's variables are its own."""
        return None

    def cell_label(self) -> str | None:
        """None: there are no cells."""
        return None

    def on_cell(self, begins: Callable[[], None], ends: Callable[[], None]) -> Callable[[], None]:
        """Nothing will be called."""
        return lambda: None

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        """False: the main thread is the script's."""
        return False


class IPythonHost:
    """An IPython shell: cells, but no event loop that runs between them."""

    kind = "ipython"

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._depth = 0
        self._main = threading.main_thread()

    def identity(self) -> HostIdentity:
        """Who this is."""
        return HostIdentity(self.kind, None, str(Path.cwd()))

    def namespace(self) -> Mapping[str, Any] | None:
        """The user's variables."""
        names: Mapping[str, Any] = self._shell.user_ns
        return names

    def cell_label(self) -> str | None:
        """Label of the running cell."""
        return f"[{self._shell.execution_count}]" if self._depth else None

    def on_cell(self, begins: Callable[[], None], ends: Callable[[], None]) -> Callable[[], None]:
        """Follow `pre_run_cell` and `post_run_cell`; `pre_execute` would also fire around comm messages."""

        def before(info: object) -> None:
            self._depth += 1
            begins()

        def after(result: object) -> None:
            # The cell that registers us has begun before we listened: its end is the first thing we hear.
            self._depth = max(0, self._depth - 1)
            ends()

        self._shell.events.register("pre_run_cell", before)
        self._shell.events.register("post_run_cell", after)

        def undo() -> None:
            self._shell.events.unregister("pre_run_cell", before)
            self._shell.events.unregister("post_run_cell", after)

        return undo

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        """False: between cells the main thread waits for the keyboard."""
        return False


class IpykernelHost(IPythonHost):
    """The kernel of a notebook: its main thread runs an event loop between cells."""

    kind = "ipykernel"

    def __init__(self, shell: Any, kernel: Any) -> None:
        super().__init__(shell)
        self._kernel = kernel

    def identity(self) -> HostIdentity:
        """Kernel id from the connection file, notebook from Jupyter Server or VS Code."""
        return HostIdentity(self.kind, self._kernel_id(), self._notebook())

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        """Post to the kernel's own loop; skipped when a cell has begun by then, because its end will do it."""
        if self._depth:
            return False
        loop = getattr(getattr(self._kernel, "io_loop", None), "asyncio_loop", None)
        if loop is None or loop.is_closed():
            return False

        def between_cells() -> None:
            if not self._depth:
                function()

        loop.call_soon_threadsafe(between_cells)
        return True

    def _kernel_id(self) -> str | None:
        from ipykernel.connect import get_connection_file  # only where ipykernel is running already

        try:
            stem = Path(get_connection_file()).stem
        except RuntimeError:
            return None
        return stem.removeprefix("kernel-")

    def _notebook(self) -> str:
        named = os.environ.get("JPY_SESSION_NAME") or self._shell.user_ns.get("__vsc_ipynb_file__")
        return named if isinstance(named, str) and named else str(Path.cwd())


def current_host() -> Host:
    """The host of this process. Imports nothing: where IPython is not loaded, it is not running."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return PlainHost()
    kernel = getattr(shell, "kernel", None)
    return IPythonHost(shell) if kernel is None else IpykernelHost(shell, kernel)


def notebook_name(path: str) -> str:
    """A short name for people: the notebook's file name without folder and ending."""
    name = Path(path).stem
    return name if name.isprintable() and name else json.dumps(name)[1:-1] or "notebook"
