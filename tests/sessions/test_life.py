"""Keepalive and slow consumers: `tick` with readings and clock values of our own."""

from __future__ import annotations

import pytest

from mcp_workbench.limits import Limits
from mcp_workbench.sessions.life import Life
from tests.sessions.rig import Rig, request


def living(limits: Limits | None = None) -> Rig:
    """A session whose clock began at 0."""
    rig = Rig(limits)
    rig.session.life = Life(0.0)
    rig.session.tick(0.0)
    return rig


def tick_through(rig: Rig, start: int, end: int) -> None:
    for second in range(start, end):
        rig.session.tick(float(second))


def test_a_silent_client_is_pinged_after_20_seconds_and_given_up_60_seconds_later() -> None:
    rig = living()
    tick_through(rig, 1, 20)
    assert rig.channel.pings == 0
    rig.session.tick(20.0)
    assert rig.channel.pings == 1
    tick_through(rig, 21, 80)
    assert (rig.channel.pings, rig.channel.closes) == (1, [])
    rig.session.tick(80.0)
    assert rig.channel.closes == [(1011, "no sign of life for 80 s")]
    tick_through(rig, 81, 90)
    assert len(rig.channel.closes) == 1


def test_a_pong_is_a_sign_of_life() -> None:
    rig = living()
    for second in range(1, 500):
        pings = rig.channel.pings
        rig.session.tick(float(second))
        if rig.channel.pings > pings:
            rig.channel.bytes_received += 2
    assert rig.channel.closes == []
    assert 20 <= rig.channel.pings <= 25


@pytest.mark.parametrize("silent_for", [19, 20, 79])
def test_one_byte_received_begins_the_silence_anew(silent_for: int) -> None:
    rig = living()
    tick_through(rig, 1, silent_for + 1)
    rig.channel.bytes_received += 1
    pings = rig.channel.pings
    tick_through(rig, silent_for + 1, silent_for + 21)
    assert (rig.channel.pings, rig.channel.closes) == (pings, [])
    rig.session.tick(silent_for + 21.0)
    assert rig.channel.pings == pings + 1


def test_our_own_ping_leaving_is_no_sign_of_life() -> None:
    rig = living()
    for second in range(1, 80):
        pings = rig.channel.pings
        rig.session.tick(float(second))
        rig.channel.bytes_sent += 2 * (rig.channel.pings - pings)
    assert rig.channel.pings == 1
    rig.session.tick(80.0)
    assert [code for code, _ in rig.channel.closes] == [1011]


def test_notifications_into_an_idle_socket_are_no_sign_of_life() -> None:
    rig = living()
    for second in range(1, 81):
        rig.channel.bytes_sent += 100
        rig.session.tick(float(second))
    assert [code for code, _ in rig.channel.closes] == [1011]


def test_a_client_that_takes_a_long_text_slowly_is_alive() -> None:
    rig = living()
    rig.channel.bytes_sent += 1_000_000
    rig.channel.unsent_bytes = 1_000_000
    rig.session.tick(1.0)
    for second in range(2, 400):
        rig.channel.unsent_bytes -= 1
        rig.session.tick(float(second))
    assert (rig.channel.pings, rig.channel.closes) == (0, [])


def test_a_client_that_takes_no_byte_for_30_seconds_is_closed_as_slow() -> None:
    rig = living()
    rig.channel.room = 0
    rig.channel.deliver(request(1, "tools/list"))
    tick_through(rig, 1, 30)
    assert rig.channel.closes == []
    rig.channel.bytes_received += 1
    rig.session.tick(30.0)
    assert rig.channel.closes == [(1013, "slow consumer: read faster, or subscribe to less")]
    assert rig.session.statistics()["outbox"] == 0
    tick_through(rig, 31, 100)
    assert len(rig.channel.closes) == 1


def test_bytes_stuck_in_the_operating_system_count_as_not_taken() -> None:
    rig = living()
    rig.channel.bytes_sent += 500
    rig.channel.unsent_bytes = 300
    rig.session.tick(1.0)
    tick_through(rig, 2, 31)
    assert rig.channel.closes == []
    rig.session.tick(31.0)
    assert [code for code, _ in rig.channel.closes] == [1013]


def test_one_byte_taken_begins_the_wait_anew() -> None:
    rig = living()
    rig.channel.bytes_sent += 500
    rig.channel.unsent_bytes = 300
    tick_through(rig, 1, 30)
    rig.channel.unsent_bytes -= 1
    tick_through(rig, 30, 60)
    assert rig.channel.closes == []
    rig.session.tick(60.0)
    assert [code for code, _ in rig.channel.closes] == [1013]


def test_a_quiet_client_that_owes_nothing_is_not_slow() -> None:
    rig = living(Limits(ping_after_s=1000.0))
    tick_through(rig, 1, 200)
    rig.channel.room = 0
    rig.channel.deliver(request(1, "tools/list"))
    rig.session.tick(200.0)
    tick_through(rig, 201, 229)
    assert rig.channel.closes == []


def test_the_bounds_are_those_of_the_limits() -> None:
    rig = living(Limits(ping_after_s=2.0, dead_after_s=3.0))
    tick_through(rig, 1, 5)
    assert (rig.channel.pings, rig.channel.closes) == (1, [])
    rig.session.tick(5.0)
    assert rig.channel.closes == [(1011, "no sign of life for 5 s")]
