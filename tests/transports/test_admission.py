"""How many connections a server keeps, and who makes room."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest

from mcp_workbench.limits import Limits
from mcp_workbench.transports import admission
from mcp_workbench.transports.admission import Admission


class Line:
    """A connection."""

    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class Door:
    """Lets them in."""

    def __init__(self, sessions: int) -> None:
        self.admission = Admission(Limits(sessions=sessions))
        self.lines: list[Line] = []

    def enter(self, *, known: bool = False) -> bool:
        line = Line()
        self.lines.append(line)
        there_is_room = self.admission.enter(cast(asyncio.Transport, line))
        if there_is_room and known:
            self.admission.known(cast(asyncio.Transport, line))
        return there_is_room

    def leave(self, line: Line) -> None:
        self.admission.leave(cast(asyncio.Transport, line))

    @property
    def aborted(self) -> list[int]:
        return [number for number, line in enumerate(self.lines) if line.aborted]

    def close(self) -> None:
        for line in self.lines:
            self.leave(line)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int | None]]:
    """How many files may be open."""
    most: list[int | None] = [None]
    monkeypatch.setattr(admission, "most_open_files", lambda: most[0])
    yield most
    assert admission._taken == {}


def test_who_shows_no_credential_keeps_nobody_out(files: list[int | None]) -> None:
    door = Door(3)
    assert [door.enter(known=True), door.enter(), door.enter()] == [True] * 3
    assert door.enter(known=True)
    assert door.aborted == [1], "the one that has waited longest without makes room"
    assert (len(door.admission), door.admission.overflow) == (4, 0), "it is there until its end is reported"
    door.leave(door.lines[1])
    assert door.enter(known=True)
    assert door.aborted == [1, 2]
    assert not door.enter(), "three have shown one"
    assert (door.aborted, door.admission.overflow) == ([1, 2], 1)
    assert not door.enter(), "who was refused makes no room for the next"
    assert door.admission.sentence == "This server takes 3 connections and has them: close one and try again."
    door.close()


def test_a_flood_without_credentials_holds_no_more_than_the_bound(files: list[int | None]) -> None:
    door = Door(4)
    for _ in range(20):
        assert door.enter()
    assert door.aborted == list(range(16))
    door.close()


def test_the_connections_of_all_servers_leave_half_of_the_files_to_the_notebook(files: list[int | None]) -> None:
    files[0] = 20
    one, other = Door(4096), Door(4096)
    assert [one.enter(known=True) for _ in range(6)] == [True] * 6
    assert [other.enter(known=True) for _ in range(5)] == [True] * 4 + [False]
    assert (
        other.admission.sentence
        == "This kernel may open 20 files (ulimit -n) and has half of them open for connections: close one and try again."
    )
    one.leave(one.lines[0])
    other.leave(other.lines[-1])
    assert other.enter(known=True)
    for door in (one, other):
        door.close()


def test_a_forked_child_counts_anew(files: list[int | None]) -> None:
    files[0] = 4
    parents, childs = Door(4096), Door(4096)
    assert [parents.enter(known=True) for _ in range(2)] == [True] * 2
    assert [childs.enter(known=True) for _ in range(2)] == [True, False], "one is always taken"
    childs.close()
    parents.admission.forget_all()
    assert [childs.enter(known=True) for _ in range(2)] == [True, True]
    childs.close()
