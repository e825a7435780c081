"""What the gateway says to those it does not let through, and when a connection ends.

The first are JSON in an HTTP response, for programs and people who call; the last two are reasons of WebSocket
closes, at most 123 bytes, which are all that a page in a browser gets to see.
"""

from __future__ import annotations

NOT_A_WEBSOCKET = "This is a WebSocket address: open it with a WebSocket client. `mcp-workbench/api/kernels` lists what there is."
FOREIGN_PAGE = "Web pages of this Origin are not allowed here: see `ServerApp.allow_origin` in Jupyter's configuration."
NOT_AUTHORIZED = "You are not authorized to run code in kernels of this Jupyter Server, which is what this address allows."
NO_AGENTS = "Agents are not let in here: this Jupyter Server is configured with `c.McpWorkbenchGateway.agents = False`."
NO_KERNEL = "This Jupyter Server has no such kernel: `mcp-workbench/api/kernels` lists those that serve."
SERVES_NOTHING = "This kernel serves nothing: run `import mcp_workbench as wb; wb.start()` in it."
NO_HTTP = (
    "This kernel's server speaks WebSocket alone, which this address is for too: connect with a WebSocket client, or run "
    "`wb.stop(); wb.start(http=True)` in the kernel."
)
NOT_A_HEADER = "A header of this request holds characters that no header may hold."
BROKEN = "The kernel has gone while it was answering: the request may have been carried out. It may be restarting: try again later."
NOT_NOW = "The server in this kernel does not take the connection; the kernel may be restarting: try again. It says: "

ELSEWHERE = "this kernel runs on another machine: use its notebook for views, and a bridge on that machine for agents"
GONE = "the kernel restarted, or its server was stopped: connect again"


def full(connections: int) -> str:
    """There are as many connections to a kernel as may be."""
    return f"This kernel has {connections:,} connections through this Jupyter Server, as many as it may: close one and try again."


def too_large(max_bytes: int) -> str:
    """A body is."""
    return f"The body of a request may have {max_bytes:,} bytes here: send less, or pass data by name."
