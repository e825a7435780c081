"""What a call says goes to the call, and everything else to where it always went."""

from __future__ import annotations

import gc
import io
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mcp_workbench.execution.calls import Call, CallState
from mcp_workbench.execution.output import (
    MESSAGE_CHARS,
    RECORDED_CHARS,
    SHOWN_CHARS,
    CallOutput,
    StandardStreams,
    output_of,
    route_logging,
    sink_here,
)
from mcp_workbench.patches import Patches
from mcp_workbench.protocol.wire import LogLevel
from tests.support.calls import a_call, inside, listening, output, process_streams, said


@contextmanager
def routed(stdout: Any = None, stderr: Any = None) -> Iterator[StandardStreams]:
    """Streams and logging as while a server runs."""
    streams, patches = StandardStreams(), Patches()
    with process_streams(stdout, stderr):
        streams.route()
        patches.on_restore(streams.restore)
        route_logging(patches)
        try:
            yield streams
        finally:
            patches.restore()


def written(stream: Any) -> str:
    """What was written to one of our streams."""
    text: str = stream.getvalue()
    return text


@pytest.fixture
def loader() -> Iterator[logging.Logger]:
    """A logger of the author's."""
    logger = logging.getLogger("test_output.loader")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    logger.handlers.clear()


# --- streams -------------------------------------------------------------------------------------------------


def test_prints_of_a_call_go_to_its_record_in_order_and_others_to_the_stream() -> None:
    first, second = a_call(), a_call()
    with routed() as _:
        inside(first, print, "one")
        print("a cell's")
        inside(second, print, "two")
        inside(first, lambda: print("to stderr", file=sys.stderr))
        inside(first, sys.stdout.writelines, ["three", "\n"])
        assert (written(sys.stdout), written(sys.stderr)) == ("a cell's\n", "")
    assert (said(first), said(second)) == ("one\nto stderr\nthree\n", "two\n")


def test_prints_of_threads_at_the_same_time_go_to_their_own_calls() -> None:
    calls, together = [a_call() for _ in range(8)], threading.Barrier(8)

    def speak(number: int) -> None:
        together.wait(10)
        for line in range(50):
            print(number, line)

    with routed():
        threads = [threading.Thread(target=inside, args=(call, speak, number)) for number, call in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert [said(call) for call in calls] == ["".join(f"{number} {line}\n" for line in range(50)) for number in range(8)]


def test_what_is_no_text_is_refused_as_by_any_stream() -> None:
    with routed(), pytest.raises(TypeError, match="must be str, not bytes"):
        inside(a_call(), sys.stdout.write, b"bytes")


def test_streams_that_take_the_place_of_others_are_followed_and_left_as_they_were() -> None:
    call, captured = a_call(), io.StringIO()
    with routed() as streams:
        first = sys.stdout
        sys.stdout = captured
        streams.look()
        inside(call, print, "captured?")
        print("captured")
        sys.stdout = first
        streams.look()
        inside(call, print, "no")
        assert vars(captured) == {}
    assert vars(first) == {}
    assert (captured.getvalue(), said(call)) == ("captured\n", "captured?\nno\n")


def test_looking_changes_nothing_before_the_start_and_after_the_end() -> None:
    streams = StandardStreams()
    with process_streams() as (stdout, _):
        streams.look()
        streams.route()
        streams.restore()
        streams.look()
        assert vars(stdout) == {}


def test_a_stream_that_is_both_is_taken_once() -> None:
    both, call = io.StringIO(), a_call()
    with routed(both, both):
        inside(call, lambda: print("once", file=sys.stderr))
    assert (said(call), vars(both)) == ("once\n", {})


def test_a_terminal_whose_write_a_cell_has_set_is_lent_again_by_the_next_call() -> None:
    call, heard, stdout = a_call(), io.StringIO(), io.StringIO()
    terminal: Any = stdout
    with routed(stdout) as streams:
        for _ in range(3):
            before, terminal.write = terminal.write, heard.write  # as IPython does
            streams.look()
            streams.look()
            inside(call, print, "call")
            print("cell")
            terminal.write = before
    assert (said(call), heard.getvalue(), vars(stdout)) == ("call\n" * 3, "cell\n" * 3, {})


def test_what_cannot_be_lent_is_told_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Closed:
        __slots__ = ()

        def write(self, text: str) -> int:
            return len(text)

    with routed(Closed()):
        print("as ever")
    [record] = caplog.records
    assert "sys.stdout is a Closed, whose `write` cannot be lent" in record.getMessage()


def test_a_process_without_streams_is_served_all_the_same() -> None:
    call, streams = a_call(), StandardStreams()
    before = sys.stdout
    try:
        sys.stdout = None  # as under pythonw
        streams.route()
        inside(call, print, "nowhere")
        streams.restore()
    finally:
        sys.stdout = before
    assert said(call) == ""


WARNING = """
import sys, warnings
from mcp_workbench.apart import APART
from tests.support.calls import a_call, inside, said

def warn():
    warnings.warn("careful")

APART.begin()
first, second = a_call(), a_call()
for call in (first, second):
    try:
        inside(call, warn)
    except UserWarning as error:
        print("raised", error)
APART.end()
print([said(call).count("UserWarning: careful") for call in (first, second)])
"""


@pytest.mark.parametrize(
    ("action", "expected"),
    [("always", "[1, 1]"), ("default", "[1, 0]"), ("error", "raised careful\nraised careful\n[0, 0]"), ("ignore", "[0, 0]")],
)
def test_warnings_reach_the_record_when_python_shows_them(action: str, expected: str) -> None:
    # "default" shows a warning once for each place in the code: the second call that gets there has none.
    ran = subprocess.run([sys.executable, "-W", action, "-c", WARNING], capture_output=True, text=True, check=True, timeout=60)
    assert (ran.stdout.strip(), ran.stderr) == (expected, "")


# --- logging -------------------------------------------------------------------------------------------------


def test_log_records_of_a_call_are_taken_once_and_the_authors_handlers_get_them_as_ever(loader: logging.Logger) -> None:
    call = a_call()
    records: list[logging.LogRecord] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    with routed():
        loader.addHandler(Kept())
        loader.addHandler(logging.StreamHandler(sys.stdout))
        inside(call, loader.warning, "%d rows", 3)
        loader.warning("a cell's")
        assert written(sys.stdout) == "a cell's\n"
    assert said(call) == "WARNING:test_output.loader:3 rows\n"
    assert [record.getMessage() for record in records] == ["3 rows", "a cell's"]


def test_a_handler_that_logs_and_writes_itself_doubles_nothing(loader: logging.Logger) -> None:
    call = a_call()

    class Chatty(logging.StreamHandler[Any]):
        def emit(self, record: logging.LogRecord) -> None:
            if record.msg == "outer":
                loader.warning("inner")
            super().emit(record)

    with routed():
        loader.addHandler(Chatty(sys.stdout))
        inside(call, loader.warning, "outer")
        inside(call, print, "printed")
    assert said(call) == "WARNING:test_output.loader:outer\nWARNING:test_output.loader:inner\nprinted\n"


def test_arguments_that_do_not_fit_and_texts_that_raise_do_no_harm(loader: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError

    monkeypatch.setattr(logging, "raiseExceptions", False)
    call = a_call()
    with routed():
        loader.addHandler(logging.StreamHandler(sys.stdout))
        inside(call, loader.info, "%d rows", "three")
        inside(call, loader.info, Broken())
    assert said(call) == (
        "INFO:test_output.loader:%d rows (its arguments do not fit)\nINFO:test_output.loader:Broken (its arguments do not fit)\n"
    )


def test_a_traceback_stands_in_the_record_and_is_not_sent(loader: logging.Logger) -> None:
    def fail() -> None:
        try:
            raise KeyError("secret")
        except KeyError:
            loader.exception("failed")

    call = a_call()
    loader.addHandler(logging.NullHandler())
    with routed(), listening(call) as port:
        inside(call, fail)
    assert said(call).startswith("ERROR:test_output.loader:failed\nTraceback")
    assert said(call).rstrip().endswith("KeyError: 'secret'")
    assert port.heard == [("error", "failed", "test_output.loader")]


@pytest.mark.parametrize(
    ("number", "level"),
    [(5, "debug"), (10, "debug"), (20, "info"), (25, "info"), (30, "warning"), (40, "error"), (50, "critical"), (99, "critical")],
)
def test_levels_are_named_as_the_protocol_names_them(loader: logging.Logger, number: int, level: str) -> None:
    call = a_call()
    loader.setLevel(1)
    loader.addHandler(logging.NullHandler())
    with routed(), listening(call) as port:
        inside(call, loader.log, number, "text")
    assert port.heard == [(level, "text", "test_output.loader")]


def test_what_the_workbench_itself_logs_is_not_the_tools(caplog: pytest.LogCaptureFixture) -> None:
    call = a_call()
    with routed():
        inside(call, logging.getLogger("mcp_workbench.parts").warning, "ours")
    assert (said(call), caplog.messages) == ("", ["ours"])


# --- what a client hears -------------------------------------------------------------------------------------


def speak() -> None:
    print("line one")
    print("half ", end="")
    print("a line")
    print("error", file=sys.stderr)
    print("three\nlines\nat once, and half", end="")
    (sink_here() or pytest.fail)("a display")


def test_a_client_hears_lines_when_they_are_whole_and_the_rest_in_the_end() -> None:
    call = a_call()
    with routed(), listening(call) as port:
        inside(call, speak)
        output(call).end()
    assert port.heard == [
        ("info", "line one", "stdout"),
        ("info", "half a line", "stdout"),
        ("warning", "error", "stderr"),
        ("info", "three\nlines", "stdout"),
        ("info", "a display", "display"),
        ("info", "at once, and half", "stdout"),
    ]


@pytest.mark.parametrize(("wants", "count"), [("info", 6), ("warning", 1), ("error", 0), (None, 0)])
def test_a_client_hears_the_levels_it_asked_for(wants: LogLevel | None, count: int) -> None:
    call = a_call()
    with routed(), listening(call, wants) as port:
        inside(call, speak)
        assert output(call)._unfinished.keys() == ({"stdout"} if wants == "info" else set())
        output(call).end()
    assert len(port.heard) == count
    assert said(call).count("line one") == 1


def test_a_line_that_does_not_end_is_sent_when_it_is_long_and_no_message_is_longer() -> None:
    call = a_call()
    with routed(), listening(call) as port:
        for _ in range(MESSAGE_CHARS):
            inside(call, sys.stdout.write, "ab")
        inside(call, print, "x" * 10 * MESSAGE_CHARS)
    first, second, last = [text for _, text, _ in port.heard]
    assert (len(first), len(second)) == (MESSAGE_CHARS, MESSAGE_CHARS)
    assert "characters left out" in last
    assert len(last) < MESSAGE_CHARS + 60


def test_nothing_is_sent_once_the_call_is_over_and_the_record_goes_on() -> None:
    call = a_call()
    with routed(), listening(call) as port:
        inside(call, print, "before")
        call.cancelled = True
        inside(call, print, "after")
        output(call).end()
    assert port.heard in ([], [("info", "before", "stdout")])
    assert said(call) == "before\nafter\n"


# --- bounds and ends -----------------------------------------------------------------------------------------


def test_what_a_result_could_be_made_of_is_stdout_and_displays_while_the_call_runs() -> None:
    call = a_call()
    with routed():
        inside(call, speak)
        shown = output(call).shown
        assert shown is not None
        assert shown.text() == "line one\nhalf a line\nthree\nlines\nat once, and halfa display\n"
        output(call).end()
        call.state = CallState.ENDED
        inside(call, print, "late")
    assert output(call).shown is None
    assert said(call).endswith("late\n")


def test_a_call_that_prints_without_end_keeps_a_bounded_beginning_and_end() -> None:
    call = a_call()
    with routed():
        inside(call, print, "begin")
        for _ in range(20):
            inside(call, print, "x" * SHOWN_CHARS)
        inside(call, print, "end")
    text, shown = said(call), output(call).shown
    assert text.startswith("begin\n")
    assert text.endswith("x\nend\n")
    assert len(text) < 2 * RECORDED_CHARS + 60
    assert shown is not None
    assert len(shown.text()) < 2 * SHOWN_CHARS + 60


def test_an_object_that_prints_while_it_is_collected_in_the_middle_of_a_print_waits_for_nobody() -> None:
    call = a_call()
    made = output_of(call)

    def print_within() -> None:
        with made._lock:  # as when the collector runs there
            print("collected")

    with routed(), listening(call) as port:
        thread = threading.Thread(target=inside, args=(call, print_within), daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
    assert said(call) == "collected\n"
    assert port.heard == [("info", "collected", "stdout")]


def test_a_call_that_said_something_is_let_go_without_the_collector_and_its_text_stays() -> None:
    call: Call | None = a_call()
    assert call is not None
    gone = weakref.ref(call)
    gc.disable()
    try:
        with routed():
            inside(call, speak)
        kept = output(call).printed
        call.let_go()
        call = None
        assert gone() is None
    finally:
        gc.enable()
    assert kept.text().startswith("line one\n")


def test_two_threads_of_a_call_that_speak_first_at_the_same_time_make_one_output(monkeypatch: pytest.MonkeyPatch) -> None:
    call, together = a_call(), threading.Barrier(2)

    class Slow(CallOutput):
        def __init__(self, call: Call) -> None:
            together.wait(10)
            super().__init__(call)

    monkeypatch.setattr("mcp_workbench.execution.output.CallOutput", Slow)
    made: list[CallOutput] = []
    threads = [threading.Thread(target=lambda: made.append(output_of(call))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert made[0] is made[1] is call.output
