"""The seam where Python lives; real kernels are in tests/kernel."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mcp_workbench.hosts import IpykernelHost, IPythonHost, PlainHost, current_host, notebook_name


class Info:
    """IPython's `ExecutionInfo`, as far as hosts look at it."""

    def __init__(self, *, silent: bool = False, store_history: bool = True) -> None:
        self.silent = silent
        self.store_history = store_history


class Shell:
    """IPython's shell, as far as hosts look at it: events, counter, and which cell is running."""

    def __init__(self) -> None:
        self.callbacks: dict[str, list[Callable[..., None]]] = defaultdict(list)
        self.events = self
        self.execution_count = 1
        self.displayhook = SimpleNamespace(exec_result=None)
        self.user_ns: dict[str, Any] = {"x": 1}

    def register(self, event: str, callback: Callable[..., None]) -> None:
        self.callbacks[event].append(callback)

    def unregister(self, event: str, callback: Callable[..., None]) -> None:
        self.callbacks[event].remove(callback)

    def trigger(self, event: str, *arguments: object) -> None:
        for callback in list(self.callbacks[event]):
            callback(*arguments)

    def begin(self, **kind: bool) -> Info:
        info = Info(**kind)
        self.execution_count += info.store_history
        self.trigger("pre_execute")
        if not info.silent:
            self.trigger("pre_run_cell", info)
        return info

    def end(self, info: Info | None) -> None:
        self.trigger("post_execute")
        if info is None or not info.silent:
            self.trigger("post_run_cell", None if info is None else SimpleNamespace(info=info))


class Followed:
    """A host that follows a shell, and what it has said."""

    def __init__(self, shell: Shell, host: IPythonHost | None = None) -> None:
        self.host = host or IPythonHost(shell)
        self.heard: list[str] = []
        self.undo = self.host.on_cell(lambda _: self.heard.append("begins"), lambda _, __: self.heard.append("ends"))


def label_of(host: IPythonHost) -> str | None:
    cell = host.cell()
    return None if cell is None else cell.label


def test_a_plain_process_has_no_cells_and_no_loop_between_them() -> None:
    host = PlainHost()
    assert (host.identity().kind, host.identity().kernel_id, host.identity().folder) == ("python", None, str(Path.cwd()))
    assert host.namespace() is None
    assert host.cell() is None
    assert host.run_between_cells(lambda: pytest.fail("never")) is False
    assert host.run_on_loop(lambda: pytest.fail("never")) is False
    assert (host.main_loop(), host.main_is_free, host.loop_rests) == (None, "on request", False)
    host.on_cell(lambda _: pytest.fail("never"), lambda _, __: pytest.fail("never"))()


@pytest.mark.parametrize(
    ("file", "notebook", "name"),
    [
        ("/data/report.py", "/data/report.py", "report"),
        ("reports/daily.py", str(Path.cwd() / "reports/daily.py"), "daily"),
        ("/data/sales/__main__.py", "/data/sales", "sales"),
        (None, str(Path.cwd()), Path.cwd().name),
    ],
)
def test_a_script_is_its_own_notebook(monkeypatch: pytest.MonkeyPatch, file: str | None, notebook: str, name: str) -> None:
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__file__=file))
    assert PlainHost().identity().notebook == notebook
    assert notebook_name(notebook) == name


def test_without_a_shell_this_process_is_a_plain_one() -> None:
    assert isinstance(current_host(), PlainHost)


@pytest.mark.parametrize(("shell", "kind"), [(SimpleNamespace(), "ipython"), (SimpleNamespace(kernel=object()), "ipykernel")])
def test_the_shell_says_which_host_this_is(monkeypatch: pytest.MonkeyPatch, shell: SimpleNamespace, kind: str) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    host = current_host()
    assert isinstance(host, IPythonHost)
    assert host.kind == kind


def test_a_cell_begins_and_ends_and_has_a_label_meanwhile() -> None:
    shell = Shell()
    followed = Followed(shell)
    assert followed.host.cell() is None
    info = shell.begin()
    assert followed.heard == ["begins"]
    assert label_of(followed.host) == "[1]"
    shell.end(info)
    assert followed.heard == ["begins", "ends"]
    assert followed.host.cell() is None


def test_a_cell_that_is_not_kept_in_the_history_has_the_number_it_would_have_got() -> None:
    shell = Shell()
    followed = Followed(shell)
    shell.begin(store_history=False)
    assert label_of(followed.host) == "[1]"


def test_the_cell_that_starts_to_follow_has_begun_already() -> None:
    shell = Shell()
    info = shell.begin()
    shell.displayhook.exec_result = SimpleNamespace(info=info)
    followed = Followed(shell)
    assert followed.heard == ["begins"]
    assert label_of(followed.host) == "[1]"
    shell.end(info)
    assert followed.heard == ["begins", "ends"]


def test_a_silent_execution_that_starts_to_follow_is_no_cell() -> None:
    shell = Shell()
    shell.displayhook.exec_result = SimpleNamespace(info=shell.begin(silent=True))
    followed = Followed(shell)
    assert followed.heard == []
    assert followed.host.cell() is None


def test_a_cell_within_a_cell_is_part_of_it() -> None:
    shell = Shell()
    followed = Followed(shell)
    outer = shell.begin()
    shell.end(shell.begin(store_history=False))
    assert followed.heard == ["begins"]
    shell.end(outer)
    assert followed.heard == ["begins", "ends"]


def test_a_cell_whose_end_nobody_announces_ends_with_the_one_around_it() -> None:
    shell = Shell()
    followed = Followed(shell)
    outer = shell.begin()
    shell.begin(store_history=False)
    shell.end(outer)
    assert followed.heard == ["begins", "ends"]
    assert followed.host.cell() is None


@pytest.mark.parametrize("ending", [None, Info()], ids=["cancelled", "unknown"])
def test_an_end_that_fits_no_beginning_ends_all(ending: Info | None) -> None:
    shell = Shell()
    followed = Followed(shell)
    shell.begin()
    shell.begin()
    shell.end(ending)
    assert followed.heard == ["begins", "ends"]
    assert followed.host.cell() is None


def test_silent_executions_and_messages_outside_of_cells_are_followed_by_a_look() -> None:
    shell = Shell()
    followed = Followed(shell)
    shell.end(shell.begin(silent=True))
    assert followed.heard == ["ends"]
    info = shell.begin()
    shell.trigger("post_execute")  # a widget's message while a cell awaits
    assert followed.heard == ["ends", "begins"]
    shell.end(info)
    assert followed.heard == ["ends", "begins", "ends"]


def in_another_thread(function: Callable[[], None]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_cells_of_other_threads_are_not_followed() -> None:
    shell = Shell()
    followed = Followed(shell)
    in_another_thread(lambda: shell.end(shell.begin()))
    assert followed.heard == []
    info = shell.begin()
    in_another_thread(lambda: shell.end(shell.begin()))
    assert followed.heard == ["begins"]
    shell.end(info)
    assert followed.heard == ["begins", "ends"]


def test_after_undo_nothing_is_heard_and_nothing_is_left_registered() -> None:
    shell = Shell()
    followed = Followed(shell)
    followed.undo()
    shell.end(shell.begin())
    assert followed.heard == []
    assert not any(shell.callbacks.values())


def test_a_shell_without_a_kernel_cannot_run_anything_between_cells() -> None:
    assert IPythonHost(Shell()).run_between_cells(lambda: pytest.fail("never")) is False


def test_a_shell_without_a_kernel_comes_free_after_cells_and_has_a_loop_that_rests_between_them() -> None:
    host = IPythonHost(Shell())
    assert host.run_on_loop(lambda: pytest.fail("never")) is False
    assert (host.main_is_free, host.loop_rests) == ("after cells", False)

    async def main() -> None:
        assert host.main_loop() is asyncio.get_running_loop()

    asyncio.run(main())


def kernel_on(loop: asyncio.AbstractEventLoop) -> SimpleNamespace:
    return SimpleNamespace(io_loop=SimpleNamespace(asyncio_loop=loop))


def test_between_cells_the_loop_of_the_kernel_runs_it() -> None:
    async def main() -> None:
        ran = asyncio.Event()
        host = IpykernelHost(Shell(), kernel_on(asyncio.get_running_loop()))
        assert host.run_between_cells(ran.set) is True
        async with asyncio.timeout(5):
            await ran.wait()

    asyncio.run(main())


def test_what_was_to_run_between_cells_is_left_to_the_end_of_a_cell_that_has_begun() -> None:
    async def main() -> None:
        shell, passed = Shell(), asyncio.Event()
        host = IpykernelHost(shell, kernel_on(asyncio.get_running_loop()))
        followed = Followed(shell, host)
        assert host.run_between_cells(lambda: followed.heard.append("looked")) is True
        info = shell.begin()
        assert host.run_between_cells(lambda: followed.heard.append("looked")) is False
        asyncio.get_running_loop().call_soon(passed.set)
        async with asyncio.timeout(5):
            await passed.wait()
        shell.end(info)
        assert followed.heard == ["begins", "ends"]

    asyncio.run(main())


class Prompt:
    """A loop of the main thread that is quicker than whoever posts to it."""

    def __init__(self) -> None:
        self.posted = 0

    def call_soon_threadsafe(self, function: Callable[[], None]) -> None:
        self.posted += 1
        function()


def test_a_lost_end_is_looked_for_each_time_somebody_wants_the_main_thread() -> None:
    shell, loop = Shell(), Prompt()
    host = IpykernelHost(shell, SimpleNamespace(io_loop=SimpleNamespace(asyncio_loop=loop)))
    Followed(shell, host)
    shell.begin()
    for number in (1, 2, 3):
        assert host.run_between_cells(lambda: None) is False
        assert loop.posted == number


def test_on_the_kernels_loop_things_run_also_while_a_cell_awaits() -> None:
    async def main() -> None:
        shell, ran = Shell(), asyncio.Event()
        host = IpykernelHost(shell, kernel_on(asyncio.get_running_loop()))
        assert (host.main_is_free, host.main_loop()) == ("between cells", asyncio.get_running_loop())
        Followed(shell, host)
        shell.begin()
        assert host.run_on_loop(ran.set) is True
        async with asyncio.timeout(5):
            await ran.wait()

    asyncio.run(main())


def test_where_a_gui_has_the_thread_its_loop_is_asked_to_step_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        knocks: list[str] = []
        kernel = kernel_on(asyncio.get_running_loop())
        host = IpykernelHost(Shell(), kernel)
        monkeypatch.setattr(host, "_knock", lambda: knocks.append("knock"))
        host.run_on_loop(lambda: None)
        assert (host.loop_rests, knocks) == (False, [])
        kernel.eventloop = object()
        host.run_on_loop(lambda: None)
        host.run_between_cells(lambda: None)
        assert (host.loop_rests, knocks) == (True, ["knock", "knock"])

    asyncio.run(main())


def test_a_gui_that_cannot_be_asked_costs_nobody_the_call(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        kernel = kernel_on(asyncio.get_running_loop())
        kernel.eventloop = object()  # and this process is no kernel, so there is nothing to connect to
        assert IpykernelHost(Shell(), kernel).run_on_loop(lambda: None) is True

    with caplog.at_level(logging.ERROR, "mcp_workbench"):
        asyncio.run(main())
    assert "could not be asked to step aside" in caplog.text


def test_a_subshells_cell_is_followed_by_a_look_between_cells_on_the_main_thread() -> None:
    async def main() -> None:
        shell, looked = Shell(), asyncio.Event()
        host = IpykernelHost(shell, kernel_on(asyncio.get_running_loop()))
        threads: list[threading.Thread] = []

        def look(*_: object) -> None:
            threads.append(threading.current_thread())
            looked.set()

        host.on_cell(lambda _: pytest.fail("no cell of the main thread"), look)
        await asyncio.to_thread(lambda: shell.end(shell.begin()))
        async with asyncio.timeout(5):
            await looked.wait()
        assert threads == [threading.main_thread()]

    asyncio.run(main())


def fail() -> None:
    raise RuntimeError("no luck")


def test_a_failure_between_cells_goes_to_the_log_and_not_to_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        loop, passed = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(lambda _loop, context: pytest.fail(str(context)))
        host = IpykernelHost(Shell(), kernel_on(loop))
        host.run_between_cells(fail)
        loop.call_soon(passed.set)
        async with asyncio.timeout(5):
            await passed.wait()

    with caplog.at_level(logging.ERROR, "mcp_workbench"):
        asyncio.run(main())
    assert "what was to run between cells failed" in caplog.text


def test_a_display_is_replaced_from_any_thread_and_still_belongs_to_its_cell() -> None:
    cell = contextvars.ContextVar("cell", default="none")
    published: list[tuple[str, str, str, bool]] = []

    def publish(data: dict[str, str], *, transient: dict[str, str], update: bool = False) -> None:
        published.append((data["text/plain"], transient["display_id"], cell.get(), update))

    shell: Any = Shell()
    shell.display_pub = SimpleNamespace(publish=publish, pub_socket=None)
    host = IpykernelHost(shell, SimpleNamespace())
    token = cell.set("[1]")
    renew, other = host.display({"text/plain": "one"}), host.display({"text/plain": "other"})
    cell.reset(token)
    assert renew is not None
    assert other is not None
    in_another_thread(lambda: renew({"text/plain": "two"}))
    one, another = published[0][1], published[1][1]
    assert one != another
    assert published == [("one", one, "[1]", False), ("other", another, "[1]", False), ("two", one, "[1]", True)]


def test_a_kernel_whose_loop_is_closed_or_missing_says_so() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    assert IpykernelHost(Shell(), kernel_on(loop)).run_between_cells(lambda: None) is False
    assert IpykernelHost(Shell(), SimpleNamespace()).run_between_cells(lambda: None) is False
    assert IpykernelHost(Shell(), SimpleNamespace()).main_loop() is None


@pytest.mark.parametrize(
    ("environment", "namespace", "notebook"),
    [
        ({"JPY_SESSION_NAME": "/home/ann/flights.ipynb"}, {}, "/home/ann/flights.ipynb"),
        ({}, {"__vsc_ipynb_file__": "/home/ann/code.ipynb"}, "/home/ann/code.ipynb"),
        ({}, {"__vsc_ipynb_file__": 7}, None),
        ({}, {}, None),
    ],
    ids=["Jupyter Server", "VS Code", "nonsense", "unknown"],
)
def test_the_notebook_is_the_one_that_the_front_end_names(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], namespace: dict[str, Any], notebook: str | None
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    shell = Shell()
    shell.user_ns.update(namespace)
    identity = IpykernelHost(shell, SimpleNamespace()).identity()
    assert identity.kind == "ipykernel"
    assert identity.kernel_id is None  # this process is no kernel, so there is no connection file
    assert identity.notebook == (notebook or str(Path.cwd()))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/ann/flights.ipynb", "flights"),
        ("/home/ann/v1.2", "v1.2"),
        ("/home/ann/v1.2.ipynb", "v1.2"),
        ("/", "notebook"),
        ("/home/ann/Flüge.ipynb", "Flüge"),
        ("/home/ann/a\x1b[31mb.ipynb", "a\\u001b[31mb"),
    ],
)
def test_a_notebook_is_called_by_its_file_name(path: str, name: str) -> None:
    assert notebook_name(path) == name
