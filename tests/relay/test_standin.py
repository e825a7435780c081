"""Who answers while no kernel does: by the rules of the revision, from memory, and writing down what was promised."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_workbench.events import Era
from mcp_workbench.protocol.versions import LEGACY_VERSIONS
from mcp_workbench.relay.memory import Memory
from mcp_workbench.relay.sentences import Situation
from mcp_workbench.relay.standin import SILENT, Standin
from tests.relay.rig import NOW
from tests.support.oracle import Message, Oracle
from tests.support.talk import CLIENT, META


class Talker:
    """A host that talks with stand-ins over one memory."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.standin = self.another()

    def another(self) -> Standin:
        """The stand-in of a later time without a kernel."""
        self.standin = Standin(self.memory, Situation, lambda: NOW)
        return self.standin

    def ask(self, request_id: int, method: str, params: dict[str, Any] | None = None) -> Message:
        text = json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}).encode()
        (answer,) = self.standin.receive(text)
        message: Message = json.loads(answer)
        return message


def initialize(version: str) -> dict[str, Any]:
    return {"protocolVersion": version, "capabilities": {"roots": {}}, "clientInfo": CLIENT}


@pytest.mark.parametrize("version", [*LEGACY_VERSIONS, "1999-01-01", "2026-07-28"])
def test_it_agrees_on_a_version_and_remembers_it(version: str) -> None:
    talker = Talker()
    agreed = talker.ask(1, "initialize", initialize(version))["result"]["protocolVersion"]
    assert agreed == (version if version in LEGACY_VERSIONS else LEGACY_VERSIONS[-1])
    assert talker.memory.era is Era.LEGACY
    assert talker.memory.opening == initialize(agreed)
    assert list(talker.standin.receive(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')) == []
    assert talker.memory.initialized


def test_a_conversation_that_began_before_goes_on_by_its_own_rules() -> None:
    legacy = Talker()
    legacy.ask(1, "initialize", initialize("2025-06-18"))
    legacy.another()
    assert legacy.ask(2, "initialize", initialize("2025-06-18"))["error"]["code"] == -32600
    assert legacy.ask(3, "tools/list", {"_meta": META})["error"]["code"] == -32600
    assert "result" in legacy.ask(4, "tools/list")
    modern = Talker()
    modern.ask(1, "server/discover", {"_meta": META})
    modern.another()
    assert modern.ask(2, "initialize", initialize("2025-06-18"))["error"]["code"] == -32022
    assert modern.ask(3, "tools/list")["error"]["code"] == -32602
    assert "result" in modern.ask(4, "tools/list", {"_meta": META})


def test_a_request_before_the_opening_changes_nothing() -> None:
    talker = Talker()
    assert talker.ask(1, "ping")["result"] == {}
    assert talker.ask(2, "tools/list")["error"]["code"] == -32600
    assert talker.memory.era is None


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/list", {}),
        ("resources/list", {}),
        ("resources/templates/list", {}),
        ("prompts/list", {}),
        ("tools/call", {"name": "notebook_status"}),
        ("tools/call", {"name": "any"}),
        ("server/discover", {}),
    ],
)
def test_its_results_are_those_of_the_modern_revision(method: str, params: dict[str, Any]) -> None:
    talker, oracle = Talker(), Oracle("2026-07-28")
    for number in (1, 2):  # the second is told from memory
        oracle.note_sent({"id": number, "method": method})
        oracle.check(json.dumps(talker.ask(number, method, params | {"_meta": META})).encode())


@pytest.mark.parametrize("method", ["resources/read", "prompts/get", "completion/complete"])
def test_what_needs_a_kernel_is_an_error_that_says_so(method: str) -> None:
    params: dict[str, dict[str, Any]] = {
        "resources/read": {"uri": "df://a"},
        "prompts/get": {"name": "p"},
        "completion/complete": {"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "a", "value": ""}},
    }
    error = Talker().ask(1, method, params[method] | {"_meta": META})["error"]
    assert (error["code"], error["data"]) == (-32603, {"reason": "no kernel"})
    assert error["message"].startswith(f"{method} needs a notebook.")
    assert method not in SILENT
