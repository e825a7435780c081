"""What OpenTelemetry calls the facts of a call: names of spans and metrics, and their attributes.

By the semantic conventions for MCP (status: development), as of conventions 1.41:
https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md, cited below by its headings.
What no convention names stands under `mcp_workbench.`. Pure, and knows no package of OpenTelemetry's; `otlp_spans` and
`otlp_durations` make of it what is sent. Nothing here is a payload: of a resource's address the query, which holds
arguments, and a user's name and password are left out.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from mcp_workbench.telemetry.messages import Direction
from mcp_workbench.telemetry.records import CALL_TOOL, JOB, CallRecord, Outcome, SessionRecord, Side

Attributes = dict[str, str | int | float]

SERVER_DURATION = "mcp.server.operation.duration"
"""Of what was received here; includes what a server asked of us as its client."""
CLIENT_DURATION = "mcp.client.operation.duration"
"""Of what was sent from here; includes what we, as a server, asked of a client."""

DESCRIPTIONS = {
    SERVER_DURATION: "MCP request duration as observed on the receiver, from the time it was received until the result was sent.",
    CLIENT_DURATION: "MCP request duration as observed on the sender, from the time it was sent until the response was received.",
}

LONGEST = 200
"""Characters of a name that another side chose; the rest is cut and an ellipsis says so."""

_METHOD_NOT_FOUND = -32601
_OTHER = "_OTHER"
_TRANSPORTS: dict[str, Attributes] = {
    # "Recording MCP transport". What runs in memory has neither.
    "websocket": {"network.transport": "tcp", "network.protocol.name": "websocket"},
    "http": {"network.transport": "tcp", "network.protocol.name": "http", "network.protocol.version": "1.1"},
    "stdio": {"network.transport": "pipe"},
}


def is_received(call: CallRecord) -> bool:
    """Whether its request came to this side: the receiver's span is of kind SERVER, the sender's of kind CLIENT.

    "Client": reported by the MCP client when it initiates the request, or by the MCP server when the server does. At a tap,
    requests of the client come in, and those of the server go out.
    """
    return call.direction is Direction.IN


def metric_name(call: CallRecord) -> str | None:
    """The histogram its duration belongs to; None: the run of a job is no operation of the protocol."""
    if call.method == JOB:
        return None
    return SERVER_DURATION if is_received(call) else CLIENT_DURATION


def span_name(call: CallRecord) -> str:
    """`tools/call forecast`, or the method alone where no target of low cardinality is known ("Span name").

    The run of a job is named as the conventions name the execution of a tool.
    """
    if call.method == JOB:
        return f"execute_tool {_cut(call.target)}"
    named = call.target if call.method.startswith(("tools/", "prompts/")) else ""
    return f"{_cut(call.method)} {_cut(named)}" if named else _cut(call.method)


def error_type(call: CallRecord) -> str | None:
    """What kind of failure it was; None: it was none.

    `error.type`, note 1: the JSON-RPC code where one was returned, `tool_error` for a result with `isError`. So a tool that took
    too long is a `tool_error`; `mcp_workbench.outcome` tells them apart.
    """
    if not call.failed:
        return None
    if call.code is not None:
        return str(call.code)
    if call.method == CALL_TOOL and call.outcome is not Outcome.DROPPED:
        return "tool_error"
    return call.outcome.value


def metric_attributes(call: CallRecord, session: SessionRecord | None) -> Attributes:
    """What durations are told apart by: few different values ("Metrics").

    Names that only a client's mistake has brought up are none of ours: a method that does not exist is `_OTHER`, a tool that does
    not exist has no name.
    """
    attributes: Attributes = {"mcp.method.name": _OTHER if call.code == _METHOD_NOT_FOUND else _cut(call.method)}
    nobody = call.side is Side.SERVER and call.outcome is Outcome.RPC_ERROR and call.tool_version is None
    attributes |= _target(call) if not (nobody and call.method == CALL_TOOL) else {}
    attributes |= _error(call) | _protocol(session)
    if call.side is Side.TAP:
        attributes["mcp_workbench.side"] = call.side.value
    return attributes


def span_attributes(call: CallRecord, session: SessionRecord | None) -> Attributes:
    """Everything told of one call ("Client", "Server")."""
    if call.method == JOB:
        attributes: Attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": _cut(call.target)}
    else:
        attributes = {"mcp.method.name": _cut(call.method)} | _target(call) | _protocol(session) | _ends(call, session)
        attributes["jsonrpc.request.id"] = _cut(str(call.request_id))
    if call.method.startswith("resources/") and call.target:
        attributes["mcp.resource.uri"] = _cut(bare_uri(call.target))
    return attributes | {"mcp.session.id": call.session_id} | _error(call) | _own(call)


def bare_uri(uri: str) -> str:
    """An address without what may be secret or data in it: user and password, query, fragment."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri.partition("?")[0].partition("#")[0].rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def _target(call: CallRecord) -> Attributes:
    if not call.target:
        return {}
    if call.method == CALL_TOOL:
        return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": _cut(call.target)}
    return {"gen_ai.prompt.name": _cut(call.target)} if call.method.startswith("prompts/") else {}


def _error(call: CallRecord) -> Attributes:
    kind = error_type(call)
    attributes: Attributes = {} if kind is None else {"error.type": kind}
    if call.code is not None:
        attributes["rpc.response.status_code"] = str(call.code)
    return attributes


def _protocol(session: SessionRecord | None) -> Attributes:
    if session is None:
        return {}
    attributes = dict(_TRANSPORTS.get(session.transport, {}))
    if session.protocol_version:
        attributes["mcp.protocol.version"] = session.protocol_version
    return attributes


def _ends(call: CallRecord, session: SessionRecord | None) -> Attributes:
    """Where the other end is: a client's address at the server, the server's at a client."""
    if session is None or session.transport not in ("websocket", "http"):
        return {}
    host, _, port = session.remote.rpartition(":")
    if not host or not port.isdecimal():
        return {}
    end = "server" if call.side is Side.CLIENT else "client"
    return {f"{end}.address": host.strip("[]"), f"{end}.port": int(port)}


def _own(call: CallRecord) -> Attributes:
    """What this workbench knows beyond the conventions; times in seconds."""
    attributes: Attributes = {
        "mcp_workbench.call.seq": call.seq,
        "mcp_workbench.side": call.side.value,
        "mcp_workbench.outcome": call.outcome.value,
        "mcp_workbench.principal": call.principal,
        "mcp_workbench.request.bytes": call.bytes_in,
        "mcp_workbench.response.bytes": call.bytes_out,
    }
    for name, ns in (("wait", call.wait_ns), ("run", call.run_ns), ("send", call.send_ns)):
        if ns is not None:
            attributes[f"mcp_workbench.{name}"] = ns / 1e9
    if call.tool_version is not None:
        attributes["mcp_workbench.tool.version"] = call.tool_version
    if call.job is not None:
        attributes["mcp_workbench.job"] = call.job
    return attributes


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
