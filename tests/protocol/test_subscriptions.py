from __future__ import annotations

from mcp_workbench.events import Era
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.exchange import ClientFacts, Exchange
from mcp_workbench.protocol.subscriptions import Listen, Listing, Subscriptions

CLIENT = ClientFacts(Era.MODERN, "2026-07-28", wire.ClientCapabilities())


def listen(request_id: int, honoured: wire.ListenFilter) -> Listen:
    exchange = Exchange(request_id, "subscriptions/listen", wire.ListenParams(notifications=honoured), CLIENT, 10)
    return Listen(exchange, honoured)


def test_a_listen_keeps_what_is_true_and_named() -> None:
    kept = listen(1, wire.ListenFilter(tools_list_changed=True, prompts_list_changed=False, resource_subscriptions=["a", "a", "b"]))
    assert kept.listings == frozenset({Listing.TOOLS})
    assert kept.uris == frozenset({"a", "b"})
    assert (listen(2, wire.ListenFilter()).listings, listen(2, wire.ListenFilter()).uris) == (frozenset(), frozenset())


def test_the_listings_are_the_names_of_capabilities() -> None:
    assert set(Listing) <= set(wire.ServerCapabilities.__struct_fields__)


def test_both_ways_of_wanting_a_uri_are_counted_and_listed() -> None:
    subscriptions = Subscriptions()
    subscriptions.subscribe("a")
    subscriptions.subscribe("a")
    subscriptions.open_listen(listen(1, wire.ListenFilter(resource_subscriptions=["a", "b"])))
    subscriptions.open_listen(listen(2, wire.ListenFilter(resource_subscriptions=["b"], resources_list_changed=True)))
    assert len(subscriptions) == 1 + 2 + 3
    assert subscriptions.uris() == {"a", "b"}
    assert subscriptions.wants_uri("a")
    assert not subscriptions.wants_uri("b")
    assert list(subscriptions.listens_for_uri("b")) == [1, 2]
    assert list(subscriptions.listens_for_listing(Listing.RESOURCES)) == [2]
    assert [one.exchange.id for one in subscriptions.listens] == [1, 2]


def test_unsubscribing_says_whether_there_was_anything() -> None:
    subscriptions = Subscriptions()
    subscriptions.subscribe("a")
    assert subscriptions.unsubscribe("a")
    assert not subscriptions.unsubscribe("a")
    assert subscriptions.close_listen(1) is None
