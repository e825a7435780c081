"""`wb.show()` in a real kernel whose front end has widgets: what it sends, and what it answers over the comm."""

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
from mcp_workbench.views.live_display import MOVED
from mcp_workbench.views.showing import ENDED
from mcp_workbench.views.widget import FALLBACK, NOT_BUILT, WIDGET_VIEW
from tests.kernel.harness import OPENING_CELL, ServingKernel, address, cell, ran, running_cell

pytestmark = pytest.mark.kernel

OPEN = {"type": "open", "viewProtocol": 1, "version": "0.1.0"}
WATCH = {"type": "watch", "panels": ["calls", "running"]}
VIEWS_CELL = """
from pathlib import Path
from mcp_workbench.views import widget as widgets

widgets.STATIC = Path({folder!r})
"""


@pytest.fixture(scope="module", autouse=True)
def jupyter_loop() -> Iterator[None]:
    """The loop of jupyter_client, made by whichever test is the first to need it, is no leak of that one."""
    with one_jupyter_loop():
        yield


@dataclass(slots=True)
class PageKernel(ServingKernel):
    """A kernel, and a page's side of its comms and displays."""

    seen: list[dict[str, Any]] = field(default_factory=list)

    def _next(self, get: Any, deadline: float) -> dict[str, Any]:
        message = ServingKernel._next(self, get, deadline)
        if message["msg_type"] in ("comm_open", "comm_msg", "comm_close", "display_data", "update_display_data"):
            self.seen.append(message)
        return message

    def take(self, kind: str) -> list[dict[str, Any]]:
        return [message["content"] for message in self.seen if message["msg_type"] == kind]

    def customs(self) -> list[Any]:
        """The custom messages of all comms."""
        return [content["data"]["content"] for content in self.take("comm_msg") if content["data"].get("method") == "custom"]

    def types(self) -> list[str]:
        return [message["type"] for message in self.customs()]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            self._receive(deadline)

    def say(self, comm_id: str, content: Any) -> None:
        data = {"method": "custom", "content": content}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data}))

    def panels(self) -> list[dict[str, Any]]:
        """The widgets that were opened."""
        return [content for content in self.take("comm_open") if content["data"]["state"].get("_model_module") == "anywidget"]


def built(folder: Path) -> Path:
    (folder / "widget.js").write_text("export default {}", encoding="utf-8")
    (folder / "widget.css").write_text(".mcpw {}", encoding="utf-8")
    return folder


def test_a_widget_and_the_static_state_are_shown_and_the_comm_carries_a_view_while_it_lasts(tmp_path: Path) -> None:
    with PageKernel(tmp_path) as kernel:
        ran(kernel.run(OPENING_CELL))
        ran(kernel.run(VIEWS_CELL.format(folder=str(built(tmp_path)))))

        async def visit() -> None:
            await cell(kernel, "wb.show('calls')")
            [panel], [view, static] = kernel.panels(), kernel.take("display_data")
            state, comm_id = panel["data"]["state"], panel["comm_id"]
            assert (panel["target_name"], state["panel"], state["kernel_id"]) == ("jupyter.widget", "calls", kernel.kernel_id)
            assert view["data"] == {
                WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": comm_id},
                "text/plain": FALLBACK,
            }
            assert static["data"]["text/html"].startswith(f'<div class="mcpw-static-{state["static_id"]}" ')

            # While no cell runs, a view is answered.
            kernel.say(comm_id, OPEN)
            kernel.say(comm_id, WATCH)
            await asyncio.to_thread(kernel.until, lambda: len(kernel.customs()) == 2)
            hello, calls = kernel.customs()
            assert (hello["type"], hello["waitsForCells"], calls["type"]) == ("hello", True, "openCalls")
            assert (await cell(kernel, "server._display._watching()")).result == "1"

            # While one runs, the kernel still speaks.
            url, token = address(kernel)
            busy = (
                "import threading\nprint('begun', flush=True)\ngo_on = threading.Event()\nwb.tool(go_on.set, name='go_on')\ngo_on.wait(30)"
            )
            async with asyncio.timeout(60), running_cell(kernel, busy) as other, connect(url, token=token) as session:
                await session.call_tool("add", a=1, b=2)
                await asyncio.to_thread(kernel.until, lambda: "calls" in kernel.types())
                assert other.seconds is None
                await session.call_tool("go_on")

            # What is no message of a view is nothing.
            for nonsense in ("open", [1], {"no": "type"}, {"type": "open", "version": "x" * 1_100_000}):
                kernel.say(comm_id, nonsense)
            assert (await cell(kernel, "len(server._view_door.viewers), server._display._door.refused")).result == "(1, 4)"

            # A stop and a start in between, and the view is taken in again.
            await cell(kernel, "wb.stop()\nserver.start()")
            await asyncio.to_thread(kernel.until, lambda: kernel.types().count("hello") == 2)
            assert [message["code"] for message in kernel.customs() if message["type"] == "closed"] == [1001]

            # A newer one takes its place.
            older = {content["comm_id"] for content in kernel.take("comm_open")}
            kernel.seen.clear()
            await cell(kernel, "wb.show()")
            await asyncio.to_thread(kernel.until, lambda: MOVED in [update["data"] for update in kernel.take("update_display_data")])
            assert comm_id in older
            assert older <= {content["comm_id"] for content in kernel.take("comm_close")}, "the widget and its layout"
            assert {"text/plain": ""} in [update["data"] for update in kernel.take("update_display_data")]
            [newer] = kernel.panels()
            assert newer["comm_id"] != comm_id
            kernel.say(newer["comm_id"], WATCH)  # nobody has opened
            kernel.say(newer["comm_id"], OPEN)
            await asyncio.to_thread(kernel.until, lambda: kernel.types() == ["hello"])
            assert (await cell(kernel, "len(server._view_door.viewers)")).result == "1"

            # The kernel ends, and the widget with it.
            kernel.seen.clear()
            await asyncio.to_thread(kernel.manager.restart_kernel)
            await asyncio.to_thread(kernel.until, lambda: ENDED in [update["data"] for update in kernel.take("update_display_data")])

        asyncio.run(visit())
        assert "Traceback" not in kernel.log.read_text(encoding="utf-8")


def test_without_the_built_code_or_switched_off_there_is_the_display_alone(tmp_path: Path) -> None:
    with PageKernel(tmp_path) as kernel:
        ran(kernel.run(OPENING_CELL + VIEWS_CELL.format(folder=str(tmp_path))))
        ran(kernel.run("wb.show(); wb.show()"))
        assert ran(kernel.run("list(server._running.notices)")).result == repr([NOT_BUILT])
        built(tmp_path)
        ran(kernel.run("%env MCP_WORKBENCH_WIDGETS=0\nwb.show()"))
        loaded = ran(kernel.run("import sys\n'anywidget' in sys.modules or 'ipywidgets' in sys.modules"))
        assert loaded.result == "False"
        assert kernel.take("comm_open") == []
        assert all(WIDGET_VIEW not in shown["data"] for shown in kernel.take("display_data"))
