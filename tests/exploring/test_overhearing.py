from __future__ import annotations

import asyncio
import threading

from mcp_workbench import Workbench
from mcp_workbench.engine import Engine
from mcp_workbench.exploring.overhearing import GATHERED, Overhearing
from mcp_workbench.telemetry import Direction, Outcome, Side, Telemetry
from tests.exploring.rig import ANSWER, QUESTION, calling


def test_without_a_server_whoever_looks_writes_down_what_was_heard() -> None:
    telemetry = Telemetry()
    overhearing = Overhearing(lambda: telemetry)
    heard = overhearing.begin(Side.TAP, "default", "websocket", "there")
    heard.note(Direction.IN, QUESTION)
    heard.note(Direction.OUT, ANSWER)
    assert telemetry.messages.total == 0
    overhearing.settle()
    [call] = telemetry.calls()
    assert (call.session_id, call.side, call.target) == ("tap1", Side.TAP, "add")
    assert [message.raw for message in telemetry.messages.latest()] == [QUESTION, ANSWER]


def test_much_is_written_down_even_when_nobody_looks() -> None:
    telemetry = Telemetry()
    heard = Overhearing(lambda: telemetry).begin(Side.CLIENT, "notebook", "stdio", "there")
    for _ in range(GATHERED):
        heard.note(Direction.OUT, QUESTION)
    assert telemetry.messages.total == GATHERED


def test_who_follows_hears_that_something_waits_and_writes_it_down_unless_a_server_does() -> None:
    telemetry, told = Telemetry(), [0]
    overhearing = Overhearing(lambda: telemetry)

    def tell() -> None:
        told[0] += 1

    overhearing.on_waiting.append(tell)
    heard = overhearing.begin(Side.TAP, "default", "websocket", "there")
    heard.note(Direction.IN, QUESTION)
    assert (told[0], telemetry.messages.total) == (1, 0)
    overhearing.gather()
    assert telemetry.messages.total == 1
    engine = Engine()
    overhearing.attach(engine)  # it does not run, and nobody waits for it
    heard.note(Direction.OUT, ANSWER)
    overhearing.gather()
    assert (told[0], telemetry.messages.total) == (1, 1)
    engine.loop.close()
    overhearing.detach()
    assert told[0] == 2
    overhearing.gather()
    assert len(telemetry.calls()) == 1


def test_the_end_of_a_conversation_drops_what_waits_and_is_told_once() -> None:
    telemetry = Telemetry()
    overhearing = Overhearing(lambda: telemetry)
    heard = overhearing.begin(Side.CLIENT, "notebook", "http", "there")
    heard.note(Direction.OUT, QUESTION)
    assert [session.session_id for session in overhearing.sessions()] == ["out1"]
    heard.end(1006, "gone")
    heard.end(1000, "again")
    overhearing.settle()
    assert [call.outcome for call in telemetry.calls()] == [Outcome.DROPPED]
    assert [(session.close_code, session.calls) for session in telemetry.sessions()] == [(1006, 1)]
    assert overhearing.sessions() == []


def test_while_a_server_runs_only_its_loop_writes() -> None:
    writers: set[str] = set()

    class Watched(Telemetry):
        def record(self, call: object) -> None:
            writers.add(threading.current_thread().name)
            super().record(call)  # type: ignore[arg-type]  # a CallRecord

    telemetry, engine = Watched(), Engine()
    overhearing = Overhearing(lambda: telemetry)
    overhearing.attach(engine)
    engine.start()
    heard = overhearing.begin(Side.CLIENT, "notebook", "http", "there")
    for _ in range(3):
        heard.note(Direction.OUT, QUESTION)
        heard.note(Direction.IN, ANSWER)
        overhearing.settle()
    engine.stop()
    overhearing.detach()
    assert writers == {engine._thread.name}
    assert len(telemetry.calls()) == 3


def test_what_this_notebook_asks_another_server_is_written_down_and_what_it_asks_itself_only_once() -> None:
    other, ours = Workbench("other"), Workbench("ours")
    other.tool(name="add", description="Adds.")(lambda a: a)
    ours.tool(name="mine", description="Mine.")(lambda a: a)

    async def main() -> None:
        async with ours.connect(other.url, token=other.token) as session:
            await session.call_tool("add", a=1)
        async with ours.connect() as session, ours.connect(ours.url, token=ours.token) as same:
            await session.call_tool("mine", a=1)
            await same.call_tool("mine", a=1)

    with calling(other), calling(ours):
        asyncio.run(main())
        ours._offer.overhearing.settle()
        calls = [call for call in ours.telemetry.calls() if call.method == "tools/call"]
        assert [(call.side, call.target, call.session_id, call.outcome) for call in calls] == [
            (Side.CLIENT, "add", "out1", Outcome.OK),
            (Side.SERVER, "mine", "s1", Outcome.OK),
            (Side.SERVER, "mine", "s2", Outcome.OK),
        ]
        assert [row.name for row in ours.telemetry.by_tool()] == ["mine"]
        assert all(message.raw for message in ours.telemetry.messages.latest())
