"""The coalescer announces the first change at once, the last one always, and no key too often."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcp_workbench.live.coalescing import Coalescer


def test_first_change_is_announced_at_once() -> None:
    assert Coalescer[str, int](0.25).changed("flights", 1, 10.0) is True


def test_changes_inside_the_interval_end_in_one_announcement_of_the_latest() -> None:
    coalescer = Coalescer[str, int](0.25)
    coalescer.changed("flights", 1, 10.0)
    assert [coalescer.changed("flights", version, 10.0 + version / 100) for version in (2, 3, 4)] == [False, False, False]
    assert coalescer.next_due() == 10.25
    assert coalescer.due(10.24) == []
    assert coalescer.due(10.25) == [4]
    assert coalescer.next_due() is None


def test_a_trailing_announcement_starts_a_new_interval() -> None:
    coalescer = Coalescer[str, int](0.25)
    coalescer.changed("flights", 1, 10.0)
    coalescer.changed("flights", 2, 10.1)
    coalescer.due(10.25)
    assert coalescer.changed("flights", 3, 10.3) is False
    assert coalescer.next_due() == 10.5


def test_a_change_that_finds_a_late_timer_does_not_overtake_it() -> None:
    coalescer = Coalescer[str, int](0.25)
    coalescer.changed("flights", 1, 10.0)
    coalescer.changed("flights", 2, 10.1)
    assert coalescer.changed("flights", 3, 99.0) is False
    assert coalescer.due(99.0) == [3]


def test_keys_do_not_disturb_each_other() -> None:
    coalescer = Coalescer[str, str](0.25)
    assert coalescer.changed("a", "a1", 1.0)
    assert coalescer.changed("b", "b1", 1.0)
    coalescer.changed("b", "b2", 1.1)
    assert coalescer.due(2.0) == ["b2"]


def test_a_forgotten_key_is_never_announced() -> None:
    coalescer = Coalescer[str, int](0.25)
    coalescer.changed("a", 1, 1.0)
    coalescer.changed("a", 2, 1.1)
    coalescer.forget("a")
    assert coalescer.due(9.0) == []
    assert coalescer.next_due() is None


def test_quiet_keys_are_let_go() -> None:
    coalescer = Coalescer[int, int](0.25)
    for key in range(100):
        coalescer.changed(key, key, 1.0)
    coalescer.due(2.0)
    assert len(coalescer) == 0


KEYS = st.sampled_from(["a", "b", "c"])


class AnyOrderOfChangesAndTimers(RuleBasedStateMachine):
    """Time is counted in ticks, so that intervals are exact."""

    def __init__(self) -> None:
        super().__init__()
        self.coalescer = Coalescer[str, tuple[str, int]](interval_s=5)
        self.now = 0.0
        self.changes = 0
        self.latest: dict[str, int] = {}
        self.announced: dict[str, int] = {}
        self.announced_at: dict[str, float] = {}

    def announce(self, payload: tuple[str, int]) -> None:
        key, change = payload
        assert self.now - self.announced_at.get(key, -99.0) >= 5, "two announcements of one key inside the interval"
        self.announced[key] = change
        self.announced_at[key] = self.now

    @rule(key=KEYS)
    def change(self, key: str) -> None:
        self.changes += 1
        self.latest[key] = self.changes
        if self.coalescer.changed(key, (key, self.changes), self.now):
            self.announce((key, self.changes))

    @rule(ticks=st.integers(1, 7))
    def time_passes(self, ticks: int) -> None:
        self.now += ticks

    @rule()
    def timer_fires(self) -> None:
        for payload in self.coalescer.due(self.now):
            self.announce(payload)

    @rule(key=KEYS)
    def forget(self, key: str) -> None:
        self.coalescer.forget(key)
        for memory in (self.latest, self.announced, self.announced_at):
            memory.pop(key, None)

    @rule()
    def follow_the_timer_until_quiet(self) -> None:
        for _ in range(len(self.latest) + 1):
            if (due := self.coalescer.next_due()) is None:
                break
            self.now = max(self.now, due)
            ready = self.coalescer.due(self.now)
            assert ready, "a timer set to next_due() found nothing"
            for payload in ready:
                self.announce(payload)
        assert self.announced == self.latest

    @invariant()
    def what_is_not_yet_announced_is_waiting(self) -> None:
        if self.announced != self.latest:
            assert self.coalescer.next_due() is not None


AnyOrderOfChangesAndTimers.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyOrderOfChangesAndTimers = AnyOrderOfChangesAndTimers.TestCase
