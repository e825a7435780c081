"""Who answers the host while no kernel does: openings, lists from memory, subscriptions to be kept, and why nothing runs.

A Peer knows the rules of every revision; a fresh one is told how the conversation began. What it accepts is noted in
the same memory that a kernel's answers are noted in, so that a kernel which joins later takes over from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import ErrorCode, encode_request, encode_result
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange
from mcp_workbench.protocol.happenings import RequestReceived, SessionInitialized, TextToSend
from mcp_workbench.protocol.peer import Peer
from mcp_workbench.protocol.sides import ServerDescription, Side
from mcp_workbench.relay import answers, own_tools, sentences
from mcp_workbench.relay.memory import ITEMS, Memory
from mcp_workbench.relay.sentences import Situation

OPENING_ID = "as it began"
NO_KERNEL = {"reason": "no kernel"}
SILENT = frozenset(("initialize", "ping", "server/discover", "logging/setLevel", "subscriptions/listen", *ITEMS)) | {
    "resources/subscribe",
    "resources/unsubscribe",
}
"""Requests it answers as a kernel would: nothing is run for them, so one that a kernel left open can be asked again here."""
_EMPTY: dict[str, wire.Result] = {
    "resources/list": wire.ListResourcesResult(resources=[]),
    "resources/templates/list": wire.ListResourceTemplatesResult(resource_templates=[]),
    "prompts/list": wire.ListPromptsResult(prompts=[]),
}
"""The lists of a host that was never told any; that of tools has the workbench's own."""


class Standin:
    """For one time without a kernel.

    Args:
        memory: Read and written.
        situation: What is known about notebooks now.
        now: Seconds since 1970.
        description: What is said of the server.
    """

    def __init__(
        self,
        memory: Memory,
        situation: Callable[[], Situation],
        now: Callable[[], float],
        description: ServerDescription = answers.DESCRIPTION,
    ) -> None:
        self._memory = memory
        self._situation = situation
        self._now = now
        self._peer = Peer(Side.SERVER, server=description)
        if memory.era is Era.LEGACY:
            self._peer.receive_text(encode_request(OPENING_ID, "initialize", memory.opening))
        elif memory.era is Era.MODERN:
            self._peer.receive_text(encode_request(OPENING_ID, "server/discover", {"_meta": memory.envelope}))

    def receive(self, text: bytes) -> Iterator[bytes]:
        """Take one text of the host that is no array of many; yields what to answer."""
        for happening in self._peer.receive_text(text):
            if isinstance(happening, TextToSend):
                if happening.code is None:
                    self._note_opening(happening.method, text, happening.text)
                yield happening.text
            elif isinstance(happening, SessionInitialized):
                self._memory.initialized = True
            elif isinstance(happening, RequestReceived):
                yield self._answer(happening.exchange, text)

    def _note_opening(self, method: str | None, request: bytes, response: bytes) -> None:
        if method == "initialize":
            self._memory.note(method, request, response)
        elif self._memory.era is None:
            self._memory.note_era(request)

    def _answer(self, exchange: Exchange, text: bytes) -> bytes:
        if self._memory.era is None:
            self._memory.note_era(text)
        method, params = exchange.method, exchange.params
        if method in ITEMS:
            return self._list(exchange, text)
        if isinstance(params, wire.ListenParams):
            self._memory.hold(exchange.id, text)
            return self._peer.acknowledge(exchange, params.notifications)
        if isinstance(params, wire.CallToolParams):
            return self._result(exchange, self._call(params.name))
        if method in SILENT:
            answer = self._result(exchange, wire.EmptyResult())
            self._memory.note(method, text, answer)
            return answer
        return self._error(exchange, ErrorCode.INTERNAL_ERROR, sentences.not_answered(method, self._situation(), self._now()), NO_KERNEL)

    def _call(self, name: str) -> wire.Result:
        situation, now = self._situation(), self._now()
        if name == own_tools.STATUS_NAME:
            return answers.tool_result(sentences.status(situation, now), is_error=False)
        if name in own_tools.NAMES:
            return answers.tool_result(sentences.own_not_run(name, situation, now), is_error=True)
        return answers.tool_result(sentences.not_run(name, situation, now), is_error=True)

    def _list(self, exchange: Exchange, text: bytes) -> bytes:
        method, cursor = exchange.method, exchange.params.cursor
        told = self._memory.page(method, cursor)
        if told is not None:
            # As it was told, with whatever belongs to it in its era; the Peer is only shown that the request is settled.
            self._result(exchange, wire.EmptyResult())
            return encode_result(exchange.id, told)
        if cursor is not None:
            return self._error(exchange, ErrorCode.INVALID_PARAMS, "Unknown cursor: the kernel that gave it is gone; list from the start")
        first = wire.ListToolsResult(tools=own_tools.tools()) if method == "tools/list" else _EMPTY[method]
        answer = self._result(exchange, first)
        self._memory.note(method, text, answer)
        return answer

    def _result(self, exchange: Exchange, result: wire.Result) -> bytes:
        return self._peer.answer(exchange, result) or b""

    def _error(self, exchange: Exchange, code: int, message: str, data: object = None) -> bytes:
        return self._peer.answer_error(exchange, code, message, data) or b""
