"""What web pages of allowed origins may do at an endpoint: CORS, as the Fetch standard has it. Pure.

A page that sends a token, JSON or a header of MCP's is asked about first, by its browser, in a preflight without any
credential; and may read an answer only where the answer says so. Every other origin has been refused by the gate before
this is asked. An origin is named, never `*`, and the browser's own credentials are not invited: a page has to have a
token. WebSockets know none of this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Headers = tuple[tuple[str, str], ...]

METHODS = "POST, GET, DELETE"
REQUEST_HEADERS = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Last-Event-ID",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
    "Mcp-Session-Id",
)
EXPOSED = "Mcp-Session-Id"
"""The one header of an answer that a client needs and a page would not see."""
REMEMBERED_S = 600
_PARAM_HEADER = re.compile(r"mcp-param-[a-z0-9!#$%&'*+.^_`|~-]+")


def readable_by(origin: str) -> Headers:
    """What lets pages of an origin read an answer."""
    return (("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", EXPOSED), ("Vary", "Origin"))


def is_preflight(method: str, headers: Mapping[str, Sequence[str]]) -> bool:
    """Whether a browser asks what a page may send."""
    return method == "OPTIONS" and "access-control-request-method" in headers


def may_send(headers: Mapping[str, Sequence[str]]) -> Headers:
    """What a preflight is told, beside `readable_by`.

    Args:
        headers: Of the preflight; the arguments of tools that it names among them are allowed as it names them.
    """
    asked = [name.strip().lower() for value in headers.get("access-control-request-headers", ()) for name in value.split(",")]
    params = sorted({name for name in asked if _PARAM_HEADER.fullmatch(name)})
    return (
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", ", ".join([*REQUEST_HEADERS, *params])),
        ("Access-Control-Max-Age", str(REMEMBERED_S)),
    )
