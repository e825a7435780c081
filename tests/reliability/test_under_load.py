"""Sessions that are full, slow, silent or many: what must go on goes on, what must end ends alone."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import psutil
import pytest
from blockbuster import BlockBuster, BlockingError

import mcp_workbench as wb
from mcp_workbench.limits import KIB, MIB
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from tests.reliability.bystanders import port_of, unharmed
from tests.support.raw_websocket import RawConnection, frame
from tests.support.stage import acquired, happened, on_loop, running, server_of, talking, within
from tests.support.talk import Talk, text_of

CALLS = 64
SHARE = 32
"""Threads that one session gets of 64 when no other has any."""


def _holding(workbench: wb.Workbench) -> tuple[threading.Event, threading.Semaphore]:
    """A tool that waits to be released, and says when it has begun."""
    release, begun = threading.Event(), threading.Semaphore(0)

    @workbench.tool
    def hold(n: int) -> int:
        begun.release()
        release.wait()
        return n

    return release, begun


def test_with_sixty_four_calls_blocked_a_ping_is_answered_and_a_cancel_obeyed() -> None:
    workbench = wb.Workbench()
    release, begun = _holding(workbench)

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            calls = [talk.call("hold", n=number) for number in range(CALLS)]
            await acquired(begun, SHARE)
            waiting = talk.call("hold", n=CALLS)
            assert await talk.result("ping") == {}
            assert "tools" in await talk.result("tools/list")
            for number in (waiting, calls[10], calls[SHARE + 10]):
                talk.cancel(number)
            await talk.fence()
            assert talk.inbox == [], "nothing but the ping was answered while all 64 are blocked"
            [queues] = [each.queues for each in workbench.sessions if each.queues["running"]]
            assert (queues["running"], queues["backlog"]) == (CALLS - 2, 0)
            release.set()
            answers = {(await talk.take(lambda message: "id" in message))["id"] for _ in range(CALLS - 2)}
            assert answers == set(calls) - {calls[10], calls[SHARE + 10]}

    with running(workbench):
        within(main)


def test_a_full_backlog_is_refused_and_pings_and_cancels_still_pass() -> None:
    workbench = wb.Workbench(limits=wb.Limits(running_calls=2, backlog_messages=3))
    release, begun = _holding(workbench)

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            calls = [talk.call("hold", n=number) for number in range(5)]
            await acquired(begun, 2)
            refused = await talk.answer(talk.call("hold", n=5))
            assert "Busy: 2 calls of this connection are running and 3 are waiting" in text_of(refused["result"])
            assert await talk.result("ping") == {}
            talk.cancel(calls[4])
            late = talk.call("hold", n=6)
            await talk.fence()
            assert talk.inbox == [], "the cancel made room for one more"
            release.set()
            for request_id in (*calls[:4], late):
                assert "result" in await talk.answer(request_id)

    with running(workbench):
        within(main)


def test_a_backlog_is_bounded_by_bytes_too() -> None:
    workbench = wb.Workbench(limits=wb.Limits(running_calls=1, backlog_bytes=10 * KIB))
    release, begun = _holding(workbench)

    async def main() -> None:
        async with talking(workbench) as talk:
            first = talk.call("hold", n=0)
            await acquired(begun, 1)
            padded = {"name": "hold", "arguments": {"n": 1, "padding": "x" * 8 * KIB}}
            second = talk.ask("tools/call", padded)
            refused = await talk.answer(talk.ask("tools/call", padded))
            assert "Busy" in text_of(refused["result"])
            release.set()
            for request_id in (first, second):
                await talk.answer(request_id)

    with running(workbench):
        within(main)


def test_a_client_that_fills_its_share_of_the_threads_keeps_nobody_waiting() -> None:
    workbench = wb.Workbench()
    release, begun = _holding(workbench)

    @workbench.tool
    def quick() -> str:
        return "quick"

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as greedy, talking(workbench) as other:
            calls = [greedy.call("hold", n=number) for number in range(CALLS)]
            await acquired(begun, SHARE)
            assert text_of(await other.called("quick")) == "quick"
            for talk in (other, greedy):
                assert "program idle" in text_of(await talk.called("notebook_status"))
            assert workbench.status().execution["running"] == SHARE
            assert workbench.status().execution["waiting"] == CALLS - SHARE
            release.set()
            for request_id in calls:
                await greedy.answer(request_id)

    with running(workbench):
        within(main)


def test_status_is_told_while_every_thread_is_taken() -> None:
    workbench = wb.Workbench(limits=wb.Limits(tool_threads=1))
    release, begun = _holding(workbench)

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            calls = [talk.call("hold", n=number) for number in range(3)]
            await acquired(begun, 1)
            assert "2 calls wait" in text_of(await talk.called("notebook_status"))
            release.set()
            for request_id in calls:
                await talk.answer(request_id)

    with running(workbench):
        within(main)


def test_more_calls_than_threads_wait_in_line_up_to_one_bound_for_all_sessions_of_a_principal() -> None:
    workbench = wb.Workbench(limits=wb.Limits(tool_threads=2, thread_queue=5))
    release, begun = _holding(workbench)

    async def main() -> None:
        async with talking(workbench) as one, talking(workbench) as other:
            first = [one.call("hold", n=number) for number in range(3)]
            await one.fence()
            taken = [other.call("hold", n=number) for number in (8, 9)]
            await acquired(begun, 2)
            await other.fence()
            refused = await other.answer(other.call("hold", n=10))
            assert "all 2 tool threads are busy and 3 calls, its share, wait already" in text_of(refused["result"])
            release.set()
            for request_id in first:
                await one.answer(request_id)
            for request_id in taken:
                await other.answer(request_id)

    with running(workbench):
        within(main)


def test_a_call_may_outlast_the_keepalive() -> None:
    workbench = wb.Workbench(limits=wb.Limits(ping_after_s=0.2, dead_after_s=0.4))
    release, begun = _holding(workbench)

    async def main() -> None:
        async with talking(workbench) as other, talking(workbench) as talk:
            call = talk.call("hold", n=1)
            await acquired(begun, 1)
            before = talk.channel.bytes_received
            # Four pings of the server later, two bytes each, the silence has lasted longer than ping_after_s + dead_after_s.
            await other.until(lambda: talk.channel.bytes_received >= before + 8)
            assert not talk.closed.done()
            release.set()
            assert text_of((await talk.answer(call))["result"]) == "1"

    with running(workbench):
        within(main)


def test_a_client_that_is_gone_without_a_word_is_closed_and_its_calls_are_told() -> None:
    workbench = wb.Workbench(limits=wb.Limits(ping_after_s=0.1, dead_after_s=0.1))
    begun, told = threading.Event(), threading.Event()

    @workbench.tool
    def watch(ctx: wb.Context) -> None:
        begun.set()
        while not ctx.cancelled:
            told.wait(0.005)
        told.set()

    async def main() -> None:
        async with talking(workbench) as talk:
            talk.call("watch")
            await happened(begun)
            talk.channel.pause_receiving()  # and with it every pong
            await happened(told)
            async with talking(workbench) as other:
                await other.until(lambda: any(ended.close_code == 1011 for ended in workbench.telemetry.sessions()))
            talk.channel.abort()

    with running(workbench):
        within(main)


def _big(workbench: wb.Workbench) -> None:
    @workbench.tool(max_chars=1_000_000)
    def big() -> str:
        return "x" * 500_000


def test_a_slow_consumer_is_closed_and_nobody_else_waits() -> None:
    workbench = wb.Workbench(limits=wb.Limits(slow_consumer_s=0.2))
    _big(workbench)

    async def main() -> None:
        async with unharmed(workbench) as bystander:
            slow = await _never_reading(workbench)
            for number in range(40):
                slow.send(_call(number, "big"))
            await bystander.until(lambda: any(ended.close_code == 1013 for ended in workbench.telemetry.sessions()))
            [ended] = [ended for ended in workbench.telemetry.sessions() if ended.close_code == 1013]
            assert "slow consumer" in ended.close_reason
            slow.abort()

    with running(workbench):
        within(main)


async def _never_reading(workbench: wb.Workbench) -> RawConnection:
    raw = await RawConnection.open(port_of(workbench), workbench.token, small=True)
    client = '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"slow","version":"1"}}'
    raw.send(frame(f'{{"jsonrpc":"2.0","id":"i","method":"initialize","params":{client}}}'))
    raw.send(frame('{"jsonrpc":"2.0","method":"notifications/initialized"}'))
    await raw.text()
    raw.stop_reading()
    return raw


def _call(number: int, tool: str) -> bytes:
    return frame(f'{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"name":"{tool}"}}}}')


def test_a_client_that_never_reads_makes_nothing_pile_up() -> None:
    workbench = wb.Workbench(limits=wb.Limits(running_calls=4))
    _big(workbench)
    workbench.publish(**{f"t{number}": pd.DataFrame({"a": [1]}) for number in range(20)})

    async def main() -> None:
        async with unharmed(workbench) as bystander:
            slow = await _never_reading(workbench)
            for number in range(20):
                slow.send(frame(f'{{"jsonrpc":"2.0","id":"s{number}","method":"resources/subscribe","params":{{"uri":"df://t{number}"}}}}'))
            for number in range(60):
                slow.send(_call(number, "big"))
            await bystander.until(lambda: _reading(workbench)["outbox_bytes"] > MIB)
            server = server_of(workbench)
            for number in range(10_000):
                server._engine.post(server.sessions.topic_changed, f"df://t{number % 20}")
            for _ in range(3):
                on_loop(workbench, lambda: None)
            reading = _reading(workbench)
            # The bound, the answers of those calls that ran when it was reached, and one notification per subscription.
            assert reading["outbox_bytes"] < MIB + 4 * 501_000 + 20 * KIB
            assert reading["outbox"] < 100
            assert reading["backlog"] > 0
            assert reading["unsent_bytes"] < 2 * MIB
            slow.abort()

    with running(workbench):
        within(main)


def _reading(workbench: wb.Workbench) -> dict[str, int]:
    return next((each.queues for each in workbench.sessions if each.record.client_name == "slow"), {"outbox_bytes": 0})


def test_a_client_that_asks_without_reading_is_no_longer_read() -> None:
    workbench = wb.Workbench(limits=wb.Limits(outbox_bytes=64 * KIB))

    for number in range(50):
        workbench.tool(name=f"tool_{number}")(_documented)

    async def main() -> None:
        async with unharmed(workbench) as bystander:
            slow = await _never_reading(workbench)
            flood = b"".join(frame(f'{{"jsonrpc":"2.0","id":{number},"method":"tools/list"}}') for number in range(1_000))
            while slow.unsent_bytes < 8 * MIB:
                slow.send(flood)
                await bystander.fence()
            reading = _reading(workbench)
            assert reading["outbox_bytes"] < 256 * KIB
            slow.abort()

    with running(workbench):
        within(main)


def _documented(a: int, b: int) -> int:
    """Add two numbers, and say so in many words: lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do."""
    return a + b


@pytest.mark.slow
def test_a_thousand_sessions_that_connect_and_vanish_leave_nothing() -> None:
    workbench = wb.Workbench()
    workbench.publish(flights=pd.DataFrame({"a": [1]}))
    release, _ = _holding(workbench)
    release.set()
    process = psutil.Process()

    async def visit(number: int) -> None:
        async with talking(workbench, LATEST_MODERN if number % 3 == 0 else LATEST_LEGACY) as talk:
            if number % 2:
                talk.call("hold", n=number)
            if talk.modern:
                talk.ask("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["df://flights"]}})
            else:
                talk.ask("resources/subscribe", {"uri": "df://flights"})
            if number % 5:
                talk.channel.abort()
            await talk.hang_up()

    async def visits(count: int) -> None:
        for start in range(0, count, 20):
            await asyncio.gather(*(visit(number) for number in range(start, start + 20)))

    async def main() -> None:
        async with unharmed(workbench) as bystander:
            await visits(40)
            await bystander.until(lambda: len(workbench.sessions) == 1)
            gc.collect()
            before = process.num_fds(), threading.active_count(), process.memory_info().rss
            await visits(960)
            await bystander.until(lambda: len(workbench.sessions) == 1)
            gc.collect()
            after = process.num_fds(), threading.active_count(), process.memory_info().rss
            assert after[0] <= before[0]
            assert after[1] <= before[1] + workbench._settings.limits.tool_threads
            assert after[2] - before[2] < 64 * MIB
            assert on_loop(workbench, server_of(workbench).sessions.index.topic_counts) == {}
            assert workbench.status().execution["open_calls"] == 0

    with running(workbench):
        within(main, seconds=40)


def test_five_hundred_subscriptions_to_nothing_are_all_refused() -> None:
    workbench = wb.Workbench()

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as talk:
            asked = [talk.ask("resources/subscribe", {"uri": f"df://flood/{number}"}) for number in range(500)]
            for request_id in asked:
                assert (await talk.answer(request_id))["error"]["code"] == -32002

    with running(workbench):
        within(main)


@contextmanager
def _watched() -> Iterator[None]:
    """From now on a blocking call in our code raises BlockingError on any thread that runs a loop.

    Nothing is excused. What starts a thread waits for it to run, so a tool of each kind is called before.
    """
    buster = BlockBuster("mcp_workbench")
    buster.activate()
    try:
        yield
    finally:
        buster.deactivate()


def test_nothing_blocks_the_protocol_thread_while_it_is_busy(caplog: pytest.LogCaptureFixture) -> None:
    workbench = wb.Workbench()
    workbench.publish(flights=pd.DataFrame({"origin": ["EWR"] * 1_000, "delay": range(1_000)}))

    @workbench.tool
    def late(flights: pd.DataFrame, ctx: wb.Context) -> pd.DataFrame:
        ctx.report_progress(1, 2)
        ctx.log("half")
        return flights.nlargest(5, "delay")

    @workbench.tool(run_on="inline")
    def add(a: int, b: int) -> int:
        return a + b

    @workbench.tool
    async def slowly(n: int) -> dict[str, int]:
        return {"n": n}

    @workbench.tool
    def fail() -> None:
        raise ValueError("x")

    async def load(talk: Talk) -> None:
        follow = "subscriptions/listen" if talk.modern else "resources/subscribe"
        talk.ask(follow, {"notifications": {"resourceSubscriptions": ["df://flights"]}, "uri": "df://flights"})
        for number in range(10):
            asked = [talk.call("late"), talk.call("add", a=1, b=number), talk.call("slowly", n=number), talk.call("fail")]
            asked += [talk.ask("resources/read", {"uri": "df://flights/rows?limit=20"}), talk.ask("tools/list")]
            cancelled = talk.call("late")
            talk.cancel(cancelled)
            for request_id in asked:
                message = await talk.answer(request_id)
                assert "error" not in message, message

    async def main() -> None:
        async with unharmed(workbench), talking(workbench) as one, talking(workbench, LATEST_MODERN) as other:
            for tool in ("late", "slowly"):
                await one.called(tool, **({"n": 1} if tool == "slowly" else {}))
            with _watched():
                await asyncio.gather(load(one), load(other), asyncio.to_thread(workbench.touch, "flights"))

    with running(workbench):
        within(main)
    assert [ended.crash for ended in workbench.telemetry.sessions() if ended.crash] == []
    assert "Blocking call" not in caplog.text


def test_the_watch_would_see_a_blocking_call(caplog: pytest.LogCaptureFixture) -> None:
    workbench = wb.Workbench()
    with running(workbench), _watched(), pytest.raises(BlockingError):
        on_loop(workbench, server_of(workbench)._announce)  # reads and writes files
