"""The registry: order, replacement, and one signal per real change."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from mcp_workbench.primitives.registry import Registry


@dataclass(frozen=True)
class Entry:
    name: str
    digest: str
    body: int = 0


def watched() -> tuple[Registry[Entry], list[int]]:
    registry: Registry[Entry] = Registry()
    changes: list[int] = []
    registry.on_change.append(lambda: changes.append(len(registry)))
    return registry, changes


def test_definitions_are_listed_by_name() -> None:
    registry, _ = watched()
    for name in ("b", "a", "c"):
        registry.add(Entry(name, name))
    assert [entry.name for entry in registry.list()] == ["a", "b", "c"]
    assert list(registry) == list(registry.list())
    assert registry.list() is registry.list()
    assert "a" in registry
    assert registry.get("z") is None


def test_adding_returns_what_was_replaced() -> None:
    registry, changes = watched()
    first, second = Entry("a", "1"), Entry("a", "2")
    assert registry.add(first) is None
    assert registry.add(second) is first
    assert registry.get("a") is second
    assert changes == [1, 1]


def test_a_rerun_with_the_same_digest_is_silent_and_takes_the_new_body() -> None:
    registry, changes = watched()
    registry.add(Entry("a", "1", body=1))
    registry.add(Entry("a", "1", body=2))
    assert changes == [1]
    entry = registry.get("a")
    assert entry is not None
    assert entry.body == 2


def test_removing_tells_once_and_nothing_for_an_unknown_name() -> None:
    registry, changes = watched()
    entry = Entry("a", "1")
    registry.add(entry)
    assert registry.remove("a") is entry
    assert registry.remove("a") is None
    assert changes == [1, 0]


def test_a_cell_makes_one_signal_and_none_when_nothing_differs_after_it() -> None:
    registry, changes = watched()
    registry.add(Entry("a", "1"))
    with registry.paused(), registry.paused():
        registry.remove("a")
        registry.add(Entry("a", "1"))
        assert registry.get("a") is not None
    assert changes == [1]
    with registry.paused():
        registry.add(Entry("b", "1b"))
        registry.add(Entry("c", "1c"))
    assert changes == [1, 3]


def test_a_cell_that_fails_still_announces_what_it_did() -> None:
    registry, changes = watched()

    def cell() -> None:
        with registry.paused():
            registry.add(Entry("a", "1"))
            raise KeyError("a mistake in the cell")

    with pytest.raises(KeyError):
        cell()
    assert changes == [1]


def test_a_listener_that_raises_is_logged_and_the_others_are_called(caplog: pytest.LogCaptureFixture) -> None:
    registry, changes = watched()

    def broken() -> None:
        raise ValueError("broken")

    registry.on_change.insert(0, broken)
    with caplog.at_level(logging.ERROR, logger="mcp_workbench"):
        registry.add(Entry("a", "1"))
    assert changes == [1]
    assert "a listener of changed definitions failed" in caplog.text


def test_the_nearest_names_are_suggested() -> None:
    registry, _ = watched()
    for name in ("top_routes", "delays"):
        registry.add(Entry(name, name))
    assert registry.nearest("toproutes") == ("top_routes",)
    assert registry.nearest("zzz") == ()


def test_a_snapshot_does_not_follow_later_changes() -> None:
    registry, _ = watched()
    registry.add(Entry("a", "1"))
    before = registry.list()
    registry.add(Entry("b", "2"))
    assert [entry.name for entry in before] == ["a"]


class RegistryMachine(RuleBasedStateMachine):
    """Against a dict: contents agree, and signals come exactly when the set of digests changed."""

    names = Bundle("names")

    @initialize()
    def start(self) -> None:
        self.registry: Registry[Entry] = Registry()
        self.model: dict[str, Entry] = {}
        self.signals = 0
        self.expected = 0
        self.announced: frozenset[str] = frozenset()
        self.registry.on_change.append(self.count)

    def count(self) -> None:
        self.signals += 1

    def settle(self) -> None:
        digests = frozenset(entry.digest for entry in self.model.values())
        self.expected += digests != self.announced
        self.announced = digests

    @rule(name=st.sampled_from("abc"), digest=st.sampled_from("12"))
    def add(self, name: str, digest: str) -> None:
        entry = Entry(name, name + digest)
        assert self.registry.add(entry) is self.model.get(name)
        self.model[name] = entry
        self.settle()

    @rule(name=st.sampled_from("abc"))
    def remove(self, name: str) -> None:
        assert self.registry.remove(name) is self.model.pop(name, None)
        self.settle()

    @rule(entries=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12")), max_size=4))
    def run_a_cell(self, entries: list[tuple[str, str]]) -> None:
        with self.registry.paused():
            for name, digest in entries:
                self.model[name] = Entry(name, name + digest)
                self.registry.add(self.model[name])
        self.settle()

    @invariant()
    def agrees(self) -> None:
        assert list(self.registry) == [self.model[name] for name in sorted(self.model)]
        assert self.signals == self.expected


TestRegistryMachine = RegistryMachine.TestCase
