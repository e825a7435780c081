"""Sessions over HTTP: no principal shuts the others out, and who is idle longest makes room."""

from __future__ import annotations

from mcp_workbench.events import Principal
from mcp_workbench.limits import Limits
from mcp_workbench.sessions.session import Session
from tests.sessions.rig import Rig, call, notification, request
from tests.sessions.test_stateless import INFO, StreamChannel, converse, shown


class Door:
    """Begins sessions up to 2025-11-25, each idle since a moment that the test says."""

    def __init__(self, limits: Limits) -> None:
        self.rig = Rig(limits)
        self.idle: dict[str, float | None] = {}
        self.channels: dict[str, StreamChannel] = {}

    def begin(self, name: str, principal: str, idle_since: float | None = None) -> Session | str:
        self.idle[name] = idle_since
        channel = self.channels[name] = StreamChannel()
        session = self.rig.sessions.accept_http(channel, Principal(principal), lambda: self.idle[name])
        if isinstance(session, Session):
            channel.open(session)
            client = {"name": "agent", "version": "2"}
            channel.deliver(request("i", "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=client))
            channel.deliver(notification("notifications/initialized"))
        return session

    def ended(self) -> list[str]:
        return [name for name, channel in self.channels.items() if channel.closes]


def test_a_flood_of_one_principals_sessions_ends_its_own_idle_ones_and_others_get_in() -> None:
    door = Door(Limits(sessions=8))
    for number in range(20):
        assert isinstance(door.begin(f"b{number}", "bob", idle_since=number), Session)
    assert door.ended() == [f"b{number}" for number in range(16)], "half are its share, and the longest idle go first"
    assert door.channels["b0"].closes == [(1000, "its place was needed")]
    assert isinstance(door.begin("a", "alice"), Session)
    assert "a" not in door.ended()


def test_what_has_something_under_way_is_never_ended_for_another() -> None:
    door = Door(Limits(sessions=4))
    assert isinstance(door.begin("read", "bob", idle_since=None), Session)
    working = door.begin("working", "bob", idle_since=1.0)
    assert isinstance(working, Session)
    door.channels["working"].deliver(call(1, "slow"))
    assert working.running == 1
    assert door.begin("more", "bob") == (
        "2 sessions of 'bob', its share, have something under way here, and no further one fits: "
        "end one with DELETE, or wait for answers, and try again."
    )
    assert isinstance(door.begin("alice", "alice"), Session)


def test_when_everything_is_taken_who_has_most_makes_room_for_who_has_none() -> None:
    door = Door(Limits(sessions=3))
    for name, principal, since in (("b1", "bob", 5.0), ("b2", "bob", 4.0), ("a", "alice", 1.0), ("c", "carol", 2.0)):
        assert isinstance(door.begin(name, principal, since), Session)
    assert door.ended() == ["b2"]


def test_both_eras_count_together_and_share_one_allowance() -> None:
    door = Door(Limits(sessions=4, running_calls=1))
    stateless, _ = converse(door.rig, INFO, "bob")
    for name in ("one", "two"):
        door.begin(name, "bob", idle_since=1.0)
    assert door.ended() == ["one"]
    stateless.end(1000, "")
    assert isinstance(door.begin("three", "bob", idle_since=2.0), Session)
    assert door.ended() == ["one", "two"]
    assert len(shown(door.rig)) == 1


def test_how_much_runs_is_bounded_for_all_sessions_of_a_principal_and_the_turn_goes_round() -> None:
    door = Door(Limits(sessions=8, running_calls=1))
    for name in ("one", "two"):
        door.begin(name, "bob")
        for number in (1, 2, 3):
            door.channels[name].deliver(call(number, f"{name} {number}"))
    order = []
    for _ in range(6):
        (running,) = [name for name in door.rig.started if name not in order]
        order.append(running)
        door.rig.work(running).end()
    assert order == ["one 1", "one 2", "two 1", "one 3", "two 2", "two 3"]
