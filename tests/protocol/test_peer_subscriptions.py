"""Resource updates and list changes: subscriptions of the connection before 2026-07-28, listens since."""

from __future__ import annotations

import json

import pytest

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.states import State
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.protocol.versions import LEGACY_VERSIONS
from tests.support.protocol import Conversation, legacy, modern, server_peer, subscribe, unsubscribe

UPDATED = "notifications/resources/updated"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


def listen(talk: Conversation, request_id: str, notifications: str, honoured: wire.ListenFilter | None = None) -> None:
    """Open a listen and acknowledge it, as asked or less."""
    method = "subscriptions/listen"
    talk.play(f'>> #{request_id} {method} {{"_meta":$META,"notifications":{notifications}}}\n << (request #{request_id} {method})')
    exchange = next(exchange for exchange in talk.peer.open_exchanges if exchange.id == json.loads(request_id))
    talk.send(talk.peer.acknowledge(exchange, honoured or exchange.params.notifications))


# --- legacy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
def test_a_subscribed_uri_is_told_in_the_words_of_the_client(version: str) -> None:
    talk, uri = legacy(version), "df://sal%65s"
    talk.play(f'>> #1 resources/subscribe {{"uri":"{uri}"}}\n << (request #1 resources/subscribe)')
    talk.send(subscribe(talk.peer, talk.exchange(1)))
    talk.send(talk.peer.resource_updated(uri).values())
    talk.play(f'<< #1 result {{}}\n << {UPDATED} {{"uri":"{uri}"}}')
    assert talk.peer.resource_updated("df://sales") == {}
    assert (len(talk.peer.subscriptions), talk.peer.subscriptions.uris()) == (1, {uri})


def test_unsubscribing_ends_it_and_may_be_repeated() -> None:
    talk = legacy()
    talk.play('>> #1 resources/subscribe {"uri":"df://a"}\n << (request #1 resources/subscribe)')
    talk.send(subscribe(talk.peer, talk.exchange(1)))
    talk.play("<< #1 result {}")
    for number in (2, 3):
        talk.play(f'>> #{number} resources/unsubscribe {{"uri":"df://a"}}\n << (request #{number} resources/unsubscribe)')
        talk.send(unsubscribe(talk.peer, talk.exchange(number)))
        talk.play(f"<< #{number} result {{}}")
        assert talk.peer.resource_updated("df://a") == {}
    assert len(talk.peer.subscriptions) == 0


def test_subscribing_twice_tells_once() -> None:
    talk = legacy()
    for number in (1, 2):
        talk.play(f'>> #{number} resources/subscribe {{"uri":"df://a"}}\n << (request #{number} resources/subscribe)')
        talk.send(subscribe(talk.peer, talk.exchange(number)))
        talk.play(f"<< #{number} result {{}}")
    talk.send(talk.peer.resource_updated("df://a").values())
    talk.play(f'<< {UPDATED} {{"uri":"df://a"}}')


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
@pytest.mark.parametrize("listing", Listing)
def test_a_list_change_is_told_to_an_initialized_client(version: str, listing: Listing) -> None:
    talk = legacy(version)
    talk.send(talk.peer.list_changed(listing).values())
    talk.play(f"<< notifications/{listing}/list_changed")


def test_a_list_change_is_not_told_before_the_client_is_initialized() -> None:
    talk = Conversation(server_peer())
    assert talk.peer.list_changed(Listing.TOOLS) == {}
    talk.play('>> #0 initialize {"protocolVersion":"2025-11-25",$CLIENT}\n << (session legacy 2025-11-25)\n << #0 result {"...":0}')
    assert talk.peer.state is State.OPENING
    assert talk.peer.list_changed(Listing.TOOLS) == {}


def test_a_list_that_is_not_offered_is_not_spoken_of() -> None:
    talk = legacy(capabilities=wire.ServerCapabilities(tools=wire.ListChanged(list_changed=True)))
    assert talk.peer.list_changed(Listing.PROMPTS) == {}
    assert talk.peer.list_changed(Listing.RESOURCES) == {}
    talk.send(talk.peer.list_changed(Listing.TOOLS).values())
    talk.play("<< notifications/tools/list_changed")


# --- modern ----------------------------------------------------------------------------------------------


def test_the_acknowledgement_is_the_first_message_of_a_listen_and_says_what_is_honoured() -> None:
    talk = modern()
    asked = '{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["df://a"]}'
    listen(talk, "7", asked, wire.ListenFilter(tools_list_changed=True, resource_subscriptions=["df://a"]))
    talk.play(f'<< {ACKNOWLEDGED} {{"notifications":{{"toolsListChanged":true,"resourceSubscriptions":["df://a"]}},"_meta":{{$STREAM:7}}}}')
    assert talk.peer.list_changed(Listing.PROMPTS) == {}
    assert talk.peer.in_flight == 1


@pytest.mark.parametrize("request_id", ["7", '"7"', '"listen:0"', "0"])
def test_every_message_of_a_listen_carries_its_id(request_id: str) -> None:
    talk = modern()
    listen(
        talk,
        request_id,
        '{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["df://a"]}',
    )
    talk.play(f'<< {ACKNOWLEDGED} {{"_meta":{{$STREAM:{request_id}}},"...":0}}')
    for listing in Listing:
        talk.send(talk.peer.list_changed(listing).values())
        talk.play(f'<< notifications/{listing}/list_changed {{"_meta":{{$STREAM:{request_id}}}}}')
    talk.send(talk.peer.resource_updated("df://a").values())
    talk.play(f'<< {UPDATED} {{"uri":"df://a","_meta":{{$STREAM:{request_id}}}}}')


def test_a_listen_hears_only_what_it_asked_for() -> None:
    talk = modern()
    listen(talk, "1", '{"toolsListChanged":false,"resourcesListChanged":true}')
    talk.play(f'<< {ACKNOWLEDGED} {{"...":0}}')
    assert talk.peer.list_changed(Listing.TOOLS) == {}
    assert talk.peer.list_changed(Listing.PROMPTS) == {}
    assert talk.peer.resource_updated("df://a") == {}
    assert len(talk.peer.list_changed(Listing.RESOURCES)) == 1


def test_before_it_is_acknowledged_a_listen_hears_nothing() -> None:
    talk = modern()
    talk.play('>> #1 subscriptions/listen {"_meta":$META,"notifications":{"toolsListChanged":true}}\n << (request #1 subscriptions/listen)')
    assert talk.peer.list_changed(Listing.TOOLS) == {}


def test_several_listens_are_told_each_for_itself() -> None:
    talk = modern()
    listen(talk, "1", '{"resourceSubscriptions":["df://a","df://b"]}')
    talk.play(f'<< {ACKNOWLEDGED} {{"...":0}}')
    listen(talk, '"1"', '{"toolsListChanged":true,"resourceSubscriptions":["df://b"]}')
    talk.play(f'<< {ACKNOWLEDGED} {{"...":0}}')
    talk.send(talk.peer.resource_updated("df://b").values())
    talk.play(f"""
        << {UPDATED} {{"uri":"df://b","_meta":{{$STREAM:1}}}}
        << {UPDATED} {{"uri":"df://b","_meta":{{$STREAM:"1"}}}}
    """)
    assert len(talk.peer.subscriptions) == 2 + 3
    assert talk.peer.subscriptions.uris() == {"df://a", "df://b"}
    talk.play('>> notifications/cancelled {"requestId":1}\n << (cancelled #1)')
    talk.send(talk.peer.resource_updated("df://b").values(), talk.peer.list_changed(Listing.TOOLS).values())
    talk.play(f"""
        << {UPDATED} {{"uri":"df://b","_meta":{{$STREAM:"1"}}}}
        << notifications/tools/list_changed {{"_meta":{{$STREAM:"1"}}}}
    """)


def test_a_cancelled_listen_hears_nothing_and_gets_no_response() -> None:
    talk = modern()
    listen(talk, "7", '{"toolsListChanged":true,"resourceSubscriptions":["df://a"]}')
    talk.play(f"""
        << {ACKNOWLEDGED} {{"...":0}}
        >> notifications/cancelled {{"requestId":7}}
        << (cancelled #7)
    """)
    assert talk.peer.list_changed(Listing.TOOLS) == {}
    assert talk.peer.resource_updated("df://a") == {}
    talk.send(talk.peer.end_listen(talk.exchange(7)))
    talk.play("<< nothing")
    assert (len(talk.peer.subscriptions), talk.peer.in_flight) == (0, 0)


def test_the_server_ends_a_listen_with_its_response() -> None:
    talk = modern()
    listen(talk, "7", '{"toolsListChanged":true}')
    talk.send(talk.peer.end_listen(talk.exchange(7)))
    talk.play(f"""
        << {ACKNOWLEDGED} {{"...":0}}
        << #7 result {{"resultType":"complete","_meta":{{"io.modelcontextprotocol/serverInfo":$INFO,$STREAM:7}}}}
    """)
    assert talk.peer.list_changed(Listing.TOOLS) == {}
    talk.play('>> notifications/cancelled {"requestId":7}\n << (ignored LATE_CANCEL)')
    talk.send(talk.peer.end_listen(talk.exchange(7)))
    talk.play("<< nothing")


def test_the_id_of_an_ended_listen_may_be_used_again() -> None:
    talk = modern()
    listen(talk, "7", '{"toolsListChanged":true}')
    talk.play(f'<< {ACKNOWLEDGED} {{"...":0}}\n >> notifications/cancelled {{"requestId":7}}\n << (cancelled #7)')
    listen(talk, "7", '{"promptsListChanged":true}')
    talk.play(f'<< {ACKNOWLEDGED} {{"...":0}}')
    assert talk.peer.list_changed(Listing.TOOLS) == {}
    assert len(talk.peer.list_changed(Listing.PROMPTS)) == 1


@pytest.mark.parametrize(
    "notifications", ["null", "[]", '{"toolsListChanged":1}', '{"resourceSubscriptions":"df://a"}', '{"resourceSubscriptions":[1]}']
)
def test_a_broken_filter_is_refused(notifications: str) -> None:
    modern().play(f'>> #1 subscriptions/listen {{"_meta":$META,"notifications":{notifications}}}\n << #1 error -32602')
