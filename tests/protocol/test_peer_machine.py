"""Any interleaving of what a client may send and a server may answer.

A model keeps the ids in flight; every text that leaves is read by the oracle and held against the model:
no request is answered twice, nothing about a request leaves after its answer or its cancel, and the
connection moves only along the table of transitions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

from mcp_workbench.events import Era
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import Exchange, Fate
from mcp_workbench.protocol.happenings import Happening, RequestCancelled, RequestReceived, TextToSend
from mcp_workbench.protocol.states import TRANSITIONS, State
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.protocol.versions import LATEST_LEGACY
from tests.support.protocol import META, Oracle, server_peer, subscribe

Key = tuple[type, RequestId]
MOVES = {state: {verdict for verdict in row.values() if isinstance(verdict, State)} for state, row in TRANSITIONS.items()}

ids = st.sampled_from([0, 1, "0", 2**70])
OPEN_METHODS = ["tools/list", "tools/call", "resources/read", "prompts/get", "resources/subscribe", "logging/setLevel"]
SELF_ANSWERED = ["ping", "server/discover", "initialize"]
UNKNOWN_METHODS = ["no/such", "rpc.discover"]
PARAMS: dict[str, dict[str, Any]] = {
    "tools/call": {"name": "add"},
    "resources/read": {"uri": "df://a"},
    "resources/subscribe": {"uri": "df://a"},
    "prompts/get": {"name": "p"},
    "logging/setLevel": {"level": "info"},
    "initialize": {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}},
    "subscriptions/listen": {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["df://a"]}},
}
RESULTS: dict[str, wire.Result] = {
    "tools/list": wire.ListToolsResult(tools=[]),
    "tools/call": wire.CallToolResult(content=[]),
    "resources/read": wire.ReadResourceResult(contents=[]),
    "prompts/get": wire.GetPromptResult(messages=[]),
    "logging/setLevel": wire.EmptyResult(),
}


@dataclass(frozen=True)
class Ask:
    """A request to be written down in the era of the connection, or on purpose in the other one."""

    id: RequestId
    method: str
    broken: bool = False
    wrong_era: bool = False

    def written(self, era: Era | None) -> dict[str, Any]:
        """The request as a JSON value."""
        meta = {"progressToken": 5} | (META if (era is Era.MODERN) != self.wrong_era else {})
        params = ({} if self.broken else PARAMS.get(self.method, {})) | {"_meta": meta}
        return {"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": params}


seldom = st.sampled_from([False] * 7 + [True])
requests = st.builds(
    Ask, ids, st.sampled_from([*OPEN_METHODS, *SELF_ANSWERED, *UNKNOWN_METHODS, "subscriptions/listen"]), broken=seldom, wrong_era=seldom
)
good_requests = st.builds(Ask, ids, st.sampled_from([*OPEN_METHODS, "subscriptions/listen"]))
cancels = st.builds(lambda request_id: {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request_id}}, ids)
others: st.SearchStrategy[Any] = st.sampled_from(
    [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"},
        {"jsonrpc": "2.0", "method": "no/such"},
        {"jsonrpc": "2.0", "method": 5},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "m"}},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        {"id": 1, "method": "ping"},
        5,
        [],
        None,
    ]
)
entries = st.one_of(requests, cancels, others, good_requests)


class ServerPeerMachine(RuleBasedStateMachine):
    """The Peer under test, and what we know about it."""

    exchanges = Bundle("exchanges")

    def __init__(self) -> None:
        super().__init__()
        self.peer = server_peer()
        self.oracle = Oracle(self.peer)
        self.in_flight: dict[Key, Exchange] = {}
        self.state = State.FRESH
        self.era: Era | None = None
        self.owed = 0
        """Requests that arrived and were neither answered nor cancelled."""
        self.begin()

    # --- how it may begin --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Nothing: the era is still to be decided."""

    # --- what the client does ----------------------------------------------------------------------------

    @rule(target=exchanges, ask=good_requests)
    def client_asks(self, ask: Ask) -> Any:
        return multiple(*self.feed(ask))

    @rule(target=exchanges, entry=entries)
    def client_sends_anything(self, entry: Any) -> Any:
        return multiple(*self.feed(entry))

    @rule(target=exchanges, batch=st.lists(entries, min_size=1, max_size=6))
    def client_sends_a_batch(self, batch: list[Any]) -> Any:
        return multiple(*self.feed(batch))

    @rule(exchange=exchanges)
    def client_cancels(self, exchange: Exchange) -> None:
        self.feed({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": exchange.id}})

    @rule(target=exchanges, exchange=exchanges)
    def client_uses_an_id_again(self, exchange: Exchange) -> Any:
        return multiple(*self.feed(Ask(exchange.id, "tools/call")))

    @rule(text=st.binary(max_size=20))
    def client_sends_noise(self, text: bytes) -> None:
        self.take(self.peer.receive_text(text), awaited=1)

    # --- what the server does ----------------------------------------------------------------------------

    @rule(exchange=exchanges)
    def server_answers(self, exchange: Exchange) -> None:
        if exchange.method == "subscriptions/listen":
            self.settle(exchange, self.peer.end_listen(exchange))
        elif exchange.method == "resources/subscribe":
            self.settle(exchange, subscribe(self.peer, exchange))
        else:
            self.settle(exchange, self.peer.answer(exchange, RESULTS[exchange.method]))

    @rule(exchange=exchanges)
    def server_answers_with_an_error(self, exchange: Exchange) -> None:
        self.settle(exchange, self.peer.answer_error(exchange, -32603, "Internal error"))

    @rule(exchange=exchanges)
    def server_acknowledges(self, exchange: Exchange) -> None:
        listening = any(listen.exchange is exchange for listen in self.peer.subscriptions.listens)
        if exchange.method == "subscriptions/listen" and exchange.fate is Fate.OPEN and not listening:
            self.oracle.check_sent(self.peer.acknowledge(exchange, exchange.params.notifications))

    @rule(exchange=exchanges)
    def server_reports(self, exchange: Exchange) -> None:
        texts = [self.peer.progress(exchange, 1.0), self.peer.log(exchange, "emergency", "text")]
        for text in texts:
            if text is not None:
                assert exchange.fate is Fate.OPEN
                self.oracle.check_sent(text)
        assert (texts[0] is not None) == (exchange.fate is Fate.OPEN)

    @rule()
    def something_changes(self) -> None:
        for text in [*self.peer.list_changed(Listing.TOOLS).values(), *self.peer.resource_updated("df://a").values()]:
            self.check_stream(text)

    @precondition(lambda self: self.state is not State.CLOSED)
    @rule(really=st.sampled_from([False, False, False, True]))
    def connection_ends(self, really: bool) -> None:
        if really:
            self.peer.close()
            self.move()
            self.in_flight.clear()
            self.owed = 0

    # --- what must hold ----------------------------------------------------------------------------------

    @invariant()
    def in_flight_is_what_the_model_says(self) -> None:
        assert {(type(exchange.id), exchange.id): exchange for exchange in self.peer.open_exchanges} == self.in_flight
        assert self.peer.in_flight == len(self.in_flight) == self.owed

    @invariant()
    def only_open_requests_listen(self) -> None:
        listening = {id(listen.exchange) for listen in self.peer.subscriptions.listens}
        assert self.state is State.CLOSED or listening <= {id(exchange) for exchange in self.in_flight.values()}

    @invariant()
    def nothing_moves_unseen(self) -> None:
        assert (self.peer.state, self.peer.era) == (self.state, self.era)

    # --- the model -----------------------------------------------------------------------------------------

    def feed(self, value: Any) -> list[Exchange]:
        whole = value if isinstance(value, list) else [value]
        written = [entry.written(self.peer.era) if isinstance(entry, Ask) else entry for entry in whole]
        value = written if isinstance(value, list) else written[0]
        text = json.dumps(value).encode()
        self.oracle.note_received(text)
        parts = value if isinstance(value, list) and self.peer.version == "2025-03-26" else [value]
        return self.take(self.peer.receive_text(text), sum(map(_wants_answer, parts)) if parts else 1)

    def take(self, happenings: list[Happening], awaited: int) -> list[Exchange]:
        """Hold what happened against the model.

        Args:
            happenings: What one text brought.
            awaited: Answers the text itself may get at most.
        """
        assert happenings
        received = []
        for happening in happenings:
            if isinstance(happening, RequestReceived):
                received.append(happening.exchange)
                self.admit(happening.exchange)
            elif isinstance(happening, RequestCancelled):
                self.settle(happening.exchange, None)
                assert happening.exchange.fate is Fate.CANCELLED
            elif isinstance(happening, TextToSend):
                self.oracle.check_sent(happening.text)
                awaited -= 0 if happening.text.startswith(b"[") else 1
        assert awaited >= len(received), "a text gets no more answers than it asked for"
        self.move()
        return received

    def move(self) -> None:
        """One text moves the connection one step along the table, and never out of an era."""
        assert self.peer.state in MOVES[self.state] | {self.state}
        assert self.era is None or self.peer.era is self.era
        self.state, self.era = self.peer.state, self.peer.era

    def admit(self, exchange: Exchange) -> None:
        key = (type(exchange.id), exchange.id)
        assert key not in self.in_flight, "an id is in flight once"
        self.in_flight[key] = exchange
        self.owed += 1

    def settle(self, exchange: Exchange, text: bytes | None) -> None:
        """An exchange was answered or cancelled; the text is None when it was before, or waits for its batch."""
        key = (type(exchange.id), exchange.id)
        if self.in_flight.get(key) is exchange:
            del self.in_flight[key]
            self.owed -= 1
            assert exchange.fate is not Fate.OPEN
            assert text is not None or exchange.batch is not None or exchange.fate is Fate.CANCELLED
        else:
            assert text is None, "nothing is sent for a request that was answered or cancelled"
        if text is not None:
            self.oracle.check_sent(text)

    def check_stream(self, text: bytes) -> None:
        self.oracle.check_sent(text)
        meta = json.loads(text).get("params", {}).get("_meta")
        if self.era is Era.MODERN:
            stream = meta[wire.META_SUBSCRIPTION]
            assert self.in_flight[type(stream), stream].method == "subscriptions/listen"
        else:
            assert meta is None


def _wants_answer(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return True
    return "id" in entry if "method" in entry else not ("result" in entry or "error" in entry)


class BatchingMachine(ServerPeerMachine):
    """Begins in the one revision that has batches."""

    version = "2025-03-26"

    def begin(self) -> None:
        self.feed({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": PARAMS["initialize"] | {"protocolVersion": self.version}})
        self.feed({"jsonrpc": "2.0", "method": "notifications/initialized"})


class LatestLegacyMachine(BatchingMachine):
    """Begins in the last revision with a handshake."""

    version = LATEST_LEGACY


class ModernMachine(ServerPeerMachine):
    """Begins with `server/discover`."""

    def begin(self) -> None:
        self.feed({"jsonrpc": "2.0", "id": "d", "method": "server/discover", "params": {"_meta": META}})


STEPS = settings(max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestUndecided = ServerPeerMachine.TestCase
TestBatching = BatchingMachine.TestCase
TestLatestLegacy = LatestLegacyMachine.TestCase
TestModern = ModernMachine.TestCase
TestUndecided.settings = TestBatching.settings = TestLatestLegacy.settings = TestModern.settings = STEPS
