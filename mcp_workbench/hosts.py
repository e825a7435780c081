"""Where Python lives: a plain process, an IPython shell, or the kernel of a notebook.

The rest of the house asks a host: who are you (`identity`), what has the user defined (`namespace`),
which cell is at work (`cell`), tell me when one begins and ends (`on_cell`), run this on the main thread
when none is at work (`run_between_cells`) or at the next turn of its loop (`run_on_loop`, `loop_rests`), when does that
thread come free for others (`main_is_free`), and show this (`display`). Nobody else imports IPython or ipykernel.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import FrameType
from typing import Any, Literal, Protocol

from mcp_workbench.interrupts import unbroken

logger = logging.getLogger("mcp_workbench")


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """What tells this Python apart from others on the machine."""

    kind: str
    """`python`, `ipython` or `ipykernel`."""
    kernel_id: str | None
    """Jupyter's id of the kernel; None outside Jupyter."""
    notebook: str
    """Path of the notebook or the script where one is known, else the working folder."""
    folder: str | None = None
    """The working folder; None: whatever it is."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of one cell, from its beginning to its end."""

    label: str
    """As the notebook shows it: `[12]`."""
    cell_id: str | None
    """The front end's id of the cell, the same when it runs again; None where the front end tells none."""
    began: float
    """`time.monotonic()` when it began, or when somebody first looked."""


Begins = Callable[[Cell], None]
"""Called when an outermost cell begins."""
Ends = Callable[[Cell | None, bool], None]
"""Called when it has ended: the cell, and whether it ended well. None: what ended is no cell and may still have changed something."""


class Renew(Protocol):
    """Puts another MIME bundle in the place of one that is shown; from any thread."""

    def __call__(self, bundle: Mapping[str, Any], /, *, here: bool = False) -> None:
        """Replace it.

        Args:
            bundle: What takes its place.
            here: Say so as an output of the cell that runs (main thread only), not of the one that showed it: what runs
                notebooks without a front end listens to the cell that runs, and to no other.
        """


MainIsFree = Literal["between cells", "after cells", "on request"]
"""When the main thread can run what others want of it: whenever no cell is at work, only when one has just ended, or only
while its owner says so."""


class Host(Protocol):
    """The seam; methods are called on the main thread unless said otherwise."""

    @property
    def main_is_free(self) -> MainIsFree:
        """When the main thread comes free; constant, from any thread."""

    def identity(self) -> HostIdentity:
        """Who this is."""

    def namespace(self) -> Mapping[str, Any] | None:
        """The user's variables; None where there is no such thing."""

    def cell(self) -> Cell | None:
        """The cell that runs now; from any thread. Before anybody follows the cells, only on the main thread."""

    def on_cell(self, begins: Begins, ends: Ends) -> Callable[[], None]:
        """Call `begins` before and `ends` after every cell; returns what undoes it."""

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        """From any thread: run on the main thread when no cell is at work.

        Returns:
            False when there is no way to, or a cell is at work: its end is announced by `on_cell`.
        """

    def run_on_loop(self, function: Callable[[], object]) -> bool:
        """From any thread: run at the next turn of the main thread's own loop, also while a cell awaits.

        Returns:
            False when it has none that turns by itself.
        """

    @property
    def loop_rests(self) -> bool:
        """Whether that loop turns only when `run_on_loop` makes it, because another one (`%gui`) has the thread. From any thread."""

    def main_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop on which coroutines of the main thread run; None where there is none of its own. From any thread."""

    def display(self, bundle: Mapping[str, Any]) -> Renew | None:
        """Show a MIME bundle, `text/plain` among it, where the cell's output goes.

        Returns:
            What replaces it; None where what was shown stays as it is.
        """


class PlainHost:
    """A Python process without cells: `python script.py`, a test, a server of its own."""

    main_is_free: MainIsFree = "on request"

    def identity(self) -> HostIdentity:
        """Who this is; a script counts as its own notebook."""
        return HostIdentity("python", None, _script() or _folder(), _folder())

    def namespace(self) -> Mapping[str, Any] | None:
        """None: a script's variables are its own."""
        return None

    def cell(self) -> Cell | None:
        """None: there are no cells."""
        return None

    def on_cell(self, begins: Begins, ends: Ends) -> Callable[[], None]:
        """Nothing will be called."""
        return lambda: None

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        """False: the main thread is the script's."""
        return False

    def run_on_loop(self, function: Callable[[], object]) -> bool:
        """False: a loop that a script runs is the script's."""
        return False

    @property
    def loop_rests(self) -> bool:
        """False: see `run_on_loop`."""
        return False

    def main_loop(self) -> asyncio.AbstractEventLoop | None:
        """None: see `run_on_loop`."""
        return None

    def display(self, bundle: Mapping[str, Any]) -> Renew | None:
        """Print the text."""
        _print(bundle)
        return None


class IPythonHost:
    """An IPython shell: cells, but no event loop that runs between them.

    Threads: everything belongs to the main thread, except `cell`, `run_between_cells` and `run_on_loop` (any) and the
    event callbacks, which subshells of a kernel fire on threads of their own.
    """

    kind = "ipython"
    main_is_free: MainIsFree = "after cells"

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._main = threading.main_thread()
        self._cells: tuple[_Run, ...] = ()
        """Cells at work on the main thread, outermost first: a cell may run another by `run_cell`."""
        self._ends: Ends = lambda cell, well: None

    def identity(self) -> HostIdentity:
        """Who this is."""
        return HostIdentity(self.kind, None, _folder(), _folder())

    def namespace(self) -> Mapping[str, Any] | None:
        """The user's variables."""
        names: Mapping[str, Any] = self._shell.user_ns
        return names

    def cell(self) -> Cell | None:
        """The outermost cell at work."""
        cells = self._cells
        if cells:
            return cells[0].cell
        running = self._running_cell()
        return None if running is None else self._describe(running)

    def on_cell(self, begins: Begins, ends: Ends) -> Callable[[], None]:
        """Follow the cells of the main thread; a cell within a cell is part of it. One follower per host.

        `ends` is also called after what is no cell and may still have changed something: a widget's message, a silent
        execution, a subshell's cell (that one between cells, on the main thread). An end that an interrupt has cost is
        told before the next cell begins.
        """
        self._ends = ends

        def before(info: Any) -> None:
            if not self._on_main():
                return
            self._end_lost()
            if (cell := self._enter(info)) is not None:
                begins(cell)

        def after(result: Any) -> None:
            if not self._on_main():
                self.run_between_cells(lambda: ends(None, True))
                return
            outermost = self._cells[0].cell if self._cells else None
            if self._leave(getattr(result, "info", None)):
                ends(outermost, bool(getattr(result, "success", False)))

        def after_anything() -> None:
            if self._on_main() and not self._cells:
                ends(None, True)

        running = self._running_cell()
        if running is not None and (cell := self._enter(running)) is not None:
            begins(cell)
        callbacks: dict[str, Callable[..., None]] = {"pre_run_cell": before, "post_run_cell": after, "post_execute": after_anything}
        return self._register({event: unbroken(callback, owed=lambda: bool(self._cells)) for event, callback in callbacks.items()})

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        """False: between cells the main thread waits for the keyboard."""
        return False

    def run_on_loop(self, function: Callable[[], object]) -> bool:
        """False: see `run_between_cells`."""
        return False

    @property
    def loop_rests(self) -> bool:
        """False: see `run_between_cells`."""
        return False

    def main_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that IPython awaits cells on, which rests otherwise."""
        from IPython.core.async_helpers import get_asyncio_loop  # only where IPython is running already

        loop: asyncio.AbstractEventLoop = get_asyncio_loop()  # type: ignore[no-untyped-call]  # IPython's
        return loop

    def display(self, bundle: Mapping[str, Any]) -> Renew | None:
        """Print the text: a terminal cannot take back what it has shown."""
        _print(bundle)
        return None

    def _register(self, callbacks: Mapping[str, Callable[..., None]]) -> Callable[[], None]:
        events = self._shell.events
        for event, callback in callbacks.items():
            events.register(event, callback)

        def undo() -> None:
            for event, callback in callbacks.items():
                events.unregister(event, callback)

        return undo

    def _on_main(self) -> bool:
        return threading.current_thread() is self._main

    def _running_cell(self) -> Any:
        """The cell that is running us, whose beginning nobody heard; a silent execution has no end that is announced."""
        result = getattr(self._shell.displayhook, "exec_result", None) if self._on_main() else None
        return None if result is None or result.info.silent else result.info

    def _enter(self, info: Any) -> Cell | None:
        """A cell begins; the cell if it is an outermost one."""
        cell = self._describe(info)
        self._cells = (*self._cells, _Run(info, cell, _frame_of_cell(), _current_task()))
        return cell if len(self._cells) == 1 else None

    def _describe(self, info: Any) -> Cell:
        # Before its events a cell that is kept in the history has counted itself already.
        count = self._shell.execution_count - (1 if info.store_history else 0)
        return Cell(f"[{count}]", getattr(info, "cell_id", None), time.monotonic())

    def _leave(self, info: object) -> bool:
        """A cell ends; says whether none is left.

        `shell.run_cell_async` announces the beginning of a cell and not its end, so whatever began within this cell
        ends with it; an end that fits no beginning (an empty cell, a cancelled one) ends all.
        """
        position = next((i for i, cell in enumerate(self._cells) if cell.info is info), 0)
        self._cells = self._cells[:position]
        return not self._cells

    def _at_work(self) -> tuple[_Run, ...]:
        """The cells without those whose end nobody has announced, because an interrupt struck just then."""
        stack, task = set(_stack()), _current_task()
        ended = getattr(getattr(self._shell, "last_execution_result", None), "info", None)

        def runs(run: _Run) -> bool:
            if run.frame is None or run.frame in stack:  # without a frame nothing is known of it
                return True
            # A cell of this very task would be on the stack; in another one it may wait for something.
            return run.info is not ended and run.task not in (None, task) and not run.task.done()

        return tuple(takewhile(runs, self._cells))

    def _end_lost(self) -> None:
        """End what has ended already; later cells would count as part of it for ever."""
        cells, self._cells = self._cells, self._at_work()
        if cells and not self._cells:
            self._ends(cells[0].cell, False)


@dataclass(frozen=True, slots=True)
class _Run:
    info: Any
    """IPython's `ExecutionInfo`, the same object at beginning and end."""
    cell: Cell
    frame: FrameType | None
    """The shell's frame that runs it: on the stack, or waiting in `task`; None: the shell runs cells in an unknown way."""
    task: asyncio.Task[Any] | None
    """The task it began in."""


def _stack() -> Iterator[FrameType]:
    """The frames of this thread, innermost first; awaiting coroutines are on it while what they await runs."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  # documented for just this
    while frame is not None:
        yield frame
        frame = frame.f_back


def _frame_of_cell() -> FrameType | None:
    return next((frame for frame in _stack() if frame.f_code.co_name == "run_cell_async"), None)


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs
        return None


class IpykernelHost(IPythonHost):
    """The kernel of a notebook: its main thread runs an event loop between cells."""

    kind = "ipykernel"
    main_is_free: MainIsFree = "between cells"

    def __init__(self, shell: Any, kernel: Any) -> None:
        super().__init__(shell)
        self._kernel = kernel
        self._looks = False

    def identity(self) -> HostIdentity:
        """Kernel id from the connection file, notebook from Jupyter Server or VS Code."""
        return HostIdentity(self.kind, self._kernel_id(), self._notebook(), _folder())

    def run_between_cells(self, function: Callable[[], None]) -> bool:
        """Post to the kernel's own loop; skipped when a cell has begun by then, because its end will do it."""
        if self._cells:
            if not self._looks:
                self._looks = True  # first: the main thread may be quicker than this one
                if not self.run_on_loop(self._look_for_lost_end):
                    self._looks = False
            return False
        return self.run_on_loop(lambda: None if self._cells else function())

    def _look_for_lost_end(self) -> None:
        self._looks = False
        if self._at_work() != self._cells:
            # Not yet: the end of a cell that awaited is announced a turn after its last step.
            self.run_on_loop(self._end_lost)

    def run_on_loop(self, function: Callable[[], object]) -> bool:
        """Post to the kernel's own loop, and wake that where a GUI's loop (`%gui`) keeps the main thread to itself."""
        loop = self.main_loop()
        if loop is None:
            return False

        def guarded() -> None:
            try:
                function()
            except Exception:  # the boundary to the kernel's loop, which would print the traceback into a cell
                logger.exception("what was to run between cells failed")

        try:
            loop.call_soon_threadsafe(guarded)
        except RuntimeError:  # the loop is closed: the kernel is ending
            return False
        if self.loop_rests:
            self._knock()
        return True

    @property
    def loop_rests(self) -> bool:
        """Whether `%gui` is on: that loop steps aside for messages only."""
        return getattr(self._kernel, "eventloop", None) is not None

    def main_loop(self) -> asyncio.AbstractEventLoop | None:
        """The kernel's own loop, which runs between cells and while one awaits. From any thread."""
        loop: asyncio.AbstractEventLoop | None = getattr(getattr(self._kernel, "io_loop", None), "asyncio_loop", None)
        return loop

    def display(self, bundle: Mapping[str, Any]) -> Renew | None:
        """Show it in the cell that runs; what comes later takes its place there, from any thread, while others run too."""
        publisher, transient = self._shell.display_pub, {"display_id": uuid.uuid4().hex}
        publisher.publish(dict(bundle), transient=transient)
        if not hasattr(publisher, "pub_socket"):  # that of `%%capture`, whose cell shows a copy
            return None
        # Whose cell it is stands in a context variable, so what is published later is published in copies of this context.
        cell = contextvars.copy_context()

        def renew(newer: Mapping[str, Any], *, here: bool = False) -> None:
            context = contextvars.copy_context() if here else cell.copy()
            context.run(publisher.publish, dict(newer), transient=transient, update=True)

        return renew

    def _knock(self) -> None:
        """Send the kernel a message from itself: the loop of a GUI steps aside for messages, and for nothing else.

        A question for the kernel's facts: unlike an execute request it is not aborted after a cell that failed,
        counts no execution and fires no events. The answer goes to a socket that is closed by then.
        """
        import zmq
        from ipykernel.connect import get_connection_info

        try:
            place: Any = get_connection_info(unpack=True)
            separator = "-" if place["transport"] == "ipc" else ":"
            socket: Any = zmq.Context.instance().socket(zmq.DEALER)
            try:
                socket.linger = 1000
                socket.connect(f"{place['transport']}://{place['ip']}{separator}{place['shell_port']}")
                self._kernel.session.clone().send(socket, "kernel_info_request")
            finally:
                socket.close()
        except Exception:  # the boundary to other people's plumbing; whoever waits for the main thread knocks again
            logger.exception("the loop of the GUI could not be asked to step aside")

    def _kernel_id(self) -> str | None:
        from ipykernel.connect import get_connection_file  # only where ipykernel is running already

        try:
            stem = Path(get_connection_file()).stem
        except RuntimeError:
            return None
        return stem.removeprefix("kernel-")

    def _notebook(self) -> str:
        named = os.environ.get("JPY_SESSION_NAME") or self._shell.user_ns.get("__vsc_ipynb_file__")
        return named if isinstance(named, str) and named else _folder()


def _print(bundle: Mapping[str, Any]) -> None:
    sys.stdout.write(bundle["text/plain"] + "\n")


def _folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # it was deleted under us
        return "(deleted folder)"


def _script() -> str | None:
    """Path of the program that runs: a file, or the folder of a package that `python -m` runs."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not isinstance(file, str):
        return None  # a prompt, or `python -c`
    path = Path(file).absolute()
    return str(path.parent if path.name == "__main__.py" else path)


def current_shell() -> Any:
    """IPython's shell in this process, None where there is none. Imports nothing: where IPython is not loaded, it is not running."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def current_host() -> Host:
    """The host of this process."""
    shell = current_shell()
    if shell is None:
        return PlainHost()
    kernel = getattr(shell, "kernel", None)
    return IPythonHost(shell) if kernel is None else IpykernelHost(shell, kernel)


def notebook_name(path: str) -> str:
    """A short name for people: the notebook's or the script's file name without folder and ending."""
    name = Path(path).name.removesuffix(".ipynb").removesuffix(".py")
    return name if name.isprintable() and name else json.dumps(name)[1:-1] or "notebook"
