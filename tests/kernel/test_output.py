"""What calls print and draw while cells run in a real kernel: it stays out of every cell, and the cells' own stays in them."""

from __future__ import annotations

import ast
import asyncio
import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mcp_workbench.client import ClientSession, connect
from tests.kernel.harness import ServingKernel, address, cell, ran, running_cell

pytestmark = pytest.mark.kernel

OUTPUT = ("stream", "display_data", "update_display_data", "execute_result", "error", "clear_output")

SPEAKING = """
import asyncio, contextlib, io, json, logging, sys, threading, warnings
from IPython.display import HTML, clear_output, display
import mcp_workbench as wb

logging.basicConfig(level="INFO")          # writes to stderr

def speak(who):
    print(who, "printed")
    print(who, "complained", file=sys.stderr)
    warnings.warn(f"{who} warned")
    logging.getLogger("loader").info("%s logged", who)
    display(HTML(f"<b>{who}</b>"))
    shown = display({who: "displayed"}, display_id=True)
    shown.update({who: "renewed"})
    sys.displayhook(f"{who} hooked")
    sys.excepthook(ValueError, ValueError(f"{who} unhooked"), None)
    get_ipython().showtraceback((ValueError, ValueError(f"{who} traced"), None))
    clear_output()
    sys.stdout.flush()

@wb.tool
def say(who: str) -> str:
    speak(who)
    return "said"

@wb.tool
async def say_async(who: str) -> str:
    speak(who)
    await asyncio.to_thread(speak, f"helper of {who}")
    return "said"

capturing, go_on = threading.Event(), threading.Event()

@wb.tool
def say_then(who: str) -> str:
    "Speaks once a cell captures."
    assert capturing.wait(20)
    speak(who)
    return "said"

@wb.tool
def proceed() -> None:
    go_on.set()

server = wb.start()

def said():
    return json.dumps([call.output for call in server.telemetry.calls() if call.target.startswith("say")])
"""

SAID = ["printed", "complained", "UserWarning: {} warned", "INFO:loader:{} logged", "HTML", "'displayed'", "'renewed'"]
SAID += ["'{} hooked'", "ValueError: {} unhooked", "ValueError: {} traced"]


@dataclass(slots=True)
class HeardKernel(ServingKernel):
    """A kernel of which every output is written down as it comes, with the cell it belongs to."""

    outputs: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Kind, id of the cell's request, content."""

    def _next(self, get: Any, deadline: float) -> dict[str, Any]:
        message = ServingKernel._next(self, get, deadline)
        if message["msg_type"] in OUTPUT:
            self.outputs.append((message["msg_type"], message["parent_header"].get("msg_id", ""), message["content"]))
        return message

    def images(self, request: str) -> list[Image.Image]:
        """The pictures in a cell's output."""
        found = [content["data"]["image/png"] for kind, cell, content in self.outputs if cell == request and kind == "display_data"]
        return [picture(base64.b64decode(data)) for data in found]


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


async def called(session: ClientSession, tool: str, **arguments: Any) -> Any:
    result = await session.call_tool(tool, arguments)
    assert not result.is_error, result
    return result


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeardKernel]:
    with HeardKernel(tmp_path_factory.mktemp("kernel")) as kernel:
        ran(kernel.run(SPEAKING))
        yield kernel


def all_said(output: str, who: str) -> bool:
    return all(part.format(who) in output for part in SAID) and output.count(f"INFO:loader:{who} logged") == 1


async def records(kernel: HeardKernel) -> list[str]:
    """The output in the records of every call that spoke, oldest first."""
    found: list[str] = json.loads(ast.literal_eval((await cell(kernel, "said()")).result or ""))
    return found


def test_what_thread_and_async_tools_say_lands_in_no_cell_and_stands_in_their_records(speaking: HeardKernel) -> None:
    kernel = speaking

    async def main() -> None:
        url, token = address(kernel)
        kernel.outputs.clear()
        async with asyncio.timeout(40), connect(url, token=token) as session:
            await called(session, "say", who="early")
            async with running_cell(kernel, "print('begun')\ngo_on.wait(20)\nprint('ends')") as running:
                await called(session, "say", who="thread")
                await called(session, "say_async", who="task")
                await called(session, "proceed")
            assert (running.stdout, running.stderr) == ("begun\nends\n", "")
            beside = await cell(kernel, "print('following')\ndisplay('its own')")
            assert beside.stdout == "following\n"
            assert [request for _, request, _ in kernel.outputs if request not in (running.request, beside.request)] == []
            displays = [(kind, request, content["data"]["text/plain"]) for kind, request, content in kernel.outputs if kind != "stream"]
            assert displays == [("display_data", beside.request, "'its own'")]
            history = await cell(kernel, "str(getattr(get_ipython().history_manager, 'outputs', 'begun'))")  # IPython 9 keeps outputs there
            assert "begun" in (history.result or "")
            assert "complained" not in (history.result or "")
            early, thread, task = await records(kernel)
            assert all_said(early, "early")
            assert all_said(thread, "thread")
            assert all_said(task, "task")
            assert all_said(task, "helper of task")
            assert (thread.count("early"), early.count("thread")) == (0, 0)

    asyncio.run(main())


def test_cells_that_capture_get_their_own_and_nothing_of_calls_that_began_before_or_meanwhile(speaking: HeardKernel) -> None:
    kernel = speaking
    capture = "%%capture captured\n"
    redirect = "captured = io.StringIO()\nwith contextlib.redirect_stdout(captured), contextlib.redirect_stderr(captured):\n    "
    body = "print('cell'); display('its own'); capturing.set(); go_on.wait(20); print('cell again', file=sys.stderr)"

    async def main() -> None:
        url, token = address(kernel)
        async with asyncio.timeout(60), asyncio.TaskGroup() as beside, connect(url, token=token) as session:
            for opening, value in ((capture, "captured.stdout + captured.stderr"), (redirect, "captured.getvalue()")):
                await cell(kernel, "capturing.clear(); go_on.clear()")
                before = beside.create_task(called(session, "say_then", who="before"))
                running = beside.create_task(cell(kernel, opening + body))
                await before
                await called(session, "say", who="meanwhile")
                await called(session, "proceed")
                assert (await running).stderr == ""
                assert ast.literal_eval((await cell(kernel, value)).result or "") == "cell\ncell again\n"
                assert [all_said(*said) for said in zip((await records(kernel))[-2:], ("before", "meanwhile"), strict=True)] == [True, True]

    asyncio.run(main())


def test_a_tool_and_a_cell_that_redirect_at_the_same_time_have_their_own_each(speaking: HeardKernel) -> None:
    kernel = speaking
    tool = """
entered, printed = threading.Event(), threading.Event()

@wb.tool
def overhear() -> str:
    with contextlib.redirect_stdout(io.StringIO()) as heard:
        print("the tool's")
        entered.set()
        printed.wait(20)
        print("again")
    print("after")
    return heard.getvalue()
"""
    beside = """
before = sys.stdout
with contextlib.redirect_stdout(io.StringIO()) as kept:
    print('begun', file=sys.stderr, end='')
    entered.wait(20)
    print("the cell's")
printed.set()
"""

    async def main() -> None:
        url, token = address(kernel)
        await cell(kernel, tool)
        async with asyncio.timeout(40), asyncio.TaskGroup() as tasks, connect(url, token=token) as session:
            running = tasks.create_task(asyncio.to_thread(kernel.run, beside))
            assert (await called(session, "overhear")).text == "the tool's\nagain\n"
            await running
        after = await cell(kernel, "print(sys.stdout is before)\nkept.getvalue(), server.telemetry.calls()[-1].output")
        assert (after.stdout, after.result) == ("True\n", repr(("the cell's\n", "after\n")))

    asyncio.run(main())


ASKING = """
import getpass

@wb.tool
def ask() -> str:
    return input("your password: ")

@wb.tool
async def ask_async() -> str:
    return getpass.getpass("your password: ")

@wb.tool(run_on="main")
def ask_main() -> str:
    return getpass.getpass("your password: ")

@wb.tool(run_on="inline")
def ask_inline() -> str:
    return input("your password: ")
"""


def test_no_tool_asks_the_person_whether_a_cell_runs_or_not(speaking: HeardKernel) -> None:
    kernel = speaking

    async def main() -> None:
        url, token = address(kernel)
        await cell(kernel, ASKING)
        async with asyncio.timeout(40), connect(url, token=token) as session:
            answers = [await session.call_tool(tool) for tool in ("ask", "ask_async", "ask_main", "ask_inline")]
            await cell(kernel, "go_on.clear()")
            async with running_cell(kernel, "print('begun')\ngo_on.wait(20)"):
                answers += [await session.call_tool(tool) for tool in ("ask", "ask_async", "ask_inline")]
                await called(session, "proceed")
        assert [(answer.is_error, "nobody can be asked during a call" in answer.text) for answer in answers] == [(True, True)] * 7
        assert not kernel.client.stdin_channel.msg_ready()

    asyncio.run(main())


DRAWING = """
import threading
import mcp_workbench as wb

turn = threading.Barrier(2)

def colour(whose, number):
    return (number / 255, whose / 255, 0)

@wb.tool
def first() -> str:
    "The first import of pyplot in this kernel."
    import matplotlib
    import matplotlib.pyplot as plt
    before = matplotlib.get_backend(), plt.isinteractive()
    plt.plot([1, 2])
    return f"{before} {plt.get_fignums()}"

@wb.tool
def draw(begin: int, end: int) -> None:
    import matplotlib.pyplot as plt
    for number in range(begin, end):
        turn.wait(20)
        figure, axes = plt.subplots(1, 2, figsize=(2, 1), dpi=50, facecolor=colour(200, number))
        plt.title(f"tool {number}")
        turn.wait(20)
        plt.plot([1, 10 ** (number % 4)])
        plt.yscale("log")
        assert plt.gcf() is figure and plt.gca() is axes[1] and len(figure.axes) == 2, number
        assert len(plt.get_fignums()) == number - begin + 1, number

@wb.tool
def restyle() -> str:
    import matplotlib
    import matplotlib.pyplot as plt
    seen = plt.rcParams["lines.linewidth"], plt.rcParams["axes.facecolor"]
    plt.style.use("dark_background")
    plt.rcParams["lines.linewidth"] = 9
    matplotlib.use("pdf")
    plt.ion()
    plt.close("all")
    plt.figure()
    return f"{seen} then {plt.rcParams['lines.linewidth']}, {plt.rcParams['axes.facecolor']}"

server = wb.start()
"""

CELL_DRAWS = """
import matplotlib.pyplot as plt
plt.rcParams["figure.max_open_warning"] = 0
figures = []
for number in range(40):
    turn.wait(20)
    figures.append(plt.figure(figsize=(2, 1), dpi=50, facecolor=colour(100, number)))
    plt.plot([1, 10 ** (number % 4)])
    turn.wait(20)
    plt.yscale("log")
    plt.title(f"cell {number}")
    assert plt.gcf() is figures[-1] and len(figures[-1].axes) == 1, number
    assert plt.get_fignums() == list(range(1, number + 2)), number
"""


def marks(pictures: list[Image.Image]) -> list[tuple[int, ...]]:
    """The colours of the corners."""
    found: list[Any] = [one.getpixel((1, 1)) for one in pictures]
    return [tuple(pixel) for pixel in found]


def test_a_cell_and_a_tool_that_draw_forty_figures_at_the_same_time_show_their_own_each(tmp_path: Path) -> None:
    with HeardKernel(tmp_path) as kernel:
        ran(kernel.run(DRAWING))

        async def main() -> None:
            url, token = address(kernel)
            async with asyncio.timeout(90), asyncio.TaskGroup() as beside, connect(url, token=token) as session:
                imported = await called(session, "first")
                assert imported.text.startswith("('agg', False) [1]")
                assert len(imported.images) == 1
                assert (await cell(kernel, "1 + 1")).result == "2"
                running = beside.create_task(cell(kernel, CELL_DRAWS))
                drawn = [await called(session, "draw", begin=begin, end=begin + 8) for begin in range(0, 40, 8)]
                shown = kernel.images((await running).request)
                assert marks(shown) == [(number, 100, 0) for number in range(40)]
                assert [marks([picture(image) for image in result.images]) for result in drawn] == [
                    [(number, 200, 0) for number in range(begin, begin + 8)] for begin in range(0, 40, 8)
                ]
                own = await keep_current_figure_and_style(kernel, session)
                showing = {request for kind, request, _ in kernel.outputs if kind != "stream" and kind != "execute_result"}
                assert showing == {running.result().request, own}

        asyncio.run(main())


async def keep_current_figure_and_style(kernel: HeardKernel, session: ClientSession) -> str:
    """What a cell has set up is there in the next one, whatever tools draw between; returns the one cell that shows a figure."""
    facts = "plt.rcParams['lines.linewidth'], plt.rcParams['axes.facecolor'], plt.get_backend(), plt.isinteractive()"
    own = await cell(kernel, "%config InlineBackend.close_figures = False\nplt.rcParams['lines.linewidth'] = 3\nkept = plt.figure(7);")
    before = (await cell(kernel, facts)).result
    for _ in range(2):
        assert (await called(session, "restyle")).text.startswith("(3.0, 'white') then 9.0, black")
    assert (await cell(kernel, facts)).result == before
    assert (await cell(kernel, "plt.gcf() is kept, plt.get_fignums()")).result == "(True, [7])"
    await cell(kernel, "%config InlineBackend.close_figures = True\nplt.close('all')")
    await cell(kernel, "server.stop()")
    assert (
        await cell(kernel, "from matplotlib._pylab_helpers import Gcf\ntype(Gcf.figs).__name__, type(plt.rcParams).__module__")
    ).result == "('OrderedDict', 'matplotlib')"
    return own.request
