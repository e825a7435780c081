"""A kernel of our own: cells, output, death."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mcp_workbench
from mcp_workbench.cli.kernels import KernelFailed, TemporaryKernel

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryKernel]:
    with TemporaryKernel(tmp_path_factory.mktemp("kernel")) as kernel:
        yield kernel


def test_a_cell_gives_its_output_its_value_and_its_duration(kernel: TemporaryKernel) -> None:
    cell = kernel.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n6 * 7")
    assert (cell.stdout, cell.stderr, cell.result, cell.error) == ("out\n", "err\n", "42", None)
    assert cell.seconds is not None


def test_a_failing_cell_says_how_and_the_next_one_runs(kernel: TemporaryKernel) -> None:
    assert kernel.run("1 / 0").error == "ZeroDivisionError: division by zero"
    assert kernel.run("'alive'").result == "'alive'"


def test_a_cell_behind_a_failing_one_runs_all_the_same(kernel: TemporaryKernel) -> None:
    failing = kernel.begin("1 / 0")
    behind = kernel.begin("'ran'")
    assert kernel.finish(behind).result == "'ran'"  # what is heard of the other one meanwhile is not lost
    assert kernel.finish(failing).error == "ZeroDivisionError: division by zero"


LATE = """
import threading
go = threading.Event()

def say():
    go.wait(20)
    print("late")

thread = threading.Thread(target=say)
thread.start()
"""


def test_output_that_comes_after_its_cell_has_ended_is_kept_apart(kernel: TemporaryKernel) -> None:
    assert kernel.run(LATE).stdout == ""
    kernel.strays.clear()
    now = kernel.run("go.set()\nthread.join()\nimport sys\nsys.stdout.flush()")
    assert now.stdout + "".join(stray["content"]["text"] for stray in kernel.strays) == "late\n"


def test_it_is_this_interpreter_with_this_package_and_nobodys_profile(kernel: TemporaryKernel) -> None:
    said = kernel.run(
        "import os, sys, mcp_workbench, IPython\nprint(sys.executable, mcp_workbench.__file__, IPython.paths.get_ipython_dir())"
    )

    executable, package, profile = said.stdout.split()
    assert os.path.realpath(executable) == os.path.realpath(sys.executable)
    assert package == mcp_workbench.__file__
    assert Path(profile) == kernel.folder / "ipython"


def test_a_cell_that_takes_too_long_is_given_up(kernel: TemporaryKernel) -> None:
    cell = kernel.begin("import time\nprint('begun')\ntime.sleep(60)")
    assert any("begun" in state.stdout for state in kernel.progress(cell))
    with pytest.raises(KernelFailed, match="did not finish a cell in time"):
        kernel.finish(cell, timeout_s=0.1)
    os.kill(kernel.pid, signal.SIGINT)  # noqa: TID251  # the interrupt button, of a child of ours
    assert kernel.finish(cell).error == "KeyboardInterrupt: "


def test_a_kernel_that_dies_is_noticed_and_leaves_nothing_to_end(tmp_path: Path) -> None:
    with TemporaryKernel(tmp_path) as kernel:
        with pytest.raises(KernelFailed, match="died"):
            kernel.run("import os\nos._exit(3)")
        kernel.end()
        kernel.end()


def test_a_kernel_that_cannot_start_says_so_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.stderr.write('no kernel today\\n')\nimport os\nos._exit(1)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(KernelFailed, match=r"did not start.*no kernel today"), TemporaryKernel(tmp_path / "kernel"):
        pytest.fail("it has started")
