"""`wb.connect()`: the same Peer on the client side, for notebooks, tests and whatever speaks to a workbench.

Chapters in reading order: `connect` opens a session; `opening` finds out which era the server speaks;
`conversation` joins Peer and channel and gives every request exactly one outcome; `session` is what
people type; `results` is what they get; `handlers`, `server_requests` and `rounds` answer what the server
asks; `updates` and `feeds` bring what the server tells. Knows no server of ours, no kernel, no pandas at
import. Everything runs on the loop that opened the session.
"""

from __future__ import annotations

from mcp_workbench.client.connect import Connecting, connect, connect_channel
from mcp_workbench.client.handlers import ElicitRequest, SampleRequest
from mcp_workbench.client.results import CallResult, ReadResult
from mcp_workbench.client.session import ClientSession
from mcp_workbench.client.updates import ResourceUpdated, Updates

__all__ = [
    "CallResult",
    "ClientSession",
    "Connecting",
    "ElicitRequest",
    "ReadResult",
    "ResourceUpdated",
    "SampleRequest",
    "Updates",
    "connect",
    "connect_channel",
]
