"""Lines of waiting calls: each in its own order, the turn goes round, nothing is lost."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mcp_workbench.execution.calls import Call, Outcome, Returned
from mcp_workbench.execution.lines import Lines


def _step(call: Call) -> Outcome:
    return Returned(call.id)


def call_of(owner: str | None, number: int) -> Call:
    call = Call(f"c{number}", "tool", "thread")
    call.owner = owner
    return call


def taken(lines: Lines) -> list[str]:
    order = []
    while (job := lines.next()) is not None:
        order.append(job[0].id)
    return order


def test_the_turn_goes_round_among_the_sessions_and_each_has_its_own_order() -> None:
    lines = Lines(100)
    for number, owner in enumerate("aaaabbc"):
        lines.join((call_of(owner, number), _step))
    assert taken(lines) == ["c0", "c4", "c6", "c1", "c5", "c2", "c3"]


def test_a_session_that_may_not_is_passed_over_and_keeps_its_turn() -> None:
    lines = Lines(100)
    for number, owner in enumerate("aab"):
        lines.join((call_of(owner, number), _step))
    passed = lines.next(lambda call: call.owner != "a")
    assert passed is not None
    assert passed[0].id == "c2"
    assert lines.next(lambda call: call.owner != "a") is None
    assert taken(lines) == ["c0", "c1"]


def test_a_call_that_had_left_the_line_comes_back_in_front() -> None:
    lines = Lines(100)
    for number, owner in enumerate("ab"):
        lines.join((call_of(owner, number), _step))
    lines.join((call_of("b", 9), _step), in_front=True)
    assert taken(lines) == ["c9", "c0", "c1"]


class Waiting(RuleBasedStateMachine):
    """Against plain lists: every call is had once, in its owner's order, and nobody is passed over twice in a row."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = Lines(100)
        self.made = 0
        self.expected: dict[str | None, list[Call]] = {}
        self.turns: list[str | None] = []

    @rule(owner=st.sampled_from([None, "a", "b", "c"]))
    def join(self, owner: str | None) -> None:
        self.made += 1
        call = call_of(owner, self.made)
        if not self.expected.get(owner):
            self.turns.append(owner)
        self.expected.setdefault(owner, []).append(call)
        self.lines.join((call, _step))

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        owner = data.draw(st.sampled_from(self.turns))
        call = data.draw(st.sampled_from(self.expected[owner]))
        assert self.lines.leave(call)
        assert not self.lines.leave(call)
        self._forget(owner, call)

    @rule(refused=st.sets(st.sampled_from([None, "a", "b", "c"])))
    def next(self, refused: set[str | None]) -> None:
        job = self.lines.next(lambda call: call.owner not in refused)
        owner = next((owner for owner in self.turns if owner not in refused), "nobody")
        if owner == "nobody":
            assert job is None
            return
        assert job is not None
        assert job[0] is self.expected[owner][0]
        self.turns.remove(owner)
        self.turns.append(owner)
        self._forget(owner, job[0])

    def _forget(self, owner: str | None, call: Call) -> None:
        self.expected[owner].remove(call)
        if not self.expected[owner]:
            self.turns.remove(owner)

    @invariant()
    def all_are_counted(self) -> None:
        assert len(self.lines) == sum(map(len, self.expected.values()))


Waiting.TestCase.settings = settings(max_examples=40, deadline=None)
test_lines_of_any_history = Waiting.TestCase
