"""The sessions over HTTP, by principal: how many there may be, which one makes room, and what a principal's have in common.

Such a session costs its client nothing: it holds no connection, and one connection can begin any number. So they have a
bound of their own, of which no principal can take everything (`sharing.py`), and their calls one allowance for each
principal (`places.py`). Where one more would be too many, the one that has been idle longest ends: of the same
principal, and only when everything is taken of the one that has most. Knows no transport. Loop thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mcp_workbench.limits import Limits
from mcp_workbench.sessions.places import Places
from mcp_workbench.sessions.session import Session
from mcp_workbench.sharing import Shares

IdleSince = Callable[[], float | None]
"""Since when, by `time.monotonic`, a session has had nothing open; None: something is."""


class _Guest(NamedTuple):
    """What is known of one principal."""

    places: Places
    sessions: dict[Session, IdleSince]


class Guests:
    """Who is there over HTTP.

    Args:
        limits: `sessions`, and those of `Places`, are used.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._shares = Shares(limits.sessions)
        self._guests: dict[str, _Guest] = {}

    def places_of(self, name: str) -> Places:
        """What all sessions of a principal over HTTP share: beginning another one, or giving itself another name, must not give it more."""
        guest = self._guests.get(name)
        return Places(self._limits, f"{name!r}") if guest is None else guest.places

    def refusal(self, name: str) -> str | None:
        """Make room for one more session of a principal.

        Returns:
            None: there is room; else the sentence that says why not.
        """
        shares = self._shares
        if shares.may_take(name) or self._end_idle(name) or (shares.full and not shares.held(name) and self._end_idle(self._greatest())):
            return None
        whose = f"{shares.held(name):,} sessions of {name!r}, its share," if shares.held(name) else f"All {shares.total:,} sessions"
        return f"{whose} have something under way here, and no further one fits: end one with DELETE, or wait for answers, and try again."

    def add(self, session: Session, places: Places, idle_since: IdleSince) -> None:
        """A session has begun.

        Args:
            session: Which.
            places: As `places_of` gave them.
            idle_since: Asked when room is needed.
        """
        name = session.principal.name
        self._guests.setdefault(name, _Guest(places, {})).sessions[session] = idle_since
        self._shares.take(name)

    def forget(self, session: Session) -> None:
        """A session has ended; one that is none of these is none of ours."""
        name = session.principal.name
        guest = self._guests.get(name)
        if guest is None or guest.sessions.pop(session, None) is None:
            return
        self._shares.give_back(name)
        if not guest.sessions:
            del self._guests[name]

    def _greatest(self) -> str:
        """Who has most of them."""
        return max(self._guests, key=lambda name: len(self._guests[name].sessions), default="")

    def _end_idle(self, name: str) -> bool:
        """End the session of a principal that has been idle longest; says whether there was one."""
        guest = self._guests.get(name)
        sessions = {} if guest is None else guest.sessions
        idle = [(since, session) for session, asked in sessions.items() if (since := asked()) is not None]
        if not idle:
            return False
        _, longest = min(idle, key=lambda each: each[0])
        self.forget(longest)  # now: its channel reports the end a turn later
        longest.close(1000, "its place was needed")
        return True
