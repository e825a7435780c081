"""What every test gets without asking: a runtime folder of its own, and a look at what it leaves behind.

A test that ends with a thread, a task or a socket of ours more than it began with has found a leak, in
itself or in the house; both are worth a failure at the very test that made it. Cheap: about 0.3 ms a test.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psutil
import pytest

from mcp_workbench import tasks

SUITE_SETTINGS = ("MCP_WORKBENCH_NO_SKIP", "MCP_WORKBENCH_TEST_CACHE")
"""Settings of this suite, not of a server."""
JOIN_S = 2.0
"""A thread that was told to end has this long to do so before it counts as left behind."""
OUR_THREADS = ("mcp-workbench", "mcp-tool-", "mcp-async-tools")
_DESCRIPTORS = Path("/proc/self/fd")

# A deadline is a wall-clock assert: it fails on a busy machine and says nothing of the code.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in its background with interrupts ignored, and the tests' programs would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "leaks_threads(reason): user code of this test hangs on purpose, and its daemon threads with it")
    config.addinivalue_line("markers", "requirement(id): the row of tests/interaction/requirements.py that this test shows to hold")
    config.addinivalue_line("markers", "versions(*revisions): the protocol revisions an interaction test runs for; default: all")


@pytest.fixture(scope="session", autouse=True)
def own_runtime_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test sees, or writes into, the user's Jupyter folder or settings."""
    folder = tmp_path_factory.mktemp("runtime")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
        for name in [name for name in os.environ if name.startswith("MCP_WORKBENCH_") and name not in SUITE_SETTINGS]:
            patch.delenv(name)
        yield folder


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves threads, tasks, sockets or a changed switch interval."""
    threads_before, sockets_before, interval = set(threading.enumerate()), _sockets(), sys.getswitchinterval()
    complaints = _Complaints()
    logging.getLogger("asyncio").addHandler(complaints)
    yield
    left: list[str] = []
    if request.node.get_closest_marker("leaks_threads") is None:
        left += [f"thread {thread.name}" for thread in _threads_left(threads_before)]
        # A hung thread keeps its loop, and a loop keeps a pair of sockets.
        if (more := _sockets_left(sockets_before)) > 0:
            left.append(f"{more} sockets")
    left += [f"task {task.get_name()}" for task in tuple(tasks._running) if not task.done()]
    if sys.getswitchinterval() != interval:
        left.append(f"a switch interval of {sys.getswitchinterval()} instead of {interval}")
        sys.setswitchinterval(interval)
    logging.getLogger("asyncio").removeHandler(complaints)
    left += complaints.heard
    assert not left, f"left behind: {', '.join(left)}"


class _Complaints(logging.Handler):
    """What asyncio's last resort had to say, for instance of a task that was dropped while it waited."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"asyncio said: {record.getMessage()}")


def _threads_left(before: set[threading.Thread]) -> list[threading.Thread]:
    left = [thread for thread in threading.enumerate() if thread not in before and _is_a_leak(thread)]
    for thread in left:
        thread.join(JOIN_S)
    return [thread for thread in left if thread.is_alive()]


def _is_a_leak(thread: threading.Thread) -> bool:
    return not thread.daemon or thread.name.startswith(OUR_THREADS)


def _sockets_left(before: int) -> int:
    if (more := _sockets() - before) > 0:
        gc.collect()  # a loop that a test forgot to close says so in a ResourceWarning; here only what stays counts
        more = _sockets() - before
    return more


def _sockets() -> int:
    """Sockets of this process, listening, connected or neither."""
    if not _DESCRIPTORS.is_dir():
        return len(psutil.Process().net_connections())
    count = 0
    for descriptor in os.listdir(_DESCRIPTORS):  # noqa: PTH208  # 20 times as fast as Path.iterdir
        try:
            count += os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")  # noqa: PTH115
        except OSError:  # the folder's own descriptor, closed since
            continue
    return count
