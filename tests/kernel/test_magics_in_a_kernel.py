"""The magics where it matters that a kernel is around them: input for the debugger, interrupts, displays, the cell's loop."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_workbench.cli.kernels import CellRun, TemporaryKernel
from mcp_workbench.client import connect
from tests.kernel.harness import address, ran

pytestmark = pytest.mark.kernel

OPENING = """
%load_ext mcp_workbench
import asyncio, threading
import pandas as pd
import mcp_workbench as wb

begun, ended = threading.Event(), threading.Event()
flights = pd.DataFrame({"origin": ["JFK", "LGA"], "n": [1, 2]})

@wb.tool
def top(flights: pd.DataFrame, n: int) -> pd.DataFrame:
    return look(flights, n)

def look(table, n):
    if n > len(table):
        raise IndexError(n)
    return table.head(n)

@wb.tool
def hang(ctx: wb.Context) -> None:
    print("begun", flush=True)
    begun.set()
    while not ctx.cancelled:
        ended.wait(0.01)
    ended.set()

@wb.tool
def has_begun() -> bool:
    return begun.wait(30)

@wb.tool
def dot() -> bytes:
    return bytes.fromhex(PNG)

wb.publish(flights=flights)
server = wb.start()
"""
PNG = (
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf500f0003860180b4d1b5e60000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryKernel]:
    with TemporaryKernel(tmp_path_factory.mktemp("kernel")) as kernel:
        ran(kernel.run(f"PNG = {PNG!r}"))
        ran(kernel.run(OPENING))
        yield kernel


def typed(kernel: TemporaryKernel, run: CellRun, *lines: str) -> CellRun:
    """Answer each question of the debugger with the next line, and let the cell end."""
    return answered(kernel, run, *(("ipdb> ", line) for line in lines))


def answered(kernel: TemporaryKernel, run: CellRun, *exchanges: tuple[str, str]) -> CellRun:
    """Answer these questions of a cell, and let the cell end."""
    for prompt, line in exchanges:
        question: dict[str, Any] = kernel.client.get_stdin_msg(timeout=30)
        assert question["content"]["prompt"] == prompt
        kernel.client.input(line)
    return kernel.finish(run)


def test_the_debugger_stops_in_the_function_that_failed_with_its_variables(kernel: TemporaryKernel) -> None:
    ran(kernel.run("%mcp_call top n=7"))
    run = typed(kernel, kernel.begin("%mcp debug"), "p 'n is', n, len(table)", "up", "p 'flights' in dir(), list(flights)", "q")
    ran(run)
    assert "IndexError: 7" in run.stdout
    assert "('n is', 7, 2)" in run.stdout
    assert "(True, ['origin', 'n'])" in run.stdout
    again = typed(kernel, kernel.begin("%debug"), "p 'again', n", "q")  # IPython's own finds it too
    assert "('again', 7)" in again.stdout


def test_a_front_end_without_input_is_told_where_it_failed(kernel: TemporaryKernel) -> None:
    ran(kernel.run("%mcp_call top n=7"))
    run = ran(kernel.run("%mcp debug", allow_stdin=False))
    assert "This front end takes no input, so the debugger cannot be used here. Where it failed:" in run.stdout
    assert "raise IndexError(n)" in run.stdout
    with pytest.raises(queue.Empty):
        kernel.client.get_stdin_msg(timeout=0)


def test_an_interrupt_takes_the_call_back_and_the_tool_is_asked_to_stop(kernel: TemporaryKernel) -> None:
    run = kernel.begin("%mcp_call hang")
    waiting = kernel.begin("begun.is_set(), ended.wait(30)")
    _until_begun(kernel)
    kernel.manager.interrupt_kernel()
    assert str(kernel.finish(run).error).startswith("KeyboardInterrupt")
    assert kernel.finish(waiting).result == "(True, True)"
    ran(kernel.run("%mcp_call top n=1"))


ASKING = """
@wb.tool
def trim(ctx: wb.Context) -> str:
    answer = ctx.elicit("How many rows?", {"n": int})
    return f"{answer.action}: {answer.data}"

@wb.tool(needs_task=True)
def summarize(ctx: wb.Context) -> str:
    ctx.report_progress(1, 2, "halfway there")
    return ctx.sample("Sum it up").text

@wb.tool(needs_task=True)
def hang_as_a_task(ctx: wb.Context) -> str:
    begun.set()
    return ctx.elicit("Go on?").action
"""


def test_a_person_answers_in_the_notebook_what_a_tool_asks_also_when_it_has_become_a_task(kernel: TemporaryKernel) -> None:
    ran(kernel.run(ASKING))
    run = answered(kernel, kernel.begin("%mcp_call trim"), ("n (a whole number): ", "7"), ("Send this answer? [Y/n] ", ""))
    assert "trim asks: How many rows?\n" in ran(run).stdout
    assert "accept: {'n': 7}\n" in run.stdout
    run = answered(kernel, kernel.begin("%mcp_call summarize"), ("Answer (Enter alone: decline): ", "it is fine"))
    assert "50 % halfway there" in ran(run).stdout
    assert "user: Sum it up\n" in run.stdout
    assert "\nit is fine\n" in run.stdout
    run = answered(kernel, kernel.begin("%mcp_call summarize"), ("Answer (Enter alone: decline): ", ""))
    assert "you declined to answer in its place" in run.stderr
    run = ran(kernel.run("%mcp_call trim", allow_stdin=False))
    assert "Declined: this front end takes no typed answers while a cell runs" in run.stdout
    assert "\ndecline: None\n" in run.stdout


def test_a_main_tool_cannot_ask_the_cell_that_waits_for_it_and_is_told_so(kernel: TemporaryKernel) -> None:
    ran(kernel.run('@wb.tool(run_on="main")\ndef ask_here(ctx: wb.Context) -> str:\n    return ctx.elicit("Go on?").action'))
    run = ran(kernel.run("%mcp_call ask_here"))
    assert run.stdout.startswith("ask_here answered with an error:\n")
    assert "asks:" not in run.stdout
    ran(kernel.run("wb.unpublish('ask_here')"))


def test_an_interrupt_of_a_question_takes_the_task_back(kernel: TemporaryKernel) -> None:
    ran(kernel.run(ASKING))
    run = kernel.begin("%mcp_call hang_as_a_task")
    kernel.client.get_stdin_msg(timeout=30)
    kernel.manager.interrupt_kernel()
    assert str(kernel.finish(run).error).startswith("KeyboardInterrupt")
    assert ran(kernel.run("[job.state.value for job in wb.jobs][-1]")).result == "'cancelled'"


def _until_begun(kernel: TemporaryKernel) -> None:
    """Asked over the wire: the kernel's main thread is in the cell that waits."""
    url, token = address(kernel)

    async def look() -> None:
        async with asyncio.timeout(30), connect(url, token=token) as session:
            await session.call_tool("has_begun")

    asyncio.run(look())


def test_tables_and_images_are_displayed(kernel: TemporaryKernel) -> None:
    shown: list[dict[str, Any]] = []
    take = CellRun.take

    def note(self: CellRun, kind: str, content: dict[str, Any]) -> None:
        if kind == "display_data":
            shown.append(content["data"])
        take(self, kind, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CellRun, "take", note)
        table = ran(kernel.run("%mcp_call top n=2"))
        ran(kernel.run("%mcp_call dot"))
    assert table.stdout.startswith("2 rows x 2 columns · _r")
    assert "<table" in shown[0]["text/html"]
    assert shown[1]["text/plain"] == "image/png, 70 bytes"
    assert shown[1]["image/png"].startswith("iVBORw0KGgo")


def test_it_calls_from_a_cell_that_awaits_too(kernel: TemporaryKernel) -> None:
    run = ran(kernel.run("await asyncio.sleep(0)\nget_ipython().run_line_magic('mcp_call', 'top n=1')"))
    assert run.stdout.startswith("1 row x 2 columns · _r")


def test_an_async_tool_of_the_loop_that_the_cell_blocks_is_refused_at_once(kernel: TemporaryKernel) -> None:
    ran(kernel.run('@wb.tool(run_on="main")\nasync def here(n: int) -> int:\n    return n'))
    said = kernel.run("%mcp_call here n=1").stderr
    assert "here runs on the loop that this cell blocks; await it instead: async with wb.connect() as session: " in said


def test_a_main_tool_that_calls_another_is_told_at_once_that_it_would_wait_for_itself(kernel: TemporaryKernel) -> None:
    ran(
        kernel.run(
            '@wb.tool(run_on="main")\ndef inner() -> int:\n    return 1\n\n'
            '@wb.tool(run_on="main")\ndef outer() -> str:\n    get_ipython().run_line_magic("mcp_call", "inner")\n    return "went on"'
        )
    )
    run = ran(kernel.run("%mcp_call outer"))
    assert run.stdout.startswith("went on\n")
    assert ran(kernel.run("%mcp_call inner")).stdout.startswith("1\n")
    ran(kernel.run("wb.unpublish('outer')\nwb.unpublish('inner')"))


def test_a_cell_makes_its_function_a_tool(kernel: TemporaryKernel) -> None:
    ran(kernel.run("%%mcp_tool --name add --read-only --timeout-s 5\ndef plus(a: int, b: int = 2) -> int:\n    return a + b"))
    assert ran(kernel.run("%mcp_call add a=40")).stdout.startswith("42\n")
    assert "add" in ran(kernel.run("%mcp tools")).stdout
    run = kernel.run("%%mcp_tool --name div\ndef div(a: int) -> float:\n    return a / 0\ndiv(1)")
    assert run.error == "ZeroDivisionError: division by zero"
    assert "div" not in ran(kernel.run("%mcp tools")).stdout
