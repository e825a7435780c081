"""Beginning anew with a kernel: what it is told, in which order, and what is made of its answers."""

from __future__ import annotations

import json
from typing import Any

from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.relay.memory import Memory
from mcp_workbench.relay.resuming import Resuming
from tests.support.oracle import Message
from tests.support.talk import CLIENT, META

OPENING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}


class Joining:
    """A kernel that is told things, and answers when a test says so."""

    def __init__(self, memory: Memory) -> None:
        self.sent: list[Message] = []
        self.updated: list[tuple[str, RequestId | None]] = []
        self._ids = 0
        self.resuming = Resuming(
            memory, lambda text: self.sent.append(json.loads(text)), self._new_id, lambda uri, listen: self.updated.append((uri, listen))
        )
        self.resuming.begin()

    @property
    def methods(self) -> list[str]:
        """What was sent since this was asked last."""
        told, self.sent = [message["method"] for message in self.sent], []
        return told

    def answer(self, number: int, result: dict[str, Any] | None) -> None:
        text = json.dumps({"jsonrpc": "2.0", "id": f"own-{number}", "result": result}).encode()
        self.resuming.receive_response(f"own-{number}", text, failed=result is None)

    def acknowledge(self, listen_id: RequestId, *uris: str) -> None:
        params = {"notifications": {"resourceSubscriptions": list(uris)}}
        self.resuming.receive_acknowledgement(listen_id, json.dumps({"params": params}).encode())

    def _new_id(self) -> str:
        self._ids += 1
        return f"own-{self._ids}"


def legacy(*, initialized: bool = True) -> Memory:
    memory = Memory()
    memory.era, memory.opening, memory.initialized = Era.LEGACY, OPENING, initialized
    return memory


def modern(**listens: list[str]) -> Memory:
    memory = Memory()
    memory.era, memory.envelope = Era.MODERN, META
    for listen_id, uris in listens.items():
        request = {"id": listen_id, "method": "subscriptions/listen", "params": {"notifications": {"resourceSubscriptions": uris}}}
        memory.hold(listen_id, json.dumps(request).encode())
    return memory


def test_a_host_that_has_said_nothing_leaves_nothing_to_do() -> None:
    joining = Joining(Memory())
    assert (joining.methods, joining.resuming.settled) == ([], True)


def test_legacy_nothing_follows_initialize_before_its_answer() -> None:
    memory = legacy()
    memory.level = {"level": "error"}
    memory.uris = {"df://a": None}
    memory.note("tools/list", b"{}", b'{"result":{"tools":[]}}')
    joining = Joining(memory)
    assert joining.methods == ["initialize"]
    joining.answer(1, {"protocolVersion": "2025-11-25"})
    assert joining.methods == ["notifications/initialized", "logging/setLevel", "resources/subscribe", "tools/list"]
    joining.answer(2, None)
    joining.answer(3, {})
    assert joining.updated == [("df://a", None)]
    joining.answer(4, {"tools": [1], "nextCursor": "x"})
    assert joining.methods == ["tools/list"]
    assert not joining.resuming.settled
    joining.answer(5, {"tools": [2]})
    assert (joining.resuming.lists, joining.resuming.settled) == ({"tools/list": [1, 2]}, True)


def test_legacy_a_host_that_is_not_initialized_says_so_itself_later() -> None:
    joining = Joining(legacy(initialized=False))
    joining.answer(1, {"protocolVersion": "2025-11-25"})
    assert joining.methods == ["initialize"]


def test_legacy_another_version_or_a_refusal_is_a_failure() -> None:
    for result in ({"protocolVersion": "2024-11-05"}, {}, None):
        joining = Joining(legacy())
        joining.answer(1, result)
        assert joining.resuming.failure is not None
        assert joining.methods == ["initialize"]


def test_legacy_what_is_missing_is_asked_for_again_while_it_is_wanted() -> None:
    memory = legacy()
    memory.uris = {"df://a": None, "df://b": None}
    joining = Joining(memory)
    joining.answer(1, {"protocolVersion": "2025-11-25"})
    joining.answer(2, None)
    joining.answer(3, None)
    del memory.uris["df://b"]
    joining.sent.clear()
    joining.resuming.retry()
    assert [message["params"]["uri"] for message in joining.sent] == ["df://a"]
    joining.answer(4, {})
    joining.sent.clear()
    joining.resuming.retry()
    assert joining.methods == []


def test_modern_listens_are_sent_again_behind_one_that_watches_for_what_they_miss() -> None:
    joining = Joining(modern(l=["df://a", "df://b"]))
    watch, listen = joining.sent
    assert watch["params"] == {"notifications": {"resourcesListChanged": True}, "_meta": META}
    assert listen["id"] == "l"
    assert joining.resuming.owns(watch["id"])
    joining.acknowledge(watch["id"])
    joining.acknowledge("l", "df://a")
    assert joining.updated == [("df://a", "l")]
    joining.sent.clear()
    joining.resuming.retry()
    assert [(message["method"], message.get("id")) for message in joining.sent] == [
        ("notifications/cancelled", None),
        ("subscriptions/listen", "l"),
    ]
    joining.sent.clear()
    joining.acknowledge("l", "df://a", "df://b")
    assert joining.updated == [("df://a", "l"), ("df://b", "l")]
    assert [message["params"]["requestId"] for message in joining.sent] == [watch["id"]]
    assert not joining.resuming.owns(watch["id"])


def test_modern_a_refused_listen_is_tried_again_and_a_cancelled_one_forgotten() -> None:
    memory = modern(l=["df://a"], m=[])
    joining = Joining(memory)
    joining.resuming.receive_end_of_listen("l")
    joining.acknowledge("m")
    assert joining.resuming.settled
    joining.sent.clear()
    joining.resuming.retry()
    assert [message.get("id") for message in joining.sent] == [None, "l"]
    del memory.listens["l"]
    joining.sent.clear()
    joining.resuming.forget("l")
    assert joining.methods == ["notifications/cancelled"]
    assert joining.resuming.settled


def test_modern_lists_are_read_with_what_the_host_puts_into_every_request() -> None:
    memory = modern()
    memory.note("prompts/list", b"{}", b'{"result":{"prompts":[]}}')
    joining = Joining(memory)
    (request,) = joining.sent
    assert request["params"] == {"_meta": META}
    joining.answer(1, None)
    assert (joining.resuming.lists, joining.resuming.settled) == ({}, True)
