"""Conversations of stateless HTTP, shown as one session."""

from __future__ import annotations

import time

from mcp_workbench.events import Principal
from mcp_workbench.jsonrpc import RequestId
from mcp_workbench.limits import Limits
from mcp_workbench.protocol import wire
from mcp_workbench.protocol.subscriptions import Listing
from mcp_workbench.sessions.session import Session
from mcp_workbench.sessions.stateless import StatelessSession
from tests.sessions.rig import FakeChannel, Rig, request
from tests.support.protocol import META

INFO = wire.Implementation(name="client", version="1")


class StreamChannel(FakeChannel):
    """Keeps which request each text belongs to."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[RequestId | None, int | None]] = []

    def send_for(self, text: bytes, owner: RequestId | None, settles: int | None) -> None:
        self.said.append((owner, settles))
        self.send(text)


def converse(rig: Rig, info: wire.Implementation | None = INFO, principal: str = "default") -> tuple[StreamChannel, Session]:
    channel = StreamChannel()
    conversation = rig.sessions.accept_stateless(channel, Principal(principal), info)
    assert isinstance(conversation, Session), conversation
    channel.open(conversation)
    return channel, conversation


def call(channel: FakeChannel, request_id: RequestId, name: str) -> None:
    channel.deliver(request(request_id, "tools/call", name=name, arguments={}, _meta=META))


def shown(rig: Rig) -> list[StatelessSession]:
    return [session for session in rig.sessions if isinstance(session, StatelessSession)]


def test_conversations_of_one_client_are_one_session() -> None:
    rig = Rig()
    for info, principal in ((INFO, "default"), (INFO, "default"), (INFO, "other"), (None, "default")):
        converse(rig, info, principal)
    assert [session.id for session in shown(rig)] == ["s2", "s3", "s4"]
    assert [each.principal.name for each in shown(rig)] == ["default", "other", "default"]


def test_every_text_says_whose_it_is_and_what_it_settles() -> None:
    rig = Rig()
    channel, _ = converse(rig)
    call(channel, "ok", "inline")
    call(channel, "bad", "unknown")
    channel.deliver(request("no", "no/such", _meta=META))
    channel.deliver(request("l", "subscriptions/listen", notifications={"toolsListChanged": True}, _meta=META))
    rig.sessions.list_changed(Listing.TOOLS)
    assert channel.said == [("ok", 0), ("bad", -32602), ("no", -32601), (None, None), ("l", None)]


def test_what_waits_for_a_slow_reader_keeps_its_owner() -> None:
    rig = Rig()
    channel, _ = converse(rig)
    channel.room = 0
    call(channel, "ok", "inline")
    channel.deliver(request("no", "no/such", _meta=META))
    channel.drain()
    assert channel.said == [("ok", 0), ("no", -32601)]


def test_ids_of_two_conversations_may_be_the_same_and_calls_are_numbered_through() -> None:
    rig = Rig()
    (one, _), (other, _) = converse(rig), converse(rig)
    call(one, 1, "first")
    call(other, 1, "second")
    (session,) = shown(rig)
    assert [work.number for work in session.open_calls()] == [1, 2]
    assert (session.running, session.record.calls, session.statistics()["running"]) == (2, 2, 2)
    rig.work("second").end()
    rig.work("first").end()
    assert (one.said, other.said) == ([(1, 0)], [(1, 0)])


def test_a_call_is_stopped_in_whichever_conversation_it_is() -> None:
    rig = Rig()
    (one, _), (other, _) = converse(rig), converse(rig)
    call(one, 1, "first")
    call(other, 1, "second")
    found = rig.sessions.find("s2")
    assert found is not None
    assert found.stop(2) is not None
    assert other.said == [(1, 0)]
    assert found.stop(7) is None


def test_the_end_of_a_conversation_ends_its_calls_and_not_the_session() -> None:
    rig = Rig()
    channel, conversation = converse(rig)
    call(channel, 1, "first")
    rig.sessions.watch(conversation, "df://a", "a")
    channel.end(1006, "")
    (session,) = shown(rig)
    assert rig.work("first").cancelled == ["the connection was closed (1006)"]
    assert (session.record.until, session.idle_since() is None, rig.sessions.index.watched("a")) == (None, False, False)


def test_it_ends_when_nobody_has_spoken_for_long() -> None:
    rig = Rig(Limits(idle_after_s=100))
    channel, _ = converse(rig)
    (session,) = shown(rig)
    session.tick(time.monotonic() + 1000)
    assert shown(rig) == [session], "it has a conversation"
    channel.end(1000, "")
    session.tick(time.monotonic() + 99)
    assert shown(rig) == [session]
    session.tick(time.monotonic() + 101)
    assert shown(rig) == []
    assert session.record.close_reason == "idle for 100 s"
    converse(rig)
    assert shown(rig)[0].id == "s3"


def test_a_full_house_makes_room_by_ending_who_has_nothing_open() -> None:
    rig = Rig(Limits(sessions=3))
    (idle, _), (_, _), (_, _) = converse(rig, None), converse(rig), converse(rig, INFO, "other")
    refusal = rig.sessions.accept_stateless(StreamChannel(), Principal("third"), INFO)
    assert refusal == (
        "All 3 sessions have something under way here, and no further one fits: end one with DELETE, or wait for answers, and try again."
    )
    idle.end(1000, "")
    converse(rig, INFO, "third")
    assert [session.id for session in shown(rig)] == ["s3", "s4", "s5"]


def test_all_conversations_are_told_and_ended_together() -> None:
    rig = Rig()
    channels = [converse(rig)[0] for _ in range(2)]
    channels[0].deliver(request("l", "subscriptions/listen", notifications={"toolsListChanged": True}, _meta=META))
    (session,) = shown(rig)
    assert session.statistics()["subscriptions"] == 1
    session.refuse_new("stopping")
    late, _ = converse(rig)
    call(late, 1, "late")
    assert rig.work("late").refused == ["stopping"]
    session.close(1001, "server is shutting down")
    assert [channel.closes for channel in (*channels, late)] == [[(1001, "server is shutting down")]] * 3
    assert channels[0].said[-1] == ("l", 0), "a listen is ended with its answer"
    assert shown(rig) == []


def test_a_revoked_principal_has_no_session_left() -> None:
    rig = Rig()
    channel, _ = converse(rig, INFO, "other")
    rig.sessions.close_principal("other", "revoked")
    assert channel.closes == [(1008, "revoked")]
    assert shown(rig) == []


def test_all_conversations_of_a_principal_share_one_allowance_whatever_the_client_calls_itself() -> None:
    rig = Rig(Limits(running_calls=2, backlog_messages=1))
    infos = [wire.Implementation(name=f"client {number}", version="1") for number in range(5)]
    channels = [converse(rig, info)[0] for info in infos]
    for number, channel in enumerate(channels[:4]):
        call(channel, number, f"call {number}")
    assert rig.started == ["call 0", "call 1"]
    assert channels[2].said == []
    assert channels[3].said == [(3, 0)]
    assert b"Busy: 2 calls of 'default' are running and 1 are waiting" in channels[3].texts[0]

    other, _ = converse(rig, INFO, "other")
    call(other, 1, "of another principal")
    call(other, 2, "inline")
    assert "of another principal" in rig.started
    assert other.said == [(2, 0)]
    assert "call 2" not in rig.started

    rig.work("call 1").end()
    assert "call 2" in rig.started
    assert (channels[1].said, channels[2].said) == ([(1, 0)], [])
    call(channels[4], 4, "call 4")
    channels[4].end(1006, "")
    rig.work("call 0").end()
    assert "call 4" not in rig.started, "who has hung up is not run"
    call(channels[0], 5, "call 5")
    assert "call 5" in rig.started


def test_parked_calls_are_counted_together_too() -> None:
    rig = Rig(Limits(parked_calls=1))
    (one, _), (other, _) = converse(rig), converse(rig)
    call(one, 1, "parks")
    call(other, 1, "parks too")
    assert b"Busy: 1 calls of 'default' wait already" in other.texts[0]
    one.end(1006, "")
    rig.work("parks").end()
    call(other, 2, "parks again")
    assert "parks again" in rig.started
