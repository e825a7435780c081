"""A Jupyter kernel of our own: started in a folder of its own, given cells, ended in every case.

It is the kernel of the interpreter that runs us, whatever kernels are installed on the machine, and neither
the user's IPython profile nor their Jupyter settings reach it. Knows nothing of MCP.
"""

from __future__ import annotations

import asyncio
import os
import queue
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_core.utils import ensure_event_loop

import mcp_workbench

START_TIMEOUT_S = 60.0
CELL_TIMEOUT_S = 60.0
_SLICE_S = 1.0
"""How often a wait for a message looks whether the kernel is still alive."""


@contextmanager
def one_jupyter_loop() -> Iterator[None]:
    """Let jupyter_client's blocking calls use one event loop, in whichever thread they are made, closed at the end.

    By itself jupyter_client makes a loop in each thread (more exactly: each context) that calls it, and closes none.
    Inside, calls may come from several threads, one after the other.
    """
    loop = ensure_event_loop()
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class KernelFailed(Exception):
    """The kernel did not start, died, or did not finish a cell in time; the text is a sentence for people."""


@dataclass(slots=True)
class CellRun:
    """One execution of one cell: what it has shown so far, and how it ended."""

    request: str
    """Id of the execute request."""
    begun: float
    """`time.perf_counter()` when it was sent."""
    stdout: str = ""
    stderr: str = ""
    result: str | None = None
    """Text of the last expression's value."""
    error: str | None = None
    """`NameError: …`; None: it ended well."""
    seconds: float | None = None
    """Duration until its last output; None while it runs."""

    def take(self, kind: str, content: dict[str, Any]) -> None:
        """Add one message of the kernel."""
        match kind:
            case "stream" if content["name"] == "stderr":
                self.stderr += content["text"]
            case "stream":
                self.stdout += content["text"]
            case "execute_result":
                self.result = content["data"].get("text/plain")
            case "error":
                self.error = f"{content['ename']}: {content['evalue']}"
            case "status" if content["execution_state"] == "idle":
                self.seconds = time.perf_counter() - self.begun


@dataclass(slots=True)
class TemporaryKernel:
    """A kernel for as long as the `with` lasts. One thread at a time may use it.

    Args:
        folder: Its runtime, configuration and profile folders are made in here.
    """

    folder: Path
    strays: list[dict[str, Any]] = field(default_factory=list)
    """Output that belongs to no cell we ran, or to one that had ended."""
    _manager: Any = None
    _client: Any = None
    _log_file: IO[bytes] | None = None
    _running: dict[str, CellRun] = field(default_factory=dict)

    @property
    def runtime(self) -> Path:
        """Its Jupyter runtime folder."""
        return self.folder / "runtime"

    @property
    def log(self) -> Path:
        """What the kernel's process itself prints, outside of any cell."""
        return self.folder / "kernel.log"

    @property
    def kernel_id(self) -> str:
        """Jupyter's id of it."""
        return str(self._manager.kernel_id)

    @property
    def manager(self) -> Any:
        """The `KernelManager`."""
        return self._manager

    @property
    def client(self) -> Any:
        """The `BlockingKernelClient` of the channels that are open."""
        return self._client

    @property
    def pid(self) -> int:
        """Number of its process."""
        return int(self._manager.provisioner.pid)

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            KernelFailed: It does not; it is ended then.
        """
        kernel_id = str(uuid.uuid4())
        self.runtime.mkdir(parents=True, exist_ok=True)
        # No folders to search: only the native kernel remains, which is this interpreter's.
        specs = KernelSpecManager(kernel_dirs=[])
        connection_file = self.runtime / f"kernel-{kernel_id}.json"
        self._manager = KernelManager(
            kernel_spec_manager=specs, kernel_name="python3", kernel_id=kernel_id, connection_file=str(connection_file)
        )
        try:
            # Stays open: a restart starts the process anew with the same arguments.
            self._log_file = self.log.open("ab")
            self._manager.start_kernel(env=self._environment(), cwd=str(self.folder), stdout=self._log_file, stderr=self._log_file)
            self.connect()
        except BaseException:
            self.end()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def connect(self) -> None:
        """Open the channels to the kernel that runs now; anew after a restart.

        Raises:
            KernelFailed: It does not answer within 60 seconds.
        """
        self.disconnect()
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        try:
            self._client.wait_for_ready(timeout=START_TIMEOUT_S)
        except RuntimeError as error:
            raise KernelFailed(f"the Jupyter kernel did not start: {error}. {self._last_words()}".rstrip()) from error

    def disconnect(self) -> None:
        """Close the channels; the kernel goes on."""
        self._running.clear()
        client, self._client = self._client, None
        if client is not None:
            client.stop_channels()

    def run(self, code: str, timeout_s: float = CELL_TIMEOUT_S, **options: Any) -> CellRun:
        """Run a cell to its end.

        Args:
            code: The cell.
            timeout_s: Seconds it may take.
            options: As `KernelClient.execute`: silent, store_history …

        Raises:
            KernelFailed: The kernel died, or the cell did not end in time.
        """
        return self.finish(self.begin(code, **options), timeout_s)

    def begin(self, code: str, **options: Any) -> CellRun:
        """Send a cell without waiting for anything; it runs whatever became of the ones before it."""
        return self.follow(self._client.execute(code, stop_on_error=False, **options))

    def follow(self, request: str) -> CellRun:
        """The run that an execute request begins, which was sent through `client`."""
        # Replies say nothing that the other channel does not, but where nobody takes them they pile up.
        while self._client.shell_channel.msg_ready():
            self._client.shell_channel.get_msg()
        run = self._running[request] = CellRun(request, time.perf_counter())
        return run

    def finish(self, cell: CellRun, timeout_s: float = CELL_TIMEOUT_S) -> CellRun:
        """Wait until a cell has ended; raises as `run`."""
        for _ in self.progress(cell, timeout_s):
            continue
        return cell

    def progress(self, cell: CellRun, timeout_s: float = CELL_TIMEOUT_S) -> Iterator[CellRun]:
        """Yield the cell after each message about it, until it has ended; raises as `run`."""
        deadline = time.monotonic() + timeout_s
        while cell.seconds is None:
            if self._receive(deadline) is cell:
                yield cell

    def end(self) -> None:
        """End the kernel: it is asked to, and killed when it does not. A second time does nothing."""
        self.disconnect()
        if self._manager is not None and self._manager.has_kernel:
            self._manager.shutdown_kernel(now=not self._manager.is_alive())
        if self._log_file is not None:
            self._log_file.close()

    def kill(self) -> None:
        """End its process at once, from any thread; who waits for a cell hears that it died. `end` is still due."""
        if self._manager is not None and self._manager.provisioner is not None and self._manager.provisioner.process is not None:
            self._manager.provisioner.process.kill()

    def _receive(self, deadline: float) -> CellRun | None:
        """Take one message; returns the cell it was about."""
        message = self._next(self._client.get_iopub_msg, deadline)
        cell = self._running.get(message["parent_header"].get("msg_id", ""))
        if cell is not None:
            cell.take(message["msg_type"], message["content"])
            if cell.seconds is not None:
                del self._running[cell.request]
        elif message["msg_type"] != "status":
            self.strays.append(message)
        return cell

    def _next(self, get: Any, deadline: float) -> dict[str, Any]:
        while (left := deadline - time.monotonic()) > 0:
            try:
                message: dict[str, Any] = get(timeout=min(_SLICE_S, left))
            except queue.Empty:
                if not self._manager.is_alive():
                    raise KernelFailed("the Jupyter kernel died") from None
            else:
                return message
        raise KernelFailed("the Jupyter kernel did not finish a cell in time")

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name not in ("JPY_SESSION_NAME", "PYTHONSTARTUP")}
        environment |= {
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "IPYTHONDIR": str(self.folder / "ipython"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        package_home = Path(mcp_workbench.__file__).resolve().parent.parent
        if package_home.name not in ("site-packages", "dist-packages"):
            # A checkout: the kernel takes no modules from its working directory.
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(package_home), environment.get("PYTHONPATH"))))
        return environment
