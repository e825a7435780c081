"""The bridge's copy of the workbench's own tools is what a kernel lists, to the byte.

Written anew by `python -m tests.relay.test_own_tools`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pandas as pd

from mcp_workbench import Workbench
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from mcp_workbench.relay import own_tools
from tests.support.stage import running, talking


def of_a_server(version: str) -> list[dict[str, Any]]:
    """What a server lists that has something to read and no function."""
    workbench = Workbench()
    workbench.publish(anything=pd.DataFrame({"a": [1]}))

    async def main() -> list[dict[str, Any]]:
        async with talking(workbench, version) as talk:
            tools: list[dict[str, Any]] = (await talk.result("tools/list"))["tools"]
            return tools

    with running(workbench, builtin_tools=True):
        return asyncio.run(main())


def written(tools: list[dict[str, Any]]) -> bytes:
    """As it stands in the file: a tool a line, so that a change of one is seen."""
    return b"[\n" + b",\n".join(map(msgspec.json.encode, tools)) + b"\n]\n"


def test_it_is_what_a_server_lists_in_either_era() -> None:
    for version in (LATEST_LEGACY, LATEST_MODERN):
        assert own_tools.FILE.read_bytes() == written(of_a_server(version)), "python -m tests.relay.test_own_tools writes it anew"


def test_its_names_are_those_and_it_survives_being_read_as_structures() -> None:
    assert [tool["name"] for tool in own_tools.listed()] == sorted(own_tools.NAMES)
    assert json.loads(msgspec.json.encode(own_tools.tools())) == own_tools.listed()


if __name__ == "__main__":
    own_tools.FILE.write_bytes(written(of_a_server(LATEST_MODERN)))
