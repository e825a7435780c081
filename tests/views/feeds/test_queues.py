"""The readings of every queue, of a real server."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, fields

import pytest

from mcp_workbench import Workbench
from mcp_workbench.execution.runner import ExecutionStatistics
from mcp_workbench.limits import Limits
from mcp_workbench.views.feeds.queues import of_execution, readings
from mcp_workbench.views.messages import Queue
from tests.support.stage import on_loop, running, server_of


def of(workbench: Workbench) -> dict[str, Queue]:
    """By name."""
    queues: tuple[Queue, ...] = on_loop(workbench, readings, server_of(workbench), workbench._offer)
    assert len({queue.name for queue in queues}) == len(queues)
    return {queue.name: queue for queue in queues}


def test_every_queue_says_how_full_it_is_how_full_it_may_be_and_what_that_means() -> None:
    with running(Workbench(limits=Limits(records=1_000, results=7, main_queue=5))) as workbench:
        workbench.tool(name="text")(lambda: "x" * 100_000)
        workbench.ticket_url()

        async def visit() -> None:
            async with asyncio.timeout(20), workbench.connect() as session:
                await session.call_tool("text")
                queues = of(workbench)
                assert (queues["sessions"].value, queues["backlog"].value, queues["tickets"].value) == (1, 0, 1)
                assert queues["results"].value == 1
                assert queues["results bytes"].value >= 100_000
                assert queues["records"].value >= 1
                bounds = ("records", "results", "main queue", "sessions", "tickets")
                assert [queues[name].bound for name in bounds] == [1_000, 7, 5, Limits().sessions, 1_000]

        asyncio.run(visit())
        for queue in of(workbench).values():
            assert queue.meaning.endswith("."), queue
            assert len(queue.meaning) < 120, "one short sentence"
            assert not queue.bound or queue.value <= queue.bound, queue
            assert queue.rolls is queue.meaning.endswith("go first."), queue


@pytest.mark.parametrize("name", [field.name for field in fields(ExecutionStatistics)])
def test_every_reading_of_execution_is_told(name: str) -> None:
    zero = ExecutionStatistics(*[0] * len(fields(ExecutionStatistics)))
    one = ExecutionStatistics(**{**asdict(zero), name: 1})
    assert sum(queue.value for queue in of_execution(one, Limits())) == 1
