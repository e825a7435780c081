"""One function, served alone."""

from __future__ import annotations

import asyncio

import pandas as pd
import pytest

from mcp_workbench import Workbench
from mcp_workbench.trial import serving_alone


def test_it_is_all_there_is_and_what_is_published_here_can_be_named() -> None:
    workbench = Workbench("around")
    workbench.publish(flights=pd.DataFrame({"a": [1, 2, 3]}))

    def rows(flights: pd.DataFrame) -> int:
        return len(flights)

    async def main() -> None:
        async with asyncio.timeout(20), serving_alone(workbench._offer, "count-rows", rows) as session:
            assert [tool.name for tool in await session.list_tools()] == ["count-rows"]
            assert (await session.call_tool("count-rows")).text == "3\nRead: flights v1"
            assert await session.list_resources() == []

    asyncio.run(main())
    assert not workbench.running
    assert len(workbench.traffic.calls()) == 0


def test_it_is_gone_afterwards_also_after_an_error() -> None:
    async def main() -> None:
        session = None
        with pytest.raises(KeyError):
            async with asyncio.timeout(20), serving_alone(Workbench("around")._offer, "f", lambda: 1) as session:
                raise KeyError
        assert session is not None
        assert session.closed

    asyncio.run(main())
