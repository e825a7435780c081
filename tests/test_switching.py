"""The interpreter's switch interval, lowered while clients are connected."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from mcp_workbench.switching import BUSY_INTERVAL_S, SwitchInterval

USUAL_S = 0.005


@pytest.fixture(autouse=True)
def usual_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(USUAL_S)
    yield
    sys.setswitchinterval(before)


def now() -> float:
    return round(sys.getswitchinterval(), 6)


def test_the_first_client_lowers_it_and_the_last_one_to_leave_restores_it() -> None:
    interval = SwitchInterval()
    interval.follow(1)
    assert now() == BUSY_INTERVAL_S
    interval.follow(2)
    interval.follow(1)
    assert now() == BUSY_INTERVAL_S
    interval.follow(0)
    assert now() == USUAL_S


def test_it_is_lowered_again_for_the_next_client() -> None:
    interval = SwitchInterval(0.001)
    for _ in range(2):
        interval.follow(1)
        assert now() == 0.001
        interval.follow(0)
        assert now() == USUAL_S


def test_a_value_set_by_somebody_else_meanwhile_stays() -> None:
    interval = SwitchInterval()
    interval.follow(1)
    sys.setswitchinterval(0.002)
    interval.follow(2)
    assert now() == 0.002
    interval.follow(0)
    assert now() == 0.002
    # ... and is what the next client's leaving restores.
    interval.follow(1)
    assert now() == BUSY_INTERVAL_S
    interval.follow(0)
    assert now() == 0.002


def test_none_leaves_it_alone() -> None:
    interval = SwitchInterval(None)
    interval.follow(1)
    assert now() == USUAL_S
    interval.follow(0)
    interval.restore()
    assert now() == USUAL_S


def test_an_interval_that_is_short_already_is_neither_raised_nor_restored() -> None:
    sys.setswitchinterval(0.0001)
    interval = SwitchInterval()
    interval.follow(1)
    assert now() == 0.0001
    sys.setswitchinterval(0.003)
    interval.follow(0)
    assert now() == 0.003


def test_a_server_that_stops_with_clients_restores_it_once() -> None:
    interval = SwitchInterval()
    interval.follow(3)
    interval.restore()
    assert now() == USUAL_S
    sys.setswitchinterval(BUSY_INTERVAL_S)
    interval.restore()
    interval.follow(0)
    assert now() == BUSY_INTERVAL_S


def test_two_servers_in_one_process_leave_the_interval_as_it_was() -> None:
    first, second = SwitchInterval(), SwitchInterval()
    first.follow(1)
    second.follow(1)
    second.follow(0)
    assert now() == BUSY_INTERVAL_S
    first.follow(0)
    assert now() == USUAL_S
