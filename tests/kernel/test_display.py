"""`wb.show()` in a real kernel: one display, renewed from a thread, in the output of the cell that showed it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mcp_workbench.cli.kernels import one_jupyter_loop
from mcp_workbench.client import connect
from tests.kernel.harness import OPENING_CELL, ServingKernel, address, cell, ran, running_cell

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module", autouse=True)
def jupyter_loop() -> Iterator[None]:
    """The loop of jupyter_client, made by whichever test is the first to need it, is no leak of that one."""
    with one_jupyter_loop():
        yield


@pytest.fixture(scope="module", autouse=True)
def no_widgets() -> Iterator[None]:
    """What is shown where there are none; `test_widget.py` has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MCP_WORKBENCH_WIDGETS", "0")
        yield


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of a display."""

    kind: str
    display_id: str
    parent: str
    text: str
    html: str


@dataclass(slots=True)
class WatchedKernel(ServingKernel):
    """A kernel whose displays are written down as they come."""

    shown: list[Shown] = field(default_factory=list)

    def _next(self, get: Any, deadline: float) -> dict[str, Any]:
        message = ServingKernel._next(self, get, deadline)
        if message["msg_type"] in ("display_data", "update_display_data"):
            content = message["content"]
            data = content["data"]
            parent = message["parent_header"].get("msg_id", "")
            self.shown.append(Shown(message["msg_type"], content["transient"]["display_id"], parent, data["text/plain"], data["text/html"]))
        return message

    def until_shown(self, wanted: Callable[[Shown], bool]) -> Shown:
        """Take messages until one of a display is as wanted."""
        deadline = time.monotonic() + 30
        while not (found := [one for one in self.shown if wanted(one)]):
            self._receive(deadline)
        return found[0]


def test_one_display_is_renewed_in_its_own_cell_while_another_runs_and_ends_as_moved_or_stopped(tmp_path: Path) -> None:
    with WatchedKernel(tmp_path) as kernel:
        ran(kernel.run(OPENING_CELL))

        async def visit() -> None:
            shows = await cell(kernel, "wb.show()")
            [first] = kernel.shown
            assert (first.kind, first.parent) == ("display_data", shows.request)
            assert "waiting for your agent: %mcp config claude-code" in first.text
            assert "waiting for your agent" in first.html
            url, token = address(kernel)
            busy = (
                "import threading\nprint('begun', flush=True)\ngo_on = threading.Event()\nwb.tool(go_on.set, name='go_on')\ngo_on.wait(30)"
            )
            async with asyncio.timeout(60), running_cell(kernel, busy) as other, connect(url, token=token) as session:
                await session.call_tool("add", a=1, b=2)
                live = await asyncio.to_thread(kernel.until_shown, lambda one: "add  ok" in one.text and "agent 1" in one.text)
                assert "mcp-workbench " not in live.text  # what the client calls itself is not saved
                assert (live.kind, live.display_id, live.parent) == ("update_display_data", first.display_id, shows.request)
                assert other.seconds is None  # live while the cell runs, and not in its output
                await session.call_tool("go_on")
            again = await cell(kernel, "wb.show('latency')")
            moved = kernel.until_shown(lambda one: one.text == "moved to the newer display")
            assert (moved.display_id, moved.parent) == (first.display_id, shows.request)
            newer = kernel.until_shown(lambda one: one.kind == "display_data" and one.parent == again.request)
            assert newer.display_id != first.display_id
            ended = await cell(
                kernel, "token = server.token\nwb.stop()\n[t.name for t in threading.enumerate() if t.name.startswith('mcp-workb')]"
            )
            assert ended.result == "[]"
            stopped = kernel.until_shown(lambda one: "is stopped" in one.text)
            assert (stopped.kind, stopped.display_id, stopped.parent) == ("update_display_data", newer.display_id, again.request)
            assert [one.kind for one in kernel.shown].count("display_data") == 2
            assert (await cell(kernel, "1 + 1")).result == "2"
            assert not any(token in one.text + one.html for one in kernel.shown)
            assert kernel.shown[-1] == stopped  # once
            kernel.shown.clear()
            starts = await cell(kernel, "%mcp start")
            [serving] = kernel.shown  # before the end of the cell is announced, and as a part of it
            assert "serves at" in serving.text
            assert (serving.kind, serving.display_id, serving.parent) == ("update_display_data", newer.display_id, starts.request)

            kernel.shown.clear()
            await asyncio.to_thread(kernel.manager.restart_kernel)
            last = await asyncio.to_thread(kernel.until_shown, lambda one: "is stopped" in one.text)
            assert last.display_id == newer.display_id
            assert "(as of " in last.text

        asyncio.run(visit())


def test_a_fork_of_a_kernel_that_shows_leaves_the_display_alone(tmp_path: Path) -> None:
    with WatchedKernel(tmp_path) as kernel:
        ran(kernel.run(OPENING_CELL + "\nwb.show()"))
        child = "import os\npid = os.fork()\nif pid == 0:\n    wb.stop()\n    os._exit(0)\nos.waitpid(pid, 0)[1]"
        forked = kernel.run("import warnings\nwarnings.simplefilter('ignore')\n" + child)
        assert forked.result == "0"
        ran(kernel.run("wb.stop()"))
        kernel.until_shown(lambda one: "is stopped" in one.text)
        assert len([one for one in kernel.shown if "is stopped" in one.text]) == 1


def test_a_display_that_a_cell_captures_stays_as_it_is(tmp_path: Path) -> None:
    with WatchedKernel(tmp_path) as kernel:
        ran(kernel.run(OPENING_CELL))
        ran(kernel.run("%%capture caught\nwb.show()"))
        threads = kernel.run("import threading\n[t.name for t in threading.enumerate() if t.name == 'mcp-workbench-display']")
        assert threads.result == "[]"
        ran(kernel.run("caught.show()"))
        [shown] = kernel.shown
        assert "waiting for your agent" in shown.text
