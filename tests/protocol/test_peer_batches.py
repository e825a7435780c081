"""JSON-RPC batches: 2025-03-26 has them, no other revision does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_workbench.protocol import wire
from mcp_workbench.protocol.peer import Peer
from tests.support.protocol import Conversation, client_peer, legacy, modern, server_peer

BATCHES = "2025-03-26"
EMPTY = wire.ListToolsResult(tools=[])


def batch(*entries: Any) -> bytes:
    return json.dumps(entries).encode()


def request(request_id: Any, method: str = "tools/list", **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method} | ({"params": params} if params else {})


def notification(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18", "2025-11-25"])
def test_other_legacy_revisions_refuse_an_array_and_run_nothing(version: str) -> None:
    talk = legacy(version)
    talk.receive(batch(request(1), notification("notifications/cancelled", requestId=1)))
    talk.play("<< #null error -32600")
    assert talk.peer.in_flight == 0


def test_the_modern_revision_refuses_an_array() -> None:
    talk = modern()
    talk.receive(batch(request(1)))
    talk.play("<< #null error -32600")


def test_a_batch_is_answered_with_one_array_once_all_its_requests_are() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(request(1), notification("notifications/roots/list_changed"), request("2"), request(3, "ping")))
    talk.play("""
        << (request #1 tools/list)
        << (notifications/roots/list_changed)
        << (request #"2" tools/list)
        << (answered #3 ping)
    """)
    talk.answer("2", EMPTY)
    talk.play("<< nothing")
    talk.answer(1, EMPTY)
    talk.play('<< [#3 result {}, #"2" result {"tools":[]}, #1 result {"tools":[]}]')
    assert talk.peer.in_flight == 0


def test_what_needs_no_driver_is_answered_at_once() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(request(1, "ping"), request(2, "ping")))
    talk.play("<< (answered #1 ping)\n << [#1 result {}, #2 result {}]")


def test_a_single_request_in_an_array_is_answered_in_an_array() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(request(1)))
    talk.play("<< (request #1 tools/list)")
    talk.answer(1, EMPTY)
    talk.play('<< [#1 result {"tools":[]}]')


def test_notifications_alone_are_answered_with_nothing() -> None:
    talk = legacy(BATCHES)
    talk.receive(
        batch(notification("notifications/roots/list_changed"), notification("no/such"), {"jsonrpc": "2.0", "id": 5, "result": {}})
    )
    talk.play("""
        << (notifications/roots/list_changed)
        << (ignored UNKNOWN_NOTIFICATION)
        << (ignored UNKNOWN_RESPONSE)
    """)


def test_malformed_entries_are_answered_in_their_place() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(1, [], {}, request(4, "ping"), {"jsonrpc": "2.0", "id": 5, "method": 5}, {"jsonrpc": "2.0", "method": 5}))
    talk.play("""
        << (answered #4 ping)
        << [#null error -32600, #null error -32600, #null error -32600, #4 result {}, #5 error -32600]
        << (ignored BROKEN_NOTIFICATION)
    """)


def test_a_refused_entry_does_not_hold_up_the_others() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(request(1, "no/such"), request(2), request(3, "resources/read")))
    talk.play("""
        << (answered #1 no/such)
        << (request #2 tools/list)
        << (answered #3 resources/read)
    """)
    talk.answer(2, EMPTY)
    talk.play('<< [#1 error -32601, #3 error -32602, #2 result {"tools":[]}]')


def test_initialize_must_not_be_part_of_a_batch() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(request(1, "initialize", protocolVersion="2025-03-26", capabilities={}, clientInfo={"name": "a", "version": "1"})))
    talk.play("<< [#1 error -32600]")


def test_before_initialize_there_are_no_batches() -> None:
    talk = Conversation(server_peer())
    talk.receive(batch(request(1, "initialize", protocolVersion="2025-03-26", capabilities={}, clientInfo={"name": "a", "version": "1"})))
    talk.play("<< #null error -32600")
    talk.receive(batch(request(1, "ping")))
    talk.play("<< #null error -32600")


def test_the_same_id_twice_in_a_batch_is_refused_the_second_time() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(request(1), request(1)))
    talk.play("<< (request #1 tools/list)\n << (answered #1 tools/list)")
    talk.answer(1, EMPTY)
    talk.play('<< [#1 error -32600, #1 result {"tools":[]}]')


def test_a_cancelled_entry_is_left_out_and_the_rest_is_answered() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(request(1), request(2)))
    talk.play("<< (request #1 tools/list)\n << (request #2 tools/list)")
    talk.answer(1, EMPTY)
    talk.play("""
        << nothing
        >> notifications/cancelled {"requestId":2}
        << (cancelled #2)
        << [#1 result {"tools":[]}]
    """)


def test_a_batch_whose_every_request_was_cancelled_is_answered_with_nothing() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(request(1), request(2), notification("notifications/cancelled", requestId=1)))
    talk.play("""
        << (request #1 tools/list)
        << (request #2 tools/list)
        << (cancelled #1)
        >> notifications/cancelled {"requestId":2}
        << (cancelled #2)
    """)
    assert talk.peer.in_flight == 0


def test_batches_do_not_wait_for_one_another() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(request(1), request(2)))
    talk.receive(batch(request(3)))
    talk.play("<< (request #1 tools/list)\n << (request #2 tools/list)\n << (request #3 tools/list)")
    talk.answer(3, EMPTY)
    talk.play('<< [#3 result {"tools":[]}]')
    talk.answer(1, EMPTY)
    talk.send(talk.peer.answer_error(talk.exchange(2), -32603, "no"))
    talk.play('<< nothing\n << [#1 result {"tools":[]}, #2 error -32603]')


def test_a_batch_holds_64_messages() -> None:
    talk = legacy(BATCHES)
    talk.receive(batch(*(request(number, "ping") for number in range(64))))
    alone = "\n".join(f"<< (answered #{number} ping)" for number in range(63))
    talk.play(f"{alone}\n<< [" + ", ".join(f"#{number} result {{}}" for number in range(64)) + "]")
    talk.receive(batch(*(request(number, "ping") for number in range(65))))
    talk.play("<< #null error -32600")


def test_the_size_of_a_batch_is_shared_out_among_its_requests() -> None:
    talk = legacy(BATCHES)
    text = batch(request(1), request(2))
    talk.receive(text)
    talk.play("<< (request #1 tools/list)\n << (request #2 tools/list)")
    assert talk.exchange(1).text_bytes == talk.exchange(2).text_bytes == len(text) // 2


# --- the client's end -------------------------------------------------------------------------------------


def legacy_client(version: str) -> Peer:
    peer = client_peer()
    peer.initialize(version)
    peer.initialized({"protocolVersion": version, "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}})
    return peer


def test_a_client_answers_the_requests_of_a_batch_whatever_else_is_in_it() -> None:
    talk = Conversation(legacy_client("2025-03-26"))
    talk.receive(batch(request(1, "ping"), 17, {"jsonrpc": "2.0", "id": 2}))
    talk.play("""
        << [#1 result {}]
        << (ignored BROKEN_NOTIFICATION)
        << (ignored BROKEN_RESPONSE)
    """)


@pytest.mark.parametrize("version", ["2024-11-05", "2025-11-25"])
def test_a_client_does_not_answer_an_array_it_cannot_take(version: str) -> None:
    talk = Conversation(legacy_client(version))
    talk.receive(batch(request(1, "ping")))
    talk.play("<< (ignored BROKEN_NOTIFICATION)")
