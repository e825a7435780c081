from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.telemetry.ring import Ring


@given(st.integers(1, 20), st.integers(0, 60), st.none() | st.integers(0, 70))
def test_the_newest_items_come_back_oldest_first(size: int, appended: int, limit: int | None) -> None:
    ring: Ring[int] = Ring(size)
    for item in range(appended):
        ring.append(item)
    kept = list(range(appended))[-size:]
    expected = kept if limit is None else kept[len(kept) - min(limit, len(kept)) :]
    assert ring.latest(limit) == expected
    assert (len(ring), ring.total) == (len(kept), appended)


def test_a_reader_on_another_thread_sees_an_unbroken_run() -> None:
    ring: Ring[int] = Ring(50)
    reads: list[list[int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            reads.append(ring.latest(50))

    reader = threading.Thread(target=read)
    reader.start()
    for item in range(20_000):
        ring.append(item)
    done.set()
    reader.join(5)
    for items in reads:
        assert all(later == earlier + 1 for earlier, later in pairwise(items))
    assert ring.latest() == list(range(19_950, 20_000))


def test_a_ring_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 item"):
        Ring(0)


@given(st.integers(1, 20), st.integers(0, 60), st.integers(-5, 70), st.integers(-5, 70))
def test_a_stretch_is_what_is_still_kept_of_it(size: int, appended: int, begin: int, end: int) -> None:
    ring: Ring[int] = Ring(size)
    for item in range(appended):
        ring.append(item)
    kept = list(range(appended))[-size:]
    assert ring.between(begin, end) == [item for item in kept if begin <= item < end]


@given(st.integers(1, 20), st.integers(0, 60), st.integers(0, 70), st.integers(0, 70))
def test_who_reads_on_is_given_what_comes_next_and_is_still_there(size: int, appended: int, begin: int, most: int) -> None:
    ring: Ring[int] = Ring(size)
    for item in range(appended):
        ring.append(item)
    kept = list(range(appended))[-size:]
    assert ring.after(begin, most) == [item for item in kept if item >= begin][:most]


def test_who_reads_on_from_another_thread_is_given_nothing_that_was_replaced_meanwhile() -> None:
    ring: Ring[int] = Ring(5)
    done = threading.Event()

    def write() -> None:
        for item in range(50_000):
            ring.append(item)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    read = 0
    while not done.is_set() or read < ring.total:
        found = ring.after(read, 3)
        assert all(next_one - one == 1 for one, next_one in pairwise(found))
        assert all(item >= read for item in found)
        read = found[-1] + 1 if found else read
    writer.join()
    assert read == 50_000
