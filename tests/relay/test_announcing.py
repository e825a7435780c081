"""A changed list is told once, until the host lists again, in its era's way."""

from __future__ import annotations

import json

from mcp_workbench.events import Era
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.relay.announcing import Announcing
from mcp_workbench.relay.memory import Memory


def announcing(era: Era, *, initialized: bool = True) -> tuple[Announcing, Memory, list[bytes]]:
    memory, sent = Memory(), list[bytes]()
    memory.era, memory.initialized = era, initialized
    return Announcing(memory, sent.append), memory, sent


def test_it_is_told_once_until_the_host_has_listed() -> None:
    telling, _, sent = announcing(Era.LEGACY)
    telling.tell(Listing.TOOLS)
    telling.tell(Listing.TOOLS)
    telling.tell(Listing.PROMPTS)
    assert [json.loads(text)["method"] for text in sent] == ["notifications/tools/list_changed", "notifications/prompts/list_changed"]
    telling.note_listed(Listing.TOOLS)
    telling.tell(Listing.TOOLS)
    assert len(sent) == 3


def test_what_a_kernel_told_itself_is_not_told_again() -> None:
    telling, _, sent = announcing(Era.LEGACY)
    telling.note_told(Listing.TOOLS)
    telling.tell(Listing.TOOLS)
    assert sent == []


def test_before_the_handshake_is_complete_it_waits() -> None:
    telling, memory, sent = announcing(Era.LEGACY, initialized=False)
    telling.tell(Listing.TOOLS)
    telling.tell(Listing.TOOLS)
    assert sent == []
    memory.initialized = True
    telling.tell_due()
    telling.tell_due()
    assert len(sent) == 1


def test_modern_hosts_are_told_in_each_listen_that_asked() -> None:
    telling, memory, sent = announcing(Era.MODERN)
    telling.tell(Listing.TOOLS)
    assert sent == []
    for listen_id, wants in (("a", {"toolsListChanged": True}), (2, {"toolsListChanged": True}), ("c", {"promptsListChanged": True})):
        memory.hold(listen_id, json.dumps({"params": {"notifications": wants}}).encode())
    telling.tell(Listing.TOOLS)
    ids = [json.loads(text)["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] for text in sent]
    assert ids == ["a", 2]
