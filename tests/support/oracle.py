"""Reads every text a server sends with the models of `mcp-types`, for the revision its client speaks."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from mcp_types import jsonrpc as oracle_jsonrpc
from mcp_types import methods as oracle

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.versions import LATEST_LEGACY, LATEST_MODERN
from tests.support import task_schema

Message = dict[str, Any]
CODES = frozenset({-32700, -32600, -32601, -32602, -32603, -32002, -32021, -32022})
"""The error codes the revisions define."""
CACHEABLE = frozenset({"server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"})
"""Methods whose results carry cache hints since 2026-07-28."""


class Oracle:
    """One client's view: which method each id asked for, and what may come back.

    Args:
        version: The revision the client speaks, or will speak.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        self._methods: dict[tuple[type, str | int], deque[str]] = {}

    @property
    def modern(self) -> bool:
        """Whether requests carry their own facts."""
        return self.version == LATEST_MODERN

    def note_sent(self, message: Any) -> None:
        """Remember what a request asked for; an id may be used again before the first answer has come."""
        for entry in message if isinstance(message, list) else [message]:
            if isinstance(entry, dict) and isinstance(entry.get("id"), str | int) and isinstance(entry.get("method"), str):
                self._methods.setdefault((type(entry["id"]), entry["id"]), deque()).append(entry["method"])

    def check(self, text: bytes) -> list[Message]:
        """Read one text.

        Returns:
            Its messages: one, or those of a batch.
        """
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
        if isinstance(value, list):
            assert self.version == "2025-03-26", "only 2025-03-26 has batches"
            assert value, "an array holds at least one message"
        messages: list[Message] = value if isinstance(value, list) else [value]
        for message in messages:
            self._check(message)
        return messages

    def _check(self, message: Message) -> None:
        oracle_jsonrpc.jsonrpc_message_adapter.validate_python(message)
        assert message.keys() <= {"jsonrpc", "id", "method", "params", "result", "error"}, message.keys()
        if "error" in message:
            self._check_error(message)
        elif "result" in message:
            self._check_result(self._methods[type(message["id"]), message["id"]].popleft(), message["result"])
        elif "id" in message:
            oracle.parse_server_request(message["method"], self.version, message.get("params"))
        elif message["method"] == task_schema.NOTIFICATION and self.modern:
            task_schema.check_notification(message["params"])
        else:
            oracle.parse_server_notification(message["method"], self.version, message.get("params"))

    def _check_result(self, method: str, result: Message) -> None:
        if self.modern and (method in task_schema.METHODS or result.get("resultType") == "task"):
            task_schema.check_result(method, result)
            return
        oracle.validate_server_result(method, self.version, result)
        modern_only = {"resultType", "ttlMs", "cacheScope"}
        if not self.modern:
            assert not modern_only & result.keys(), f"{modern_only & result.keys()} came with {LATEST_MODERN}"
            return
        if result["resultType"] == "input_required":
            assert method in oracle.INPUT_REQUIRED_METHODS
            assert not {"ttlMs", "cacheScope"} & result.keys()
            return
        assert result["resultType"] == "complete"
        assert result["_meta"][wire.META_SERVER_INFO]["name"] == "mcp-workbench"
        assert ({"ttlMs", "cacheScope"} <= result.keys()) == (method in CACHEABLE)

    def _check_error(self, message: Message) -> None:
        error = message["error"]
        assert error["code"] in CODES, error
        assert len(error["message"]) < 2_000, "a sentence, not a document"
        if isinstance(message["id"], str | int):
            methods = self._methods.get((type(message["id"]), message["id"]))
            if methods:
                # It was the later request that took an id in flight; the first is answered still.
                methods.pop() if "still in flight" in error["message"] else methods.popleft()
        if error["code"] == -32002:
            assert self.version <= LATEST_LEGACY, "2026-07-28 answers an unknown resource with -32602"


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key stands twice in an object we send: {keys}"
    return dict(pairs)
