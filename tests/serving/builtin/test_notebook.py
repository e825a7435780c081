"""What agents are told of the kernel."""

from __future__ import annotations

from mcp_workbench.execution.main_thread import Running
from mcp_workbench.hosts import Cell
from mcp_workbench.serving.builtin.notebook import KernelFacts
from mcp_workbench.serving.places import PROGRAM, SHELL


def test_a_kernel_is_not_idle_while_a_call_has_its_main_thread() -> None:
    assert KernelFacts().said(20) == "kernel idle"
    assert KernelFacts(cell=Cell("[12]", None, 12)).said(20) == "kernel busy in cell [12] for 8 s"
    work = Running("draw", 8, "c3")
    assert KernelFacts(work=work, waiting=2).said(20) == "kernel busy with a call of draw for 12 s, cells wait, 2 calls wait"


def test_a_program_is_called_one_and_has_no_cells_that_could_wait() -> None:
    assert KernelFacts(place=PROGRAM).said(20) == "program idle"
    assert KernelFacts(work=Running("draw", 8, "c3"), place=PROGRAM).said(20) == "program busy with a call of draw for 12 s"
    assert KernelFacts(place=SHELL).said(20) == "session idle"
