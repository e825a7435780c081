"""JSON-RPC error codes: those of JSON-RPC 2.0 and those MCP defines. We add none."""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """Codes that may stand in an error response of ours."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    RESOURCE_NOT_FOUND = -32002
    """Up to 2025-11-25; from 2026-07-28 it is INVALID_PARAMS (SEP-2164)."""
    HEADER_MISMATCH = -32020
    """2026-07-28, Streamable HTTP only."""
    MISSING_CLIENT_CAPABILITY = -32021
    """2026-07-28; `data.requiredCapabilities`."""
    UNSUPPORTED_VERSION = -32022
    """2026-07-28; `data.supported` and `data.requested`."""
