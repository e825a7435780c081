from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.cli.bench import load
from mcp_workbench.cli.bench.pacing import S, Taken, at_random, drive, evenly, summarise
from tests.benchmarks.simulated import Clock, Server, SimulatedConnection, SimulatedWire

MS = 1_000_000
RATE, SECONDS = 1000, 2
TAKES, STALL = 200_000, 300 * MS


def open_loop(intended: list[int], takes_ns: int, *, connections: int = 64, patience_ns: int = 5 * S, **stall: int) -> tuple[Taken, Server]:
    clock = Clock()
    server = Server(clock, takes_ns, **stall)
    return drive(intended, SimulatedWire(clock, server, connections), clock, patience_ns=patience_ns), server


def closed_loop(monkeypatch: pytest.MonkeyPatch, calls: int, takes_ns: int, **stall: int) -> list[int]:
    clock = Clock()
    monkeypatch.setattr(load, "perf_counter_ns", clock)
    connection = SimulatedConnection(clock, Server(clock, takes_ns, **stall))
    return load._one_session([cast("Any", connection)], 0, calls, 3600)


def test_a_stall_of_the_server_shows_in_the_open_loop_and_not_in_the_closed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, server = open_loop(evenly(RATE, SECONDS), TAKES, stalls=500, stall_ns=STALL)
    open_curve = summarise(RATE, taken)
    closed = closed_loop(monkeypatch, RATE * SECONDS, TAKES, stalls=500, stall_ns=STALL)
    closed_curve = load.summarise(closed, 1.0)
    # 300 requests fell due during the stall and 75 more until it was worked off, of 2,000: so every tenth met it.
    assert open_curve.p90_us > 50_000
    assert open_curve.p99_us > 250_000
    assert (open_curve.saturated, open_curve.unanswered, open_curve.calls) == (False, 0, 2000)
    # The closed loop asked for nothing while the server stood still: one slow call of 2,000, beyond every quantile.
    assert closed_curve.p90_us == closed_curve.p99_us == TAKES / 1000
    assert sum(ns > TAKES for ns in closed) == 1
    # And the server, too, has seen only that one.
    assert server.seen.quantile(0.999) == pytest.approx(TAKES, rel=0.011)
    assert server.seen.max_ns == STALL


def test_without_a_stall_both_loops_tell_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, _ = open_loop(evenly(RATE, SECONDS), TAKES)
    closed = load.summarise(closed_loop(monkeypatch, RATE * SECONDS, TAKES), 1.0)
    curve = summarise(RATE, taken)
    assert (curve.p50_us, curve.p99_us) == (closed.p50_us, closed.p99_us) == (TAKES / 1000, TAKES / 1000)
    assert curve.max_us == TAKES / 1000
    assert curve.client_late_us == 0


def test_every_wait_during_a_stall_is_counted_from_the_moment_the_request_was_due() -> None:
    taken, _ = open_loop([0, 10 * MS, 20 * MS, 200 * MS], TAKES, stalls=0, stall_ns=100 * MS)
    assert taken.latencies == [100 * MS, 90 * MS + TAKES, 80 * MS + 2 * TAKES, TAKES]


def test_a_request_that_finds_no_connection_free_waits_and_the_wait_counts() -> None:
    many, _ = open_loop([0] * 5, MS)
    one, _ = open_loop([0] * 5, MS, connections=1)
    assert one.latencies == many.latencies == [MS, 2 * MS, 3 * MS, 4 * MS, 5 * MS]


def test_a_rate_above_what_the_server_can_do_is_called_saturated() -> None:
    taken, _ = open_loop(evenly(2000, 1), MS)
    curve = summarise(2000, taken)
    assert curve.achieved == pytest.approx(1000, rel=0.01)
    assert curve.saturated
    assert curve.max_us == pytest.approx(1_000_000, rel=0.01)


def test_what_is_given_up_counts_with_the_time_it_had_waited() -> None:
    taken, _ = open_loop([0, MS, 2 * MS], TAKES, stalls=0, stall_ns=60 * S, patience_ns=S)
    assert (taken.unanswered, taken.elapsed) == (3, S + 2 * MS)
    assert taken.latencies == [S + 2 * MS, S + MS, S]
    curve = summarise(3, taken)
    assert (curve.achieved, curve.saturated, curve.calls) == (0, True, 3)


def test_what_never_found_a_connection_is_given_up_too() -> None:
    taken, _ = open_loop([0, MS, 2 * MS], TAKES, connections=1, stalls=0, stall_ns=60 * S, patience_ns=S)
    assert sorted(taken.latencies) == [S, S + MS, S + 2 * MS]
    assert taken.unanswered == 3


def test_a_client_that_is_late_itself_says_so() -> None:
    clock = Clock()

    class Busy(SimulatedWire):
        def send(self, number: int) -> int:
            clock.now += 3 * MS  # the client is kept from its work
            return super().send(number)

    taken = drive([0, MS, 10 * MS], Busy(clock, Server(clock, TAKES), 8), clock, patience_ns=S)
    assert taken.noticed_late == [0, 2 * MS, 0]
    assert summarise(3, taken).client_late_us == 2000


@given(st.lists(st.integers(0, 2 * S), min_size=1, max_size=60), st.integers(1, 50 * MS), st.integers(1, 8))
def test_every_request_is_sent_once_never_early_and_is_counted(moments: list[int], takes_ns: int, connections: int) -> None:
    intended = sorted(moments)
    taken, server = open_loop(intended, takes_ns, connections=connections)
    assert len(taken.latencies) == len(intended) == len(taken.noticed_late) == server.seen.count
    assert taken.unanswered == 0
    assert min(taken.latencies) >= takes_ns
    assert min(taken.noticed_late) >= 0
    # One server that works on one after the other: the last answer is due when all work is done, and not before.
    free_at = 0
    for moment in intended:
        free_at = max(free_at, moment) + takes_ns
    assert taken.elapsed == free_at


def test_even_arrivals_are_one_interval_apart() -> None:
    assert evenly(4, 1) == [0, S // 4, S // 2, 3 * S // 4]
    assert len(evenly(0.5, 1)) == 1


def test_arrivals_at_random_are_as_many_as_the_rate_says_and_the_same_each_time() -> None:
    moments = at_random(1000, 20)
    assert moments == at_random(1000, 20) == sorted(moments)
    assert moments != at_random(1000, 20, seed=2)
    assert len(moments) == pytest.approx(20_000, rel=0.03)
    assert moments[-1] < 20 * S
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    # A Poisson process: a share of 1/e of its gaps is longer than their mean.
    assert sum(gap > MS for gap in gaps) / len(gaps) == pytest.approx(0.368, abs=0.02)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=1500))
def test_quantiles_are_those_of_the_samples_and_p999_needs_a_thousand(latencies: list[int]) -> None:
    curve = summarise(10, Taken(latencies, 0, S, [0] * len(latencies)))
    assert curve.p50_us <= curve.p90_us <= curve.p99_us <= curve.max_us == max(latencies) / 1000
    assert {round(us * 1000) for us in (curve.p50_us, curve.p90_us, curve.p99_us)} <= set(latencies)
    assert (curve.p999_us is None) == (len(latencies) < 1000)
    assert curve.achieved == len(latencies)
