"""Texts <-> messages: JSON-RPC 2.0 as MCP uses it.

Pure: no clock, no I/O, nothing of MCP's methods. `decode` never raises for what the other side sent;
it returns a message, a batch, or a `Malformed` that says how to answer. The neighbours are
`mcp_workbench.transports` below (moves the texts) and `mcp_workbench.protocol` above (what they mean).
"""

from __future__ import annotations

from mcp_workbench.jsonrpc.codec import MAX_ID, Decoded, decode, encode, encode_error, encode_notification, encode_request, encode_result
from mcp_workbench.jsonrpc.errors import ErrorCode
from mcp_workbench.jsonrpc.messages import Batch, ErrorResponse, Malformed, Message, Notification, Request, RequestId, ResultResponse

__all__ = [
    "MAX_ID",
    "Batch",
    "Decoded",
    "ErrorCode",
    "ErrorResponse",
    "Malformed",
    "Message",
    "Notification",
    "Request",
    "RequestId",
    "ResultResponse",
    "decode",
    "encode",
    "encode_error",
    "encode_notification",
    "encode_request",
    "encode_result",
]
