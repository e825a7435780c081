"""Somebody else's session, watched while a test does harm to its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp_workbench import Workbench
from tests.support.stage import talking
from tests.support.talk import Talk


@asynccontextmanager
async def unharmed(workbench: Workbench) -> AsyncIterator[Talk]:
    """A bystander that must be answered afterwards and must have heard nothing; a newcomer must get in, too."""
    async with talking(workbench) as bystander:
        yield bystander
        await check(workbench, bystander)


async def check(workbench: Workbench, bystander: Talk) -> None:
    """Nobody else noticed."""
    assert await bystander.result("ping") == {}
    assert bystander.inbox == [], "somebody else's trouble was told to a bystander"
    async with talking(workbench) as newcomer:
        assert await newcomer.result("ping") == {}


def port_of(workbench: Workbench) -> int:
    """The TCP port it listens at."""
    return int(workbench.url.rpartition(":")[2].partition("/")[0])
