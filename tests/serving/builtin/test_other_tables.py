"""Tables of other libraries keep the words of these for their columns' types, whatever tells of them."""

from __future__ import annotations

import asyncio

import polars as pl

from mcp_workbench.workbench import Workbench


def test_status_and_descriptions_name_the_types_as_their_author_knows_them() -> None:
    workbench = Workbench("trips")
    workbench.publish(sales=pl.DataFrame({"city": ["Bern", "Ulm"], "n": [1, 2]}))
    workbench.start()

    async def read() -> list[str]:
        async with asyncio.timeout(30), workbench.connect() as session:
            whole = await session.call_tool("df_describe", name="sales")
            column = await session.call_tool("df_describe", name="sales", column="city")
            distinct = await session.read_resource("df://sales/distinct/city")
            status = await session.call_tool("notebook_status")
            return [status.text, whole.text, column.text, distinct.text]

    try:
        texts = asyncio.run(read())
    finally:
        workbench.stop()
    assert "city String, n Int64" in texts[0]
    for text in texts:
        assert "String" in text
        assert "pyarrow" not in text
