"""`%mcp debug`: a failed call run again in the cell, and the debugger where it fails.

Run again, not kept: a debugger needs the exception with its frames, and frames hold every local variable of the call. To keep
the last failure alive would keep its DataFrames alive too, for as long as nobody makes another mistake, and would pay for that
with every failed call, of which an agent makes many and a person debugs few. What is kept is small: the arguments as JSON
text. So the author's own function is called once more, on the main thread, with those arguments bound afresh, by the principal
who had sent them. What that costs is said where it happens: what the function changes, it changes twice; the data may have
moved on; a failure that depends on the moment may not come again. In return `breakpoint()` inside the function works, and an
interrupt shows where a call hangs.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, TypeVarTuple

import msgspec
from IPython.core.error import StdinNotImplementedError

from mcp_workbench.errors import WorkbenchError
from mcp_workbench.events import Era, Principal
from mcp_workbench.execution.calls import Call
from mcp_workbench.execution.context import AsyncContext, Context
from mcp_workbench.execution.portal import Portal
from mcp_workbench.kernel.failed_calls import find_failed, ran_tool, read_by, session_record
from mcp_workbench.kernel.own_loop import run_on_own_loop
from mcp_workbench.kernel.results import say
from mcp_workbench.primitives import ArgumentError, ResourceDefinition, ToolDefinition, find_resource
from mcp_workbench.protocol.wire import Json
from mcp_workbench.telemetry.records import CallRecord
from mcp_workbench.views.authors_code import is_ours
from mcp_workbench.views.words import shown
from mcp_workbench.workbench import Workbench

Ts = TypeVarTuple("Ts")
Definition = ToolDefinition | ResourceDefinition


class CannotRun(WorkbenchError):
    """The call cannot be run again; the text says why, and what to do instead."""


def debug_call(workbench: Workbench, shell: Any, call_id: str | None) -> None:
    """Run a failed call again and open the debugger on what it raises.

    Args:
        workbench: Whose.
        shell: IPython's, for its debugger.
        call_id: As `%mcp error` names it; None: the last one.

    Raises:
        NoSuchCall: No such failure is remembered.
        CannotRun: It can be looked at, but not run again.
    """
    call = find_failed(workbench, call_id)
    definition, raw = _what_ran(workbench, call)
    kwargs, notes = _bind(definition, raw, call)
    for line in _before(call, definition, notes):
        say(line)
    try:
        value = _run(workbench, definition, call, kwargs)
    except BaseException as error:  # noqa: BLE001  # whatever it raises is what the debugger is for, an interrupt included
        _open_debugger(shell, _from_their_code(error, definition.function))
    else:
        say(f"It ran to its end this time, and returned {_a_value(value)}. When it failed, it said: {shown(call.error or '', 400)}")
        say(f"To stop inside it, write breakpoint() into the function, run its cell, and %mcp debug {call.call_id} again.")


# --- what is run -------------------------------------------------------------------------------------------------


def _what_ran(workbench: Workbench, call: CallRecord) -> tuple[Definition, dict[str, Json]]:
    """The function as it is now, and what the client had sent."""
    if call.method == "resources/read":
        found = find_resource(workbench.resources, call.target)
        if found is None:
            raise CannotRun(f"{shown(call.target, 100)} is no resource of yours that is offered now; %mcp error {call.call_id} shows it")
        return found[0], dict(found[1])
    if not ran_tool(call):
        raise CannotRun(f"the arguments of {call.method} are not kept: call {shown(call.target, 60)}(…) in a cell, then %debug")
    tool = next((tool for tool in workbench.tools if tool.name == call.target), None)
    if tool is None:
        raise CannotRun(f"no function of yours is offered as {shown(call.target, 60)} now; if it was, run its cell, then this again")
    if call.arguments is None:
        raise CannotRun(f"the arguments of {call.call_id} were not kept (longer than 64 KiB): call {tool.name}(…) in a cell, then %debug")
    if tool.run_on == "main" and inspect.iscoroutinefunction(tool.function):
        raise CannotRun(f"{tool.name} runs on the loop that this cell blocks: `await {tool.name}(…)` in a cell, then %debug")
    return tool, msgspec.json.decode(call.arguments)


def _bind(definition: Definition, raw: dict[str, Json], call: CallRecord) -> tuple[dict[str, Any], tuple[str, ...]]:
    try:
        bound = definition.arguments.bind(raw, call.principal)
    except ArgumentError as error:
        raise CannotRun(f"with these arguments the call does not get as far as your code: {error}") from None
    return bound.kwargs, bound.notes


def _before(call: CallRecord, definition: Definition, notes: tuple[str, ...]) -> list[str]:
    lines = [f"Running {call.call_id} again: {definition.arguments.usage}; an interrupt stops it."]
    if (call.tool_version, call.defined_at) != (definition.edition, definition.defined_at):
        lines.append(f"It was defined anew since then, in {definition.defined_at}.")
    then = read_by(call)
    if notes != then:
        lines.append(f"It reads {', '.join(notes) or 'nothing published'} now, {', '.join(then) or 'nothing published'} then.")
    return lines


def _run(workbench: Workbench, definition: Definition, call: CallRecord, kwargs: dict[str, Any]) -> object:
    parameter = definition.context_parameter
    if definition.run_on == "async":
        make = partial(_await, definition.function, kwargs, parameter, partial(_context, AsyncContext, workbench, call))
        wait: Callable[[Future[object]], object] = workbench._wait_for  # noqa: SLF001  # the face's own way to wait
        return run_on_own_loop(make, wait)
    given = kwargs if parameter is None else kwargs | {parameter: _context(Context, workbench, call)}
    return definition.function(**given)


async def _await(
    function: Callable[..., Any], kwargs: dict[str, Any], parameter: str | None, context: Callable[[], AsyncContext]
) -> object:
    value = function(**(kwargs if parameter is None else kwargs | {parameter: context()}))
    return await value if inspect.isawaitable(value) else value


# --- the context of a call that no client waits for -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Caller:
    """What is remembered of the session that the call had come in."""

    session_id: str
    client_name: str | None
    client_version: str | None
    protocol_version: str
    era: Era


class _Nowhere(Portal):
    """Leads to no loop: nobody hears what a call says that is run again."""

    __slots__ = ()

    def __init__(self) -> None:
        pass

    def post(self, function: Callable[[*Ts], object], *args: *Ts) -> bool:
        """Nothing is run."""
        return False

    def is_here(self) -> bool:
        """Nobody is."""
        return False


def _context(kind: type[Any], workbench: Workbench, call: CallRecord) -> Any:
    again = Call(call.call_id, call.target, "thread")
    again.principal = Principal(call.principal)
    session = session_record(workbench, call)
    if session is not None:
        version = session.protocol_version or ""
        again.session = _Caller(session.session_id, session.client_name, session.client_version, version, call.era)
    return kind(again, _Nowhere())


# --- the debugger ------------------------------------------------------------------------------------------------------


def _from_their_code(error: BaseException, function: Callable[..., Any]) -> BaseException:
    """The exception with its traceback from the author's function on; without our frames where that is not in it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    frames = [trace for trace in _walk(error.__traceback__) if trace.tb_frame.f_code is code]
    if not frames:
        frames = [trace for trace in _walk(error.__traceback__) if not is_ours(trace.tb_frame.f_code.co_filename)]
    return error.with_traceback(frames[0]) if frames else error


def _walk(trace: TracebackType | None) -> list[TracebackType]:
    found = []
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found


def _open_debugger(shell: Any, error: BaseException) -> None:
    # Where IPython's own %debug looks, so that it can be opened again.
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    say("".join(traceback.format_exception_only(error)).rstrip("\n"))
    debugger = shell.debugger_cls()
    debugger.reset()
    try:
        debugger.interaction(None, error.__traceback__)
    except StdinNotImplementedError:
        say("This front end takes no input, so the debugger cannot be used here. Where it failed:")
        say("".join(traceback.format_exception(error)).rstrip("\n"))


def _a_value(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
