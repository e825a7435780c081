"""`%mcp_call tool a=1 b="x"`: calls a tool as an agent does, over the wire, and shows the answer.

The client runs on a loop and thread of its own, while the cell waits through the Workbench: a tool with `run_on="main"`
then has its turn on the thread that waits for it, and what a tool asks is answered there (`answering.py`). A call that goes on as a
task is followed to its end. An interrupt takes the call back, whatever it has become.
"""

from __future__ import annotations

import inspect
import sys
import time
from functools import partial
from typing import Any

from IPython.core.error import UsageError

from mcp_workbench.client import Connecting
from mcp_workbench.client.results import CallResult
from mcp_workbench.errors import ConnectionClosed, PeerError
from mcp_workbench.hosts import current_host
from mcp_workbench.kernel.answering import Answering, Declined
from mcp_workbench.kernel.literals import LineError, read_arguments
from mcp_workbench.kernel.own_loop import run_on_own_loop
from mcp_workbench.kernel.results import say, show_result
from mcp_workbench.primitives import ToolDefinition
from mcp_workbench.primitives.wording import nearest
from mcp_workbench.protocol import wire
from mcp_workbench.version import __version__
from mcp_workbench.views.words import counted, duration, shown
from mcp_workbench.wording import plain
from mcp_workbench.workbench import Workbench

CALL_TIMEOUT_S = 86_400.0
"""A person who waits can interrupt."""
CLIENT = wire.Implementation(name="%mcp_call", version=__version__)
_PROGRESS_CHARS = 78


def call_tool(workbench: Workbench, line: str) -> None:
    """Call a tool of a Workbench of this process and show what it answers.

    Args:
        workbench: Whose.
        line: The tool's name, then `name=value` pairs.

    Raises:
        UsageError: The line cannot be read, the server does not run, or there is no such tool.
        KeyboardInterrupt: The waiting was interrupted; the tool is asked to stop.
    """
    tool, arguments = _read(workbench, line)
    progress = _Progress()
    answering = Answering(tool, progress.end)
    began = time.perf_counter_ns()
    try:
        # On this thread: so the queue of the main thread knows who waits for the call.
        connecting = workbench.connect(client_info=CLIENT, on_elicit=answering.elicit, on_sample=answering.sample)
        wait = partial(answering.wait, workbench._wait_for)  # noqa: SLF001  # the face's own way to wait
        result = run_on_own_loop(partial(_call, connecting, tool, arguments, progress), wait)
    except Declined as declined:
        raise UsageError(plain(str(declined))) from None
    except PeerError as error:
        raise UsageError(plain(error.message)) from None
    except ConnectionClosed as error:
        raise UsageError(f"the connection ended before {tool} had answered: {plain(str(error))}") from None
    except UnicodeEncodeError:
        raise UsageError("an argument holds half of a surrogate pair, which is no character and cannot be sent") from None
    finally:
        progress.end()
    _show(tool, result, time.perf_counter_ns() - began)


def _read(workbench: Workbench, line: str) -> tuple[str, dict[str, wire.Json]]:
    tool, _, rest = line.strip().partition(" ")
    offer = workbench._offer  # noqa: SLF001  # the names of published DataFrames are nowhere else
    if not tool:
        raise UsageError(f"%mcp_call needs a tool: {_some([each.name for each in workbench.tools])}")
    if not workbench.running:
        raise UsageError("the server is not running, and %mcp_call calls over the wire: %mcp start starts it")
    definition = offer.catalog.get(tool)
    if definition is None:
        known = [each.name for each in offer.catalog.list()]
        close = nearest(tool, known, 1)
        raise UsageError(f"no tool {tool[:60]!r}{f', nearest is {close[0]}' if close else ''}; {_some(known)}")
    if _needs_this_loop(definition):
        raise UsageError(
            f"{tool} runs on the loop that this cell blocks; await it instead: "
            f"async with wb.connect() as session: await session.call_tool({tool!r}, …)"
        )
    try:
        return tool, read_arguments(rest, offer.dataframes.names())
    except LineError as error:
        raise UsageError(plain(f"{error}. Expected: {definition.arguments.usage}")) from None


def _needs_this_loop(tool: ToolDefinition) -> bool:
    is_for_the_main_loop = tool.run_on == "main" and inspect.iscoroutinefunction(tool.function)
    return is_for_the_main_loop and current_host().main_is_free == "between cells"


def _some(tools: list[str]) -> str:
    if not tools:
        return "there are no tools yet, @wb.tool makes a function one"
    return f"there {'is' if len(tools) == 1 else 'are'} {shown(', '.join(tools), 300)}"


async def _call(connecting: Connecting, tool: str, arguments: dict[str, wire.Json], progress: _Progress) -> CallResult:
    async with connecting as session:
        return await session.call_tool(tool, arguments, timeout_s=CALL_TIMEOUT_S, on_progress=progress)


def _show(tool: str, result: CallResult, took_ns: int) -> None:
    if result.is_error:
        say(f"{tool} answered with an error:")
    show_result(result)
    say(f"({duration(took_ns)} over the wire, {counted(len(result.text), 'character')} of text)")


class _Progress:
    """The last thing the tool said about how far it is, on one line that is written over."""

    def __init__(self) -> None:
        self._written = False

    def __call__(self, done: float, total: float | None, message: str | None) -> Any:
        share = f"{100 * done / total:.0f} %" if total else ("" if done < 1 else f"{done:g}")
        self._write(" ".join(filter(None, (share, message))))

    def _write(self, text: str) -> None:
        self._written = True
        sys.stdout.write("\r" + shown(text, _PROGRESS_CHARS).ljust(_PROGRESS_CHARS))
        sys.stdout.flush()

    def end(self) -> None:
        """Leave the line as it is, and begin another."""
        if self._written:
            self._written = False
            sys.stdout.write("\n")
