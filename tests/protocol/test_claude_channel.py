"""What Claude Code takes as a channel's news."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from mcp_workbench.errors import LocalProtocolError
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.claude_channel import EXPERIMENTAL, channel_text
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.sides import ServerDescription, Side
from tests.support.protocol import META

INFO = wire.Implementation(name="s", version="1")
OPENING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}


def told(peer: Peer, method: str, params: dict[str, Any] | None = None, request_id: int | None = 1) -> list[Any]:
    message = {"jsonrpc": "2.0", "method": method} | ({} if request_id is None else {"id": request_id})
    happened = peer.receive_text(json.dumps(message | ({} if params is None else {"params": params})).encode())
    return [json.loads(each.text) for each in happened if hasattr(each, "text")]


def a_peer(*, modern: bool = True, experimental: Any = EXPERIMENTAL) -> Peer:
    capabilities = wire.ServerCapabilities(experimental=experimental)
    return Peer(Side.SERVER, server=ServerDescription(INFO, capabilities, modern=modern))


def test_names_are_identifiers_and_values_texts() -> None:
    assert json.loads(channel_text("news", {"dataframes": "a@1", "_x9": ""}))["params"] == {
        "content": "news",
        "meta": {"dataframes": "a@1", "_x9": ""},
    }
    for meta in ({"run-id": "1"}, {"9a": "1"}, {"": "1"}, {"a b": "1"}, {"é": "1"}, {"a\n": "1"}, {"version": 1}):
        with pytest.raises(LocalProtocolError, match="identifiers as names and texts as values"):
            channel_text("news", meta)  # type: ignore[arg-type]  # what is refused


def test_it_is_declared_and_told_up_to_2025_11_25_only() -> None:
    legacy = a_peer()
    (opened,) = told(legacy, "initialize", OPENING)
    assert opened["result"]["capabilities"] == {"experimental": {"claude/channel": {}}}
    assert not legacy.takes_channel, "it is not initialized yet"
    told(legacy, "notifications/initialized", request_id=None)
    assert legacy.takes_channel
    modern = a_peer()
    (found,) = told(modern, "server/discover", {"_meta": META})
    assert "experimental" not in found["result"]["capabilities"]
    assert not modern.takes_channel
    without = a_peer(experimental=UNSET)
    told(without, "initialize", OPENING)
    told(without, "notifications/initialized", request_id=None)
    assert not without.takes_channel


def test_a_connection_that_speaks_no_modern_revision_says_so_and_can_be_opened() -> None:
    peer = a_peer(modern=False)
    (refused,) = told(peer, "server/discover", {"_meta": META})
    assert refused["error"]["code"] == -32601
    assert refused["error"]["message"].endswith("send initialize")
    (opened,) = told(peer, "initialize", OPENING)
    assert opened["result"]["protocolVersion"] == "2025-11-25"
