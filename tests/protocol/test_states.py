from __future__ import annotations

import itertools

import pytest

from mcp_workbench.protocol.states import TRANSITIONS, Refusal, State, Trigger


def test_the_table_says_what_every_trigger_does_in_every_state() -> None:
    assert TRANSITIONS.keys() == set(State)
    assert all(TRANSITIONS[state].keys() == set(Trigger) for state in State)


@pytest.mark.parametrize(("state", "trigger"), list(itertools.product(State, Trigger)))
def test_each_entry_is_a_state_or_a_refusal_with_a_sentence(state: State, trigger: Trigger) -> None:
    verdict = TRANSITIONS[state][trigger]
    if isinstance(verdict, Refusal):
        assert verdict.code in (-32600, -32602, -32022)
        assert len(verdict.sentence) > 20
    else:
        assert isinstance(verdict, State)


def test_an_era_once_decided_is_never_left() -> None:
    reachable: dict[State, set[State]] = {}
    for start in State:
        seen, edge = {start}, [start]
        while edge:
            found = {verdict for verdict in TRANSITIONS[edge.pop()].values() if isinstance(verdict, State)} - seen
            seen |= found
            edge += found
        reachable[start] = seen
    assert reachable[State.FRESH] == set(State)
    assert reachable[State.OPENING] == {State.OPENING, State.LEGACY, State.CLOSED}
    assert reachable[State.LEGACY] == {State.LEGACY, State.CLOSED}
    assert reachable[State.MODERN] == {State.MODERN, State.CLOSED}
    assert reachable[State.CLOSED] == {State.CLOSED}


def test_every_open_state_can_be_closed() -> None:
    assert all(TRANSITIONS[state][Trigger.CLOSE] is State.CLOSED for state in State)
