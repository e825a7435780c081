"""One function served alone, as this notebook's server would serve it: to ask two versions of a tool the same.

A server of its own, with nothing else on offer and found by nobody; DataFrames and results that its arguments name are those of the
notebook. What it calls and prints is remembered nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp_workbench.assembly import RunningServer
from mcp_workbench.client.connect import connect
from mcp_workbench.client.session import ClientSession
from mcp_workbench.hosts import current_host
from mcp_workbench.notebook import Notebook
from mcp_workbench.offer import Offer
from mcp_workbench.primitives.tools import define_tool
from mcp_workbench.settings import Settings

GRACE_S, PATIENCE_S = 0.0, 5.0
WITHIN_S = 3600.0
"""How long a call may take: as long as its author waits for it."""


@asynccontextmanager
async def serving_alone(around: Offer, name: str, function: Callable[..., Any]) -> AsyncIterator[ClientSession]:
    """A session with a server that offers nothing but this function.

    Args:
        around: Whose DataFrames and results its arguments may name.
        name: Of the tool.
        function: What is called; in a thread, an `async def` on the loop of async tools.

    Raises:
        RegistrationError: It cannot be offered as written.
    """
    settings = Settings.read({"name": name, "builtin_tools": False}, {})
    offer = Offer(settings.limits)
    offer.tools.add(
        define_tool(
            function,
            name=name,
            background_after_s=None,
            binders=around.binders,
            sync_context=offer.sync_context,
            async_context=offer.async_context,
        )
    )
    server = RunningServer(offer, settings, Notebook(offer, current_host()), found=False)
    try:
        async with connect(server.url, token=offer.credentials.secret(), timeout_s=WITHIN_S) as session:
            yield session
    finally:
        await asyncio.to_thread(server.close, GRACE_S, PATIENCE_S)
