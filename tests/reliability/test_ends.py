"""The end of the server, of its process and of its thread, at every inconvenient moment."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

import mcp_workbench as wb
from mcp_workbench.errors import ConnectionClosed
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.tasks import start_task
from mcp_workbench.transports.websocket_client import open_websocket
from tests.reliability.bystanders import port_of
from tests.support.raw_websocket import RawConnection
from tests.support.stage import acquired, happened, running, server_of, talking, within
from tests.support.talk import Talk, text_of

EXIT_S = 3.0
"""A kernel that ends must not wait longer for us."""

SERVER = """
    import asyncio, json, sys, threading, time
    import mcp_workbench as wb

    begun = threading.Semaphore(0)

    @wb.tool
    def hang() -> None:
        begun.release()
        threading.Event().wait()

    @wb.tool
    async def hang_async() -> None:
        begun.release()
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass

    @wb.tool
    def spin() -> None:
        begun.release()
        while True:
            pass

    workbench = wb.start(limits=wb.Limits(stop_grace_s=0.5))
    print(json.dumps([workbench.url, workbench.token]), flush=True)
    calls = int(sys.stdin.readline())
    for _ in range(calls):
        begun.acquire()
"""
ENDINGS = {
    "falls off its end": "",
    "exits": "sys.exit(0)",
    "stops first": "wb.stop()",
    "stops twice": "wb.stop(); wb.stop()",
    "stops in a thread": "threading.Thread(target=wb.stop).start()",
    "forgets everything": "del workbench; import gc; gc.collect()",
}


@dataclass
class Child:
    """A process with a server."""

    process: subprocess.Popen[str]
    url: str
    token: str

    def end(self, calls: int) -> tuple[int, str, str]:
        """Let it end once so many calls are under way; code, output and complaints."""
        out, err = self.process.communicate(f"{calls}\n", timeout=EXIT_S)
        return self.process.returncode, out, err


@contextmanager
def _child(ending: str) -> Iterator[Child]:
    script = textwrap.dedent(SERVER) + ending
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url, token = json.loads(process.stdout.readline())
        yield Child(process, url, token)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_process_with_connected_clients_ends_soon_and_silently(ending: str) -> None:
    async def main() -> None:
        with _child(ending) as child:
            idle, busy, listening = [Talk(await open_websocket(child.url, token=child.token), v) for v in _VERSIONS]
            for talk in (idle, busy, listening):
                await talk.open()
            busy.call("hang")
            busy.call("hang_async")
            listening.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
            await listening.news("notifications/subscriptions/acknowledged")
            ended = await asyncio.to_thread(child.end, 2)
            assert ended == (0, "", "")
            for talk in (idle, busy, listening):
                code, _ = await talk.closed
                assert code in (1001, 1006)

    within(main, seconds=30)


_VERSIONS = (LATEST_LEGACY, LATEST_LEGACY, LATEST_MODERN)


def test_a_process_whose_tool_never_lets_go_of_the_processor_ends_all_the_same() -> None:
    async def main() -> None:
        with _child("") as child:
            talk = Talk(await open_websocket(child.url, token=child.token))
            await talk.open()
            talk.call("spin")
            assert await asyncio.to_thread(child.end, 1) == (0, "", "")
            await talk.closed

    within(main, seconds=30)


def test_a_process_that_fails_shows_its_own_failure_only() -> None:
    async def main() -> None:
        with _child("raise ValueError('the script is wrong')") as child:
            talk = Talk(await open_websocket(child.url, token=child.token))
            await talk.open()
            code, out, err = await asyncio.to_thread(child.end, 0)
            assert (code, out) == (1, "")
            assert err.strip().endswith("ValueError: the script is wrong")
            assert err.count("Traceback") == 1
            await talk.closed

    within(main, seconds=30)


def test_stopping_from_many_threads_at_once_stops_once() -> None:
    for _ in range(10):
        workbench = wb.Workbench()
        workbench.start()
        together = threading.Barrier(4)
        faults: list[BaseException] = []

        def stop() -> None:
            together.wait()  # noqa: B023  # joined within the same turn
            try:
                workbench.stop()  # noqa: B023
            except BaseException as fault:
                faults.append(fault)  # noqa: B023

        threads = [threading.Thread(target=stop) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        assert not workbench.running


def test_starting_again_serves_clients_that_come_back() -> None:
    workbench = wb.Workbench()

    @workbench.tool
    def hello() -> str:
        return "hello"

    async def visit() -> None:
        async with talking(workbench) as talk:
            assert text_of(await talk.called("hello")) == "hello"
            await asyncio.to_thread(workbench.stop)
            assert await talk.closed == (1001, "server is shutting down")
            with pytest.raises(AssertionError, match="ended with"):
                await talk.called("hello")

    for _ in range(3):
        workbench.start()
        within(visit)
        assert not workbench.running


def test_calls_that_can_end_in_time_are_answered_before_the_end() -> None:
    workbench = wb.Workbench(limits=wb.Limits(stop_grace_s=8))
    release, begun = threading.Event(), threading.Semaphore(0)

    @workbench.tool
    def hold(n: int) -> int:
        begun.release()
        release.wait()
        return n

    async def main() -> None:
        async with talking(workbench) as talk, talking(workbench, LATEST_MODERN) as other:
            calls = [talk.call("hold", n=number) for number in range(3)]
            other_call = other.call("hold", n=9)
            await acquired(begun, 4)
            server = server_of(workbench)
            stopping = start_task(asyncio.to_thread(workbench.stop), name="stop")
            while not server.sessions.closing:
                await talk.fence()
            with pytest.raises(ConnectionClosed, match="nothing listens"):
                await open_websocket(server.url, token=workbench.token)
            release.set()
            for number, call in enumerate(calls):
                assert text_of((await talk.answer(call))["result"]) == str(number)
            assert text_of((await other.answer(other_call))["result"]) == "9"
            await stopping
            for each in (talk, other):
                assert (await each.closed)[0] == 1001

    with running(workbench):
        within(main)


def test_half_open_and_silent_clients_do_not_hold_up_the_end() -> None:
    workbench = wb.Workbench(limits=wb.Limits(stop_grace_s=0.01))

    async def main() -> None:
        half_open = await RawConnection.dial(port_of(workbench))
        half_open.send(b"GET /mcp HTTP/1.1\r\n")
        silent = await RawConnection.open(port_of(workbench), workbench.token, small=True)
        silent.stop_reading()
        async with talking(workbench) as talk:
            await talk.fence()
            await asyncio.to_thread(workbench.stop)
            assert (await talk.closed)[0] == 1001
        half_open.abort()
        silent.abort()

    with running(workbench):
        within(main)
    assert not workbench.running


def test_a_client_that_vanishes_in_a_call_frees_its_thread() -> None:
    workbench = wb.Workbench()
    begun, told = threading.Event(), threading.Event()

    @workbench.tool
    def watch(ctx: wb.Context) -> None:
        begun.set()
        while not ctx.cancelled:
            told.wait(0.002)
        told.set()

    async def main() -> None:
        async with talking(workbench) as other:
            async with talking(workbench) as talk:
                talk.call("watch")
                await happened(begun)
                talk.channel.abort()
            await happened(told)
            await other.until(lambda: workbench.status().execution["running"] == 0)
            [record] = [record for record in workbench.telemetry.calls() if record.method == "tools/call"]
            assert record.outcome in ("cancelled", "dropped")

    with running(workbench):
        within(main)
