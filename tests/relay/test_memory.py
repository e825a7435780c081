"""What is remembered of a conversation, note by note."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_workbench.events import Era
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.relay import memory as module
from mcp_workbench.relay.memory import Memory
from tests.support.talk import CLIENT, META


def text(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1} | members).encode()


def note(memory: Memory, method: str, params: dict[str, Any], result: dict[str, Any]) -> None:
    memory.note(method, text(method=method, params=params), text(result=result))


def test_an_opening_is_remembered_with_the_version_that_was_agreed_on() -> None:
    memory = Memory()
    note(
        memory, "initialize", {"protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": CLIENT}, {"protocolVersion": "2025-11-25"}
    )
    assert memory.era is Era.LEGACY
    assert memory.opening == {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}


def test_an_enveloped_request_makes_it_modern_and_a_bare_one_nothing() -> None:
    memory = Memory()
    memory.note_era(text(method="ping", params={"_meta": {"progressToken": 1}}))
    bare = memory.era
    assert bare is None
    memory.note_era(text(method="tools/list", params={"_meta": META | {"progressToken": 1}}))
    assert (memory.era, memory.envelope) == (Era.MODERN, META)


def test_a_list_is_what_its_latest_reading_gave_over_all_pages() -> None:
    memory = Memory()
    assert (memory.told, memory.page("tools/list", None), memory.items("tools/list")) == ((), None, [])
    note(memory, "tools/list", {}, {"tools": [{"name": "a"}], "nextCursor": "1"})
    note(memory, "tools/list", {"cursor": "1"}, {"tools": [{"name": "b", "annotations": {"readOnlyHint": True}}]})
    assert memory.told == ("tools/list",)
    assert memory.tool_names() == {"a", "b"}
    assert (memory.is_read_only("a"), memory.is_read_only("b"), memory.is_read_only("c")) == (False, True, False)
    assert json.loads(memory.page("tools/list", None) or b"") == {"tools": [{"name": "a"}], "nextCursor": "1"}
    note(memory, "tools/list", {}, {"tools": []})
    assert (memory.items("tools/list"), memory.page("tools/list", "1")) == ([], None)


def test_no_more_pages_are_kept_than_a_list_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PAGES", 2)
    memory = Memory()
    for cursor in (None, "1", "2"):
        note(memory, "tools/list", {} if cursor is None else {"cursor": cursor}, {"tools": [{"name": f"after {cursor}"}]})
    assert memory.tool_names() == {"after None", "after 1"}


@pytest.mark.parametrize("result", [{}, {"tools": 5}, {"tools": [5, {"name": 5}, {}]}])
def test_a_list_of_nonsense_names_no_tools(result: dict[str, Any]) -> None:
    memory = Memory()
    note(memory, "tools/list", {}, result)
    assert memory.tool_names() == set()


def test_subscriptions_and_the_level_are_the_last_ones() -> None:
    memory = Memory()
    for method, uri in (("subscribe", "df://a"), ("subscribe", "df://b"), ("unsubscribe", "df://a"), ("unsubscribe", "df://c")):
        note(memory, f"resources/{method}", {"uri": uri}, {})
    note(memory, "logging/setLevel", {"level": "error"}, {})
    assert (list(memory.uris), memory.level) == (["df://b"], {"level": "error"})


def test_a_held_listen_knows_what_it_wants() -> None:
    memory = Memory()
    request = text(params={"notifications": {"toolsListChanged": True, "promptsListChanged": False, "resourceSubscriptions": ["df://a"]}})
    memory.hold("l", request)
    memory.hold("broken", text(params={"notifications": 5}))
    (held,) = memory.listens.values()
    assert (held.text, held.uris) == (request, ("df://a",))
    assert [held.wants_listing(listing) for listing in (Listing.TOOLS, Listing.PROMPTS, Listing.RESOURCES)] == [True, False, False]
