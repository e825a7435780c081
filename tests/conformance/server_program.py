"""The server that the conformance suite judges, with its relay, as a program of its own.

Says its address as one line of JSON and serves until its stdin ends. By hand: `python -m tests.conformance.server_program`.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

import mcp_workbench as wb
from tests.conformance.offering import HELD_S, offer
from tests.conformance.offering_tasks import offer_tasks
from tests.conformance.relay import Relay


class Serving(msgspec.Struct, frozen=True):
    """What it says."""

    url: str


async def main() -> None:
    """Serve until stdin ends."""
    relay = Relay()
    await relay.listen()
    workbench = wb.Workbench("conformance", limits=wb.Limits(http_stream_s=HELD_S))
    offer(workbench)
    offer_tasks(workbench)
    # A page that the relay would have served is one of this server's own, as behind any proxy.
    origins = [f"http://{name}:{relay.port}" for name in ("127.0.0.1", "localhost")]
    workbench.start(http=True, allowed_origins=origins)
    relay.lead_to(int(str(workbench.http_url).split(":")[2].partition("/")[0]), workbench.token)
    sys.stdout.buffer.write(msgspec.json.encode(Serving(f"http://localhost:{relay.port}/mcp")) + b"\n")
    sys.stdout.buffer.flush()
    await asyncio.to_thread(sys.stdin.buffer.read)
    workbench.stop()


if __name__ == "__main__":
    asyncio.run(main())
