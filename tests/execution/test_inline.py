"""Inline tools are watched, and demoted for processor time only."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextvars import ContextVar

from mcp_workbench.execution.calls import Call, Raised, Returned
from mcp_workbench.execution.inline import SLOW_NS, InlineTools

MS = 1_000_000


class Machine:
    """A wall clock and a processor clock that a tool moves by itself."""

    def __init__(self) -> None:
        self.wall_ns = 1
        self.cpu_ns = 1
        self.cpu_readings = 0
        self.demoted: list[tuple[str, str]] = []
        self.inline = InlineTools(lambda name, sentence: self.demoted.append((name, sentence)), clock_ns=self.wall, cpu_ns=self.cpu)

    def wall(self) -> int:
        return self.wall_ns

    def cpu(self) -> int:
        self.cpu_readings += 1
        return self.cpu_ns

    def tool(self, *, computes_ns: int = 0, waits_ns: int = 0) -> Callable[[], int]:
        def run() -> int:
            self.cpu_ns += computes_ns
            self.wall_ns += computes_ns + waits_ns
            return 1

        return run


def a_call(work: Callable[[], object], function: object, name: str = "tool") -> Call:
    call = Call("c1", name, "inline")
    call.work = work
    call.function = function
    return call


def tool_function() -> None:
    """Stands for the function as registered."""


def test_three_slow_calls_in_a_row_demote_and_are_announced_once() -> None:
    machine = Machine()
    slow = machine.tool(computes_ns=6 * MS)
    for _ in range(2):
        machine.inline.run(a_call(slow, tool_function))
        assert not machine.inline.demoted(a_call(slow, tool_function))
    assert machine.inline.run(a_call(slow, tool_function)) == Returned(1)
    assert machine.inline.demoted(a_call(slow, tool_function))
    assert [name for name, _ in machine.demoted] == ["tool"]
    assert "from now on it runs in a thread" in machine.demoted[0][1]
    assert machine.inline.demotions == 1


def test_waiting_for_the_interpreter_lock_never_demotes() -> None:
    machine = Machine()
    waits = machine.tool(computes_ns=MS, waits_ns=100 * MS)
    for _ in range(20):
        machine.inline.run(a_call(waits, tool_function))
    assert machine.demoted == []


def test_a_quick_call_in_between_starts_the_count_again() -> None:
    machine = Machine()
    slow, quick = machine.tool(computes_ns=6 * MS), machine.tool(computes_ns=MS)
    for work in (slow, slow, quick, slow, slow, quick):
        machine.inline.run(a_call(work, tool_function))
    assert machine.demoted == []


def test_exactly_the_bound_is_not_slow() -> None:
    machine = Machine()
    work = machine.tool(computes_ns=SLOW_NS)
    for _ in range(5):
        machine.inline.run(a_call(work, tool_function))
    assert machine.demoted == []


def test_a_quick_tool_is_never_metered() -> None:
    machine = Machine()
    quick = machine.tool(computes_ns=MS)
    for _ in range(5):
        machine.inline.run(a_call(quick, tool_function))
    assert machine.cpu_readings == 0


def test_a_tool_that_raises_slowly_is_demoted_too() -> None:
    machine = Machine()

    def work() -> None:
        machine.tool(computes_ns=6 * MS)()
        raise ValueError

    for _ in range(3):
        assert isinstance(machine.inline.run(a_call(work, tool_function)), Raised)
    assert len(machine.demoted) == 1


def test_slow_rendering_counts_like_a_slow_function() -> None:
    machine = Machine()
    for _ in range(3):
        call = a_call(lambda: 1, tool_function)
        call.finish = lambda _: machine.tool(computes_ns=6 * MS)()
        machine.inline.run(call)
    assert len(machine.demoted) == 1


def test_a_redefined_function_and_another_tool_start_anew() -> None:
    machine = Machine()
    slow = machine.tool(computes_ns=6 * MS)
    for _ in range(3):
        machine.inline.run(a_call(slow, tool_function))

    def redefined() -> None:
        """The same tool, defined again."""

    assert not machine.inline.demoted(a_call(slow, redefined))
    assert not machine.inline.demoted(a_call(slow, tool_function, name="other"))
    machine.inline.run(a_call(slow, redefined))
    assert not machine.inline.demoted(a_call(slow, redefined))


def test_a_removed_tool_is_not_kept_alive_by_the_watch() -> None:
    machine = Machine()

    class Tool:
        """Counts as a function here; dies when nobody holds it."""

    function = Tool()
    machine.inline.run(a_call(machine.tool(computes_ns=6 * MS), function))
    watched = machine.inline._watched["tool"]
    del function
    gc.collect()
    assert watched.function() is None


def test_context_variables_do_not_leak_from_one_call_to_the_next() -> None:
    machine = Machine()
    variable: ContextVar[str] = ContextVar("variable", default="clean")
    machine.inline.run(a_call(lambda: variable.set("dirty"), tool_function))
    assert machine.inline.run(a_call(variable.get, tool_function)) == Returned("clean")
