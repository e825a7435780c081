"""A Jupyter Server of its own, a kernel it has started, and an agent that knows nothing but Jupyter's token."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Literal

import pytest

from mcp_workbench.client import connect
from mcp_workbench.errors import HandshakeRefused, RequestRefused
from mcp_workbench.gateway import sentences
from tests.gateway.jupyter import BASE, listen, run
from tests.gateway.process import OPENING_CELL, jupyter_process

pytestmark = pytest.mark.kernel


def test_an_agent_reaches_the_kernels_tools_under_an_address_that_outlives_a_restart(tmp_path: Path) -> None:
    with jupyter_process(tmp_path) as here:
        kernel_id = here.open_notebook("flights.ipynb")

        async def meet() -> None:
            async with connect(here.url(kernel_id), headers=here.headers) as session:
                assert "add" in [tool.name for tool in await session.list_tools()]
                assert (await session.call_tool("add", {"a": 2, "b": 3})).text == "5"

        async def meet_over_http(era: Literal["legacy", "modern"]) -> None:
            async with connect(here.url(kernel_id, scheme="http"), token=here.token, era=era) as session:
                assert (await session.call_tool("add", {"a": 2, "b": 3})).text == "5"

        async def refused() -> None:
            with pytest.raises(HandshakeRefused, match="This kernel serves nothing") as caught:
                await listen(here.url(kernel_id), "mcp", here.headers)
            assert caught.value.status == 404
            with pytest.raises(RequestRefused) as asked:
                await connect(here.url(kernel_id, scheme="http"), token=here.token)
            assert str(asked.value) == str(caught.value)

        async def main() -> None:
            await refused()
            await here.run_cell(kernel_id, OPENING_CELL)
            [told] = (await asyncio.to_thread(here.ask, "mcp-workbench/api/kernels"))["kernels"]
            assert (told["kernelId"], told["notebook"]) == (kernel_id, "flights.ipynb")
            assert told["mcp"] == f"{BASE}mcp-workbench/kernels/{kernel_id}/mcp"
            assert told["transports"] == ["websocket", "http"], "the Jupyter Server did not tell its kernels to open HTTP"
            assert str(tmp_path) not in json.dumps(told)
            await meet()
            await meet_over_http("legacy")
            await meet_over_http("modern")
            staying = await connect(here.url(kernel_id, scheme="http"), token=here.token, era="legacy")
            _, listener = await listen(here.url(kernel_id, query=f"?token={here.token}"), "mcp", {})
            await asyncio.to_thread(here.ask, f"api/kernels/{kernel_id}/restart", {})
            assert await listener.until_closed() == (1012, sentences.GONE)
            await refused()
            await here.run_cell(kernel_id, OPENING_CELL)
            await meet()
            with pytest.raises(RequestRefused) as ended:  # it looked for its stream, and then for another session, while nothing served
                await staying.list_tools()
            assert ended.value.status == 404
            await staying.close()

        run(main, within_s=100)
    log = "".join(here.log)
    assert f"{BASE}mcp-workbench/kernels/{kernel_id}/mcp" in log
    assert here.token not in log
