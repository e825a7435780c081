"""Code that runs in a call without a server around it: what `execution` sets for it, and a port that keeps what it is given."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mcp_workbench.execution.calls import Call, CallState, current_call
from mcp_workbench.execution.output import CallOutput
from mcp_workbench.execution.portal import Portal
from mcp_workbench.execution.questions import Question
from mcp_workbench.protocol.wire import LOG_LEVELS, LogLevel

T = TypeVar("T")


@dataclass
class ListeningPort:
    """A client that wants log messages from a level on; None: none."""

    wants: LogLevel | None = "debug"
    request_id: str | int = 1
    wants_progress: bool = False
    heard: list[tuple[str, Any, str | None]] = field(default_factory=list)
    """Level, text, logger."""

    def wants_output(self, level: LogLevel) -> bool:
        return self.wants is not None and LOG_LEVELS.index(level) >= LOG_LEVELS.index(self.wants)

    def send_progress(self, progress: float, total: float | None, message: str | None) -> None:
        """Not of interest here."""

    def send_log(self, level: LogLevel, data: Any, logger: str | None) -> None:
        self.heard.append((level, data, logger))

    def ask(self, question: Question) -> None:
        raise AssertionError("nothing to ask")


def a_call(name: str = "tool") -> Call:
    """A call that runs."""
    call = Call("c1", name, "thread")
    call.state = CallState.RUNNING
    return call


def inside(call: Call, function: Callable[..., T], *args: object) -> T:
    """Run something on this thread as code of the call."""

    def run() -> T:
        current_call.set(call)
        return function(*args)

    return copy_context().run(run)


def said(call: Call) -> str:
    """What the record of the call will hold."""
    return "" if call.output is None else call.output.printed.text()


def output(call: Call) -> CallOutput:
    """What the call has said; it must have said something."""
    assert call.output is not None
    return call.output


@contextmanager
def process_streams(stdout: Any = None, stderr: Any = None) -> Iterator[tuple[Any, Any]]:
    """`sys.stdout` and `sys.stderr` of the process for a while; two of `io.StringIO` if nothing else is said.

    No fixture, as pytest sets its own between those and the test.
    """
    before = sys.stdout, sys.stderr
    sys.stdout = io.StringIO() if stdout is None else stdout
    sys.stderr = io.StringIO() if stderr is None else stderr
    try:
        yield sys.stdout, sys.stderr
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def listening(call: Call, wants: LogLevel | None = "debug") -> Iterator[ListeningPort]:
    """A client listens to the call; everything has arrived when the block ends."""
    loop = asyncio.new_event_loop()
    call.portal, port = Portal(loop), ListeningPort(wants)
    call.port = port
    try:
        yield port
        loop.call_soon(loop.stop)
        loop.run_forever()
    finally:
        loop.close()
