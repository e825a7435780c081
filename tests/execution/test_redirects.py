"""`contextlib.redirect_stdout` in a call is the call's own affair; in a cell it is what it always was."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from mcp_workbench.execution.output import StandardStreams
from mcp_workbench.execution.redirects import route_redirects
from mcp_workbench.patches import Patches
from tests.support.calls import a_call, inside, process_streams, said


class Tee(io.TextIOBase):
    """Writes here and to whatever was there before."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self.stream = stream
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        self.stream.write(text)
        return len(text)


@contextmanager
def routed() -> Iterator[io.StringIO]:
    """The process's stdout, of cells; what redirects it is followed."""
    streams, patches = StandardStreams(), Patches()
    with process_streams() as (stdout, _):
        streams.route()
        patches.on_restore(streams.restore)
        route_redirects(patches, streams.look)
        yield stdout
        patches.restore()
    assert vars(contextlib.redirect_stdout).keys() & {"__enter__", "__exit__"} == set()


def test_a_call_that_redirects_hears_itself_and_the_process_keeps_its_stream() -> None:
    with routed() as stdout:

        def work() -> str:
            print("before")
            with contextlib.redirect_stdout(io.StringIO()) as heard:
                assert sys.stdout is stdout
                print("heard")
                print("a warning", file=sys.stderr)
                in_another_context.run(print, "a cell's")
            print("after")
            return heard.getvalue()

        call, in_another_context = a_call(), copy_context()
        assert inside(call, work) == "heard\n"
        assert said(call) == "before\na warning\nafter\n"
        assert stdout.getvalue() == "a cell's\n"


def test_what_a_call_redirects_to_nowhere_is_dropped_until_it_redirects_again() -> None:
    with routed() as stdout:

        def work() -> tuple[int, str]:
            with contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
                print("dropped")
                written = sys.stdout.write("four")
                print("dropped too", file=sys.stderr)
                with contextlib.redirect_stdout(Tee(stdout)) as heard:
                    print("heard")
            print("after")
            return written, heard.text

        call = a_call()
        assert inside(call, work) == (4, "heard\n")
        assert (said(call), stdout.getvalue()) == ("after\n", "")


def test_redirections_of_a_call_nest_and_end_with_an_exception() -> None:
    with routed():
        outer, inner = io.StringIO(), io.StringIO()

        def work() -> None:
            with contextlib.redirect_stdout(outer):
                with contextlib.suppress(ValueError), contextlib.redirect_stdout(inner):
                    print("inner")
                    raise ValueError
                print("outer")
                with contextlib.redirect_stderr(sys.stdout):
                    print("also outer", file=sys.stderr)
            print("record")

        call = a_call()
        inside(call, work)
        assert (inner.getvalue(), outer.getvalue(), said(call)) == ("inner\n", "outer\nalso outer\n", "record\n")


def test_what_the_target_writes_goes_to_where_it_went_before() -> None:
    with routed():

        def work() -> str:
            with contextlib.redirect_stdout(Tee(sys.stdout)) as tee, contextlib.redirect_stdout(sys.stdout):
                print("twice")
            return tee.text

        call = a_call()
        assert inside(call, work) == "twice\n"
        assert said(call) == "twice\n"


def test_a_redirection_that_is_left_in_another_context_than_it_was_entered_in_ends_in_neither_badly() -> None:
    with routed() as stdout:
        call, redirection = a_call(), contextlib.redirect_stdout(io.StringIO())
        inside(call, redirection.__enter__)
        inside(call, redirection.__exit__, None, None, None)
        inside(call, print, "record")
        assert said(call) == "record\n"
        assert sys.stdout is stdout


def test_a_cell_that_redirects_does_so_for_the_process_and_calls_are_followed_there() -> None:
    with routed() as stdout:
        call = a_call()
        with contextlib.redirect_stdout(io.StringIO()) as heard, contextlib.redirect_stderr(sys.stdout):
            assert sys.stdout is heard
            print("cell")
            inside(call, print, "call")
            print("cell", file=sys.stderr)
        inside(call, print, "again")
        print("after")
        assert sys.stdout is stdout
        assert (heard.getvalue(), stdout.getvalue(), said(call)) == ("cell\ncell\n", "after\n", "call\nagain\n")
