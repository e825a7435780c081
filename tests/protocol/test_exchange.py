from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.events import Era
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import BatchReply, ClientFacts, Exchange, Fate

CLIENT = ClientFacts(Era.LEGACY, "2025-11-25", wire.ClientCapabilities())


def test_a_new_exchange_is_open_and_names_itself_without_its_params() -> None:
    exchange = Exchange("a", "tools/call", wire.CallToolParams(name="secret"), CLIENT, 10)
    assert exchange.fate is Fate.OPEN
    assert repr(exchange) == "<Exchange 'a' tools/call open>"


def test_not_found_names_the_uri_only_where_there_is_one() -> None:
    read = Exchange(1, "resources/read", wire.UriParams(uri="df://x"), CLIENT, 10)
    listed = Exchange(1, "resources/list", wire.ListParams(), CLIENT, 10)
    assert read.resource_not_found("no").data == {"uri": "df://x"}
    assert listed.resource_not_found("no").data is None


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_a_batch_is_complete_exactly_once_and_holds_what_was_answered_in_that_order(answered: list[bool]) -> None:
    reply = BatchReply(len(answered))
    texts = [b"%d" % number if yes else None for number, yes in enumerate(answered)]
    came = [reply.settle(text) for text in texts]
    assert came[:-1] == [None] * (len(answered) - 1)
    kept = [text for text in texts if text is not None]
    assert came[-1] == (b"[" + b",".join(kept) + b"]" if kept else None)
