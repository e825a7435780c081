"""One bound for all: nobody takes everything, and nothing is lost count of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_workbench.sharing import Shares


def take_all(shares: Shares, holder: str) -> int:
    while shares.may_take(holder):
        shares.take(holder)
    return shares.held(holder)


def test_one_alone_gets_half_and_whoever_comes_next_finds_some_free() -> None:
    shares = Shares(64)
    assert [take_all(shares, holder) for holder in ("bob", "alice", "carol")] == [32, 16, 8]
    assert not shares.full
    assert shares.taken("bob", "calls") == "32 calls of this client"


def test_what_belongs_to_nobody_is_held_to_the_bound_alone() -> None:
    shares = Shares(2)
    for _ in range(2):
        assert shares.may_take(None)
        shares.take(None)
    assert not shares.may_take(None)
    assert (shares.full, shares.taken("bob", "calls")) == (True, "2 calls")


@given(st.integers(0, 40), st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=200))
def test_the_bound_holds_and_a_newcomer_gets_in_while_anything_is_left(limit: int, history: list[tuple[str, bool]]) -> None:
    shares, held = Shares(limit), dict.fromkeys("abc", 0)
    for holder, comes in history:
        if comes and shares.may_take(holder):
            shares.take(holder)
            held[holder] += 1
        elif not comes and held[holder]:
            shares.give_back(holder)
            held[holder] -= 1
        assert {each: shares.held(each) for each in "abc"} == held
        assert shares.total == sum(held.values()) <= limit
        assert shares.may_take("newcomer") is (shares.total < limit)
