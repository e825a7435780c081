"""The protocol thread: its three doors, and its end."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Iterator

import pytest

from mcp_workbench.engine import THREAD_NAME, Engine
from mcp_workbench.errors import LocalProtocolError
from mcp_workbench.tasks import start_task


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    engine.start()
    yield engine
    engine.stop()


def test_call_runs_on_the_loops_thread_and_returns(engine: Engine) -> None:
    assert engine.call(lambda: threading.current_thread().name) == THREAD_NAME
    assert not engine.is_here
    assert engine.call(lambda: engine.is_here)


def test_run_waits_for_a_coroutine(engine: Engine) -> None:
    async def work(value: int) -> int:
        await asyncio.sleep(0)
        return value + 1

    assert engine.run(work(1)) == 2


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
def test_what_is_raised_there_is_raised_here_and_the_thread_lives(engine: Engine, kind: type[BaseException]) -> None:
    def fail() -> None:
        raise kind("x")

    with pytest.raises(kind):
        engine.call(fail)
    assert engine.running


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_a_task_that_wants_to_end_the_program_ends_alone(engine: Engine, kind: type[BaseException]) -> None:
    """Whoever awaits a task of users' code has no say: asyncio raises these two out of its loop."""

    async def leave() -> None:
        raise kind

    async def begin() -> None:
        start_task(leave(), name="leaves")

    engine.run(begin())
    assert engine.call(lambda: 1) == 1
    assert engine.running


def test_what_was_not_begun_when_the_loop_ended_is_closed(engine: Engine) -> None:
    """Else Python warns, and warnings are errors here."""
    release = threading.Event()

    async def never() -> None: ...

    engine.post(release.wait)
    with pytest.raises(TimeoutError):
        engine.run(never(), timeout_s=0.01)
    engine.stop(timeout_s=0)
    release.set()
    engine.stop()
    assert not engine.running


def test_waiting_for_itself_is_refused(engine: Engine) -> None:
    def wait() -> None:
        engine.call(lambda: None)

    with pytest.raises(LocalProtocolError, match="never end"):
        engine.call(wait)


def test_a_blocked_loop_is_waited_for_no_longer_than_asked(engine: Engine) -> None:
    release = threading.Event()
    assert engine.post(release.wait)
    with pytest.raises(TimeoutError):
        engine.call(lambda: None, timeout_s=0.01)
    release.set()
    assert engine.call(lambda: 1) == 1


def test_post_calls_in_order_without_waiting(engine: Engine) -> None:
    came: list[int] = []
    for number in range(100):
        engine.post(came.append, number)
    engine.call(lambda: None)
    assert came == list(range(100))


def test_stopping_cancels_what_runs_and_ends_the_thread() -> None:
    engine, ended = Engine(), threading.Event()
    engine.start()

    async def forever() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        engine.run(forever(), timeout_s=0.01)
    engine.stop()
    assert ended.is_set()
    assert not engine.running
    assert not engine.post(print)
    with pytest.raises(RuntimeError, match="loop is closed"):
        engine.call(lambda: None)
    engine.stop()


def test_a_fault_in_a_callback_goes_to_the_log_and_not_to_stderr(
    engine: Engine, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ValueError("in a callback")

    engine.post(fail)
    engine.call(lambda: None)
    assert "protocol loop: Exception in callback" in caplog.text
    assert capfd.readouterr().err == ""


def test_an_abandoned_engine_is_not_running(engine: Engine) -> None:
    engine.abandon_in_child()
    assert not engine.running
    engine._abandoned = False


def test_that_no_descriptor_is_left_is_said_once_and_not_for_each_attempt(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with caplog.at_level("WARNING", logger="mcp_workbench"):
        for _ in range(256):
            engine.post(fail)
        assert engine.call(lambda: 1) == 1
    assert [record.message for record in caplog.records] == [
        "no connection can be accepted: no file descriptor is left (ulimit -n); it is tried again every second"
    ]
