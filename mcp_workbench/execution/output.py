"""What a call says to nobody in particular: print, warnings, logging, display. It goes to the call, never into a cell.

A thread that prints has no cell: what it writes would land in whichever cell ran last. So the writing of the process's
two streams and the handing out of log records are lent to this module while a server runs (`StandardStreams.route`,
`route_logging`); each looks whether it is in a call (`current_call`) and otherwise does what it always did. What a
call says is written down in its record, bounded, and sent line by line to a client that asked for log messages.

Only what knows its context can be told apart; docs/output.md lists what cannot. Locks are reentrant: an object that
is collected while one is held may print too, on the same thread. Displays of notebooks come in through `sink_here`,
what a call redirects goes to `redirects.py`; nothing here knows notebooks, messages or results.
"""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from mcp_workbench.execution.calls import Call, current_call
from mcp_workbench.execution.context import Context
from mcp_workbench.execution.lent_writes import Write, is_lent, lend_write
from mcp_workbench.execution.redirects import StreamName, redirected, write_redirected
from mcp_workbench.patches import Patches
from mcp_workbench.protocol.wire import LogLevel
from mcp_workbench.telemetry.printed import Printed

RECORDED_CHARS = 4096
"""Characters of the beginning, and of the end, that a record keeps."""
SHOWN_CHARS = 32_768
"""... and that are kept of stdout while the call runs, for a result made of it."""
MESSAGE_CHARS = 4096
"""Characters of one message to a client; a line that is not ended is sent before it is longer."""
OWN_LOGGER = "mcp_workbench"

_LEVELS: dict[StreamName, LogLevel] = {"stdout": "info", "stderr": "warning"}
_making = threading.RLock()


class CallOutput:
    """What one call has said. Any thread."""

    __slots__ = ("_call", "_lock", "_muted", "_unfinished", "printed", "shown")

    def __init__(self, call: Call) -> None:
        self._call = weakref.ref(call)  # which has us; whoever writes here is in the call, so it is alive
        self._lock = threading.RLock()  # held for string operations only
        self._unfinished: dict[StreamName, str] = {}
        self._muted: set[int] = set()
        self.printed = Printed(RECORDED_CHARS)
        """Everything, for the record; goes on growing when the call's code outlives the call."""
        self.shown: Printed | None = None
        """What was printed to stdout or displayed; None when nothing was, and when the call has ended."""

    def write(self, stream: StreamName, text: str) -> int:
        """Take what was written to a stream.

        Returns:
            The characters, as `write` of a stream does.

        Raises:
            TypeError: It is no text.
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if threading.get_ident() not in self._muted:
            self._take(str.__str__(text), shown=stream == "stdout")
            self._send_lines(stream, str.__str__(text))
        return len(text)

    def display(self, text: str) -> None:
        """Take the text of what was displayed."""
        self._take(f"{text}\n", shown=True)
        self._send("info", f"{text}\n", "display")

    def log(self, record: logging.LogRecord) -> None:
        """Take a log record; its traceback is for the author alone."""
        message = _message_of(record)
        trace = f"{logging.Formatter().formatException(record.exc_info)}\n" if record.exc_info and record.exc_info[0] else ""
        self._take(f"{record.levelname}:{record.name}:{message}\n{trace}", shown=False)
        self._send(_level_of(record.levelno), message, record.name)

    def trace(self, text: str) -> None:
        """Take a traceback that was shown; it is for the author alone."""
        self._take(text, shown=False)

    def run_muted(self, function: Callable[..., None], *args: object) -> None:
        """Call a function whose writing to the streams, on this thread, repeats what was taken already."""
        thread = threading.get_ident()
        if thread in self._muted:  # a handler that logs
            function(*args)
            return
        self._muted.add(thread)
        try:
            function(*args)
        finally:
            self._muted.discard(thread)

    def end(self) -> None:
        """The call is about to end: send the lines that are not ended, let go what only a result would need."""
        for stream in tuple(self._unfinished):
            self._send_lines(stream, "\n")
        self.shown = None

    def _take(self, text: str, *, shown: bool) -> None:
        call = self._call()
        with self._lock:
            self.printed.add(text)
            if shown and call is not None and not call.is_over():
                if self.shown is None:
                    self.shown = Printed(SHOWN_CHARS)
                self.shown.add(text)

    def _send_lines(self, stream: StreamName, text: str) -> None:
        level = _LEVELS[stream]
        if not self._is_heard(level):
            return
        with self._lock:
            begun = self._unfinished.pop(stream, "")
            full, begun = (begun, "") if len(begun) + len(text) > MESSAGE_CHARS else ("", begun)
            lines, _, rest = (begun + text).rpartition("\n")
            if len(rest) > MESSAGE_CHARS:
                lines, rest = (f"{lines}\n{rest}" if lines else rest), ""
            if rest:
                self._unfinished[stream] = rest
        for whole in filter(None, (full, lines)):
            self._send(level, whole, stream)

    def _send(self, level: LogLevel, text: str, name: str) -> None:
        call = self._call()
        if call is None or call.portal is None or not self._is_heard(level):
            return
        if call.context is None:
            call.context = Context(call, call.portal)
        bounded = Printed(MESSAGE_CHARS // 2)
        bounded.add(text.removesuffix("\n"))
        call.context.log(bounded.text(), level, name)

    def _is_heard(self, level: LogLevel) -> bool:
        call = self._call()
        port = None if call is None else call.port
        return port is not None and port.wants_output(level)


def output_of(call: Call) -> CallOutput:
    """Where a call's output goes, from any thread; made by the first who needs it."""
    output = call.output
    if output is None:
        made = CallOutput(call)
        with _making:
            output = call.output
            if output is None:
                output = call.output = made
    return output


def sink_here() -> Callable[[str], None] | None:
    """Where the text of a display goes that is made here; None outside of calls."""
    call = current_call.get()
    return None if call is None else output_of(call).display


def trace_sink_here() -> Callable[[str], None] | None:
    """Where a traceback goes that is shown here; None outside of calls."""
    call = current_call.get()
    return None if call is None else output_of(call).trace


class StandardStreams:
    """`sys.stdout` and `sys.stderr`, whoever has put what there. `look`: any thread; the others: one at a time."""

    __slots__ = ("_current", "_fragile", "_lock", "_routed", "_routing", "_visiting")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: tuple[object, object] = (None, None)
        self._routing = False
        self._fragile = False
        self._routed: dict[StreamName, Patches] = {}
        self._visiting: dict[StreamName, Patches] = {}

    def route(self) -> None:
        """Begin with the streams that are there now."""
        with self._lock:
            self._routing = True
            self._follow(self._routed)

    def look(self) -> None:
        """Follow a cell that has put streams of its own in their place (`%%capture`, `redirect_stdout`), while it has."""
        stdout, stderr = self._current
        if sys.stdout is stdout and sys.stderr is stderr and (not self._fragile or (is_lent(stdout) and is_lent(stderr))):
            return
        with self._lock:
            if self._routing:
                self._follow(self._visiting)

    def restore(self) -> None:
        """Give `write` back wherever it still is ours."""
        with self._lock:
            self._routing = self._fragile = False
            for patches in (*self._visiting.values(), *self._routed.values()):
                patches.restore()
            self._visiting.clear()
            self._routed.clear()
            self._current = (None, None)

    def _follow(self, kept: dict[StreamName, Patches]) -> None:
        streams: tuple[Any, Any] = sys.stdout, sys.stderr
        names: tuple[StreamName, StreamName] = "stdout", "stderr"
        for name, stream, before in zip(names, streams, self._current, strict=True):
            if stream is before and (not self._fragile or is_lent(stream)):
                continue
            if (left := self._visiting.pop(name, None)) is not None:
                left.restore()
            if stream is not None:
                kept[name] = Patches()
                self._lend(name, stream, kept[name])
        self._current = streams

    def _lend(self, name: StreamName, stream: Any, patches: Patches) -> None:
        try:
            lasts = lend_write(patches, stream, partial(_write_here, name))
        except (AttributeError, TypeError):
            logging.getLogger(OWN_LOGGER).warning(
                "sys.%s is a %s, whose `write` cannot be lent: what tools print will appear in cells", name, type(stream).__name__
            )
        else:
            self._fragile = self._fragile or not lasts


STREAMS = StandardStreams()
"""The one of this process: it has only one pair of streams."""


def route_logging(patches: Patches) -> None:
    """Log records of a call are taken as such, with level and logger; the author's handlers get them as ever."""
    call_handlers = logging.Logger.callHandlers

    def call_handlers_apart(self: logging.Logger, record: logging.LogRecord) -> None:
        call = current_call.get()
        if call is None:
            call_handlers(self, record)
        elif self.name.partition(".")[0] == OWN_LOGGER:
            token = current_call.set(None)  # what the workbench itself has to say is not the tool's
            try:
                call_handlers(self, record)
            finally:
                current_call.reset(token)
        else:
            output = output_of(call)
            output.log(record)
            output.run_muted(call_handlers, self, record)

    patches.replace(logging.Logger, "callHandlers", call_handlers_apart)


def _write_here(name: StreamName) -> Write | None:
    call = current_call.get()
    if call is None:
        return None
    redirection = redirected[name].get()
    if redirection is not None:
        return partial(write_redirected, redirection, name)
    return partial(output_of(call).write, name)


def _message_of(record: logging.LogRecord) -> str:
    try:
        return str.__str__(record.getMessage())
    except Exception:  # noqa: BLE001 - the author's __str__, or arguments that do not fit; the handlers report it their way
        return f"{record.msg if isinstance(record.msg, str) else type(record.msg).__name__} (its arguments do not fit)"


def _level_of(number: int) -> LogLevel:
    if number >= logging.ERROR:
        return "critical" if number >= logging.CRITICAL else "error"
    if number >= logging.INFO:
        return "warning" if number >= logging.WARNING else "info"
    return "debug"
